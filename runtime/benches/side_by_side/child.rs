//! This program as a child of itself: for loads, for memory that must be measured in a fresh process, and for tools that count
//! instructions and system calls of a whole process.

use super::{
    Bench, Kind, Workload,
    meter::{self, HEAP, RESIDENT, Sample},
    sides::Name,
};
use std::{
    collections::BTreeMap,
    env,
    process::{Child, Command, Stdio},
};

/// Puts a load of so many operations on a child that serves. The load is a process as well, made by the function.
pub(crate) type Drive = fn(&mut Child, &dyn Fn(&[String]) -> Command, usize);

/// How many times as many operations the second run under a tool has.
pub(super) const TIMES: usize = 5;

/// The first argument of a child.
const CHILD: &str = "--as-a-child";

/// This program, to be started as a child that does what `arguments` say.
pub(crate) fn command(arguments: &[String]) -> Command {
    let mut command = Command::new(env::current_exe().expect("this program has a path"));
    command.arg(CHILD).args(arguments);
    command
}

/// Does what a child is told, if this process is one.
pub(super) fn run(bench: &Bench) -> bool {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [CHILD, arguments @ ..] = &arguments[..] else { return false };
    match arguments {
        [word, arguments @ ..] if bench.role.is_some_and(|(role, _)| role == *word) => {
            bench.role.into_iter().for_each(|(_, play)| play(arguments));
        }
        ["run", side, workers, workload, operations] => {
            let (side, workers, operations) = (side.parse().expect("a side"), number(workers), number(operations));
            let workload = bench.workloads.iter().find(|known| known.name == *workload).expect("a workload");
            meter::leave_the_clock_alone();
            match workload.kind {
                Kind::Served(_, serve, _) => serve(side, workers),
                kind => kind.sampler()(side, workers, 0, operations)
                    .iter()
                    .for_each(|(figure, value)| println!("{figure}={value}")),
            }
            // A million tasks need not be dropped one by one.
            std::process::exit(0);
        }
        _ => panic!("a child is told {arguments:?}"),
    }
    true
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
}

fn arguments(workload: &Workload, side: Name, workers: usize, operations: usize) -> [String; 5] {
    ["run", side.as_str(), &workers.to_string(), workload.name, &operations.to_string()].map(str::to_owned)
}

/// A sample from a fresh process.
pub(super) fn sample(workload: &Workload, side: Name, workers: usize, operations: usize) -> Sample {
    let output = command(&arguments(workload, side, workers, operations))
        .stderr(Stdio::inherit())
        .output()
        .expect("this program starts once more");
    assert!(output.status.success(), "the child failed: {}", output.status);
    let text = String::from_utf8(output.stdout).expect("a child prints text");
    let figure = |line: &str| {
        let (figure, value) = line.split_once('=').expect("a child prints a figure a line");
        let known = [HEAP, RESIDENT].into_iter().find(|known| *known == figure)?;
        Some((known, value.parse().expect("a number")))
    };
    text.lines().filter_map(figure).collect()
}

/// A tool that counts something of a whole process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tool {
    /// User instructions, by valgrind.
    Instructions,
    /// System calls, by strace.
    SystemCalls,
}

impl Tool {
    fn program(self) -> &'static str {
        match self {
            Tool::Instructions => "valgrind",
            Tool::SystemCalls => "strace",
        }
    }

    fn arguments(self) -> &'static [&'static str] {
        match self {
            Tool::Instructions => &["--tool=callgrind", "--callgrind-out-file=/dev/null"],
            Tool::SystemCalls => &["-f", "-c"],
        }
    }

    /// Why it cannot be used here, if it cannot.
    pub(super) fn missing(self) -> Option<String> {
        let found = Command::new(self.program()).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        match found {
            Ok(status) if status.success() => None,
            _ => Some(format!("skipped: {self:?}, because {} is not installed", self.program())),
        }
    }

    /// What it counts for one operation more: the difference of two runs, so that start and end of the process do not count.
    pub(super) fn count(self, workload: &Workload, side: Name, workers: usize) -> BTreeMap<String, f64> {
        let base = self.count_run(workload, side, workers, workload.counted);
        let mut counts = self.count_run(workload, side, workers, TIMES * workload.counted);
        for (name, count) in &mut counts {
            *count = (*count - base.get(name).unwrap_or(&0.0)) / ((TIMES - 1) * workload.counted) as f64;
        }
        counts
    }

    /// This program as a child, under the tool.
    fn command(self, arguments: &[String]) -> Command {
        let program = command(arguments);
        let mut command = Command::new(self.program());
        command.args(self.arguments()).arg(program.get_program()).args(program.get_args());
        command
    }

    fn count_run(self, workload: &Workload, side: Name, workers: usize, operations: usize) -> BTreeMap<String, f64> {
        let mut child = self
            .command(&arguments(workload, side, workers, operations))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the tool was there a moment ago");
        if let Kind::Served(_, _, drive) = workload.kind {
            // The load is slowed down by the tool as the server is, lest it find all connections ready at each look.
            drive(&mut child, &|arguments| self.command(arguments), operations);
        }
        let output = child.wait_with_output().expect("the tool ends");
        let report = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {report}", self.program());
        let counts = match self {
            Tool::Instructions => instructions(&report),
            Tool::SystemCalls => system_calls(&report),
        };
        assert!(counts.contains_key(TOTAL), "no total in what {} says: {report}", self.program());
        counts
    }
}

/// The name of the sum.
pub(super) const TOTAL: &str = "total";

/// From the line `==1== Collected : 1234`.
fn instructions(report: &str) -> BTreeMap<String, f64> {
    let collected = report.lines().find_map(|line| line.split_once("Collected :"));
    let count = collected.and_then(|(_, count)| count.trim().parse().ok());
    count.map(|count| (TOTAL.to_owned(), count)).into_iter().collect()
}

/// From the table `% time, seconds, usecs/call, calls, errors, syscall`, where `errors` may be blank.
fn system_calls(report: &str) -> BTreeMap<String, f64> {
    let row = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, _, _, calls, .., name] = fields[..] else { return None };
        Some((name.to_owned(), calls.parse().ok()?))
    };
    report.lines().filter_map(row).collect()
}
