//! Runs cases, each in a process of its own: one that hangs, or that takes the process with it, must not take the others along.

use super::{Missing, Runtime, up_to};
use std::{
    any::Any,
    env, fmt,
    io::Read,
    panic::catch_unwind,
    process::{Command, ExitCode, Stdio},
    thread,
    time::{Duration, Instant},
};

/// One thing that a runtime must do.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The chapter that it belongs to.
    pub chapter: u8,
    /// What is true if it passes.
    pub name: &'static str,
    /// What it usually means when it does not.
    pub hint: &'static str,
    /// Panics if it is not true, or never returns.
    pub run: fn(),
}

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is true.
    Passed,
    /// It is not, with what was seen.
    Failed(String),
    /// It needs what has not been written yet.
    Missing(String),
    /// It had not ended after so long, and was stopped.
    Hung(Duration),
}

/// A case that takes longer hangs. All of them together take a second or two.
const LONGEST: Duration = Duration::from_secs(5);

/// Set in the process that runs one case.
const CASE: &str = "HANDLOOM_CASE";

/// What the process of a case ends with.
const PASSED: i32 = 0;
const FAILED: i32 = 1;
const MISSING: i32 = 2;

/// The whole of a program that checks a runtime: `fn main() -> ExitCode { stages::cases::main::<Mine>() }`. Its argument is the
/// number of a chapter. Reports what passed and what did not, and fails if anything did not.
pub fn main<R: Runtime>() -> ExitCode {
    let chapter = match env::args().nth(1).as_deref().map(str::parse) {
        Some(Ok(chapter)) => chapter,
        _ => {
            eprintln!("which chapter? Give its number, as in `05`.");
            return ExitCode::from(64);
        }
    };
    only_one_if_asked::<R>("yours");
    let cases = up_to::<R>(chapter);
    if !cases.iter().any(|case| case.chapter == chapter) {
        println!("Chapter {chapter} has no cases: there is nothing in it for a runtime to do.");
    }
    let mut passed = 0;
    for of_chapter in cases.chunk_by(|one, next| one.chapter == next.chapter) {
        println!("chapter {}", of_chapter[0].chapter);
        let mut last = Outcome::Passed;
        for case in of_chapter {
            let outcome = attempt("yours", case);
            println!("  {:7} {}", outcome.word(), case.name);
            passed += usize::from(outcome == Outcome::Passed);
            let known = outcome == Outcome::Passed || matches!(outcome, Outcome::Missing(_)) && outcome == last;
            if !known {
                outcome.to_string().lines().for_each(|line| println!("          {line}"));
            }
            if matches!(outcome, Outcome::Failed(_) | Outcome::Hung(_)) {
                println!("          Often: {}", case.hint);
            }
            last = outcome;
        }
    }
    println!("\n{passed} of {} pass.", cases.len());
    if passed == cases.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs a case of the runtime of that name in a process of its own: this program once more, which must call
/// [`only_one_if_asked`] for each of its runtimes before it does anything else.
///
/// # Panics
/// When it is itself the process of a case, one that no runtime has taken.
pub fn attempt(runtime: &str, case: &Case) -> Outcome {
    assert!(env::var_os(CASE).is_none(), "no runtime here has taken the case that was asked for");
    let mut command = Command::new(env::current_exe().expect("this program has a file"));
    command.args(env::args_os().skip(1)).env(CASE, format!("{runtime} {}", case.name));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("this program can be run once more");
    let mut stdout = child.stdout.take().expect("it is piped");
    // Read beside the wait: a child that says a lot must not wait for us while we wait for it.
    let reader = thread::spawn(move || {
        let mut said = String::new();
        stdout.read_to_string(&mut said).map(|_| said).unwrap_or_default()
    });
    let begin = Instant::now();
    let status = loop {
        match child.try_wait().expect("it is our child") {
            Some(status) => break Some(status),
            None if begin.elapsed() > LONGEST => break None,
            None => thread::sleep(Duration::from_millis(1)),
        }
    };
    let Some(status) = status else {
        let _ = child.kill();
        let _ = child.wait();
        return Outcome::Hung(LONGEST);
    };
    let said = reader.join().unwrap_or_default().trim_end().to_owned();
    match status.code() {
        Some(PASSED) => Outcome::Passed,
        Some(MISSING) => Outcome::Missing(said),
        Some(FAILED) => Outcome::Failed(said),
        _ => Outcome::Failed(format!("the process ended with {status}")),
    }
}

/// In the process of a case of this runtime: runs it, and ends the process, with whatever threads it left, as its parent expects.
pub fn only_one_if_asked<R: Runtime>(runtime: &str) {
    let Ok(asked) = env::var(CASE) else { return };
    let Some(name) = asked.strip_prefix(runtime).and_then(|rest| rest.strip_prefix(' ')) else { return };
    let case = up_to::<R>(u8::MAX).into_iter().find(|case| case.name == name).expect("the parent knows its cases");
    let code = match catch_unwind(case.run) {
        Ok(()) => PASSED,
        Err(payload) => match payload.downcast_ref::<Missing>() {
            Some(missing) => {
                println!("{missing}");
                MISSING
            }
            None => {
                println!("{}", text(&*payload));
                FAILED
            }
        },
    };
    std::process::exit(code)
}

/// The whole of a test program without a harness that judges several runtimes, each up to a chapter: `"stage 5", 5: BlockOn;`. A
/// stage that stands alone leaves out the chapters of other stages: `"stage 18", 18 without [10, 12]: SharedQueue;`. A runtime that is
/// known not to be like the others in one thing says so: `"smol", 19 except ["a_case"]: Smol;`.
///
/// ```
/// use stages::{cases::Runtime, s05_block_on};
/// use std::future::Future;
///
/// struct BlockOn;
///
/// impl Runtime for BlockOn {
///     fn block_on<F: Future>(future: F) -> F::Output {
///         s05_block_on::block_on(future)
///     }
/// }
///
/// stages::judge! {
///     "stage 5", 5: BlockOn;
/// }
/// ```
#[macro_export]
macro_rules! judge {
    ($($name:literal, $chapter:literal $(without $not:tt)? $(except $case:tt)?: $Runtime:ty;)*) => {
        fn main() -> std::process::ExitCode {
            $($crate::cases::only_one_if_asked::<$Runtime>($name);)*
            let passed = [$($crate::cases::all_pass::<$Runtime>(
                $name,
                $chapter,
                &$crate::not_judged!($($not)?),
                &$crate::not_judged!($($case)?),
            )),*];
            if passed.contains(&false) { std::process::ExitCode::FAILURE } else { std::process::ExitCode::SUCCESS }
        }
    };
}

/// The chapters, or the cases, that are left out in [`judge`].
#[doc(hidden)]
#[macro_export]
macro_rules! not_judged {
    () => {
        []
    };
    ($these:tt) => {
        $these
    };
}

/// Do all cases up to that chapter, but those of the chapters in `without` and those named in `except`, pass on the runtime of that
/// name? Says which do not.
///
/// # Panics
/// When no case has a name that is in `except`.
pub fn all_pass<R: Runtime>(runtime: &str, chapter: u8, without: &[u8], except: &[&str]) -> bool {
    let cases = up_to::<R>(chapter);
    let unknown = except.iter().find(|name| !cases.iter().any(|case| case.name == **name));
    assert_eq!(unknown, None, "no case has this name");
    let asked = |case: &Case| !without.contains(&case.chapter) && !except.contains(&case.name);
    let cases = cases.into_iter().filter(asked);
    let outcomes = cases.map(|case| (case.name, attempt(runtime, &case)));
    let bad: Vec<_> = outcomes.filter(|(_, outcome)| *outcome != Outcome::Passed).collect();
    println!("{runtime}, up to chapter {chapter}: {}", if bad.is_empty() { "ok" } else { "FAILED" });
    bad.iter().for_each(|(case, outcome)| println!("    {case}: {outcome}"));
    bad.is_empty()
}

fn text(payload: &(dyn Any + Send)) -> &str {
    match payload.downcast_ref::<String>() {
        Some(text) => text,
        None => payload.downcast_ref::<&str>().copied().unwrap_or("it panicked without words"),
    }
}

impl Outcome {
    fn word(&self) -> &'static str {
        match self {
            Outcome::Passed => "ok",
            Outcome::Failed(_) => "FAILED",
            Outcome::Missing(_) => "missing",
            Outcome::Hung(_) => "HANGS",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Passed => f.write_str("it is so"),
            Outcome::Failed(said) | Outcome::Missing(said) => f.write_str(said),
            Outcome::Hung(time) => write!(f, "it had not ended after {time:?}, and was stopped"),
        }
    }
}
