//! `TaskGroup`: nobody outlives the scope, nothing that failed is lost, and nothing is kept of those who are over.

use super::{
    Census, millis,
    support::{at_every_poll, cut_after},
    virtual_time,
};
use runtime::{
    JoinError, Runtime,
    group::{CancelExt, Child, Failure, GroupError, StartError, TaskGroup, scope},
    spawn,
    task::Builder,
    time::sleep,
    yield_now,
};
use std::{
    future::pending,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

type Never = Result<(), &'static str>;

/// Gives way until all is done that can be done.
async fn settle() {
    for _ in 0..20 {
        yield_now().await;
    }
}

/// A scope with children, grandchildren and a group inside a child; it takes some polls to end.
async fn family(census: Census) -> Result<u32, GroupError<&'static str>> {
    scope(async |group: TaskGroup<&'static str>| {
        let _here = census.born();
        for number in 0..3 {
            let (alive, inside, census) = (census.born(), group.clone(), census.clone());
            group.spawn(async move {
                let _alive = alive;
                for _ in 0..number {
                    yield_now().await;
                }
                let grandchild = census.born();
                inside.spawn(async move {
                    yield_now().await;
                    drop(grandchild);
                    Ok(())
                });
                let inner = scope(async |group| {
                    let alive = census.born();
                    group.spawn(async move {
                        yield_now().await;
                        drop(alive);
                        Ok::<_, ()>(())
                    });
                    yield_now().await;
                    Ok(())
                });
                inner.await.map_err(|_| "the inner group failed")
            });
        }
        let value = group.spawn(async {
            yield_now().await;
            Ok(5)
        });
        Ok(value.await.unwrap())
    })
    .await
}

#[test]
fn a_scope_that_is_cut_at_any_poll_ends_all_its_children() {
    at_every_poll(|polls| {
        virtual_time().block_on(async {
            let census = Census::default();
            let cut = cut_after(polls, family(census.clone())).await;
            if cut.is_none() {
                settle().await;
            }
            assert_eq!(census.alive(), 0, "cut after {polls} polls");
            cut.is_none_or(|value| {
                assert_eq!(value.unwrap(), 5);
                false
            })
        })
    });
}

#[test]
fn a_group_around_waits_for_the_children_of_a_scope_that_was_cut() {
    for workers in [1, 2] {
        at_every_poll(|polls| {
            Runtime::builder().workers(workers).build().unwrap().block_on(async {
                let (census, cut) = (Census::default(), Arc::new(AtomicUsize::new(0)));
                let outer = scope(async |group| {
                    let (census, cut) = (census.clone(), cut.clone());
                    group.spawn(async move {
                        let was_cut = cut_after(polls, family(census)).await.is_none();
                        cut.fetch_add(usize::from(was_cut), Ordering::SeqCst);
                        Ok::<_, ()>(())
                    });
                    Ok(())
                });
                outer.await.unwrap();
                assert_eq!(census.alive(), 0, "cut after {polls} polls, {workers} workers");
                cut.load(Ordering::SeqCst) > 0
            })
        });
    }
}

#[test]
fn a_child_that_fails_at_any_poll_ends_a_family_that_its_group_waits_for() {
    at_every_poll(|polls| {
        virtual_time().block_on(async {
            let census = Census::default();
            let outer = scope(async |group| {
                let whole = census.clone();
                let family = group.spawn(async move { family(whole).await.map_err(|_| "the family failed") });
                for _ in 0..polls {
                    yield_now().await;
                }
                if family.is_finished() { Ok(()) } else { Err("enough") }
            });
            let ended = outer.await;
            assert_eq!(census.alive(), 0, "after {polls} polls");
            ended.is_err()
        })
    });
}

#[test]
fn a_request_at_any_poll_ends_the_family_before_the_task() {
    for workers in [1, 2, 4] {
        at_every_poll(|polls| {
            Runtime::builder().workers(workers).build().unwrap().block_on(async {
                let (census, begun) = (Census::default(), Arc::new(AtomicBool::new(false)));
                let (whole, begins) = (census.clone(), begun.clone());
                let mut task = spawn(async move {
                    begins.store(true, Ordering::SeqCst);
                    family(whole).await
                });
                for _ in 0..polls {
                    yield_now().await;
                }
                let ended = task.cancel().await;
                assert_eq!(census.alive(), 0, "asked after {polls} polls, {workers} workers");
                ended.is_err() || !begun.load(Ordering::SeqCst)
            })
        });
    }
}

