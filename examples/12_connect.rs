//! A call that nobody takes: a connect that believes "writable", and one that asks the socket.
//!
//! ```console
//! cargo run --example 12_connect
//! ```

use stages::s10_reactor::{Direction, Watched, block_on};
use std::{
    future::poll_fn,
    io,
    net::{SocketAddr, TcpListener},
};

mod believes {
    use super::*;

    // ANCHOR: believes
    /// Connected is who can write.
    pub(crate) fn connected(stream: &mio::net::TcpStream) -> io::Result<()> {
        let _ = stream;
        Ok(())
    }
    // ANCHOR_END: believes
}

mod asks {
    use super::*;

    // ANCHOR: asks
    /// Connected is who has no error and knows its peer.
    pub(crate) fn connected(stream: &mio::net::TcpStream) -> io::Result<()> {
        if let Some(error) = stream.take_error()? {
            return Err(error);
        }
        match stream.peer_addr() {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Err(io::ErrorKind::WouldBlock.into()),
            known => known.map(drop),
        }
    }
    // ANCHOR_END: asks
}

// ANCHOR: call
async fn call(address: SocketAddr, connected: fn(&mio::net::TcpStream) -> io::Result<()>) -> io::Result<()> {
    let stream = Watched::new(mio::net::TcpStream::connect(address)?)?;
    poll_fn(|context| stream.poll_with(Direction::Write, context, connected)).await?;
    println!("    connected");
    let mut socket = stream.get_ref();
    let written = io::Write::write(&mut socket, b"hello")?;
    println!("    written: {written} bytes");
    Ok(())
}
// ANCHOR_END: call

fn main() -> io::Result<()> {
    examples::Arguments::parse(&[]);
    // A port at which nobody listens any more.
    let nobody = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    for (name, connected) in
        [("believes", believes::connected as fn(&mio::net::TcpStream) -> io::Result<()>), ("asks", asks::connected)]
    {
        println!("the one that {name}:");
        if let Err(error) = block_on(call(nobody, connected)) {
            println!("    {:?}", error.kind());
        }
    }
    Ok(())
}
