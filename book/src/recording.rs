//! Recordings: what an example printed, kept beside the book so that a page shows it and a test compares it.
//!
//! ```text
//! # command: cargo run -q --example hello -- --virtual      book/recorded/hello.txt
//! # machine: 2 cores, Linux 6.1, rustc 1.95.0                           only if it is a measurement
//! hello
//! ```
//!
//! - On the virtual clock an example prints and does the same every time: such a recording is a snapshot.
//! - A measurement is never compared, but says on what it was made.
//! - A name that ends in `.py` is a program in `examples/python`: what asyncio does with the same job.

use crate::cargo;
use crate::house::House;
use crate::html;
use crate::problem::{Problem, Problems, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// One recording.
#[derive(Debug, PartialEq, Eq)]
pub struct Recording {
    /// The command that a reader types to see the same.
    pub command: String,
    /// What it was measured on, if it is a measurement.
    pub machine: Option<String>,
    /// What the example printed.
    pub output: String,
}

/// What distinguishes the command of a snapshot.
const VIRTUAL: &str = "--virtual";

impl Recording {
    /// Reads `book/recorded/NAME.txt`.
    ///
    /// # Errors
    ///
    /// It is not there, or has no `# command:` line.
    pub fn read(house: &House, name: &str) -> std::result::Result<Recording, String> {
        let file = format!("book/recorded/{name}.txt");
        let text = house.read(&file).map_err(|problem| format!("{problem}; `cargo run -- record {name}` makes it"))?;
        let mut rest = text.as_str();
        let mut header = |key: &str| {
            let (line, after) = rest.split_once('\n')?;
            let value = line.strip_prefix("# ")?.strip_prefix(key)?.strip_prefix(": ")?;
            rest = after;
            Some(value.trim().to_owned())
        };
        let command = header("command").ok_or_else(|| format!("`{file}` does not start with `# command: …`"))?;
        let machine = header("machine");
        Ok(Recording { command, machine, output: rest.to_owned() })
    }

    /// Whether a fresh run prints the same.
    pub fn is_deterministic(&self) -> bool {
        self.machine.is_none()
    }

    fn file(&self) -> String {
        let machine = self.machine.iter().map(|machine| format!("# machine: {machine}\n"));
        format!("# command: {}\n{}{}", self.command, machine.collect::<String>(), self.output)
    }

    /// The example, or the path of the Python program, and its arguments, from the command.
    fn parts(&self) -> Option<(&str, Vec<&str>)> {
        let mut words = self.command.split_whitespace();
        words.find(|word| ["--example", "python3"].contains(word))?;
        let example = words.next()?;
        Some((example, words.skip_while(|word| *word == "--").collect()))
    }
}

/// Where a Python is: `HANDLOOM_PYTHON`, or `python3`. `None` on a machine that has none.
pub fn python() -> Option<PathBuf> {
    let python = std::env::var_os("HANDLOOM_PYTHON").map_or_else(|| PathBuf::from("python3"), PathBuf::from);
    let version = Command::new(&python).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success()).then_some(python)
}

/// Whether `name` is the recording of a Python program.
fn is_python(name: &str) -> bool {
    name.ends_with(".py")
}

/// Runs the example of the recording `name` again, and writes what it prints into `folder` as `NAME.txt`, and, if a chapter shows its
/// timeline, what it did as `NAME.svg` and `NAME.trace.txt`.
///
/// A recording that is not there yet is made with `--virtual`, or as a measurement if `measured` says so.
///
/// # Errors
///
/// The example does not build or fails, or the files cannot be written.
pub fn record(house: &House, name: &str, measured: bool, folder: &Path) -> Result<()> {
    let command = match (is_python(name), measured) {
        (false, false) => format!("cargo run -q --example {name} -- {VIRTUAL}"),
        (false, true) => format!("cargo run -q --example {name}"),
        (true, false) => format!("python3 examples/python/{name} {VIRTUAL}"),
        (true, true) => format!("python3 examples/python/{name}"),
    };
    let mut recording = Recording::read(house, name).unwrap_or_else(|_| Recording {
        command,
        machine: measured.then(String::new),
        output: String::new(),
    });
    let problem = |message: String| Problems::from(Problem::in_file(format!("book/recorded/{name}.txt"), message));
    let Some((example, arguments)) = recording.parts() else {
        return Err(problem("its command runs no --example and no python3".to_owned()));
    };
    if measured == arguments.contains(&VIRTUAL) {
        let kind = if measured { "with" } else { "without" };
        return Err(problem(format!(
            "this recording is made {kind} {VIRTUAL}: mend its first line, or record it {}",
            if measured { "without --measured" } else { "with --measured" }
        )));
    }
    let mut command = if is_python(name) {
        let python = python().ok_or_else(|| problem("there is no python3 here".to_owned()))?;
        let mut command = Command::new(python);
        // Not a byte of bytecode beside the sources.
        command.args(["-B", example]);
        command
    } else if house.examples()?.iter().any(|known| known == example) {
        Command::new(cargo::build_example(house, example)?)
    } else {
        return Err(problem(format!("there is no example `{example}` in examples/Cargo.toml")));
    };
    let folder_failed = |error: std::io::Error| problem(format!("cannot write to {}: {error}", folder.display()));
    // One run for all of it, so that the output, the picture and its text tell of the same.
    let traces = ["svg", "trace.txt"].map(|extension| folder.join(format!("{name}.{extension}")));
    command.args(&arguments).current_dir(house.root()).env_remove("RUNTIME_TRACE");
    if is_drawn(house, name) {
        let files = std::env::join_paths(&traces).map_err(|error| problem(format!("the folder's name: {error}")))?;
        command.env("RUNTIME_TRACE", files);
    } else {
        traces.iter().for_each(|file| drop(std::fs::remove_file(file)));
    }
    let done = command.output().map_err(|error| problem(format!("cannot run {example}: {error}")))?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        return Err(problem(format!("{example} failed ({}): {said}", done.status)));
    }
    let output = done.stdout;
    recording.output = String::from_utf8_lossy(&output).into_owned();
    recording.machine = measured.then(|| machine(is_python(name)));
    std::fs::write(folder.join(format!("{name}.txt")), recording.file()).map_err(folder_failed)
}

