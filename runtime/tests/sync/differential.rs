//! Ours beside those of others, on random sequences of operations: what can be seen of them must be the same.
//!
//! Against tokio's, which are first come first served as ours are, step by step and by hand: every poll of every waiter is
//! compared. Against async-lock's and async-channel's, which let a newcomer pass, only by what must come out in the end: a
//! program of tasks, run in simulated worlds.

use crate::support::poll;
use runtime::{Runtime, random::Generator, yield_now};
use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
};

const SEEDS: u64 = 2_000;
const STEPS: usize = 60;
const ACTORS: usize = 5;

/// A waiter of one side: a future of what it gets, or `None` if the primitive was closed.
type Wait<G> = Pin<Box<dyn Future<Output = Option<G>>>>;

/// What each of a few actors is at: it waits, it has something, or neither.
struct Actors<G> {
    waiting: Vec<Option<Wait<G>>>,
    has: Vec<Option<G>>,
}

impl<G> Actors<G> {
    fn new() -> Self {
        Self { waiting: (0..ACTORS).map(|_| None).collect(), has: (0..ACTORS).map(|_| None).collect() }
    }

    /// Polls the actor if it waits.
    fn poll(&mut self, actor: usize) -> &'static str {
        let Some(wait) = &mut self.waiting[actor] else { return "does not wait" };
        match poll(wait.as_mut()) {
            Poll::Pending => "waits",
            Poll::Ready(got) => {
                self.waiting[actor] = None;
                let said = if got.is_some() { "got it" } else { "closed" };
                self.has[actor] = got;
                said
            }
        }
    }

    fn is_free(&self, actor: usize) -> bool {
        self.waiting[actor].is_none() && self.has[actor].is_none()
    }
}

/// The log of a run, for the comparison.
type Log = Vec<String>;

/// Both sides with the same seeds; the first step at which they differ is shown with all before it.
fn compare(ours: impl Fn(u64) -> Log, theirs: impl Fn(u64) -> Log) {
    for seed in 0..SEEDS {
        let (ours, theirs) = (ours(seed), theirs(seed));
        if let Some(step) = (0..ours.len().max(theirs.len())).find(|step| ours.get(*step) != theirs.get(*step)) {
            let before = ours[..step.min(ours.len())].join("\n  ");
            panic!("seed {seed}:\n  {before}\nours:   {:?}\ntheirs: {:?}", ours.get(step), theirs.get(step));
        }
    }
}

/// Locks and permits: how a side takes, in one of a few ways, and what else it can do.
trait Lock: 'static {
    type Guard: 'static;
    fn new() -> Self;
    /// Waits for the `way`-th kind of turn: so many permits; a read or a write.
    fn wait(&self, way: usize) -> Wait<Self::Guard>;
    fn try_now(&self, way: usize) -> Option<Self::Guard>;
    /// Something that only this kind of lock can do.
    fn else_do(&self, what: usize) -> String;
}

fn lock_log<L: Lock>(seed: u64) -> Log {
    let mut chance = Generator::new(seed);
    let (lock, mut actors, mut log) = (L::new(), Actors::new(), Log::new());
    for _ in 0..STEPS {
        let actor = chance.below(ACTORS as u64) as usize;
        let way = chance.below(3) as usize;
        let said = match chance.below(12) {
            0..=3 if actors.is_free(actor) => {
                actors.waiting[actor] = Some(lock.wait(way));
                format!("asks for {way} and {}", actors.poll(actor))
            }
            4 if actors.is_free(actor) => {
                actors.has[actor] = lock.try_now(way);
                format!("tries {way}: {}", actors.has[actor].is_some())
            }
            5 => format!("gives up: {}", actors.waiting[actor].take().is_some()),
            6..=8 => format!("gives back: {}", actors.has[actor].take().is_some()),
            9 => lock.else_do(way),
            _ => actors.poll(actor).to_owned(),
        };
        log.push(format!("{actor} {said}"));
    }
    // In the end everybody gives back, again and again, until nobody waits or nothing moves.
    for _ in 0..ACTORS {
        for actor in 0..ACTORS {
            actors.has[actor] = None;
            log.push(format!("at the end, {actor}: {}", actors.poll(actor)));
        }
    }
    log
}

/// How many permits are left is not compared while somebody waits: tokio gives the first in line what there is, a part of what it
/// wants, and ours keeps them together until they are enough. Who gets permits, and when, is the same.
mod semaphores {
    use super::*;
    use runtime::sync::{OwnedPermit, Semaphore};

    struct Ours(Arc<Semaphore>);

