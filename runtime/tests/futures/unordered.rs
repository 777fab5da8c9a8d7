//! Many futures, each as it comes.

use crate::{
    Gate, must_fail, polls,
    support::{Wakes, at_every_poll, by_hand, cut_after, poll},
    virtual_clock,
};
use futures_core::Stream;
use runtime::{
    Runtime,
    future::{FuturesUnordered, as_completed, join},
    random,
    sync::oneshot,
    time::sleep,
};
use std::{
    cell::RefCell,
    collections::BTreeSet,
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

fn set_of(gates: &[Gate]) -> FuturesUnordered<crate::Through> {
    gates.iter().map(Gate::wait).collect()
}

fn next<F: Future>(set: &mut FuturesUnordered<F>, waker: &Waker) -> Poll<Option<F::Output>> {
    Pin::new(set).poll_next(&mut Context::from_waker(waker))
}

#[test]
fn outputs_come_as_they_are_there() {
    virtual_clock().block_on(async {
        let after = |seconds| async move {
            sleep(Duration::from_secs(seconds)).await;
            seconds
        };
        let mut outputs = as_completed([3, 1, 2].map(after));
        let mut seen = Vec::new();
        while let Some(seconds) = outputs.next().await {
            seen.push(seconds);
            if seconds == 2 {
                outputs.push(after(0));
            }
        }
        assert_eq!(seen, [1, 2, 0, 3]);
    });
}

#[test]
fn who_woke_first_is_first_and_nobody_else_is_polled() {
    let gates = Gate::many(5);
    let mut set = set_of(&gates);
    let (wakes, waker) = Wakes::waker();
    assert!(next(&mut set, &waker).is_pending());
    for number in [3, 0, 4] {
        gates[number].open(number as u32);
    }
    assert_eq!(wakes.count(), 1, "one wake of the task for all of them");
    for number in [3, 0, 4] {
        assert_eq!(next(&mut set, &waker), Poll::Ready(Some(number)));
    }
    assert!(next(&mut set, &waker).is_pending());
    assert_eq!(polls(&gates), [2, 1, 1, 2, 2]);
    assert_eq!((set.len(), set.size_hint()), (2, (2, Some(2))));
}

#[test]
fn a_wake_while_it_is_polled_counts() {
    // Each of the two wakes the other, which was polled already, or is polled just now.
    let wakers = [const { Mutex::new(None::<Waker>) }; 2];
    let turns = Mutex::new(0);
    let player = |own: usize| {
        let (wakers, turns) = (&wakers, &turns);
        poll_fn(move |context| {
            *wakers[own].lock().unwrap() = Some(context.waker().clone());
            let other = wakers[1 - own].lock().unwrap().clone();
            other.into_iter().for_each(Waker::wake);
            *turns.lock().unwrap() += 1;
            if *turns.lock().unwrap() > 20 { Poll::Ready(()) } else { Poll::Pending }
        })
    };
    by_hand(async {
        let mut set = as_completed([player(0), player(1)]);
        assert_eq!(set.next().await, Some(()));
    });
}

/// A set, for tests of what is between a push and the first poll.
trait Set {
    fn add(&mut self, future: oneshot::Receiver<u8>);
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<u8, oneshot::Closed>>>;
}

impl Set for FuturesUnordered<oneshot::Receiver<u8>> {
    fn add(&mut self, future: oneshot::Receiver<u8>) {
        self.push(future);
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<u8, oneshot::Closed>>> {
        Pin::new(self).poll_next(context)
    }
}

/// R37, futures-rs #1006. A future that is pushed, and ready before the set is polled again: whether its value came before the
/// push or after it, and whether the task was waiting for the set or not.
fn a_future_that_is_ready_before_its_first_poll_is_found<S: Set>(empty: impl Fn() -> S) {
    for (waiting, early) in [(false, false), (false, true), (true, false), (true, true)] {
        let (wakes, waker) = Wakes::waker();
        let mut context = Context::from_waker(&waker);
        let mut set = empty();
        let (_kept, never) = oneshot::channel();
        set.add(never);
        if waiting {
            assert!(set.poll(&mut context).is_pending());
        }
        let (sender, receiver) = oneshot::channel();
        let mut sender = Some(sender);
        if early {
            sender.take().unwrap().send(5).unwrap();
        }
        set.add(receiver);
        sender.into_iter().for_each(|sender| sender.send(5).unwrap());
        assert_eq!(wakes.count(), usize::from(waiting), "a push tells the task that waits, and no other");
        assert_eq!(set.poll(&mut context), Poll::Ready(Some(Ok(5))), "what was pushed is not polled");
    }
}

#[test]
fn what_happens_between_a_push_and_the_first_poll_is_not_lost() {
    a_future_that_is_ready_before_its_first_poll_is_found(FuturesUnordered::new);

    /// Polls those that woke, and forgets that one which is new could not wake yet; or does not tell who waits of a push.
    struct Forgetful {
        children: Vec<(Option<oneshot::Receiver<u8>>, Arc<Wakes>)>,
        seen: Vec<usize>,
        knows_the_new: bool,
    }
    impl Set for Forgetful {
        fn add(&mut self, future: oneshot::Receiver<u8>) {
            self.children.push((Some(future), Arc::default()));
            // All but the very first poll of the set looks at wakes alone.
            self.seen.push(if self.knows_the_new || self.children.len() == 1 { usize::MAX } else { 0 });
        }

        fn poll(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<u8, oneshot::Closed>>> {
            for ((child, wakes), seen) in self.children.iter_mut().zip(&mut self.seen) {
                let Some(future) = child else { continue };
                if std::mem::replace(seen, wakes.count()) == wakes.count() {
                    continue;
                }
                let waker = Waker::from(wakes.clone());
                if let Poll::Ready(output) = Pin::new(future).poll(&mut Context::from_waker(&waker)) {
                    *child = None;
                    return Poll::Ready(Some(output));
                }
            }
            Poll::Pending
        }
    }
    let forgetful = |knows_the_new| move || Forgetful { children: Vec::new(), seen: Vec::new(), knows_the_new };
    must_fail("what was pushed is not polled", || {
        a_future_that_is_ready_before_its_first_poll_is_found(forgetful(false));
    });
    must_fail("a push tells the task that waits", || {
        a_future_that_is_ready_before_its_first_poll_is_found(forgetful(true));
    });
}

#[test]
fn a_push_from_the_side_is_heard_by_who_waits() {
    // The set is in a cell: one half of the task waits for it, the other one fills it.
    virtual_clock().block_on(async {
        let set = RefCell::new(FuturesUnordered::new());
        set.borrow_mut().push(sleep(Duration::from_secs(10)));
        let consumer = poll_fn(|context| Pin::new(&mut *set.borrow_mut()).poll_next(context));
        let producer = async {
            sleep(Duration::from_secs(1)).await;
            set.borrow_mut().push(sleep(Duration::from_secs(1)));
        };
        let start = runtime::time::Instant::now();
        join(consumer, producer).await;
        assert_eq!(start.elapsed(), Duration::from_secs(2));
    });
}

#[test]
fn one_that_panics_is_gone_and_the_set_goes_on() {
    let gates = Gate::many(3);
    let mut set: FuturesUnordered<Pin<Box<dyn Future<Output = u32>>>> = FuturesUnordered::new();
    for (number, gate) in gates.iter().cloned().enumerate() {
        set.push(Box::pin(async move {
            let output = gate.wait().await;
            assert!(number != 1, "the second one panics");
            output
        }));
    }
    assert!(poll(pin!(set.next())).is_pending());
    gates.iter().for_each(|gate| gate.open(7));
    assert_eq!(poll(pin!(set.next())), Poll::Ready(Some(7)));
    assert!(catch_unwind(AssertUnwindSafe(|| poll(pin!(set.next())))).is_err());
    assert_eq!((set.len(), gates[1].holders()), (1, 1), "it is gone");
    let another = Gate::default();
    set.push(Box::pin(another.wait()));
    assert_eq!(poll(pin!(set.next())), Poll::Ready(Some(7)));
    another.open(8);
    assert_eq!(poll(pin!(set.next())), Poll::Ready(Some(8)));
    assert_eq!(poll(pin!(set.next())), Poll::Ready(None));
}

#[test]
fn who_is_over_wakes_nobody() {
    let gates = Gate::many(2);
    let mut set = set_of(&gates);
    let (wakes, waker) = Wakes::waker();
    assert!(next(&mut set, &waker).is_pending());
    gates[0].open(1);
    assert!(next(&mut set, &waker).is_ready());
    let stale = gates[0].waker();
    // The newcomer is in its place, but has a waker of its own.
    let newcomer = Gate::default();
    set.push(newcomer.wait());
    assert!(next(&mut set, &waker).is_pending());
    let before = wakes.count();
    stale.wake();
    assert_eq!(wakes.count(), before);
    assert!(next(&mut set, &waker).is_pending());
    assert_eq!((newcomer.polls(), gates[1].polls()), (1, 1));
    newcomer.open(2);
    assert_eq!(wakes.count(), before + 1);
    assert_eq!(next(&mut set, &waker), Poll::Ready(Some(2)));
}

#[test]
fn those_that_are_ready_at_once_share_one_waker() {
    by_hand(async {
        let mut set = as_completed((0..100).map(|_| poll_fn(|context| Poll::Ready(context.waker().data() as usize))));
        let mut addresses = BTreeSet::new();
        while let Some(address) = set.next().await {
            addresses.insert(address);
        }
        assert_eq!(addresses.len(), 1);
    });
}

#[test]
fn a_set_that_goes_takes_the_waker_of_its_task_with_it() {
    let gates = Gate::many(2);
    let mut set = set_of(&gates);
    let (wakes, waker) = Wakes::waker();
    assert!(next(&mut set, &waker).is_pending());
    drop((set, waker));
    assert_eq!(Arc::strong_count(&wakes), 1, "a child's waker keeps the task");
    gates[0].wake();
    assert_eq!(wakes.count(), 0);
}

#[test]
fn what_is_left_can_be_taken_out_or_dropped() {
    let gates = Gate::many(3);
    let mut set = set_of(&gates);
    assert!(poll(pin!(set.next())).is_pending());
    gates[1].open(1);
    assert!(poll(pin!(set.next())).is_ready());
    let left: Vec<_> = set.into_iter().collect();
    assert_eq!((left.len(), polls(&gates)), (2, vec![1, 2, 1]));
    gates[2].open(2);
    assert_eq!(by_hand(left.into_iter().nth(1).unwrap()), 2, "it goes on from where it was");

    let gates = Gate::many(3);
    let mut set = set_of(&gates);
    assert!(poll(pin!(set.next())).is_pending());
    gates[0].wake();
    set.clear();
    assert!(gates.iter().all(|gate| gate.holders() == 1));
    assert!(set.is_empty());
    assert_eq!(poll(pin!(set.next())), Poll::Ready(None));
    set.push(gates[2].wait());
    gates[2].open(5);
    assert_eq!(poll(pin!(set.next())), Poll::Ready(Some(5)));
}

#[test]
fn wakers_and_futures_may_call_back_when_they_are_dropped() {
    /// Wakes when it is dropped.
    struct WakesLast(Waker);
    impl Drop for WakesLast {
        fn drop(&mut self) {
            self.0.wake_by_ref();
        }
    }
    by_hand(async {
        let mut set = as_completed((0..10).map(|number| {
            let mut last = None;
            poll_fn(move |context| {
                if last.is_none() && number % 2 == 0 {
                    last = Some(WakesLast(context.waker().clone()));
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Ready(number)
            })
        }));
        let mut seen = BTreeSet::new();
        while let Some(number) = set.next().await {
            seen.insert(number);
        }
        assert!(seen.into_iter().eq(0..10));
    });
}

#[test]
fn whenever_waiting_for_the_next_is_given_up_nothing_is_lost() {
    at_every_poll(|polls| {
        virtual_clock().block_on(async {
            let mut set = as_completed((0..5).map(|number| async move {
                for _ in 0..number % 3 {
                    runtime::yield_now().await;
                }
                number
            }));
            let mut seen = Vec::new();
            let cut = cut_after(polls, async {
                while let Some(number) = set.next().await {
                    seen.push(number);
                }
            });
            let cut = cut.await.is_none();
            while let Some(number) = set.next().await {
                seen.push(number);
            }
            seen.sort_unstable();
            assert_eq!(seen, [0, 1, 2, 3, 4], "given up after {polls} polls");
            cut
        })
    });
}

/// Pushes, wakes, opens, polls and clears in an order that the seed says; a plain list says what has to come.
#[test]
fn it_does_what_a_plain_list_does() {
    for seed in 0..300 {
        Runtime::simulated(seed).block_on(async {
            let mut set = FuturesUnordered::new();
            let mut gates: Vec<(u32, Gate)> = Vec::new();
            let mut ready = BTreeSet::new();
            for number in 0..200 {
                match random::below(10) {
                    0..4 => {
                        let gate = Gate::default();
                        set.push(gate.wait());
                        gates.push((number, gate));
                    }
                    4..7 if !gates.is_empty() => {
                        let (number, gate) = &gates[random::below(gates.len() as u64) as usize];
                        gate.open(*number);
                        ready.insert(*number);
                    }
                    7 if !gates.is_empty() => gates[random::below(gates.len() as u64) as usize].1.wake(),
                    8 if random::chance(0.1) => {
                        set.clear();
                        gates.clear();
                        ready.clear();
                    }
                    _ => match poll(pin!(set.next())) {
                        Poll::Ready(Some(number)) => {
                            assert!(ready.remove(&number), "{number} was not ready");
                            gates.retain(|(other, _)| *other != number);
                        }
                        Poll::Ready(None) => assert!(gates.is_empty()),
                        Poll::Pending => assert!(ready.is_empty() && !gates.is_empty(), "somebody is ready: {ready:?}"),
                    },
                }
                assert_eq!(set.len(), gates.len());
            }
        });
    }
}

#[test]
fn wakes_from_other_threads_are_not_lost() {
    const COUNT: usize = if cfg!(miri) { 20 } else { 2_000 };
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..COUNT).map(|_| oneshot::channel()).unzip();
    thread::scope(|scope| {
        let mut halves = [Vec::new(), Vec::new()];
        for (number, sender) in senders.into_iter().enumerate() {
            halves[number % 2].push((number, sender));
        }
        for half in halves {
            scope.spawn(move || half.into_iter().for_each(|(number, sender)| sender.send(number).unwrap()));
        }
        let seen: BTreeSet<usize> = by_hand(async {
            let mut set = as_completed(receivers);
            let mut seen = BTreeSet::new();
            while let Some(number) = set.next().await {
                seen.insert(number.unwrap());
            }
            seen
        });
        assert!(seen.into_iter().eq(0..COUNT));
    });
}
