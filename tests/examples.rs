//! The examples take their arguments well. (That they print what the book says, `book.rs` compares.)

use std::process::{Command, Output};
use tests::{Served, example};

/// What an example does with these arguments.
fn run(name: &str, arguments: &[&str]) -> Output {
    Command::new(example(name)).args(arguments).env_remove("SCALE").output().expect("the example starts")
}

/// What it prints, if it succeeds.
fn printed(name: &str, arguments: &[&str]) -> String {
    let output = run(name, arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} {arguments:?} failed: {said}");
    String::from_utf8(output.stdout).expect("an example prints text")
}

#[test]
fn a_wrong_argument_gives_one_line_and_exit_code_2() {
    for name in [
        "hello",
        "hello_gather",
        "coroutines",
        "gather_vs_spawn",
        "sync_vs_async",
        "data_processor",
        "tasks",
        "timeouts",
        "custom_future",
        "blocking",
        "memory",
        "task_states",
        "runtimes",
        "cancel",
        "gather",
        "wait",
        "semaphore",
        "files",
        "context_manager",
        "exit_stack",
        "streams",
        "generators",
        "task_queue",
        "priority_queue",
        "batch",
        "cache",
        "error_handling",
        "task_tracker",
        "profile",
        "backpressure",
        "pipeline",
        "http_server",
        "retry",
        "rate_limit",
        "breaker",
        "mini_loop",
        "00_tour",
        "01_four_fetchers",
        "02_by_hand",
        "02_three_traits",
        "02_after_ready",
    ] {
        for arguments in [&["--bogus"][..], &["--scale"], &["--scale", "much"], &["--scale", "-1"]] {
            let output = run(name, arguments);
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{name} {arguments:?} said: {said}");
            assert_eq!(said.lines().count(), 1, "{name} {arguments:?} said: {said}");
            assert!(said.starts_with("error: "), "{name} {arguments:?} said: {said}");
        }
    }
}

#[test]
fn a_time_that_is_none_is_refused() {
    for seconds in ["-1", "NaN", "1e300", "soon"] {
        let output = run("01_four_fetchers", &["--delay", seconds]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "--delay {seconds} said: {said}");
        assert!(said.starts_with("error: --delay ") && said.lines().count() == 1, "--delay {seconds} said: {said}");
    }
}

#[test]
fn the_scale_shortens_the_waits() {
    let printed = printed("hello", &["--scale", "0.01"]);
    let total = printed.lines().last().and_then(|line| line.strip_prefix("Total time: "));
    let seconds: f64 = total.and_then(|rest| rest.split(' ').next()?.parse().ok()).expect("the total time");
    assert!((0.01..0.9).contains(&seconds), "a hundredth of a second was asked for, and it took {seconds} s");
}

/// The rows of the table: the way, and its wall clock in seconds.
fn table(arguments: &[&str]) -> Vec<(String, f64)> {
    let printed = printed("01_four_fetchers", arguments);
    let rows = printed.lines().skip(3).map(|row| {
        let mut columns = row.split_whitespace();
        let name = columns.next().expect("a row has a name").to_owned();
        (name, columns.next().and_then(|wall| wall.parse().ok()).expect("a row has a time"))
    });
    rows.collect()
}

#[test]
fn four_ways_take_what_their_waits_take() {
    let rows = table(&["--count", "3", "--delay", "0.1"]);
    let names: Vec<_> = rows.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["blocking", "threads", "busy", "futures"]);
    // A way is never quicker than its waits; how much slower, the machine decides.
    assert!(rows[0].1 >= 0.3, "one after the other: {} s", rows[0].1);
    for (name, wall) in &rows[1..] {
        assert!(*wall >= 0.1 && *wall < rows[0].1, "{name} waits for all at once: {wall} s");
    }
}

#[test]
fn with_work_to_do_there_is_a_mixed_way() {
    let rows = table(&["--count", "2", "--delay", "0.01", "--work", "0.02"]);
    let (name, wall) = rows.last().expect("rows");
    assert_eq!(name, "mixed");
    assert!(*wall >= 0.03, "a wait and the work after it: {wall} s");
}

