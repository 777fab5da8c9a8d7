//! What is known of one source: for each direction, whether it may be ready, and who waits.
//!
//! ```text
//!            the system is asked                  an event
//!   UNKNOWN ─────────────────────> NOT_READY <──────────────> READY
//!      └── an operation is simply tried   it would block, or came back short
//! ```
//!
//! - A tick counts the events of a direction. An operation that saw `WouldBlock` clears the readiness *that it started
//!   from*: if an event came in between, the tick has moved on, and the clear does nothing. So no edge is ever lost.
//! - The system is asked for a direction when somebody first waits for it. Asking reports the present state as an event, so
//!   what came between the attempt and the asking is not lost either.
//! - A waker is in its place while somebody waits: until an event, the end of the reactor, or until all who wait gave up.
//! - Readiness is cleared without the lock, and set under it, where the wakers are: between a last look and the storing of the
//!   waker nothing comes.

use super::poller::{Interest, PollEvent};
use crate::std_or_loom::{AtomicUsize, Mutex, Ordering};
use std::{
    io,
    sync::Arc,
    task::{Context, Poll, Waker},
};

/// A direction of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Read = 0,
    Write = 1,
}

/// The readiness that an operation starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tick(usize);

/// What to make of a direction that the system was never asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    /// It may be ready: the caller tries.
    Try,
    /// Only the system knows: ask it.
    Ask,
}

/// A future's part in a wait: which one it joined, so that it can leave it again. One that never leaves (a `poll` function
/// has nobody to do it) keeps the waker in its place until the next event.
#[derive(Debug, Default)]
pub(super) struct Waiting(Option<Tick>);

#[derive(Debug)]
pub(super) struct Source {
    /// What is known of each direction, in one word: so an operation starts, and clears the readiness, without the lock.
    words: [AtomicUsize; 2],
    waiters: Mutex<[Waiters; 2]>,
    /// How many wakers wait in this reactor: in all its sources, in either direction.
    waits: Arc<AtomicUsize>,
}

/// The direction may be ready.
const READY: usize = 1;
/// Nobody knows: the system was never asked.
const UNKNOWN: usize = 1 << 1;
/// The other side is done: from now on this direction answers at once, for ever.
const ENDED: usize = 1 << 2;
/// The reactor is gone: no event will come any more.
const CLOSED: usize = 1 << 3;
/// The rest of the word counts events.
const TICK: usize = 1 << 4;

/// Of one direction.
#[derive(Debug)]
struct Waiters {
    /// The system was asked, and will report.
    asked: bool,
    waker: Option<Waker>,
    /// How many wait since the last event. (The waker is that of the last one.)
    waiting: u32,
}

impl Tick {
    fn of(word: usize) -> Self {
        Self(word / TICK)
    }
}

/// What a look at a direction's word says: ready with the tick to clear, failed, or (`None`) that there is something to wait
/// for.
fn look(word: usize, unknown: Unknown) -> Option<io::Result<Tick>> {
    if word & CLOSED != 0 {
        return Some(Err(closed()));
    }
    let good = READY | ENDED | if unknown == Unknown::Try { UNKNOWN } else { 0 };
    (word & good != 0).then(|| Ok(Tick::of(word)))
}

impl Waiters {
    fn join(&mut self, now: Tick, waiting: &mut Waiting) {
        if waiting.0 != Some(now) {
            self.waiting = self.waiting.saturating_add(1);
            waiting.0 = Some(now);
        }
    }

    fn place(&mut self, waker: Waker, waits: &AtomicUsize) -> Option<Waker> {
        let stale = self.waker.replace(waker);
        if stale.is_none() {
            // `Relaxed`: who counts on the number has the handshake of falling asleep on its side.
            waits.fetch_add(1, Ordering::Relaxed);
        }
        stale
    }

    fn take(&mut self, waits: &AtomicUsize) -> Option<Waker> {
        let waker = self.waker.take();
        if waker.is_some() {
            waits.fetch_sub(1, Ordering::Relaxed);
        }
        waker
    }

    /// The present wait is over: who waits again after this joins another one. (The tick has moved.)
    fn end_wait(&mut self, wakers: &mut Vec<Waker>, waits: &AtomicUsize) {
        self.waiting = 0;
        wakers.extend(self.take(waits));
    }
}

pub(super) fn closed() -> io::Error {
    io::Error::other("the runtime that this source was registered with has ended")
}

impl Source {
    /// One that the system is being asked about, as far as `asked` says.
    pub(super) fn new(asked: Interest, waits: Arc<AtomicUsize>) -> Self {
        let asked = [asked.read, asked.write];
        let words = asked.map(|asked| AtomicUsize::new(if asked { 0 } else { UNKNOWN }));
        let waiters = asked.map(|asked| Waiters { asked, waker: None, waiting: 0 });
        Self { words, waiters: Mutex::new(waiters), waits }
    }

