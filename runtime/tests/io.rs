//! Sources, children, signals, blocking jobs: the world outside.

use futures_lite::{AsyncReadExt, AsyncWriteExt};
use runtime::{
    AsyncFd, Runtime,
    future::{Either, join, race},
    process::Command,
    spawn, spawn_blocking,
    sync::Event,
    time::{sleep, timeout},
    yield_now,
};
use std::{
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    process::Stdio,
    sync::{Arc, Barrier, mpsc},
    time::Duration,
};

fn pair() -> (AsyncFd<UnixStream>, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    (AsyncFd::new(ours), theirs)
}

async fn read(from: &AsyncFd<UnixStream>, room: usize) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; room];
    let length = std::future::poll_fn(|context| from.poll_read_bytes(context, &mut buffer)).await?;
    buffer.truncate(length);
    Ok(buffer)
}

#[test]
fn a_reader_waits_for_its_bytes_and_sees_the_end() {
    runtime::block_on(async {
        let (ours, mut theirs) = pair();
        let reader = spawn(async move {
            let mut all = Vec::new();
            loop {
                let bytes = read(&ours, 4).await.unwrap();
                if bytes.is_empty() {
                    return all;
                }
                all.extend(bytes);
            }
        });
        for part in [&b"abc"[..], b"defgh", b"i"] {
            theirs.write_all(part).unwrap();
            yield_now().await;
        }
        drop(theirs);
        assert_eq!(reader.await.unwrap(), b"abcdefghi");
    });
}

/// A reader and a writer of one source each have their own waker (bug T-i: one of them overwrote the other's).
#[test]
fn a_reader_and_a_writer_wait_side_by_side() {
    runtime::block_on(async {
        let (ours, mut theirs) = pair();
        let ours = Arc::new(ours);
        // Fill the way out, so that the writer must wait.
        let chunk = [0u8; 65536];
        while (ours.get_ref()).write(&chunk).is_ok() {}
        let reading = spawn({
            let ours = ours.clone();
            async move { read(&ours, 16).await }
        });
        let writing = spawn({
            let ours = ours.clone();
            async move { ours.write_with(|mut io| io.write(b"x")).await }
        });
        yield_now().await;
        theirs.set_nonblocking(true).unwrap();
        let mut sink = vec![0; 1 << 20];
        while theirs.read(&mut sink).is_ok() {}
        assert_eq!(writing.await.unwrap().unwrap(), 1);
        theirs.write_all(b"hello").unwrap();
        assert_eq!(reading.await.unwrap().unwrap(), b"hello");
    });
}

/// A source whose place was given to another gets none of its events, and gives it none.
#[test]
fn a_reused_place_in_the_reactor_is_a_new_one() {
    runtime::block_on(async {
        let (first, mut to_first) = pair();
        assert!(timeout(Duration::ZERO, first.readable()).await.is_err());
        to_first.write_all(b"stale").unwrap();
        drop(first);
        let (second, mut to_second) = pair();
        let early = timeout(Duration::from_millis(1), second.read_with(|mut io| io.read(&mut [0; 8]))).await;
        assert!(early.is_err(), "an event for the former owner came through");
        to_second.write_all(b"fresh").unwrap();
        assert_eq!(read(&second, 8).await.unwrap(), b"fresh");
    });
}

