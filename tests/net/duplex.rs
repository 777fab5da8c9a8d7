//! Connections in memory: order, room, ends, and who is woken.

use crate::{assert_gives_way, run};
use futures_lite::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, future::poll_once, io};
use netio::net::{DuplexStream, duplex};
use runtime::{Runtime, future::join};
use std::{
    future::Future,
    io::{ErrorKind, IoSlice},
    pin::{Pin, pin},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn watched() -> (Arc<Wakes>, Waker) {
    let wakes = Arc::<Wakes>::default();
    (wakes.clone(), wakes.into())
}

fn poll_read(stream: &DuplexStream, waker: &Waker, buffer: &mut [u8]) -> Poll<Result<usize, ErrorKind>> {
    let read = Pin::new(&mut &*stream).poll_read(&mut Context::from_waker(waker), buffer);
    read.map_err(|error| error.kind())
}

fn poll_write(stream: &DuplexStream, waker: &Waker, bytes: &[u8]) -> Poll<Result<usize, ErrorKind>> {
    let write = Pin::new(&mut &*stream).poll_write(&mut Context::from_waker(waker), bytes);
    write.map_err(|error| error.kind())
}

/// Sends through an echo and compares.
async fn echo(capacity: usize, length: usize) {
    let (ours, theirs) = duplex(capacity);
    let sent: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
    let write = async {
        (&ours).write_all(&sent).await.unwrap();
        (&ours).close().await.unwrap();
    };
    let mut heard = Vec::new();
    let (copied, ((), read)) = join(
        async move { io::copy(&theirs, &mut &theirs).await },
        join(write, async { (&ours).read_to_end(&mut heard).await }),
    )
    .await;
    assert_eq!((copied.unwrap(), read.unwrap()), (length as u64, length));
    assert!(heard == sent);
}

#[test]
fn all_bytes_arrive_in_order_whatever_the_room_and_whoever_runs_it() {
    for (capacity, length) in [(1, 1000), (3, 1000), (64, 10_000), (1 << 20, 100_000)] {
        futures_lite::future::block_on(echo(capacity, length)); // which knows nothing of our runtime
        run(async || echo(capacity, length).await);
    }
}

#[test]
fn two_threads_speak_through_it() {
    let runtime = Runtime::builder().workers(2).build().unwrap();
    runtime.block_on(async {
        let (ours, theirs) = duplex(16);
        let echo = runtime::spawn(async move { io::copy(&theirs, &mut &theirs).await.unwrap() });
        let ours = Arc::new(ours);
        let writer = runtime::spawn({
            let ours = ours.clone();
            async move {
                for n in 0..20_000_u32 {
                    (&*ours).write_all(&n.to_le_bytes()).await.unwrap();
                }
                (&*ours).close().await.unwrap();
            }
        });
        for n in 0..20_000_u32 {
            let mut heard = [0; 4];
            (&*ours).read_exact(&mut heard).await.unwrap();
            assert_eq!(u32::from_le_bytes(heard), n);
        }
        writer.await.unwrap();
        assert_eq!(echo.await.unwrap(), 80_000);
    });
}

#[test]
fn who_writes_more_than_there_is_room_for_waits_until_it_is_read() {
    let (ours, theirs) = duplex(4);
    let ((writer, w), (reader, r)) = (watched(), watched());
    assert_eq!(poll_read(&theirs, &r, &mut [0; 8]), Poll::Pending);
    assert_eq!(poll_write(&ours, &w, b"abcdef"), Poll::Ready(Ok(4)));
    assert_eq!(reader.0.load(Ordering::SeqCst), 1);
    assert_eq!(poll_write(&ours, &w, b"ef"), Poll::Pending);
    // Only as much as there is room for, and the other direction has room of its own.
    assert_eq!(poll_write(&theirs, &r, b"12345"), Poll::Ready(Ok(4)));
    let mut buffer = [0; 1];
    assert_eq!((poll_read(&theirs, &r, &mut buffer), buffer), (Poll::Ready(Ok(1)), *b"a"));
    assert_eq!(writer.0.load(Ordering::SeqCst), 1);
    assert_eq!(poll_write(&ours, &w, b"ef"), Poll::Ready(Ok(1)));
    let mut buffer = [0; 8];
    assert_eq!(poll_read(&theirs, &r, &mut buffer), Poll::Ready(Ok(4)));
    assert_eq!(&buffer[..4], b"bcde");
    // Whom nobody waits for, nobody wakes.
    assert_eq!((writer.0.load(Ordering::SeqCst), reader.0.load(Ordering::SeqCst)), (1, 1));
}

#[test]
fn the_last_one_who_waits_is_the_one_that_is_woken() {
    let (ours, theirs) = duplex(4);
    let ((old, o), (new, n)) = (watched(), watched());
    assert_eq!(poll_read(&theirs, &o, &mut [0; 8]), Poll::Pending);
    assert_eq!(poll_read(&theirs, &n, &mut [0; 8]), Poll::Pending);
    assert_eq!(poll_write(&ours, Waker::noop(), b"x"), Poll::Ready(Ok(1)));
    assert_eq!((old.0.load(Ordering::SeqCst), new.0.load(Ordering::SeqCst)), (0, 1));
    assert_eq!(Arc::strong_count(&old), 2, "the waker of who waits no more is not kept");
}

#[test]
fn a_closed_direction_is_an_end_and_the_other_one_goes_on() {
    run(async || {
        let (mut ours, mut theirs) = duplex(64);
        ours.write_all(b"the last").await.unwrap();
        ours.close().await.unwrap();
        ours.close().await.unwrap();
        assert_eq!(ours.write(b"more").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
        let mut heard = String::new();
        theirs.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "the last");
        assert_eq!(theirs.read(&mut [0; 8]).await.unwrap(), 0, "the end stays the end");
        theirs.write_all(b"still here").await.unwrap();
        let mut heard = [0; 10];
        ours.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"still here");
    });
}

