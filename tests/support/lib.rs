//! Starts the programs of this workspace, as a reader would, and stops them.
//!
//! - A program is built by the Cargo that runs the tests, in the same profile and the same folder: once for each test binary. No
//!   package is named, so that every dependency has the same features as in `cargo test`, and none is compiled twice.
//! - A program that was started is stopped when its guard is dropped, also when the test fails.

#![forbid(unsafe_code)]

pub mod wire;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Mutex;

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate stands in the workspace")
}

/// The program `handloom`, built.
pub fn handloom() -> PathBuf {
    build(&["--bin", "handloom"]);
    profile_folder().join("handloom")
}

/// The program of an example, built.
pub fn example(name: &str) -> PathBuf {
    build(&["--example", name]);
    profile_folder().join("examples").join(name)
}

/// The programs of these examples, built in one go.
pub fn examples<'a>(names: &[&'a str]) -> Vec<(&'a str, PathBuf)> {
    build(&["--examples"]);
    names.iter().map(|name| (*name, profile_folder().join("examples").join(name))).collect()
}

/// `TARGET/PROFILE`, where this test was built to `TARGET/PROFILE/deps/NAME-HASH`.
fn profile_folder() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own program");
    test.parent().and_then(Path::parent).expect("a test is built into deps/").to_owned()
}

fn build(what: &[&str]) {
    static BUILT: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut built = BUILT.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if built.contains(&what.join(" ")) {
        return;
    }
    let folder = profile_folder();
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(profile) => profile,
    };
    let done = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
        .args(["build", "--quiet", "--profile", profile, "--target-dir"])
        .arg(folder.parent().expect("a profile's folder stands in the target folder"))
        .args(what)
        .current_dir(root())
        .status()
        .expect("cargo starts");
    assert!(done.success(), "cargo build {} failed", what.join(" "));
    built.insert(what.join(" "));
}

/// A server that was started, and has said where it is.
#[derive(Debug)]
pub struct Served {
    child: Child,
    /// `http://127.0.0.1:PORT`
    pub address: String,
    /// The line in which it said so.
    pub line: String,
    /// Kept open: a server that prints more must not fail because nobody listens.
    stdout: Option<BufReader<ChildStdout>>,
}

impl Served {
    /// Starts `program`, and waits for the first line that names an address.
    ///
    /// # Panics
    ///
    /// The program does not start, or ends before it has said where it is.
    pub fn start(program: &Path, arguments: &[&str]) -> Served {
        let child = Command::new(program)
            .args(arguments)
            .current_dir(root())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()));
        let mut served = Served { child, address: String::new(), line: String::new(), stdout: None };
        let mut stdout = BufReader::new(served.child.stdout.take().expect("it is piped"));
        while served.address.is_empty() {
            served.line.clear();
            let length = stdout.read_line(&mut served.line).expect("it prints text");
            assert!(length > 0, "{} ended without saying where it is", program.display());
            if let Some((_, rest)) = served.line.split_once("http://") {
                let host = rest.split(['/', ' ', '\n']).next().unwrap_or_default();
                served.address = format!("http://{host}");
            }
        }
        served.stdout = Some(stdout);
        served
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.rsplit(':').next().and_then(|port| port.parse().ok()).expect("an address ends in its port")
    }

    /// The number of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends what Ctrl-C sends.
    pub fn press_ctrl_c(&self) {
        kill_process(Pid::from_child(&self.child), Signal::INT).expect("it still runs");
    }

    /// Sends what Ctrl-C sends, and waits for the end.
    pub fn interrupt(mut self) -> ExitStatus {
        self.press_ctrl_c();
        self.child.wait().expect("it ends")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Asked politely, it removes what it made; whoever does not listen is killed.
        let id = Pid::from_child(&self.child);
        let asked = kill_process(id, Signal::TERM).is_ok();
        let ended = pidfd_open(id, PidfdFlags::empty());
        let longest = Timespec { tv_sec: 5, tv_nsec: 0 };
        let polite =
            asked && ended.is_ok_and(|ended| poll(&mut [PollFd::new(&ended, PollFlags::IN)], Some(&longest)) == Ok(1));
        if !polite {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}
