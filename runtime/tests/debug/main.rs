//! Looking at a runtime from outside: states of tasks, slow polls, events for subscribers; and what the registry of tasks knows.

mod dump;
mod graph;
mod locks;
mod metrics;
mod reports;
mod summary;

use runtime::{Runtime, TaskState, spawn, task, yield_now};
use std::{
    process::Command,
    time::{Duration, Instant},
};

/// Marks a child of this test program: it does what the test looks at.
const CHILD: &str = "RUNTIME_TEST_CHILD";

fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// What `test`, run in a process of its own, says on standard error.
fn said_by_child(test: &str, debug: Option<&str>) -> String {
    said_by_child_in(test, debug.map(|value| ("RUNTIME_DEBUG", value)))
}

/// The same, with that much of an environment.
fn said_by_child_in(test: &str, variable: Option<(&str, &str)>) -> String {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", test, "--nocapture"]).env(CHILD, "1");
    child.env_remove("RUNTIME_DEBUG").env_remove("RUNTIME_PROFILE").envs(variable);
    let output = child.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    said
}

/// Keeps the worker for so long. (Not asleep, so that nothing shortens it.)
fn hold(length: Duration) {
    let start = Instant::now();
    while start.elapsed() <= length {
        std::hint::spin_loop();
    }
}

/// A debugged runtime on a virtual clock: what it tells is the same each time.
fn debugged() -> Runtime {
    Runtime::builder().virtual_clock().debug(true).build().unwrap()
}

#[test]
fn the_states_of_a_task_can_be_seen_from_outside_and_from_within() {
    runtime::block_on(async {
        let (own, handed) = runtime::sync::oneshot::channel::<runtime::AbortHandle>();
        let (sender, receiver) = runtime::sync::oneshot::channel::<()>();
        let task = spawn(async move {
            let own = handed.await.unwrap();
            let first = own.state();
            receiver.await.unwrap();
            (first, own.state())
        });
        assert_eq!(task.state(), TaskState::Scheduled);
        assert!(own.send(task.abort_handle()).is_ok());
        yield_now().await;
        assert_eq!(task.state(), TaskState::Idle);
        sender.send(()).unwrap();
        assert_eq!(task.state(), TaskState::Scheduled);
        yield_now().await;
        assert_eq!(task.state(), TaskState::Completed);
        assert_eq!(task.await.unwrap(), (TaskState::Running, TaskState::Running));
    });
}

#[test]
fn an_abort_shows_until_the_future_is_dropped_and_not_after_the_end() {
    runtime::block_on(async {
        let task = spawn(std::future::pending::<()>());
        task.abort();
        assert_eq!(task.state(), TaskState::Aborting);
        let handle = task.abort_handle();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(handle.state(), TaskState::Completed);
        handle.abort();
        assert_eq!(handle.state(), TaskState::Completed);
    });
}

#[test]
fn a_slow_poll_is_reported_with_task_name_place_and_length() {
    if is_child() {
        let limit = Duration::from_millis(2);
        let runtime = Runtime::builder().slow_poll(limit).build().unwrap();
        return runtime.block_on(async {
            task::Builder::new().name("parse").spawn(async move { hold(limit) }).await.unwrap();
        });
    }
    let said = said_by_child("a_slow_poll_is_reported_with_task_name_place_and_length", None);
    let report = said.lines().find(|line| line.contains("\"parse\"")).expect(&said);
    assert!(report.starts_with("runtime: slow poll: task #1 \"parse\" (spawned at "), "{report}");
    assert!(report.contains("tests/debug/main.rs:"), "{report}");
    let milliseconds = report.split_once("was polled for ").and_then(|(_, rest)| rest.split_once(" ms, "));
    let milliseconds: f64 = milliseconds.expect(report).0.parse().unwrap();
    assert!(milliseconds >= 2.0, "{report}");
}

#[test]
fn a_slow_poll_of_the_main_future_is_reported_too() {
    if is_child() {
        let limit = Duration::from_millis(2);
        return Runtime::builder().slow_poll(limit).build().unwrap().block_on(async { hold(limit) });
    }
    let said = said_by_child("a_slow_poll_of_the_main_future_is_reported_too", None);
    assert!(said.contains("runtime: slow poll: the main future was polled for "), "{said}");
}

/// The limit is 100 ms: a poll just above it is reported if the environment says so, and the code does not say otherwise.
#[test]
fn the_environment_switches_the_watchdog_on_and_the_code_has_the_last_word() {
    if is_child() {
        let builder = || Runtime::builder().workers(2);
        let polled_long = |runtime: Runtime, name: &str| {
            let task = runtime.handle().spawn(async {});
            runtime.block_on(async {
                task.await.unwrap();
                let long = async { hold(Duration::from_millis(100)) };
                task::Builder::new().name(name).spawn(long).await.unwrap();
            });
        };
        polled_long(builder().build().unwrap(), "unsaid");
        polled_long(builder().debug(false).build().unwrap(), "off");
        return polled_long(builder().debug(true).build().unwrap(), "on");
    }
    let reports = |debug| {
        let said = said_by_child("the_environment_switches_the_watchdog_on_and_the_code_has_the_last_word", debug);
        ["unsaid", "off", "on"].map(|name| said.contains(&format!("\"{name}\"")))
    };
    assert_eq!(reports(None), [false, false, true]);
    assert_eq!(reports(Some("")), [false, false, true]);
    assert_eq!(reports(Some("0")), [false, false, true]);
    assert_eq!(reports(Some("1")), [true, false, true]);
}
