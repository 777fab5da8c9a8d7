//! The table: for each figure of each workload the sides' medians, and ours as a part of theirs.

use super::{Bench, Workload, sides::Name};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, process::Command};

/// All that was measured of one figure: the values of each side, a round each.
pub(crate) struct Row {
    pub(crate) workload: &'static Workload,
    pub(crate) workers: usize,
    pub(crate) figure: &'static str,
    pub(crate) values: Vec<(Name, Vec<f64>)>,
}

/// A quantity with its quartiles.
struct Spread {
    low: f64,
    median: f64,
    high: f64,
}

impl Spread {
    fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        Some(Self { low: sorted[last / 4], median: sorted[last / 2], high: sorted[last - last / 4] })
    }
}

/// What is below this is nothing, and nothing can be a part of it.
const NOTHING: f64 = 0.05;

impl Row {
    fn values(&self, side: Name) -> &[f64] {
        self.values.iter().find(|(name, _)| *name == side).map_or(&[], |(_, values)| values)
    }

    /// Ours divided by theirs, round by round: what disturbs the machine disturbs both.
    fn ratio(&self, peer: Name) -> Option<Spread> {
        let rounds = self.values(Name::Ours).iter().zip(self.values(peer));
        let ratios: Vec<f64> = rounds.filter(|(_, peer)| **peer >= NOTHING).map(|(ours, peer)| ours / peer).collect();
        Spread::of(&ratios)
    }

    fn line(&self) -> String {
        let median = |side| Spread::of(self.values(side)).map_or("–".to_owned(), |spread| quantity(spread.median));
        let ratio = |peer| match self.ratio(peer) {
            None => "–".to_owned(),
            Some(Spread { low, median, high }) if low == high => format!("**{median:.2}**"),
            Some(Spread { low, median, high }) => format!("**{median:.2}** ({low:.2}–{high:.2})"),
        };
        let [ours, tokio, smol] = Name::ALL.map(median);
        let Workload { title, operation, .. } = self.workload;
        let figure = self.figure;
        let [to_tokio, to_smol] = [Name::Tokio, Name::Smol].map(ratio);
        format!("| {title} | {figure} {operation} | {ours} | {tokio} | {smol} | {to_tokio} | {to_smol} |")
    }

    fn json(&self) -> Value {
        let spread = |spread: Spread| json!({ "low": spread.low, "median": spread.median, "high": spread.high });
        let sides: BTreeMap<&str, Value> = self
            .values
            .iter()
            .filter_map(|(side, values)| {
                let median = Spread::of(values)?.median;
                Some((side.as_str(), json!({ "median": median, "rounds": values })))
            })
            .collect();
        json!({
            "workload": self.workload.name,
            "operation": self.workload.operation,
            "workers": self.workers,
            "figure": self.figure,
            "sides": sides,
            "ours_to_tokio": self.ratio(Name::Tokio).map(spread),
            "ours_to_smol": self.ratio(Name::Smol).map(spread),
        })
    }
}

/// Three digits that mean something.
fn quantity(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// The whole, in Markdown.
pub(crate) fn print(header: &[String], rows: &[Row], notes: &[String]) {
    header.iter().for_each(|line| println!("{line}  "));
    for workers in [1, 2] {
        let mut rows = rows.iter().filter(|row| row.workers == workers).peekable();
        if rows.peek().is_some() {
            let (tokio, threads) =
                if workers == 1 { ("current thread", "1 thread") } else { ("multi-thread 2", "2 threads") };
            println!("\n### Workers: {workers}\n");
            println!("| workload | figure | ours | tokio {tokio} | smol {threads} | ours : tokio | ours : smol |");
            println!("|---|---|---:|---:|---:|---:|---:|");
            rows.for_each(|row| println!("{}", row.line()));
        }
    }
    if !notes.is_empty() {
        println!();
        notes.iter().for_each(|note| println!("- {note}"));
    }
}

/// The same with every round, for programs.
pub(crate) fn json(header: &[String], rows: &[Row], notes: &[String]) -> Value {
    json!({ "header": header, "rows": rows.iter().map(Row::json).collect::<Vec<_>>(), "notes": notes })
}

/// Which machine, which versions, which command.
pub(crate) fn header(bench: &Bench, rounds: usize) -> Vec<String> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpu_info = read("/proc/cpuinfo");
    let model = cpu_info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let model = model.trim_start_matches([' ', '\t', ':']);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    let versions: Vec<_> = bench.peers.iter().map(|name| format!("{name} {}", locked(name))).collect();
    let compiler = Command::new("rustc").arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    let arguments = std::env::args().skip(1).filter(|argument| argument != "--bench").collect::<Vec<_>>().join(" ");
    vec![
        format!("Machine: {cores} × {model}, Linux {}", kernel.trim()),
        format!("Versions: {}, {}", String::from_utf8_lossy(&compiler).trim(), versions.join(", ")),
        format!("Command: `{}`", format!("just bench {} {arguments}", bench.name).trim_end()),
        match rounds {
            0 => "Only what can be counted; less is better.".to_owned(),
            _ => format!(
                "Medians of {rounds} rounds, in which the sides take turns; a ratio is the median of the rounds' ratios, with \
                 their quartiles. Less is better."
            ),
        },
    ]
}

/// The version of a dependency that this program was built with.
fn locked(name: &str) -> &'static str {
    const LOCK: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock"));
    let package = LOCK.split("[[package]]").find(|package| package.contains(&format!("name = \"{name}\"\n")));
    let version = package.and_then(|package| package.lines().find_map(|line| line.strip_prefix("version = ")));
    version.map_or("of an unknown version", |version| version.trim_matches('"'))
}
