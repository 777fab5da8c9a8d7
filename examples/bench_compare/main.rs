//! Threads or tasks? The same requests, to a server that takes its time, four ways: one by one, by fifty threads, by a thread
//! for each, and by a task for each. Measured here and now, on your machine.
//!
//! ```console
//! cargo run --release --example bench_compare
//! cargo run --release --example bench_compare -- --sweep 100 --delay 0.05 --rounds 5
//! ```
//!
//! Each measurement is made in a process of its own, by turns; of several rounds the one in the middle counts. What would
//! take long by its waits alone is measured once, or left out. A bar chart goes to `--chart`: `target/bench/compare.svg`.
//!
//! The mistakes that it avoids: to compare many tasks with fifty threads only (their number decides the ratio then, and
//! nothing else); to leave the bodies unread; to count failures as quick answers; to write down numbers nobody measured.

mod chart;
mod ways;

use examples::{Arguments, fail, httpbin, measure};
use indicatif::{ProgressBar, ProgressStyle};
use std::{net::SocketAddr, path::PathBuf, process::Command, time::Duration};
use ways::{Job, Measured, WAYS};

/// What is measured: so many requests, in one of the [`WAYS`]; and what came out in each round.
struct Row {
    requests: usize,
    way: usize,
    measured: Vec<Measured>,
}

impl Row {
    /// The round in the middle, by its time.
    fn middle(&self) -> &Measured {
        &self.measured[self.measured.len() / 2]
    }
}

// ANCHOR: plan
/// The waits alone, one after the other as far as the way has it so.
fn shortest(requests: usize, way: usize, delay: Duration) -> Duration {
    let at_once = [1, ways::FEW, requests, requests][way];
    delay * requests.div_ceil(at_once) as u32
}

/// What is to be measured, and how often.
fn plan(sweep: &[usize], delay: Duration, rounds: usize) -> Vec<(Row, usize)> {
    let all = sweep.iter().flat_map(|requests| (0..WAYS.len()).map(|way| (*requests, way)));
    let rows = all.filter_map(|(requests, way)| {
        let rounds = match shortest(requests, way, delay).as_secs() {
            0..2 => rounds,
            2..20 => 1,
            _ => return None,
        };
        Some((Row { requests, way, measured: Vec::new() }, rounds))
    });
    rows.collect()
}

fn measure_all(server: SocketAddr, delay: Duration, plan: Vec<(Row, usize)>) -> Vec<Row> {
    let bar = ProgressBar::new(plan.iter().map(|(_, rounds)| *rounds as u64).sum());
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}").expect("a template of ours"));
    let most = plan.iter().map(|(_, rounds)| *rounds).max().unwrap_or_default();
    let (mut rows, rounds): (Vec<_>, Vec<_>) = plan.into_iter().unzip();
    for round in 0..most {
        for (row, _) in rows.iter_mut().zip(&rounds).filter(|(_, rounds)| round < **rounds) {
            bar.set_message(format!("{} requests, {}", row.requests, WAYS[row.way].0));
            row.measured.push(in_a_process(&Job { server, requests: row.requests, delay }, row.way));
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    rows.iter_mut().for_each(|row| row.measured.sort_by(|one, other| one.wall.total_cmp(&other.wall)));
    rows
}
// ANCHOR_END: plan

/// This program once more, for one measurement.
fn in_a_process(job: &Job, way: usize) -> Measured {
    let program = std::env::current_exe().unwrap_or_else(|error| fail(1, error));
    let words = [&way.to_string(), "--server", &job.server.to_string(), "--sweep", &job.requests.to_string()]
        .map(str::to_owned)
        .into_iter()
        .chain(["--delay".to_owned(), job.delay.as_secs_f64().to_string()]);
    let done = Command::new(program).env_remove("SCALE").arg("--way").args(words).output();
    let done = done.unwrap_or_else(|error| fail(1, format!("cannot measure: {error}")));
    let said = String::from_utf8_lossy(&done.stderr);
    serde_json::from_slice(&done.stdout).unwrap_or_else(|_| fail(1, format!("{}: {}", WAYS[way].0, said.trim_end())))
}

fn print(rows: &[Row]) {
    println!("requests  way                      time   a second      p50      p99     memory  threads  failed");
    for row in rows {
        let Measured { wall, p50, p99, memory, threads, failed } = row.middle();
        println!(
            "{:>8}  {:<18} {wall:>8.2} s {:>10.0} {p50:>6.2} s {p99:>6.2} s {:>7.1} MB {threads:>8} {failed:>7}",
            row.requests,
            WAYS[row.way].0,
            row.requests as f64 / wall,
            memory / 1e6
        );
    }
    println!();
    for tasks in rows.iter().filter(|row| row.way == ways::TASKS) {
        let others = rows.iter().filter(|row| row.requests == tasks.requests && row.way != tasks.way);
        let ratio = |row: &Row| format!("{:.1} × {}", row.middle().wall / tasks.middle().wall, WAYS[row.way].0);
        let ratios: Vec<_> = others.map(ratio).collect();
        println!("{} requests by tasks are as quick as {}", tasks.requests, ratios.join(", "));
    }
}

fn main() {
    let arguments = Arguments::parse(&["--sweep", "--delay", "--rounds", "--chart", "--server", "--way"]);
    let sweep = arguments.get("--sweep", "10,100,1000,5000".to_owned());
    let sweep: Result<Vec<usize>, _> = sweep.split(',').map(|number| number.trim().parse()).collect();
    let sweep = sweep.unwrap_or_else(|error| fail(2, format!("--sweep is numbers with commas between them: {error}")));
    let (delay, rounds) = (arguments.seconds("--delay", 0.1), arguments.get("--rounds", 3));
    if arguments.virtual_clock {
        fail(2, "this example measures, and a measurement has no use for --virtual");
    }
    if sweep.contains(&0) || sweep.is_empty() || rounds == 0 {
        fail(2, "--sweep and --rounds are numbers from 1");
    }
    let most = sweep.iter().max().copied().unwrap_or_default();
    measure::allow_open_files(most as u64 + 64).unwrap_or_else(|message| fail(1, message));
    if let Some(server) = arguments.find("--server") {
        let measured = ways::run(&Job { server, requests: most, delay }, arguments.get("--way", ways::TASKS));
        println!("{}", serde_json::to_string(&measured).expect("numbers"));
        return;
    }
    let rows = measure_all(httpbin::on_a_thread(), delay, plan(&sweep, delay, rounds));
    println!("each request is answered after {delay:?}\n");
    print(&rows);
    let path = arguments.get("--chart", PathBuf::from("target/bench/compare.svg"));
    chart::draw(&path, &rows).unwrap_or_else(|error| fail(1, format!("cannot write {}: {error}", path.display())));
    println!("\nthe chart is in {}", path.display());
}
