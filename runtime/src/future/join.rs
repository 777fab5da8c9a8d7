//! All of a few.

use std::{
    future::{Future, IntoFuture},
    pin::Pin,
    task::{Context, Poll},
};

/// Waits for all of these futures, in this task, and gives a tuple of their outputs. It is used where `.await` may be.
///
/// Each is anything that can be awaited, of any type. They are made in their order, and first polled in it.
///
/// The futures are where the `await` is, so they may borrow what is there.
///
/// # Cancel safety
/// As that of the futures, which are dropped with it; outputs that were already there are lost.
///
/// ```
/// use std::time::Duration;
/// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
/// runtime.block_on(async {
///     let mut number = 1;
///     let later = async {
///         runtime::time::sleep(Duration::from_secs(1)).await;
///         number += 1;
///         number
///     };
///     let outputs = runtime::join!(later, async { "two" }, std::future::ready(3.0));
///     assert_eq!(outputs, (2, "two", 3.0));
/// });
/// ```
#[macro_export]
macro_rules! join {
    () => { () };
    (@ ($($count:tt)*) [$(($child:ident ($($number:tt)*) $future:expr))+]) => {{
        $(
            let mut $child = ::core::pin::pin!($crate::future::support::MaybeDone::new($future));
        )+
        let mut left: usize = $($count)*;
        let mut few = $crate::future::support::Few::biased(left);
        ::core::future::poll_fn(|context| few.poll(context, |number, context| {
            $(
                if number == $($number)* && $child.as_mut().poll(context) {
                    left -= 1;
                }
            )+
            if left > 0 { ::core::ops::ControlFlow::Continue(()) } else { ::core::ops::ControlFlow::Break(()) }
        }))
        .await;
        ($($child.as_mut().take(),)+)
    }};
    // Each step gives the child a name of its own (they look alike, and are not) and the next number.
    (@ ($($number:tt)*) [$($children:tt)*] $future:expr $(, $($others:tt)*)?) => {
        $crate::join!(@ ($($number)* + 1) [$($children)* (child ($($number)*) $future)] $($($others)*)?)
    };
    ($($futures:tt)+) => { $crate::join!(@ (0) [] $($futures)+) };
}

/// Waits for both. [`join!`](crate::join) for two.
///
/// # Cancel safety
/// As that of the two futures, which are dropped with it; an output that was already there is lost.
///
/// ```
/// assert_eq!(runtime::block_on(runtime::future::join(async { 1 }, async { "two" })), (1, "two"));
/// ```
pub async fn join<A: Future, B: Future>(a: A, b: B) -> (A::Output, B::Output) {
    join!(a, b)
}

// ANCHOR: projection
pin_project_lite::pin_project! {
    /// A future, then its output.
    #[doc(hidden)]
    #[project = Projected]
    pub enum MaybeDone<F: Future> {
        Waiting { #[pin] future: F },
        Done { output: Option<F::Output> },
    }
}

impl<F: Future> MaybeDone<F> {
    /// It does not run yet.
    pub fn new(future: impl IntoFuture<IntoFuture = F>) -> Self {
        Self::Waiting { future: future.into_future() }
    }

    /// Polls it, unless it is done. `true`: now it is.
    pub fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> bool {
        let Projected::Waiting { future } = self.as_mut().project() else { return false };
        let Poll::Ready(output) = future.poll(context) else { return false };
        // The future is dropped here.
        self.set(Self::Done { output: Some(output) });
        true
    }

    // ANCHOR_END: projection
    /// Its output, once, when it is done.
    pub fn take(self: Pin<&mut Self>) -> F::Output {
        match self.project() {
            Projected::Done { output } => output.take().expect("taken once"),
            Projected::Waiting { .. } => unreachable!("taken only when all are done"),
        }
    }
}

impl<T, E, F: Future<Output = Result<T, E>>> MaybeDone<F> {
    /// Its error, if it is done and has one.
    pub fn take_error(self: Pin<&mut Self>) -> Option<E> {
        match self.project() {
            Projected::Done { output } => output.take_if(|output| output.is_err())?.err(),
            Projected::Waiting { .. } => None,
        }
    }

    /// Its value, when all are done and none had an error.
    pub fn take_value(self: Pin<&mut Self>) -> T {
        self.take().ok().expect("errors were taken before")
    }
}
