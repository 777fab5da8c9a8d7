//! What an access log costs: the same server without one, with one that nobody keeps, and with one that is written line by line.
//!
//! ```console
//! cargo run --release --example access_log
//! cargo run --release --example access_log -- --requests 100000 --rounds 7
//! ```
//!
//! With `--virtual` nothing is measured: it shows what the same three requests look like in one format and in another, on the
//! simulated network.
//!
//! Server and client run in one thread, by turns: what is told is the time on the processor of both for a request, of several
//! rounds the one in the middle. The log is a layer: a server without it does nothing in its place.
//!
//! The mistake that it avoids: to turn off the log because it is said to be slow, and never to have measured it.

use examples::{Arguments, fail, measure};
use netio::http::{
    client::{Client, Error},
    server::{
        Router, Server,
        middleware::{Access, LogFormat, access_log, access_log_as},
    },
};
use runtime::{Runtime, future::join_all, spawn, time::sleep};
use std::{
    fs::File,
    hint::black_box,
    io::{self, Write},
    time::Duration,
};

/// How many requests are under way at once.
const AT_ONCE: usize = 16;

// ANCHOR: logs
/// The server with this log.
fn app(log: &str) -> io::Result<Router> {
    let app = Router::new().get("/hello/{name}", async || "hello\n");
    Ok(match log {
        "none" => app,
        "made, and not kept" => app.layer(access_log(|access: &Access| drop(black_box(access.to_string())))),
        _ => {
            let file = File::options().write(true).open("/dev/null")?;
            app.layer(access_log(move |access: &Access| drop((&file).write_all(format!("{access}\n").as_bytes()))))
        }
    })
}
// ANCHOR_END: logs

/// Microseconds on the processor for a request.
async fn round(log: &str, requests: usize) -> Result<f64, Error> {
    let server = Server::bind("127.0.0.1:0").unwrap_or_else(|error| fail(1, error));
    let url = format!("http://{}/hello/world", server.local_addr());
    let serving = spawn(server.serve(app(log).unwrap_or_else(|error| fail(1, error))));
    let client = Client::new();
    let some = async |count: usize| {
        for _ in 0..count {
            client.get(&url).await?.bytes().await?;
        }
        Ok::<_, Error>(())
    };
    // The connections are made before it counts.
    join_all((0..AT_ONCE).map(|_| some(1))).await.into_iter().collect::<Result<(), _>>()?;
    let before = measure::processor_time();
    join_all((0..AT_ONCE).map(|_| some(requests / AT_ONCE))).await.into_iter().collect::<Result<(), _>>()?;
    let used = measure::processor_time() - before;
    serving.abort();
    Ok(used.as_secs_f64() * 1e6 / (requests / AT_ONCE * AT_ONCE) as f64)
}

// ANCHOR: formats
/// What a few requests look like in this format.
async fn show(name: &str, format: LogFormat) -> Result<(), Error> {
    println!("{name}");
    let slow = async || {
        sleep(Duration::from_millis(120)).await;
        "hello\n"
    };
    let app = Router::new().get("/hello/{name}", slow).layer(access_log_as(format, |line| println!("  {line}")));
    let server = Server::bind("127.0.0.1:0").unwrap_or_else(|error| fail(1, error));
    let url = format!("http://{}", server.local_addr());
    let serving = spawn(server.serve(app));
    let client = Client::new();
    client.get(format!("{url}/hello/world?from=here")).header("referer", "http://a.example/").await?;
    client.get(format!("{url}/nothing")).header("user-agent", "a \"quoted\" agent").await?;
    client.post(format!("{url}/hello/world")).await?;
    serving.abort();
    Ok(())
}
// ANCHOR_END: formats

fn main() {
    let arguments = Arguments::parse(&["--requests", "--rounds"]);
    let (requests, rounds) = (arguments.get("--requests", 20_000), arguments.get("--rounds", 5));
    if arguments.virtual_clock {
        let own = "%a \"%r\" %s %Tf %{allow}o";
        let format = own.parse().unwrap_or_else(|error| fail(1, error));
        let shown = Runtime::simulated(1).block_on(async {
            show("the default", LogFormat::default()).await?;
            show(own, format).await
        });
        return shown.unwrap_or_else(|error| fail(1, error));
    }
    if requests < AT_ONCE || rounds == 0 {
        fail(2, format!("--requests is a number from {AT_ONCE}, and --rounds one from 1"));
    }
    let mut logs = ["none", "made, and not kept", "written"].map(|log| (log, Vec::new()));
    for _ in 0..rounds {
        for (log, times) in &mut logs {
            times.push(runtime::block_on(round(log, requests)).unwrap_or_else(|error| fail(1, error)));
        }
    }
    println!(
        "{requests} requests, {AT_ONCE} at once, {rounds} rounds; the processor's time for a request and its answer:\n"
    );
    let middle = logs.map(|(log, mut times)| {
        times.sort_by(f64::total_cmp);
        (log, times[times.len() / 2])
    });
    for (log, time) in middle {
        println!("log {log:<20} {time:>6.1} µs  {:.2} ×", time / middle[0].1);
    }
}
