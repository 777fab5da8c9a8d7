//! How long is the body? What a trusting reader makes of some heads, what a doubting one does, and what our server answers.
//!
//! ```console
//! cargo run --example 21_length
//! ```

use futures_lite::{AsyncReadExt, AsyncWriteExt};
use netio::{
    http::server::{Router, Server},
    net::TcpStream,
};
use std::{io, net::SocketAddr, panic::catch_unwind};

/// The values of the fields of that name.
fn fields<'a>(head: &[(&'a str, &'a str)], name: &str) -> Vec<&'a str> {
    head.iter().filter(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| *value).collect()
}

type Head<'a> = [(&'a str, &'a str)];

mod trusts {
    use super::*;

    // ANCHOR: trusts
    pub(crate) fn length_of_body(head: &Head<'_>) -> Result<usize, u16> {
        match fields(head, "content-length").first() {
            Some(length) => Ok(length.parse().unwrap()),
            None => Ok(0),
        }
    }
    // ANCHOR_END: trusts
}

mod doubts {
    use super::*;

    // ANCHOR: doubts
    const MOST: usize = 1 << 20;

    pub(crate) fn length_of_body(head: &Head<'_>) -> Result<usize, u16> {
        let lengths = fields(head, "content-length");
        let [length] = lengths[..] else {
            return if lengths.is_empty() { Ok(0) } else { Err(400) };
        };
        if !fields(head, "transfer-encoding").is_empty() {
            return Err(400); // two ways to tell the end: somebody will believe the other one
        }
        if length.is_empty() || !length.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(400); // `parse` would take "+5" too
        }
        match length.parse() {
            Ok(length) if length <= MOST => Ok(length),
            _ => Err(413),
        }
    }
    // ANCHOR_END: doubts
}

const HEADS: [(&str, &Head<'_>); 7] = [
    ("5", &[("Content-Length", "5")]),
    ("+5", &[("Content-Length", "+5")]),
    ("-5", &[("Content-Length", "-5")]),
    ("five", &[("Content-Length", "five")]),
    ("5, and 6", &[("Content-Length", "5"), ("Content-Length", "6")]),
    ("5, and chunked", &[("Content-Length", "5"), ("Transfer-Encoding", "chunked")]),
    ("a petabyte", &[("Content-Length", "1125899906842624")]),
];

/// A reader that does as it is told makes room first.
fn trusting(head: &'static Head<'static>) -> String {
    let Ok(length) = catch_unwind(|| trusts::length_of_body(head)) else { return "panics".into() };
    let length = length.expect("it never refuses");
    match Vec::<u8>::new().try_reserve_exact(length) {
        Ok(()) => format!("{length} bytes"),
        Err(_) => "out of memory".into(),
    }
}

fn doubting(head: &Head<'_>) -> String {
    doubts::length_of_body(head).map_or_else(|status| status.to_string(), |length| format!("{length} bytes"))
}

/// The status of the answer to the real thing.
async fn asked(server: SocketAddr, head: &Head<'_>) -> io::Result<String> {
    let mut stream = TcpStream::connect(server).await?;
    let fields: String = head.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let request = format!("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}\r\nhello");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}

async fn tour() -> io::Result<()> {
    let server = Server::bind("127.0.0.1:0")?;
    let address = server.local_addr();
    let answer = async |body: String| format!("{} bytes", body.len());
    let _server = runtime::spawn(server.serve(Router::new().post("/", answer)));
    println!("{:<16} {:<14} {:<9} our server", "Content-Length", "trusting", "doubting");
    for (title, head) in HEADS {
        println!("{title:<16} {:<14} {:<9} {}", trusting(head), doubting(head), asked(address, head).await?);
    }
    Ok(())
}

fn main() {
    std::panic::set_hook(Box::new(|_| {})); // the table says it
    examples::run_networked(&[], async |_| tour().await.unwrap_or_else(|error| examples::fail(1, error)));
}
