//! Chance: one seeded generator, and the question "which of these?".
//!
//! As time does, randomness comes from the runtime: in a simulated one ([`Runtime::simulated`](crate::Runtime::simulated))
//! every draw follows from the seed, so a run can be repeated. Everywhere else each thread has a generator of its own, seeded
//! from the system.
//!
//! None of this is for secrets: whoever sees a few draws can tell the next.
//!
//! ```
//! use runtime::{Runtime, random};
//! let dice = |seed| Runtime::simulated(seed).block_on(async { [(); 10].map(|()| 1 + random::below(6)) });
//! assert_eq!(dice(5), dice(5));
//! assert_ne!(dice(5), dice(6));
//! assert!(dice(5).iter().all(|points| (1..=6).contains(points)));
//! ```

use crate::current::{self, Slot};
use std::{
    cell::{Cell, RefCell},
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex},
};

/// A small generator: the same seed gives the same draws, on every machine.
///
/// It is SplitMix64: a counter with a constant step, whose value is stirred until no pattern is left. Every seed is as good as
/// any other. Source: Steele, Lea and Flood, *Fast Splittable Pseudorandom Number Generators* (2014), with the constants of
/// Vigna's [splitmix64.c](https://prng.di.unimi.it/splitmix64.c).
///
/// ```
/// use runtime::random::Generator;
/// let (mut one, mut other) = (Generator::new(7), Generator::new(7));
/// assert_eq!(one.next_u64(), other.next_u64());
/// assert!(one.below(6) < 6);
/// ```
#[derive(Clone, Debug)]
pub struct Generator(u64);

/// 2⁶⁴ divided by the golden ratio, made odd: the counter visits every value before it comes round.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Generator {
    /// A generator that starts from `seed`.
    ///
    /// ```
    /// use runtime::random::Generator;
    /// assert_eq!(Generator::new(3).next_u64(), Generator::new(3).next_u64());
    /// assert_ne!(Generator::new(3).next_u64(), Generator::new(4).next_u64());
    /// ```
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 bits, each value as likely as any other.
    ///
    /// ```
    /// let mut generator = runtime::random::Generator::new(1_234_567);
    /// assert_eq!(generator.next_u64(), 6_457_827_717_110_365_317); // on every machine
    /// assert_eq!(generator.next_u64(), 3_203_168_211_198_807_973);
    /// ```
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number from zero up to, but without, `bound`; each as likely as any other. Zero if `bound` is zero.
    ///
    /// Source: Lemire, *Fast Random Integer Generation in an Interval* (2019): the upper half of a product; draws that
    /// would favour some results are thrown away.
    ///
    /// ```
    /// let mut generator = runtime::random::Generator::new(1);
    /// let words = ["poll", "wake", "park"];
    /// let word = words[generator.below(words.len() as u64) as usize];
    /// assert!(words.contains(&word));
    /// ```
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        let unfair = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(bound);
            if product as u64 >= unfair {
                return (product >> 64) as u64;
            }
        }
    }

    /// `true` with this probability: never for zero and less, always for one and more.
    ///
    /// ```
    /// let mut generator = runtime::random::Generator::new(1);
    /// let hits = (0..1000).filter(|_| generator.chance(0.25)).count();
    /// assert!((200..300).contains(&hits));
    /// ```
    pub fn chance(&mut self, probability: f64) -> bool {
        // The 53 bits that a float holds exactly, as a fraction of one.
        let drawn = (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
        drawn < probability
    }

    /// A generator whose draws have nothing to do with what this one draws from now on.
    ///
    /// ```
    /// use runtime::random::Generator;
    /// let mut seed = Generator::new(1);
    /// let (mut delays, mut losses) = (seed.split(), seed.split());
    /// let first_loss = losses.clone().next_u64();
    /// delays.next_u64(); // however many are drawn here…
    /// assert_eq!(losses.next_u64(), first_loss); // …nothing changes there
    /// ```
    pub fn split(&mut self) -> Generator {
        Generator(self.next_u64())
    }
}

