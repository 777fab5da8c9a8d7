//! The first of a few, with a handler for each.

/// Waits for the first of these futures that is ready, drops the others, and runs the handler of that one. It is used where
/// `.await` may be.
///
/// ```text
/// select! {
///     biased;                                            // if wanted
///     pattern = future => handler,
///     pattern = future, if condition => { handler }
///     else => handler,                                   // if wanted
/// }
/// ```
///
/// - The output is bound to the pattern, and the handler is evaluated: it is what the whole gives. The futures are gone by then,
///   so the handler has again what they borrowed; and it is code in its place, so it may use `.await`, `?`, `return`, `break` and
///   `continue`.
/// - **Conditions** come first, all of them. A branch whose condition is `false` is left out: its future is not even made.
/// - **An output that does not fit its pattern** ends its branch, and the others go on. (The pattern is first tried on a
///   reference, so there is no `ref`, `mut` or `&` inside it: bind again in the handler.)
/// - **`else`** is for when no branch is left. Without it, that is a panic.
/// - **Several are ready:** each may win. The first to be asked is drawn by lot, with the runtime's [`random`](crate::random)
///   numbers, so that a simulated run can be repeated; the others follow in their order. With `biased;` it is always the first
///   branch: put there what must not be missed (a stop), and what is always ready last.
/// - Each future is anything that can be awaited; `&mut future` to go on with it afterwards, when it was not the first.
///
/// # Panics
/// When no branch is left and there is no `else`.
///
/// # Cancel safety
/// The losers are dropped where they stand. In a loop this happens again and again, so let the futures be such as lose nothing
/// by it (what has a section "Cancel safety" says so), or keep them outside of the loop and pass `&mut`.
///
/// ```
/// use runtime::{select, sync::Event, time::{interval, sleep}};
/// use std::{pin::pin, time::Duration};
/// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
/// runtime.block_on(async {
///     let second = Duration::from_secs(1);
///     let mut ticks = interval(second);
///     let mut work = pin!(async {
///         sleep(5 * second).await;
///         Some("done")
///     });
///     let (mut count, most) = (0, 100);
///     let result = loop {
///         select! {
///             biased;
///             Some(result) = &mut work => break result,
///             _ = ticks.tick(), if count < most => count += 1, // at 0, 1, 2, 3, 4 seconds
///             else => break "no result, and no more ticks",
///         }
///     };
///     assert_eq!((result, count), ("done", 5));
/// });
/// ```
#[macro_export]
macro_rules! select {
    // All is parsed. Each branch has three names of its own: they look alike from branch to branch, and are not.
    (@ $turns:ident ($($count:tt)*)
        [$(($enabled:ident $child:ident $output:ident ($($number:tt)*)
            ($pattern:pat) ($future:expr) ($condition:expr) ($handler:expr)))+]
        else ($otherwise:expr)
    ) => {{
        $(
            let mut $output = ::core::option::Option::None;
        )+
        {
            $(
                let $enabled: bool = $condition;
            )+
            let mut left = 0 $(+ usize::from($enabled))+;
            $(
                let mut $child = ::core::pin::pin!(if $enabled {
                    ::core::option::Option::Some(::core::future::IntoFuture::into_future($future))
                } else {
                    ::core::option::Option::None
                });
            )+
            let mut few = $crate::future::support::Few::$turns($($count)*);
            let polls = ::core::future::poll_fn(|context| few.poll(context, |number, context| {
                $(
                    if number == $($number)*
                        && let ::core::option::Option::Some(future) = $child.as_mut().as_pin_mut()
                        && let ::core::task::Poll::Ready(value) = ::core::future::Future::poll(future, context)
                    {
                        // The pattern is the caller's, and used again below: it may fit always, and bind what is not used here.
                        #[allow(unreachable_patterns, unused_variables, unused_mut, clippy::all)]
                        let fits = match &value {
                            $pattern => true,
                            _ => false,
                        };
                        if fits {
                            $output = ::core::option::Option::Some(value);
                            return ::core::ops::ControlFlow::Break(());
                        }
                        $child.set(::core::option::Option::None);
                        left -= 1;
                    }
                )+
                if left > 0 { ::core::ops::ControlFlow::Continue(()) } else { ::core::ops::ControlFlow::Break(()) }
            }));
            polls.await;
        }
        $(
            if let ::core::option::Option::Some($pattern) = $output { $handler } else
        )+
        { $otherwise }
    }};

    // The end: with `else`, and without.
    (@ $turns:ident $count:tt $branches:tt else => $otherwise:expr $(,)?) => {
        $crate::select!(@ $turns $count $branches else ($otherwise))
    };
    (@ $turns:ident $count:tt $branches:tt) => {
        $crate::select!(@ $turns $count $branches else (
            ::core::panic!("no branch of this select! is left, and it has no else")
        ))
    };

    // A branch. After a block the comma may be left out.
    (@ $turns:ident $count:tt $branches:tt
        $pattern:pat = $future:expr, if $condition:expr => $handler:block $(, $($others:tt)*)?
    ) => {
        $crate::select!(@@ $turns $count $branches ($pattern) ($future) ($condition) ($handler) $($($others)*)?)
    };
    (@ $turns:ident $count:tt $branches:tt
        $pattern:pat = $future:expr, if $condition:expr => $handler:block $($others:tt)*
    ) => {
        $crate::select!(@@ $turns $count $branches ($pattern) ($future) ($condition) ($handler) $($others)*)
    };
    (@ $turns:ident $count:tt $branches:tt
        $pattern:pat = $future:expr, if $condition:expr => $handler:expr $(, $($others:tt)*)?
    ) => {
        $crate::select!(@@ $turns $count $branches ($pattern) ($future) ($condition) ($handler) $($($others)*)?)
    };
    (@ $turns:ident $count:tt $branches:tt $pattern:pat = $future:expr => $handler:block $(, $($others:tt)*)?) => {
        $crate::select!(@@ $turns $count $branches ($pattern) ($future) (true) ($handler) $($($others)*)?)
    };
    (@ $turns:ident $count:tt $branches:tt $pattern:pat = $future:expr => $handler:block $($others:tt)*) => {
        $crate::select!(@@ $turns $count $branches ($pattern) ($future) (true) ($handler) $($others)*)
    };
    (@ $turns:ident $count:tt $branches:tt $pattern:pat = $future:expr => $handler:expr $(, $($others:tt)*)?) => {
        $crate::select!(@@ $turns $count $branches ($pattern) ($future) (true) ($handler) $($($others)*)?)
    };
    (@@ $turns:ident ($($number:tt)*) [$($branches:tt)*]
        ($pattern:pat) ($future:expr) ($condition:expr) ($handler:expr) $($others:tt)*
    ) => {
        $crate::select!(@ $turns ($($number)* + 1)
            [$($branches)* (enabled child output ($($number)*) ($pattern) ($future) ($condition) ($handler))]
            $($others)*)
    };

    (biased; $($branches:tt)+) => { $crate::select!(@ biased (0) [] $($branches)+) };
    ($($branches:tt)+) => { $crate::select!(@ fair (0) [] $($branches)+) };
}
