//! The reactor over each backend: the contract of the seam, and sources that come and go while events are handed out.

use super::{pollable::Pollable, *};
use crate::time::real_now;
// Pipes are the sources that Miri knows best.
use mio::unix::pipe::{self, Receiver, Sender};
use std::{
    io::Write,
    os::fd::AsFd,
    sync::atomic::{AtomicBool, AtomicUsize as Count},
    task::Wake,
    thread,
    time::Duration,
};

struct Counter(Count);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// What a worker has of it, and what it does in a turn.
struct Turn {
    poller: Poller,
    reactor: Arc<Reactor>,
    notify: Arc<Notify>,
    events: Vec<PollEvent>,
    wakers: Vec<Waker>,
}

impl Turn {
    fn new(backend: Backend) -> Self {
        let (poller, registry, notify) = Poller::new(backend).unwrap();
        let reactor = Arc::new(Reactor::new(registry, RuntimeId::fresh()));
        Self { poller, reactor, notify: Arc::new(notify), events: Vec::new(), wakers: Vec::new() }
    }

    /// Gives how many sources were found ready.
    fn turn(&mut self, wait: Wait) -> usize {
        let mut found = 0;
        self.poller.wait(wait, &mut self.events).unwrap();
        self.reactor.take_events(&mut self.events, &mut self.wakers, |_| found += 1);
        self.wakers.drain(..).for_each(Waker::wake);
        found
    }
}

fn on_each_backend(test: impl Fn(Turn)) {
    test(Turn::new(Backend::Mio));
    // polling begins with a timer descriptor, which Miri does not know.
    #[cfg(all(feature = "polling", not(miri)))]
    for backend in [Backend::Polling, Backend::PollingOneShot] {
        test(Turn::new(backend));
    }
}

fn pair() -> (Receiver, Sender) {
    let (theirs, ours) = pipe::new().unwrap();
    (ours, theirs)
}

fn wait_to_read(registration: &Registration, stream: &Receiver, waker: &Waker) -> bool {
    let (mut context, mut waiting) = (Context::from_waker(waker), Waiting::default());
    registration
        .poll_ready(stream.watched(), Direction::Read, Unknown::Ask, &mut context, &mut waiting)
        .map(Result::unwrap)
        .is_pending()
}

#[test]
fn a_notification_ends_the_wait_or_the_next_one() {
    on_each_backend(|mut turn| {
        turn.notify.notify();
        turn.turn(Wait::Event);
        let notify = turn.notify.clone();
        let other = thread::spawn(move || notify.notify());
        turn.turn(Wait::Event);
        other.join().unwrap();
    });
}

/// Never early, whatever deadline the wait before was given; and how late, for the eye.
#[test]
fn a_wait_lasts_until_its_deadline() {
    on_each_backend(|mut turn| {
        let (mut late, mut early) = (Vec::new(), 0);
        for round in 0..if cfg!(miri) { 3 } else { 300 } {
            // A deadline that nobody waits for any more, soon or late.
            turn.notify.notify();
            let forgotten = Duration::from_micros([20, 100_000_000][round % 2]);
            turn.turn(Wait::Until(real_now() + forgotten));
            let deadline = real_now() + Duration::from_micros(50 + 7 * round as u64);
            turn.turn(Wait::Until(deadline));
            while real_now() < deadline {
                early += 1;
                turn.turn(Wait::Until(deadline));
            }
            late.push(real_now() - deadline);
        }
        // Only a signal may end it before its time: other tests have a few children that end.
        assert!(early <= 10, "got up {early} times before the deadline");
        late.sort();
        println!("late: median {:?}, 99th {:?}", late[late.len() / 2], late[late.len() * 99 / 100]);
    });
}

#[test]
fn a_deadline_that_has_passed_is_no_wait() {
    on_each_backend(|mut turn| {
        turn.turn(Wait::Until(real_now()));
        turn.turn(Wait::Now);
    });
}

/// A reader alone does not ask whether it could write: registering it is no event.
#[test]
fn registering_a_reader_gets_nobody_up() {
    on_each_backend(|mut turn| {
        let (ours, mut theirs) = pair();
        let registration = turn.reactor.register(ours.watched(), Direction::Read).unwrap();
        assert!(wait_to_read(&registration, &ours, Waker::noop()));
        assert_eq!(turn.turn(Wait::Now), 0);
        assert!(turn.reactor.has_waiters());
        theirs.write_all(b"x").unwrap();
        assert_eq!(turn.turn(Wait::Event), 1);
        assert!(!turn.reactor.has_waiters());
        registration.deregister(ours.watched());
    });
}

