//! A thousand clients and the server that they speak to, on one thread.
//!
//! ```console
//! cargo run --example 12_echo
//! cargo run --example 12_echo -- --virtual --clients 3
//! ```
//!
//! Each client needs two open files. With `--virtual` they speak over a network in memory, and need none.

use futures_lite::{AsyncReadExt, AsyncWriteExt};
use netio::net::{TcpListener, TcpStream};
use runtime::{future::join_all, spawn, time::Instant};
use std::io;

// ANCHOR: server
/// Gives back what it gets, until the client has said its last.
async fn echo(mut stream: TcpStream) -> io::Result<u64> {
    let (mut buffer, mut echoed) = ([0; 1024], 0);
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(echoed),
            length => {
                stream.write_all(&buffer[..length]).await?;
                echoed += length as u64;
            }
        }
    }
}

/// Accepts so many clients, each a task of its own. Gives the number of bytes that went back.
async fn serve(listener: TcpListener, clients: usize) -> io::Result<u64> {
    let mut connections = Vec::new();
    for _ in 0..clients {
        let (stream, _) = listener.accept().await?;
        connections.push(spawn(echo(stream)));
    }
    let mut echoed = 0;
    for connection in connections {
        echoed += connection.await.expect("an echo does not panic")?;
    }
    Ok(echoed)
}
// ANCHOR_END: server

// ANCHOR: client
/// Says three lines, and wants each one back before the next.
async fn client(address: std::net::SocketAddr, number: usize) -> io::Result<usize> {
    let mut stream = TcpStream::connect(address).await?;
    for round in 0..3 {
        let line = format!("client {number:4}, line {round}\n");
        stream.write_all(line.as_bytes()).await?;
        let mut back = vec![0; line.len()];
        stream.read_exact(&mut back).await?;
        assert_eq!(back, line.as_bytes());
    }
    Ok(3)
}
// ANCHOR_END: client

fn main() -> io::Result<()> {
    examples::run_networked(&["--clients"], async |arguments| {
        let clients: usize = arguments.get("--clients", 1000);
        let begin = Instant::now();
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let server = spawn(serve(listener, clients));
        let answers = join_all((0..clients).map(|number| spawn(client(address, number)))).await;
        let mut lines = 0;
        for answer in answers {
            lines += answer.expect("a client does not panic")?;
        }
        let echoed = server.await.expect("the server does not panic")?;
        println!("{clients} clients, {lines} lines there and back, {echoed} bytes");
        if !arguments.virtual_clock {
            println!("{} ms on one thread", begin.elapsed().as_millis());
        }
        io::Result::Ok(())
    })
}
