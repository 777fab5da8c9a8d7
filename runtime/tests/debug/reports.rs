//! What a debugged runtime says on standard error: each test looks at a process of its own.

use super::*;
use runtime::{
    JoinHandle,
    debug::{fallible, timed},
    time::sleep,
};
use std::{convert::Infallible, future::pending};

const SECOND: Duration = Duration::from_secs(1);

fn named(name: &str) -> task::Builder {
    task::Builder::new().name(name)
}

/// Panics without a word of the panic hook.
async fn panics() {
    std::panic::resume_unwind(Box::new("on purpose"));
}

/// The lines that the runtime itself says.
fn reports(said: &str) -> Vec<&str> {
    said.lines().filter(|line| line.starts_with("runtime: ")).collect()
}

#[test]
fn what_nobody_waits_for_is_reported_when_it_fails() {
    if is_child() {
        return debugged().block_on(async {
            drop(named("detached").spawn(panics()));
            drop(named("errs").spawn(fallible(async { Err::<(), _>("no route") })));
            let late = named("dropped late").spawn(panics());
            let seen = named("seen").spawn(panics());
            let fine = spawn(async { Ok::<_, Infallible>(()) });
            let stopped = spawn(pending::<()>());
            stopped.abort();
            yield_now().await;
            drop((late, fine, stopped));
            seen.await.unwrap_err();
        });
    }
    let said = said_by_child("reports::what_nobody_waits_for_is_reported_when_it_fails", None);
    let reports = reports(&said);
    assert_eq!(reports.len(), 3, "{said}");
    assert!(reports[0].starts_with("runtime: task #1 \"detached\" (spawned at "), "{said}");
    assert!(reports[0].contains("tests/debug/reports.rs:"), "{said}");
    assert!(reports[0].ends_with(") panicked - on purpose, and nobody waited for it"), "{said}");
    assert!(reports[1].contains("\"errs\"") && reports[1].contains(" failed - no route, and"), "{said}");
    assert!(reports[2].contains("\"dropped late\""), "{said}");
}

#[test]
fn the_same_program_says_nothing_without_debug() {
    if is_child() {
        return Runtime::builder().virtual_clock().build().unwrap().block_on(async {
            drop(named("detached").spawn(panics()));
            drop(spawn(pending::<()>()));
            yield_now().await;
        });
    }
    let test = "reports::the_same_program_says_nothing_without_debug";
    assert_eq!(reports(&said_by_child(test, None)), [""; 0]);
    assert_eq!(reports(&said_by_child(test, Some("1"))).len(), 2, "the environment switches it on");
}

#[test]
fn tasks_that_outlive_block_on_are_reported_with_what_they_waited_for() {
    if is_child() {
        return debugged().block_on(async {
            drop(named("forgotten").spawn(sleep(5 * SECOND)));
            let stopped = named("stopped").spawn(pending::<()>());
            named("joined").spawn(async {}).await.unwrap();
            yield_now().await;
            // Somebody saw to this one.
            stopped.abort();
        });
    }
    let said = said_by_child("reports::tasks_that_outlive_block_on_are_reported_with_what_they_waited_for", None);
    let lines: Vec<_> = said.lines().skip_while(|line| !line.starts_with("runtime: ")).collect();
    assert_eq!(lines[0], "runtime: block_on is over, and 1 task was still alive:", "{said}");
    assert!(lines[1].starts_with("  #1 \"forgotten\" (spawned at "), "{said}");
    assert!(lines[1].ends_with("): idle for 0ns, waits for sleep until 5s"), "{said}");
    assert!(!said.contains("\"stopped\"") && !said.contains("\"joined\""), "{said}");
}

#[test]
fn many_leaked_tasks_are_counted_and_some_are_named() {
    if is_child() {
        return debugged().block_on(async { (0..50).for_each(|_| drop(spawn(pending::<()>()))) });
    }
    let said = said_by_child("reports::many_leaked_tasks_are_counted_and_some_are_named", None);
    assert!(said.contains("50 tasks were still alive"), "{said}");
    assert!(said.contains("  and 30 more"), "{said}");
}

/// The profile alone, without a warning; at the end of `block_on`.
#[test]
fn the_environment_asks_for_the_profile_and_the_code_has_the_last_word() {
    if is_child() {
        let run = |builder: runtime::Builder| {
            builder.build().unwrap().block_on(async {
                named("works").spawn(async { hold(Duration::from_millis(1)) }).await.unwrap();
                drop(spawn(pending::<()>()));
            });
        };
        run(Runtime::builder());
        run(Runtime::builder().profile(false));
        return run(Runtime::builder().profile(true));
    }
    let test = "reports::the_environment_asks_for_the_profile_and_the_code_has_the_last_word";
    for (value, tables) in [(None, 1), (Some("0"), 1), (Some("1"), 2)] {
        let said = said_by_child_in(test, value.map(|value| ("RUNTIME_PROFILE", value)));
        assert_eq!(reports(&said), vec!["runtime: what has run, the busiest first"; tables], "{said}");
        let rows: Vec<_> = said.lines().skip_while(|line| !line.starts_with("task ")).collect();
        assert!(rows.len() >= 3 && rows[1].starts_with("works "), "{said}");
    }
}

