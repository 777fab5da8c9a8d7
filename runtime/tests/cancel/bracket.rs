//! Acquire, use, release: `finally`, `with`, and the exit stack.

use crate::{Log, PanicsWhenDropped, SECOND, run, seconds};
use runtime::{
    JoinError,
    group::{CancelExt, Ended, ExitStack, with},
    spawn,
    sync::Event,
    time::{Instant, timeout},
    yield_now,
};
use std::{
    future::{Future, pending, poll_fn, ready},
    panic::{AssertUnwindSafe, resume_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

/// What `async with` does elsewhere, and says so.
async fn bracket<T>(log: &Log, body: impl AsyncFnOnce(&mut u32) -> Result<T, String>) -> Result<T, String> {
    let enter = async {
        seconds(1.0).await;
        log.say("enter");
        Ok::<_, String>(1)
    };
    let exit = async |value: u32, ended: &mut Ended<Result<T, String>>| {
        seconds(1.0).await;
        log.say(match ended {
            Ended::Done(Ok(_)) => format!("commit {value}"),
            Ended::Done(Err(error)) => format!("roll back {value}: {error}"),
            Ended::Cancelled => format!("roll back {value}: cancelled"),
            Ended::Panicked(_) => format!("roll back {value}: panic"),
        });
        Ok(())
    };
    with(enter, body, exit).await?
}

#[test]
fn it_releases_however_the_body_ends() {
    run(async {
        let log = Log::default();
        let done = bracket(&log, async |value| {
            *value += 1;
            Ok("fine")
        });
        assert_eq!(done.await, Ok("fine"));
        assert_eq!(bracket(&log, async |_| Err::<(), _>("no".to_owned())).await, Err("no".to_owned()));
        let panics = spawn({
            let log = log.clone();
            async move { bracket(&log, async |_| -> Result<(), String> { panic!("oh") }).await }
        });
        let Err(JoinError::Panicked(panic)) = panics.await else { panic!("it did not panic") };
        assert_eq!(panic.message(), Some("oh"));
        let mut asked = spawn({
            let log = log.clone();
            async move {
                let body = async |value: &mut u32| {
                    *value = 7;
                    pending().await
                };
                bracket::<()>(&log, body).await
            }
        });
        seconds(1.5).await;
        assert!(asked.cancel().await.unwrap_err().is_cancelled());
        assert_eq!(
            log.said(),
            [
                "enter",
                "commit 2",
                "enter",
                "roll back 1: no",
                "enter",
                "roll back 1: panic",
                "enter",
                "roll back 7: cancelled"
            ]
        );
    });
}

#[test]
fn asked_while_it_enters_there_is_nothing_to_release() {
    run(async {
        let (log, start) = (Log::default(), Instant::now());
        let mut task = spawn({
            let log = log.clone();
            async move { bracket::<()>(&log, async |_| unreachable!()).await }
        });
        seconds(0.5).await;
        assert!(task.cancel().await.is_err());
        assert!(log.said().is_empty() && start.elapsed() < SECOND);
    });
}

/// The body is done, and the exit runs; then the task is asked. It takes effect behind the exit.
#[test]
fn the_exit_is_not_interrupted_and_the_request_is_not_lost() {
    run(async {
        let (log, start) = (Log::default(), Instant::now());
        let mut task = spawn({
            let log = log.clone();
            async move {
                let around = async {
                    bracket(&log, async |_| Ok(())).await.unwrap();
                    log.say("behind the exit");
                    pending::<()>().await;
                };
                around.on_cancel(async { log.say("around") }).await;
            }
        });
        seconds(1.5).await;
        assert!(task.cancel().await.is_err());
        assert_eq!(log.said(), ["enter", "commit 1", "behind the exit", "around"]);
        assert_eq!(start.elapsed(), 2 * SECOND);
    });
}

#[test]
fn what_finally_gives_is_the_output() {
    run(async {
        let calm = async { panic!("oh") }.finally(async |ended: Ended<u8>| match ended {
            Ended::Panicked(panic) => panic.message().map(str::len),
            _ => None,
        });
        assert_eq!(calm.await, Some(2));
        assert_eq!(ready(5).finally(|ended| ready(ended.done())).await, Some(5));
        let goes_on = async { panic!("oh") }.finally(async |ended: Ended<u8>| match ended {
            Ended::Panicked(panic) => resume_unwind(panic.into_payload()),
            ended => ended.done(),
        });
        assert!(spawn(goes_on).await.unwrap_err().is_panic());
    });
}

#[test]
fn the_last_one_exits_first_and_all_errors_are_told() {
    run(async {
        let log = Log::default();
        let stack = ExitStack::new();
        for (name, fails) in [("a", false), ("b", true), ("c", true)] {
            let log = log.clone();
            stack.push(async move {
                seconds(1.0).await;
                log.say(name);
                if fails { Err(format!("{name} failed")) } else { Ok(()) }
            });
        }
        assert_eq!(stack.close().await.unwrap_err().into_vec(), ["c failed", "b failed"]);
        assert_eq!(log.said(), ["c", "b", "a"]);
    });
}

async fn enter(
    log: Log,
    name: &'static str,
) -> Result<(&'static str, impl Future<Output = Result<(), String>>), String> {
    seconds(0.5).await;
    if name == "broken" {
        return Err("broken cannot be entered".to_owned());
    }
    log.say(format!("enter {name}"));
    Ok((name, async move {
        seconds(0.5).await;
        log.say(format!("exit {name}"));
        if name == "b" { Err("b failed to exit".to_owned()) } else { Ok(()) }
    }))
}

#[test]
fn entered_in_part_it_is_left_in_part() {
    run(async {
        let log = Log::default();
        let ran = ExitStack::with(async |stack| {
            for name in ["a", "b", "broken", "never"] {
                stack.enter(enter(log.clone(), name)).await?;
            }
            Ok(())
        });
        let errors = ran.await.unwrap_err();
        assert_eq!(errors.to_string(), "2 errors: broken cannot be entered; b failed to exit");
        assert_eq!(log.said(), ["enter a", "enter b", "exit b", "exit a"]);
    });
}

#[test]
fn asked_in_the_body_the_exits_run() {
    run(async {
        let (log, start) = (Log::default(), Instant::now());
        let mut task = spawn({
            let log = log.clone();
            async move {
                let ran = ExitStack::with(async |stack| {
                    stack.enter(enter(log.clone(), "db1")).await?;
                    stack.enter(enter(log.clone(), "db2")).await?;
                    pending().await
                });
                ran.await.map(|()| log.say("never"))
            }
        });
        seconds(2.0).await;
        assert!(task.cancel().await.unwrap_err().is_cancelled());
        assert_eq!(log.said(), ["enter db1", "enter db2", "exit db2", "exit db1"]);
        assert_eq!(start.elapsed(), 3 * SECOND);
    });
}

#[test]
fn asked_while_it_closes_the_exits_run_to_the_end() {
    run(async {
        let log = Log::default();
        let mut task = spawn({
            let log = log.clone();
            async move {
                let stack = ExitStack::new();
                stack.enter(enter(log.clone(), "db1")).await?;
                stack.enter(enter(log.clone(), "db2")).await?;
                stack.close().await.map_err(|errors| errors.to_string())
            }
        });
        seconds(1.25).await;
        let ended = task.cancel().await;
        assert_eq!(log.said(), ["enter db1", "enter db2", "exit db2", "exit db1"]);
        // It came to its end without another suspension.
        assert_eq!(ended.unwrap(), Ok(()));
    });
}

#[test]
fn an_exit_that_panics_keeps_no_other_from_running() {
    run(async {
        let log = Log::default();
        let ended = AssertUnwindSafe(async {
            let stack = ExitStack::<()>::new();
            let (first, third) = (log.clone(), log.clone());
            stack.push(async move {
                first.say("first");
                Ok(())
            });
            stack.push(async { panic!("second") });
            stack.push(async move {
                third.say("third");
                Ok(())
            });
            stack.close().await
        });
        let caught = ended.0.finally(async |ended| matches!(ended, Ended::Panicked(_)));
        assert!(caught.await);
        assert_eq!(log.said(), ["third", "first"]);
    });
}

#[test]
fn an_aborted_stack_drops_its_exits_from_the_last_to_the_first() {
    run(async {
        let log = Log::default();
        let task = spawn({
            let log = log.clone();
            async move {
                let body = async |stack: &ExitStack<()>| {
                    for name in ["a", "b"] {
                        let dropped = log.when_dropped(name);
                        stack.push(async move {
                            drop(dropped);
                            Ok(())
                        });
                    }
                    pending::<Result<(), ()>>().await
                };
                ExitStack::with(body).await
            }
        });
        yield_now().await;
        task.abort();
        assert!(task.await.is_err());
        assert_eq!(log.said(), ["b", "a"]);
    });
}

#[test]
fn an_exit_whose_drop_panics_keeps_no_other_from_running() {
    run(async {
        let log = Log::default();
        for panics in [false, true] {
            let stack = ExitStack::<()>::new();
            let first = log.clone();
            stack.push(async move {
                first.say("first");
                Ok(())
            });
            let bad = PanicsWhenDropped;
            // A future that keeps what it has until it is dropped.
            stack.push(poll_fn(move |_| {
                assert!(!panics, "and is polled badly too: {}", size_of_val(&bad));
                Poll::Ready(Ok(()))
            }));
            let closing = AssertUnwindSafe(stack.close()).0.finally(async |ended| matches!(ended, Ended::Panicked(_)));
            assert!(closing.await);
        }
        assert_eq!(log.said(), ["first", "first"]);
    });
}

#[test]
fn a_body_whose_drop_panics_has_panicked_and_its_exit_runs() {
    run(async {
        let bad = PanicsWhenDropped;
        let body = poll_fn(move |_| Poll::Ready(size_of_val(&bad)));
        assert_eq!(body.finally(async |ended| ended.to_string()).await, "panicked: dropped badly");
    });
}

#[test]
fn a_body_whose_drop_panics_when_it_is_asked_has_panicked_and_the_request_goes_on() {
    run(async {
        let log = Log::default();
        let mut task = spawn({
            let log = log.clone();
            async move {
                let bad = PanicsWhenDropped;
                let body = async move {
                    let _bad = bad;
                    pending::<()>().await;
                };
                log.say(body.finally(async |ended| ended.to_string()).await);
                yield_now().await;
                log.say("never");
            }
        });
        yield_now().await;
        assert!(task.cancel().await.unwrap_err().is_cancelled());
        assert_eq!(log.said(), ["panicked: dropped badly"]);
    });
}

/// Ready with its first, and keeps its second until it is dropped itself.
struct Keeps<A, B>(A, B);

impl<A: Future + Unpin, B: Future + Unpin> Future for Keeps<A, B> {
    type Output = A::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<A::Output> {
        let ended = Pin::new(&mut self.0).poll(context);
        if ended.is_pending() {
            assert!(Pin::new(&mut self.1).poll(context).is_pending());
        }
        ended
    }
}

#[test]
fn a_request_that_a_handler_in_the_body_did_not_see_is_not_lost_in_the_exit() {
    run(async {
        let log = Log::default();
        let go = Arc::new(Event::new());
        let mut task = spawn({
            let (log, go) = (log.clone(), go.clone());
            async move {
                let body = Keeps(Box::pin(go.wait()), Box::pin(pending::<()>().on_cancel(async {})));
                body.finally(async |_| yield_now().await).await;
                log.say("it goes on");
                pending::<()>().await;
            }
        });
        yield_now().await;
        let asked = task.cancel();
        go.set();
        assert!(timeout(SECOND, asked).await.is_ok_and(|ended| ended.is_err()), "the request is lost");
        assert_eq!(log.said(), ["it goes on"]);
    });
}
