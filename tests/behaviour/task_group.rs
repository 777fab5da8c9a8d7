//! Section 13: `TaskGroup`. Python's cancellation is [`cancel`](runtime::JoinHandle::cancel) here; `except CancelledError` is a
//! race with [`cancelled`](runtime::group::cancelled), and `finally` with an await in it is
//! [`on_cancel`](runtime::group::CancelExt::on_cancel).
//!
//! | case | why it does not apply |
//! |---|---|
//! | 20, 20a, 21, 21a (`KeyboardInterrupt`, `BaseException`) | one kind of error; what passes bare is a panic of the body: `body_panics_bare` |
//! | `already_entered`, `double_enter`, `not_entered`, `without_parent_task` | a group exists only inside its scope |
//! | `coro_closed_when_tg_closed` | a future that is refused is dropped: `no_create_task_after_failure` |
//! | `cancelling()` and `uncancel()` counts | a request is a state of the task, not a number; that it is kept is `error_and_cancel` |
//! | `exception_refcycles` | no garbage: `nothing_remains_of_a_group` in `runtime/tests/group/task_group.rs` |

use runtime::{
    JoinError, Runtime,
    future::{Either, race},
    group::{CancelExt, Failure, GroupError, TaskGroup, cancelled, fail_after, scope},
    spawn,
    time::{Instant, sleep},
    yield_now,
};
use std::{
    future::pending,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex},
    time::Duration,
};

type Fault = &'static str;
type Done = Result<(), Fault>;

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn run(test: impl AsyncFnOnce()) {
    Runtime::builder().virtual_clock().build().unwrap().block_on(test());
}

/// The errors of a group, in their order.
fn errors<T>(ended: Result<T, GroupError<Fault>>) -> Vec<Fault> {
    let error = ended.err().expect("the group was to fail");
    error.iter().map(|failure| *failure.error().expect("no panic")).collect()
}

/// What happened, in its order.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<&'static str>>>);

impl Notes {
    fn add(&self, note: &'static str) {
        self.0.lock().unwrap().push(note);
    }

    fn all(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().clone()
    }
}

async fn fails_after(time: u64, with: Fault) -> Done {
    sleep(millis(time)).await;
    Err(with)
}

/// Waits for ever, and fails when it is asked to end.
async fn fails_when_asked(with: Fault) -> Done {
    cancelled().await;
    Err(with)
}

#[test]
fn taskgroup_01_all_are_awaited_and_their_results_readable() {
    run(async || {
        let start = Instant::now();
        let sum = scope(async |group: TaskGroup<Fault>| {
            let after = async |time, value| {
                sleep(millis(time)).await;
                Ok(value)
            };
            let (one, two) = (group.spawn(after(100, 42)), group.spawn(after(200, 11)));
            Ok((one, two))
        });
        let (one, two) = sum.await.unwrap();
        assert_eq!(start.elapsed(), millis(200));
        assert!(one.is_finished() && two.is_finished());
        assert_eq!((one.await.unwrap(), two.await.unwrap()), (42, 11));
    });
}

#[test]
fn taskgroup_02_children_may_be_added_while_inside() {
    run(async || {
        let value = scope(async |group: TaskGroup<Fault>| {
            let one = group.spawn(async { Ok(42) });
            let two = group.spawn(async { Ok(one.await.unwrap() + 1) });
            sleep(millis(100)).await;
            let three = group.spawn(async { Ok(two.await.unwrap() + 1) });
            Ok(three.await.unwrap())
        });
        assert_eq!(value.await.unwrap(), 44);
    });
}

#[test]
fn taskgroup_03_a_child_that_is_cancelled_disturbs_nobody() {
    run(async || {
        let value = scope(async |group: TaskGroup<Fault>| {
            let one = group.spawn(pending::<Done>());
            let two = group.spawn(async {
                sleep(millis(200)).await;
                Ok(11)
            });
            yield_now().await;
            one.cancel();
            assert!(one.await.unwrap_err().is_cancelled());
            Ok(two.await.unwrap())
        });
        assert_eq!(value.await.unwrap(), 11);
    });
}

