//! Tests over many seeds, and the test that a seed is all that matters.

use crate::{runtime::Runtime, trace::Trace};
use std::thread;

/// Runs `test` in a simulated runtime for each of so many seeds, from zero on. If one fails, its seed is printed.
///
/// Two variables of the environment say otherwise: `RUNTIME_SEEDS=100000` runs so many, and `RUNTIME_SEED=17` runs only that
/// one, to look at a failure again. The conditions of the network are the default ones; the test can change them.
///
/// # Panics
/// With what `test` panics with; when a variable is not a number.
///
/// ```
/// use runtime::{random, time::sleep, world};
/// use std::time::Duration;
/// world::for_seeds(20, || async {
///     let wait = Duration::from_millis(random::below(50));
///     runtime::spawn(sleep(wait)).await.unwrap();
/// });
/// ```
pub fn for_seeds(count: u64, test: impl AsyncFn()) {
    let seeds = match (variable("RUNTIME_SEED"), variable("RUNTIME_SEEDS")) {
        (Some(seed), _) => seed..=seed,
        (None, count_instead) => match count_instead.unwrap_or(count).checked_sub(1) {
            Some(last) => 0..=last,
            None => return,
        },
    };
    for seed in seeds {
        let _blame = Blame(seed);
        // Made inside: what it makes at once belongs to this runtime too.
        Runtime::simulated(seed).block_on(async { test().await });
    }
}

fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}, and must be a number")))
}

/// Says which seed it was, if the test panics.
struct Blame(u64);

impl Drop for Blame {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("it failed with seed {0}: RUNTIME_SEED={0} runs only that", self.0);
        }
    }
}

/// Runs `test` twice with the same seed, and gives the trace, which must be the same byte for byte.
///
/// # Panics
/// When it is not: the text names the seed and the first events that differ. With what `test` panics with.
///
/// ```
/// use runtime::{spawn, world, yield_now};
/// let test = || async {
///     let tasks: Vec<_> = (0..3).map(|_| spawn(yield_now())).collect();
///     for task in tasks {
///         task.await.unwrap();
///     }
/// };
/// let trace = world::assert_same_trace(3, test);
/// assert!(!trace.events().is_empty());
/// ```
pub fn assert_same_trace(seed: u64, test: impl AsyncFn()) -> Trace {
    let run = || {
        let _blame = Blame(seed);
        let runtime = Runtime::builder().simulated(seed).trace_capacity(usize::MAX).build();
        let runtime = runtime.expect("nothing is asked of the system");
        runtime.block_on(async { test().await });
        runtime.trace()
    };
    let (first, second) = (run(), run());
    // The events, not their text: it rounds the times.
    if first.events() != second.events() {
        let same = first.events().iter().zip(second.events()).take_while(|(one, other)| one == other).count();
        let at = |trace: &Trace| trace.events().get(same).map_or("(the end)".into(), |event| format!("{event:?}"));
        let (one, other) = (at(&first), at(&second));
        panic!("two runs with seed {seed} go different ways after {same} events:\n  {one}\n  {other}");
    }
    first
}
