//! Section 16, trio's `CapacityLimiter`, held of [`runtime::sync::Semaphore`] with owned permits: a token is a permit.
//!
//! | case that does not apply | why |
//! |---|---|
//! | re-acquire by the same borrower, release without | a permit belongs to who has it, not to a task: one task may have two, and only a permit gives one back |
//! | total set to a negative, an infinite or a broken number | a number of permits has no sign, and no fraction |
//! | a setter for the total | more: `add_permits`; fewer: `forget_permits`, and what others hold is forgotten when they leave. `Limiter` below is those two in ten lines |

use runtime::{
    JoinHandle, Runtime, spawn,
    sync::{OwnedPermit, Semaphore},
    yield_now,
};
use std::sync::{Arc, Mutex};

/// On one worker; a turn is a `yield_now`.
fn run<T>(case: impl Future<Output = T>) -> T {
    Runtime::builder().virtual_clock().build().unwrap().block_on(case)
}

/// A semaphore whose total may be set below what is out already: those who leave pay the debt first.
struct Limiter {
    tokens: Arc<Semaphore>,
    total: usize,
    debt: usize,
}

impl Limiter {
    fn new(total: usize) -> Self {
        Self { tokens: Arc::new(Semaphore::new(total)), total, debt: 0 }
    }

    fn set_total(&mut self, total: usize) {
        if total >= self.total {
            let more = total - self.total;
            let paid = more.min(self.debt);
            self.debt -= paid;
            self.tokens.add_permits(more - paid);
        } else {
            let fewer = self.total - total;
            self.debt += fewer - self.tokens.forget_permits(fewer);
        }
        self.total = total;
    }

    fn leave(&mut self, token: OwnedPermit) {
        if self.debt > 0 {
            self.debt -= 1;
            token.forget();
        }
    }
}

type Inside = Arc<Mutex<Vec<(u32, OwnedPermit)>>>;

fn enters(tokens: &Arc<Semaphore>, inside: &Inside, number: u32) -> JoinHandle<()> {
    let (tokens, inside) = (tokens.clone(), inside.clone());
    spawn(async move {
        let token = tokens.acquire_owned().await.unwrap();
        inside.lock().unwrap().push((number, token));
    })
}

fn numbers(inside: &Inside) -> Vec<u32> {
    inside.lock().unwrap().iter().map(|(number, _)| *number).collect()
}

#[test]
fn capacity_limiter() {
    run(async {
        let tokens = Arc::new(Semaphore::new(2));
        let (one, two) = (tokens.clone().acquire_owned().await.unwrap(), tokens.clone().try_acquire_owned().unwrap());
        assert!(tokens.try_acquire().is_err());
        assert_eq!(tokens.available_permits(), 0);
        drop(one);
        assert_eq!(tokens.available_permits(), 1);
        let again = tokens.try_acquire().unwrap();
        drop((two, again));
        assert_eq!(tokens.available_permits(), 2);
    });
}

#[test]
fn capacity_limiter_change_total_tokens() {
    run(async {
        let (mut limiter, inside) = (Limiter::new(2), Inside::default());
        let tasks: Vec<_> = (0..5).map(|number| enters(&limiter.tokens, &inside, number)).collect();
        yield_now().await;
        assert_eq!(numbers(&inside), [0, 1]);

        limiter.set_total(4);
        assert_eq!(limiter.tokens.available_permits(), 0, "they are given at once");
        yield_now().await;
        assert_eq!(numbers(&inside), [0, 1, 2, 3]);

        limiter.set_total(1); // four of one
        for left in (0..=3).rev() {
            yield_now().await;
            assert_eq!(numbers(&inside).len(), left + 1, "nobody new while there are too many");
            let (_, token) = inside.lock().unwrap().remove(0);
            limiter.leave(token);
        }
        yield_now().await;
        assert_eq!(numbers(&inside), [4], "it is let in when the last has left");
        for task in tasks {
            task.await.unwrap();
        }
    });
}

#[test]
fn capacity_limiter_zero_limit_tokens() {
    run(async {
        let (mut limiter, inside) = (Limiter::new(5), Inside::default());
        limiter.set_total(0);
        let tasks: Vec<_> = (0..2).map(|number| enters(&limiter.tokens, &inside, number)).collect();
        yield_now().await;
        assert_eq!(numbers(&inside), []);
        limiter.set_total(10);
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(numbers(&inside), [0, 1]);
        assert_eq!(limiter.tokens.available_permits(), 8);
    });
}

/// trio #548.
#[test]
fn capacity_limiter_memleak_548() {
    run(async {
        let tokens = Arc::new(Semaphore::new(1));
        let held = tokens.clone().acquire_owned().await.unwrap();
        let waiter = enters(&tokens, &Inside::default(), 1);
        yield_now().await;
        waiter.abort();
        assert!(waiter.await.is_err_and(|error| error.is_cancelled()));
        assert_eq!(Arc::strong_count(&tokens), 2, "the case's own, and its permit's");
        drop(held);
        assert!(tokens.try_acquire().is_ok(), "nobody is in line");
    });
}

#[test]
fn fairness_hand_over() {
    run(async {
        let tokens = Arc::new(Semaphore::new(1));
        let inside = Inside::default();
        let held = tokens.clone().acquire_owned().await.unwrap();
        let waiter = enters(&tokens, &inside, 1);
        yield_now().await;
        drop(held);
        assert!(tokens.try_acquire().is_err(), "it belongs to the waiter");
        waiter.await.unwrap();
        assert_eq!(numbers(&inside), [1]);
    });
}
