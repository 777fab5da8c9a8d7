//! What a task waits with: as in stage 18.

// ANCHOR: imports
use super::{Shared, current};
use std::{
    future::{Future, poll_fn},
    mem,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};
// ANCHOR_END: imports

/// Lets every other task that can run have a turn.
pub async fn yield_now() {
    let mut yielded = false;
    poll_fn(|context| {
        if mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

// ANCHOR: sleep
/// Ready when its deadline has passed. From [`sleep`].
pub struct Sleep {
    /// `None`: never.
    deadline: Option<Instant>,
    shared: Arc<Shared>,
    /// Its key among the timers, while it is armed.
    key: Option<(Instant, u64)>,
}

/// Ready when so much time has passed since the call. To be called by a task or inside [`block_on_workers`](super::block_on_workers).
///
/// # Panics
/// Outside of one.
pub fn sleep(time: Duration) -> Sleep {
    Sleep { deadline: Instant::now().checked_add(time), shared: current("sleep").0, key: None }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline else { return Poll::Pending };
        if Instant::now() >= deadline {
            return Poll::Ready(());
        }
        let waker = context.waker().clone();
        let shared = self.shared.clone();
        let mut timers = shared.timers();
        let key = *self.key.get_or_insert_with(|| {
            timers.count += 1;
            (deadline, timers.count)
        });
        // At each poll: the one who polls now is the one who waits.
        let stale = timers.armed.insert(key, waker);
        let is_nearest = timers.armed.first_key_value().is_some_and(|(nearest, _)| *nearest == key);
        drop(timers);
        drop(stale);
        if is_nearest {
            // This worker may be busy when the time comes. One who sleeps until a later one must sleep shorter.
            shared.wake_one();
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let waker = self.shared.timers().armed.remove(&key);
            drop(waker);
        }
    }
}

/// The output of `future`, or `None` if it takes longer than that, counted from this call; then it is dropped.
pub fn timeout<F: Future>(time: Duration, future: F) -> impl Future<Output = Option<F::Output>> {
    // Not in the block: what stands there runs at the first poll, and not before.
    let mut sleep = sleep(time);
    async move {
        let mut future = pin!(future);
        poll_fn(|context| {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Some(output));
            }
            Pin::new(&mut sleep).poll(context).map(|()| None)
        })
        .await
    }
}
// ANCHOR_END: sleep
