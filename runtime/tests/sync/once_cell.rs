//! The cell that is filled once, seen from outside.

use super::{
    mutex::has,
    support::{Wakes, at_every_poll, by_hand, cut_after, poll, wakers_may_call_back},
};
use runtime::{
    Runtime, spawn,
    sync::{OnceCell, SetError},
    yield_now,
};
use std::{
    cell::Cell,
    future::pending,
    pin::pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    thread,
};

fn virtual_clock() -> Runtime {
    Runtime::builder().virtual_clock().build().unwrap()
}

#[test]
fn the_value_is_made_once_and_all_who_waited_are_told() {
    virtual_clock().block_on(async {
        let (cell, made) = (Arc::new(OnceCell::new()), Arc::new(AtomicUsize::new(0)));
        let tasks: Vec<_> = (0..5)
            .map(|number| {
                let (cell, made) = (cell.clone(), made.clone());
                spawn(async move {
                    let make = async || {
                        yield_now().await;
                        made.fetch_add(1, Ordering::SeqCst);
                        number
                    };
                    std::ptr::from_ref(cell.get_or_init(make).await).addr()
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), std::ptr::from_ref(cell.get().unwrap()).addr());
        }
        assert_eq!((cell.get(), made.load(Ordering::SeqCst)), (Some(&0), 1), "the first who asked made it");
    });
}

#[test]
fn who_fails_lets_the_next_make_it_with_its_own_function() {
    virtual_clock().block_on(async {
        let cell = Arc::new(OnceCell::new());
        let tasks = [Err("first"), Err("second"), Ok(3), Ok(4)].map(|outcome| {
            let cell = cell.clone();
            spawn(async move {
                let make = async || {
                    yield_now().await;
                    outcome
                };
                cell.get_or_try_init(make).await.copied()
            })
        });
        let mut results = Vec::new();
        for task in tasks {
            results.push(task.await.unwrap());
        }
        assert_eq!(results, [Err("first"), Err("second"), Ok(3), Ok(3)]);
    });
}

#[test]
fn who_panics_lets_the_next_make_it() {
    virtual_clock().block_on(async {
        let cell = Arc::new(OnceCell::new());
        let other = cell.clone();
        let panics = spawn(async move {
            let make = async || {
                yield_now().await;
                panic!("on purpose")
            };
            *other.get_or_init(make).await
        });
        yield_now().await;
        assert_eq!(cell.get_or_init(async || 2).await, &2);
        assert!(panics.await.is_err_and(|error: runtime::JoinError| error.is_panic()));
    });
}

#[test]
fn a_maker_that_is_cut_at_any_poll_lets_the_next_make_it() {
    at_every_poll(|polls| {
        virtual_clock().block_on(async {
            let cell = Arc::new(OnceCell::new());
            let ask = |value: u8| {
                let cell = cell.clone();
                async move {
                    let make = async || {
                        yield_now().await;
                        yield_now().await;
                        value
                    };
                    *cell.get_or_init(make).await
                }
            };
            // One fails after a while, the one behind it is cut, and so is the next, while it waits or makes the value.
            let fails = spawn({
                let cell = cell.clone();
                async move {
                    let make = async || {
                        yield_now().await;
                        Err::<u8, _>("no luck")
                    };
                    cell.get_or_try_init(make).await.copied()
                }
            });
            let (cut, last) = (spawn(cut_after(polls, ask(1))), spawn(ask(2)));
            assert_eq!(fails.await.unwrap(), Err("no luck"));
            let cut = cut.await.unwrap();
            let value = last.await.unwrap();
            assert_eq!(cell.get(), Some(&value));
            assert_eq!(value, cut.unwrap_or(2));
            cut.is_none()
        })
    });
}

#[test]
fn a_value_can_be_set_unless_it_is_there_or_being_made() {
    let cell = OnceCell::new();
    let mut making = Box::pin(cell.get_or_init(pending));
    assert!(poll(making.as_mut()).is_pending());
    assert_eq!(cell.set(1), Err(SetError::Initializing(1)));
    let (wakes, waker) = Wakes::waker();
    let mut waiting = pin!(cell.get_or_init(async || 5));
    assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop(making);
    assert_eq!(cell.set(1), Err(SetError::Initializing(1)), "it is the turn of the one who waited");
    assert_eq!((wakes.count(), poll(waiting)), (1, Poll::Ready(&5)));
    assert_eq!(cell.set(1), Err(SetError::Initialized(1)));
    assert_eq!(SetError::Initialized(1).to_string(), "the cell has a value already");
    assert_eq!(OnceCell::from(5).into_inner(), Some(5));
}

#[test]
fn those_who_wait_see_the_value_that_is_there() {
    let cell = OnceCell::new();
    assert_eq!(format!("{cell:?}"), "OnceCell(<empty>)");
    cell.set(3).unwrap();
    assert_eq!(by_hand(cell.get_or_init(async || unreachable!("it is there"))), &3);
    assert_eq!(format!("{cell:?} {:?}", OnceCell::<u8>::default().get()), "OnceCell(3) None");
    let mut cell = OnceCell::from(4);
    *cell.get_mut().unwrap() += 1;
    assert_eq!(by_hand(cell.get_or_try_init(async || Err("it is there"))), Ok(&5));
}

/// R11.
#[test]
fn wakers_may_call_back_into_the_cell() {
    static CELL: OnceCell<u8> = OnceCell::new();
    let cell = &CELL;
    let mut making = Some(Box::pin(cell.get_or_init(pending)));
    assert!(poll(making.as_mut().unwrap().as_mut()).is_pending());
    let making = std::cell::RefCell::new(making);
    wakers_may_call_back(
        || cell.get_or_init(async || 1),
        || drop(making.take()),
        || {
            cell.get();
            assert!(cell.set(2).is_err());
        },
    );
}

/// R47.
#[test]
fn a_cell_is_sent_and_shared_as_its_value_is() {
    assert!(has!(OnceCell<u8>: Send) && has!(OnceCell<u8>: Sync));
    assert!(has!(OnceCell<Cell<u8>>: Send) && !has!(OnceCell<Cell<u8>>: Sync));
    assert!(!has!(OnceCell<Rc<u8>>: Send) && !has!(OnceCell<Rc<u8>>: Sync));
}

#[test]
fn threads_make_it_once() {
    for _ in 0..100 {
        let (cell, made) = (OnceCell::new(), AtomicUsize::new(0));
        thread::scope(|scope| {
            for number in 0..4 {
                let (cell, made) = (&cell, &made);
                scope.spawn(move || {
                    by_hand(async {
                        if number == 0 {
                            assert!(poll(pin!(cell.get_or_init(pending::<usize>))) != Poll::Ready(&0));
                        }
                        let value = cell.get_or_init(async || made.fetch_add(1, Ordering::SeqCst) + 1).await;
                        assert_eq!(*value, 1);
                    });
                });
            }
        });
        assert_eq!(made.into_inner(), 1);
    }
}
