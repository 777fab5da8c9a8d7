//! One wire, two readers: how many requests are in it?
//!
//! ```console
//! cargo run --example 21_smuggle
//! ```

use examples::fail;
use futures_lite::{AsyncReadExt, AsyncWriteExt};
use netio::{
    http::server::{Router, Server},
    net::TcpStream,
};
use std::io;

// ANCHOR: wire
/// Two lengths. One says: four bytes. The other one: a chunk of 65 bytes (41, in hexadecimal), and the end.
const WIRE: &str = "\
POST /search HTTP/1.1\r
Host: shop\r
Content-Length: 4\r
Transfer-Encoding: chunked\r
\r
41\r
GET /admin/delete-all HTTP/1.1\r
Host: shop\r
Content-Length: 7\r
\r
\r
0\r
\r
";
// ANCHOR_END: wire

// ANCHOR: readers
/// The body of that length, and what comes behind it.
fn by_length<'a>(head: &str, wire: &'a str) -> Option<(&'a str, &'a str)> {
    let length = field(head, "content-length").map_or(Some(0), |length| length.parse().ok())?;
    wire.split_at_checked(length)
}

/// The body in chunks, if there is one, and what comes behind it.
fn by_chunks<'a>(head: &str, wire: &'a str) -> Option<(&'a str, &'a str)> {
    if field(head, "transfer-encoding").is_none() {
        return by_length(head, wire);
    }
    let mut rest = wire;
    loop {
        let (size, data) = rest.split_once("\r\n")?;
        let size = usize::from_str_radix(size, 16).ok()?;
        rest = data.get(size..)?.strip_prefix("\r\n")?;
        if size == 0 {
            return Some((&wire[..wire.len() - rest.len()], rest));
        }
    }
}
// ANCHOR_END: readers

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let fields = head.lines().filter_map(|line| line.split_once(": "));
    fields.filter(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
}

type Body = fn(&str, &'static str) -> Option<(&'static str, &'static str)>;

/// The requests in the wire, for who ends a body in this way.
fn requests(body: Body) {
    let mut wire = WIRE;
    while let Some((head, rest)) = wire.split_once("\r\n\r\n") {
        let Some((body, rest)) = body(head, rest) else { break };
        println!("  {}, and {} bytes of body", head.lines().next().unwrap_or_default(), body.len());
        wire = rest;
    }
}

async fn ours() -> io::Result<()> {
    let server = Server::bind("127.0.0.1:0")?;
    let mut stream = TcpStream::connect(server.local_addr()).await?;
    let pages = Router::new().post("/search", async || "found").get("/admin/delete-all", async || "deleted");
    let _server = runtime::spawn(server.serve(pages));
    stream.write_all(WIRE.as_bytes()).await?;
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await?;
    answers.lines().filter(|line| line.starts_with("HTTP/1.1")).for_each(|line| println!("  {line}"));
    Ok(())
}

fn main() {
    println!("the proxy, which goes by the chunks, lets through:");
    requests(by_chunks);
    println!("the server behind it, which goes by the length, answers:");
    requests(by_length);
    println!("our server answers:");
    examples::run_networked(&[], async |_| ours().await.unwrap_or_else(|error| fail(1, error)));
}