    impl Lock for Ours {
        type Guard = OwnedPermit;

        fn new() -> Self {
            Self(Arc::new(Semaphore::new(2)))
        }

        fn wait(&self, way: usize) -> Wait<OwnedPermit> {
            let semaphore = self.0.clone();
            Box::pin(async move { semaphore.acquire_many_owned(way + 1).await.ok() })
        }

        fn try_now(&self, way: usize) -> Option<OwnedPermit> {
            self.0.clone().try_acquire_many_owned(way + 1).ok()
        }

        fn else_do(&self, what: usize) -> String {
            if what == 0 {
                self.0.add_permits(1);
            }
            what.to_string()
        }
    }

    struct Tokios(Arc<tokio::sync::Semaphore>);

    impl Lock for Tokios {
        type Guard = tokio::sync::OwnedSemaphorePermit;

        fn new() -> Self {
            Self(Arc::new(tokio::sync::Semaphore::new(2)))
        }

        fn wait(&self, way: usize) -> Wait<Self::Guard> {
            let semaphore = self.0.clone();
            Box::pin(async move { semaphore.acquire_many_owned(way as u32 + 1).await.ok() })
        }

        fn try_now(&self, way: usize) -> Option<Self::Guard> {
            self.0.clone().try_acquire_many_owned(way as u32 + 1).ok()
        }

        fn else_do(&self, what: usize) -> String {
            if what == 0 {
                self.0.add_permits(1);
            }
            what.to_string()
        }
    }

    #[test]
    fn a_semaphore_does_what_tokios_does() {
        compare(lock_log::<Ours>, lock_log::<Tokios>);
    }
}

mod locks {
    use super::*;

    macro_rules! mutex {
        ($name:ident, $its:ident) => {
            struct $name(Arc<$its::sync::Mutex<u32>>);

            impl Lock for $name {
                type Guard = $its::sync::OwnedMutexGuard<u32>;

                fn new() -> Self {
                    Self(Arc::new($its::sync::Mutex::new(0)))
                }

                fn wait(&self, _: usize) -> Wait<Self::Guard> {
                    let mutex = self.0.clone();
                    Box::pin(async move { Some(mutex.lock_owned().await) })
                }

                fn try_now(&self, _: usize) -> Option<Self::Guard> {
                    self.0.clone().try_lock_owned().ok()
                }

                fn else_do(&self, _: usize) -> String {
                    format!("free: {}", self.0.try_lock().is_ok())
                }
            }
        };
    }

    mutex!(Ours, runtime);
    mutex!(Tokios, tokio);

    #[test]
    fn a_mutex_does_what_tokios_does() {
        compare(lock_log::<Ours>, lock_log::<Tokios>);
    }

    /// A turn at a lock for readers and writers; it is only held.
    enum Turn<R, W> {
        Read(R),
        Write(W),
    }

    /// The `way` of a writer; the others read.
    const WRITE: usize = 2;

    macro_rules! readers_and_writers {
        ($name:ident, $its:ident) => {
            struct $name(Arc<$its::sync::RwLock<u32>>);

            impl Lock for $name {
                type Guard = Turn<$its::sync::OwnedRwLockReadGuard<u32>, $its::sync::OwnedRwLockWriteGuard<u32>>;

                fn new() -> Self {
                    Self(Arc::new($its::sync::RwLock::new(0)))
                }

                fn wait(&self, way: usize) -> Wait<Self::Guard> {
                    let lock = self.0.clone();
                    Box::pin(async move {
                        Some(match way {
                            WRITE => Turn::Write(lock.write_owned().await),
                            _ => Turn::Read(lock.read_owned().await),
                        })
                    })
                }

                fn try_now(&self, way: usize) -> Option<Self::Guard> {
                    match way {
                        WRITE => self.0.clone().try_write_owned().ok().map(Turn::Write),
                        _ => self.0.clone().try_read_owned().ok().map(Turn::Read),
                    }
                }

                fn else_do(&self, _: usize) -> String {
                    format!("for a reader: {}, for a writer: {}", self.0.try_read().is_ok(), self.0.try_write().is_ok())
                }
            }
        };
    }

    readers_and_writers!(OurReaders, runtime);
    readers_and_writers!(TokiosReaders, tokio);

    #[test]
    fn a_lock_for_readers_and_writers_does_what_tokios_does() {
        compare(lock_log::<OurReaders>, lock_log::<TokiosReaders>);
    }
}

mod notifications {
    use super::*;

