//! Chapter 8: whoever spawned a task hears of its end.

use super::{
    Case, Ended, Handle, Runtime,
    support::{Count, Dropped, Gate, a_few_turns, cases},
};
use std::{
    future::{Future, pending, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Wake, Waker},
};

cases! { 8:
    the_handle_gives_the_output:
        "The task puts its output into a slot, and wakes whoever waits at the other end.",
    an_output_that_came_first_is_still_there:
        "A task may be over long before its handle is awaited: the output waits in the slot.",
    a_handle_may_be_awaited_by_another_task:
        "Keep the waker of the latest poll: a handle may move to another task between two polls.",
    a_dropped_handle_detaches_the_task:
        "Dropping a handle must not drop the task, and an output that nobody wants must be dropped once.",
    an_aborted_task_drops_its_future_and_says_so:
        "abort marks the task and wakes it; the next run drops the future instead of polling it. Only then does the handle resolve.",
    a_task_aborted_before_its_first_poll_never_runs:
        "Look at the mark before each poll, also before the first.",
    a_task_that_is_over_cannot_be_aborted:
        "abort after the end changes nothing: the output is still the output.",
    a_panic_is_told_to_the_handle_and_to_nobody_else:
        "Catch the panic around the poll, keep its payload for the handle, and go on with the next task.",
    the_future_is_gone_before_the_handle_resolves:
        "Drop the future first, then publish the output, then wake: whoever waits may rely on it that all is given back.",
    a_handle_polled_after_its_end_harms_nobody_else:
        "To panic is allowed, but not under the lock: that poisons it, and the drop of the handle, which takes it too, panics in a panic.",
}

fn the_handle_gives_the_output<R: Runtime>() {
    R::block_on(async {
        let handle = R::spawn_with_handle(async {
            R::yield_now().await;
            "the output".to_owned()
        });
        assert_eq!(handle.await, Ok("the output".to_owned()));
    });
}

fn an_output_that_came_first_is_still_there<R: Runtime>() {
    R::block_on(async {
        let handle = R::spawn_with_handle(async { 7 });
        for _ in 0..5 {
            R::yield_now().await;
        }
        assert_eq!(handle.await, Ok(7));
    });
}

fn a_handle_may_be_awaited_by_another_task<R: Runtime>() {
    R::block_on(async {
        let gate = Gate::default();
        let opened = gate.clone();
        let mut first = R::spawn_with_handle(async move {
            opened.await;
            7
        });
        // Polled once here, so that this task's waker is in it.
        poll_fn(|context| {
            assert!(Pin::new(&mut first).poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
        let second = R::spawn_with_handle(async move { first.await.unwrap() + 1 });
        R::yield_now().await;
        gate.open();
        assert_eq!(second.await, Ok(8));
    });
}

fn a_dropped_handle_detaches_the_task<R: Runtime>() {
    R::block_on(async {
        let (drops, done) = (Count::default(), Gate::default());
        let (output, opener) = (Dropped(drops.clone()), done.clone());
        drop(R::spawn_with_handle(async move {
            R::yield_now().await;
            opener.open();
            output
        }));
        done.await;
        R::yield_now().await;
        assert_eq!(drops.get(), 1, "the output that nobody wants is dropped once");
    });
}

fn an_aborted_task_drops_its_future_and_says_so<R: Runtime>() {
    R::block_on(async {
        let drops = Count::default();
        let owned = Dropped(drops.clone());
        let handle = R::spawn_with_handle(async move {
            let _owned = owned;
            pending::<()>().await;
        });
        R::yield_now().await;
        handle.abort();
        assert_eq!(handle.await, Err(Ended::Cancelled));
        assert_eq!(drops.get(), 1);
    });
}

fn a_task_aborted_before_its_first_poll_never_runs<R: Runtime>() {
    let ran = Count::default();
    R::block_on(async {
        let counted = ran.clone();
        let handle = R::spawn_with_handle(async move { counted.up() });
        handle.abort();
        assert_eq!(handle.await, Err(Ended::Cancelled));
    });
    assert_eq!(ran.get(), 0);
}

fn a_task_that_is_over_cannot_be_aborted<R: Runtime>() {
    R::block_on(async {
        let done = Gate::default();
        let opener = done.clone();
        let handle = R::spawn_with_handle(async move {
            opener.open();
            7
        });
        done.await;
        R::yield_now().await;
        handle.abort();
        handle.abort();
        assert_eq!(handle.await, Ok(7));
    });
}

fn a_panic_is_told_to_the_handle_and_to_nobody_else<R: Runtime>() {
    R::block_on(async {
        let bystander = R::spawn_with_handle(async {
            R::yield_now().await;
            "unharmed"
        });
        let handle = R::spawn_with_handle(async { panic!("as the case wants") });
        assert_eq!(handle.await, Err::<(), _>(Ended::Panicked("as the case wants".to_owned())));
        assert_eq!(bystander.await, Ok("unharmed"));
    });
}

/// Looks how much has been dropped, at the moment in which it is woken.
struct Looks {
    drops: Count,
    seen: Mutex<Option<usize>>,
}

impl Wake for Looks {
    fn wake(self: Arc<Self>) {
        *self.seen.lock().unwrap() = Some(self.drops.get());
    }
}

fn the_future_is_gone_before_the_handle_resolves<R: Runtime>() {
    R::block_on(async {
        for end in ["ready", "panic", "abort"] {
            let (drops, gate) = (Count::default(), Gate::default());
            let (owned, mut opened) = (Dropped(drops.clone()), gate.clone());
            // Unlike an async block, it keeps what it owns when it is ready: until it is dropped.
            let mut handle = R::spawn_with_handle(poll_fn(move |context| {
                let _owned = &owned;
                let open = Pin::new(&mut opened).poll(context);
                assert!(end != "panic" || open.is_pending(), "as the case wants");
                open
            }));
            R::yield_now().await;
            if end == "abort" {
                handle.abort()
            } else {
                gate.open()
            }
            // The task has not had its turn yet. What comes now is the wake for its end.
            let looks = Arc::new(Looks { drops, seen: Mutex::default() });
            let waker = Waker::from(looks.clone());
            assert!(Pin::new(&mut handle).poll(&mut Context::from_waker(&waker)).is_pending());
            a_few_turns::<R>().await;
            let seen = *looks.seen.lock().unwrap();
            assert_eq!(seen, Some(1), "futures dropped when the handle is woken; the task's end: {end}");
        }
    });
}

fn a_handle_polled_after_its_end_harms_nobody_else<R: Runtime>() {
    R::block_on(async {
        let mut handle = R::spawn_with_handle(async { 7 });
        assert_eq!((&mut handle).await, Ok(7));
        poll_fn(|context| {
            let late = AssertUnwindSafe(|| Pin::new(&mut handle).poll(context).is_ready());
            assert!(!matches!(catch_unwind(late), Ok(true)), "an output is given once");
            Poll::Ready(())
        })
        .await;
        drop(handle);
        assert_eq!(R::spawn_with_handle(async { 8 }).await, Ok(8));
    });
}
