//! The mutex, seen from outside: whose turn it is, what the guard lends, and what may go where.

use super::{
    semaphore::order_without_a_budget,
    support::{at_every_poll, by_hand, cut_after, poll, wakers_may_call_back},
};
use runtime::{
    Runtime, spawn,
    sync::{Mutex, MutexGuard, OwnedMutexGuard, TryLockError},
    yield_now,
};
use std::{
    any::Any,
    cell::Cell,
    collections::VecDeque,
    marker::PhantomPinned,
    pin::pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::Poll,
    thread,
};

/// Whether a type has a marker trait: an inherent constant, if its bound holds, hides that of the trait.
macro_rules! has {
    ($type:ty: $marker:ident) => {{
        #[allow(dead_code, reason = "one of the two constants is hidden")]
        trait Otherwise {
            const HAS: bool = false;
        }
        struct Probe<T>(#[allow(dead_code, reason = "only its type is asked")] std::marker::PhantomData<T>);
        impl<T> Otherwise for Probe<T> {}
        #[allow(dead_code, reason = "one of the two constants is hidden")]
        impl<T: $marker> Probe<T> {
            const HAS: bool = true;
        }
        Probe::<$type>::HAS
    }};
}
pub(crate) use has;

fn virtual_clock() -> Runtime {
    Runtime::builder().virtual_clock().build().unwrap()
}

#[test]
fn the_lock_goes_from_hand_to_hand_in_the_order_of_asking() {
    let mutex = Mutex::new(Vec::new());
    let mut guard = mutex.try_lock().unwrap();
    guard.push(0);
    let mut waiting: VecDeque<_> = (1..=3).map(|number| (number, Box::pin(mutex.lock()))).collect();
    waiting.iter_mut().for_each(|(_, lock)| assert!(poll(lock.as_mut()).is_pending()));
    while let Some((number, mut lock)) = waiting.pop_front() {
        drop(guard);
        assert_eq!(mutex.try_lock().unwrap_err(), TryLockError, "it is the next one's already");
        assert!(waiting.iter_mut().all(|(_, lock)| poll(lock.as_mut()).is_pending()));
        let Poll::Ready(next) = poll(lock.as_mut()) else { panic!("it was to have the lock") };
        guard = next;
        guard.push(number);
    }
    drop(guard);
    assert_eq!(*mutex.try_lock().unwrap(), [0, 1, 2, 3]);
}

/// What is read, awaited over and written back is lost without the lock, and not with it.
#[test]
fn a_guard_may_be_held_across_an_await() {
    virtual_clock().block_on(async {
        let (locked, unlocked) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
        let tasks: Vec<_> = (0..5)
            .map(|_| {
                let (locked, unlocked) = (locked.clone(), unlocked.clone());
                spawn(async move {
                    let seen = *unlocked.lock().await;
                    let mut guard = locked.lock().await;
                    let seen_locked = *guard;
                    yield_now().await;
                    *guard = seen_locked + 1;
                    drop(guard);
                    *unlocked.lock().await = seen + 1;
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*locked.lock().await, 5);
        assert!(*unlocked.lock().await < 5, "the update was to be lost");
    });
}

/// R14.
#[test]
fn a_budget_that_is_spent_costs_nobody_its_place() {
    let order = order_without_a_budget(Arc::new(Mutex::new(())), async |mutex: &Mutex<()>, inside: &dyn Fn()| {
        let _guard = mutex.lock().await;
        inside();
        yield_now().await;
    });
    assert_eq!(order, ["A", "B"]);
}

/// R49, async-lock #91: a fair lock is given to a future, and if nobody polls that future nobody gets past it. That is how it is;
/// the remedy is to drop what one does not poll, and then the lock goes on.
#[test]
fn a_lock_that_was_granted_waits_for_its_owner_to_be_polled() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock().unwrap();
    let mut forgotten = Box::pin(mutex.lock());
    let mut behind = pin!(mutex.lock());
    assert!(poll(forgotten.as_mut()).is_pending() && poll(behind.as_mut()).is_pending());
    drop(guard);
    for _ in 0..100 {
        assert!(poll(behind.as_mut()).is_pending());
        assert!(mutex.try_lock().is_err(), "nobody has it, and it is not free");
    }
    drop(forgotten);
    assert!(poll(behind).is_ready());
}

#[test]
fn a_waiter_that_is_cut_at_any_poll_does_not_take_the_lock_along() {
    at_every_poll(|polls| {
        virtual_clock().block_on(async {
            let mutex = Arc::new(Mutex::new(0));
            let guard = mutex.clone().lock_owned().await;
            let cut = spawn(cut_after(polls, {
                let mutex = mutex.clone();
                async move {
                    for _ in 0..2 {
                        let mut guard = mutex.lock().await;
                        yield_now().await;
                        *guard += 1;
                    }
                }
            }));
            let behind = spawn({
                let mutex = mutex.clone();
                async move { *mutex.lock_owned().await += 10 }
            });
            yield_now().await;
            drop(guard);
            let was_cut = cut.await.unwrap().is_none();
            behind.await.unwrap();
            let value = *mutex.try_lock().expect("it is free");
            assert!(if was_cut { (10..=11).contains(&value) } else { value == 12 }, "{value} after {polls} polls");
            was_cut
        })
    });
}

#[test]
fn a_panic_gives_the_lock_back_and_poisons_nothing() {
    virtual_clock().block_on(async {
        let mutex = Arc::new(Mutex::new(1));
        let owner = mutex.clone();
        let panics = spawn(async move {
            let mut guard = owner.lock().await;
            *guard = 2;
            panic!("on purpose");
        });
        assert!(panics.await.is_err_and(|error: runtime::JoinError| error.is_panic()));
        assert_eq!(*mutex.lock().await, 2, "the value as it was left");
    });
}

#[test]
fn the_value_stays_where_it_is() {
    let mutex = Arc::new(Mutex::new([0_u8; 4096]));
    let address = std::ptr::from_ref(&*mutex.try_lock().unwrap()).addr();
    let mut guard = mutex.clone().try_lock_owned().unwrap();
    assert_eq!(std::ptr::from_ref(&*guard).addr(), address);
    guard[4095] = 7;
    assert!(std::ptr::eq(&**OwnedMutexGuard::mutex(&guard), &*mutex));
    drop(guard);
    assert_eq!(mutex.try_lock().unwrap()[4095], 7);
}

#[test]
fn it_holds_what_has_no_size() {
    let mutex: Arc<Mutex<dyn Any + Send>> = Arc::new(Mutex::new(3_u8));
    *mutex.try_lock().unwrap().downcast_mut::<u8>().unwrap() += 1;
    let guard = by_hand(mutex.clone().lock_owned());
    assert_eq!(guard.downcast_ref::<u8>(), Some(&4));
    let slice: &mut Mutex<[u8]> = &mut Mutex::new([1, 2, 3]);
    slice.get_mut()[0] = 9;
    assert_eq!(*by_hand(slice.lock()), [9, 2, 3]);
}

#[test]
fn it_shows_its_value_or_that_it_is_locked() {
    let mutex = Mutex::from(5);
    assert_eq!(format!("{mutex:?}"), "Mutex(5)");
    let guard = mutex.try_lock().unwrap();
    assert_eq!(format!("{mutex:?}"), "Mutex(<locked>)");
    assert_eq!(format!("{guard} {guard:?}"), "5 5");
    assert!(std::ptr::eq(MutexGuard::mutex(&guard), &mutex));
    drop(guard);
    assert_eq!(*Mutex::<u8>::default().get_mut(), 0);
}

/// The value is dropped once, with the mutex, whoever shares it.
#[test]
fn the_value_is_dropped_once() {
    struct Counts<'drops>(&'drops AtomicU32);
    impl Drop for Counts<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let drops = AtomicU32::new(0);
    let mutex = Mutex::new(Counts(&drops));
    drop(by_hand(mutex.lock()));
    assert_eq!(drops.load(Ordering::SeqCst), 0);
    drop(mutex);
    assert_eq!(drops.load(Ordering::SeqCst), 1);
    drop(Mutex::new(Counts(&drops)).into_inner());
    assert_eq!(drops.load(Ordering::SeqCst), 2);
    let shared = Arc::new(Mutex::new(Counts(&drops)));
    let guard = shared.try_lock_owned().unwrap();
    assert_eq!(drops.load(Ordering::SeqCst), 2, "the guard shares it");
    drop(guard);
    assert_eq!(drops.load(Ordering::SeqCst), 3);
}

/// R11.
#[test]
fn wakers_may_call_back_into_the_mutex() {
    let mutex = Arc::new(Mutex::new(0));
    let guard = std::sync::Mutex::new(Some(mutex.clone().try_lock_owned().unwrap()));
    wakers_may_call_back(|| mutex.clone().lock_owned(), || drop(guard.lock().unwrap().take()), {
        let mutex = mutex.clone();
        move || drop(mutex.try_lock())
    });
}

/// R47: a guard lends its value as a `&mut` does, and may be dropped on another thread.
#[test]
fn a_guard_is_sent_and_shared_as_its_value_is() {
    assert!(has!(Mutex<Cell<u8>>: Send) && has!(Mutex<Cell<u8>>: Sync));
    assert!(!has!(Mutex<Rc<u8>>: Send) && !has!(Mutex<Rc<u8>>: Sync));
    assert!(has!(MutexGuard<'static, Cell<u8>>: Send));
    assert!(!has!(MutexGuard<'static, Cell<u8>>: Sync), "two threads would have the cell through one guard");
    assert!(has!(MutexGuard<'static, u8>: Sync));
    assert!(!has!(MutexGuard<'static, Rc<u8>>: Send) && !has!(MutexGuard<'static, Rc<u8>>: Sync));
    assert!(has!(OwnedMutexGuard<Cell<u8>>: Send) && !has!(OwnedMutexGuard<Cell<u8>>: Sync));
    assert!(!has!(OwnedMutexGuard<Rc<u8>>: Send) && has!(OwnedMutexGuard<u8>: Sync));
    assert!(has!(MutexGuard<'static, PhantomPinned>: Unpin), "it may be moved: the value stays where it is");
    fn shorter<'long: 'short, 'short>(guard: MutexGuard<'long, u8>) -> MutexGuard<'short, u8> {
        guard
    }
    drop(shorter(Mutex::new(0).try_lock().unwrap()));
}

#[test]
fn threads_add_one_after_the_other() {
    let mutex = Arc::new(Mutex::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for round in 0..500 {
                    by_hand(async {
                        if round % 4 == 0 {
                            drop(cut_after(1, mutex.lock()).await);
                        }
                        *mutex.lock().await += 1;
                    });
                }
            });
        }
        let guard = mutex.clone().try_lock_owned();
        scope.spawn(move || drop(guard)); // dropped on a thread that did not take it
    });
    assert_eq!(*mutex.try_lock().unwrap(), 2_000);
}