    macro_rules! notifying {
        ($name:ident, $its:ident) => {
            struct $name(Arc<$its::sync::Notify>);

            impl Lock for $name {
                type Guard = ();

                fn new() -> Self {
                    Self(Arc::new($its::sync::Notify::new()))
                }

                fn wait(&self, _: usize) -> Wait<()> {
                    let notify = self.0.clone();
                    Box::pin(async move {
                        notify.notified().await;
                        Some(())
                    })
                }

                fn try_now(&self, _: usize) -> Option<()> {
                    None
                }

                fn else_do(&self, what: usize) -> String {
                    match what {
                        0 => self.0.notify_waiters(),
                        _ => self.0.notify_one(),
                    }
                    what.to_string()
                }
            }
        };
    }

    notifying!(Ours, runtime);
    notifying!(Tokios, tokio);

    #[test]
    fn a_notification_goes_where_tokios_goes() {
        compare(lock_log::<Ours>, lock_log::<Tokios>);
    }
}

/// A channel from several to one: the operations that are compared, in one macro for both sides, whose names are the same.
macro_rules! channel_log {
    ($name:ident, $mpsc:path, $make:ident) => {
        fn $name(seed: u64) -> Log {
            use $mpsc as mpsc;
            let mut chance = Generator::new(seed);
            let (sender, receiver) = mpsc::$make::<u64>(1 + chance.below(3) as usize);
            let mut senders: Vec<Option<_>> = (0..ACTORS).map(|_| Some(sender.clone())).collect();
            drop(sender);
            let mut receiver = Some(receiver);
            let (mut actors, mut log) = (Actors::<()>::new(), Log::new());
            for number in 0..STEPS as u64 {
                let actor = chance.below(ACTORS as u64) as usize;
                let said = match chance.below(16) {
                    0..=4 if actors.is_free(actor) => match senders[actor].clone() {
                        None => "is gone".to_owned(),
                        Some(sender) => {
                            actors.waiting[actor] = Some(Box::pin(async move { sender.send(number).await.ok() }));
                            let said = format!("sends {number}: {}", actors.poll(actor));
                            actors.has[actor] = None;
                            said
                        }
                    },
                    5 => match &senders[actor] {
                        None => "is gone".to_owned(),
                        Some(sender) => format!("tries {number}: {:?}", sender.try_send(number).is_ok()),
                    },
                    6 => format!("gives up: {}", actors.waiting[actor].take().is_some()),
                    7..=10 => match &mut receiver {
                        None => "nobody receives".to_owned(),
                        Some(receiver) => {
                            let polled = receiver.poll_recv(&mut Context::from_waker(Waker::noop()));
                            format!("receives {polled:?}")
                        }
                    },
                    11 if chance.below(4) == 0 => {
                        actors.waiting[actor] = None;
                        senders[actor] = None;
                        "leaves".to_owned()
                    }
                    12 if chance.below(8) == 0 => {
                        // One that was given a slot and has not run yet may use it here; tokio refuses it.
                        for actor in 0..ACTORS {
                            actors.poll(actor);
                            actors.has[actor] = None;
                        }
                        receiver.iter_mut().for_each(|receiver| receiver.close());
                        "the receiver closes".to_owned()
                    }
                    13 if chance.below(12) == 0 => {
                        receiver = None;
                        "the receiver leaves".to_owned()
                    }
                    _ => {
                        let said = actors.poll(actor).to_owned();
                        actors.has[actor] = None;
                        said
                    }
                };
                log.push(format!("{actor} {said}"));
            }
            // All that was taken comes out.
            for _ in 0..2 * ACTORS {
                for actor in 0..ACTORS {
                    log.push(format!("at the end, {actor}: {}", actors.poll(actor)));
                    actors.has[actor] = None;
                }
                senders.iter_mut().for_each(|sender| *sender = None);
                if let Some(receiver) = &mut receiver {
                    log.push(format!("at the end: {:?}", receiver.poll_recv(&mut Context::from_waker(Waker::noop()))));
                }
            }
            log
        }
    };
}

mod channels {
    use super::*;
    use std::task::{Context, Waker};

    channel_log!(ours, runtime::sync::mpsc, bounded);
    channel_log!(tokios, tokio::sync::mpsc, channel);

    #[test]
    fn a_bounded_channel_does_what_tokios_does() {
        compare(ours, tokios);
    }
}