#[test]
fn taskgroup_04_cancel_children_on_child_error() {
    run(async || {
        let (start, notes) = (Instant::now(), Notes::default());
        let ended = scope(async |group| {
            group.spawn(fails_after(50, "the first"));
            let noted = notes.clone();
            group.spawn(async move {
                let asked = notes_when_asked(noted, "the sibling was asked");
                sleep(millis(10_000)).on_cancel(asked).await;
                Ok(())
            });
            let body = notes.clone();
            sleep(millis(10_000)).await;
            body.add("the body ran on");
            Ok(())
        });
        assert_eq!(errors(ended.await), ["the first"]);
        assert_eq!(notes.all(), ["the sibling was asked"]);
        // Its clean-up was waited for.
        assert_eq!(start.elapsed(), millis(60));
    });
}

async fn notes_when_asked(notes: Notes, note: &'static str) {
    sleep(millis(10)).await;
    notes.add(note);
}

#[test]
fn taskgroup_07_cancel_the_parent_and_the_children_get_it_and_are_awaited() {
    run(async || {
        let (start, notes) = (Instant::now(), Notes::default());
        let inside = notes.clone();
        let mut parent = spawn(async move {
            let ended = scope(async |group: TaskGroup<Fault>| {
                for note in ["the first was asked", "the second was asked"] {
                    let notes = inside.clone();
                    group.spawn(async move { pending::<Done>().on_cancel(notes_when_asked(notes, note)).await });
                }
                pending::<Done>().await
            });
            drop(ended.await);
            inside.add("the parent ran on");
        });
        sleep(millis(100)).await;
        assert!(parent.cancel().await.unwrap_err().is_cancelled());
        assert_eq!(notes.all(), ["the first was asked", "the second was asked"]);
        assert_eq!(start.elapsed(), millis(110));
    });
}

#[test]
fn taskgroup_08_children_that_raise_in_their_clean_up() {
    run(async || {
        let (said, hear) = runtime::sync::oneshot::channel();
        let mut parent = spawn(async move {
            let ended = scope(async |group| {
                group.spawn(fails_when_asked("one"));
                group.spawn(fails_when_asked("two"));
                pending::<Done>().await
            });
            said.send(errors(ended.await)).unwrap();
        });
        sleep(millis(100)).await;
        // The group's error wins; there is no suspension behind it at which the request could take effect.
        assert!(parent.cancel().await.is_ok());
        assert_eq!(hear.await.unwrap(), ["one", "two"]);
    });
}

#[test]
fn taskgroup_09_body_raises_after_children_started() {
    run(async || {
        let ended = scope(async |group| {
            let children = [1, 2].map(|_| group.spawn(pending::<Done>()));
            sleep(millis(10)).await;
            if children.iter().all(|child| !child.is_finished()) { Err::<(), _>("the body") } else { Ok(()) }
        });
        assert_eq!(errors(ended.await), ["the body"]);
    });
}

#[test]
fn taskgroup_10_body_raises_before_children_start() {
    run(async || {
        let notes = Notes::default();
        let ended = scope(async |group| {
            let inside = notes.clone();
            group.spawn(async move {
                inside.add("it ran");
                Ok(())
            });
            Err::<(), _>("the body")
        });
        assert_eq!(errors(ended.await), ["the body"]);
        assert!(notes.all().is_empty());
    });
}

/// An error of a group inside another.
#[derive(Debug)]
enum Nested {
    Own(Fault),
    Inner(GroupError<Fault>),
}

