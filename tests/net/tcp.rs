//! TCP: connecting, accepting, reading and writing at once, and their ends.

use crate::{assert_gives_way, on_each_poller, run};
use futures_lite::{AsyncReadExt, AsyncWriteExt, future::poll_once};
use netio::net::{Address, TcpListener, TcpStream};
use runtime::future::join;
use std::{
    future::poll_fn,
    io::{ErrorKind, IoSlice},
    net::Shutdown,
    pin::{Pin, pin},
    sync::Arc,
};

/// Two ends of one connection.
async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (ours, theirs) = join(TcpStream::connect(listener.local_addr().unwrap()), listener.accept()).await;
    (ours.unwrap(), theirs.unwrap().0)
}

#[test]
fn both_ends_know_each_other() {
    run(async || {
        let (ours, theirs) = pair().await;
        assert_eq!(ours.peer_addr().unwrap(), theirs.local_addr().unwrap());
        assert_eq!(ours.local_addr().unwrap(), theirs.peer_addr().unwrap());
    });
}

#[test]
fn a_name_is_looked_up_and_every_address_is_tried() {
    run(async || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        for address in
            [Address::from(("localhost", port)), format!("localhost:{port}").into(), ("127.0.0.1", port).into()]
        {
            let text = address.to_string();
            let (stream, accepted) = join(TcpStream::connect(address), listener.accept()).await;
            assert_eq!(stream.unwrap().local_addr().unwrap(), accepted.unwrap().1, "{text}");
        }
    });
}

#[test]
fn a_refused_connection_is_an_error_and_not_a_wait() {
    run(async || {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert_eq!(TcpStream::connect(address).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
        assert_eq!(TcpStream::connect("no port").await.unwrap_err().kind(), ErrorKind::InvalidInput);
    });
}

/// One task reads while another writes, through the same socket, more than fits into the system's buffers.
#[test]
fn reading_and_writing_go_on_side_by_side() {
    run(async || {
        let simulated = runtime::world::current().is_some();
        let length: usize = if simulated { 256 << 10 } else { 4 << 20 };
        let (ours, theirs) = pair().await;
        let echo = runtime::spawn(async move { futures_lite::io::copy(&theirs, &mut &theirs).await });
        let ours = Arc::new(ours);
        let writer = runtime::spawn({
            let ours = ours.clone();
            async move {
                let sent: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
                (&*ours).write_all(&sent).await.unwrap();
                (&*ours).close().await.unwrap();
                sent
            }
        });
        let mut heard = Vec::new();
        (&*ours).read_to_end(&mut heard).await.unwrap();
        assert!(heard == writer.await.unwrap(), "{} bytes came back changed", heard.len());
        assert_eq!(echo.await.unwrap().unwrap(), length as u64);
    });
}

#[test]
fn several_buffers_leave_in_one_write() {
    run(async || {
        let (mut ours, mut theirs) = pair().await;
        let parts = [IoSlice::new(b"head "), IoSlice::new(b"and body")];
        let length =
            poll_fn(|context| futures_lite::AsyncWrite::poll_write_vectored(Pin::new(&mut ours), context, &parts))
                .await
                .unwrap();
        let mut buffer = [0; 64];
        assert_eq!(theirs.read(&mut buffer).await.unwrap(), length);
        assert_eq!(&buffer[..length], b"head and body");
    });
}

#[test]
fn a_closed_direction_is_an_end_and_a_reset_is_an_error() {
    run(async || {
        let (mut ours, mut theirs) = pair().await;
        theirs.shutdown(Shutdown::Write).unwrap();
        assert_eq!(ours.read(&mut [0; 8]).await.unwrap(), 0);
        ours.write_all(b"still here").await.unwrap();
        let mut buffer = [0; 10];
        theirs.read_exact(&mut buffer).await.unwrap();

        let (mut ours, theirs) = pair().await;
        theirs.reset().unwrap();
        assert_eq!(ours.read(&mut [0; 8]).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    });
}

/// The one who waits learns of it, too.
#[test]
fn who_waits_for_a_peer_that_vanishes_is_told() {
    run(async || {
        let (mut ours, theirs) = pair().await;
        let (read, ()) = join(async { ours.read(&mut [0; 8]).await }, async { drop(theirs) }).await;
        assert_eq!(read.unwrap(), 0);

        let (mut ours, theirs) = pair().await;
        let flood = async { ours.write_all(&vec![0; 16 << 20]).await };
        let (written, ()) = join(flood, async { drop(theirs) }).await;
        let kind = written.unwrap_err().kind();
        assert!([ErrorKind::ConnectionReset, ErrorKind::BrokenPipe].contains(&kind), "{kind:?}");
    });
}

#[test]
fn a_socket_that_is_always_ready_lets_others_run() {
    on_each_poller(async || {
        let (mut ours, mut theirs) = pair().await;
        assert_gives_way(async || {
            ours.write_all(b"x").await.unwrap();
            theirs.read_exact(&mut [0]).await.unwrap();
        })
        .await;
    });
}

/// Cancel safety: an `accept` or a `read` that is dropped while it waits takes nothing with it.
#[test]
fn a_dropped_wait_takes_nothing_with_it() {
    run(async || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(poll_once(pin!(listener.accept())).await.is_none());
        let mut ours = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut theirs, _) = listener.accept().await.unwrap();
        assert!(poll_once(pin!(theirs.read(&mut [0; 8]))).await.is_none());
        ours.write_all(b"hello").await.unwrap();
        let mut buffer = [0; 8];
        assert_eq!(theirs.read(&mut buffer).await.unwrap(), 5);
    });
}
