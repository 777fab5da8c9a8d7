//! The pool under loom: jobs handed to threads that come, go and grow tired.
//!
//! A thread that waits with an end, here, finds its time up at whatever moment loom chooses; one that waits without
//! (`Duration::MAX`) must be unparked. If a job or a thread is forgotten, loom reports that every thread is blocked.

use super::*;
use crate::{std_or_loom::model, task::TaskId};
use loom::{sync::Condvar, thread as loom_thread};

fn pool(most: usize, idle: Duration) -> Arc<Pool> {
    let settings = Settings { most, idle, nudge: None };
    Pool::with(settings, 1, Box::new(|life| thread::start("blocking", life)))
}

fn birth(number: u64) -> Birth {
    Birth { id: TaskId(number), name: None, place: std::panic::Location::caller() }
}

/// How many jobs are done. (Not by parking: loom's `unpark` also gets a thread up that waits for a lock or for another's end.)
struct Done {
    jobs: Mutex<usize>,
    changed: Condvar,
}

impl Done {
    fn new() -> Arc<Self> {
        Arc::new(Self { jobs: Mutex::new(0), changed: Condvar::new() })
    }

    fn one_more(&self) {
        *self.jobs.lock().unwrap() += 1;
        self.changed.notify_all();
    }

    fn wait_for(&self, jobs: usize) {
        let mut done = self.jobs.lock().unwrap();
        while *done < jobs {
            done = self.changed.wait(done).unwrap();
        }
    }
}

/// A job that comes while the thread grows tired is run: by that thread, which looks once more, or by a new one.
/// Broken by: `live` giving the lock back between its look at the queue and `leave`.
#[test]
fn a_job_for_a_thread_that_is_about_to_leave_is_run() {
    model("blocking_tired", 3, || {
        let pool = pool(1, Duration::ZERO);
        let done = Done::new();
        for number in 0..3 {
            let told = done.clone();
            drop(pool.spawn(birth(number), move || told.one_more()));
        }
        done.wait_for(3);
        assert!(pool.shut_down(Duration::MAX).is_empty());
        assert_eq!(pool.stats().threads, 0);
    });
}

/// A call to a thread that goes to sleep gets it up.
/// Broken by: `sit_down` not putting the thread among those that are seated.
#[test]
fn a_job_for_a_thread_that_falls_asleep_is_run() {
    model("blocking_asleep", 3, || {
        let pool = pool(1, Duration::MAX);
        let done = Done::new();
        for number in 0..2 {
            let told = done.clone();
            drop(pool.spawn(birth(number), move || told.one_more()));
            done.wait_for(1 + number as usize);
        }
        assert!(pool.shut_down(Duration::MAX).is_empty());
    });
}

/// A job that waits for another, which is queued behind it, does not wait for ever: a second thread comes, though the machine
/// has one core.
/// Broken by: `live` not calling the next thread when it takes a job; and by `take_job` holding back the impatient.
#[test]
fn a_job_stuck_behind_another_gets_a_thread_of_its_own() {
    model("blocking_stuck", 3, || {
        let pool = pool(2, Duration::MAX);
        let (first, second) = (Done::new(), Done::new());
        let (told, waited_for) = (first.clone(), second.clone());
        drop(pool.spawn(birth(1), move || {
            waited_for.wait_for(1);
            told.one_more();
        }));
        drop(pool.spawn(birth(2), move || second.one_more()));
        first.wait_for(1);
        assert!(pool.shut_down(Duration::MAX).is_empty());
    });
}

/// A job spawned while the pool is shut down is run or cancelled, and no thread remains.
/// Broken by: `spawn` not asking whether the pool is closed.
#[test]
fn a_job_spawned_during_the_shutdown_is_run_or_cancelled() {
    model("blocking_shut_down", 3, || {
        let pool = pool(1, Duration::MAX);
        let spawning = {
            let pool = pool.clone();
            loom_thread::spawn(move || pool.spawn(birth(1), || ()))
        };
        assert!(pool.shut_down(Duration::MAX).is_empty());
        let job = spawning.join().unwrap();
        assert!(job.is_finished());
        assert_eq!(pool.stats().threads, 0, "a thread was started behind the shutdown's back");
    });
}

/// A shutdown that does not wait reports the job that runs, or it is over.
/// Broken by: `take_job` not noting the job.
#[test]
fn a_shutdown_without_patience_reports_what_runs() {
    model("blocking_left", 3, || {
        let pool = pool(1, Duration::MAX);
        let job = pool.spawn(birth(1), || ());
        let left = pool.shut_down(Duration::ZERO);
        // Over, or cancelled, or on the list; it may be both over and on the list, if it ended just now.
        assert!(job.is_finished() || left.iter().any(|birth| birth.id == TaskId(1)));
        // The thread ends by itself.
        assert!(pool.shut_down(Duration::MAX).is_empty());
        assert!(job.is_finished());
    });
}
