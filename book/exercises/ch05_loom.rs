//! Chapter 5: the model that finds a lost wake.

use loom::{
    sync::{
        Condvar, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};
use std::{panic::catch_unwind, sync::Arc};

// ANCHOR: bells
/// What `block_on` sleeps on.
pub(crate) trait Bell: Send + Sync {
    fn wait(&self);
    fn ring(&self);
}

/// Looks, and then sleeps; but it looks at a flag that the lock does not guard.
pub(crate) struct Looks {
    rung: AtomicBool,
    lock: Mutex<()>,
    told: Condvar,
}

impl Bell for Looks {
    fn wait(&self) {
        if !self.rung.load(Ordering::Acquire) {
            let guard = self.lock.lock().unwrap();
            drop(self.told.wait(guard).unwrap());
        }
    }

    fn ring(&self) {
        self.rung.store(true, Ordering::Release);
        self.told.notify_one();
    }
}
// ANCHOR_END: bells

/// The one of the chapter.
struct Remembers {
    rung: Mutex<bool>,
    told: Condvar,
}

impl Bell for Remembers {
    fn wait(&self) {
        let mut rung = self.rung.lock().unwrap();
        while !*rung {
            rung = self.told.wait(rung).unwrap();
        }
        *rung = false;
    }

    fn ring(&self) {
        *self.rung.lock().unwrap() = true;
        self.told.notify_one();
    }
}

mod starter {
    use super::*;

    // ANCHOR: starter
    /// Run by loom in every order of its steps. `new` makes a bell.
    pub(crate) fn model(new: fn() -> Arc<dyn Bell>) {
        let bell = new();
        // TODO: one thread has only one order. Let another thread ring while this one waits.
        bell.ring();
        bell.wait();
    }
    // ANCHOR_END: starter
}

mod solution {
    use super::*;

    // ANCHOR: solution
    /// Run by loom in every order of its steps. `new` makes a bell.
    pub(crate) fn model(new: fn() -> Arc<dyn Bell>) {
        let bell = new();
        let ringer = bell.clone();
        let other = thread::spawn(move || ringer.ring());
        bell.wait();
        other.join().unwrap();
    }
    // ANCHOR_END: solution
}

/// Makes a bell.
type New = fn() -> Arc<dyn Bell>;

fn looks() -> Arc<dyn Bell> {
    Arc::new(Looks { rung: AtomicBool::new(false), lock: Mutex::new(()), told: Condvar::new() })
}

fn remembers() -> Arc<dyn Bell> {
    Arc::new(Remembers { rung: Mutex::new(false), told: Condvar::new() })
}

/// The model finds the bell that forgets, and is content with the one that remembers.
fn check(model: fn(New)) {
    let quiet = |new: New| catch_unwind(move || loom::model(move || model(new))).is_ok();
    assert!(quiet(remembers), "the model fails on the bell that is right");
    assert!(!quiet(looks), "the model is content with the bell that loses a wake");
}

crate::judge! { check(model), the starter fails with "content with the bell that loses a wake" }
