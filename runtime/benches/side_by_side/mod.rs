//! The harness of the benchmarks: ours, tokio and smol on the same workloads, in the same run.
//!
//! A workload is written once for all sides ([`sides`]). The sides take turns, in an order that rotates; each sample is a fresh
//! runtime, warmed up. What is compared first is the processor time of the whole process: the time on the wall depends on what
//! else the machine does.

pub(crate) mod child;
pub(crate) mod memory;
pub(crate) mod meter;
pub(crate) mod oneshot;
mod report;
pub(crate) mod sides;

use child::{Drive, TOTAL, Tool};
use clap::{CommandFactory, FromArgMatches, Parser, error::ErrorKind};
use meter::{ALLOCATIONS, Sample};
use report::Row;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sides::Name;
use std::{collections::BTreeMap, fs, path::PathBuf, process::ExitCode};

/// One benchmark: what `just bench NAME` measures.
pub(crate) struct Bench {
    pub(crate) name: &'static str,
    pub(crate) workloads: &'static [Workload],
    /// The crates whose versions the report names.
    pub(crate) peers: &'static [&'static str],
    /// What this program does as a child, if it has such a role.
    pub(crate) role: Option<Role>,
    /// Lines for the end of the report.
    pub(crate) notes: fn() -> Vec<String>,
}

/// The word that a child is told, and what it does with the other words.
pub(crate) type Role = (&'static str, fn(&[&str]));

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Workload {
    /// What it is called on the command line.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// What an operation is.
    pub(crate) operation: &'static str,
    /// How many make a sample.
    pub(crate) operations: usize,
    /// As many as make a sample when there is little time, and as warm one up.
    pub(crate) quick: usize,
    /// How many are run under a tool that counts instructions or system calls; and then [`TIMES`](child::TIMES) as many.
    pub(crate) counted: usize,
    /// Whether system calls are worth counting.
    pub(crate) system_calls: bool,
    /// Which sides have it; the others show a dash.
    pub(crate) sides: &'static [Name],
    pub(crate) kind: Kind,
}

/// Takes a sample: of this side, with so many workers, after so many operations to warm up, of so many operations.
pub(crate) type Sampler = fn(Name, usize, usize, usize) -> Sample;

/// How a workload is run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// In this process.
    Here(Sampler),
    /// In a child process, once: memory does not come back to where it was.
    InAChild(Sampler),
    /// In this process; and under a tool, as a child that serves, with a load from another.
    Served(Sampler, fn(Name, usize), Drive),
}

/// The [`Sampler`] of a workload that is written once for every `S: Bound`.
macro_rules! on_each_side {
    ($bound:path, |$side:ident: $S:ident, $operations:ident| $sample:expr) => {{
        fn sample<$S: $bound>(workers: usize, warm: usize, operations: usize) -> $crate::side_by_side::meter::Sample {
            let made = <$S as $crate::side_by_side::sides::Side>::new(workers);
            let $side = &made;
            let run = |$operations: usize| $sample;
            // The first run pays for threads, for queues that grow and for cold caches; a rare cost is not an operation's.
            if warm > 0 {
                run(warm);
            }
            run(operations)
        }
        |name, workers, warm, operations| {
            use $crate::side_by_side::sides::{Name, Ours, Smol, Tokio};
            match name {
                Name::Ours => sample::<Ours>(workers, warm, operations),
                Name::Tokio => sample::<Tokio>(workers, warm, operations),
                Name::Smol => sample::<Smol>(workers, warm, operations),
            }
        }
    }};
}
pub(crate) use on_each_side;

impl Kind {
    fn sampler(self) -> Sampler {
        match self {
            Kind::Here(sampler) | Kind::InAChild(sampler) | Kind::Served(sampler, ..) => sampler,
        }
    }
}

/// Measures ours beside tokio and smol.
#[derive(Parser)]
struct Arguments {
    /// Only workloads whose names contain one of these.
    #[arg(value_name = "WORKLOAD")]
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

impl Arguments {
    /// Reads the command line. A filter that fits no workload ends the process, with the names of all.
    fn parse_for(bench: &Bench) -> Self {
        let mut command = Self::command().bin_name(format!("just bench {}", bench.name));
        let arguments = Self::from_arg_matches(&command.get_matches_mut()).unwrap_or_else(|error| error.exit());
        let unknown =
            |filter: &&String| !bench.workloads.iter().any(|workload| workload.name.contains(filter.as_str()));
        if let Some(filter) = arguments.workloads.iter().find(unknown) {
            let names: Vec<_> = bench.workloads.iter().map(|workload| workload.name).collect();
            let message = format!("no workload is called {filter}; there are {}\n", names.join(", "));
            command.error(ErrorKind::InvalidValue, message).exit();
        }
        arguments
    }
}

/// What `main` does.
pub(crate) fn run(bench: &Bench) -> ExitCode {
    raise_descriptor_limit();
    if child::run(bench) {
        return ExitCode::SUCCESS;
    }
    let mut arguments = Arguments::parse_for(bench);
    if arguments.quick {
        arguments.rounds = 3;
    }
    let mut run = Run::default();
    run.tools(&arguments);
    for workload in bench.workloads {
        if arguments.workloads.is_empty() || arguments.workloads.iter().any(|filter| workload.name.contains(filter)) {
            for workers in (1..=2).filter(|workers| arguments.workers.is_none_or(|only| only == *workers as u64)) {
                run.measure(workload, workers, &arguments);
            }
        }
    }
    run.notes.extend((bench.notes)());
    let header = report::header(bench, arguments.rounds);
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
        let sides = workload.sides;
        let operations = if arguments.quick { workload.quick } else { workload.operations };
        let mut samples = Samples::default();
        if let Kind::InAChild(_) = workload.kind {
            // The same at each time, to the byte or nearly so.
            sides.iter().for_each(|side| samples.add(*side, child::sample(workload, *side, workers, operations)));
        } else {
            for round in 0..arguments.rounds {
                for turn in 0..sides.len() {
                    let side = sides[(round + turn) % sides.len()];
                    samples.add(side, workload.kind.sampler()(side, workers, workload.quick, operations));
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
    let mut sample = workload.kind.sampler()(side, workers, workload.quick, workload.quick);
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
