//! `handloom`: weave the book and serve it, or only build, check or record.

#![forbid(unsafe_code)]

use book::house::House;
use book::problem::{Problem, Problems, Result};
use book::serve::{self, Options};
use book::weave::{self, Woven};
use book::{check, recording};
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Weaves the book and serves it on this machine
#[derive(Parser)]
#[command(name = "handloom", version)]
struct Arguments {
    /// Root of the repository [default: found from the current folder upwards]
    #[arg(long, global = true, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Folder for the pages [default: a temporary one while serving, target/book under the root for `build`]
    #[arg(long, global = true, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Port on 127.0.0.1; 0 takes any that is free
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// The pages run no examples
    #[arg(long)]
    no_run: bool,
    /// How long an example may run
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    run_seconds: u64,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Weave the pages and stop
    Build,
    /// Check the text, the pages and every Rust block
    Test,
    /// Run examples again and keep what they print and do
    Record {
        /// A measurement: on the real clock, with a line that says on what machine
        #[arg(long)]
        measured: bool,
        /// Keep nothing: say which recordings made on the virtual clock differ from what the examples do now
        #[arg(long, conflicts_with_all = ["measured", "names"])]
        compare: bool,
        /// The recordings, by name
        #[arg(required_unless_present = "compare")]
        names: Vec<String>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problems) => {
            eprintln!("{problems}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<()> {
    let house = match &arguments.root {
        Some(root) => House::at(root)?,
        None => House::find()?,
    };
    match arguments.command {
        None => {
            let longest_run = Duration::from_secs(arguments.run_seconds);
            let options = Options { port: arguments.port, out: arguments.out, run: !arguments.no_run, longest_run };
            serve::serve(&house, &options).map_err(one_line)
        }
        Some(Command::Build) => {
            let out = arguments.out.unwrap_or_else(|| house.root().join("target/book"));
            weave::build(&house, &out, &Woven::ToKeep).map_err(one_line)?;
            println!("The pages are in {}", out.display());
            Ok(())
        }
        Some(Command::Test) => {
            check::everything(&house)?;
            println!("The book holds");
            Ok(())
        }
        Some(Command::Record { compare: true, .. }) => {
            recording::compare(&house)?;
            println!("The recordings hold");
            Ok(())
        }
        Some(Command::Record { measured, names, .. }) => {
            for name in names {
                recording::record(&house, &name, measured, &house.recorded(""))?;
                println!("recorded {name}");
            }
            Ok(())
        }
    }
}

/// Of several problems the first, and how many more there are: a build that fails says one line.
fn one_line(problems: Problems) -> Problems {
    Problem::new(problems.in_one_line()).into()
}
