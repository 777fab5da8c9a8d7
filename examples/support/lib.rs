//! What every example shares: its command line, its clock, and its runtime.
//!
//! ```no_run
//! examples::run(&["--name"], async |arguments| {
//!     println!("hello");
//!     examples::seconds(1.0).await;
//!     println!("{}", arguments.get("--name", "world".to_owned()));
//! });
//! ```
//!
//! - `--scale 0.1` makes every wait ten times shorter; the environment variable `SCALE` does the same.
//! - `--virtual` runs on the virtual clock: waits cost nothing, and the output is the same every time. An example without a
//!   runtime has no clock of ours, and takes the option without a change. One that speaks over the network ([`run_networked`])
//!   has a simulated one then.
//! - A wrong argument gives one line that says what is wrong, and exit code 2.

#![forbid(unsafe_code)]

pub mod httpbin;
pub mod measure;

use runtime::{Builder, Runtime, time::sleep, world::Conditions};
use std::{fmt::Display, process::exit, str::FromStr, sync::OnceLock, time::Duration};

/// The scale of the waits of this process, as its command line gave it.
static SCALE: OnceLock<f64> = OnceLock::new();

/// The command line of an example.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    /// Whether to run on the virtual clock.
    pub virtual_clock: bool,
    scale: f64,
    options: Vec<(String, String)>,
}

impl Arguments {
    /// Reads the command line, which may hold `--scale`, `--virtual`, and the options named here, each with a value. `--help`
    /// prints them and ends the process; so does a mistake, with exit code 2.
    pub fn parse(known: &[&str]) -> Arguments {
        let environment = std::env::var("SCALE").ok();
        let arguments =
            Self::read(known, environment, std::env::args().skip(1)).unwrap_or_else(|message| fail(2, message));
        SCALE.set(arguments.scale).ok();
        arguments
    }

    fn read(known: &[&str], scale: Option<String>, words: impl Iterator<Item = String>) -> Result<Arguments, String> {
        let mut words = words.peekable();
        let mut arguments = Arguments { scale: 1.0, ..Arguments::default() };
        if let Some(scale) = scale {
            arguments.scale = checked_scale("SCALE", &scale)?;
        }
        let mut usage = String::from("options: --scale NUMBER, --virtual");
        known.iter().for_each(|option| usage += &format!(", {option} VALUE"));
        while let Some(word) = words.next() {
            match word.as_str() {
                "--help" | "-h" => {
                    println!("{usage}");
                    exit(0);
                }
                "--virtual" => arguments.virtual_clock = true,
                "--scale" => arguments.scale = checked_scale("--scale", &value_of("--scale", words.next())?)?,
                option if known.contains(&option) => {
                    let value = value_of(option, words.next())?;
                    arguments.options.push((word, value));
                }
                other => return Err(format!("unknown argument `{other}`; {usage}")),
            }
        }
        Ok(arguments)
    }

    /// A runtime on the clock that was asked for; with as many workers as `--workers` says, in an example that knows it.
    pub fn builder(&self) -> Builder {
        let builder = Runtime::builder().workers(self.get("--workers", 1));
        if self.virtual_clock { builder.virtual_clock() } else { builder }
    }

    /// The value of an option, if it is given. A value that cannot be one ends the process with exit code 2.
    pub fn find<T: FromStr<Err: Display>>(&self, option: &str) -> Option<T> {
        let (_, value) = self.options.iter().rfind(|(name, _)| name == option)?;
        Some(value.parse().unwrap_or_else(|error| fail(2, format!("{option} cannot be `{value}`: {error}"))))
    }

    /// The value of an option, or `otherwise` when it is not given.
    pub fn get<T: FromStr<Err: Display>>(&self, option: &str, otherwise: T) -> T {
        self.find(option).unwrap_or(otherwise)
    }

    /// The value of an option that is a time in seconds, shortened by `--scale`. A day is the most, and less than nothing ends
    /// the process with exit code 2.
    pub fn seconds(&self, option: &str, otherwise: f64) -> Duration {
        let seconds = self.get(option, otherwise);
        if !(0.0..=86_400.0).contains(&seconds) {
            fail(2, format!("{option} is a number of seconds from 0 to 86400, and `{seconds}` is not"));
        }
        scaled(seconds)
    }
}

fn value_of(option: &str, word: Option<String>) -> Result<String, String> {
    word.ok_or_else(|| format!("{option} needs a value"))
}

fn checked_scale(name: &str, value: &str) -> Result<f64, String> {
    match value.parse() {
        Ok(scale) if (0.0..=1000.0).contains(&scale) => Ok(scale),
        _ => Err(format!("{name} is a number from 0 to 1000, and `{value}` is not")),
    }
}

/// Says why on one line, and ends the process.
pub fn fail(code: i32, message: impl Display) -> ! {
    eprintln!("error: {message}");
    exit(code)
}

/// Reads the command line, and runs `main` on a runtime of its own, on the clock that was asked for.
pub fn run<T>(options: &[&str], main: impl AsyncFnOnce(Arguments) -> T) -> T {
    let arguments = Arguments::parse(options);
    let runtime = runtime(arguments.builder());
    runtime.block_on(main(arguments))
}

/// As [`run`], for an example that needs nothing but time and the network: with `--virtual` it runs in a world of its own (see
/// [`runtime::world`]). There a packet takes no time, so that what an example prints is what it waits for; one that wants
/// distances says so to [`runtime::world::current`].
pub fn run_networked<T>(options: &[&str], main: impl AsyncFnOnce(Arguments) -> T) -> T {
    let arguments = Arguments::parse(options);
    let builder = if arguments.virtual_clock {
        let at_once = Conditions::default().latency(Duration::ZERO..Duration::ZERO).pieces(0.0).spurious(0.0);
        Runtime::builder().simulated(1).conditions(at_once)
    } else {
        arguments.builder()
    };
    runtime(builder).block_on(main(arguments))
}

/// The runtime, or one line that says why there is none, and exit code 1.
pub fn runtime(builder: Builder) -> Runtime {
    builder.build().unwrap_or_else(|error| fail(1, format!("cannot make a runtime: {error}")))
}

/// So many seconds, shortened by `--scale`.
///
/// # Panics
///
/// When the number is negative or not finite.
pub fn scaled(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds * SCALE.get().copied().unwrap_or(1.0))
}

/// Sleeps so many seconds, shortened by `--scale`.
pub async fn seconds(seconds: f64) {
    sleep(scaled(seconds)).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &str) -> Result<Arguments, String> {
        Arguments::read(&["--count"], None, words.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn the_last_value_of_an_option_counts() {
        let arguments = read("--virtual --count 3 --scale 0.5 --count 4").unwrap();
        assert!(arguments.virtual_clock);
        assert_eq!(arguments.scale, 0.5);
        assert_eq!(arguments.get("--count", 1), 4);
        assert_eq!(read("").unwrap().get("--count", 1), 1);
    }

    #[test]
    fn a_mistake_is_told_in_one_line() {
        for (words, message) in [
            ("--scale", "--scale needs a value"),
            ("--scale -1", "--scale is a number from 0 to 1000, and `-1` is not"),
            ("--scale NaN", "--scale is a number from 0 to 1000, and `NaN` is not"),
            ("--cuont 3", "unknown argument `--cuont`; options: --scale NUMBER, --virtual, --count VALUE"),
        ] {
            assert_eq!(read(words).unwrap_err(), message);
        }
    }
}