#[test]
fn a_detached_task_logs_its_error_with_or_without_debug() {
    if is_child() {
        let run = |runtime: Runtime| {
            runtime.block_on(async {
                let errs = |word: &'static str| -> JoinHandle<Result<(), &str>> {
                    named(word).spawn(async move {
                        yield_now().await;
                        Err(word)
                    })
                };
                let panics = named("panics").spawn(async {
                    panics().await;
                    Ok::<_, Infallible>(())
                });
                let fine = named("fine").spawn(async { Ok::<_, Infallible>(()) });
                let (early, stopped, over) = (errs("early"), errs("stopped"), errs("over"));
                let all = [&early, &stopped, &over].map(|task| task.abort_handle());
                let all = all.into_iter().chain([panics.abort_handle(), fine.abort_handle()]);
                early.log_error();
                panics.log_error();
                fine.log_error();
                stopped.abort();
                stopped.log_error();
                for task in all {
                    while !task.is_finished() {
                        yield_now().await;
                    }
                }
                // It is over, and logs at once.
                over.log_error();
            });
        };
        run(debugged());
        return run(Runtime::builder().workers(2).debug(false).build().unwrap());
    }
    let said = said_by_child("reports::a_detached_task_logs_its_error_with_or_without_debug", None);
    // (The lines of the first runtime and of the second.)
    let reports = reports(&said);
    let count = |what: &str| reports.iter().filter(|line| line.contains(what)).count();
    assert_eq!(reports.len(), 6, "{said}");
    assert_eq!(count("\"early\" (spawned at"), 2, "{said}");
    assert_eq!(count(") failed: early"), 2, "{said}");
    assert_eq!(count(") failed: over"), 2, "{said}");
    assert_eq!(count("\"panics\" (spawned at"), 2, "{said}");
    assert_eq!(count(") failed: the task panicked: on purpose"), 2, "{said}");
}

#[test]
fn a_timed_future_tells_its_end_once_whatever_it_is() {
    if is_child() {
        return Runtime::builder().virtual_clock().debug(false).build().unwrap().block_on(async {
            timed("nap", sleep(SECOND / 4)).await;
            let failing = async {
                sleep(SECOND).await;
                Err::<(), _>("no route")
            };
            timed("fetch", failing).fallible().await.unwrap_err();
            let _ = runtime::time::timeout(SECOND, timed("endless", pending::<()>())).await;
            drop(timed("never polled", pending::<()>()));
            spawn(timed("bad", panics())).await.unwrap_err();
        });
    }
    let said = said_by_child("reports::a_timed_future_tells_its_end_once_whatever_it_is", None);
    let lines: Vec<_> = said.lines().filter(|line| line.contains(" seconds")).collect();
    assert_eq!(
        lines,
        [
            "nap executed in 0.2500 seconds",
            "fetch failed after 1.0000 seconds: no route",
            "endless was cancelled after 1.0000 seconds",
            "bad panicked after 0.0000 seconds",
        ],
        "{said}"
    );
    assert!(!said.contains("never polled"));
}

/// Nested ones are indented, also where two tasks take turns; under debug they bear the number of their task.
#[test]
fn announced_futures_are_indented_by_their_nesting() {
    if is_child() {
        let nested = || timed("outer", timed("inner", sleep(SECOND)).announced()).announced();
        let run = |debug| {
            let runtime = Runtime::builder().virtual_clock().debug(debug).build().unwrap();
            runtime.block_on(async {
                let (one, other) = (spawn(nested()), spawn(nested()));
                one.await.unwrap();
                other.await.unwrap();
            });
        };
        run(false);
        return run(true);
    }
    let said = said_by_child("reports::announced_futures_are_indented_by_their_nesting", None);
    let lines: Vec<_> = said.lines().filter(|line| line.contains("outer") || line.contains("inner")).collect();
    let begin = ["Entering outer", "  Entering inner"];
    let end = ["  inner executed in 1.0000 seconds", "outer executed in 1.0000 seconds"];
    assert_eq!(lines[..8], [begin, begin, end, end].concat(), "{said}");
    let with_number = |number, line: &str| format!("[#{number}] {line}");
    let parts = [(1, begin), (2, begin), (1, end), (2, end)];
    let expected: Vec<_> = parts.iter().flat_map(|(number, part)| part.map(|line| with_number(number, line))).collect();
    assert_eq!(lines[8..], expected, "{said}");
}