#[test]
fn a_peer_that_vanishes_is_an_end_for_the_reader_and_a_broken_pipe_for_the_writer() {
    run(async || {
        let (mut ours, mut theirs) = duplex(64);
        theirs.write_all(b"farewell").await.unwrap();
        drop(theirs);
        let mut heard = String::new();
        ours.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "farewell");
        assert_eq!(ours.write(b"anybody?").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn who_waits_is_woken_by_an_end() {
    let ended: [fn(DuplexStream) -> Option<DuplexStream>; 2] = [
        |stream| {
            drop(stream);
            None
        },
        |stream| {
            assert!(Pin::new(&mut &stream).poll_close(&mut Context::from_waker(Waker::noop())).is_ready());
            Some(stream)
        },
    ];
    for end in ended {
        let (ours, theirs) = duplex(4);
        let (wakes, waker) = watched();
        assert_eq!(poll_read(&ours, &waker, &mut [0; 8]), Poll::Pending);
        let _kept = end(theirs);
        assert_eq!(wakes.0.load(Ordering::SeqCst), 1);
        assert_eq!(poll_read(&ours, &waker, &mut [0; 8]), Poll::Ready(Ok(0)));
    }

    // A write that waits: the other end is dropped, or this one is closed by another task.
    for close_this in [false, true] {
        let (ours, theirs) = duplex(4);
        let (wakes, waker) = watched();
        assert_eq!(poll_write(&ours, &waker, b"abcd"), Poll::Ready(Ok(4)));
        assert_eq!(poll_write(&ours, &waker, b"e"), Poll::Pending);
        let kept = if close_this {
            assert!(Pin::new(&mut &ours).poll_close(&mut Context::from_waker(Waker::noop())).is_ready());
            Some(theirs)
        } else {
            drop(theirs);
            None
        };
        assert_eq!(wakes.0.load(Ordering::SeqCst), 1);
        assert_eq!(poll_write(&ours, &waker, b"e"), Poll::Ready(Err(ErrorKind::BrokenPipe)));
        // What had been written can still be read by who is there.
        if let Some(theirs) = kept {
            assert_eq!(poll_read(&theirs, &waker, &mut [0; 8]), Poll::Ready(Ok(4)));
        }
    }
}

#[test]
fn nothing_to_read_or_write_is_done_at_once() {
    let (ours, theirs) = duplex(1);
    assert_eq!(poll_read(&ours, Waker::noop(), &mut []), Poll::Ready(Ok(0)));
    assert_eq!(poll_write(&ours, Waker::noop(), b"x"), Poll::Ready(Ok(1)));
    assert_eq!(poll_write(&ours, Waker::noop(), b""), Poll::Ready(Ok(0)), "even if it is full");
    drop(theirs);
    assert_eq!(poll_write(&ours, Waker::noop(), b""), Poll::Ready(Err(ErrorKind::BrokenPipe)));
}

#[test]
fn several_buffers_leave_in_one_write_as_far_as_there_is_room() {
    run(async || {
        let (mut ours, mut theirs) = duplex(8);
        let parts = [IoSlice::new(b"head "), IoSlice::new(b""), IoSlice::new(b"and body")];
        assert_eq!(ours.write_vectored(&parts).await.unwrap(), 8);
        let mut heard = [0; 16];
        assert_eq!(theirs.read(&mut heard).await.unwrap(), 8);
        assert_eq!(&heard[..8], b"head and");
    });
}

/// Cancel safety: reads and writes that are dropped at any poll of theirs have done all or nothing.
#[test]
fn a_dropped_read_or_write_loses_nothing() {
    let (mut ours, mut theirs) = duplex(3);
    let sent: Vec<u8> = (0..=255).collect();
    let (mut left, mut heard) = (&sent[..], Vec::<u8>::new());
    futures_lite::future::block_on(async {
        while heard.len() < sent.len() {
            // More attempts to write than it takes, then more to read.
            for length in [2, 1, 3] {
                let length = length.min(left.len());
                if let Some(written) = poll_once(ours.write(&left[..length])).await {
                    left = &left[written.unwrap()..];
                }
            }
            for length in [1, 1, 4, 4] {
                let mut buffer = [0; 4];
                if let Some(read) = poll_once(theirs.read(&mut buffer[..length])).await {
                    heard.extend(&buffer[..read.unwrap()]);
                }
            }
        }
    });
    assert_eq!(heard, sent);
}

#[test]
fn a_stream_that_is_always_ready_lets_others_run() {
    let runtime = Runtime::builder().workers(1).build().unwrap();
    runtime.block_on(async {
        let (mut ours, mut theirs) = duplex(4);
        assert_gives_way(async || {
            ours.write_all(b"x").await.unwrap();
            theirs.read_exact(&mut [0]).await.unwrap();
        })
        .await;
    });
}

/// A waker may do anything: here it looks at, and reads from, the very stream that wakes it.
#[test]
fn no_waker_is_called_while_the_stream_is_locked() {
    struct Nosy(OnceLock<DuplexStream>, AtomicUsize);
    impl Wake for Nosy {
        fn wake(self: Arc<Self>) {
            let stream = self.0.get().unwrap();
            assert!(format!("{stream:?}").starts_with("DuplexStream"));
            if let Poll::Ready(read) = poll_read(stream, Waker::noop(), &mut [0; 8]) {
                self.1.fetch_add(read.unwrap(), Ordering::SeqCst);
            }
        }
    }
    let (ours, theirs) = duplex(4);
    let nosy = Arc::new(Nosy(OnceLock::from(theirs), AtomicUsize::new(0)));
    let waker = Waker::from(nosy.clone());
    assert_eq!(poll_read(nosy.0.get().unwrap(), &waker, &mut [0; 8]), Poll::Pending);
    assert_eq!(poll_write(&ours, Waker::noop(), b"abc"), Poll::Ready(Ok(3)));
    assert_eq!(nosy.1.load(Ordering::SeqCst), 3);
    assert_eq!(poll_read(nosy.0.get().unwrap(), &waker, &mut [0; 8]), Poll::Pending);
    drop(ours);
}

#[test]
#[should_panic(expected = "room for a byte")]
fn no_room_at_all_is_a_mistake() {
    let _ = duplex(0);
}

#[test]
fn it_can_be_sent_and_split() {
    fn assert_send(_: impl Future + Send + Sync) {}
    let (ours, theirs) = duplex(4);
    assert_send(async move {
        let mut buffer = [0; 1];
        let mut pinned = pin!(&ours);
        let _ = pinned.read(&mut buffer).await;
    });
    let (mut reads, mut writes) = io::split(theirs);
    futures_lite::future::block_on(async {
        assert_eq!(reads.read(&mut [0; 1]).await.unwrap(), 0);
        assert!(writes.write(b"x").await.is_err());
    });
}