#[test]
fn taskgroup_11_an_outer_cancellation_goes_through_both() {
    run(async || {
        let notes = Notes::default();
        let inside = notes.clone();
        let mut parent = spawn(async move {
            scope(async |outer: TaskGroup<Nested>| {
                outer.spawn(pending::<Result<(), Nested>>());
                let inner = scope(async |inner: TaskGroup<Fault>| {
                    inner.spawn(async move {
                        pending::<Done>().on_cancel(notes_when_asked(inside, "the innermost was asked")).await
                    });
                    pending::<Done>().await
                });
                inner.await.map_err(Nested::Inner)
            })
            .await
        });
        sleep(millis(100)).await;
        assert!(parent.cancel().await.unwrap_err().is_cancelled());
        assert_eq!(notes.all(), ["the innermost was asked"]);
    });
}

#[test]
fn taskgroup_13_an_inner_failure_is_a_group_in_the_outer_one() {
    run(async || {
        let ended = scope(async |outer: TaskGroup<Nested>| {
            outer.spawn(pending::<Result<(), Nested>>());
            let inner = scope(async |inner| {
                inner.spawn(fails_after(10, "the inner"));
                pending::<Done>().await
            });
            inner.await.map_err(Nested::Inner)
        });
        let error: GroupError<Nested> = ended.await.unwrap_err();
        assert!(error.others.is_empty());
        let Failure::Error(Nested::Inner(inner)) = error.first else { panic!("{:?}", error.first) };
        assert_eq!(errors(Err::<(), _>(inner)), ["the inner"]);
    });
}

#[test]
fn taskgroup_14_an_outer_failure_ends_the_inner_group_and_is_alone() {
    run(async || {
        let notes = Notes::default();
        let ended = scope(async |outer: TaskGroup<Nested>| {
            outer.spawn(async { fails_after(10, "the outer").await.map_err(Nested::Own) });
            let inside = notes.clone();
            outer.spawn(async move {
                let inner = scope(async |inner: TaskGroup<Fault>| {
                    inner.spawn(async move {
                        pending::<Done>().on_cancel(notes_when_asked(inside, "the innermost was asked")).await
                    });
                    pending::<Done>().await
                });
                inner.await.map_err(Nested::Inner)
            });
            Ok(())
        });
        let error: GroupError<Nested> = ended.await.unwrap_err();
        assert!(error.others.is_empty() && matches!(error.first, Failure::Error(Nested::Own("the outer"))));
        assert_eq!(notes.all(), ["the innermost was asked"]);
    });
}

#[test]
fn taskgroup_15_a_child_that_crashes_while_the_body_cleans_up_wins() {
    run(async || {
        let (said, hear) = runtime::sync::oneshot::channel();
        let mut parent = spawn(async move {
            let ended = scope(async |group| {
                group.spawn(fails_after(150, "the crash"));
                sleep(millis(10_000)).on_cancel(sleep(millis(500))).await;
                Ok(())
            });
            said.send(errors(ended.await)).unwrap();
        });
        sleep(millis(100)).await;
        assert!(parent.cancel().await.is_ok());
        assert_eq!(hear.await.unwrap(), ["the crash"]);
    });
}

#[test]
fn taskgroup_17_cancel_the_parent_while_only_children_run() {
    run(async || {
        let mut parent = spawn(scope(async |group: TaskGroup<Fault>| {
            group.spawn(pending::<Done>());
            Ok(())
        }));
        sleep(millis(100)).await;
        assert!(parent.cancel().await.unwrap_err().is_cancelled());
    });
}

#[test]
fn taskgroup_18_a_body_that_turns_the_request_into_an_error() {
    run(async || {
        let (said, hear) = runtime::sync::oneshot::channel();
        let mut parent = spawn(async move {
            let ended = scope(async |group: TaskGroup<Fault>| {
                group.spawn(pending::<Done>());
                fails_when_asked("turned into an error").await
            });
            said.send(errors(ended.await)).unwrap();
        });
        sleep(millis(100)).await;
        assert!(parent.cancel().await.is_ok());
        assert_eq!(hear.await.unwrap(), ["turned into an error"]);
    });
}

