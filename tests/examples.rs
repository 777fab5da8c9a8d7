//! The examples take their arguments well. (That they print what the book says, `book.rs` compares.)

use std::process::{Command, Output};
use tests::example;

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
    for name in ["hello", "mini_loop", "00_tour", "01_four_fetchers", "02_by_hand", "02_three_traits", "02_after_ready"]
    {
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
