//! The table: what each side needs, and ours as a part of what the first one needs.

use crate::{
    processes::Tool,
    rows::{Figure, Goal, Row, Side},
};
use std::{fs, process::Command};

/// What was measured for a row: the values of each side, a round each.
#[derive(Default)]
pub(crate) struct Samples(Vec<(Figure, Side, Vec<f64>)>);

impl Samples {
    pub(crate) fn add(&mut self, figure: Figure, side: Side, value: f64) {
        match self.0.iter_mut().find(|(known, of, _)| (*known, *of) == (figure, side)) {
            Some((.., values)) => values.push(value),
            None => self.0.push((figure, side, vec![value])),
        }
    }

    fn of(&self, figure: Figure, side: Side) -> &[f64] {
        self.0.iter().find(|(known, of, _)| (*known, *of) == (figure, side)).map_or(&[], |(.., values)| values)
    }
}

/// A quantity with its quartiles.
struct Spread {
    low: f64,
    median: f64,
    high: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let last = values.len().checked_sub(1)?;
        Some(Self { low: values[last / 4], median: values[last / 2], high: values[last - last / 4] })
    }
}

impl Tool {
    pub(crate) fn figure(self) -> Figure {
        match self {
            Tool::Valgrind => Figure::Instructions,
            Tool::Strace => Figure::Calls,
        }
    }
}

/// Which machine, which versions, which command; and the head of the table.
pub(crate) fn print_header(rounds: usize) {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpu_info = read("/proc/cpuinfo");
    let model = cpu_info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    println!("Machine: {cores} × {}, Linux {}  ", model.trim_start_matches([' ', '\t', ':']), kernel.trim());
    let compiler = Command::new("rustc").arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    let versions = ["hyper", "hyper-util", "axum", "reqwest", "tokio"].map(|name| format!("{name} {}", locked(name)));
    println!("Versions: {}, {}  ", String::from_utf8_lossy(&compiler).trim(), versions.join(", "));
    let arguments = std::env::args().skip(1).filter(|argument| argument != "--bench").collect::<Vec<_>>().join(" ");
    println!("Command: `{}`  ", format!("just bench http {arguments}").trim_end());
    println!(
        "Medians of {rounds} rounds; in brackets the quartiles of the rounds' ratios to the first side. Less is better.\n"
    );
    println!("| row | figure, a request (or connection) | sides | ours | goal |");
    println!("|---|---|---|---:|---:|");
}

/// The lines of a row.
pub(crate) fn print(row: &Row, samples: &Samples) {
    for figure in [Figure::Cpu, Figure::Instructions, Figure::Calls, Figure::Resident] {
        if !samples.of(figure, row.sides[0]).is_empty() {
            println!("{}", line(row, samples, figure));
        }
    }
}

fn line(row: &Row, samples: &Samples, figure: Figure) -> String {
    let first = samples.of(figure, row.sides[0]);
    let ratio = |side: Side| {
        let rounds = samples.of(figure, side).iter().zip(first);
        Spread::of(rounds.map(|(value, first)| value / first).collect()).expect("every side has its rounds")
    };
    let side = |side: &Side| {
        let median = Spread::of(samples.of(figure, *side).to_vec()).expect("every side has its rounds").median;
        let Spread { low, median: times, high } = ratio(*side);
        let value = format!("{} {}", side.as_str(), figure.text(median));
        match *side {
            side if side == row.sides[0] => value,
            _ if low == high => format!("{value} ×{times:.2}"),
            _ => format!("{value} ×{times:.2} ({low:.2}–{high:.2})"),
        }
    };
    let sides = row.sides.iter().map(side).collect::<Vec<_>>().join(", ");
    let goal = row.goals.iter().find(|(known, _)| *known == figure).map(|(_, goal)| *goal);
    let (ours, goal) = match goal {
        None => ("–".to_owned(), "–".to_owned()),
        Some(goal) => judged(goal, figure, samples, ratio(Side::Ours).median),
    };
    format!("| {} | {} | {sides} | {ours} | {goal} |", row.title, figure.name())
}

/// Ours and its goal, with a word on whether it is reached.
fn judged(goal: Goal, figure: Figure, samples: &Samples, ratio: f64) -> (String, String) {
    let median = Spread::of(samples.of(figure, Side::Ours).to_vec()).expect("ours has its rounds").median;
    let (ours, reached, goal) = match goal {
        Goal::Ratio(most) => (format!("×{ratio:.2}"), ratio <= most, format!("×{most}")),
        Goal::Value(most) => (figure.text(median), median <= most, figure.text(most)),
    };
    (ours, format!("≤ {goal} {}", if reached { "reached" } else { "**missed**" }))
}

impl Figure {
    /// Three digits that mean something.
    fn text(self, value: f64) -> String {
        let value = if self == Figure::Cpu { value / 1_000.0 } else { value };
        match value.abs() {
            100.0.. => format!("{value:.0}"),
            10.0.. => format!("{value:.1}"),
            _ => format!("{value:.2}"),
        }
    }
}

/// The version of a dependency that this program was built with.
fn locked(name: &str) -> &'static str {
    const LOCK: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock"));
    let package = LOCK.split("[[package]]").find(|package| package.contains(&format!("name = \"{name}\"\n")));
    let version = package.and_then(|package| package.lines().find_map(|line| line.strip_prefix("version = ")));
    version.map_or("of an unknown version", |version| version.trim_matches('"'))
}
