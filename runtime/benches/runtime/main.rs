//! The runtime beside tokio and smol, on the same workloads, in the same run.
//!
//! ```text
//!   cargo bench -p runtime --bench runtime                      everything
//!   cargo bench -p runtime --bench runtime -- yield echo        some of it
//!   cargo bench -p runtime --bench runtime -- --quick           soon, and roughly
//! ```
//!
//! A workload is written once for all sides ([`workloads`], [`sides`]). The sides take turns, in an order that rotates; each
//! sample is a fresh runtime, warmed up. What is compared first is the processor time of the whole process: the time on the
//! wall depends on what else the machine does.

mod child;
mod echo;
mod memory;
mod meter;
mod oneshot;
mod report;
mod sides;
mod workloads;

use child::{TOTAL, Tool};
use clap::Parser;
use meter::{ALLOCATIONS, Sample};
use report::Row;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sides::Name;
use std::{collections::BTreeMap, fs, path::PathBuf, process::ExitCode};
use workloads::{Kind, Workload};

/// Measures the runtime beside tokio and smol.
#[derive(Parser)]
#[command(name = "just bench runtime")]
struct Arguments {
    /// Only workloads whose names contain one of these.
    #[arg(value_name = "WORKLOAD", value_parser = known)]
    workloads: Vec<String>,
    /// How often each side is timed; 0: only what can be counted.
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Three rounds of a tenth of the work; system calls are not counted.
    #[arg(long, conflicts_with = "rounds")]
    quick: bool,
    /// Only rows with so many workers.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=2))]
    workers: Option<u64>,
    /// Count user instructions too (needs valgrind, and minutes).
    #[arg(long)]
    instructions: bool,
    /// Write every round's figures to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Cargo says this to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

fn known(filter: &str) -> Result<String, String> {
    if workloads::ALL.iter().any(|workload| workload.name.contains(filter)) {
        return Ok(filter.to_owned());
    }
    let names: Vec<_> = workloads::ALL.iter().map(|workload| workload.name).collect();
    Err(format!("no workload is called so; there are {}", names.join(", ")))
}

fn main() -> ExitCode {
    raise_descriptor_limit();
    if child::run() {
        return ExitCode::SUCCESS;
    }
    let mut arguments = Arguments::parse();
    if arguments.quick {
        arguments.rounds = 3;
    }
    let mut run = Run::default();
    run.tools(&arguments);
    for workload in &workloads::ALL {
        if arguments.workloads.is_empty() || arguments.workloads.iter().any(|filter| workload.name.contains(filter)) {
            for workers in (1..=2).filter(|workers| arguments.workers.is_none_or(|only| only == *workers as u64)) {
                run.measure(workload, workers, &arguments);
            }
        }
    }
    let header = report::header(arguments.rounds);
    report::print(&header, &run.rows, &run.notes);
    if let Some(path) = arguments.json {
        let text = format!("{:#}\n", report::json(&header, &run.rows, &run.notes));
        if let Err(error) = fs::write(&path, text) {
            eprintln!("cannot write {}: {error}", path.display());
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// A thousand connections need more than the thousand descriptors that are usual.
fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    // Where it is refused, the row that needs it fails and says so.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

#[derive(Default)]
struct Run {
    rows: Vec<Row>,
    notes: Vec<String>,
    tools: Vec<Tool>,
}

impl Run {
    /// Which tools are wanted and there.
    fn tools(&mut self, arguments: &Arguments) {
        let wanted = [(Tool::SystemCalls, !arguments.quick), (Tool::Instructions, arguments.instructions)];
        for (tool, _) in wanted.into_iter().filter(|(_, wanted)| *wanted) {
            match tool.missing() {
                None => self.tools.push(tool),
                Some(why) => self.notes.push(why),
            }
        }
    }

    fn measure(&mut self, workload: &'static Workload, workers: usize, arguments: &Arguments) {
        eprintln!("{}, workers: {workers}", workload.name);
        let sides: Vec<Name> = Name::ALL.into_iter().filter(|side| side.has(workers)).collect();
        let operations = if arguments.quick { workload.quick() } else { workload.operations };
        let mut samples = Samples::default();
        if workload.kind == Kind::IdleTasks {
            // The same at each time, to the byte or nearly so.
            sides.iter().for_each(|side| samples.add(*side, child::sample(workload, *side, workers, operations)));
        } else {
            for round in 0..arguments.rounds {
                for turn in 0..sides.len() {
                    let side = sides[(round + turn) % sides.len()];
                    samples.add(side, workload.kind.sample(side, workers, workload.quick(), operations));
                }
            }
            sides.iter().for_each(|side| samples.add(*side, allocations(workload, *side, workers)));
        }
        for tool in self.tools.clone() {
            let worth_it = tool == Tool::Instructions || workload.system_calls;
            if worth_it && workload.counted > 0 {
                sides.iter().for_each(|side| self.count(tool, workload, *side, workers, &mut samples));
            }
        }
        self.rows.extend(samples.into_rows(workload, workers));
    }

    fn count(&mut self, tool: Tool, workload: &Workload, side: Name, workers: usize, samples: &mut Samples) {
        let counts = tool.count(workload, side, workers);
        let figure = match tool {
            Tool::Instructions => "instructions",
            Tool::SystemCalls => "system calls",
        };
        samples.add(side, vec![(figure, counts[TOTAL])]);
        let parts = counts.iter().filter(|(name, count)| *name != TOTAL && **count >= 0.005);
        let parts: Vec<_> = parts.map(|(name, count)| format!("{name} {count:.2}")).collect();
        if !parts.is_empty() {
            let place = format!("{}, {}, workers: {workers}", workload.name, side.as_str());
            self.notes.push(format!("system calls, {place}: {}", parts.join(", ")));
        }
    }
}

/// How often an operation allocates: counted apart, because counting costs time.
fn allocations(workload: &Workload, side: Name, workers: usize) -> Sample {
    memory::set_counting(true);
    let mut sample = workload.kind.sample(side, workers, workload.quick(), workload.quick());
    memory::set_counting(false);
    sample.retain(|(figure, _)| *figure == ALLOCATIONS);
    sample
}

/// Figures in the order in which they first came, each with its values by side.
#[derive(Default)]
struct Samples {
    order: Vec<&'static str>,
    values: BTreeMap<&'static str, Vec<(Name, Vec<f64>)>>,
}

impl Samples {
    fn add(&mut self, side: Name, sample: Sample) {
        for (figure, value) in sample {
            if !self.order.contains(&figure) {
                self.order.push(figure);
            }
            let sides = self.values.entry(figure).or_default();
            match sides.iter_mut().find(|(name, _)| *name == side) {
                Some((_, values)) => values.push(value),
                None => sides.push((side, vec![value])),
            }
        }
    }

    fn into_rows(mut self, workload: &'static Workload, workers: usize) -> impl Iterator<Item = Row> {
        self.order.into_iter().map(move |figure| Row {
            workload,
            workers,
            figure,
            values: self.values.remove(figure).expect("a figure in the order has values"),
        })
    }
}
