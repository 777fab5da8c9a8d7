//! Chapter 6: newest first, and nobody starves.

// ANCHOR: queue
/// Numbers of tasks that can run.
pub(crate) trait Queue {
    fn push(&mut self, task: usize);
    fn pop(&mut self) -> Option<usize>;
}

/// So many turns in a row may go to the newest.
const BUDGET: u32 = 3;
// ANCHOR_END: queue

mod starter {
    use super::*;

    // ANCHOR: starter
    /// TODO: at most `BUDGET` turns in a row for the newest; the next one belongs to the task that has waited longest.
    #[derive(Default)]
    pub(crate) struct Ready {
        tasks: Vec<usize>,
    }

    impl Queue for Ready {
        fn push(&mut self, task: usize) {
            self.tasks.push(task);
        }

        fn pop(&mut self) -> Option<usize> {
            let _ = BUDGET;
            self.tasks.pop()
        }
    }
    // ANCHOR_END: starter

    pub(crate) fn new() -> Ready {
        Ready::default()
    }
}

mod solution {
    use super::*;
    use std::collections::VecDeque;

    // ANCHOR: solution
    #[derive(Default)]
    pub(crate) struct Ready {
        tasks: VecDeque<usize>,
        /// Turns that went to the newest since the oldest had one.
        in_a_row: u32,
    }

    impl Queue for Ready {
        fn push(&mut self, task: usize) {
            self.tasks.push_back(task);
        }

        fn pop(&mut self) -> Option<usize> {
            if self.in_a_row == BUDGET {
                self.in_a_row = 0;
                return self.tasks.pop_front();
            }
            self.in_a_row += 1;
            self.tasks.pop_back()
        }
    }
    // ANCHOR_END: solution

    pub(crate) fn new() -> Ready {
        Ready::default()
    }
}

/// Who had the turns, if task 0 wakes itself in each of its own.
fn turns(queue: &mut impl Queue, turns: usize) -> Vec<usize> {
    let turn = |_| {
        let task = queue.pop().expect("task 0 is always there");
        if task == 0 {
            queue.push(0);
        }
        task
    };
    (0..turns).map(turn).collect()
}

/// Newest first, but within the budget; then oldest first; and no task is lost.
fn check<Q: Queue>(new: fn() -> Q) {
    let mut queue = new();
    assert_eq!(queue.pop(), None, "nobody is there");
    let mut queue = new();
    [1, 2].into_iter().for_each(|task| queue.push(task));
    assert_eq!((queue.pop(), queue.pop(), queue.pop()), (Some(2), Some(1), None), "the newest first");

    let mut queue = new();
    [1, 2, 3, 0].into_iter().for_each(|task| queue.push(task));
    let had = turns(&mut queue, 40);
    for task in 1..=3 {
        assert!(had.contains(&task), "task {task} starves while task 0 has {} turns", had.len());
    }
    let others: Vec<_> = had.iter().copied().filter(|&task| task != 0).collect();
    assert_eq!(others, [1, 2, 3], "among those who wait, the one who has waited longest is first");
    let first = had.iter().position(|&task| task == 1).unwrap();
    assert_eq!(first, BUDGET as usize, "turns in a row for the newest");
    assert_eq!(queue.pop(), Some(0), "nobody is lost");
    assert_eq!(queue.pop(), None);
}

crate::judge! { check(new), the starter fails with "task 1 starves" }
