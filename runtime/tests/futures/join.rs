//! All of several.

use crate::{
    Gate, polls,
    support::{Wakes, at_every_poll, by_hand, cut_after, poll},
    virtual_clock,
};
use runtime::{
    future::{Either, join, join_all, race, race_all, select, try_join, try_join_all},
    time::{Instant, sleep},
    yield_now,
};
use std::{
    future::{Future, pending, ready},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

/// Polls with this waker.
fn poll_with<F: Future + ?Sized>(future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}

type Boxed<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// What waits for three gates, and ends when all are open; the last one, when one of them is.
fn waits_for_all(gates: &[Gate]) -> Vec<(&'static str, Boxed<'_>)> {
    let [a, b, c] = gates else { unreachable!("three") };
    let fine = async |gate: &Gate| Ok::<u32, ()>(gate.wait().await);
    vec![
        (
            "join!",
            Box::pin(async {
                runtime::join!(a.wait(), b.wait(), c.wait());
            }),
        ),
        (
            "try_join!",
            Box::pin(async move {
                runtime::try_join!(fine(a), fine(b), fine(c)).unwrap();
            }),
        ),
        (
            "select!",
            Box::pin(async {
                let mut open = 0;
                runtime::select! {
                    () = pending() => {}
                    4 = a.wait() => open += 1,
                    4 = b.wait() => open += 1,
                    4 = c.wait() => open += 1,
                }
                assert_eq!(open, 1);
            }),
        ),
    ]
}

#[test]
fn a_few_are_polled_one_by_one_when_the_first_two_polls_are_over() {
    for kind in 0..3 {
        let gates = Gate::many(3);
        let (name, mut all) = waits_for_all(&gates).swap_remove(kind);
        let (wakes, waker) = Wakes::waker();
        assert!(poll_with(all.as_mut(), &waker).is_pending() && poll_with(all.as_mut(), &waker).is_pending());
        assert!(gates.iter().all(|gate| gate.waker().will_wake(&waker)), "{name}: no waker is made yet");
        assert!(poll_with(all.as_mut(), &waker).is_pending());
        assert_eq!(polls(&gates), [3, 3, 3], "{name}");
        assert!(!gates.iter().any(|gate| gate.waker().will_wake(&waker)), "{name}: each has its own");

        assert_eq!(wakes.count(), 0);
        gates[1].wake();
        gates[1].wake();
        assert_eq!(wakes.count(), 1, "{name}");
        assert!(poll_with(all.as_mut(), &waker).is_pending());
        assert_eq!(polls(&gates), [3, 4, 3], "{name}: nobody else woke");
        assert!(poll_with(all.as_mut(), &waker).is_pending());
        assert_eq!(polls(&gates), [3, 4, 3], "{name}: and now nobody did");

        // The task may be another one now, and is told.
        let (elsewhere, other) = Wakes::waker();
        assert!(poll_with(all.as_mut(), &other).is_pending());
        gates[2].open(4);
        assert_eq!((wakes.count(), elsewhere.count()), (1, 1), "{name}");
        let over = poll_with(all.as_mut(), &other).is_ready();
        assert_eq!(polls(&gates), [3, 4, 4], "{name}");
        assert_eq!(over, name == "select!");
        if !over {
            gates[0].open(1);
            gates[1].open(1);
            assert!(poll_with(all.as_mut(), &other).is_ready(), "{name}");
            assert_eq!(polls(&gates), [4, 5, 4], "{name}: what is done is polled no more");
        }
    }
}

#[test]
fn a_thousand_are_polled_only_when_they_woke() {
    let gates = Gate::many(1_000);
    let mut all = pin!(join_all(gates.iter().map(Gate::wait)));
    assert!(poll(all.as_mut()).is_pending());
    for (number, gate) in gates.iter().enumerate().rev() {
        gate.open(number as u32);
        let polled = poll(all.as_mut());
        assert_eq!(polled.is_ready(), number == 0);
        if let Poll::Ready(outputs) = polled {
            assert!(outputs.into_iter().eq(0..1_000), "in the order of the futures");
        }
    }
    assert!(polls(&gates).into_iter().all(|polls| polls == 2));
}

#[test]
fn outputs_are_in_the_order_of_the_futures_whatever_the_order_of_their_ends() {
    let after = |seconds| async move {
        sleep(Duration::from_secs(seconds)).await;
        seconds
    };
    virtual_clock().block_on(async {
        let start = Instant::now();
        assert_eq!(join_all([2, 1, 3].map(after)).await, [2, 1, 3]);
        assert_eq!(start.elapsed(), Duration::from_secs(3), "side by side");
        assert_eq!(runtime::join!(after(2), async { "x" }, after(1)), (2, "x", 1));
        assert_eq!(join(after(2), after(1)).await, (2, 1));
        let fine = async |seconds| Ok::<_, ()>(after(seconds).await);
        assert_eq!(try_join_all([2, 1, 3].map(fine)).await, Ok(vec![2, 1, 3]));
        assert_eq!(try_join(fine(2), async { Ok("x") }).await, Ok((2, "x")));
        assert_eq!(start.elapsed(), Duration::from_secs(12));
    });
}

#[test]
fn none_and_one_are_enough() {
    by_hand(async {
        assert_eq!(join_all(Vec::<std::future::Ready<u8>>::new()).await, []);
        assert_eq!(try_join_all(Vec::<std::future::Ready<Result<u8, u8>>>::new()).await, Ok(vec![]));
        let () = runtime::join!();
        assert_eq!(runtime::join!(ready(1)), (1,));
        assert_eq!(runtime::try_join!(ready(Ok::<_, u8>(1)),), Ok((1,)));
        assert_eq!(race_all([ready(7)]).await, (0, 7));
    });
}

#[test]
#[should_panic(expected = "a race of no futures has no winner")]
fn a_race_of_none_is_refused() {
    drop(race_all(Vec::<std::future::Ready<u8>>::new()));
}

#[test]
fn the_first_error_comes_at_once_and_drops_the_rest() {
    let failing = async |gate: &Gate| Err::<u32, u32>(gate.wait().await);
    let gates = Gate::many(3);
    let mut all = pin!(try_join_all(gates.iter().map(failing)));
    assert!(poll(all.as_mut()).is_pending());
    assert!(gates.iter().all(|gate| gate.holders() == 2));
    gates[1].open(4);
    assert_eq!(poll(all.as_mut()), Poll::Ready(Err(4)));
    assert!(gates.iter().all(|gate| gate.holders() == 1), "the rest is dropped then, not later");

    let gates = Gate::many(3);
    let mut all = Box::pin(async {
        let result = runtime::try_join!(failing(&gates[0]), failing(&gates[1]), failing(&gates[2]));
        assert!(gates.iter().all(|gate| gate.holders() == 1), "the rest is dropped when the error is there");
        result
    });
    assert!(poll(all.as_mut()).is_pending());
    gates[2].open(5);
    assert_eq!(poll(all.as_mut()), Poll::Ready(Err(5)));
}

#[test]
fn a_future_is_dropped_when_it_is_done_and_not_when_all_are() {
    let gates = Gate::many(2);
    let mut many = pin!(join_all(gates.iter().map(Gate::wait)));
    let few = Gate::many(2);
    let mut two = pin!(join(few[0].wait(), few[1].wait()));
    assert!(poll(many.as_mut()).is_pending() && poll(two.as_mut()).is_pending());
    gates[0].open(0);
    few[0].open(0);
    assert!(poll(many.as_mut()).is_pending() && poll(two.as_mut()).is_pending());
    assert_eq!((gates[0].holders(), gates[1].holders()), (1, 2));
    assert_eq!((few[0].holders(), few[1].holders()), (1, 2));
}

#[test]
fn wherever_it_is_cut_short_all_is_dropped_once() {
    at_every_poll(|polls| {
        let kept = Arc::new(());
        let step = |turns: usize| {
            let kept = kept.clone();
            async move {
                for _ in 0..turns {
                    yield_now().await;
                }
                kept
            }
        };
        let cut = by_hand(cut_after(polls, async {
            let (a, b, c) = runtime::join!(step(0), step(2), step(4));
            let both = join_all([step(1), step(3)]).await;
            let three = runtime::try_join!(async { Ok::<_, ()>(step(1).await) }, async { Ok(step(5).await) });
            drop((a, b, c, both, three));
        }));
        assert_eq!(Arc::strong_count(&kept), 1, "cut after {polls} polls");
        cut.is_none()
    });
}

#[test]
fn the_loser_of_a_select_goes_on() {
    let gates = Gate::many(2);
    by_hand(async {
        gates[1].open(1);
        let Either::Right((1, loser)) = select(gates[0].wait(), gates[1].wait()).await else {
            panic!("the first gate is shut")
        };
        gates[0].open(2);
        assert_eq!(loser.await, 2);
        // Both are ready: the first one.
        assert!(matches!(select(gates[0].wait(), gates[1].wait()).await, Either::Left((2, _))));
        assert_eq!(race(gates[0].wait(), gates[1].wait()).await, Either::Left(2));
        assert_eq!(race(pending::<u32>(), gates[1].wait()).await.into_inner(), 1);
    });
}

#[test]
fn a_race_of_many_ends_with_the_first_and_drops_the_rest() {
    let gates = Gate::many(5);
    let mut race = pin!(race_all(gates.iter().map(Gate::wait)));
    assert!(poll(race.as_mut()).is_pending());
    gates[3].open(3);
    gates[1].open(1);
    assert_eq!(poll(race.as_mut()), Poll::Ready((3, 3)), "who woke first is first");
    assert!(gates.iter().all(|gate| gate.holders() == 1));
    assert_eq!(polls(&gates), [1, 1, 1, 2, 1]);
}

#[test]
fn they_borrow_and_are_as_send_as_their_futures() {
    fn send<T: Send>(value: T) -> T {
        value
    }
    let text = String::from("borrowed");
    let length = async || text.len();
    let all = send(async {
        let (a, b) = runtime::join!(length(), length());
        let c = join_all([length(), length()]).await;
        runtime::select! {
            d = length() => a + b + c[0] + c[1] + d,
            _ = pending::<()>() => 0,
        }
    });
    assert_eq!(by_hand(all), 40);
}