    fn word(&self, direction: Direction) -> &AtomicUsize {
        &self.words[direction as usize]
    }

    /// Ready with the tick to clear, or pending with the waker stored, and the system asked.
    #[inline]
    pub(super) fn poll_ready(
        &self,
        direction: Direction,
        unknown: Unknown,
        context: &mut Context<'_>,
        waiting: &mut Waiting,
        ask: impl FnOnce(Interest) -> io::Result<()>,
    ) -> Poll<io::Result<Tick>> {
        if let Some(found) = look(self.word(direction).load(Ordering::Acquire), unknown) {
            // An event said so, and ended the wait: there is none to leave.
            *waiting = Waiting::default();
            return Poll::Ready(found);
        }
        self.wait(direction, unknown, context, waiting, ask)
    }

    fn wait(
        &self,
        direction: Direction,
        unknown: Unknown,
        context: &mut Context<'_>,
        waiting: &mut Waiting,
        ask: impl FnOnce(Interest) -> io::Result<()>,
    ) -> Poll<io::Result<Tick>> {
        let word = self.word(direction);
        // Cloning a waker is foreign code: not under the lock.
        let fresh = context.waker().clone();
        let mut both = self.waiters.lock().unwrap();
        // Events are noted under the lock: one that came meanwhile is seen here, one that comes later finds the waker.
        let now = word.load(Ordering::Acquire);
        if let Some(found) = look(now, unknown) {
            drop(both);
            *waiting = Waiting::default();
            return Poll::Ready(found);
        }
        let way = &mut both[direction as usize];
        way.join(Tick::of(now), waiting);
        let stale = way.place(fresh, &self.waits);
        // Under the lock: two who asked at once would each tell the system only of themselves.
        let asked = self.ask(&mut both, direction, ask);
        drop(both);
        drop(stale);
        if let Err(error) = asked {
            self.leave(direction, waiting);
            return Poll::Ready(Err(error));
        }
        Poll::Pending
    }

    /// Asks the system for `direction`, and again for what it was asked for before.
    fn ask(
        &self,
        both: &mut [Waiters; 2],
        direction: Direction,
        ask: impl FnOnce(Interest) -> io::Result<()>,
    ) -> io::Result<()> {
        if both[direction as usize].asked {
            return Ok(());
        }
        let [read, write] = &*both;
        ask(Interest {
            read: read.asked || direction == Direction::Read,
            write: write.asked || direction == Direction::Write,
        })?;
        both[direction as usize].asked = true;
        self.word(direction).fetch_and(!UNKNOWN, Ordering::AcqRel);
        Ok(())
    }

    /// Whoever waited with `waiting` gives up. The last one takes the waker along.
    pub(super) fn leave(&self, direction: Direction, waiting: &mut Waiting) {
        let Some(joined) = waiting.0.take() else { return };
        let gone = {
            let way = &mut self.waiters.lock().unwrap()[direction as usize];
            if self.tick(direction) != joined {
                // An event ended that wait.
                return;
            }
            way.waiting -= 1;
            if way.waiting == 0 { way.take(&self.waits) } else { None }
        };
        // Outside the lock: foreign code.
        drop(gone);
    }

    /// What an operation starts from that is tried without waiting.
    pub(super) fn tick(&self, direction: Direction) -> Tick {
        Tick::of(self.word(direction).load(Ordering::Acquire))
    }

    /// An operation that started from `tick` took all there was.
    pub(super) fn drained(&self, direction: Direction, tick: Tick) {
        self.clear(direction, tick, READY | UNKNOWN);
    }

    /// An operation that started from `tick` would have blocked. So the direction has not ended either, whatever the event
    /// said: an error that was reported once is over, or a pipe has a new writer.
    pub(super) fn blocked(&self, direction: Direction, tick: Tick) {
        self.clear(direction, tick, READY | UNKNOWN | ENDED);
    }

    /// Unless an event came since `tick`.
    fn clear(&self, direction: Direction, tick: Tick, bits: usize) {
        let cleared = |word| (Tick::of(word) == tick && word & bits != 0).then_some(word & !bits);
        // An error: there was nothing to clear.
        let _ = self.word(direction).fetch_update(Ordering::AcqRel, Ordering::Acquire, cleared);
    }

