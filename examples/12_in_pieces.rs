//! A write that takes only a part: what arrives when nobody looks at how much it took, and when somebody does.
//!
//! ```console
//! cargo run --example 12_in_pieces
//! ```
//!
//! The connection is a pipe in memory with room for eight bytes, so that it happens at once. A socket has room for some hundred
//! kilobytes, and there it happens on the day on which the other side is slow.

use futures_lite::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use netio::net::duplex;
use runtime::future::join;
use std::io;

mod once {
    use super::*;

    // ANCHOR: once
    pub(crate) async fn send(to: &mut (impl AsyncWrite + Unpin), message: &[u8]) -> io::Result<()> {
        let written = to.write(message).await?;
        println!("    write took {written} of {} bytes", message.len());
        Ok(())
    }
    // ANCHOR_END: once
}

mod all {
    use super::*;

    // ANCHOR: all
    pub(crate) async fn send(to: &mut (impl AsyncWrite + Unpin), mut message: &[u8]) -> io::Result<()> {
        while !message.is_empty() {
            let written = to.write(message).await?;
            println!("    write took {written} of {} bytes", message.len());
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            message = &message[written..];
        }
        Ok(())
    }
    // ANCHOR_END: all
}

/// What the other side has when the sender is done.
async fn received(send: impl AsyncFnOnce(&mut netio::net::DuplexStream, &[u8]) -> io::Result<()>) -> io::Result<()> {
    let (mut near, mut far) = duplex(8);
    let mut text = String::new();
    let sender = async {
        send(&mut near, b"the quick brown fox").await?;
        near.close().await
    };
    let (sent, read) = join(sender, far.read_to_string(&mut text)).await;
    sent?;
    read?;
    println!("    the other side has {text:?}");
    Ok(())
}

fn main() -> io::Result<()> {
    examples::run(&[], async |_| {
        println!("one write:");
        received(async |to, message| once::send(to, message).await).await?;
        println!("until all is written:");
        received(async |to, message| all::send(to, message).await).await
    })
}