/// A channel from one to several, each of whom hears all; both sides in one macro.
macro_rules! broadcast_log {
    ($name:ident, $broadcast:path) => {
        fn $name(seed: u64) -> Log {
            use $broadcast as broadcast;
            let mut chance = Generator::new(seed);
            // As many as tokio does not round up.
            let (sender, receiver) = broadcast::channel::<usize>(4);
            let mut sender = Some(sender);
            let mut receivers: Vec<Option<_>> = (0..ACTORS).map(|_| None).collect();
            receivers[0] = Some(receiver);
            let mut log = Log::new();
            for number in 0..STEPS {
                let actor = chance.below(ACTORS as u64) as usize;
                let said = match (chance.below(12), &sender, &mut receivers[actor]) {
                    (0..=4, Some(sender), _) => format!("says {number}: {:?}", sender.send(number).ok()),
                    (5, Some(sender), place @ None) => {
                        *place = Some(sender.subscribe());
                        "comes".to_owned()
                    }
                    (6, _, place) if chance.below(3) == 0 => format!("goes: {}", place.take().is_some()),
                    (7, Some(_), _) if chance.below(20) == 0 => {
                        sender = None;
                        "the sender goes".to_owned()
                    }
                    (8..=9, _, Some(receiver)) => match poll(pin!(receiver.recv())) {
                        Poll::Pending => "waits".to_owned(),
                        Poll::Ready(Ok(number)) => format!("hears {number}"),
                        Poll::Ready(Err(broadcast::error::RecvError::Lagged(missed))) => format!("missed {missed}"),
                        Poll::Ready(Err(broadcast::error::RecvError::Closed)) => "the end".to_owned(),
                    },
                    // tokio counts what was missed too.
                    (10, _, Some(receiver)) => format!("{} to hear", receiver.len().min(4)),
                    _ => "nothing".to_owned(),
                };
                log.push(format!("{actor} {said}"));
            }
            log
        }
    };
}

mod broadcasts {
    use super::*;
    use std::pin::pin;

    /// Ours, with the errors where tokio has them.
    mod ours_like_tokios {
        pub(super) use runtime::sync::broadcast::*;
        pub(super) mod error {
            pub(in super::super) use runtime::sync::broadcast::RecvError;
        }
    }

    broadcast_log!(ours, self::ours_like_tokios);
    broadcast_log!(tokios, tokio::sync::broadcast);

    #[test]
    fn a_broadcast_does_what_tokios_does() {
        compare(ours, tokios);
    }
}

/// A program of tasks for async-lock's and async-channel's: they send numbered values through a channel with little room, and
/// count under a lock that they hold over a yield. The log is what must come out, whatever the order.
macro_rules! program_log {
    ($name:ident, $mutex:ty, $channel:expr) => {
        fn $name(seed: u64) -> Log {
            Runtime::simulated(seed).block_on(async {
                let counted = Arc::new(<$mutex>::new(0_usize));
                let most = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
                let (sender, receiver) = $channel(2);
                let heard = Arc::new(Mutex::new(vec![Vec::new(); ACTORS]));
                let tasks = (0..ACTORS).map(|actor| {
                    let (counted, most, sender) = (counted.clone(), most.clone(), sender.clone());
                    runtime::spawn(async move {
                        for number in 0..10 {
                            sender.send((actor, number)).await.unwrap();
                            let mut count = counted.lock().await;
                            let inside = most.0.fetch_add(1, Ordering::Relaxed) + 1;
                            most.1.fetch_max(inside, Ordering::Relaxed);
                            let seen = *count;
                            yield_now().await;
                            *count = seen + 1;
                            most.0.fetch_sub(1, Ordering::Relaxed);
                        }
                    })
                });
                let tasks: Vec<_> = tasks.collect();
                drop(sender);
                #[allow(unused_mut, reason = "only one of the two receives through `&mut`")]
                let mut receiver = receiver;
                while let Some((actor, number)) = Option::from(receiver.recv().await.into_iter().next()) {
                    let (actor, number): (usize, i32) = (actor, number);
                    heard.lock().unwrap()[actor].push(number);
                }
                for task in tasks {
                    task.await.unwrap();
                }
                let heard = heard.lock().unwrap().clone();
                let count = *counted.lock().await;
                vec![format!("{heard:?} {count} {}", most.1.load(Ordering::Relaxed))]
            })
        }
    };
}

mod programs {
    use super::*;

    program_log!(ours, runtime::sync::Mutex<usize>, runtime::sync::mpsc::bounded::<(usize, i32)>);
    program_log!(theirs, async_lock::Mutex<usize>, async_channel::bounded::<(usize, i32)>);

    #[test]
    fn a_program_comes_to_what_it_comes_to_with_async_lock_and_async_channel() {
        compare(ours, theirs);
    }
}
