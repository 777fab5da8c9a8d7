//! This program as children of itself: servers, loads and clients, each alone in a process, perhaps under a tool that counts.

use crate::{
    clients, load,
    rows::{Row, Side},
    servers,
};
use rustix::{
    process::{Pid, Signal, kill_process, set_parent_process_death_signal},
    thread::{CpuSet, sched_setaffinity},
};
use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::SocketAddr,
    process::{Child, ChildStderr, ChildStdout, Command, Stdio},
    thread,
};

/// The first argument of a child.
const CHILD: &str = "--as-a-child";

/// Plays the part that the arguments give a child, if this process is one.
pub(crate) fn play(rows: &[Row]) -> bool {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [CHILD, place, role, arguments @ ..] = &arguments[..] else { return false };
    // However the one that started it ends (a tool that is killed, this bench at Ctrl-C), it serves nobody any more.
    set_parent_process_death_signal(Some(Signal::KILL)).expect("a signal that there is");
    stay_at(place.parse().expect("the number of a processor"));
    let number = |text: &str| text.parse().expect("a number");
    let played = match (*role, arguments) {
        ("serve", [side, row]) => {
            let row = rows.iter().find(|known| known.name == *row).expect("a row");
            servers::serve(side.parse().expect("a side"), row)
        }
        ("load", plan) => load::run(&load::Plan::parse(plan)),
        ("client", [side, url, at_once, warm, requests]) => {
            let (at_once, warm, requests) = (number(at_once), number(warm), number(requests));
            let plan = clients::Plan { url: (*url).to_owned(), at_once, warm, requests };
            clients::run(side.parse().expect("a side"), &plan)
        }
        _ => panic!("a child is told {arguments:?}"),
    };
    played.unwrap_or_else(|error| panic!("as {role} {arguments:?}: {error}"));
    // What is still open need not be closed one by one.
    std::process::exit(0);
}

/// Where a process runs. The one that is measured has a processor, and the other one another, so that these two at least are
/// not in each other's way.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    Measured = 1,
    Other = 0,
}

fn stay_at(place: usize) {
    if thread::available_parallelism().is_ok_and(|processors| processors.get() > place) {
        let mut processors = CpuSet::new();
        processors.set(place);
        // If it is not allowed, it runs anywhere.
        let _ = sched_setaffinity(None, &processors);
    }
}

/// A child. It is killed when it is dropped.
struct Process {
    child: Child,
    output: BufReader<ChildStdout>,
    /// What it says on its error output, if it runs under a tool; else that is ours.
    errors: Option<ChildStderr>,
}

impl Process {
    fn start(tool: Option<Tool>, place: Place, arguments: &[&str]) -> Self {
        let program = env::current_exe().expect("this program has a path");
        let mut command = match tool {
            None => Command::new(program),
            Some(tool) => {
                let mut command = Command::new(tool.program());
                command.args(tool.arguments()).arg(program);
                command
            }
        };
        command.args([CHILD, &(place as u8).to_string()]).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        if tool.is_some() {
            command.stderr(Stdio::piped());
        }
        let mut child = command.spawn().expect("this program starts once more");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        Self { errors: child.stderr.take(), child, output }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a child prints text");
        line.trim_end().to_owned()
    }

    fn expect(&mut self, word: &str) {
        let line = self.line();
        assert_eq!(line, word, "a child says something else");
    }

    /// What it says until it ends.
    fn report(&mut self) -> String {
        let mut report = String::new();
        if let Some(errors) = &mut self.errors {
            errors.read_to_string(&mut report).expect("a tool prints text");
        }
        self.child.wait().expect("a child ends");
        report
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both may fail: then it is over already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server, alone in a process.
pub(crate) struct Server {
    process: Process,
    /// Its own number: that of the child may be the tool's.
    pid: i32,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) fn start(tool: Option<Tool>, place: Place, side: Side, row: &Row) -> Self {
        let mut process = Process::start(tool, place, &["serve", side.as_str(), row.name]);
        let line = process.line();
        let known = line.split_once(' ').and_then(|(pid, address)| Some((pid.parse().ok()?, address.parse().ok()?)));
        let (pid, address) = known.unwrap_or_else(|| panic!("{side:?} cannot serve: {line:?}"));
        Self { process, pid, address }
    }

    /// Processor time that it has used.
    pub(crate) fn cpu(&self) -> f64 {
        cpu(self.pid)
    }

    /// Bytes of memory that the system has given it.
    pub(crate) fn resident(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).expect("Linux tells how a process is");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory too");
        let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse().expect("in kB");
        kibibytes * 1024.0
    }