#[test]
fn whoever_has_begun_cleans_up_to_the_end_before_the_scope_returns() {
    for workers in [1, 2, 4] {
        for round in 0..100 {
            Runtime::builder().workers(workers).build().unwrap().block_on(async {
                let (begun, cleaned) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
                let failed = scope(async |group| {
                    for number in 0..20 {
                        let (begun, cleaned) = (begun.clone(), cleaned.clone());
                        group.spawn(async move {
                            let body = async {
                                begun.fetch_add(1, Ordering::SeqCst);
                                if number != round % 20 {
                                    return pending::<Result<(), _>>().await;
                                }
                                while begun.load(Ordering::SeqCst) < 20 {
                                    yield_now().await;
                                }
                                Err(number)
                            };
                            let cleans_up = async {
                                yield_now().await;
                                cleaned.fetch_add(1, Ordering::SeqCst);
                            };
                            body.on_cancel(cleans_up).await
                        });
                    }
                    Ok(())
                });
                assert_eq!(failed.await.unwrap_err().iter().count(), 1);
                // All but the one that failed.
                assert_eq!(cleaned.load(Ordering::SeqCst), 19, "{workers} workers");
            });
        }
    }
}

#[test]
fn all_failures_are_told_and_no_cancellation_among_them() {
    virtual_time().block_on(async {
        let error = scope(async |group| {
            for number in 1..=3 {
                group.spawn(async move {
                    // All three are due at once, and the first cannot stop those that it finds already running.
                    sleep(millis(10)).await;
                    Err::<(), _>(number)
                });
            }
            group.spawn(pending::<Result<(), i32>>());
            pending::<Result<(), i32>>().await
        })
        .await
        .unwrap_err();
        assert!(matches!(error.first, Failure::Error(1..=3)));
        assert!(error.iter().all(|failure| failure.error().is_some()));
    });
}

#[test]
fn with_many_workers_each_failure_is_told_and_nobody_is_left() {
    for workers in [1, 2, 4] {
        let runtime = Runtime::builder().workers(workers).build().unwrap();
        runtime.block_on(spawn_and_join(async move {
            for round in 0..200 {
                let (census, failed) = (Census::default(), Arc::new(AtomicUsize::new(0)));
                let error = scope(async |group| {
                    for number in 0..20 {
                        let (alive, failed) = (census.born(), failed.clone());
                        group.spawn::<(), _>(async move {
                            let _alive = alive;
                            for _ in 0..number % 5 {
                                yield_now().await;
                            }
                            if number % 4 == 3 {
                                failed.fetch_add(1, Ordering::SeqCst);
                                return Err(number);
                            }
                            pending().await
                        });
                    }
                    pending::<Result<(), _>>().await
                })
                .await
                .unwrap_err();
                assert_eq!(census.alive(), 0, "round {round}, {workers} workers");
                assert_eq!(error.iter().count(), failed.load(Ordering::SeqCst));
            }
        }));
    }
}

/// On a worker's task, so that the scope itself may move from one to the other: its future is `Send`.
async fn spawn_and_join(future: impl Future<Output = ()> + Send + 'static) {
    spawn(future).await.unwrap();
}

#[test]
fn a_panic_of_a_child_is_a_failure_with_its_message() {
    virtual_time().block_on(async {
        let error = scope(async |group: TaskGroup<&str>| {
            let child: Child<()> = group.spawn(async { panic!("out of {}", "cheese") });
            child.await.unwrap();
            unreachable!("the body does not run on")
        });
        let error: GroupError<&str> = error.await.map(|(): ()| ()).unwrap_err();
        assert_eq!(error.to_string(), "the task panicked: out of cheese");
    });
}

#[test]
fn a_panic_of_the_body_goes_on_when_the_children_have_ended() {
    let census = Census::default();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        virtual_time().block_on(async {
            let body = scope(async |group: TaskGroup<&str>| {
                let alive = census.born();
                group.spawn::<(), _>(async move {
                    let _alive = alive;
                    pending().await
                });
                yield_now().await;
                if true {
                    panic!("the body");
                }
                Ok(())
            });
            let seen = census.clone();
            let panicked = spawn_checked(body).await;
            assert_eq!(seen.alive(), 0, "the scope unwound before its child had ended");
            std::panic::resume_unwind(panicked);
        })
    }));
    assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"the body"));
}

