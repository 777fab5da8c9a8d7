//! One job, four ways: fetch some pages from a server that takes its time, and measure what each way costs.
//!
//! ```console
//! cargo run --example 01_four_fetchers
//! cargo run --example 01_four_fetchers -- --count 1000
//! cargo run --example 01_four_fetchers -- --work 0.2
//! ```
//!
//! `--count` pages, each after `--delay` seconds; `--work` is how many seconds of computing each reply then needs. Each way
//! runs in a process of its own (`--way NAME`: only that one), so that none inherits the memory of another.

use examples::{Arguments, fail, httpbin, measure};
use futures_lite::{AsyncReadExt, AsyncWriteExt};
use std::{
    future::Future,
    io::{self, ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Command, exit},
    sync::Arc,
    thread,
    time::Duration,
};

struct Job {
    server: SocketAddr,
    count: usize,
    delay: Duration,
    work: Duration,
}

impl Job {
    fn request(&self) -> String {
        format!(
            "GET /delay/{} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.delay.as_secs_f64(),
            self.server
        )
    }

    /// What is to be done with a reply.
    fn digest(&self, reply: &[u8]) -> io::Result<()> {
        measure::compute(self.work);
        let ok = reply.starts_with(b"HTTP/1.1 200");
        if ok { Ok(()) } else { Err(io::Error::other("the server did not answer 200")) }
    }
}

// ANCHOR: blocking
fn fetch(job: &Job) -> io::Result<()> {
    let mut stream = TcpStream::connect(job.server)?;
    stream.write_all(job.request().as_bytes())?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply)?;
    job.digest(&reply)
}

fn blocking(job: &Arc<Job>) -> io::Result<()> {
    (0..job.count).try_for_each(|_| fetch(job))
}

fn threads(job: &Arc<Job>) -> io::Result<()> {
    thread::scope(|scope| {
        let spawn = |_| thread::Builder::new().spawn_scoped(scope, || fetch(job));
        let fetchers: Vec<_> = (0..job.count).map(spawn).collect::<io::Result<_>>()?;
        fetchers.into_iter().try_for_each(|fetcher| fetcher.join().unwrap())
    })
}
// ANCHOR_END: blocking

// ANCHOR: busy
/// Where one fetch stands, so that we can leave it and come back.
struct Fetch {
    stream: TcpStream,
    reply: Vec<u8>,
}

impl Fetch {
    fn start(job: &Job) -> io::Result<Fetch> {
        let mut stream = TcpStream::connect(job.server)?;
        stream.set_nonblocking(true)?;
        stream.write_all(job.request().as_bytes())?;
        Ok(Fetch { stream, reply: Vec::new() })
    }

    /// Goes on as far as it can without waiting. Is it done?
    fn step(&mut self, job: &Job) -> io::Result<bool> {
        match self.stream.read_to_end(&mut self.reply) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            end => end?,
        };
        job.digest(&self.reply).map(|()| true)
    }
}

fn busy(job: &Arc<Job>) -> io::Result<()> {
    let mut waiting = Vec::new();
    for _ in 0..job.count {
        waiting.push(Fetch::start(job)?);
    }
    while !waiting.is_empty() {
        for mut fetch in std::mem::take(&mut waiting) {
            if !fetch.step(job)? {
                waiting.push(fetch);
            }
        }
    }
    Ok(())
}
// ANCHOR_END: busy

// ANCHOR: futures
async fn reply(job: &Job) -> io::Result<Vec<u8>> {
    let mut stream = netio::net::TcpStream::connect(job.server).await?;
    stream.write_all(job.request().as_bytes()).await?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await?;
    Ok(reply)
}

async fn fetch_later(job: Arc<Job>) -> io::Result<()> {
    let reply = reply(&job).await?;
    job.digest(&reply)
}

fn all_at_once<F>(job: &Arc<Job>, fetch: fn(Arc<Job>) -> F) -> io::Result<()>
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    runtime::block_on(async {
        let mut tasks = Vec::new();
        for _ in 0..job.count {
            tasks.push(runtime::spawn(fetch(job.clone())));
        }
        for task in tasks {
            task.await.unwrap()?;
        }
        Ok(())
    })
}
// ANCHOR_END: futures

// ANCHOR: mixed
async fn fetch_and_rent_a_thread(job: Arc<Job>) -> io::Result<()> {
    let reply = reply(&job).await?;
    runtime::spawn_blocking(move || job.digest(&reply)).await.unwrap()
}
// ANCHOR_END: mixed

type Way = fn(&Arc<Job>) -> io::Result<()>;
const WAYS: [(&str, Way); 5] = [
    ("blocking", blocking),
    ("threads", threads),
    ("busy", busy),
    ("futures", |job| all_at_once(job, fetch_later)),
    ("mixed", |job| all_at_once(job, fetch_and_rent_a_thread)),
];

fn main() {
    let arguments = Arguments::parse(&["--count", "--delay", "--work", "--way", "--server"]);
    let (count, only) = (arguments.get("--count", 5), arguments.get("--way", "all".to_owned()));
    let (delay, work) = (arguments.seconds("--delay", 1.0), arguments.seconds("--work", 0.0));
    if count == 0 {
        fail(2, "--count is 1 or more");
    }
    if arguments.virtual_clock {
        fail(2, "this example measures, and a measurement has no use for --virtual; --scale shortens the waits");
    }
    // The last way differs from the others only if there is work to do.
    let all = if work.is_zero() && only == "all" { &WAYS[..4] } else { &WAYS };
    let ways: Vec<_> = all.iter().filter(|(name, _)| only == "all" || only == *name).collect();
    if ways.is_empty() {
        fail(2, "--way is all, blocking, threads, busy, futures or mixed");
    }
    measure::allow_open_files(count as u64 + 64).unwrap_or_else(|message| fail(1, message));

    if let Some(server) = arguments.find("--server") {
        let job = Arc::new(Job { server, count, delay, work });
        for (name, way) in ways {
            let cost = measure::cost(|| way(&job)).unwrap_or_else(|error| fail(1, format!("{name}: {error}")));
            println!("{name:<9}{cost}");
        }
        return;
    }
    let server = httpbin::on_a_thread().to_string();
    println!("{count} pages; for each, {delay:?} of waiting and {work:?} of computing\n");
    println!("           wall clock  processor  memory used     reserved");
    let mut all_done = true;
    for (name, _) in ways {
        let in_turn = (delay + work) * count as u32;
        if only == "all" && *name == "blocking" && in_turn > Duration::from_secs(30) {
            println!("{name:<9} left out: one after the other would take {in_turn:?}");
            continue;
        }
        let program = std::env::current_exe().unwrap_or_else(|error| fail(1, error));
        let words = std::env::args().skip(1).chain(["--way", name, "--server", &server].map(str::to_owned));
        all_done &= Command::new(program).args(words).status().is_ok_and(|status| status.success());
    }
    exit(if all_done { 0 } else { 1 });
}