#[test]
fn taskgroup_19_child_error_and_body_error() {
    run(async || {
        let ended = spawn(scope(async |group| {
            group.spawn(fails_after(10, "the child"));
            fails_when_asked("the body").await
        }));
        assert_eq!(errors(ended.await.unwrap()), ["the child", "the body"]);
    });
}

#[test]
fn context_manager_exit_raises() {
    run(async || {
        let ended = spawn(scope(async |group| {
            let child = group.spawn(fails_after(10, "the child"));
            // A context inside the body, whose exit fails.
            child.finally(async |_| Err::<(), _>("the exit")).await
        }));
        // The exit runs, but what it gives is for nobody: its context was left because of the request.
        assert_eq!(errors(ended.await.unwrap()), ["the child"]);
    });
}

#[test]
fn body_panics_bare() {
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        run(async || {
            let ended = scope(async |group: TaskGroup<Fault>| {
                group.spawn(pending::<Done>());
                yield_now().await;
                if true {
                    std::panic::panic_any(404);
                }
                Ok(())
            });
            drop(ended.await);
        });
    }));
    assert_eq!(*panicked.unwrap_err().downcast::<i32>().unwrap(), 404);
}

#[test]
fn taskgroup_23_finished_children_are_dropped_from_the_set() {
    run(async || {
        let ended = scope(async |group: TaskGroup<Fault>| {
            let children = [1, 2].map(|_| group.spawn(async { Ok(()) }));
            assert_eq!(group.len(), 2);
            yield_now().await;
            assert!(children.iter().all(|child| child.is_finished()));
            assert_eq!(group.len(), 0);
            Ok(())
        });
        ended.await.unwrap();
    });
}

#[test]
fn taskgroup_24_children_may_add_children() {
    run(async || {
        let notes = Notes::default();
        let ended = scope(async |group: TaskGroup<Fault>| {
            let (inside, notes) = (group.clone(), notes.clone());
            group.spawn(async move {
                sleep(millis(100)).await;
                inside.spawn(async move {
                    sleep(millis(100)).await;
                    notes.add("the grandchild");
                    Ok(())
                });
                Ok(())
            });
            Ok(())
        });
        ended.await.unwrap();
        assert_eq!(notes.all(), ["the grandchild"]);
    });
}

#[test]
fn taskgroup_25_hydra() {
    for workers in [1, 2, 4] {
        let runtime = Runtime::builder().workers(workers).build().unwrap();
        runtime.block_on(async {
            fn head(group: &TaskGroup<Fault>, depth: u32, alive: Arc<()>) {
                let inside = group.clone();
                group.spawn(async move {
                    yield_now().await;
                    if depth == 10 {
                        return Err("the hero");
                    }
                    // Two grow for each.
                    head(&inside, depth + 1, alive.clone());
                    head(&inside, depth + 1, alive);
                    Ok(())
                });
            }
            let alive = Arc::new(());
            let ended = scope(async |group| {
                head(&group, 0, alive.clone());
                Ok(())
            });
            assert!(errors(ended.await).contains(&"the hero"));
            assert_eq!(Arc::strong_count(&alive), 1);
        });
    }
}

#[test]
fn no_create_task_after_failure() {
    run(async || {
        let refused = Notes::default();
        let ended = scope(async |group| {
            group.spawn(fails_after(10, "the first"));
            let (inside, refused) = (group.clone(), refused.clone());
            let cleans_up = async move {
                let child = inside.spawn(async { Ok(()) });
                assert!(child.await.unwrap_err().is_cancelled());
                refused.add("refused");
            };
            group.spawn(async move { pending::<Done>().on_cancel(cleans_up).await });
            Ok(())
        });
        assert_eq!(errors(ended.await), ["the first"]);
        assert_eq!(refused.all(), ["refused"]);
    });
}

#[test]
fn finished() {
    run(async || {
        let group = scope(async |group: TaskGroup<Fault>| Ok(group)).await.unwrap();
        assert!(group.is_closed());
        assert!(group.spawn(async { Ok(()) }).await.unwrap_err().is_cancelled());
    });
}

