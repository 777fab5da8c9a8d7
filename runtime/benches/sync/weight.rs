//! What each primitive weighs: its own size, and what it has on the heap when it is made.

use crate::{
    primitives::Primitives,
    side_by_side::{
        memory,
        sides::{Ours, Smol, Tokio},
    },
};

/// A table of it, as lines for the end of the report.
pub(crate) fn notes() -> Vec<String> {
    let [ours, tokio, smol] = [of::<Ours>(true), of::<Tokio>(true), of::<Smol>(false)];
    let line = |(at, (name, ours)): (usize, &(&str, Weight))| {
        let peer =
            |weights: &[(&str, Weight)]| weights.get(at).map_or("–".to_owned(), |(_, weight)| weight.to_string());
        format!("weight of a {name}, bytes: ours {ours}, tokio {}, smol {}", peer(&tokio), peer(&smol))
    };
    ours.iter().enumerate().map(line).collect()
}

#[derive(Clone, Copy)]
struct Weight {
    itself: usize,
    heap: f64,
}

impl std::fmt::Display for Weight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} + {} on the heap", self.itself, self.heap)
    }
}

/// Weighs what `make` makes. Both ends of a channel count.
fn weigh<T>(make: impl FnOnce() -> T) -> Weight {
    memory::set_counting(true);
    let before = memory::heap_bytes();
    let made = make();
    let heap = memory::heap_bytes() - before;
    drop(made);
    memory::set_counting(false);
    Weight { itself: size_of::<T>(), heap }
}

/// The watch comes last: not every side has one.
fn of<S: Primitives>(watch: bool) -> Vec<(&'static str, Weight)> {
    let mut weights = vec![
        ("mutex", weigh(S::mutex)),
        ("rwlock", weigh(S::rwlock)),
        ("semaphore", weigh(|| S::semaphore(1))),
        ("channel with room for 100 words", weigh(|| S::channel(100))),
        ("broadcast with room for 64 words", weigh(|| S::broadcast(64, 1))),
    ];
    if watch {
        weights.push(("watch", weigh(|| S::watch(1))));
    }
    weights
}
