//! Section 16, trio's parking lot, held of [`runtime::sync::Semaphore`] with no permits: to park is to take one, and to unpark is to
//! add as many as there are to be woken.
//!
//! | case that does not apply | why |
//! |---|---|
//! | repark, repark_all, and cancelling one that was moved | nobody is moved from one line to another: whoever is woken asks where it wants to wait next, and a condition's waiters ask for the lock themselves |
//! | unpark on an empty lot is a no-op | a permit that nobody waits for is kept, and a lot must not keep it: `unpark` below takes back what is left |

use runtime::{JoinHandle, Runtime, spawn, sync::Semaphore, yield_now};
use std::sync::{Arc, Mutex};

/// On one worker; a turn is a `yield_now`.
fn run<T>(case: impl Future<Output = T>) -> T {
    Runtime::builder().virtual_clock().build().unwrap().block_on(case)
}

#[derive(Clone)]
struct Lot {
    line: Arc<Semaphore>,
    woken: Arc<Mutex<Vec<u32>>>,
}

impl Lot {
    fn new() -> Self {
        Self { line: Arc::new(Semaphore::new(0)), woken: Arc::default() }
    }

    fn park(&self, number: u32) -> JoinHandle<()> {
        let lot = self.clone();
        spawn(async move {
            lot.line.acquire().await.unwrap().forget();
            lot.woken.lock().unwrap().push(number);
        })
    }

    fn unpark(&self, count: usize) {
        self.line.add_permits(count);
        self.line.forget_permits(count);
    }

    fn woken(&self) -> Vec<u32> {
        self.woken.lock().unwrap().clone()
    }
}

#[test]
fn parking_lot_basic() {
    run(async {
        let lot = Lot::new();
        lot.unpark(1); // nobody: nothing happens, also not later
        let tasks = [0, 1, 2].map(|number| lot.park(number));
        yield_now().await;
        assert_eq!(lot.woken(), []);
        lot.unpark(3);
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(lot.woken(), [0, 1, 2]);

        // One by one, in the order in which they came.
        lot.woken.lock().unwrap().clear();
        let tasks = [0, 1, 2].map(|number| lot.park(number));
        yield_now().await;
        for count in 1..=3 {
            lot.unpark(1);
            yield_now().await;
            assert_eq!(lot.woken(), (0..count).collect::<Vec<_>>());
        }
        for task in tasks {
            task.await.unwrap();
        }

        // Two of three.
        lot.woken.lock().unwrap().clear();
        let tasks = [0, 1, 2].map(|number| lot.park(number));
        yield_now().await;
        lot.unpark(2);
        yield_now().await;
        assert_eq!(lot.woken(), [0, 1]);
        lot.unpark(usize::from(u16::MAX));
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(lot.line.available_permits(), 0);
    });
}

#[test]
fn parking_lot_cancel() {
    run(async {
        let lot = Lot::new();
        let [first, middle, last] = [1, 2, 3].map(|number| lot.park(number));
        yield_now().await;
        middle.abort();
        assert!(middle.await.is_err_and(|error| error.is_cancelled()));
        lot.unpark(2);
        first.await.unwrap();
        last.await.unwrap();
        assert_eq!(lot.woken(), [1, 3]);
    });
}

/// One that is cancelled when it was unparked already hands that on.
#[test]
fn parking_lot_cancel_of_one_that_was_unparked() {
    run(async {
        let lot = Lot::new();
        let [first, second] = [1, 2].map(|number| lot.park(number));
        yield_now().await;
        lot.unpark(1);
        first.abort();
        assert!(first.await.is_err());
        second.await.unwrap();
        assert_eq!(lot.woken(), [2]);
    });
}
