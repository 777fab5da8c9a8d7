//! All of a few, or the first error.

use std::future::Future;

/// Waits for all of these futures, each of a `Result` with the same type of error: `Ok` with a tuple of their values, or the
/// first error as soon as it comes. It is used where `.await` may be.
///
/// With an error the other futures are dropped where they stand: what they had done half stays half done.
///
/// # Cancel safety
/// As that of the futures, which are dropped with it; outputs that were already there are lost.
///
/// ```
/// use std::time::Duration;
/// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
/// runtime.block_on(async {
///     let number = async |text: &str| text.parse::<u8>();
///     let three = runtime::try_join!(number("1"), number("2"), async { Ok("three") });
///     assert_eq!(three, Ok((1, 2, "three")));
///
///     let start = runtime::time::Instant::now();
///     let slow = async {
///         runtime::time::sleep(Duration::from_secs(1)).await;
///         Ok(1)
///     };
///     assert!(runtime::try_join!(slow, number("many")).is_err());
///     assert_eq!(start.elapsed(), Duration::ZERO);
/// });
/// ```
#[macro_export]
macro_rules! try_join {
    (@ ($($count:tt)*) [$(($child:ident ($($number:tt)*) $future:expr))+]) => {{
        $(
            let mut $child = ::core::pin::pin!($crate::future::support::MaybeDone::new($future));
        )+
        let mut left: usize = $($count)*;
        let mut few = $crate::future::support::Few::biased(left);
        let polls = ::core::future::poll_fn(|context| few.poll(context, |number, context| {
            $(
                if number == $($number)* && $child.as_mut().poll(context) {
                    if let ::core::option::Option::Some(error) = $child.as_mut().take_error() {
                        return ::core::ops::ControlFlow::Break(::core::result::Result::Err(error));
                    }
                    left -= 1;
                }
            )+
            if left > 0 {
                ::core::ops::ControlFlow::Continue(())
            } else {
                ::core::ops::ControlFlow::Break(::core::result::Result::Ok(()))
            }
        }));
        match polls.await {
            ::core::result::Result::Ok(()) => ::core::result::Result::Ok(($($child.as_mut().take_value(),)+)),
            ::core::result::Result::Err(error) => ::core::result::Result::Err(error),
        }
    }};
    (@ ($($number:tt)*) [$($children:tt)*] $future:expr $(, $($others:tt)*)?) => {
        $crate::try_join!(@ ($($number)* + 1) [$($children)* (child ($($number)*) $future)] $($($others)*)?)
    };
    ($($futures:tt)+) => { $crate::try_join!(@ (0) [] $($futures)+) };
}

/// Waits for both, or for the first error. [`try_join!`](crate::try_join) for two.
///
/// # Errors
/// The first that comes. The other future is dropped where it stands.
///
/// # Cancel safety
/// As that of the two futures, which are dropped with it; an output that was already there is lost.
///
/// ```
/// use runtime::future::try_join;
/// let number = async |text: &str| text.parse::<u8>();
/// assert_eq!(runtime::block_on(try_join(number("1"), number("2"))), Ok((1, 2)));
/// assert!(runtime::block_on(try_join(std::future::pending(), number("many"))).map(|((), _)| ()).is_err());
/// ```
pub async fn try_join<T, U, E>(
    a: impl Future<Output = Result<T, E>>,
    b: impl Future<Output = Result<U, E>>,
) -> Result<(T, U), E> {
    try_join!(a, b)
}
