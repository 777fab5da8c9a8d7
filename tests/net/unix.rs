//! Unix sockets: their files, and their ends.

use crate::{assert_gives_way, in_worlds, on_each_poller};
use futures_lite::{AsyncReadExt, AsyncWriteExt, future::poll_once};
use netio::net::{UnixListener, UnixStream};
use runtime::{
    future::join,
    time::{Instant, timeout},
};
use std::{fs, io::ErrorKind, io::IoSlice, net::Shutdown, os::unix, path::Path, pin::pin, sync::Arc, time::Duration};
use tempfile::{TempDir, tempdir};

/// A folder of one's own, and a path in it.
fn place() -> (TempDir, std::path::PathBuf) {
    let folder = tempdir().unwrap();
    let path = folder.path().join("socket");
    (folder, path)
}

#[test]
fn a_caller_reaches_the_listener_by_its_path() {
    on_each_poller(async || {
        let (_folder, path) = place();
        let listener = UnixListener::bind(&path).unwrap();
        assert_eq!(listener.path(), path);
        for _ in 0..3 {
            // As a task: what connects can be sent to another thread.
            let call = runtime::spawn({
                let path = path.clone();
                async move { UnixStream::connect(path).await }
            });
            let mut accepted = listener.accept().await.unwrap();
            let mut called = call.await.unwrap().unwrap();
            called.write_all(b"ping").await.unwrap();
            let mut heard = [0; 4];
            accepted.read_exact(&mut heard).await.unwrap();
            assert_eq!(&heard, b"ping");
        }
    });
}

#[test]
fn reading_and_writing_go_on_side_by_side() {
    on_each_poller(async || {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let echo = runtime::spawn(async move { futures_lite::io::copy(&theirs, &mut &theirs).await });
        let ours = Arc::new(ours);
        let writer = runtime::spawn({
            let ours = ours.clone();
            async move {
                let sent: Vec<u8> = (0..2 << 20).map(|n| (n % 251) as u8).collect();
                (&*ours).write_all(&sent).await.unwrap();
                (&*ours).close().await.unwrap();
                sent
            }
        });
        let mut heard = Vec::new();
        (&*ours).read_to_end(&mut heard).await.unwrap();
        assert!(heard == writer.await.unwrap(), "{} bytes came back changed", heard.len());
        assert_eq!(echo.await.unwrap().unwrap(), heard.len() as u64);
    });
}