#[test]
fn waiting_outside_a_runtime_is_an_error() {
    let (ours, _theirs) = pair();
    let mut reading = std::pin::pin!(ours.readable());
    match reading.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(Err(error)) => assert!(error.to_string().contains("outside a runtime"), "{error}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_source_of_an_ended_runtime_says_so() {
    let (ours, _theirs) = pair();
    runtime::block_on(async { timeout(Duration::ZERO, ours.readable()).await.unwrap_err() });
    let error = runtime::block_on(ours.readable()).unwrap_err();
    assert!(error.to_string().contains("has ended"), "{error}");
}

#[test]
fn a_child_is_piped_and_waited_for() {
    runtime::block_on(async {
        let mut child = Command::new("sh")
            .args(["-c", "read line; echo \"got $line\"; echo oops >&2; exit 3"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut stderr = child.stderr.take().unwrap();
        stdin.write_all(b"a line\n").await.unwrap();
        let (mut out, mut err) = (String::new(), String::new());
        let (read_out, read_err) = join(stdout.read_to_string(&mut out), stderr.read_to_string(&mut err)).await;
        read_out.unwrap();
        read_err.unwrap();
        assert_eq!((out.as_str(), err.as_str()), ("got a line\n", "oops\n"));
        assert_eq!(child.wait().await.unwrap().code(), Some(3));
    });
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let error = runtime::block_on(async { Command::new("no-such-program").spawn().unwrap_err() });
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert!(error.to_string().contains("cannot start no-such-program"), "{error}");
}

/// Dropped, a child with `kill_on_drop` takes its whole group along, and leaves no zombie.
#[test]
fn a_dropped_child_takes_its_group_along() {
    runtime::block_on(async {
        let mut child = Command::new("sh")
            .args(["-c", "sleep 1000 & echo $!; wait"])
            .stdout(Stdio::piped())
            .process_group(true)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let mut line = [0; 32];
        let length = stdout.read(&mut line).await.unwrap();
        assert!(length > 1, "the grandchild has started");
        let pid = child.id();
        drop(child);
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "a zombie remains");
        // The grandchild holds the pipe's other end: it is gone when the pipe ends.
        let mut rest = Vec::new();
        timeout(Duration::from_secs(10), stdout.read_to_end(&mut rest)).await.expect("it lives on").unwrap();
    });
}

#[test]
fn a_signal_is_a_readiness_event() {
    runtime::block_on(async {
        let mut terminate = runtime::signal::terminate().unwrap();
        let quiet = race(terminate.recv(), sleep(Duration::from_millis(1))).await;
        assert!(matches!(quiet, Either::Right(())));
        let mut kill = Command::new("kill");
        kill.arg(std::process::id().to_string());
        let (received, killed) = join(terminate.recv(), kill.output()).await;
        received.unwrap();
        assert!(killed.unwrap().status.success());
    });
}

#[test]
fn blocking_jobs_run_beside_each_other_and_panic_alone() {
    runtime::block_on(async {
        // Both must be there at once to pass.
        let barrier = Arc::new(Barrier::new(2));
        let other = barrier.clone();
        let both =
            join(spawn_blocking(move || barrier.wait().is_leader()), spawn_blocking(move || other.wait().is_leader()))
                .await;
        assert_ne!(both.0.unwrap(), both.1.unwrap());
        let error = spawn_blocking(|| panic!("in a job")).await.unwrap_err();
        assert_eq!(error.to_string(), "the task panicked: in a job");
    });
}

#[test]
fn no_more_threads_than_allowed_and_queued_jobs_can_be_cancelled() {
    let runtime = Runtime::builder().blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let (release, hold) = mpsc::channel::<()>();
        let first = spawn_blocking(move || hold.recv().is_ok());
        let second = spawn_blocking(|| "second");
        let third = spawn_blocking(|| "third");
        second.abort();
        assert!(!third.is_finished());
        release.send(()).unwrap();
        assert!(first.await.unwrap());
        assert!(second.await.unwrap_err().is_cancelled());
        assert_eq!(third.await.unwrap(), "third");
    });
}

/// An error that a socket reports once is over when it was reported: the next wait waits, and does not turn for ever.
#[test]
fn a_socket_waits_again_after_a_passing_error() {
    use std::net::UdpSocket;
    runtime::block_on(async {
        let nobody = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(nobody).unwrap();
        socket.set_nonblocking(true).unwrap();
        let socket = AsyncFd::new(socket);
        let receive = async || socket.read_with(|socket| socket.recv(&mut [0; 8])).await;
        assert!(timeout(Duration::from_millis(1), receive()).await.is_err());
        socket.get_ref().send(b"x").unwrap();
        assert_eq!(receive().await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        assert!(timeout(Duration::from_millis(1), receive()).await.is_err(), "there is nothing to receive");
    });
}

#[test]
fn many_signals_at_once_count_as_one() {
    runtime::block_on(async {
        let mut quit = runtime::signal::ctrl_c().unwrap();
        for _ in 0..200 {
            signal_hook::low_level::raise(signal_hook::consts::SIGINT).unwrap();
        }
        quit.recv().await.unwrap();
        assert!(timeout(Duration::from_millis(1), quit.recv()).await.is_err());
    });
}

#[test]
fn an_event_wakes_everybody_once_it_is_set() {
    runtime::block_on(async {
        let event = Arc::new(Event::new());
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let event = event.clone();
                spawn(async move { event.wait().await })
            })
            .collect();
        // One who gave up before leaves nothing behind.
        assert!(timeout(Duration::ZERO, event.wait()).await.is_err());
        yield_now().await;
        event.set();
        for task in waiting {
            task.await.unwrap();
        }
    });
}

/// Waiting for a child, a timer and a socket at once costs no CPU: the process sleeps in epoll.
#[test]
fn idle_means_no_cpu() {
    fn ticks() -> u64 {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }
    runtime::block_on(async {
        let (ours, _theirs) = pair();
        let mut child = Command::new("sleep").arg("1").spawn().unwrap();
        let waiting = spawn(async move { ours.readable().await });
        let before = ticks();
        child.wait().await.unwrap();
        assert!(ticks() - before <= 1, "{} ticks of CPU while idle", ticks() - before);
        waiting.abort();
    });
}