    // ANCHOR: ready
    /// An event came in.
    pub(super) fn ready(&self, event: &PollEvent, wakers: &mut Vec<Waker>) {
        let mut both = self.waiters.lock().unwrap();
        let told = [(event.read, event.read_closed), (event.write, event.write_closed)];
        for ((way, word), (ready, ended)) in both.iter_mut().zip(&self.words).zip(told) {
            way.asked &= !event.spent;
            if ready {
                Self::note(word, READY | if ended { ENDED } else { 0 }, UNKNOWN);
                way.end_wait(wakers, &self.waits);
            } else if event.spent && way.waker.is_some() {
                // The system has forgotten this direction too. Who waits for it comes back, and asks again.
                Self::note(word, 0, 0);
                way.end_wait(wakers, &self.waits);
            }
        }
    }
    // ANCHOR_END: ready

    /// The next tick, with some bits set and some unset. Under the lock. One step: who clears the bits of the tick before comes
    /// before it, or too late.
    fn note(word: &AtomicUsize, set: usize, unset: usize) {
        let noted = |word: usize| Some((word.wrapping_add(TICK) | set) & !unset);
        let _ = word.fetch_update(Ordering::AcqRel, Ordering::Acquire, noted);
    }

    /// Whether anybody waits to read, and to write.
    pub(super) fn waiters(&self) -> [bool; 2] {
        self.waiters.lock().unwrap().each_ref().map(|way| way.waker.is_some())
    }

    /// The reactor's count, for models.
    #[cfg(all(test, runtime_loom))]
    pub(super) fn waits(&self) -> &AtomicUsize {
        &self.waits
    }

