//! The read-write lock, seen from outside: who goes in with whom, and who waits for whom.

use super::{
    mutex::has,
    semaphore::order_without_a_budget,
    support::{at_every_poll, by_hand, cut_after, poll, wakers_may_call_back},
};
use runtime::{
    Runtime, spawn,
    sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError},
    yield_now,
};
use std::{cell::Cell, pin::pin, rc::Rc, sync::Arc, task::Poll, thread};

fn virtual_clock() -> Runtime {
    Runtime::builder().virtual_clock().build().unwrap()
}

#[test]
fn many_read_or_one_writes() {
    let lock = RwLock::new(1);
    let (one, other) = (lock.try_read().unwrap(), by_hand(lock.read()));
    assert_eq!(*one + *other, 2);
    assert_eq!(lock.try_write().unwrap_err(), TryLockError);
    drop(one);
    assert!(lock.try_write().is_err());
    drop(other);
    let mut alone = lock.try_write().unwrap();
    *alone += 1;
    assert!(lock.try_read().is_err() && lock.try_write().is_err());
    drop(alone);
    assert_eq!(lock.into_inner(), 2);
}

/// No writer starves, whatever readers come; and no reader.
#[test]
fn a_writer_waits_for_those_before_it_and_holds_back_those_behind() {
    let lock = RwLock::new(0);
    let reading = lock.try_read().unwrap();
    let mut first = pin!(lock.write());
    assert!(poll(first.as_mut()).is_pending());
    let (mut one, mut other) = (pin!(lock.read()), pin!(lock.read()));
    assert!(poll(one.as_mut()).is_pending() && poll(other.as_mut()).is_pending(), "a writer is before them");
    assert!(lock.try_read().is_err(), "a writer waits");
    let mut second = pin!(lock.write());
    let mut last = pin!(lock.read());
    assert!(poll(second.as_mut()).is_pending() && poll(last.as_mut()).is_pending());

    drop(reading);
    let Poll::Ready(writing) = poll(first) else { panic!("the first is first") };
    assert!(poll(one.as_mut()).is_pending());
    drop(writing);
    let (Poll::Ready(one), Poll::Ready(other)) = (poll(one), poll(other)) else { panic!("they go in together") };
    assert!(poll(second.as_mut()).is_pending() && poll(last.as_mut()).is_pending());
    drop((one, other));
    assert!(poll(last.as_mut()).is_pending());
    let Poll::Ready(writing) = poll(second) else { panic!("its turn") };
    drop(writing);
    assert!(poll(last).is_ready());
}

#[test]
fn a_writer_that_gives_up_lets_the_readers_behind_it_in() {
    let lock = RwLock::new(0);
    let reading = lock.try_read().unwrap();
    let mut writer = Box::pin(lock.write());
    let (wakes, waker) = super::support::Wakes::waker();
    let mut reader = pin!(lock.read());
    assert!(poll(writer.as_mut()).is_pending());
    let context = &mut std::task::Context::from_waker(&waker);
    assert!(Future::poll(reader.as_mut(), context).is_pending());
    drop(writer);
    assert_eq!(wakes.count(), 1);
    assert!(poll(reader).is_ready());
    drop(reading);
    assert!(lock.try_write().is_ok());
}

#[test]
fn a_writer_that_reads_on_lets_readers_in_and_no_writer() {
    let lock = RwLock::new(0);
    let mut writing = lock.try_write().unwrap();
    *writing = 1;
    let (mut reader, mut writer, mut late) = (pin!(lock.read()), pin!(lock.write()), pin!(lock.read()));
    assert!(poll(reader.as_mut()).is_pending() && poll(writer.as_mut()).is_pending());
    assert!(poll(late.as_mut()).is_pending());
    let reading = RwLockWriteGuard::downgrade(writing);
    let Poll::Ready(also) = poll(reader) else { panic!("it reads too") };
    assert_eq!((*reading, *also), (1, 1));
    assert!(poll(late.as_mut()).is_pending(), "a writer is before it");
    drop(reading);
    assert!(poll(writer.as_mut()).is_pending());
    drop(also);
    let Poll::Ready(writing) = poll(writer) else { panic!("its turn") };
    drop(writing);
    drop(poll(late));
    assert!(lock.try_write().is_ok(), "a permit is lost");
}

/// R14.
#[test]
fn a_budget_that_is_spent_costs_nobody_its_place() {
    let order = order_without_a_budget(Arc::new(RwLock::new(())), async |lock: &RwLock<()>, inside: &dyn Fn()| {
        let _guard = lock.write().await;
        inside();
        yield_now().await;
    });
    assert_eq!(order, ["A", "B"]);
}

