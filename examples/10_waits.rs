//! A task that waits for a socket and one that waits for the clock: the thread waits for both at once, in one place.
//!
//! ```console
//! cargo run --example 10_waits
//! ```

use examples::{Arguments, seconds};
use runtime::{AsyncFd, future::join, task};
use std::{
    io::{self, Read, Write},
    os::unix::net::UnixStream,
};

// ANCHOR: waits
async fn waits() -> io::Result<()> {
    let (near, mut far) = UnixStream::pair()?;
    near.set_nonblocking(true)?;
    let near = AsyncFd::new(near);

    let reader = task::Builder::new().name("reader").spawn(async move {
        let mut buffer = [0; 64];
        let length = near.read_with(|mut socket| socket.read(&mut buffer)).await?;
        println!("the reader has {:?}", str::from_utf8(&buffer[..length]).unwrap());
        io::Result::Ok(())
    });
    let writer = task::Builder::new().name("writer").spawn(async move {
        seconds(0.1).await;
        far.write_all(b"hello")?;
        println!("the writer has written");
        io::Result::Ok(())
    });
    let (reader, writer) = join(reader, writer).await;
    reader.expect("the reader does not panic")?;
    writer.expect("the writer does not panic")
}
// ANCHOR_END: waits

fn main() -> io::Result<()> {
    let arguments = Arguments::parse(&[]);
    let runtime = examples::runtime(arguments.builder().trace());
    runtime.block_on(waits())?;
    print!("\n{}", runtime.trace());
    Ok(())
}
