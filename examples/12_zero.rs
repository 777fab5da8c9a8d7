//! A line that never comes to its end, because the other side is gone: a loop that does not look for zero, and one that does.
//!
//! ```console
//! cargo run --example 12_zero
//! ```

use examples::Arguments;
use futures_lite::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use netio::net::duplex;
use std::io;

/// After so many reads we have seen enough. (The mistake has no such number.)
const ENOUGH: u32 = 100_000;

mod again {
    use super::*;

    // ANCHOR: again
    /// Reads until a line is complete.
    pub(crate) async fn line(from: &mut (impl AsyncRead + Unpin), reads: &mut u32) -> io::Result<Vec<u8>> {
        let (mut line, mut buffer) = (Vec::new(), [0; 8]);
        while !line.ends_with(b"\n") && *reads < ENOUGH {
            let length = from.read(&mut buffer).await?;
            *reads += 1;
            line.extend_from_slice(&buffer[..length]);
        }
        Ok(line)
    }
    // ANCHOR_END: again
}

mod looks {
    use super::*;

    // ANCHOR: looks
    /// Reads until a line is complete.
    pub(crate) async fn line(from: &mut (impl AsyncRead + Unpin), reads: &mut u32) -> io::Result<Vec<u8>> {
        let (mut line, mut buffer) = (Vec::new(), [0; 8]);
        while !line.ends_with(b"\n") && *reads < ENOUGH {
            let length = from.read(&mut buffer).await?;
            *reads += 1;
            if length == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            line.extend_from_slice(&buffer[..length]);
        }
        Ok(line)
    }
    // ANCHOR_END: looks
}

async fn half_a_line() -> io::Result<netio::net::DuplexStream> {
    let (near, mut far) = duplex(64);
    far.write_all(b"GET /hel").await?;
    Ok(near) // `far` is dropped here: its user has closed the window
}

fn main() -> io::Result<()> {
    let arguments = Arguments::parse(&[]);
    examples::runtime(arguments.builder()).block_on(async {
        let mut reads = 0;
        let line = again::line(&mut half_a_line().await?, &mut reads).await?;
        println!("to try again: {reads} reads, and still {:?}", String::from_utf8_lossy(&line));

        let mut reads = 0;
        let error = looks::line(&mut half_a_line().await?, &mut reads).await.expect_err("the line is not complete");
        println!("to look for zero: {reads} reads, and {:?}", error.kind());
        Ok(())
    })
}
