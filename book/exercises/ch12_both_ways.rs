//! Chapter 12: what stands between two connections passes on the bytes, and the ends.

use futures_lite::{AsyncReadExt, AsyncWriteExt};
use netio::net::{TcpListener, TcpStream};
use runtime::{
    Runtime, spawn,
    time::{sleep, timeout},
};
use std::{io, time::Duration};

// ANCHOR: copy
/// Copies until the end of `from`. Gives the number of bytes.
async fn copy(mut from: &TcpStream, mut to: &TcpStream) -> io::Result<u64> {
    let (mut buffer, mut copied) = ([0; 1024], 0);
    loop {
        match from.read(&mut buffer).await? {
            0 => return Ok(copied),
            length => {
                to.write_all(&buffer[..length]).await?;
                copied += length as u64;
            }
        }
    }
}
// ANCHOR_END: copy

mod starter {
    use super::*;

    // ANCHOR: starter
    /// Passes on what `client` and `server` say to each other, until both have said their last. Gives the numbers of bytes.
    pub(crate) async fn both_ways(client: &TcpStream, server: &TcpStream) -> io::Result<(u64, u64)> {
        // TODO: both ways at once. And who tells the other side that one of them has ended?
        let there = copy(client, server).await?;
        let back = copy(server, client).await?;
        Ok((there, back))
    }
    // ANCHOR_END: starter
}

mod solution {
    use super::*;

    // ANCHOR: solution
    use runtime::future::try_join;
    use std::net::Shutdown;

    /// Passes on what `client` and `server` say to each other, until both have said their last. Gives the numbers of bytes.
    pub(crate) async fn both_ways(client: &TcpStream, server: &TcpStream) -> io::Result<(u64, u64)> {
        try_join(one_way(client, server), one_way(server, client)).await
    }

    /// Until the end of `from`, which is passed on too. The other direction goes on.
    async fn one_way(from: &TcpStream, to: &TcpStream) -> io::Result<u64> {
        let copied = copy(from, to).await?;
        to.shutdown(Shutdown::Write)?;
        Ok(copied)
    }
    // ANCHOR_END: solution
}

/// In a world of its own: a client, a server, and between them what is to be judged.
fn check(both_ways: impl AsyncFn(&TcpStream, &TcpStream) -> io::Result<(u64, u64)>) {
    for server_first in [true, false] {
        Runtime::simulated(7).block_on(async {
            let [outer, inner] = [0, 1].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
            let (proxy, address) = (outer.local_addr().unwrap(), inner.local_addr().unwrap());
            let server = spawn(async move {
                let (mut stream, _) = inner.accept().await?;
                if server_first {
                    stream.write_all(b"welcome ").await?;
                }
                let mut question = String::new();
                stream.read_to_string(&mut question).await?;
                // The question has ended; the answer takes its time.
                sleep(Duration::from_secs(1)).await;
                stream.write_all(format!("<{question}>").as_bytes()).await?;
                stream.close().await
            });
            let client = spawn(async move {
                let mut stream = TcpStream::connect(proxy).await?;
                let mut answer = String::new();
                if server_first {
                    let mut welcome = [0; 8];
                    let welcomed = timeout(Duration::from_secs(60), stream.read_exact(&mut welcome)).await;
                    welcomed.expect("the server speaks first, and the client never heard it")?;
                }
                stream.write_all(b"question").await?;
                stream.close().await?;
                let read = timeout(Duration::from_secs(60), stream.read_to_string(&mut answer)).await;
                read.expect("the server waits for the end of the question, and it was never passed on")?;
                io::Result::Ok(answer)
            });
            let (client_side, _) = outer.accept().await.unwrap();
            let server_side = TcpStream::connect(address).await.unwrap();
            let between = async { both_ways(&client_side, &server_side).await.unwrap() };
            let copied = timeout(Duration::from_secs(120), between).await;
            // First what the two saw: it says more.
            let answer = client.await.unwrap_or_else(|error| panic!("{error}")).unwrap();
            assert_eq!(answer, "<question>");
            server.await.unwrap().unwrap();
            let welcome = if server_first { 8 } else { 0 };
            assert_eq!(copied.expect("both have said their last, and it still waits"), (8, 10 + welcome));
        });
    }
}

crate::judge! { check(both_ways), the starter fails with "the client never heard it" }