/// Two threads register and deregister sources that are ready at once, while a third hands out their events (tokio #3019).
/// Each wait is ended or was given up; an event for a former owner of a place wakes nobody.
#[test]
fn sources_come_and_go_while_events_are_handed_out() {
    const EACH: usize = if cfg!(miri) { 20 } else { 50_000 };
    on_each_backend(|mut turn| {
        let over = Arc::new(AtomicBool::new(false));
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let (reactor, notify) = (turn.reactor.clone(), turn.notify.clone());
                thread::spawn(move || {
                    let (ours, mut theirs) = pair();
                    let (quiet, _their_end) = pair();
                    theirs.write_all(b"x").unwrap();
                    for round in 0..EACH {
                        let ready = reactor.register(ours.watched(), Direction::Read).unwrap();
                        let silent = reactor.register(quiet.watched(), Direction::Read).unwrap();
                        let never = Arc::new(Counter(Count::new(0)));
                        assert!(wait_to_read(&silent, &quiet, &never.clone().into()));
                        let woken = Arc::new(Counter(Count::new(0)));
                        // Now and then, wait for the event; else leave while it is on its way.
                        if wait_to_read(&ready, &ours, &woken.clone().into()) && round % 16 == 0 {
                            while woken.0.load(Ordering::Relaxed) == 0 {
                                thread::yield_now();
                            }
                        }
                        silent.deregister(quiet.watched());
                        ready.deregister(ours.watched());
                        drop((silent, ready));
                        assert_eq!(never.0.load(Ordering::Relaxed), 0, "an event for another source");
                        assert_eq!(Arc::strong_count(&never), 1, "a waker was left behind");
                    }
                    notify.notify();
                })
            })
            .collect();
        let join = thread::spawn({
            let (over, notify) = (over.clone(), turn.notify.clone());
            move || {
                let ends: Vec<_> = threads.into_iter().map(|thread| thread.join()).collect();
                over.store(true, Ordering::Release);
                notify.notify();
                ends.into_iter().for_each(|end| end.unwrap());
            }
        });
        while !over.load(Ordering::Acquire) {
            turn.turn(Wait::Event);
        }
        join.join().unwrap();
        assert!(turn.reactor.sources.lock().unwrap().slots.is_empty());
        assert!(!turn.reactor.has_waiters());
    });
}

/// A source that was closed before it was deregistered, with a copy of it alive: the system goes on reporting it, under a
/// token that belongs to nobody (tokio #6329).
#[test]
fn a_source_closed_behind_our_back_gives_its_events_to_nobody() {
    on_each_backend(|mut turn| {
        let (ours, mut theirs) = pair();
        let copy = ours.as_fd().try_clone_to_owned().unwrap();
        let closed = turn.reactor.register(ours.watched(), Direction::Read).unwrap();
        drop(ours);
        drop(closed);
        let (fresh, mut to_fresh) = pair();
        let registration = turn.reactor.register(fresh.watched(), Direction::Read).unwrap();
        let woken = Arc::new(Counter(Count::new(0)));
        assert!(wait_to_read(&registration, &fresh, &woken.clone().into()));
        theirs.write_all(b"stale").unwrap();
        assert_eq!(turn.turn(Wait::Now), 0);
        assert_eq!(woken.0.load(Ordering::Relaxed), 0);
        to_fresh.write_all(b"fresh").unwrap();
        assert_eq!(turn.turn(Wait::Event), 1);
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
        registration.deregister(fresh.watched());
        drop(copy);
    });
}

/// Registering fails cleanly for what cannot be waited for, and leaves no place behind.
#[cfg(all(target_os = "linux", not(miri)))]
#[test]
fn what_cannot_be_waited_for_takes_no_place() {
    on_each_backend(|turn| {
        let file = std::fs::File::open(env!("CARGO_MANIFEST_DIR").to_owned() + "/Cargo.toml").unwrap();
        turn.reactor.register(file.watched(), Direction::Read).unwrap_err();
        assert!(turn.reactor.sources.lock().unwrap().slots.is_empty());
    });
}

#[test]
fn a_closed_reactor_takes_nobody_in_and_wakes_those_who_wait() {
    on_each_backend(|turn| {
        let (ours, _theirs) = pair();
        let registration = turn.reactor.register(ours.watched(), Direction::Read).unwrap();
        let woken = Arc::new(Counter(Count::new(0)));
        assert!(wait_to_read(&registration, &ours, &woken.clone().into()));
        turn.reactor.close().into_iter().for_each(Waker::wake);
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
        let (other, _their_end) = pair();
        assert!(turn.reactor.register(other.watched(), Direction::Read).is_err());
        assert!(!turn.reactor.has_waiters());
    });
}
