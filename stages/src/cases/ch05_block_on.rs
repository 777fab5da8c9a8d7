//! Chapter 5: one future, and a thread that sleeps until it is told.

use super::{
    Case, Missing, Runtime,
    support::{Count, Dropped, Gate, cases, polled},
};
use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    rc::Rc,
    task::{Poll, Waker},
    thread,
    time::Duration,
};

cases! { 5:
    the_output_is_given:
        "block_on polls in a loop and returns what comes out of Ready.",
    a_future_that_stays_on_its_thread_is_welcome:
        "block_on needs neither Send nor 'static: the future never leaves this thread, and block_on outlives it.",
    a_wake_from_another_thread_ends_the_wait:
        "The waker must wake the thread that sleeps in block_on. Does it know which one that is?",
    a_wake_before_the_sleep_is_not_lost:
        "A future may wake itself before poll returns. Remember the wake (a flag, or the token of park), and look at it before sleeping.",
    it_sleeps_until_it_is_told:
        "More polls than wakes: block_on asks in a loop instead of sleeping, or takes a wake-up without a reason for a wake.",
    it_sleeps_again_after_a_wake:
        "A wake is for one poll. Whoever has heard it must forget it before the next sleep: set the flag to false again.",
    a_thread_woken_for_no_reason_sleeps_on:
        "thread::park may return although nobody woke the future, and anybody may unpark your thread. Poll only if your own flag is set.",
    each_thread_has_its_own_wait:
        "Two threads in block_on at once: the waker must belong to one call, not be shared by all.",
    a_waker_may_outlive_its_block_on:
        "Somebody may keep the waker and use it when block_on is over. It must own what it touches (an Arc, not a reference).",
    a_late_wake_does_not_disturb_the_next:
        "A token that an old waker left behind may cost the next block_on one poll too many; it must not make it believe that it is done.",
    a_panic_passes_through:
        "A panic of the future is the caller's to see; and block_on must work again afterwards on the same thread.",
    the_future_is_dropped_when_its_output_is_given:
        "Whatever the future owns is gone when block_on returns, once.",
}

fn the_output_is_given<R: Runtime>() {
    assert_eq!(R::block_on(async { 6 * 7 }), 42);
    assert_eq!(R::block_on(std::future::ready("there")), "there");
}

fn a_future_that_stays_on_its_thread_is_welcome<R: Runtime>() {
    let here = Rc::new(7);
    let borrowed = &here;
    assert_eq!(R::block_on(async { **borrowed + 1 }), 8);
}

fn a_wake_from_another_thread_ends_the_wait<R: Runtime>() {
    let gate = Gate::default();
    let opener = gate.open_later(Duration::from_millis(20));
    R::block_on(gate);
    opener.join().unwrap();
}

fn a_wake_before_the_sleep_is_not_lost<R: Runtime>() {
    for wakes in [1, 2, 5] {
        let mut left = 3;
        R::block_on(poll_fn(|context| {
            if left == 0 {
                return Poll::Ready(());
            }
            left -= 1;
            (0..wakes).for_each(|_| context.waker().wake_by_ref());
            Poll::Pending
        }));
    }
    // And one that comes from elsewhere, before poll returns.
    let mut first = true;
    R::block_on(poll_fn(|context| {
        if !std::mem::take(&mut first) {
            return Poll::Ready(());
        }
        let waker = context.waker().clone();
        thread::spawn(move || waker.wake()).join().unwrap();
        Poll::Pending
    }));
}

fn it_sleeps_until_it_is_told<R: Runtime>() {
    let (gate, polls) = (Gate::default(), Count::default());
    let opener = gate.open_later(Duration::from_millis(50));
    R::block_on(polled(&polls, gate));
    opener.join().unwrap();
    // One, if this thread came so late that the gate was open.
    assert!(polls.get() <= 2, "{} polls: once at first, and once after the one wake", polls.get());
}

fn it_sleeps_again_after_a_wake<R: Runtime>() {
    let (gates, polls) = ([Gate::default(), Gate::default()], Count::default());
    let openers = gates.clone();
    let other = thread::spawn(move || {
        for gate in openers {
            thread::sleep(Duration::from_millis(30));
            gate.open();
        }
    });
    R::block_on(polled(&polls, async {
        for gate in gates {
            gate.await;
        }
    }));
    other.join().unwrap();
    assert!(polls.get() <= 3, "{} polls: once at first, and once after each of the two wakes", polls.get());
}

fn a_thread_woken_for_no_reason_sleeps_on<R: Runtime>() {
    let (gate, polls, sleeper) = (Gate::default(), Count::default(), thread::current());
    let opener = gate.clone();
    let other = thread::spawn(move || {
        for _ in 0..20 {
            thread::sleep(Duration::from_millis(1));
            sleeper.unpark();
        }
        opener.open();
    });
    R::block_on(polled(&polls, gate));
    other.join().unwrap();
    assert!(polls.get() <= 3, "{} polls, and the future was woken once", polls.get());
}

fn each_thread_has_its_own_wait<R: Runtime>() {
    let gates = [Gate::default(), Gate::default()];
    let threads = gates.clone().map(|gate| {
        thread::spawn(move || {
            let polls = Count::default();
            R::block_on(polled(&polls, gate));
            polls.get()
        })
    });
    for (gate, thread) in gates.into_iter().zip(threads).rev() {
        thread::sleep(Duration::from_millis(20));
        gate.open();
        let polls = thread.join().unwrap_or_else(|panic| resume_unwind(panic));
        assert!(polls <= 2, "{polls} polls of a future that was woken once");
    }
}

fn a_waker_may_outlive_its_block_on<R: Runtime>() {
    let waker = kept_waker::<R>();
    waker.wake_by_ref();
    let clone = waker.clone();
    thread::spawn(move || clone.wake()).join().unwrap();
    drop(waker);
}

fn a_late_wake_does_not_disturb_the_next<R: Runtime>() {
    let old = kept_waker::<R>();
    let gate = Gate::default();
    let opener = gate.clone();
    let other = thread::spawn(move || {
        for _ in 0..10 {
            thread::sleep(Duration::from_millis(1));
            old.wake_by_ref();
        }
        opener.open();
    });
    R::block_on(gate);
    other.join().unwrap();
}

fn kept_waker<R: Runtime>() -> Waker {
    R::block_on(poll_fn(|context| Poll::Ready(context.waker().clone())))
}

fn a_panic_passes_through<R: Runtime>() {
    let panic = catch_unwind(AssertUnwindSafe(|| R::block_on(async { panic!("as the case wants") })));
    let panic = panic.expect_err("there is no output");
    if panic.is::<Missing>() {
        resume_unwind(panic);
    }
    assert_eq!(panic.downcast_ref(), Some(&"as the case wants"));
    assert_eq!(R::block_on(async { 7 }), 7);
}

fn the_future_is_dropped_when_its_output_is_given<R: Runtime>() {
    let drops = Count::default();
    let owned = Dropped(drops.clone());
    R::block_on(async move {
        let _owned = owned;
    });
    assert_eq!(drops.get(), 1);
}