/// 64 bits from the current runtime's generator, each value as likely as any other.
///
/// ```
/// let draw = || runtime::Runtime::simulated(42).block_on(async { runtime::random::next_u64() });
/// assert_eq!(draw(), draw());
/// ```
pub fn next_u64() -> u64 {
    draw(Generator::next_u64)
}

/// A number from zero up to, but without, `bound`, from the current runtime's generator. Zero if `bound` is zero.
///
/// ```
/// assert!(runtime::random::below(6) < 6);
/// ```
pub fn below(bound: u64) -> u64 {
    draw(|generator| generator.below(bound))
}

/// `true` with this probability, from the current runtime's generator.
///
/// ```
/// assert!(runtime::random::chance(1.0) && !runtime::random::chance(0.0));
/// ```
pub fn chance(probability: f64) -> bool {
    draw(|generator| generator.chance(probability))
}

/// Puts back what the thread drew from before.
pub(crate) type Entered = current::Entered<Option<Shared>>;

/// A generator that several may draw from.
pub(crate) type Shared = Arc<Mutex<Generator>>;

thread_local! {
    /// That of a simulated runtime. A real one sets it to `None`: it may run inside a simulated one's thread.
    static CURRENT: Slot<Option<Shared>> = const { RefCell::new(None) };
    /// That of the thread, for all other times.
    static OWN: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Makes this what the current thread draws from; `None` for the thread's own.
pub(crate) fn enter(generator: Option<Shared>) -> Entered {
    current::enter(&CURRENT, generator)
}

fn draw<T>(draw: impl FnOnce(&mut Generator) -> T) -> T {
    match current::get(&CURRENT).flatten() {
        Some(shared) => draw(&mut shared.lock().unwrap()),
        None => {
            // `RandomState` is std's only way to the system's entropy. A thread that is ending starts afresh for each draw.
            let state = OWN.try_with(Cell::get).ok().flatten().unwrap_or_else(|| RandomState::new().hash_one(STEP));
            let mut generator = Generator(state);
            let drawn = draw(&mut generator);
            let _ = OWN.try_with(|own| own.set(Some(generator.0)));
            drawn
        }
    }
}

/// Which of the runnable a simulated worker runs next: the first, or now and then any other.
///
/// How often is drawn from the seed as well. Pure chance would never reach what takes a long orderly run to happen, and pure
/// order never what takes an odd one.
#[derive(Debug)]
pub(crate) struct Pick {
    generator: Mutex<Generator>,
    disorder: f64,
}

impl Pick {
    pub(crate) fn new(mut generator: Generator) -> Self {
        let disorder = [0.0, 0.05, 0.25, 0.5, 1.0][generator.below(5) as usize];
        Self { generator: Mutex::new(generator), disorder }
    }

    /// One of `many`, by its place in the queue.
    pub(crate) fn among(&self, many: usize) -> usize {
        // Where there is no choice, none is drawn.
        if many < 2 {
            return 0;
        }
        let mut generator = self.generator.lock().unwrap();
        if generator.chance(self.disorder) { generator.below(many as u64) as usize } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_draws_what_the_published_generator_draws() {
        let mut generator = Generator::new(1_234_567);
        let drawn: Vec<u64> = (0..3).map(|_| generator.next_u64()).collect();
        assert_eq!(drawn, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn every_number_below_a_bound_comes_about_as_often() {
        let mut generator = Generator::new(1);
        let mut counts = [0u32; 6];
        for _ in 0..6_000 {
            counts[generator.below(6) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (850..1_150).contains(count)), "{counts:?}");
        assert_eq!((generator.below(0), generator.below(1)), (0, 0));
        assert!(generator.below(u64::MAX) < u64::MAX);
    }

    #[test]
    fn chance_keeps_its_word() {
        let mut generator = Generator::new(2);
        let hits = (0..10_000).filter(|_| generator.chance(0.3)).count();
        assert!((2_800..3_200).contains(&hits), "{hits}");
        assert!(!generator.chance(0.0) && generator.chance(1.0));
    }

    #[test]
    fn a_thread_draws_on_and_does_not_repeat_itself() {
        assert_ne!(next_u64(), next_u64());
        assert_ne!(next_u64(), std::thread::spawn(next_u64).join().unwrap());
    }
}
