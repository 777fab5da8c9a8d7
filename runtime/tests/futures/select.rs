//! The first of a few, with handlers.

use crate::{
    Gate, polls,
    support::{by_hand, poll},
    virtual_clock,
};
use runtime::{Runtime, select, sync::oneshot, time::sleep, yield_now};
use std::{
    cell::RefCell,
    future::{pending, ready},
    pin::pin,
    task::Poll,
    time::Duration,
};

/// Who won, in so many selects of three that are all ready.
async fn winners(count: usize) -> Vec<u8> {
    let mut winners = Vec::new();
    for _ in 0..count {
        winners.push(select! {
            number = ready(0) => number,
            number = ready(1) => number,
            number = ready(2) => number,
        });
    }
    winners
}

#[test]
fn each_of_those_that_are_ready_may_win_and_the_seed_says_which() {
    let run = |seed| Runtime::simulated(seed).block_on(winners(300));
    let won = run(1);
    for number in 0..3 {
        let wins = won.iter().filter(|winner| **winner == number).count();
        assert!((60..140).contains(&wins), "{number} wins {wins} of 300");
    }
    assert_eq!(won, run(1), "a simulated run can be repeated");
    assert_ne!(won, run(2));
}

#[test]
fn biased_the_first_that_is_ready_wins() {
    by_hand(async {
        for _ in 0..100 {
            let winner = select! {
                biased;
                _ = pending::<()>() => 0,
                _ = ready(()) => 1,
                _ = ready(()) => 2,
            };
            assert_eq!(winner, 1);
        }
    });
}

#[test]
fn conditions_come_first_and_leave_branches_out() {
    let said = RefCell::new(Vec::new());
    let say = |word| said.borrow_mut().push(word);
    let winner = by_hand(async {
        select! {
            biased;
            _ = { say("future 1"); ready(()) }, if { say("condition 1"); false } => "one",
            _ = { say("future 2"); pending::<()>() }, if { say("condition 2"); true } => "two",
            _ = { say("future 3"); ready(()) } => "three",
            else => "none",
        }
    });
    assert_eq!(winner, "three");
    assert_eq!(*said.borrow(), ["condition 1", "condition 2", "future 2", "future 3"]);
}

#[test]
fn with_no_branch_left_there_is_else() {
    by_hand(async {
        let none = select! {
            _ = pending::<()>(), if false => "one",
            else => "none",
        };
        assert_eq!(none, "none");
        let none = select! {
            Some(()) = ready(None) => "one",
            Ok(()) = ready(Err::<(), ()>(())) => "two",
            else => "none",
        };
        assert_eq!(none, "none");
    });
}

#[test]
#[should_panic(expected = "no branch of this select! is left, and it has no else")]
fn with_no_branch_left_and_no_else_it_panics() {
    by_hand(async {
        select! {
            Some(()) = ready(None) => {}
            _ = pending::<()>(), if false => {}
        }
    });
}

#[test]
fn an_output_that_does_not_fit_ends_its_branch_and_not_the_others() {
    let gates = Gate::many(3);
    let mut wait = pin!(async {
        select! {
            7 = gates[0].wait() => 0,
            number @ 5.. = gates[1].wait() => number,
            _ = gates[2].wait() => 2,
        }
    });
    assert!(poll(wait.as_mut()).is_pending());
    gates[0].open(6);
    assert!(poll(wait.as_mut()).is_pending());
    assert_eq!((gates[0].holders(), gates[1].holders()), (1, 2), "it is dropped");
    gates[1].open(8);
    assert_eq!(poll(wait.as_mut()), Poll::Ready(8));
    assert_eq!(polls(&gates)[0], 2);
}

#[test]
fn a_handler_is_code_in_its_place() {
    async fn with_question_mark(text: &str) -> Result<u8, std::num::ParseIntError> {
        let number = select! {
            text = ready(text) => text.parse::<u8>()?,
            else => return Ok(0),
        };
        Ok(number)
    }
    by_hand(async {
        assert_eq!(with_question_mark("5").await, Ok(5));
        assert!(with_question_mark("five").await.is_err());
        let (mut rounds, mut twos) = (0, 0);
        let last = 'outer: loop {
            rounds += 1;
            for number in [1, 2, 3] {
                select! {
                    biased;
                    1 = ready(number) => continue,
                    2 = ready(number) => {
                        // It may wait, and select again.
                        select! { () = yield_now() => twos += 1 }
                    }
                    number = ready(number), if rounds > 2 => break 'outer number,
                    else => break,
                }
            }
        };
        assert_eq!((rounds, twos, last), (3, 3, 3));
    });
}

#[test]
fn a_handler_has_what_the_futures_borrowed_and_the_losers_are_gone() {
    async fn next(numbers: &mut Vec<u8>) -> Option<u8> {
        numbers.pop()
    }
    let gate = Gate::default();
    let mut numbers = vec![1, 2, 3];
    by_hand(async {
        select! {
            biased;
            _ = gate.wait() => unreachable!("it is shut"),
            Some(number) = next(&mut numbers) => {
                assert_eq!(gate.holders(), 1);
                numbers.push(number + 1);
            }
        }
    });
    assert_eq!(numbers, [1, 2, 4]);
}

#[test]
fn what_is_kept_outside_goes_on_from_round_to_round() {
    virtual_clock().block_on(async {
        let (sender, mut receiver) = oneshot::channel();
        let mut slow = pin!(sleep(Duration::from_secs(3)));
        let mut sender = Some(sender);
        let (mut ticks, mut answer) = (0, None);
        loop {
            select! {
                () = &mut slow => break,
                Ok(text) = &mut receiver, if answer.is_none() => answer = Some(text),
                () = sleep(Duration::from_millis(700)) => {
                    ticks += 1;
                    if let Some(sender) = sender.take() {
                        sender.send("here").unwrap();
                    }
                }
            }
        }
        assert_eq!((ticks, answer), (4, Some("here")));
    });
}

#[test]
fn there_is_room_for_many_branches_and_every_form_of_them() {
    by_hand(async {
        let mut open = 12;
        let mut seen = Vec::new();
        while open > 0 {
            select! {
                _ = ready(()), if open == 1 => seen.push(1),
                _ = ready(()), if open == 2 => { seen.push(2) }
                _ = ready(()), if open == 3 => { seen.push(3) },
                (_, _) = async { (1, 2) }, if open == 4 => seen.push(4),
                mut number = ready(4), if open == 5 => { number += 1; seen.push(number) }
                Ok(number) | Err(number) = ready(Ok::<_, u8>(6)), if open == 6 => seen.push(number),
                _ = ready(()), if open == 7 => seen.push(7),
                _ = ready(()), if open == 8 => seen.push(8),
                _ = ready(()), if open == 9 => seen.push(9),
                _ = ready(()), if open == 10 => seen.push(10),
                _ = ready(()), if open == 11 => seen.push(11),
                _ = ready(()), if open == 12 => seen.push(12)
            }
            open -= 1;
        }
        assert_eq!(seen, [12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    });
}
