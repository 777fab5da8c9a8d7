//! A pool that takes back whatever it is given: the next request on that connection reads what the last one has left.
//!
//! ```console
//! cargo run --example 22_half_read
//! ```

use examples::fail;
use futures_lite::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, io::BufReader};
use netio::{
    http::server::{Router, Server},
    net::TcpStream,
};
use std::{io, net::SocketAddr};

type Connection = BufReader<TcpStream>;

/// As small as a pool can be: connections with nothing on them, it hopes.
struct Pool {
    server: SocketAddr,
    idle: Vec<Connection>,
    give_back: fn(&mut Vec<Connection>, Connection, usize),
}

mod any {
    use super::*;

    // ANCHOR: any
    pub(crate) fn give_back(idle: &mut Vec<Connection>, connection: Connection, _unread: usize) {
        idle.push(connection);
    }
    // ANCHOR_END: any
}

mod clean {
    use super::*;

    // ANCHOR: clean
    pub(crate) fn give_back(idle: &mut Vec<Connection>, connection: Connection, unread: usize) {
        if unread == 0 && connection.buffer().is_empty() {
            idle.push(connection);
        } // or it is dropped, and so closed
    }
    // ANCHOR_END: clean
}

impl Pool {
    // ANCHOR: get
    /// The first `most` bytes of a page. Who wants only the beginning need not read the rest, it seems.
    async fn get(&mut self, path: &str, most: usize) -> io::Result<String> {
        let mut connection = match self.idle.pop() {
            Some(kept) => kept,
            None => {
                println!("    (a new connection)");
                BufReader::new(TcpStream::connect(self.server).await?)
            }
        };
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        connection.get_mut().write_all(request.as_bytes()).await?;
        let length = read_head(&mut connection).await?;
        let mut body = vec![0; length.min(most)];
        connection.read_exact(&mut body).await?;
        (self.give_back)(&mut self.idle, connection, length - body.len());
        Ok(String::from_utf8_lossy(&body).into_owned())
    }
    // ANCHOR_END: get
}

/// The length of the body.
async fn read_head(connection: &mut Connection) -> io::Result<usize> {
    let mut length = 0;
    for number in 0.. {
        let mut line = String::new();
        connection.read_line(&mut line).await?;
        if number == 0 && !line.starts_with("HTTP/1.1 200") {
            return Err(io::Error::other(format!("this is no answer: {line:?}")));
        }
        match line.to_ascii_lowercase().strip_prefix("content-length:") {
            Some(value) => length = value.trim().parse().map_err(io::Error::other)?,
            None if line == "\r\n" => break,
            None => {}
        }
    }
    Ok(length)
}

/// Somebody has written this page with care.
const GUEST_BOOK: &str = "I was here!HTTP/1.1 200 OK\r\nContent-Length: 23\r\n\r\nyour balance: 1000000 $";

async fn tour() -> io::Result<()> {
    let server = Server::bind("127.0.0.1:0")?;
    let address = server.local_addr();
    let pages = Router::new()
        .get("/guests", async || GUEST_BOOK)
        .get("/novel", async || "It was a dark and stormy night.")
        .get("/balance", async || "your balance: 5 $");
    let _server = runtime::spawn(server.serve(pages));
    for (title, give_back) in
        [("takes all back", any::give_back as fn(&mut _, _, _)), ("looks first", clean::give_back)]
    {
        for page in ["/novel", "/guests"] {
            println!("a pool that {title}:");
            let mut pool = Pool { server: address, idle: Vec::new(), give_back };
            for (path, most) in [(page, 11), ("/balance", 1000)] {
                let said = pool.get(path, most).await.unwrap_or_else(|error| format!("error: {error}"));
                println!("  {path}: {said}");
            }
        }
    }
    Ok(())
}

fn main() {
    examples::run_networked(&[], async |_| tour().await.unwrap_or_else(|error| fail(1, error)));
}
