//! Chapter 22: once more, after a while that chance has a part in.

use runtime::{
    Runtime,
    time::{Instant, sleep},
};
use std::{cell::RefCell, time::Duration};

/// What an attempt may end with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Failure {
    /// It may be better next time.
    Passing,
    /// It will be the same each time.
    Lasting,
}

type Attempt<'a> = &'a dyn Fn() -> Result<u32, Failure>;

mod starter {
    use super::*;

    // ANCHOR: starter
    /// Four attempts at most. Between two of them it waits: from nothing to 1 s, to 2 s, to 4 s; `chance` gives a number from 0 to 1
    /// for each wait. What lasts is not tried again. When no attempt is left, the last failure is the result, at once.
    pub(crate) async fn retry(attempt: Attempt<'_>, chance: fn() -> f64) -> Result<u32, Failure> {
        // TODO: all clients that failed together come back together; the last wait is for nothing; and some failures last.
        let _ = chance;
        let mut last = Failure::Passing;
        for number in 0..4 {
            match attempt() {
                Ok(answer) => return Ok(answer),
                Err(failure) => last = failure,
            }
            sleep(Duration::from_secs(1 << number)).await;
        }
        Err(last)
    }
    // ANCHOR_END: starter
}

mod solution {
    use super::*;

    // ANCHOR: solution
    pub(crate) async fn retry(attempt: Attempt<'_>, chance: fn() -> f64) -> Result<u32, Failure> {
        for number in 0..3 {
            match attempt() {
                Err(Failure::Passing) => sleep(Duration::from_secs(1 << number).mul_f64(chance())).await,
                ended => return ended,
            }
        }
        attempt() // the last one: whatever comes of it
    }
    // ANCHOR_END: solution
}

fn check(retry: impl AsyncFn(Attempt<'_>, fn() -> f64) -> Result<u32, Failure>) {
    // When the attempts were made, and when all was over, in milliseconds; and the result.
    let run = |fails: usize, failure: Failure, chance: fn() -> f64| {
        let runtime = Runtime::builder().virtual_clock().build().expect("a runtime");
        runtime.block_on(async {
            let (start, times) = (Instant::now(), RefCell::new(Vec::new()));
            let attempt = || {
                times.borrow_mut().push(start.elapsed().as_millis());
                if times.borrow().len() > fails { Ok(7) } else { Err(failure) }
            };
            let ended = retry(&attempt, chance).await;
            (times.borrow().clone(), start.elapsed().as_millis(), ended)
        })
    };
    assert_eq!(run(0, Failure::Passing, || 1.0), (vec![0], 0, Ok(7)), "the first attempt is the answer");
    let half = run(9, Failure::Passing, || 0.5);
    assert_eq!(half.0, [0, 500, 1500, 3500], "chance has no part in the waits: attempts at these milliseconds");
    assert_eq!(half.1, 3500, "nobody waits when no attempt is left");
    assert_eq!(half.2, Err(Failure::Passing), "the last failure is the result");
    assert_eq!(run(2, Failure::Passing, || 1.0), (vec![0, 1000, 3000], 3000, Ok(7)));
    assert_eq!(run(9, Failure::Lasting, || 1.0).0, [0], "what lasts is not tried again");
}

crate::judge! { check(retry), the starter fails with "chance has no part in the waits" }
