//! A source under loom: the reactor's thread, the task that waits, and who gives up or closes meanwhile.

use super::*;
use crate::std_or_loom::model;
use loom::{
    sync::{Condvar, Mutex as LoomMutex},
    thread,
};
use std::task::Wake;

/// A thread that sleeps until it is woken. Never woken, it sleeps for ever, and loom reports that every thread is blocked.
#[derive(Default)]
struct Sleeper {
    woken: LoomMutex<bool>,
    wake: Condvar,
}

impl Sleeper {
    fn sleep(&self) {
        let mut woken = self.woken.lock().unwrap();
        while !*woken {
            woken = self.wake.wait(woken).unwrap();
        }
        *woken = false;
    }
}

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        *self.woken.lock().unwrap() = true;
        self.wake.notify_one();
    }
}

fn event() -> PollEvent {
    let token = Token { slot: 0, generation: 1 };
    PollEvent { token, read: true, write: false, read_closed: false, write_closed: false, spent: false }
}

/// What the worker does with an event.
fn deliver(source: &Source) {
    let mut wakers = Vec::new();
    source.ready(&event(), &mut wakers);
    wakers.into_iter().for_each(Waker::wake);
}

fn poll(source: &Source, sleeper: &Arc<Sleeper>, waiting: &mut Waiting) -> Poll<io::Result<Tick>> {
    let waker = Waker::from(sleeper.clone());
    source.poll_ready(Direction::Read, Unknown::Try, &mut Context::from_waker(&waker), waiting, |_| Ok(()))
}

/// Two bytes come, each with its event.
fn send_two(source: &Source, bytes: &LoomMutex<usize>) {
    for _ in 0..2 {
        *bytes.lock().unwrap() += 1;
        deliver(source);
    }
}

/// Takes both: tries when it may be ready, forgets the readiness when there is nothing, sleeps when it is not ready.
fn receive_two(source: &Source, bytes: &LoomMutex<usize>, sleeper: &Arc<Sleeper>) {
    let (mut waiting, mut read) = (Waiting::default(), 0);
    while read < 2 {
        match poll(source, sleeper, &mut waiting) {
            Poll::Ready(tick) => {
                let found = std::mem::take(&mut *bytes.lock().unwrap());
                if found == 0 {
                    source.blocked(Direction::Read, tick.unwrap());
                }
                read += found;
            }
            Poll::Pending => sleeper.sleep(),
        }
    }
}

/// Bytes and their event come while a reader tries, finds nothing, forgets the readiness and goes to sleep: it gets them all.
/// Broken by: `Source::clear` not looking at the tick; by `Source::wait` not looking again under the lock.
#[test]
fn an_event_is_never_slept_through() {
    model("source readiness", 3, || {
        let source = Arc::new(Source::new(Interest::READ, Arc::default()));
        let bytes = Arc::new(LoomMutex::new(0));
        let system = {
            let (source, bytes) = (source.clone(), bytes.clone());
            thread::spawn(move || send_two(&source, &bytes))
        };
        receive_two(&source, &bytes, &Arc::default());
        system.join().unwrap();
        assert_eq!(waits(&source), 0);
    });
}

fn waits(source: &Source) -> usize {
    source.waits().load(Ordering::Relaxed)
}

/// Of two that wait, one gives up while events come: the other one gets its bytes, and no waker is left behind.
/// Broken by: `Source::leave` taking the waker although another waits; by `Source::leave` not looking at the tick.
#[test]
fn giving_up_takes_nobody_elses_wait() {
    model("source leave", 3, || {
        let source = Arc::new(Source::new(Interest::READ, Arc::default()));
        let bytes = Arc::new(LoomMutex::new(0));
        let sleeper = Arc::new(Sleeper::default());
        let mut gives_up = Waiting::default();
        assert!(poll(&source, &sleeper, &mut gives_up).is_pending());
        let leaver = {
            let source = source.clone();
            thread::spawn(move || source.leave(Direction::Read, &mut gives_up))
        };
        let system = {
            let (source, bytes) = (source.clone(), bytes.clone());
            thread::spawn(move || send_two(&source, &bytes))
        };
        receive_two(&source, &bytes, &sleeper);
        leaver.join().unwrap();
        system.join().unwrap();
        assert_eq!(waits(&source), 0);
    });
}

/// A source that is registered and waited for while the reactor closes is refused, or fails, or is woken and then fails
/// (tokio #2903).
/// Broken by: `Sources::add` not looking whether the reactor is closed; by `look` not doing so.
#[test]
fn nobody_waits_in_a_reactor_that_was_closed() {
    model("reactor close", 3, || {
        let sources = Arc::new(LoomMutex::new(Sources::default()));
        let closer = {
            let sources = sources.clone();
            thread::spawn(move || {
                let mut wakers = Vec::new();
                sources.lock().unwrap().close(&mut wakers);
                wakers.into_iter().for_each(Waker::wake);
            })
        };
        let added = sources.lock().unwrap().add(Interest::READ, &Arc::default());
        if let Ok((_, source)) = added {
            let (sleeper, mut waiting) = (Arc::new(Sleeper::default()), Waiting::default());
            while poll(&source, &sleeper, &mut waiting).is_pending() {
                sleeper.sleep();
            }
            assert_eq!(waits(&source), 0);
        }
        closer.join().unwrap();
    });
}

/// Two tasks ask at once, each for its direction: the system ends up watching both.
/// Broken by: `Source::ask` calling the system after the lock is released.
#[test]
fn two_directions_asked_for_at_once_are_both_watched() {
    model("source ask", 3, || {
        let source = Arc::new(Source::new(Interest { read: false, write: false }, Arc::default()));
        let system = Arc::new(LoomMutex::new(Interest { read: false, write: false }));
        let ask = |source: &Source, system: &LoomMutex<Interest>, direction| {
            let mut context = Context::from_waker(Waker::noop());
            let polled =
                source.poll_ready(direction, Unknown::Ask, &mut context, &mut Waiting::default(), |interest| {
                    // The system call may come much later than what it was computed from.
                    thread::yield_now();
                    *system.lock().unwrap() = interest;
                    Ok(())
                });
            assert!(polled.is_pending());
        };
        let writer = {
            let (source, system) = (source.clone(), system.clone());
            thread::spawn(move || ask(&source, &system, Direction::Write))
        };
        ask(&source, &system, Direction::Read);
        writer.join().unwrap();
        assert_eq!(*system.lock().unwrap(), Interest::BOTH);
    });
}