/// What the future panics with.
async fn spawn_checked<F: Future>(future: F) -> Box<dyn std::any::Any + Send> {
    let mut future = Box::pin(future);
    std::future::poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(std::task::Poll::Pending) => std::task::Poll::Pending,
        Ok(std::task::Poll::Ready(_)) => panic!("it was to panic"),
        Err(panic) => std::task::Poll::Ready(panic),
    })
    .await
}

struct PanicsWhenDropped(&'static str);

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("{}", self.0);
    }
}

#[test]
fn a_child_that_panics_when_it_is_aborted_has_failed_too() {
    virtual_time().block_on(async {
        let error = scope(async |group| {
            group.spawn(async {
                let _bomb = PanicsWhenDropped("while it was dropped");
                pending::<Never>().await
            });
            yield_now().await;
            Err::<(), _>("the body")
        })
        .await
        .unwrap_err();
        assert_eq!(error.to_string(), "the body; also: the task panicked: while it was dropped");
    });
}

#[test]
fn a_child_whose_future_panics_when_it_is_done_has_failed() {
    virtual_time().block_on(async {
        let error = scope(async |group: TaskGroup<&str>| {
            let bomb = PanicsWhenDropped("after its value");
            let mut polled = false;
            group.spawn(std::future::poll_fn(move |_| {
                let _bomb = &bomb;
                polled = !polled;
                std::task::Poll::Ready(Ok(polled))
            }));
            Ok(())
        });
        assert_eq!(error.await.unwrap_err().to_string(), "the task panicked: after its value");
    });
}

#[test]
fn a_group_that_has_failed_or_is_over_drops_what_it_refuses_at_once() {
    virtual_time().block_on(async {
        let mut kept = None;
        scope(async |group| {
            kept = Some(group);
            Ok::<_, &str>(())
        })
        .await
        .unwrap();
        let (group, census) = (kept.unwrap(), Census::default());
        assert!(group.is_closed());
        let alive = census.born();
        let refused = group.spawn(async move {
            drop(alive);
            Ok(1)
        });
        assert_eq!(census.alive(), 0);
        assert!(refused.is_finished() && refused.abort_handle().is_none());
        assert!(refused.await.unwrap_err().is_cancelled());
        assert!(matches!(group.start::<u8, _>(|_| async { Ok(()) }).await, Err(StartError::Cancelled)));
    });
}

#[test]
fn nothing_is_kept_of_children_that_are_over_and_nobody_is_woken_for_them() {
    let children = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };
    virtual_time().block_on(async {
        let (mut polls, mut spawner) = (0, None);
        let mut scope = Box::pin(scope(async |group: TaskGroup<&str>| {
            // Not a child: so the group is empty again and again.
            spawner = Some(spawn(async move {
                for _ in 0..children / 100 {
                    for _ in 0..100 {
                        group.spawn(async { Ok(()) });
                    }
                    yield_now().await;
                    assert!(group.is_empty(), "{} are kept", group.len());
                }
            }));
            // The body is there all the time, and has nothing to do.
            sleep(millis(1)).await;
            Ok(())
        }));
        std::future::poll_fn(|context| {
            polls += 1;
            scope.as_mut().poll(context)
        })
        .await
        .unwrap();
        drop(scope);
        spawner.unwrap().await.unwrap();
        assert!(polls < 10, "{polls} polls");
    });
}

#[test]
fn a_group_is_over_when_its_scope_is_ready_also_if_nobody_drops_that() {
    virtual_time().block_on(async {
        let (give, mut group) = runtime::sync::oneshot::channel();
        let mut scope = Box::pin(scope(async |group: TaskGroup<&str>| {
            drop(give.send(group));
            Ok(())
        }));
        scope.as_mut().await.unwrap();
        let group = group.try_recv().unwrap();
        assert!(group.spawn(async { Ok(()) }).await.unwrap_err().is_cancelled());
        drop(scope);
    });
}

