//! Whose turn it is: bug bank R36 and R39, each with a broken twin that the same test rejects.

use crate::{must_fail, support::poll};
use futures_core::Stream;
use runtime::{
    Runtime,
    future::{FuturesUnordered, as_completed, join, join_all, race, try_join},
    select,
    sync::Event,
};
use std::{
    cell::Cell,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::{Context, Poll},
};

type Boxed<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// R39, tokio #4624 and #7164. A first branch that spends the task's whole budget in each of its polls; and a second one that
/// needs a little of it, and ends both.
fn a_later_branch_has_its_turn(both: impl for<'a> Fn(Boxed<'a>, Boxed<'a>) -> Boxed<'a>) {
    let always = Event::new();
    always.set();
    let (polls, over) = (Cell::new(0), Cell::new(false));
    let spendthrift = Box::pin(async {
        let mut endless = pin!(async {
            while !over.get() {
                always.wait().await;
            }
        });
        poll_fn(|context| {
            polls.set(polls.get() + 1);
            assert!(polls.get() < 100, "the later branch starves");
            endless.as_mut().poll(context)
        })
        .await;
    });
    let modest = Box::pin(async {
        for _ in 0..3 {
            always.wait().await;
        }
        over.set(true);
    });
    runtime::block_on(both(spendthrift, modest));
    assert!(over.get());
}

async fn fine(branch: Boxed<'_>) -> Result<(), ()> {
    branch.await;
    Ok(())
}

#[test]
fn a_first_branch_that_spends_the_budget_starves_nobody() {
    a_later_branch_has_its_turn(|a, b| Box::pin(async { _ = join(a, b).await }));
    a_later_branch_has_its_turn(|a, b| Box::pin(async { _ = runtime::join!(a, std::future::ready(()), b) }));
    a_later_branch_has_its_turn(|a, b| Box::pin(async { _ = race(a, b).await }));
    a_later_branch_has_its_turn(|a, b| Box::pin(async { _ = try_join(fine(a), fine(b)).await }));
    a_later_branch_has_its_turn(|a, b| {
        Box::pin(async {
            select! { biased; _ = a => {} _ = b => {} }
        })
    });
    a_later_branch_has_its_turn(|a, b| {
        Box::pin(async {
            select! { _ = a => {} _ = b => {} }
        })
    });
    a_later_branch_has_its_turn(|a, b| Box::pin(async { _ = join_all([a, b]).await }));
    a_later_branch_has_its_turn(|a, b| Box::pin(async { _ = as_completed([a, b]).next().await }));
    // One inside another.
    a_later_branch_has_its_turn(|a, b| {
        let nested = |a| join_all([a, Box::pin(std::future::ready(())) as Boxed<'_>]);
        Box::pin(async move { _ = race(nested(a), nested(b)).await })
    });
}

#[test]
fn a_join_that_starts_with_the_first_branch_in_each_poll_starves_the_others() {
    must_fail("the later branch starves", || {
        a_later_branch_has_its_turn(|mut a, mut b| {
            Box::pin(poll_fn(move |context| {
                let first = a.as_mut().poll(context);
                let second = b.as_mut().poll(context);
                if first.is_ready() || second.is_ready() { Poll::Ready(()) } else { Poll::Pending }
            }))
        });
    });
}

/// A set of futures, for tests of one poll of it.
trait Set<F> {
    fn add(&mut self, future: F);
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<()>>;
}

impl<F: Future<Output = ()>> Set<F> for FuturesUnordered<F> {
    fn add(&mut self, future: F) {
        self.push(future);
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<()>> {
        Pin::new(self).poll_next(context)
    }
}

/// R36, futures-rs #2047, #2049, #2333 and #2551. Children that wake themselves in every poll.
fn a_poll_ends_after_as_many_polls_as_there_are_children(mut set: impl Set<Boxed<'static>>) {
    thread_local!(static POLLS: Cell<usize> = const { Cell::new(0) });
    for _ in 0..10 {
        set.add(Box::pin(poll_fn(|context| {
            POLLS.set(POLLS.get() + 1);
            assert!(POLLS.get() <= 1_000, "the poll does not end");
            context.waker().wake_by_ref();
            Poll::Pending
        })));
    }
    for poll in 1..=5 {
        let (wakes, waker) = crate::support::Wakes::waker();
        assert!(set.poll(&mut Context::from_waker(&waker)).is_pending());
        assert_eq!(POLLS.get(), 10 * poll, "each has its turn, once");
        assert!(wakes.count() > 0, "there is more to do, and the task is not told");
    }
    POLLS.set(0);
}

#[test]
fn children_that_wake_themselves_do_not_keep_the_task() {
    a_poll_ends_after_as_many_polls_as_there_are_children(FuturesUnordered::new());

    /// Polls whoever woke, until nobody did.
    struct UntilNobodyWakes(FuturesUnordered<Boxed<'static>>);
    impl Set<Boxed<'static>> for UntilNobodyWakes {
        fn add(&mut self, future: Boxed<'static>) {
            self.0.push(future);
        }

        fn poll(&mut self, _: &mut Context<'_>) -> Poll<Option<()>> {
            loop {
                let (wakes, waker) = crate::support::Wakes::waker();
                let polled = Set::poll(&mut self.0, &mut Context::from_waker(&waker));
                if polled.is_ready() || wakes.count() == 0 {
                    return polled;
                }
            }
        }
    }
    must_fail("the poll does not end", || {
        a_poll_ends_after_as_many_polls_as_there_are_children(UntilNobodyWakes(FuturesUnordered::new()));
    });
}

#[test]
fn one_that_is_always_ready_does_not_keep_the_others_out() {
    let others = crate::Gate::many(3);
    let mut set: FuturesUnordered<Boxed<'_>> = FuturesUnordered::new();
    for gate in &others {
        set.push(Box::pin(async { assert_eq!(gate.wait().await, 1) }));
    }
    set.push(Box::pin(async {}));
    assert!(poll(pin!(set.next())).is_ready());
    others.iter().for_each(|gate| gate.open(1));
    for rounds in 0.. {
        assert!(rounds < 8, "the others have no turn");
        set.push(Box::pin(async {}));
        assert!(poll(pin!(set.next())).is_ready());
        if others.iter().all(|gate| gate.holders() == 1) {
            break;
        }
    }
}

#[test]
fn beside_a_join_that_is_always_busy_other_tasks_run() {
    for seed in 0..20 {
        Runtime::simulated(seed).block_on(async {
            let other = runtime::spawn(async {
                for _ in 0..10 {
                    runtime::yield_now().await;
                }
            });
            let busy = || async {
                loop {
                    runtime::yield_now().await;
                }
            };
            race(join_all([busy(), busy()]), other).await;
        });
    }
}
