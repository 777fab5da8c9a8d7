//! Falling asleep, under loom: with the reactor modelled by a flag and a condition variable.

use super::{
    idle::Idle,
    park::ParkState,
    round::{Answer, Round},
};
use crate::std_or_loom::{AtomicUsize, Mutex, Ordering, UnsafeCell, fence, model};
use loom::{
    sync::{Arc, Condvar},
    thread,
};
use std::collections::VecDeque;

/// The reactor's part: what `nudge` interrupts.
struct Sleeper {
    park: ParkState,
    interrupted: Mutex<bool>,
    wake: Condvar,
}

impl Sleeper {
    fn new() -> Self {
        Self { park: ParkState::new(), interrupted: Mutex::new(false), wake: Condvar::new() }
    }

    fn nudge(&self) {
        if self.park.nudge() {
            *self.interrupted.lock().unwrap() = true;
            self.wake.notify_one();
        }
    }

    fn wait(&self) {
        let mut interrupted = self.interrupted.lock().unwrap();
        while !*interrupted {
            interrupted = self.wake.wait(interrupted).unwrap();
        }
        *interrupted = false;
    }
}

/// Work pushed while the worker goes to sleep is found: it never sleeps on a queue that is not empty. (If it does, loom
/// reports that every thread is blocked.)
/// Broken by: `prepare` storing PARKED without looking at what was there.
#[test]
fn a_push_while_the_worker_parks_is_not_slept_through() {
    model("park", 3, || {
        let sleeper = Arc::new(Sleeper::new());
        let queue = Arc::new(Mutex::new(VecDeque::new()));
        let producer = {
            let (sleeper, queue) = (sleeper.clone(), queue.clone());
            thread::spawn(move || {
                for job in 0..2 {
                    queue.lock().unwrap().push_back(job);
                    sleeper.nudge();
                }
            })
        };
        let mut done = 0;
        while done < 2 {
            while queue.lock().unwrap().pop_front().is_some() {
                done += 1;
            }
            if done < 2 && sleeper.park.prepare() {
                sleeper.wait();
                sleeper.park.unprepare();
            }
        }
        producer.join().unwrap();
    });
}

/// A neighbour looks at the worker's reactor just when the worker falls asleep and is nudged, and meets the notification: the
/// worker does not wait for it.
/// Broken by: `wait` sleeping although it is no longer parked when it has the reactor.
#[test]
fn a_notification_that_a_neighbour_meets_is_not_waited_for() {
    model("park, neighbour", 3, || {
        let sleeper = Arc::new(Sleeper::new());
        let (reactor, job) = (Arc::new(Mutex::new(())), Arc::new(Mutex::new(false)));
        let producer = {
            let (sleeper, job) = (sleeper.clone(), job.clone());
            thread::spawn(move || {
                *job.lock().unwrap() = true;
                sleeper.nudge();
            })
        };
        let neighbour = {
            let (sleeper, reactor) = (sleeper.clone(), reactor.clone());
            thread::spawn(move || {
                if let Ok(_turns) = reactor.try_lock() {
                    *sleeper.interrupted.lock().unwrap() = false;
                }
            })
        };
        while !*job.lock().unwrap() {
            if sleeper.park.prepare() {
                let turns = reactor.lock().unwrap();
                if sleeper.park.is_parked() {
                    sleeper.wait();
                }
                drop(turns);
                sleeper.park.unprepare();
            }
        }
        producer.join().unwrap();
        neighbour.join().unwrap();
    });
}

/// Workers that share nothing but a count of tasks: as weakly ordered as the ring's positions are.
struct Crew {
    idle: Idle,
    tasks: AtomicUsize,
    sleepers: Vec<Sleeper>,
}

impl Crew {
    fn new(workers: usize) -> Arc<Self> {
        let sleepers = (0..workers).map(|_| Sleeper::new()).collect();
        Arc::new(Self { idle: Idle::new(workers), tasks: AtomicUsize::new(0), sleepers })
    }

    fn has_work(&self) -> bool {
        self.tasks.load(Ordering::Acquire) > 0
    }

    fn push(&self) {
        self.tasks.fetch_add(1, Ordering::Release);
        self.wake_one();
    }

    fn wake_one(&self) {
        if let Some(worker) = self.idle.wake_one() {
            self.sleepers[worker].nudge();
        }
    }