#[test]
fn a_spawn_that_panics_leaves_the_group_as_it_was() {
    virtual_time().block_on(async {
        let (hand_over, census) = (Census::default(), Census::default());
        let result = scope(async |group: TaskGroup<&'static str>| {
            let (outside, alive) = (group.clone(), census.born());
            let here = hand_over.born();
            thread::spawn(move || {
                let _here = here;
                let no_runtime = catch_unwind(AssertUnwindSafe(|| {
                    outside.spawn(async move {
                        drop(alive);
                        Ok(())
                    })
                }));
                assert!(no_runtime.is_err());
            })
            .join()
            .unwrap();
            assert_eq!((group.len(), census.alive()), (0, 0));
            Ok("it ends")
        });
        assert_eq!(result.await.unwrap(), "it ends");
    });
}

#[test]
fn children_keep_their_names_and_places() {
    let runtime = Runtime::builder().trace().virtual_clock().build().unwrap();
    runtime.block_on(async {
        scope(async |group: TaskGroup<&str>| {
            let child = group.spawn_named("pump", async { Ok(()) });
            assert_eq!(child.abort_handle().unwrap().name(), Some("pump"));
            let (child, line) = (group.spawn(async { Ok(()) }), line!());
            assert_eq!(child.abort_handle().unwrap().spawned_at().line(), line);
            let (child, line) = (group.spawn_local(async { Ok(()) }), line!());
            assert_eq!(child.abort_handle().unwrap().spawned_at().line(), line);
            Ok(())
        })
        .await
        .unwrap();
    });
    assert!(runtime.trace().to_string().contains("pump"));
}

#[test]
fn local_children_are_dropped_where_they_were_spawned() {
    let runtime = Runtime::builder().workers(2).build().unwrap();
    runtime.block_on(async {
        let shared = Rc::new(());
        let error = scope(async |group| {
            let held = shared.clone();
            group.spawn_local(async move {
                pending::<()>().await;
                drop(held);
                Ok(())
            });
            yield_now().await;
            Err::<(), _>("enough")
        });
        error.await.unwrap_err();
        assert_eq!(Rc::strong_count(&shared), 1);
    });
}

#[test]
fn nothing_remains_of_a_group() {
    virtual_time().block_on(async {
        let value = Arc::new(());
        let task = Builder::new().name("owner").spawn({
            let value = value.clone();
            async move {
                let error = scope(async |group| {
                    for _ in 0..3 {
                        let (held, inside) = (value.clone(), group.clone());
                        // The child has a handle of its own group: a circle, until it ends.
                        group.spawn(async move {
                            inside.spawn(pending::<Result<(), Arc<()>>>());
                            yield_now().await;
                            Err::<(), _>(held)
                        });
                    }
                    Ok(())
                });
                error.await.unwrap_err().iter().count()
            }
        });
        assert!(task.await.unwrap() > 0);
        assert_eq!(Arc::strong_count(&value), 1);
    });
}

#[test]
fn dropping_a_start_aborts_the_child_unless_it_is_up() {
    virtual_time().block_on(async {
        let census = Census::default();
        scope(async |group: TaskGroup<&str>| {
            let (slow, quick) = (census.born(), census.born());
            let start = group.start(|started| async move {
                let _slow = slow;
                sleep(millis(10)).await;
                started.send(());
                Ok(())
            });
            assert!(runtime::time::timeout(millis(5), start).await.is_err());
            yield_now().await;
            assert_eq!(census.alive(), 1);

            let start = group.start(|started| async move {
                let _quick = quick;
                started.send(7);
                sleep(millis(10)).await;
                Ok(())
            });
            assert_eq!(start.await.unwrap(), 7);
            sleep(millis(5)).await;
            assert_eq!(census.alive(), 1, "what has started is the group's");
            Ok(())
        })
        .await
        .unwrap();
        assert_eq!(census.alive(), 0);
    });
}

#[test]
fn auto_traits_follow_what_is_inside() {
    fn send<T: Send>() {}
    fn sync<T: Sync>() {}
    send::<TaskGroup<std::cell::Cell<u8>>>();
    sync::<TaskGroup<std::cell::Cell<u8>>>();
    send::<Child<std::cell::Cell<u8>>>();
    send::<GroupError<JoinError>>();
    fn is_send<T: Send>(_: &T) {}
    is_send(&scope(async |group: TaskGroup<&str>| {
        group.spawn(async { Ok(()) }).await.unwrap();
        Ok(())
    }));
}
