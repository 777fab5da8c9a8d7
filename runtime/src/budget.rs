//! How much a task may do in one poll before it must give way.
//!
//! A task that awaits something always ready in a loop (a socket that is never empty, a channel that is always full) never
//! returns from its poll, and starves all others. So each leaf operation spends one unit when it is about to say `Ready`;
//! with nothing left it says `Pending` instead, having woken its task: the task goes to the back of the queue, and finds the
//! same readiness when its turn comes.
//!
//! - The budget is full at the start of every poll by one of our workers. On a foreign executor there is none, and nothing
//!   is ever held back.
//! - An executor *inside* a poll of ours, which asks again and again and never gives way, gets a new budget when it has been
//!   refused often: the poll is long, but it ends.
//! - An operation does its work *after* it has spent, or gives the unit back: what was done is never hidden.
//! - What ends other things (a timer, an event) has a reserve: beside a reader that spends all it has in each poll, a timeout
//!   still passes.

use std::{
    cell::Cell,
    task::{Context, Poll},
};

/// How many operations a poll may complete: as many as tokio allows, and the reserve.
const FULL: u32 = 128 + RESERVE;
/// How many of them only timers and events may complete.
const RESERVE: u32 = 16;
/// How often a poll may be refused before it is given a second budget.
const MOST_REFUSALS: u32 = 8 * FULL;
/// Not in a poll of ours.
const UNLIMITED: u32 = u32::MAX;

thread_local! {
    static LEFT: Cell<u32> = const { Cell::new(UNLIMITED) };
    /// How often it was refused since it was full.
    static REFUSED: Cell<u32> = const { Cell::new(0) };
}

/// Runs one poll with a full budget.
pub(crate) fn with_full<R>(poll: impl FnOnce() -> R) -> R {
    /// A poll of `block_on`'s future may unwind.
    struct Restore(u32);
    impl Drop for Restore {
        fn drop(&mut self) {
            LEFT.set(self.0);
        }
    }
    REFUSED.set(0);
    let _restore = Restore(LEFT.replace(FULL));
    poll()
}

/// Spends one unit. `Pending`: there is none left, and the task has been woken to try again.
#[inline]
pub(crate) fn spend(context: &Context<'_>) -> Poll<()> {
    spend_down_to(RESERVE, context)
}

/// [`spend`], for timers and events.
#[inline]
pub(crate) fn spend_reserve(context: &Context<'_>) -> Poll<()> {
    spend_down_to(0, context)
}

#[inline]
fn spend_down_to(least: u32, context: &Context<'_>) -> Poll<()> {
    let mut left = LEFT.get();
    if left == UNLIMITED {
        return Poll::Ready(());
    }
    if left <= least {
        if REFUSED.get() < MOST_REFUSALS {
            REFUSED.set(REFUSED.get() + 1);
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        REFUSED.set(0);
        left = FULL;
    }
    LEFT.set(left - 1);
    Poll::Ready(())
}

/// Is nothing left for ordinary operations? Whoever polls several futures in one poll stops then, and goes on with the others
/// when the budget is full again: else those behind a spendthrift would be refused for ever.
pub(crate) fn is_spent() -> bool {
    LEFT.get() <= RESERVE
}

/// What was spent was not needed: the operation waits.
#[inline]
pub(crate) fn give_back() {
    let left = LEFT.get();
    if left != UNLIMITED {
        LEFT.set(left + 1);
    }
}
