//! One program on three pollers: mio, and the crate `polling` in two ways. It does the same on each.
//!
//! ```console
//! cargo run --example 11_polling
//! ```

use examples::{Arguments, seconds};
use runtime::{AsyncFd, Backend, Builder, future::join};
use std::{
    io::{self, Read, Write},
    os::unix::net::UnixStream,
};

// ANCHOR: backends
const BACKENDS: [(&str, Backend); 3] = [
    ("mio, which reports each change", Backend::Mio),
    ("polling, which reports each change", Backend::Polling),
    ("polling, which reports once and must be asked again", Backend::PollingOneShot),
];
// ANCHOR_END: backends

// ANCHOR: program
/// A reader that takes three bytes at a time, and a writer that takes its time.
async fn program() -> io::Result<()> {
    let (near, mut far) = UnixStream::pair()?;
    near.set_nonblocking(true)?;
    let near = AsyncFd::new(near);
    let reader = async {
        loop {
            let mut buffer = [0; 3];
            match near.read_with(|mut socket| socket.read(&mut buffer)).await? {
                0 => return io::Result::Ok(()),
                length => println!("    read {:?}", str::from_utf8(&buffer[..length]).unwrap()),
            }
        }
    };
    let writer = async move {
        for word in ["reading", "writing"] {
            seconds(0.1).await;
            far.write_all(word.as_bytes())?;
        }
        io::Result::Ok(())
    };
    let (reader, writer) = join(reader, writer).await;
    reader.and(writer)
}
// ANCHOR_END: program

// ANCHOR: run
fn run(builder: Builder, backend: Backend) -> io::Result<()> {
    examples::runtime(builder.poller(backend)).block_on(program())
}
// ANCHOR_END: run

fn main() -> io::Result<()> {
    let arguments = Arguments::parse(&[]);
    for (name, backend) in BACKENDS {
        println!("{name}:");
        run(arguments.builder(), backend)?;
    }
    Ok(())
}
