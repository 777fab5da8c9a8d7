//! What a reactor hears: two sockets, and every event that the system reports of them.
//!
//! ```console
//! cargo run --example 10_reactor
//! ```

use mio::{Events, Interest, Poll, Token, net::UnixStream};
use std::{
    io::{self, ErrorKind, Read, Write},
    time::Duration,
};

/// The names of our two sockets: what comes back in an event is the token, not the socket.
const NAMES: [&str; 2] = ["left", "right"];

fn main() -> io::Result<()> {
    examples::Arguments::parse(&[]);
    // ANCHOR: register
    let mut poll = Poll::new()?;
    let (mut left, mut left_peer) = UnixStream::pair()?;
    let (mut right, right_peer) = UnixStream::pair()?;
    let both = Interest::READABLE | Interest::WRITABLE;
    poll.registry().register(&mut left, Token(0), both)?;
    poll.registry().register(&mut right, Token(1), both)?;
    // ANCHOR_END: register

    say("both are registered");
    wait(&mut poll)?;
    say("asked again");
    wait(&mut poll)?;

    // ANCHOR: bytes
    left_peer.write_all(b"four")?;
    say("four bytes come in on the left");
    wait(&mut poll)?;

    say("they are left unread, and asked again");
    wait(&mut poll)?;

    read(&mut left, 2)?;
    say("two of them are read, and asked again");
    wait(&mut poll)?;

    left_peer.write_all(b"more")?;
    say("four more come in");
    wait(&mut poll)?;

    while read(&mut left, 4)? {}
    say("all are read, and asked again");
    wait(&mut poll)?;
    // ANCHOR_END: bytes

    drop(right_peer);
    say("the peer of the right one is gone");
    wait(&mut poll)
}

fn say(what: &str) {
    println!("{what}:");
}

// ANCHOR: wait
/// Asks the system what has changed since it was last asked. (Zero: it is a question, not a wait.)
fn wait(poll: &mut Poll) -> io::Result<()> {
    let mut events = Events::with_capacity(16);
    poll.poll(&mut events, Some(Duration::ZERO))?;
    for event in &events {
        let flags = [
            (event.is_readable(), "readable"),
            (event.is_writable(), "writable"),
            (event.is_read_closed(), "the other side writes no more"),
        ];
        let flags: Vec<_> = flags.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect();
        println!("    event: token {} ({}) {}", event.token().0, NAMES[event.token().0], flags.join(", "));
    }
    if events.is_empty() {
        println!("    nothing");
    }
    Ok(())
}
// ANCHOR_END: wait

/// Reads once. Was there anything?
fn read(socket: &mut UnixStream, most: usize) -> io::Result<bool> {
    match socket.read(&mut vec![0; most]) {
        Ok(length) => println!("    read: {length} bytes"),
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            println!("    read: WouldBlock");
            return Ok(false);
        }
        Err(error) => return Err(error),
    }
    Ok(true)
}