#[test]
fn nested_groups_both_cancelled() {
    run(async || {
        let notes = Notes::default();
        let noted = notes.clone();
        let mut parent = spawn(async move {
            let outer = scope(async |outer: TaskGroup<Nested>| {
                outer.spawn(async { fails_when_asked("the outer child").await.map_err(Nested::Own) });
                let inner = scope(async |inner| {
                    inner.spawn(fails_when_asked("the inner child"));
                    pending::<Done>().await
                });
                let inner = inner.await;
                assert_eq!(errors(inner), ["the inner child"]);
                noted.add("the inner one is handled");
                // The request is still there.
                pending::<Result<(), Nested>>().await
            });
            assert!(matches!(outer.await.unwrap_err().first, Failure::Error(Nested::Own("the outer child"))));
            noted.add("the outer one is handled");
            pending::<()>().await;
            noted.add("it ran on");
        });
        sleep(millis(100)).await;
        assert!(parent.cancel().await.unwrap_err().is_cancelled());
        assert_eq!(notes.all(), ["the inner one is handled", "the outer one is handled"]);
    });
}

#[test]
fn error_and_cancel() {
    run(async || {
        let (start, notes) = (Instant::now(), Notes::default());
        let noted = notes.clone();
        let mut parent = spawn(async move {
            let ended = scope(async |group| {
                group.spawn(fails_after(50, "the child"));
                group.spawn(async { pending::<Done>().on_cancel(async { sleep(millis(100)).await }).await });
                pending::<Done>().await
            });
            assert_eq!(errors(ended.await), ["the child"]);
            noted.add("the group was raised");
            yield_now().await;
            noted.add("the request was lost");
        });
        // While the sibling cleans up.
        sleep(millis(80)).await;
        assert!(parent.cancel().await.unwrap_err().is_cancelled());
        assert_eq!(notes.all(), ["the group was raised"]);
        assert_eq!(start.elapsed(), millis(150));
    });
}

#[test]
fn timeout_taskgroup() {
    run(async || {
        let (start, notes) = (Instant::now(), Notes::default());
        let slow = fail_after(millis(100), async |_| {
            scope(async |group: TaskGroup<Fault>| {
                let notes = notes.clone();
                group.spawn(async move { pending::<Done>().on_cancel(notes_when_asked(notes, "asked")).await });
                Ok(())
            })
            .await
        });
        assert!(slow.await.is_err());
        // The limit waited for the clean-up.
        assert_eq!((start.elapsed(), notes.all()), (millis(110), vec!["asked"]));

        let failing = fail_after(millis(100), async |_| {
            scope(async |group| {
                group.spawn(fails_when_asked("in its clean-up"));
                Ok(())
            })
            .await
        });
        assert_eq!(errors(failing.await.unwrap()), ["in its clean-up"]);
    });
}

#[test]
fn a_child_may_race_its_request_and_win() {
    run(async || {
        let value = scope(async |group: TaskGroup<Fault>| {
            let child = group.spawn(async {
                Ok(match race(cancelled(), sleep(millis(1000))).await {
                    Either::Left(()) => "asked",
                    Either::Right(()) => "slept",
                })
            });
            sleep(millis(10)).await;
            child.cancel();
            Ok(child.await.unwrap())
        });
        assert_eq!(value.await.unwrap(), "asked");
    });
}

#[test]
fn an_abort_of_the_parent_is_a_drop() {
    run(async || {
        let notes = Notes::default();
        let noted = notes.clone();
        let parent = spawn(scope(async |group: TaskGroup<Fault>| {
            group.spawn(async move { pending::<Done>().on_cancel(notes_when_asked(noted, "asked")).await });
            Ok(())
        }));
        sleep(millis(10)).await;
        parent.abort();
        assert!(matches!(parent.await, Err(JoinError::Cancelled)));
        sleep(millis(100)).await;
        assert!(notes.all().is_empty());
    });
}
