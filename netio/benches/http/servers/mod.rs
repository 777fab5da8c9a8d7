//! The servers that are compared. Each runs alone in a process, on one thread, until it is killed.

mod axum;
mod hyper;
mod ours;
mod raw;

use crate::rows::{Answer, Row, Side};
use serde::Serialize;
use std::{
    io::{self, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::LazyLock,
};

/// What the handlers of JSON answer.
#[derive(Serialize)]
struct Greeting<'n> {
    greeting: &'static str,
    name: &'n str,
}

impl<'n> Greeting<'n> {
    fn to(name: &'n str) -> Self {
        Greeting { greeting: "Hello", name }
    }
}

/// What the handlers of plain text answer.
fn hello(name: &str) -> String {
    format!("Hello, {name}!\n")
}

const LARGE: usize = 1024 * 1024;

static LARGE_BODY: LazyLock<bytes::Bytes> = LazyLock::new(|| vec![b'x'; LARGE].into());

/// What the path `/PLACE/world` is answered with, by everyone.
pub(crate) fn body_of(answer: Answer) -> Vec<u8> {
    match answer {
        Answer::Text => hello("world").into_bytes(),
        Answer::Json => serde_json::to_vec(&Greeting::to("world")).expect("two texts"),
        Answer::Large => LARGE_BODY.to_vec(),
    }
}

/// Plays the server of a side. Before anything else it prints the number of its process and its address.
pub(crate) fn serve(side: Side, row: &Row) -> io::Result<()> {
    // Ours binds for itself.
    if let Side::Ours | Side::Logged = side {
        return ours::serve(row.bare, side == Side::Logged);
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    announce(listener.local_addr()?)?;
    match side {
        Side::Hyper => hyper::serve(listener, row.bare),
        Side::Axum => axum::serve(listener),
        _ => raw::serve(&listener, row.answer),
    }
}

fn announce(address: SocketAddr) -> io::Result<()> {
    let mut output = io::stdout();
    writeln!(output, "{} {address}", std::process::id())?;
    output.flush()
}
