//! The read-write lock under loom, and with it the cell that its guards lend out: loom watches each access to it.

use super::*;
use crate::{std_or_loom::model, sync::semaphore::loom_models::block_on};
use loom::thread;

/// A reader beside a writer and another reader sees all of what was written, or nothing.
/// Broken by: `Exclusive::lock` asking for one permit; `Permits::add` giving back with `Relaxed`.
#[test]
fn readers_see_all_or_nothing() {
    model("rwlock_readers", 3, || {
        let lock = Arc::new(RwLock::new((0, 0)));
        let (written, read) = (lock.clone(), lock.clone());
        let writing = thread::spawn(move || {
            block_on(async {
                let mut pair = written.write().await;
                pair.0 += 1;
                thread::yield_now();
                pair.1 += 1;
            });
        });
        let look = |lock: &RwLock<(u8, u8)>| {
            let pair = block_on(lock.read());
            assert_eq!(pair.0, pair.1);
        };
        let reading = thread::spawn(move || look(&read));
        look(&lock);
        writing.join().unwrap();
        reading.join().unwrap();
        assert_eq!(*lock.try_write().unwrap(), (1, 1));
    });
}

/// A writer that reads on finds its own value, whoever else wants to write; and a reader that waited comes in beside it.
/// Broken by: `downgrade` giving all permits back.
#[test]
fn nobody_writes_between_a_writer_and_its_reading() {
    model("rwlock_downgrade", 3, || {
        let lock = Arc::new(RwLock::new(0));
        let (other, read) = (lock.clone(), lock.clone());
        let writing = thread::spawn(move || block_on(async { *other.write().await = 2 }));
        let reading = thread::spawn(move || *block_on(read.read()));
        block_on(async {
            let mut guard = lock.write().await;
            *guard = 1;
            let guard = RwLockWriteGuard::downgrade(guard);
            assert_eq!(*guard, 1);
        });
        writing.join().unwrap();
        assert!(reading.join().unwrap() <= 2);
        assert!(lock.try_write().is_ok(), "a permit is lost");
    });
}
