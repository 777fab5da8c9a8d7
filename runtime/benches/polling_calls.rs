//! The system calls of each backend, side by side: the same echo workload under `strace`, once for each.
//!
//! Run it with `cargo bench -p runtime --features polling --bench polling_calls`. What starting and ending costs is taken
//! away: each figure is the difference between a longer and a shorter run, divided by the round trips in between.

use runtime::{AsyncFd, Backend, Runtime, future::join_all, spawn};
use std::{
    collections::BTreeMap,
    env,
    future::poll_fn,
    io,
    os::unix::net::UnixStream,
    process::{Command, ExitCode, Stdio},
};

const BACKENDS: [(&str, Backend); 3] =
    [("mio", Backend::Mio), ("polling-edge", Backend::Polling), ("polling-one-shot", Backend::PollingOneShot)];
const ROUNDS: usize = 200;
const MESSAGE: usize = 64;

/// System calls by name.
type Calls = BTreeMap<String, f64>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().collect();
    if let [_, mode, backend, connections, rounds] = &arguments[..]
        && mode == "echo"
    {
        let (_, backend) = BACKENDS.iter().find(|(name, _)| name == backend).expect("a backend's name");
        echo(*backend, connections.parse().expect("a number"), rounds.parse().expect("a number"));
        return ExitCode::SUCCESS;
    }
    for connections in [1, 64] {
        let counted: Result<Vec<Calls>, String> =
            BACKENDS.iter().map(|(backend, _)| calls_per_round_trip(backend, connections)).collect();
        match counted {
            Ok(columns) => print_table(connections, &columns),
            Err(why) => {
                println!("SKIPPED: the system calls of the backends were not counted: {why}");
                return ExitCode::SUCCESS;
            }
        }
    }
    ExitCode::SUCCESS
}

/// Both ends of every connection, each a task of one runtime.
fn echo(backend: Backend, connections: usize, rounds: usize) {
    let end = |stream: UnixStream| {
        stream.set_nonblocking(true).expect("a socket takes it");
        AsyncFd::new(stream)
    };
    Runtime::builder().poller(backend).build().expect("a runtime").block_on(async {
        let tasks = (0..connections).flat_map(|_| {
            let (near, far) = UnixStream::pair().expect("two descriptors");
            let (near, far) = (end(near), end(far));
            let asks = spawn(async move {
                for _ in 0..rounds {
                    write_message(&near).await.expect("the echo lives");
                    read_message(&near).await.expect("the echo answers");
                }
            });
            let answers = spawn(async move {
                while read_message(&far).await.is_ok() {
                    write_message(&far).await.expect("the caller lives");
                }
            });
            [asks, answers]
        });
        for ended in join_all(tasks).await {
            ended.expect("no task fails");
        }
    });
}

async fn write_message(to: &AsyncFd<UnixStream>) -> io::Result<()> {
    let length = poll_fn(|context| to.poll_write_bytes(context, &[7; MESSAGE])).await?;
    assert_eq!(length, MESSAGE, "a message fits");
    Ok(())
}

async fn read_message(from: &AsyncFd<UnixStream>) -> io::Result<()> {
    let mut buffer = [0; 2 * MESSAGE];
    match poll_fn(|context| from.poll_read_bytes(context, &mut buffer)).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        length => {
            assert_eq!(length, MESSAGE, "messages come one at a time");
            Ok(())
        }
    }
}

fn calls_per_round_trip(backend: &str, connections: usize) -> Result<Calls, String> {
    let shorter = count(backend, connections, ROUNDS)?;
    let longer = count(backend, connections, 2 * ROUNDS)?;
    let round_trips = (ROUNDS * connections) as f64;
    Ok(longer
        .into_iter()
        .map(|(name, calls)| {
            let before = shorter.get(&name).copied().unwrap_or_default();
            (name, (calls - before) / round_trips)
        })
        .filter(|(_, calls)| *calls >= 0.005)
        .collect())
}

/// Runs the workload under strace, in a process of its own.
fn count(backend: &str, connections: usize, rounds: usize) -> Result<Calls, String> {
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let summary = env::temp_dir().join(format!("polling_calls-{}", std::process::id()));
    let output = Command::new("strace")
        .args(["-f", "-c", "-o"])
        .arg(&summary)
        .arg(program)
        .args(["echo", backend, &connections.to_string(), &rounds.to_string()])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot start strace: {error}"))?;
    let text = std::fs::read_to_string(&summary).unwrap_or_default();
    let _ = std::fs::remove_file(&summary);
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("strace: {}: {}", output.status, said.lines().next().unwrap_or("it said nothing")));
    }
    // Between two rules of dashes: share, seconds, microseconds a call, calls, errors (if any), name.
    let calls: Calls = text
        .lines()
        .skip_while(|line| !line.starts_with("---"))
        .skip(1)
        .take_while(|line| !line.starts_with("---"))
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            Some(((*fields.last()?).to_owned(), fields.get(3)?.parse().ok()?))
        })
        .collect();
    if calls.is_empty() { Err("its summary cannot be read".to_owned()) } else { Ok(calls) }
}

fn print_table(connections: usize, columns: &[Calls]) {
    println!("system calls per round trip, both ends, {connections} connection(s)");
    print!("{:<18}", "");
    BACKENDS.iter().for_each(|(name, _)| print!("{name:>18}"));
    println!();
    let mut names: Vec<&String> = columns.iter().flat_map(BTreeMap::keys).collect();
    names.sort();
    names.dedup();
    for name in names {
        print!("{name:<18}");
        columns.iter().for_each(|calls| print!("{:>18.2}", calls.get(name).copied().unwrap_or_default()));
        println!();
    }
    print!("{:<18}", "together");
    columns.iter().for_each(|calls| print!("{:>18.2}", calls.values().sum::<f64>()));
    println!("\n");
}