    fn take(&self) -> bool {
        let mut tasks = self.tasks.load(Ordering::Acquire);
        while tasks > 0 {
            match self.tasks.compare_exchange(tasks, tasks - 1, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return true,
                Err(now) => tasks = now,
            }
        }
        false
    }

    /// `search_or_sleep` of the worker, until it has found one task; then it is busy for ever.
    fn work_on_one(&self, worker: usize) {
        let mut searching = false;
        loop {
            searching = searching || self.idle.begin_search();
            if searching && self.take() {
                if self.idle.end_search() && self.has_work() {
                    self.wake_one();
                }
                return;
            }
            let sleeper = &self.sleepers[worker];
            if !sleeper.park.prepare() {
                if std::mem::take(&mut searching) && self.idle.end_search() && self.has_work() {
                    self.wake_one();
                }
                continue;
            }
            let last = self.idle.fall_asleep(worker, std::mem::take(&mut searching));
            if !(last && self.has_work()) {
                sleeper.wait();
            }
            sleeper.park.unprepare();
            searching = self.idle.get_up(worker);
        }
    }
}

/// A task pushed while the only other worker falls asleep is not slept through.
/// Broken by: the fence in `wake_one` gone (tokio #1768), or that in `fall_asleep`.
#[test]
fn a_push_is_seen_by_the_sleeper_or_the_sleeper_by_the_push() {
    model("idle, one worker", 3, || {
        let crew = Crew::new(2);
        let worker = {
            let crew = crew.clone();
            thread::spawn(move || crew.work_on_one(0))
        };
        crew.push();
        worker.join().unwrap();
    });
}

/// Two tasks, two workers, and each worker is busy for ever with the first task it gets: both tasks are run.
/// Broken by: whoever stops searching not waking another (tokio #4383).
#[test]
fn the_last_searcher_sends_another() {
    model("idle, two workers", 2, || {
        let crew = Crew::new(2);
        let workers = [0, 1].map(|worker| {
            let crew = crew.clone();
            thread::spawn(move || crew.work_on_one(worker))
        });
        crew.push();
        crew.push();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
}

/// The bare handshake of `idle`: one thread pushes and looks for sleepers, the other falls asleep and looks for work.
fn one_of_them_sees_the_other(name: &str, between: fn()) {
    model(name, 3, move || {
        let shared = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
        let pusher = {
            let shared = shared.clone();
            thread::spawn(move || {
                shared.0.store(1, Ordering::Release);
                between();
                shared.1.load(Ordering::Acquire) > 0
            })
        };
        shared.1.store(1, Ordering::Release);
        between();
        let sleeper_sees = shared.0.load(Ordering::Acquire) > 0;
        assert!(pusher.join().unwrap() || sleeper_sees, "the task is slept past");
    });
}

#[test]
fn a_look_for_sleepers_behind_a_fence() {
    one_of_them_sees_the_other("fenced", || fence(Ordering::SeqCst));
}

/// The twin: tokio #1768.
#[test]
#[should_panic(expected = "the task is slept past")]
fn a_look_for_sleepers_without_a_fence() {
    one_of_them_sees_the_other("not fenced", || ());
}

/// A worker begins, and has a task, while all tasks are to end: the end waits until that task is gone. A worker that begins in the
/// new round takes none.
/// Broken by: the fence in `begin` gone, or that in `call`; `begin` answering before it is present.
#[test]
fn an_end_waits_for_a_worker_that_has_just_begun() {
    model("round", 3, || {
        // What a task uses, and what the end takes away: loom reports two accesses that nothing orders.
        let crew = Arc::new((Round::new(), Answer::new(), UnsafeCell::new(())));
        let worker = {
            let crew = crew.clone();
            thread::spawn(move || {
                let (round, answer, used) = &*crew;
                answer.begin(round);
                if !answer.owes(1) {
                    return answer.leave();
                }
                used.with_mut(|_by_a_task| ());
                while !answer.owes(round.number()) {
                    thread::yield_now();
                }
                used.with_mut(|_by_the_drop_of_that_task| ());
                answer.has_swept(round.number());
                answer.leave();
            })
        };
        let (round, answer, used) = &*crew;
        round.call();
        while answer.is_waited_for(round.number()) {
            thread::yield_now();
        }
        used.with_mut(|_taken_away| ());
        worker.join().unwrap();
    });
}
