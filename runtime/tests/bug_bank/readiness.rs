//! Mistakes between a source and the task that waits for it. The twin is a source made by hand that makes the mistake it is
//! told to make; ours is an `AsyncFd` around one end of a pair of sockets.

use crate::{must_fail, runtimes, turn_until};
use runtime::{AsyncFd, spawn, spawn_blocking, time::timeout};
use std::{
    future::poll_fn,
    io::{self, Read, Write},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

/// One end of a connection, and what the other end does.
trait Socket: Send + Sync + 'static {
    /// Reads at most `room` bytes, and gives their number. `trying` runs after the attempt that would have blocked.
    fn poll_read(&self, context: &mut Context<'_>, room: usize, trying: &dyn Fn()) -> Poll<usize>;
    /// Writes a byte.
    fn poll_write(&self, context: &mut Context<'_>) -> Poll<()>;
    /// There is no more room to write.
    fn fill(&self);
    /// The other end sends this many bytes.
    fn peer_sends(&self, bytes: usize);
    /// The other end takes all that was written.
    fn peer_takes(&self);
}

struct Real {
    ours: AsyncFd<UnixStream>,
    theirs: UnixStream,
}

impl Real {
    fn new() -> Self {
        let (ours, theirs) = UnixStream::pair().unwrap();
        [&ours, &theirs].into_iter().for_each(|end| end.set_nonblocking(true).unwrap());
        Self { ours: AsyncFd::new(ours), theirs }
    }
}

impl Socket for Real {
    fn poll_read(&self, context: &mut Context<'_>, room: usize, trying: &dyn Fn()) -> Poll<usize> {
        let read = self.ours.poll_read_with(context, |mut io| {
            let result = io.read(&mut vec![0; room]);
            if result.is_err() {
                trying();
            }
            result
        });
        read.map(Result::unwrap)
    }

    fn poll_write(&self, context: &mut Context<'_>) -> Poll<()> {
        self.ours.poll_write_with(context, |mut io| io.write(b"x")).map(|result| assert_eq!(result.unwrap(), 1))
    }

    fn fill(&self) {
        while self.ours.get_ref().write(&[0; 4096]).is_ok() {}
    }

    fn peer_sends(&self, bytes: usize) {
        (&self.theirs).write_all(&vec![0; bytes]).unwrap();
    }

    fn peer_takes(&self) {
        while (&self.theirs).read(&mut [0; 4096]).is_ok() {}
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Mistake {
    None,
    OneWakerForBothDirections,
    OneReadForAnEvent,
    ForgetsWhatCameBeforeTheWaker,
}

/// A source by hand. An event is the change from "nothing" to "something", as the system reports it.
struct Toy {
    mistake: Mistake,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    to_read: usize,
    full: bool,
    readable: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Toy {
    fn new(mistake: Mistake) -> Self {
        // At first it may be readable: nobody has looked.
        Self { mistake, state: Mutex::new(State { readable: true, ..State::default() }) }
    }

    fn wake(waker: Option<Waker>) {
        waker.into_iter().for_each(Waker::wake);
    }
}

impl Socket for Toy {
    fn poll_read(&self, context: &mut Context<'_>, room: usize, trying: &dyn Fn()) -> Poll<usize> {
        if !self.state.lock().unwrap().readable {
            self.state.lock().unwrap().reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        let taken = {
            let mut state = self.state.lock().unwrap();
            let taken = state.to_read.min(room);
            state.to_read -= taken;
            // The right one forgets the readiness only when there is nothing more.
            state.readable = taken > 0 && self.mistake != Mistake::OneReadForAnEvent;
            taken
        };
        if taken > 0 {
            return Poll::Ready(taken);
        }
        if self.mistake != Mistake::ForgetsWhatCameBeforeTheWaker {
            self.state.lock().unwrap().reader = Some(context.waker().clone());
        }
        trying();
        self.state.lock().unwrap().reader = Some(context.waker().clone());
        if self.mistake == Mistake::ForgetsWhatCameBeforeTheWaker {
            self.state.lock().unwrap().readable = false;
        }
        Poll::Pending
    }

    fn poll_write(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state.lock().unwrap();
        if !state.full {
            return Poll::Ready(());
        }
        let waker = Some(context.waker().clone());
        match self.mistake {
            Mistake::OneWakerForBothDirections => state.reader = waker,
            _ => state.writer = waker,
        }
        Poll::Pending
    }

    fn fill(&self) {
        self.state.lock().unwrap().full = true;
    }

    fn peer_sends(&self, bytes: usize) {
        let reader = {
            let mut state = self.state.lock().unwrap();
            let edge = state.to_read == 0;
            state.to_read += bytes;
            state.readable |= edge;
            if edge { state.reader.take() } else { None }
        };
        Self::wake(reader);
    }

    fn peer_takes(&self) {
        let writer = {
            let mut state = self.state.lock().unwrap();
            state.full = false;
            match self.mistake {
                Mistake::OneWakerForBothDirections => state.reader.take(),
                _ => state.writer.take(),
            }
        };
        Self::wake(writer);
    }
}

/// The test on ours, on the twin without a mistake, and on the one with it.
fn judge(mistake: Mistake, words: &str, test: impl AsyncFn(Arc<dyn Socket>)) {
    for runtime in runtimes() {
        runtime.block_on(async {
            test(Arc::new(Real::new())).await;
            test(Arc::new(Toy::new(Mistake::None))).await;
        });
    }
    must_fail(words, || runtime::block_on(test(Arc::new(Toy::new(mistake)))));
}

/// T-i, Packt's reactor: the wakers are keyed by the socket alone, so that a reader and a writer overwrite each other.
#[test]
fn one_waker_for_both_directions() {
    judge(Mistake::OneWakerForBothDirections, "nobody woke the reader", async |socket| {
        socket.fill();
        let [read, written] = [0; 2].map(|_| Arc::new(AtomicBool::new(false)));
        let tasks = [
            spawn({
                let (socket, read) = (socket.clone(), read.clone());
                async move {
                    poll_fn(|context| socket.poll_read(context, 1, &|| ())).await;
                    read.store(true, Ordering::Release);
                }
            }),
            spawn({
                let (socket, written) = (socket.clone(), written.clone());
                async move {
                    poll_fn(|context| socket.poll_write(context)).await;
                    written.store(true, Ordering::Release);
                }
            }),
        ];
        runtime::yield_now().await;
        socket.peer_takes();
        turn_until(|| written.load(Ordering::Acquire)).await;
        assert!(written.load(Ordering::Acquire), "nobody woke the writer");
        socket.peer_sends(1);
        turn_until(|| read.load(Ordering::Acquire)).await;
        assert!(read.load(Ordering::Acquire), "nobody woke the reader");
        drop(tasks);
    });
}

/// T-j, mio PR #1945: after an event, the readiness lasts until an operation would block. A reader that takes less than there
/// is gets no second event for the rest.
#[test]
fn one_read_for_an_event() {
    judge(Mistake::OneReadForAnEvent, "the rest stays", async |socket| {
        let got = Arc::new(AtomicUsize::new(0));
        let (reading, counted) = (socket.clone(), got.clone());
        let reader = spawn(async move {
            while counted.load(Ordering::Acquire) < 10 {
                let read = poll_fn(|context| reading.poll_read(context, 4, &|| ())).await;
                counted.fetch_add(read, Ordering::AcqRel);
            }
        });
        runtime::yield_now().await;
        socket.peer_sends(10);
        turn_until(|| got.load(Ordering::Acquire) == 10).await;
        assert_eq!(got.load(Ordering::Acquire), 10, "the rest stays");
        drop(reader);
    });
}

/// R22, smol-rs/async-io#78: an event that comes between the attempt and the storing of the waker is missed. It is made to come
/// exactly there, at the first wait (which registers) and at a later one.
#[test]
fn an_event_between_the_attempt_and_the_wait() {
    judge(Mistake::ForgetsWhatCameBeforeTheWaker, "the event was missed", async |socket| {
        for wait in 0..3 {
            let got = Arc::new(AtomicBool::new(false));
            let (reading, set) = (socket.clone(), got.clone());
            let reader = spawn(async move {
                let sent = AtomicBool::new(false);
                let event = || {
                    if !sent.swap(true, Ordering::Relaxed) {
                        reading.peer_sends(1);
                    }
                };
                poll_fn(|context| reading.poll_read(context, 8, &event)).await;
                set.store(true, Ordering::Release);
            });
            turn_until(|| got.load(Ordering::Acquire)).await;
            assert!(got.load(Ordering::Acquire), "wait {wait}: the event was missed");
            drop(reader);
        }
    });
}

// R24, R25 -------------------------------------------------------------------------------------------------------------

/// R24, tokio #3019: a page of the slab was freed too early. Sources come and go on two threads while their events come in;
/// judged by the address sanitizer. (The mistake needs unsafe code, and ours has none here.)
#[test]
fn sources_come_and_go_on_two_threads() {
    let sources = if cfg!(miri) { 5 } else { 10_000 };
    for runtime in runtimes() {
        runtime.block_on(async {
            let jobs = [0, 1].map(|_| {
                spawn_blocking(move || {
                    for number in 0..sources {
                        let socket = Real::new();
                        let mut context = Context::from_waker(Waker::noop());
                        assert!(socket.poll_read(&mut context, 1, &|| ()).is_pending());
                        if number % 2 == 0 {
                            socket.peer_sends(1);
                        }
                    }
                })
            });
            turn_until(|| jobs.iter().all(|job| job.is_finished())).await;
            for job in jobs {
                job.await.unwrap();
            }
        });
    }
}

/// Says one descriptor, and later another: so the reactor deregisters the wrong one, as if somebody had closed the right one
/// behind its back and a copy of it lived on.
struct Slips {
    first: UnixStream,
    second: UnixStream,
    slipped: AtomicBool,
}

impl AsFd for Slips {
    fn as_fd(&self) -> BorrowedFd<'_> {
        if self.slipped.load(Ordering::Relaxed) { self.second.as_fd() } else { self.first.as_fd() }
    }
}

/// What a reactor gives to the source that now has a place, when an event comes for the one that had it before.
fn a_stale_event_finds_nobody(tokens: &mut dyn Tokens) {
    let former = tokens.register();
    tokens.forget(former);
    let present = tokens.register();
    assert_ne!(tokens.deliver(former), Some(present), "an event for the former owner");
    assert_eq!(tokens.deliver(present), Some(present));
}

trait Tokens {
    /// A place for a source, named by the word that the system will report.
    fn register(&mut self) -> u64;
    fn forget(&mut self, token: u64);
    /// Who gets an event that the system reports with this word.
    fn deliver(&self, token: u64) -> Option<u64>;
}

/// R25, tokio #6329, #8587 and #8540: the descriptor is gone before it is deregistered, and the system still knows the token.
#[test]
fn a_token_that_names_only_a_place() {
    /// Places are used again; with a generation, tokens are not.
    struct Places {
        places: Vec<Option<u64>>,
        generation: u64,
        counts: bool,
    }

    impl Tokens for Places {
        fn register(&mut self) -> u64 {
            self.generation += u64::from(self.counts);
            let place = self.places.iter().position(Option::is_none).unwrap_or(self.places.len());
            let token = place as u64 | self.generation << 32;
            self.places.truncate(place);
            self.places.insert(place, Some(token));
            token
        }

        fn forget(&mut self, token: u64) {
            self.places[token as u32 as usize] = None;
        }

        fn deliver(&self, token: u64) -> Option<u64> {
            self.places[token as u32 as usize].filter(|owner| *owner == token)
        }
    }

    a_stale_event_finds_nobody(&mut Places { places: Vec::new(), generation: 0, counts: true });
    must_fail("an event for the former owner", || {
        a_stale_event_finds_nobody(&mut Places { places: Vec::new(), generation: 0, counts: false });
    });

    for runtime in runtimes() {
        runtime.block_on(async {
            let (first, to_first) = UnixStream::pair().unwrap();
            let (second, _to_second) = UnixStream::pair().unwrap();
            let copy = first.try_clone().unwrap();
            let former = AsyncFd::new(Slips { first, second, slipped: AtomicBool::new(false) });
            assert!(timeout(Duration::ZERO, former.readable()).await.is_err());
            former.get_ref().slipped.store(true, Ordering::Relaxed);
            drop(former);

            let present = Real::new();
            let mut read = pin!(poll_fn(|context| present.poll_read(context, 1, &|| ())));
            assert!(futures_lite::future::poll_once(&mut read).await.is_none());
            let events = Arc::new(AtomicUsize::new(0));
            // The system has an event for the former owner of the place, which the copy keeps alive.
            (&to_first).write_all(b"stale").unwrap();
            for _ in 0..1_000 {
                if futures_lite::future::poll_once(present.ours.readable()).await.is_some() {
                    events.fetch_add(1, Ordering::Relaxed);
                }
                runtime::yield_now().await;
            }
            assert_eq!(events.load(Ordering::Relaxed), 0, "an event for the former owner");
            present.peer_sends(1);
            assert_eq!(read.await, 1);
            drop(copy);
        });
    }
}

/// A source that is closed stays so, whatever comes late: R21, tokio #8435, second part. From outside; the inner order is
/// `a_closed_source_fails_and_stays_so` beside the source.
#[test]
fn a_source_of_a_runtime_that_ended_fails_and_never_waits() {
    for runtime in runtimes() {
        let socket = Real::new();
        runtime.block_on(async { assert!(timeout(Duration::ZERO, socket.ours.readable()).await.is_err()) });
        drop(runtime);
        socket.peer_sends(1);
        for _ in 0..3 {
            let error = runtime::block_on(socket.ours.read_with(|mut io| io.read(&mut [0; 8]))).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::Other);
        }
    }
}