#[test]
fn a_waiter_that_is_cut_at_any_poll_leaves_no_trace() {
    at_every_poll(|polls| {
        virtual_clock().block_on(async {
            let lock = Arc::new(RwLock::new(0));
            let guard = lock.clone().read_owned().await;
            let cut = spawn(cut_after(polls, {
                let lock = lock.clone();
                async move {
                    let mut writing = lock.write().await;
                    yield_now().await;
                    *writing += 1;
                    let reading = RwLockWriteGuard::downgrade(writing);
                    yield_now().await;
                    drop(reading);
                    let _reading = lock.read().await;
                }
            }));
            let behind = [0, 1].map(|number| {
                let lock = lock.clone();
                spawn(async move {
                    if number == 0 {
                        drop(lock.read().await);
                    }
                    *lock.write_owned().await += 10;
                })
            });
            yield_now().await;
            drop(guard);
            let was_cut = cut.await.unwrap().is_none();
            for task in behind {
                task.await.unwrap();
            }
            let value = *lock.try_write().expect("it is free");
            assert!(value == 21 || (was_cut && value == 20), "{value} after {polls} polls");
            was_cut
        })
    });
}

#[test]
fn owned_guards_do_what_the_others_do() {
    let lock = Arc::new(RwLock::new(1));
    let reading = lock.clone().try_read_owned().unwrap();
    assert!(lock.clone().try_write_owned().is_err());
    drop(reading);
    let mut writing = by_hand(lock.clone().write_owned());
    *writing += 1;
    assert!(lock.clone().try_read_owned().is_err());
    let reading = OwnedRwLockWriteGuard::downgrade(writing);
    assert_eq!((*reading, *by_hand(lock.clone().read_owned())), (2, 2));
    assert_eq!(format!("{lock:?} {reading:?} {reading}"), "RwLock(2) 2 2");
    drop(reading);
    let writing = lock.try_write().unwrap();
    assert_eq!(format!("{lock:?} {writing:?} {writing}"), "RwLock(<locked>) 2 2");
}

#[test]
fn it_holds_what_has_no_size_and_lends_it_without_a_lock_to_its_owner() {
    let lock: Arc<RwLock<dyn Fn(u8) -> u8>> = Arc::new(RwLock::new(|number| number + 1));
    assert_eq!(lock.try_read().unwrap()(1), 2);
    let mut lock = RwLock::from(1);
    *lock.get_mut() += 1;
    assert_eq!(*lock.try_read().unwrap() + *RwLock::<u8>::default().get_mut(), 2);
}

/// R11.
#[test]
fn wakers_may_call_back_into_the_lock() {
    let lock = Arc::new(RwLock::new(0));
    let guard = std::sync::Mutex::new(Some(lock.clone().try_write_owned().unwrap()));
    wakers_may_call_back(|| lock.clone().read_owned(), || drop(guard.lock().unwrap().take()), {
        let lock = lock.clone();
        move || {
            drop(lock.try_read());
            drop(lock.try_write());
        }
    });
}

/// R47: what several read at once on several threads must be `Sync`.
#[test]
fn a_guard_is_sent_and_shared_as_its_value_is() {
    assert!(has!(RwLock<u8>: Send) && has!(RwLock<u8>: Sync));
    assert!(has!(RwLock<Cell<u8>>: Send), "one who has it alone may hand it on");
    assert!(!has!(RwLock<Cell<u8>>: Sync), "two threads would read the cell at once");
    assert!(!has!(RwLock<Rc<u8>>: Send) && !has!(RwLock<Rc<u8>>: Sync));
    assert!(has!(RwLockReadGuard<'static, u8>: Send) && has!(RwLockReadGuard<'static, u8>: Sync));
    assert!(has!(RwLockWriteGuard<'static, u8>: Send) && has!(RwLockWriteGuard<'static, u8>: Sync));
    assert!(!has!(RwLockReadGuard<'static, Cell<u8>>: Send) && !has!(RwLockReadGuard<'static, Cell<u8>>: Sync));
    assert!(!has!(RwLockWriteGuard<'static, Cell<u8>>: Send) && !has!(RwLockWriteGuard<'static, Cell<u8>>: Sync));
    assert!(has!(OwnedRwLockReadGuard<u8>: Send) && !has!(OwnedRwLockReadGuard<Cell<u8>>: Send));
    assert!(has!(OwnedRwLockWriteGuard<u8>: Send) && !has!(OwnedRwLockWriteGuard<Rc<u8>>: Send));
}

#[test]
fn threads_see_all_that_was_written_or_nothing() {
    let lock = RwLock::new((0, 0));
    thread::scope(|scope| {
        for number in 0..4 {
            let lock = &lock;
            scope.spawn(move || {
                for round in 0..500 {
                    by_hand(async {
                        if round % 4 == 0 {
                            drop(cut_after(1, lock.write()).await);
                        }
                        if (number + round) % 3 == 0 {
                            let mut pair = lock.write().await;
                            pair.0 += 1;
                            thread::yield_now();
                            pair.1 += 1;
                        } else {
                            let pair = lock.read().await;
                            assert_eq!(pair.0, pair.1);
                        }
                    });
                }
            });
        }
    });
    let pair = lock.into_inner();
    assert!(pair.0 == pair.1 && pair.0 > 600);
}
