//! One event, one read: why a task hangs with its answer in the socket, and the loop that mends it.
//!
//! ```console
//! cargo run --example 10_edge
//! ```

use mio::{Events, Interest, Poll, Token, net::UnixStream};
use std::{
    io::{self, ErrorKind, Read, Write},
    time::Duration,
};

mod once {
    use super::*;

    // ANCHOR: once
    /// The socket is readable: takes what has come.
    pub(crate) fn on_readable(socket: &mut UnixStream, received: &mut Vec<u8>) -> io::Result<()> {
        let mut buffer = [0; 8];
        let length = socket.read(&mut buffer)?;
        received.extend_from_slice(&buffer[..length]);
        Ok(())
    }
    // ANCHOR_END: once
}

mod drained {
    use super::*;

    // ANCHOR: drained
    /// The socket is readable: takes what has come.
    pub(crate) fn on_readable(socket: &mut UnixStream, received: &mut Vec<u8>) -> io::Result<()> {
        let mut buffer = [0; 8];
        loop {
            match socket.read(&mut buffer) {
                Ok(0) => return Ok(()), // the end
                Ok(length) => received.extend_from_slice(&buffer[..length]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
    // ANCHOR_END: drained
}

type OnReadable = fn(&mut UnixStream, &mut Vec<u8>) -> io::Result<()>;

// ANCHOR: serve
/// Waits for a line, eight bytes at a time.
fn serve(on_readable: OnReadable) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let (mut near, mut far) = UnixStream::pair()?;
    poll.registry().register(&mut near, Token(0), Interest::READABLE)?;
    far.write_all(b"GET /hello\r\n")?; // and now the client waits for its answer

    let (mut events, mut received) = (Events::with_capacity(16), Vec::new());
    while !received.ends_with(b"\r\n") {
        poll.poll(&mut events, Some(Duration::from_millis(200)))?;
        if events.is_empty() {
            println!(
                "    no event in 200 ms, and none will come: {} bytes wait in the socket",
                near.read(&mut [0; 64])?
            );
            return Ok(());
        }
        on_readable(&mut near, &mut received)?;
        println!("    an event; received so far: {:?}", String::from_utf8_lossy(&received));
    }
    println!("    the request is there");
    Ok(())
}
// ANCHOR_END: serve

fn main() -> io::Result<()> {
    examples::Arguments::parse(&[]);
    println!("one event, one read:");
    serve(once::on_readable)?;
    println!("one event, and reads until WouldBlock:");
    serve(drained::on_readable)
}
