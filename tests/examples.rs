//! The examples take their arguments well. (That they print what the book says, `book.rs` compares.)

use std::{
    io::{Read, Write},
    net::TcpStream,
    process::{Command, Output},
    time::{Duration, Instant},
};
use tests::{Served, example, examples};

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
    let names = [
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
        "fetch",
        "network",
        "http_client",
        "robust_client",
        "perf_tracker",
        "managed_client",
        "downloader",
        "requests",
        "api_client",
        "pool_demo",
        "c10k",
        "bench_compare",
        "http_server",
        "web_service",
        "access_log",
        "retry",
        "rate_limit",
        "breaker",
        "mini_loop",
        "00_tour",
        "01_four_fetchers",
        "02_after_ready",
        "02_by_hand",
        "02_three_traits",
        "03_moved",
        "04_stale",
        "04_waker",
        "05_block_on",
        "05_lost_wake",
        "06_executor",
        "06_lock_held",
        "06_many_wakes",
        "07_no_arrow",
        "07_task_cell",
        "07_two_workers",
        "08_abort_where",
        "08_join",
        "09_nearer",
        "09_timers",
        "09_two_ways",
        "10_edge",
        "10_one_waker",
        "10_reactor",
        "10_waits",
        "11_calls",
        "11_polling",
        "11_spent",
        "12_connect",
        "12_echo",
        "12_in_pieces",
        "12_zero",
        "13_many",
        "13_select",
        "13_starved",
        "14_channels",
        "14_wake_blocks",
        "15_permits",
        "15_std_mutex",
        "16_cancel",
        "16_drop",
        "16_futurelock",
        "16_rollback",
        "16_scope",
        "17_cycle",
        "17_files",
        "18_shared_queue",
        "18_two_at_once",
        "19_event",
        "19_slept_past",
        "19_stealing",
        "20_loom",
        "20_seeds",
        "21_chunks",
        "21_length",
        "21_server",
        "21_smuggle",
        "21_upload",
        "22_client",
        "22_half_read",
        "22_twice",
        "29_choosing",
    ];
    for (name, program) in examples(&names) {
        for arguments in [&["--bogus"][..], &["--scale"], &["--scale", "much"], &["--scale", "-1"]] {
            let output =
                Command::new(&program).args(arguments).env_remove("SCALE").output().expect("the example starts");
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

/// An example of the network in its simulated world, and what of its output matters.
fn shows(name: &str, parts: &[&str]) {
    let printed = printed(name, &["--virtual"]);
    for part in parts {
        assert!(printed.contains(part), "{name}: {part} is not in {printed}");
    }
}

#[test]
fn fetch_tells_what_became_of_each_page() {
    shows(
        "fetch",
        &[
            "298 bytes, 296 characters",
            "all of them: 2.00 s\n  connections: 4\n\n== the same",
            "all of them: 2.00 s\n  connections: 4\n\n== what",
            "status/404: HTTP error 404 Not Found",
            "nobody: cannot connect: ",
            "unknown: cannot find the host: ",
            "delay/10: timed out after 3s ",
        ],
    );
}

#[test]
fn network_limits_and_counts() {
    shows(
        "network",
        &[
            "  reset: 0 bytes\n  1.00 s",
            "bytes\n  an answer after 10 s: timeout\n  an answer after 2 s: ",
            "bytes\n  connections: 3\n  3.00 s",
            "Ok(5) bytes\n  10.00 s",
            "never more than 2\n  5.20 s",
            "(\"nobody\", 0)",
        ],
    );
}

#[test]
fn the_robust_client_tries_again_what_may_be_different_next_time() {
    shows(
        "robust_client",
        &[
            "3.00 s  status/500: all retries failed",
            "  4 requests\n",
            "null: JSON of 4 bytes",
            "not-json: no JSON: ",
            "3.00 s  flaky/2: JSON of ",
        ],
    );
}

#[test]
fn one_client_keeps_to_its_limits_and_remembers_names_and_connections() {
    shows(
        "http_client",
        &[
            "  1.50 s, at most 10 at once\n  so far: 1 lookups, 10 connections, which were used again 20 times",
            "  so far: 1 lookups, 10 connections, which were used again 50 times",
            "  so far: 2 lookups, 20 connections, which were used again 70 times",
            "  3.00 s, 6 requests",
            "not-json: error: the body cannot be understood: ",
            "  33.00 s, 9 requests",
        ],
    );
}

#[test]
fn the_client_of_one_service_keeps_its_key_and_sends_no_order_twice() {
    shows(
        "api_client",
        &[
            "there: the server saw the key: \"sesame\"\n  elsewhere: the server saw the key: null",
            "fails three times: 4 tries, after 7.00 s",
            "503 Service Unavailable, after 25.00 s",
            "asks for seven seconds: 2 tries, after 7.00 s",
            "may have been done: flaky/2: the server answered 503 Service Unavailable, after 0.00 s",
            "the server knows it again: 3 tries",
            "12 replies, failed: [5], after 2.00 s",
            "none after 0.00 s",
        ],
    );
}

#[test]
fn a_pool_has_limits_and_four_timeouts() {
    shows(
        "pool_demo",
        &[
            "total 1.00 s: 10.0 requests a second\n  each took 1.00 s on average",
            "total 5.00 s: 2.0 requests a second\n  each took 3.00 s on average",
            "Ok, after 5.00 s",
            "timeout (total) while reading the body of the response, after 3.00 s",
            "timeout (read) while waiting for the head of the response, after 2.00 s",
            "timeout (connect) while connecting, after 1.00 s",
            "timeout (acquire) while waiting for a free connection, after 1.00 s",
            "a new connection for each: 40.0 ms a request, 20 connections",
        ],
    );
}

#[test]
fn a_service_starts_and_stops_in_order_and_cuts_nobody_off() {
    shows(
        "web_service",
        &[
            "the database is open\nthe cache is open\nthe service has started\n",
            "GET /api/users/a%2Fb\n    400 Bad Request, 0.000s",
            "GET /api/users/\n    404 Not Found, 0.000s",
            "GET /api/users/1/x\n    404 Not Found, 0.000s",
            "GET /api/prices\n    500 Internal Server Error, 0.000s",
            "DELETE /api/products\n    405 Method Not Allowed, 0.000s",
            "the service stops\nGET /api/products\n    200 OK, 0.500s",
            "the cache is closed\nthe database is closed, with 1 users\nstopped: 0 requests were cut off",
        ],
    );
    let broken = run("web_service", &["--virtual", "--cache", "broken"]);
    let (printed, said) = (String::from_utf8_lossy(&broken.stdout), String::from_utf8_lossy(&broken.stderr));
    assert_eq!(broken.status.code(), Some(1), "{said}");
    assert!(said.contains("the cache refuses the connection"), "{said}");
    assert!(printed.contains("the database is closed, with 0 users"), "{printed}");
    assert!(!printed.contains("has started"), "{printed}");
}

#[test]
fn the_service_stops_in_order_when_it_is_terminated() {
    let service = Served::start(&example("web_service"), &["--port", "0", "--scale", "0.1"]);
    assert!(service.interrupt().success());
}

#[test]
fn a_second_ctrl_c_does_not_wait_for_the_request_that_runs() {
    // Its products take 50 s, and a stop waits 10 s for them.
    let service = Served::start(&example("web_service"), &["--port", "0", "--scale", "100"]);
    let mut peer = TcpStream::connect(("127.0.0.1", service.port())).unwrap();
    peer.write_all(b"GET /nope HTTP/1.1\r\nHost: a\r\n\r\nGET /api/products HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    // The first answer is written when the second request has to wait: now it runs.
    assert_ne!(peer.read(&mut [0; 1024]).unwrap(), 0);
    service.press_ctrl_c();
    while TcpStream::connect(("127.0.0.1", service.port())).is_ok() {
        std::thread::yield_now();
    }
    let begin = Instant::now();
    assert_eq!(service.interrupt().code(), Some(1));
    assert!(begin.elapsed() < Duration::from_secs(5), "it took {:?}", begin.elapsed());
}

#[test]
fn the_tracker_divides_by_no_nothing_and_counts_a_500_as_a_failure() {
    shows(
        "perf_tracker",
        &[
            "  0 requests: 0 succeeded (0.0 %), 0 failed, 0 were given up",
            "  3 requests: 1 succeeded (33.3 %), 2 failed, 0 were given up",
            "their times together: 7.00 s\n  and they took 1.50 s",
            "/metrics\nrequests_total{route=\"/\",end=\"error\"} 1\n",
            "requests_total{route=\"/delay/{s}\",end=\"success\"} 11",
        ],
    );
}

#[test]
fn the_managed_client_leaves_nothing_open() {
    shows(
        "managed_client",
        &[
            "success: 500\n  error_500: 250\n  error_404: 250\n  open before and after: the same",
            "the database is closed\n  the client is closed\n  Ok",
            "the client is open\n  the client is closed\n  Err",
        ],
    );
    // And with the descriptors of a real process.
    assert!(printed("managed_client", &["--scale", "0.1"]).contains("open before and after: the same"));
}

#[test]
fn a_download_is_there_whole_or_not_at_all() {
    shows(
        "downloader",
        &[
            "bytes/10485760: 10485760 bytes",
            "Timeout\n  what is there: 0.bin, 1.bin",
            "given up: true; what is there: 0.bin, 1.bin, given-up.bin.part",
        ],
    );
}

#[test]
fn idle_connections_take_one_thread() {
    let printed = printed("c10k", &["--conns", "200"]);
    assert!(printed.starts_with("200 connections, each with one answer: "), "{printed}");
    assert!(printed.contains("; threads: 1\n") && printed.contains("all ask at once: "), "{printed}");
    let most = run("c10k", &["--conns", "1000000000"]);
    let said = String::from_utf8_lossy(&most.stderr);
    assert!(most.status.code() == Some(1) && said.contains("raise the limit (`ulimit -n`)"), "{said}");
}

#[test]
fn what_a_log_costs_is_measured() {
    let printed = printed("access_log", &["--requests", "320", "--rounds", "1"]);
    assert!(printed.contains("log none") && printed.contains("1.00 ×") && printed.contains("log written"), "{printed}");
}

#[test]
fn the_comparison_is_a_table_and_a_chart() {
    let folder = tempfile::tempdir().expect("a folder");
    let chart = folder.path().join("below/compare.svg");
    let path = chart.to_str().expect("a path that is text");
    let printed = printed("bench_compare", &["--sweep", "4", "--delay", "0.01", "--rounds", "1", "--chart", path]);
    let rows: Vec<&str> = printed.lines().filter(|line| line.starts_with("       4  ")).collect();
    assert_eq!(rows.len(), 4, "{printed}");
    assert!(rows.iter().all(|row| row.ends_with(" 0")), "nothing failed: {printed}");
    assert!(printed.contains("4 requests by tasks are as quick as "), "{printed}");
    let chart = std::fs::read_to_string(chart).expect("the chart");
    for (what, bars) in [("#D3D3D3", 2), ("#F0E68C", 2), ("#F08080", 2), ("#87CEEB", 2)] {
        assert_eq!(chart.matches(what).count(), bars, "a bar and its place in the legend: {what}");
    }
}
