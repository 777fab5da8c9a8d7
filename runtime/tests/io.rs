//! Sources, children, signals, blocking jobs: the world outside.

use futures_lite::{AsyncReadExt, AsyncWriteExt};
use runtime::{
    AsyncFd, Backend, Runtime,
    future::{Either, join, race},
    process::Command,
    spawn, spawn_blocking,
    sync::Event,
    time::{sleep, timeout},
    yield_now,
};
use std::{
    io::{self, Read, Write},
    net::Shutdown,
    os::unix::net::UnixStream,
    process::Stdio,
    sync::{Arc, Barrier, mpsc},
    time::Duration,
};

/// Every backend that this build knows.
fn backends() -> Vec<Backend> {
    #[cfg(not(feature = "polling"))]
    return vec![Backend::Mio];
    #[cfg(feature = "polling")]
    return vec![Backend::Mio, Backend::Polling, Backend::PollingOneShot];
}

fn on(backend: Backend) -> Runtime {
    Runtime::builder().poller(backend).build().unwrap()
}

/// The same test on each of them.
fn on_each_backend(test: impl AsyncFn()) {
    for backend in backends() {
        println!("on {backend:?}");
        on(backend).block_on(test());
    }
}

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
    on_each_backend(async || {
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
    on_each_backend(async || {
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
    on_each_backend(async || {
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
    for backend in backends() {
        let (ours, _theirs) = pair();
        on(backend).block_on(async { timeout(Duration::ZERO, ours.readable()).await.unwrap_err() });
        let error = on(backend).block_on(ours.readable()).unwrap_err();
        assert!(error.to_string().contains("has ended"), "{error}");
    }
}

/// A runtime at rest turns no reactor: to wait for its sources in another one would be to wait for ever.
#[test]
fn a_source_of_another_runtime_says_so() {
    for backend in backends() {
        let (ours, mut theirs) = pair();
        let (home, away) = (on(backend), on(backend));
        home.block_on(async { timeout(Duration::ZERO, ours.readable()).await.unwrap_err() });
        let error = away.block_on(ours.readable()).unwrap_err();
        assert!(error.to_string().contains("another runtime"), "{error}");
        // At home all is as before.
        theirs.write_all(b"x").unwrap();
        assert_eq!(home.block_on(read(&ours, 8)).unwrap(), b"x");
    }
}

/// A wait that was given up is nobody's: it keeps no task alive, and a virtual clock does not hope for it.
#[test]
#[should_panic(expected = "deadlock")]
fn a_wait_that_was_given_up_hides_no_deadlock() {
    let (ours, _theirs) = pair();
    Runtime::builder().virtual_clock().build().unwrap().block_on(async {
        let reading = async || ours.read_with(|mut io| io.read(&mut [0; 8])).await;
        assert!(timeout(Duration::from_secs(1), reading()).await.is_err());
        assert!(timeout(Duration::from_secs(1), ours.readable()).await.is_err());
        std::future::pending::<()>().await;
    });
}

/// Two wait for one direction in one task; one gives up; the other still gets its bytes.
#[test]
fn giving_up_one_wait_leaves_the_other() {
    on_each_backend(async || {
        let (ours, mut theirs) = pair();
        let ours = Arc::new(ours);
        let mut stays = std::pin::pin!(read_once(&ours));
        assert!(futures_lite::future::poll_once(&mut stays).await.is_none());
        assert!(timeout(Duration::from_millis(1), read_once(&ours)).await.is_err());
        theirs.write_all(b"bytes").unwrap();
        assert_eq!(stays.await.unwrap(), b"bytes");
    });
}

async fn read_once(from: &AsyncFd<UnixStream>) -> io::Result<Vec<u8>> {
    from.read_with(|mut io| {
        let mut buffer = vec![0; 8];
        let length = io.read(&mut buffer)?;
        buffer.truncate(length);
        Ok(buffer)
    })
    .await
}

/// `readable` stands until an operation is seen to block.
#[test]
fn a_failed_attempt_makes_the_next_wait_wait() {
    on_each_backend(async || {
        let (ours, mut theirs) = pair();
        theirs.write_all(b"x").unwrap();
        ours.readable().await.unwrap();
        let attempt = || ours.try_read_with(|mut io| io.read(&mut [0; 8]));
        assert_eq!(attempt().unwrap(), 1);
        assert_eq!(attempt().unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert!(timeout(Duration::from_millis(1), ours.readable()).await.is_err());
        theirs.write_all(b"y").unwrap();
        ours.readable().await.unwrap();
        assert_eq!(attempt().unwrap(), 1);
        ours.writable().await.unwrap();
        assert_eq!(ours.try_write_with(|mut io| io.write(b"z")).unwrap(), 1);
    });
}

/// The last bytes and the end come as one event: a short read must not make us wait for an end that was told already.
#[test]
fn the_end_that_comes_with_the_last_bytes_is_seen() {
    on_each_backend(async || {
        let (ours, mut theirs) = pair();
        assert!(timeout(Duration::from_millis(1), ours.readable()).await.is_err());
        theirs.write_all(b"bye").unwrap();
        // Half of it: a connection that is gone altogether is reported as such by every system.
        theirs.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read(&ours, 64).await.unwrap(), b"bye");
        let end = timeout(Duration::from_secs(10), read(&ours, 64)).await.expect("nobody told of the end");
        assert_eq!(end.unwrap(), b"");
    });
}

/// Bytes go both ways at once, on many sources, with more of them than fit: every wait of either direction is ended.
#[test]
fn both_directions_of_many_sources_at_once() {
    const EACH: usize = 1 << 20;
    on_each_backend(async || {
        let tasks: Vec<_> = (0..8)
            .flat_map(|_| {
                let (ours, theirs) = pair();
                theirs.set_nonblocking(true).unwrap();
                [Arc::new(ours), Arc::new(AsyncFd::new(theirs))]
            })
            .flat_map(|end| [spawn(send(end.clone(), EACH)), spawn(receive(end, EACH))])
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}

async fn send(to: Arc<AsyncFd<UnixStream>>, mut left: usize) {
    let chunk = [7; 5000];
    while left > 0 {
        let chunk = &chunk[..left.min(chunk.len())];
        left -= std::future::poll_fn(|context| to.poll_write_bytes(context, chunk)).await.unwrap();
    }
}

async fn receive(from: Arc<AsyncFd<UnixStream>>, mut left: usize) {
    while left > 0 {
        left -= read(&from, 3000).await.unwrap().len();
    }
}

/// A program may find out late that it wants to write as well; the reader's wait goes on.
#[test]
fn a_second_direction_is_asked_for_when_it_is_needed() {
    on_each_backend(async || {
        let (ours, mut theirs) = pair();
        let ours = Arc::new(ours);
        let reading = spawn({
            let ours = ours.clone();
            async move { read(&ours, 16).await }
        });
        yield_now().await;
        let chunk = [0u8; 65536];
        while ours.try_write_with(|mut io| io.write(&chunk)).is_ok() {}
        let writing = spawn({
            let ours = ours.clone();
            async move { ours.write_with(|mut io| io.write(b"x")).await }
        });
        yield_now().await;
        theirs.set_nonblocking(true).unwrap();
        let mut sink = vec![0; 1 << 20];
        while theirs.read(&mut sink).is_ok() {}
        assert_eq!(writing.await.unwrap().unwrap(), 1);
        assert!(!reading.is_finished());
        theirs.write_all(b"hello").unwrap();
        assert_eq!(reading.await.unwrap().unwrap(), b"hello");
    });
}

#[test]
fn a_child_is_piped_and_waited_for() {
    on_each_backend(async || {
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
    on_each_backend(async || {
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

/// The state of a process as the system's table has it: none once it is collected.
fn state_of(pid: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(')').next()?.trim_start().chars().next()
}

/// A child that lives until its input ends, without its handle.
fn abandoned() -> (u32, runtime::process::ChildStdin) {
    let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let input = child.stdin.take().unwrap();
    (child.id(), input)
}

#[test]
fn a_child_without_a_handle_lives_on_and_is_collected() {
    on_each_backend(async || {
        let (pid, input) = abandoned();
        yield_now().await;
        assert!(!matches!(state_of(pid), None | Some('Z')), "it was not to be killed");
        drop(input);
        let collected = async {
            while state_of(pid).is_some() {
                yield_now().await;
            }
        };
        timeout(Duration::from_secs(10), collected).await.expect("a zombie remains");
    });
}

#[test]
fn a_child_that_outlives_the_runtime_is_collected_by_the_next() {
    let (pid, input) = runtime::block_on(async {
        let abandoned = abandoned();
        yield_now().await;
        abandoned
    });
    drop(input);
    while !matches!(state_of(pid), None | Some('Z')) {
        std::thread::yield_now();
    }
    runtime::block_on(async { Command::new("true").output().await.unwrap() });
    assert_eq!(state_of(pid), None, "a zombie remains");
}

/// What was asked for last counts, also for a command that was started before.
#[test]
fn a_group_of_its_own_can_be_taken_back() {
    use rustix::process::{Pid, getpgid, getpgrp};
    runtime::block_on(async {
        let mut command = Command::new("cat");
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        for own in [false, true, false] {
            let mut child = command.process_group(own).spawn().unwrap();
            let pid = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
            let group = getpgid(Some(pid)).unwrap();
            assert_eq!(group, if own { pid } else { getpgrp() });
            assert!(child.wait().await.unwrap().success());
        }
    });
}

#[test]
fn a_signal_is_a_readiness_event() {
    on_each_backend(async || {
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
    on_each_backend(async || {
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
    on_each_backend(async || {
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
    on_each_backend(async || {
        let (ours, _theirs) = pair();
        let mut child = Command::new("sleep").arg("1").spawn().unwrap();
        let waiting = spawn(async move { ours.readable().await });
        let before = ticks();
        child.wait().await.unwrap();
        assert!(ticks() - before <= 1, "{} ticks of CPU while idle", ticks() - before);
        waiting.abort();
    });
}
