//! Going to sleep, under loom: a worker that parks while another thread brings work.

use super::park::ParkState;
use loom::{
    sync::{Arc, Condvar, Mutex},
    thread,
};
use std::collections::VecDeque;

/// The reactor's part, as a flag and a condition variable.
struct Sleeper {
    interrupted: Mutex<bool>,
    wake: Condvar,
}

/// Work pushed while the worker goes to sleep is found: it never sleeps on a queue that is not empty. (If it does, loom
/// reports that every thread is blocked.)
/// Broken by: `prepare` storing PARKED without looking at what was there.
#[test]
fn a_push_while_the_worker_parks_is_not_slept_through() {
    let executions = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = executions.clone();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(3);
    builder.check(move || {
        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let state = Arc::new(ParkState::new());
        let queue = Arc::new(Mutex::new(VecDeque::new()));
        let sleeper = Arc::new(Sleeper { interrupted: Mutex::new(false), wake: Condvar::new() });
        let producer = {
            let (state, queue, sleeper) = (state.clone(), queue.clone(), sleeper.clone());
            thread::spawn(move || {
                for job in 0..2 {
                    queue.lock().unwrap().push_back(job);
                    if state.nudge() {
                        *sleeper.interrupted.lock().unwrap() = true;
                        sleeper.wake.notify_one();
                    }
                }
            })
        };
        let mut done = 0;
        while done < 2 {
            while queue.lock().unwrap().pop_front().is_some() {
                done += 1;
            }
            if done < 2 && state.prepare() {
                let mut interrupted = sleeper.interrupted.lock().unwrap();
                while !*interrupted {
                    interrupted = sleeper.wake.wait(interrupted).unwrap();
                }
                *interrupted = false;
                drop(interrupted);
                state.unprepare();
            }
        }
        producer.join().unwrap();
    });
    println!("model park: {} executions", executions.load(std::sync::atomic::Ordering::Relaxed));
}