    pub(super) fn close(&self, wakers: &mut Vec<Waker>) {
        let mut both = self.waiters.lock().unwrap();
        for (way, word) in both.iter_mut().zip(&self.words) {
            Self::note(word, CLOSED, 0);
            way.end_wait(wakers, &self.waits);
        }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        // Whoever still waits here waits for nothing: the source is gone.
        let gone = self.waiters.lock().unwrap().each_mut().map(|way| way.take(&self.waits));
        drop(gone);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reactor::poller::Token;
    use std::task::Wake;

    fn event(read: bool, write: bool) -> PollEvent {
        let token = Token { slot: 0, generation: 0 };
        PollEvent { token, read, write, read_closed: false, write_closed: false, spent: false }
    }

    fn source() -> Source {
        Source::new(Interest::BOTH, Arc::default())
    }

    fn poll_as(source: &Source, direction: Direction, waker: &Waker, waiting: &mut Waiting) -> Option<Tick> {
        match source.poll_ready(direction, Unknown::Try, &mut Context::from_waker(waker), waiting, |_| Ok(())) {
            Poll::Ready(tick) => Some(tick.unwrap()),
            Poll::Pending => None,
        }
    }

    fn poll(source: &Source, direction: Direction) -> Option<Tick> {
        poll_as(source, direction, Waker::noop(), &mut Waiting::default())
    }

    fn waits(source: &Source) -> usize {
        source.waits.load(Ordering::Relaxed)
    }

    struct Nothing;

    impl Wake for Nothing {
        fn wake(self: Arc<Self>) {}
    }

    /// An edge that comes while an operation runs is not erased by that operation's `WouldBlock`, however many edges come
    /// (tokio #6133: a truncated tick came round to the same value).
    #[test]
    fn a_stale_clear_erases_nothing() {
        for edges in [1, 2, 255, 256, 257, if cfg!(miri) { 258 } else { 65_536 }] {
            let source = source();
            source.ready(&event(true, false), &mut Vec::new());
            let tick = poll(&source, Direction::Read).unwrap();
            for _ in 0..edges {
                source.ready(&event(true, false), &mut Vec::new());
            }
            source.blocked(Direction::Read, tick);
            source.drained(Direction::Read, tick);
            assert!(poll(&source, Direction::Read).is_some(), "{edges} edges");
        }
    }

    /// tokio #8054: one tick for both directions, and a stream of write events made every read clear void.
    #[test]
    fn directions_do_not_disturb_each_other() {
        let source = source();
        source.ready(&event(true, true), &mut Vec::new());
        let tick = poll(&source, Direction::Read).unwrap();
        source.ready(&event(false, true), &mut Vec::new());
        source.blocked(Direction::Read, tick);
        assert!(poll(&source, Direction::Read).is_none());
        assert!(poll(&source, Direction::Write).is_some());
    }

    /// async-io #78: wherever between the attempt, the clear and the storing of the waker the event comes, it is seen.
    #[test]
    fn an_event_is_seen_wherever_it_comes() {
        for moment in 0..4 {
            let source = source();
            let mut wakers = Vec::new();
            let mut arrives = |now| {
                if now == moment {
                    source.ready(&event(true, false), &mut wakers);
                }
            };
            source.ready(&event(true, false), &mut Vec::new());
            arrives(0);
            let tick = poll(&source, Direction::Read).unwrap();
            // Here the operation runs, and finds nothing.
            arrives(1);
            source.blocked(Direction::Read, tick);
            arrives(2);
            let ready = poll(&source, Direction::Read).is_some();
            arrives(3);
            // An event that came before the attempt was in what it looked at: only then is waiting right.
            assert!(ready || !wakers.is_empty() || moment == 0, "at {moment}");
        }
    }

    /// Neither a clear nor a late event makes a closed source one to wait for (tokio #8435).
    #[test]
    fn a_closed_source_fails_and_stays_so() {
        let source = source();
        let mut wakers = Vec::new();
        source.ready(&event(false, true), &mut wakers);
        let tick = poll(&source, Direction::Write).unwrap();
        assert!(poll(&source, Direction::Read).is_none());
        source.close(&mut wakers);
        assert_eq!((wakers.len(), waits(&source)), (1, 0));
        source.blocked(Direction::Write, tick);
        source.drained(Direction::Write, tick);
        source.ready(&event(true, true), &mut wakers);
        for direction in [Direction::Read, Direction::Write] {
            let mut context = Context::from_waker(Waker::noop());
            let polled = source.poll_ready(direction, Unknown::Ask, &mut context, &mut Waiting::default(), |_| Ok(()));
            assert!(matches!(polled, Poll::Ready(Err(_))));
        }
    }

    /// Who gives up leaves nothing behind: no task kept alive, nobody counted as waiting.
    #[test]
    fn the_last_to_give_up_takes_the_waker_along() {
        let source = source();
        let task = Arc::new(Nothing);
        let waker = Waker::from(task.clone());
        let [mut first, mut second] = [Waiting::default(), Waiting::default()];
        assert!(poll_as(&source, Direction::Read, &waker, &mut first).is_none());
        // Polled twice, it waits once.
        assert!(poll_as(&source, Direction::Read, &waker, &mut first).is_none());
        assert!(poll_as(&source, Direction::Read, &waker, &mut second).is_none());
        drop(waker);
        source.leave(Direction::Read, &mut second);
        assert_eq!((Arc::strong_count(&task), waits(&source)), (2, 1), "the first still waits");
        source.leave(Direction::Read, &mut first);
        assert_eq!((Arc::strong_count(&task), waits(&source)), (1, 0));
    }

    /// Who gives up a wait that an event ended does not take the waker of those who wait since.
    #[test]
    fn a_wait_that_is_over_cannot_be_left() {
        let source = source();
        let [mut early, mut late] = [Waiting::default(), Waiting::default()];
        assert!(poll_as(&source, Direction::Read, Waker::noop(), &mut early).is_none());
        let mut wakers = Vec::new();
        source.ready(&event(true, false), &mut wakers);
        let tick = poll(&source, Direction::Read).unwrap();
        source.blocked(Direction::Read, tick);
        assert!(poll_as(&source, Direction::Read, Waker::noop(), &mut late).is_none());
        source.leave(Direction::Read, &mut early);
        assert_eq!(waits(&source), 1);
        source.ready(&event(true, false), &mut wakers);
        assert_eq!((wakers.len(), waits(&source)), (2, 0));
    }

    /// After a one-shot event the system has forgotten both directions: who waits for the other one is sent to ask again.
    #[test]
    fn a_spent_event_brings_back_those_who_wait_for_the_other_direction() {
        let source = source();
        assert!(poll(&source, Direction::Read).is_none());
        assert!(poll(&source, Direction::Write).is_none());
        let mut wakers = Vec::new();
        source.ready(&PollEvent { spent: true, ..event(true, false) }, &mut wakers);
        assert_eq!(wakers.len(), 2);
        let mut asked = None;
        let mut ask_again = |direction| {
            let mut context = Context::from_waker(Waker::noop());
            source.poll_ready(direction, Unknown::Try, &mut context, &mut Waiting::default(), |interest| {
                asked = Some(interest);
                Ok(())
            })
        };
        assert!(ask_again(Direction::Write).is_pending());
        assert!(ask_again(Direction::Read).is_ready());
        assert_eq!(asked, Some(Interest { read: false, write: true }));
    }

    /// A direction is tried before it is asked for; what waits for the system's word asks at once.
    #[test]
    fn what_was_never_asked_for_may_be_tried() {
        let source = Source::new(Interest::READ, Arc::default());
        assert!(poll(&source, Direction::Read).is_none());
        let tick = poll(&source, Direction::Write).unwrap();
        let mut context = Context::from_waker(Waker::noop());
        let refused = source.poll_ready(Direction::Write, Unknown::Ask, &mut context, &mut Waiting::default(), |_| {
            Err(io::ErrorKind::OutOfMemory.into())
        });
        assert!(matches!(refused, Poll::Ready(Err(_))));
        assert_eq!(waits(&source), 1, "only the reader waits");
        source.blocked(Direction::Write, tick);
        assert!(poll(&source, Direction::Write).is_none());
    }
}