#[test]
fn a_closed_direction_is_an_end_and_a_vanished_peer_a_broken_pipe() {
    on_each_poller(async || {
        let (mut ours, mut theirs) = UnixStream::pair().unwrap();
        theirs.shutdown(Shutdown::Write).unwrap();
        assert_eq!(ours.read(&mut [0; 8]).await.unwrap(), 0);
        assert_eq!(theirs.write(b"more").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
        assert_eq!(ours.write_vectored(&[IoSlice::new(b"still "), IoSlice::new(b"here")]).await.unwrap(), 10);
        let mut heard = [0; 10];
        theirs.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"still here");

        drop(theirs);
        assert_eq!(ours.write(b"anybody?").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
    });
}

/// The one who waits learns of it, too.
#[test]
fn who_waits_for_a_peer_that_vanishes_is_told() {
    on_each_poller(async || {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let (read, ()) = join(async { ours.read(&mut [0; 8]).await }, async { drop(theirs) }).await;
        assert_eq!(read.unwrap(), 0);

        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let flood = async { ours.write_all(&vec![0; 8 << 20]).await };
        let (written, ()) = join(flood, async { drop(theirs) }).await;
        assert_eq!(written.unwrap_err().kind(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn a_listener_takes_its_file_with_it_and_only_its_own() {
    on_each_poller(async || {
        let (_folder, path) = place();
        let first = UnixListener::bind(&path).unwrap();
        assert!(path.exists());
        drop(first);
        assert!(!path.exists());

        let first = UnixListener::bind(&path).unwrap();
        // Kept, so that the second file cannot get the number of the first one.
        let aside = path.with_extension("old");
        fs::rename(&path, &aside).unwrap();
        let second = UnixListener::bind(&path).unwrap();
        drop(first);
        assert!(path.exists(), "this is the file of the second one");
        UnixStream::connect(&path).await.unwrap();
        second.accept().await.unwrap();
        fs::remove_file(aside).unwrap();
    });
}

#[test]
fn an_error_says_what_was_done_to_which_path() {
    on_each_poller(async || {
        let (folder, path) = place();
        let fails = |error: std::io::Error, kind, doing: &str, path: &Path| {
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().starts_with(&format!("cannot {doing} {}: ", path.display())), "{error}");
        };
        let connect = async |path: &Path| UnixStream::connect(path).await.unwrap_err();
        fails(connect(&path).await, ErrorKind::NotFound, "connect to", &path);

        let listener = UnixListener::bind(&path).unwrap();
        fails(UnixListener::bind(&path).unwrap_err(), ErrorKind::AddrInUse, "listen at", &path);
        assert!(path.exists(), "the second one has left the file of the first one alone");
        drop(listener);

        // One that was killed leaves its file behind.
        drop(unix::net::UnixListener::bind(&path).unwrap());
        fails(connect(&path).await, ErrorKind::ConnectionRefused, "connect to", &path);
        fails(UnixListener::bind(&path).unwrap_err(), ErrorKind::AddrInUse, "listen at", &path);
        fs::remove_file(&path).unwrap();
        drop(UnixListener::bind(&path).unwrap());

        let nowhere = folder.path().join("no/folder");
        fails(UnixListener::bind(&nowhere).unwrap_err(), ErrorKind::NotFound, "listen at", &nowhere);
        let long = folder.path().join("x".repeat(200));
        fails(UnixListener::bind(&long).unwrap_err(), ErrorKind::InvalidInput, "listen at", &long);
        fails(connect(&long).await, ErrorKind::InvalidInput, "connect to", &long);
    });
}

#[cfg(target_os = "linux")] // elsewhere such a call is refused
#[test]
fn a_full_backlog_is_waited_for() {
    on_each_poller(async || {
        let (_folder, path) = place();
        let listener = UnixListener::bind(&path).unwrap();
        rustix::net::listen(&listener, 0).unwrap(); // room for a single one
        let first = UnixStream::connect(&path).await.unwrap();
        let mut second = pin!(UnixStream::connect(&path));
        let start = Instant::now();
        assert!(timeout(Duration::from_secs(10), second.as_mut()).await.is_err());
        listener.accept().await.unwrap();
        second.await.unwrap();
        assert!(start.elapsed() <= Duration::from_millis(10_050), "{:?}", start.elapsed());
        drop(first);
    });
}

/// Cancel safety: an `accept` or a `read` that is dropped while it waits takes nothing with it.
#[test]
fn a_dropped_wait_takes_nothing_with_it() {
    on_each_poller(async || {
        let (_folder, path) = place();
        let listener = UnixListener::bind(&path).unwrap();
        assert!(poll_once(pin!(listener.accept())).await.is_none());
        let mut ours = UnixStream::connect(&path).await.unwrap();
        let mut theirs = listener.accept().await.unwrap();
        assert!(poll_once(pin!(theirs.read(&mut [0; 8]))).await.is_none());
        ours.write_all(b"hello").await.unwrap();
        assert_eq!(theirs.read(&mut [0; 8]).await.unwrap(), 5);
    });
}

#[test]
fn a_socket_that_is_always_ready_lets_others_run() {
    on_each_poller(async || {
        let (mut ours, mut theirs) = UnixStream::pair().unwrap();
        assert_gives_way(async || {
            ours.write_all(b"x").await.unwrap();
            theirs.read_exact(&mut [0]).await.unwrap();
        })
        .await;
    });
}

#[test]
fn in_a_world_there_are_none_and_the_error_says_so() {
    in_worlds(async || {
        let (_folder, path) = place();
        let errors = [
            UnixListener::bind(&path).unwrap_err(),
            UnixStream::connect(&path).await.unwrap_err(),
            UnixStream::pair().unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.to_string().contains("a simulated world has no Unix sockets"), "{error}");
        }
        assert!(!path.exists());
    });
}
