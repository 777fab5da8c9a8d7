//! Four ways to make many requests, and what one of them took.

use examples::{
    fail,
    measure::{self, threads},
};
use netio::http::client::{self, Client};
use runtime::time::Instant;
use serde::{Deserialize, Serialize};
use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

/// So many requests, each answered after `delay`.
pub(super) struct Job {
    pub(super) server: SocketAddr,
    pub(super) requests: usize,
    pub(super) delay: Duration,
}

/// What one run took. Times in seconds, from the first byte of a request's connection to the last one of its answer; memory in
/// bytes.
#[derive(Serialize, Deserialize)]
pub(super) struct Measured {
    pub(super) wall: f64,
    pub(super) p50: f64,
    pub(super) p99: f64,
    /// By how much the memory in use grew.
    pub(super) memory: f64,
    /// Threads of the process, at most.
    pub(super) threads: u64,
    pub(super) failed: usize,
}

/// How long each request took, if it succeeded; and how many threads there were.
type Outcome = io::Result<(Vec<Option<Duration>>, u64)>;

/// A way makes all requests of a job.
type Way = fn(&Job) -> Outcome;

pub(super) const WAYS: [(&str, Way); 4] =
    [("one by one", one_by_one), ("50 threads", few_threads), ("a thread for each", a_thread_each), ("tasks", tasks)];

/// Where in [`WAYS`] the tasks are.
pub(super) const TASKS: usize = 3;

/// How many threads are few.
pub(super) const FEW: usize = 50;

// ANCHOR: threads
fn fetch(job: &Job) -> io::Result<Duration> {
    let (start, delay) = (Instant::now(), job.delay.as_secs_f64());
    let mut stream = TcpStream::connect(job.server)?;
    write!(stream, "GET /delay/{delay} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", job.server)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let ok = answer.starts_with(b"HTTP/1.1 200 ");
    if ok { Ok(start.elapsed()) } else { Err(io::Error::other("the server did not answer 200")) }
}

fn one_by_one(job: &Job) -> Outcome {
    Ok(((0..job.requests).map(|_| fetch(job).ok()).collect(), threads()?))
}

fn few_threads(job: &Job) -> Outcome {
    by_threads(job, FEW.min(job.requests))
}

fn a_thread_each(job: &Job) -> Outcome {
    by_threads(job, job.requests)
}

/// Each thread takes the next request, as long as there is one.
fn by_threads(job: &Job, count: usize) -> Outcome {
    let taken = AtomicUsize::new(0);
    let work = || {
        let mut times = Vec::new();
        while taken.fetch_add(1, Ordering::Relaxed) < job.requests {
            times.push(fetch(job).ok());
        }
        times
    };
    thread::scope(|scope| {
        let (mut workers, mut most) = (Vec::new(), 0);
        for number in 1..=count {
            workers.push(thread::Builder::new().spawn_scoped(scope, work)?);
            // The first may have ended before the last begins. (To look costs more than to start one.)
            if number % 100 == 0 || number == count {
                most = most.max(threads()?);
            }
        }
        Ok((workers.into_iter().flat_map(|worker| worker.join().expect("it does not panic")).collect(), most))
    })
}
// ANCHOR_END: threads

// ANCHOR: tasks
fn tasks(job: &Job) -> Outcome {
    let client = Client::builder().connections(job.requests).timeout(Duration::from_secs(60)).build();
    let url = format!("http://{}/delay/{}", job.server, job.delay.as_secs_f64());
    let fetch = || {
        let request = client.get(&url);
        async {
            let start = Instant::now();
            let response = request.await?;
            let ok = response.status() == 200;
            response.bytes().await?;
            Ok::<_, client::Error>(ok.then(|| start.elapsed()))
        }
    };
    runtime::block_on(async {
        let tasks: Vec<_> = (0..job.requests).map(|_| runtime::spawn(fetch())).collect();
        let (threads, mut times) = (threads()?, Vec::new());
        for task in tasks {
            times.push(task.await.expect("it does not panic").ok().flatten());
        }
        Ok((times, threads))
    })
}
// ANCHOR_END: tasks

/// Measures one way.
pub(super) fn run(job: &Job, way: usize) -> Measured {
    let Some((name, run)) = WAYS.get(way) else {
        fail(2, format!("--way is a number below {}", WAYS.len()));
    };
    let (mut times, mut threads) = (Vec::new(), 0);
    let cost = measure::cost(|| {
        (times, threads) = run(job)?;
        Ok(())
    });
    let cost = cost.unwrap_or_else(|error| fail(1, format!("{name}: {error}")));
    let mut good: Vec<f64> = times.iter().flatten().map(Duration::as_secs_f64).collect();
    good.sort_by(f64::total_cmp);
    let at = |part: f64| good.get((good.len().saturating_sub(1) as f64 * part) as usize).copied().unwrap_or_default();
    Measured {
        wall: cost.wall.as_secs_f64(),
        p50: at(0.5),
        p99: at(0.99),
        memory: cost.resident as f64,
        threads,
        failed: times.len() - good.len(),
    }
}