#[test]
fn more_files_than_the_system_allows_are_refused_with_advice() {
    let output = run("01_four_fetchers", &["--count", "1000000000000"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "said: {said}");
    assert!(said.contains("take a smaller --count, or raise"), "said: {said}");
}

/// The numbers of seconds that stand in `printed` behind `label`.
fn seconds_behind(printed: &str, label: &str) -> Vec<f64> {
    let numbers = printed.split(label).skip(1).map(|rest| {
        let number: String = rest.trim_start().chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        number.parse().unwrap_or_else(|_| panic!("a number of seconds behind {label:?}: {printed}"))
    });
    numbers.collect()
}

#[test]
fn a_thread_adds_its_waits_up_and_futures_wait_together() {
    let printed = printed("sync_vs_async", &["--scale", "0.05"]);
    let (sync, together) =
        (seconds_behind(&printed, "Sync total time: "), seconds_behind(&printed, "Async total time: "));
    assert!(sync[0] >= 0.20 && sync[1] >= 0.25, "the sums of the waits: {printed}");
    assert!(together[0] >= 0.10 && together[0] < sync[0], "the longest wait: {printed}");
    assert!(together[1] >= 0.05 && together[1] < sync[1], "the longest wait: {printed}");
    assert_eq!(printed.matches("Results equal: true").count(), 2, "{printed}");
}

#[test]
fn a_poll_that_blocks_holds_up_the_heartbeat_and_is_named() {
    let output = run("blocking", &["--scale", "0.2"]);
    let (printed, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    // Two hundred milliseconds, of which the heartbeat misses all but its last interval at least.
    for blocks in ["thread::sleep ", "computing without a break "] {
        let row = printed.lines().find(|row| row.starts_with(blocks)).expect("a row for it");
        assert!(seconds_behind(row, "late by up to ")[0] >= 0.17, "{row}");
        assert!(said.contains(&format!("\"{}\"", blocks.trim_end())), "the watchdog names it: {said}");
    }
    assert!(!said.contains("\"waiting\"") && !said.contains("on a blocking thread"), "no other is named: {said}");
    assert!(
        printed.contains("each time: [41665416675000, 41665416675000, 41665416675000, 41665416675000]"),
        "{printed}"
    );
}

#[test]
fn a_task_takes_less_memory_than_a_thread() {
    let printed = printed("memory", &["--tasks", "5000", "--threads", "50"]);
    let each = |name: &str| -> Vec<f64> {
        let row = printed.lines().find(|row| row.contains(name)).expect("a row for it");
        row.split_whitespace().filter_map(|word| word.parse().ok()).collect()
    };
    let (tasks, threads) = (each(" tasks "), each(" threads "));
    // Number, memory used, each, reserved, each. What is used, the system counts in pages, and late.
    assert_eq!((tasks.len(), tasks[0], threads[0]), (5, 5000.0, 50.0), "{printed}");
    assert!(tasks[4] < 10.0 && threads[4] > 1000.0, "kilobytes of address space each: {printed}");
}

#[test]
fn the_server_serves_until_it_is_interrupted_and_says_that_a_port_is_taken() {
    let server = Served::start(&example("http_server"), &["--port", "0"]);
    assert!(server.line.ends_with("/hello?name=World\n"), "{}", server.line);
    let second = run("http_server", &["--port", &server.port().to_string()]);
    let said = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(said.starts_with(&format!("error: cannot listen on port {}: ", server.port())), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(server.interrupt().success());
}

#[test]
fn the_server_answers_as_the_article_wants() {
    let printed = printed("http_server", &["--virtual"]);
    for part in [
        "GET /hello?name=%E5%BC%A0 \n    200 OK\n    x-response-time: 0.100s\n    {\"message\":\"Hello, 张!\"",
        "\"message\":\"Hello, World!\",\"method\":\"GET\",\"timestamp\":0.2,\"url\":\"http://localhost/hello\"}",
        "\"message\":\"Hello, !\"",
        "\"message\":\"Hello, Ada!\"",
        "404 Not Found\n    x-response-time: 0.000s\n",
        "{\"processed\":true,\"received\":{\"numbers\":[1,2,3]},\"timestamp\":0.6}",
        "400 Bad Request\n    x-response-time: 0.000s\n    {\"error\":",
        "415 Unsupported Media Type\n",
        "405 Method Not Allowed\n    allow: GET, HEAD, OPTIONS\n",
    ] {
        assert!(printed.contains(part), "{part} is not in {printed}");
    }
}
