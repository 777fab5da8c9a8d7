//! A server, and what is said to it on the wire: two requests at once, a body in chunks, a head that never ends, a stop.
//!
//! ```console
//! cargo run --example 21_server
//! ```

use examples::{fail, scaled, seconds};
use futures_lite::{AsyncReadExt, AsyncWriteExt};
use netio::{
    http::server::{Limits, Path, Router, Server},
    net::TcpStream,
};
use runtime::{future::join, spawn, time::Instant};
use std::{io, net::SocketAddr};

// ANCHOR: app
/// Takes as long as it is asked to.
async fn slow(Path(length): Path<f64>) -> &'static str {
    seconds(length).await;
    "at last\n"
}

fn app() -> Router {
    Router::new()
        .get("/hello", async || "hello\n")
        .get("/slow/{seconds}", slow)
        .post("/length", async |body: String| format!("{} bytes\n", body.len()))
}

/// What one peer may cost. The other bounds are the defaults.
fn limits() -> Limits {
    Limits { head_bytes: 200, head_time: scaled(1.8), ..Limits::default() }
}
// ANCHOR_END: app

/// Says the pieces, half a second apart, and listens meanwhile, until the server hangs up.
async fn talk(server: SocketAddr, title: &str, pieces: &[&str]) -> io::Result<()> {
    println!("== {title}");
    let start = Instant::now();
    let seconds_since = || start.elapsed().div_duration_f64(scaled(1.0));
    let stream = TcpStream::connect(server).await?;
    let say = async {
        for (number, piece) in pieces.iter().enumerate() {
            if number > 0 {
                seconds(0.5).await;
            }
            if (&stream).write_all(piece.as_bytes()).await.is_err() {
                break; // it has hung up already
            }
            piece.lines().for_each(|line| println!("  > {line:.60}"));
        }
    };
    let listen = async {
        let mut answer = vec![0];
        (&stream).read_exact(&mut answer).await?;
        let begun = seconds_since();
        (&stream).read_to_end(&mut answer).await?;
        Ok::<_, io::Error>((begun, answer))
    };
    let ((), heard) = join(say, listen).await;
    let (begun, answer) = heard?;
    String::from_utf8_lossy(&answer).lines().for_each(|line| println!("  < {line}"));
    println!("  the answer began after {begun:.1} s");
    println!("  closed after {:.1} s\n", seconds_since());
    Ok(())
}

async fn tour() -> io::Result<()> {
    let server = Server::bind("127.0.0.1:0")?.limits(limits());
    let (address, handle) = (server.local_addr(), server.handle());
    let serving = spawn(server.serve(app()));

    let two = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    talk(address, "two requests in one piece", &[two]).await?;

    let head = "POST /length HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    talk(address, "a body in chunks", &[head, "4\r\nWiki\r\n", "5\r\npedia\r\n0\r\n\r\n"]).await?;

    let drips = ["GET /hello HTTP/1.1\r\n", "A: 1\r\n", "B: 2\r\n", "C: 3\r\n", "D: 4\r\n", "E: 5\r\n", "F: 6\r\n"];
    talk(address, "a head that never ends", &drips).await?;

    let long = format!("GET /hello HTTP/1.1\r\nHost: a\r\nCookie: {}\r\n\r\n", "x".repeat(200));
    talk(address, "a head that is too long", &[&long]).await?;

    let asks = spawn(async move {
        let request = "GET /slow/3 HTTP/1.1\r\nHost: a\r\n\r\n";
        talk(address, "a request that runs when the server is told to stop", &[request]).await
    });
    seconds(1.0).await;
    handle.stop();
    let report = serving.await.map_err(io::Error::other)?.map_err(io::Error::other)?;
    asks.await.map_err(io::Error::other)??;
    println!("stopped; {} requests were cut off", report.cancelled);
    Ok(())
}

fn main() {
    examples::run_networked(&[], async |_| tour().await.unwrap_or_else(|error| fail(1, error)));
}
