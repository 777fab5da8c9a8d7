//! An upload to a handler that is slow: where the bytes wait, when the body is read as it is needed, and when it is read ahead.
//!
//! ```console
//! cargo run --example 21_upload
//! ```

use examples::{fail, seconds};
use futures_lite::{AsyncReadExt, AsyncWriteExt};
use netio::{
    http::{
        Body,
        server::{Limits, Router, Server},
    },
    net::TcpStream,
};
use runtime::{spawn, sync::mpsc, time::Instant};
use std::{
    io,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

const ALL: usize = 8 << 20;

/// Bytes that the client has got rid of, and bytes that the disk has.
static SENT: AtomicUsize = AtomicUsize::new(0);
static STORED: AtomicUsize = AtomicUsize::new(0);

/// A disk that takes 64 KiB in a twentieth of a second.
async fn store(bytes: usize) {
    seconds(0.05 * bytes as f64 / 65536.0).await;
    STORED.fetch_add(bytes, Relaxed);
}

// ANCHOR: handlers
/// The next piece is asked for when the last one is stored.
async fn as_needed(mut body: Body) -> &'static str {
    while let Ok(Some(piece)) = body.chunk().await {
        store(piece.len()).await;
    }
    "stored\n"
}

/// "Let us read while the disk is busy": a task reads, and a queue without a bound stands between.
async fn read_ahead(mut body: Body) -> &'static str {
    let (pieces, mut queue) = mpsc::unbounded();
    let _reader = spawn(async move {
        while let Ok(Some(piece)) = body.chunk().await {
            let _ = pieces.send(piece).await; // never waits
        }
    });
    while let Some(piece) = queue.recv().await {
        store(piece.len()).await;
    }
    "stored\n"
}
// ANCHOR_END: handlers

/// Sends as fast as it may.
async fn upload(mut stream: TcpStream, path: &str) -> io::Result<()> {
    let head = format!("POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {ALL}\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    let (piece, mut left) = (vec![0; 16 << 10], ALL);
    while left > 0 {
        let sent = stream.write(&piece[..left.min(piece.len())]).await?;
        SENT.fetch_add(sent, Relaxed);
        left -= sent;
    }
    stream.read_to_string(&mut String::new()).await.map(drop)
}

async fn tour() -> io::Result<()> {
    let server = Server::bind("127.0.0.1:0")?.limits(Limits { body_bytes: ALL as u64, ..Limits::default() });
    let address = server.local_addr();
    let _server = spawn(server.serve(Router::new().post("/needed", as_needed).post("/ahead", read_ahead)));
    for path in ["/needed", "/ahead"] {
        [&SENT, &STORED].iter().for_each(|count| count.store(0, Relaxed));
        let (stream, start) = (TcpStream::connect(address).await?, Instant::now());
        let client = spawn(async move { upload(stream, path).await });
        for _ in 0..2 {
            seconds(1.0).await;
            let [sent, stored] = [&SENT, &STORED].map(|count| count.load(Relaxed) >> 10);
            println!("{path:<8} sent {sent:>5} KiB, stored {stored:>5} KiB: {:>5} KiB are on the way", sent - stored);
        }
        client.await.map_err(io::Error::other)??;
        println!("{path:<8} all stored after {:.1} s\n", start.elapsed().div_duration_f64(examples::scaled(1.0)));
    }
    Ok(())
}

fn main() {
    examples::run_networked(&[], async |_| tour().await.unwrap_or_else(|error| fail(1, error)));
}
