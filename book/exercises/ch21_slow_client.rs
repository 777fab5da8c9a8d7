//! Chapter 21: a client that sends a letter now and then, and its deadline.

use futures_lite::{AsyncReadExt, AsyncWriteExt};
use netio::net::{DuplexStream, duplex};
use runtime::{
    Runtime, spawn,
    time::{Instant, sleep, timeout},
};
use std::time::Duration;

/// So long a head may take.
const PATIENCE: Duration = Duration::from_secs(10);

mod starter {
    use super::*;

    // ANCHOR: starter
    /// Reads a head, up to its empty line. `None`: it was not here after [`PATIENCE`], or the client hung up.
    pub(crate) async fn read_head(stream: &mut DuplexStream) -> Option<String> {
        let (mut head, mut bytes) = (Vec::new(), [0; 64]);
        while !head.ends_with(b"\r\n\r\n") {
            // TODO: so long each *read* may take. Somebody who sends a letter every nine seconds is waited for a long time.
            let length = timeout(PATIENCE, stream.read(&mut bytes)).await.ok()?.ok()?;
            if length == 0 {
                return None;
            }
            head.extend_from_slice(&bytes[..length]);
        }
        String::from_utf8(head).ok()
    }
    // ANCHOR_END: starter
}

mod solution {
    use super::*;

    // ANCHOR: solution
    /// Reads a head, up to its empty line. `None`: it was not here after [`PATIENCE`], or the client hung up.
    pub(crate) async fn read_head(stream: &mut DuplexStream) -> Option<String> {
        let whole = async {
            let (mut head, mut bytes) = (Vec::new(), [0; 64]);
            while !head.ends_with(b"\r\n\r\n") {
                let length = stream.read(&mut bytes).await.ok()?;
                if length == 0 {
                    return None;
                }
                head.extend_from_slice(&bytes[..length]);
            }
            String::from_utf8(head).ok()
        };
        timeout(PATIENCE, whole).await.ok()?
    }
    // ANCHOR_END: solution
}

/// The bytes one by one, so many seconds between two.
async fn send_slowly(mut stream: DuplexStream, text: &'static str, seconds: u64) {
    for byte in text.as_bytes() {
        if stream.write_all(&[*byte]).await.is_err() {
            return; // the server has hung up
        }
        sleep(Duration::from_secs(seconds)).await;
    }
    let _hangs_up = stream.close().await;
}

const HEAD: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

fn check(read_head: impl AsyncFn(&mut DuplexStream) -> Option<String>) {
    let runtime = Runtime::builder().virtual_clock().build().expect("a runtime");
    let ask = |text, seconds| {
        runtime.block_on(async {
            let (client, mut server) = duplex(64);
            drop(spawn(send_slowly(client, text, seconds)));
            let start = Instant::now();
            (read_head(&mut server).await, start.elapsed().as_secs())
        })
    };
    assert_eq!(ask(HEAD, 0), (Some(HEAD.to_owned()), 0), "a quick client must be served");
    assert_eq!(ask("GET / HT", 0), (None, 0), "a client that hangs up must not be waited for");
    let (head, seconds) = ask(HEAD, 9);
    assert!(seconds <= 10, "the slow client was waited for: {seconds} s");
    assert_eq!(head, None, "there is no head after ten seconds");
}

crate::judge! { check(read_head), the starter fails with "the slow client was waited for" }