/// Whether a chapter shows the timeline of this recording, or steps through it.
fn is_drawn(house: &House, name: &str) -> bool {
    let directives = ["timeline", "steps"].map(|kind| format!("{{{{#{kind} {name}}}}}"));
    let shows = |page: &Path| {
        std::fs::read_to_string(page)
            .is_ok_and(|text| text.lines().any(|line| directives.iter().any(|one| one == line)))
    };
    html::files_below(&house.chapters()).iter().any(|page| shows(page))
}

/// What a measurement was made on, and with which compiler or interpreter.
fn machine(python_ran: bool) -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let ran = if python_ran { python().unwrap_or_default() } else { PathBuf::from("rustc") };
    let version = Command::new(ran).arg("--version").output();
    let version = version.map_or_else(|_| String::new(), |out| String::from_utf8_lossy(&out.stdout).into_owned());
    let version: Vec<&str> = version.split_whitespace().take(2).collect();
    format!("{cores} cores, Linux {}, {}", kernel.trim(), version.join(" "))
}

/// The names of all recordings.
pub fn names(house: &House) -> Vec<String> {
    let files = std::fs::read_dir(house.recorded("")).into_iter().flatten().flatten();
    let mut names: Vec<String> = files
        .filter_map(|file| file.file_name().into_string().ok())
        .filter_map(|file| file.strip_suffix(".txt").map(str::to_owned))
        .filter(|name| !name.ends_with(".trace"))
        .collect();
    names.sort();
    names
}

/// Runs the example of every deterministic recording again, and says which print or do something else now.
///
/// # Errors
///
/// One problem for each recording that is out of date.
pub fn compare(house: &House) -> Result<()> {
    let mut problems = Vec::new();
    let has_python = python().is_some();
    if !has_python {
        println!("SKIPPED: no python3 here, so the recordings of examples/python were not compared");
    }
    let fresh = tempfile::tempdir().map_err(|error| Problem::new(format!("no temporary folder: {error}")))?;
    for name in names(house) {
        let deterministic = Recording::read(house, &name).is_ok_and(|recording| recording.is_deterministic());
        if !deterministic || is_python(&name) && !has_python {
            continue;
        }
        if let Err(Problems(mut failed)) = record(house, &name, false, fresh.path()) {
            problems.append(&mut failed);
            continue;
        }
        for file in [format!("{name}.txt"), format!("{name}.trace.txt"), format!("{name}.svg")] {
            let kept = std::fs::read_to_string(house.recorded(&file)).unwrap_or_default();
            let made = std::fs::read_to_string(fresh.path().join(&file)).unwrap_or_default();
            if let Some(line) = first_difference(&kept, &made) {
                let says = |text: &str| text.lines().nth(line - 1).unwrap_or("(nothing)").to_owned();
                let message = format!(
                    "recorded `{}`, but a fresh run gives `{}`: `cargo run -- record {name}` if that is right",
                    says(&kept),
                    says(&made)
                );
                problems.push(Problem::at(format!("book/recorded/{file}"), line, message));
            }
        }
    }
    Problems::or(problems)
}

fn first_difference(one: &str, other: &str) -> Option<usize> {
    if one == other {
        return None;
    }
    let equal = one.lines().zip(other.lines()).take_while(|(a, b)| a == b).count();
    Some(equal + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_names_the_example_and_its_arguments() {
        let recording = Recording {
            command: "cargo run -q --example 00_tour -- --virtual --scale 0.1".to_owned(),
            machine: None,
            output: String::new(),
        };
        assert_eq!(recording.parts(), Some(("00_tour", vec!["--virtual", "--scale", "0.1"])));
    }

    #[test]
    fn a_python_program_is_told_by_its_name() {
        let command = "python3 examples/python/gather.py --virtual".to_owned();
        let recording = Recording { command, machine: None, output: String::new() };
        assert_eq!(recording.parts(), Some(("examples/python/gather.py", vec!["--virtual"])));
        assert!(is_python("gather.py") && !is_python("gather"));
    }

    #[test]
    fn the_first_different_line_is_found() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb\n", "a\nc\n"), Some(2));
        assert_eq!(first_difference("a\n", "a\nc\n"), Some(2));
    }
}
