//! Ten thousand connections, and one thread that serves them: what they take while nobody says anything, and what it costs
//! when all speak at once.
//!
//! ```console
//! cargo run --release --example c10k
//! cargo run --release --example c10k -- --conns 1000
//! ```
//!
//! The clients are a process of their own, so that the memory told here is that of the server. What the system keeps for each
//! socket (a few kilobytes) is not in it. Each connection is one that has had an answer and is kept for the next.
//!
//! The mistake that it avoids: to run out of open files in the middle. The limit is looked at before, and raised if it may be.

use examples::{
    Arguments, fail,
    measure::{self, Memory},
};
use futures_lite::{AsyncBufRead, AsyncReadExt, AsyncWriteExt, io::BufReader};
use netio::{
    http::server::{Limits, Router, Server},
    net::TcpStream,
};
use runtime::{
    future::{Either, join_all, race},
    io::{Lines, lines},
    process::Command,
    stream::{self, StreamExt},
    time::{Instant, sleep},
};
use std::{io, net::SocketAddr, process::Stdio, time::Duration};

const DAY: Duration = Duration::from_secs(24 * 3600);

// ANCHOR: client
/// One request on a connection that is kept, and its answer.
async fn ask(mut stream: TcpStream) -> io::Result<TcpStream> {
    stream.write_all(b"GET / HTTP/1.1\r\nHost: c10k\r\n\r\n").await?;
    let (mut answer, mut length) = ([0; 512], 0);
    while !answer[..length].ends_with(b"hello\n") {
        match stream.read(&mut answer[length..]).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            more => length += more,
        }
    }
    Ok(stream)
}

/// Opens the connections, a hundred at a time, and asks again on all of them for each line that it is given.
async fn clients(server: SocketAddr, count: usize) -> io::Result<()> {
    let connect = stream::iter(0..count).map(|_| async move { ask(TcpStream::connect(server).await?).await });
    let mut connections: Vec<TcpStream> = connect.buffer_unordered(100).try_collect().await?;
    println!("all are open");
    let mut orders = lines(runtime::io::stdin()?);
    while let Some(_again) = orders.next().await.transpose()? {
        let start = Instant::now();
        connections = join_all(connections.into_iter().map(ask)).await.into_iter().collect::<io::Result<_>>()?;
        println!("{}", start.elapsed().as_secs_f64());
    }
    Ok(())
}
// ANCHOR_END: client

// ANCHOR: server
/// What the clients say next.
async fn hear(said: &mut Lines<impl AsyncBufRead + Unpin>) -> io::Result<String> {
    said.next().await.unwrap_or_else(|| Err(io::Error::other("the clients are gone")))
}

async fn measure(server: SocketAddr, count: usize) -> io::Result<()> {
    let before = Memory::now()?;
    let mut clients = Command::new(std::env::current_exe()?)
        .args(["--server", &server.to_string(), "--conns", &count.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut said = lines(BufReader::new(clients.stdout.take().expect("it is piped")));
    let start = Instant::now();
    hear(&mut said).await?;
    println!("{count} connections, each with one answer: {:.2} s", start.elapsed().as_secs_f64());

    let (grown, threads) = (Memory::now()?.since(&before).resident, measure::threads()?);
    println!("memory: {:.1} MB, {} bytes each; threads: {threads}", grown as f64 / 1e6, grown / count.max(1) as u64);

    let processor = measure::processor_time();
    sleep(Duration::from_secs(1)).await;
    let used = (measure::processor_time() - processor).as_secs_f64();
    println!("one second in which nobody speaks: {:.1} ms of the processor", used * 1e3);

    let processor = measure::processor_time();
    clients.stdin.as_mut().expect("it is piped").write_all(b"again\n").await?;
    let seconds: f64 = hear(&mut said).await?.parse().map_err(io::Error::other)?;
    let each = (measure::processor_time() - processor).as_secs_f64() / count.max(1) as f64;
    println!("all ask at once: {seconds:.2} s, {:.1} µs of the processor for each answer", each * 1e6);

    drop(clients.stdin.take());
    clients.wait().await?;
    // The server sees the farewells one by one.
    sleep(Duration::from_millis(200)).await;
    let left = Memory::now()?.since(&before).resident;
    println!("all gone: {:.1} MB are kept for those who come next", left as f64 / 1e6);
    Ok(())
}

async fn serve(count: usize) -> io::Result<()> {
    let limits = Limits { connections: count + 1, keep_alive_time: DAY, ..Limits::default() };
    let server = Server::bind("127.0.0.1:0")?.limits(limits);
    let address = server.local_addr();
    let serve = server.serve(Router::new().get("/", async || "hello\n"));
    match race(measure(address, count), serve).await {
        Either::Left(measured) => measured,
        Either::Right(served) => Err(io::Error::other(served.expect_err("nobody stops it"))),
    }
}
// ANCHOR_END: server

fn main() {
    let arguments = Arguments::parse(&["--conns", "--server"]);
    let count: usize = arguments.get("--conns", 10_000);
    if arguments.virtual_clock {
        fail(2, "this example measures, and a measurement has no use for --virtual");
    }
    measure::allow_open_files(count as u64 + 64).unwrap_or_else(|message| fail(1, message));
    let done = runtime::block_on(async {
        match arguments.find("--server") {
            Some(server) => clients(server, count).await,
            None => serve(count).await,
        }
    });
    done.unwrap_or_else(|error| fail(1, error));
}
