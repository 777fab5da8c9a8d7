//! The HTTP server and client beside others, in one run.
//!
//! ```text
//!   cargo bench -p netio --bench http                     everything: minutes
//!   cargo bench -p netio --bench http -- text client      some rows
//!   cargo bench -p netio --bench http -- --quick          a glance
//! ```
//!
//! Each side is a process of its own (this program again, which plays a part), with one thread. The sides take turns, in an
//! order that rotates; every sample is a new process, warmed up. How the figures are made:
//!
//! - **CPU**: the processor time, user and system, that the scheduler has counted for all threads of the measured process
//!   (`/proc/PID/task/*/schedstat`, nanoseconds), after less before, by the number of requests. Both readings are taken while
//!   it waits. The load is another process, on another processor: see [`load`].
//! - **ratio**: a side's figure by that of the row's first side in the same round; the median of the rounds', with their
//!   quartiles. What disturbs the machine disturbs both.
//! - **instructions**: user instructions counted by callgrind in two runs, one with five times as many requests; the difference
//!   by the difference: start and end do not count. What the kernel does is not in it.
//! - **system calls**: the same, counted by strace. The other side of the connections runs under the same tool, so that one is
//!   not so fast that it finds all connections ready at each look.
//! - **resident bytes**: `VmRSS` of the server with all connections idle after a request each, less `VmRSS` before them, by
//!   their number. What the kernel keeps for a socket is not in it.
//!
//! The floor is [`raw`](servers): a loop around epoll that answers every empty line with the same bytes. Requests have one
//! header field, `Host`, and answers have four. Rows say `bare` where there is no router and no layer; in all others there are
//! a parameter in the path and a layer that says how long it took. hyper has neither: there it is done by hand. Clients fetch
//! a text from the raw loop, over kept connections.

mod clients;
mod load;
mod processes;
mod report;
mod rows;
mod servers;

use clap::{CommandFactory, FromArgMatches, Parser, error::ErrorKind};
use processes::{Place, Server, Tool, Worker};
use report::Samples;
use rows::{Figure, Kind, Row, Side};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Measures ours beside others.
#[derive(Parser)]
struct Arguments {
    /// Only rows whose names contain one of these.
    #[arg(value_name = "ROW")]
    rows: Vec<String>,
    /// How often each side is measured; 0: only what can be counted.
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Three rounds of a tenth of the work; instructions and system calls are not counted.
    #[arg(long, conflicts_with = "rounds")]
    quick: bool,
    /// Cargo says this to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Arguments {
    /// Reads the command line. A filter that fits no row ends the process, with the names of all.
    fn get() -> Self {
        let mut command = Self::command().bin_name("just bench http");
        let arguments = Self::from_arg_matches(&command.get_matches_mut()).unwrap_or_else(|error| error.exit());
        let fits = |filter: &str| rows::ALL.iter().any(|row| row.name.contains(filter));
        if let Some(filter) = arguments.rows.iter().find(|filter| !fits(filter)) {
            let names = rows::ALL.map(|row| row.name).join(", ");
            command.error(ErrorKind::InvalidValue, format!("no row is called {filter}; there are {names}\n")).exit();
        }
        arguments
    }

    fn wants(&self, row: &Row) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|filter| row.name.contains(filter.as_str()))
    }
}

fn main() {
    raise_descriptor_limit();
    if processes::play(&rows::ALL) {
        return;
    }
    let mut arguments = Arguments::get();
    let (mut tools, mut notes) = (Vec::new(), Vec::new());
    if arguments.quick {
        arguments.rounds = 3;
    } else {
        for tool in [Tool::Valgrind, Tool::Strace] {
            match tool.missing() {
                None => tools.push(tool),
                Some(why) => notes.push(why),
            }
        }
    }
    report::print_header(arguments.rounds);
    for row in rows::ALL.iter().filter(|row| arguments.wants(row)) {
        let samples = measure(row, &arguments, &tools);
        report::print(row, &samples);
    }
    notes.iter().for_each(|note| println!("\n{note}"));
}

/// Ten thousand connections need more than the thousand descriptors that are usual.
fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    // Where it is refused, the row that needs it fails and says so.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

fn measure(row: &Row, arguments: &Arguments, tools: &[Tool]) -> Samples {
    let mut samples = Samples::default();
    if let Kind::Idle = row.kind {
        // The same each time, or nearly so.
        let connections = if arguments.quick { row.requests / 5 } else { row.requests };
        for side in row.sides {
            samples.add(Figure::Resident, *side, resident(row, *side, connections));
        }
        return samples;
    }
    let requests = if arguments.quick { row.requests / 10 } else { row.requests };
    for round in 0..arguments.rounds {
        for turn in 0..row.sides.len() {
            let side = row.sides[(round + turn) % row.sides.len()];
            samples.add(Figure::Cpu, side, cpu(row, side, requests));
        }
    }
    for tool in tools.iter().filter(|_| row.counted) {
        for side in row.sides {
            samples.add(tool.figure(), *side, counted(*tool, row, *side));
        }
    }
    samples
}

fn plan(row: &Row, server: &Server, warm: usize, requests: usize) -> load::Plan {
    let Row { connections, batch, closes, answer, .. } = *row;
    let length = servers::body_of(answer).len();
    load::Plan {
        address: server.address,
        path: answer.path().to_owned(),
        length,
        connections,
        batch,
        closes,
        warm,
        requests,
    }
}

fn client_plan(row: &Row, server: &Server, warm: usize, requests: usize) -> clients::Plan {
    let url = format!("http://{}{}", server.address, row.answer.path());
    clients::Plan { url, at_once: row.connections, warm, requests }
}

/// Nanoseconds a request.
fn cpu(row: &Row, side: Side, requests: usize) -> f64 {
    let warm = requests / 10;
    let spent = if let Kind::Fetched = row.kind {
        let server = Server::start(None, Place::Other, Side::Raw, row);
        let mut client = Worker::client(None, side, &client_plan(row, &server, warm, requests));
        let before = client.cpu();
        client.go();
        client.cpu() - before
    } else {
        let server = Server::start(None, Place::Measured, side, row);
        let mut load = Worker::load(None, &plan(row, &server, warm, requests));
        let before = server.cpu();
        load.go();
        server.cpu() - before
    };
    spent / requests as f64
}

/// What a tool counts for a request.
fn counted(tool: Tool, row: &Row, side: Side) -> f64 {
    const TIMES: usize = 5;
    let few = (row.connections * row.batch * 10).max(1_000);
    let count = |requests| {
        let report = if let Kind::Fetched = row.kind {
            let server = Server::start(Some(tool), Place::Other, Side::Raw, row);
            let mut client = Worker::client(Some(tool), side, &client_plan(row, &server, 0, requests));
            client.go();
            client.end()
        } else {
            let server = Server::start(Some(tool), Place::Measured, side, row);
            let mut load = Worker::load(Some(tool), &plan(row, &server, 0, requests));
            load.go();
            server.end()
        };
        tool.read(&report)
    };
    (count(TIMES * few) - count(few)) / ((TIMES - 1) * few) as f64
}

/// Bytes for each idle connection.
fn resident(row: &Row, side: Side, connections: usize) -> f64 {
    let server = Server::start(None, Place::Measured, side, row);
    let plan = |connections| load::Plan { connections, ..plan(row, &server, 0, 0) };
    Worker::load(None, &plan(1)).end();
    let before = server.resident();
    let _load = Worker::load(None, &plan(connections));
    (server.resident() - before) / connections as f64
}
