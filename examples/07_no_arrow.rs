//! A task whose state has no arrow for the end, as in a published story; and one that has.
//!
//! ```console
//! cargo run --example 07_no_arrow
//! ```

use State::*;
use std::{
    panic::{AssertUnwindSafe, catch_unwind, set_hook},
    task::Poll,
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Idle,
    Running,
    Woken,
    Complete,
}

mod forgets {
    use super::*;

    // ANCHOR: forgets
    /// What comes after a poll. `true`: poll it again.
    pub(crate) fn end(state: &mut State, polled: Poll<()>) -> bool {
        if polled.is_ready() {
            *state = Complete;
        }
        match state {
            Running => {
                *state = Idle;
                false
            }
            Woken => true,
            other => unreachable!("a poll has ended in state {other:?}"),
        }
    }
    // ANCHOR_END: forgets
}

mod knows {
    use super::*;

    // ANCHOR: knows
    /// What comes after a poll. `true`: poll it again.
    pub(crate) fn end(state: &mut State, polled: Poll<()>) -> bool {
        if polled.is_ready() {
            *state = Complete;
            return false;
        }
        match state {
            Running => {
                *state = Idle;
                false
            }
            Woken => true,
            other => unreachable!("a poll has ended in state {other:?}"),
        }
    }
    // ANCHOR_END: knows
}

type End = fn(&mut State, Poll<()>) -> bool;

/// A poll comes back, and finds the state. (One thread, so a plain value is enough for it.)
fn try_it(name: &str, mut state: State, polled: Poll<()>, end: End) {
    if let Ok(again) = catch_unwind(AssertUnwindSafe(|| end(&mut state, polled))) {
        println!("  {name}: {state:?}, to be polled again: {again}");
    }
}

fn main() {
    examples::Arguments::parse(&[]);
    set_hook(Box::new(|panic| println!("  panic: {}", panic.payload_as_str().unwrap_or("?"))));
    for (name, end) in [("it forgets the end:", forgets::end as End), ("it knows it:", knows::end)] {
        println!("{name}");
        try_it("a task that waits", Running, Poll::Pending, end);
        try_it("a task that was woken meanwhile", Woken, Poll::Pending, end);
        try_it("a task that is ready", Running, Poll::Ready(()), end);
    }
}