    /// Ends it; gives what the tool says.
    pub(crate) fn end(mut self) -> String {
        let pid = Pid::from_raw(self.pid).expect("no process has the number 0");
        kill_process(pid, Signal::TERM).expect("it is ours to end");
        self.process.report()
    }
}

/// A load or a client: it gets ready, and goes when it is told to.
pub(crate) struct Worker(Process);

impl Worker {
    pub(crate) fn load(tool: Option<Tool>, plan: &load::Plan) -> Self {
        let arguments = plan.arguments();
        let arguments: Vec<&str> = ["load"].into_iter().chain(arguments.iter().map(String::as_str)).collect();
        Self::ready(Process::start(tool, Place::Other, &arguments))
    }

    pub(crate) fn client(tool: Option<Tool>, side: Side, plan: &clients::Plan) -> Self {
        let clients::Plan { url, at_once, warm, requests } = plan;
        let [at_once, warm, requests] = [at_once, warm, requests].map(usize::to_string);
        let arguments = ["client", side.as_str(), url, &at_once, &warm, &requests];
        Self::ready(Process::start(tool, Place::Measured, &arguments))
    }

    fn ready(mut process: Process) -> Self {
        process.expect("ready");
        Self(process)
    }

    /// Lets it do what it is there for.
    pub(crate) fn go(&mut self) {
        self.0.child.stdin.as_mut().expect("piped").write_all(b"go\n").expect("it listens");
        self.0.expect("done");
    }

    pub(crate) fn cpu(&self) -> f64 {
        cpu(self.0.child.id().try_into().expect("a number of a process"))
    }

    /// Ends it; gives what the tool says.
    pub(crate) fn end(mut self) -> String {
        drop(self.0.child.stdin.take());
        self.0.report()
    }
}

/// Processor time that the threads of a process have used, in nanoseconds. It is exact while they wait.
fn cpu(pid: i32) -> f64 {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("Linux tells of the threads of a process");
    let cpu = |thread: std::io::Result<fs::DirEntry>| {
        let path = thread.expect("a thread has an entry").path().join("schedstat");
        let text = fs::read_to_string(path).expect("a thread tells of its time");
        text.split(' ').next().and_then(|cpu| cpu.parse::<f64>().ok()).expect("nanoseconds")
    };
    threads.map(cpu).sum()
}

/// A tool that counts something of a whole process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    /// User instructions.
    Valgrind,
    /// System calls.
    Strace,
}

impl Tool {
    fn program(self) -> &'static str {
        match self {
            Tool::Valgrind => "valgrind",
            Tool::Strace => "strace",
        }
    }

    fn arguments(self) -> &'static [&'static str] {
        match self {
            Tool::Valgrind => &["--tool=callgrind", "--callgrind-out-file=/dev/null"],
            Tool::Strace => &["-f", "-c"],
        }
    }

    /// Why it cannot be used here, if it cannot.
    pub(crate) fn missing(self) -> Option<String> {
        let found = Command::new(self.program()).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        match found {
            Ok(status) if status.success() => None,
            _ => Some(format!("{} is not installed: what it would count was skipped", self.program())),
        }
    }

    /// The count in what it says at the end.
    pub(crate) fn read(self, report: &str) -> f64 {
        let count = match self {
            // ==1== Collected : 1234
            Tool::Valgrind => report.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok()),
            // 100.00    0.001234           1      1234        12 total
            Tool::Strace => report.lines().find_map(|line| {
                let fields: Vec<&str> = line.split_whitespace().collect();
                if let [_, _, _, calls, .., "total"] = fields[..] { calls.parse().ok() } else { None }
            }),
        };
        count.unwrap_or_else(|| panic!("no count in what {} says: {report}", self.program()))
    }
}
