//! Chapter 13: several futures in one task.

use super::{
    Case, Runtime,
    support::{Count, Dropped, Gate, cases, poll_once, polled},
};
use std::{
    future::{Future, pending, poll_fn, ready},
    task::{Context, Poll, Waker},
};

cases! { 13:
    a_join_gives_both_in_their_places:
        "Keep the output that came first until the other one is there; the places are those of the arguments.",
    both_sides_of_a_join_wait_at_the_same_time:
        "Poll both in each poll, also when the first is pending: `a.await` and then `b.await` is not a join.",
    a_side_that_is_over_is_not_polled_again:
        "Once a side has said Ready, remember that, and poll only the other.",
    a_race_gives_the_first_and_drops_the_other:
        "The loser is dropped with the race, where it stands.",
    both_sides_of_a_race_have_their_chance:
        "Who is asked first always wins if both are ready: toss a coin. (A flag that you flip each time is not enough: two races in one loop always find it the same.)",
    a_join_of_many_keeps_their_order:
        "Put each output into the place of its future, whatever the order in which they come.",
    a_join_of_none_is_ready:
        "Nothing is left to wait for in the first poll.",
    a_join_of_many_polls_only_who_woke:
        "Give each child a waker of its own, which notes who it was before it wakes the task; poll those with a note.",
    a_child_may_wake_itself_while_it_is_polled:
        "Take the note away before the poll, not after it: a wake during the poll must be found next time.",
    a_join_of_many_may_move_to_another_task:
        "Leave the waker of the latest poll for the children to wake, at each poll, before you look at the notes.",
    a_join_that_is_dropped_drops_its_futures:
        "They are the join's own. Nobody else may keep them.",
}

fn a_join_gives_both_in_their_places<R: Runtime>() {
    R::block_on(async {
        let gate = Gate::default();
        let first = async {
            gate.clone().await;
            "first"
        };
        let second = async {
            gate.open();
            2
        };
        assert_eq!(R::join(first, second).await, ("first", 2));
    });
}

fn both_sides_of_a_join_wait_at_the_same_time<R: Runtime>() {
    R::block_on(async {
        let (ping, pong) = (Gate::default(), Gate::default());
        let one = async {
            ping.open();
            pong.clone().await;
        };
        let other = async {
            ping.clone().await;
            pong.open();
        };
        R::join(one, other).await;
    });
}

fn a_side_that_is_over_is_not_polled_again<R: Runtime>() {
    R::block_on(async {
        // An `async` block panics when it is polled after its end.
        let once = || async { 7 };
        let yields = || async {
            for _ in 0..3 {
                R::yield_now().await;
            }
        };
        assert_eq!(R::join(once(), yields()).await, (7, ()));
        assert_eq!(R::join(yields(), once()).await, ((), 7));
    });
}

fn a_race_gives_the_first_and_drops_the_other<R: Runtime>() {
    R::block_on(async {
        let drops = Count::default();
        for swapped in [false, true] {
            let owned = Dropped(drops.clone());
            let loses = async move {
                let _owned = owned;
                pending().await
            };
            let wins = async {
                R::yield_now().await;
                7
            };
            let output = if swapped { R::race(loses, wins).await } else { R::race(wins, loses).await };
            assert_eq!(output, 7);
        }
        assert_eq!(drops.get(), 2, "how many losers were dropped");
    });
}

fn both_sides_of_a_race_have_their_chance<R: Runtime>() {
    const ROUNDS: usize = 200;
    R::block_on(async {
        let mut wins = [[0; 2]; 2];
        for _ in 0..ROUNDS {
            for race in &mut wins {
                let winner: usize = R::race(ready(0), ready(1)).await;
                race[winner] += 1;
            }
        }
        for race in wins {
            assert!(race[0] > 0 && race[1] > 0, "of {ROUNDS} races with both sides ready, each side won: {race:?}");
        }
    });
}

fn a_join_of_many_keeps_their_order<R: Runtime>() {
    R::block_on(async {
        let child = |number: usize| async move {
            for _ in number..20 {
                R::yield_now().await;
            }
            number
        };
        let numbers: Vec<_> = (0..20).collect();
        assert_eq!(R::join_all(numbers.iter().map(|number| child(*number)).collect()).await, numbers);
    });
}

fn a_join_of_none_is_ready<R: Runtime>() {
    R::block_on(async {
        assert_eq!(R::join_all(Vec::<std::future::Ready<u8>>::new()).await, []);
    });
}

fn a_join_of_many_polls_only_who_woke<R: Runtime>() {
    const CHILDREN: usize = 100;
    let polls = Count::default();
    R::block_on(async {
        let gates: Vec<_> = (0..CHILDREN).map(|_| Gate::default()).collect();
        let children = gates.iter().map(|gate| polled(&polls, gate.clone())).collect();
        let opener = async {
            for gate in &gates {
                R::yield_now().await;
                gate.open();
            }
        };
        R::join(R::join_all(children), opener).await;
    });
    let most = 3 * CHILDREN;
    assert!(polls.get() <= most, "{CHILDREN} children, woken one by one, were polled {} times", polls.get());
}

fn a_child_may_wake_itself_while_it_is_polled<R: Runtime>() {
    R::block_on(async {
        let child = |times: usize| async move {
            let mut left = times;
            poll_fn(|context| {
                if left == 0 {
                    return Poll::Ready(times);
                }
                left -= 1;
                context.waker().wake_by_ref();
                Poll::Pending
            })
            .await
        };
        assert_eq!(R::join_all((0..50).map(child).collect()).await, (0..50).collect::<Vec<_>>());
    });
}

fn a_join_of_many_may_move_to_another_task<R: Runtime>() {
    R::block_on(async {
        let gates: Vec<_> = (0..50).map(|_| Gate::default()).collect();
        let mut all = Box::pin(R::join_all(gates.clone()));
        assert!(all.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let opener = async {
            R::yield_now().await;
            gates.iter().for_each(Gate::open);
        };
        R::join(all, opener).await;
    });
}

fn a_join_that_is_dropped_drops_its_futures<R: Runtime>() {
    R::block_on(async {
        let drops = Count::default();
        let waits = || {
            let owned = Dropped(drops.clone());
            async move {
                let _owned = owned;
                pending::<()>().await;
            }
        };
        let mut two = Box::pin(R::join(waits(), waits()));
        let mut many = Box::pin(R::join_all((0..50).map(|_| waits()).collect()));
        assert!(poll_once(two.as_mut()).await.is_pending());
        assert!(poll_once(many.as_mut()).await.is_pending());
        drop((two, many));
        assert_eq!(drops.get(), 52, "how many futures were dropped");
    });
}
