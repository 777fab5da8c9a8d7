//! Chapter 12: connections.

use super::{
    Case, Listener, Runtime, Stream,
    support::{Count, Gate, cases, read, write, write_all},
};
use std::{
    future::poll_fn,
    io::{self, Read, Write},
    net::{self, Ipv4Addr, Shutdown, SocketAddr},
    sync::Arc,
    task::{Context, Poll, Waker},
    thread,
    time::{Duration, Instant},
};

cases! { 12:
    a_caller_and_a_listener_meet:
        "connect begins a call and waits until the socket is writable; accept tries, and waits until the listener is readable.",
    a_call_that_nobody_takes_is_refused:
        "Writable is also how a failure is told: ask the socket for its error (`take_error`) before you call it connected.",
    connect_waits_until_the_connection_is_made:
        "Writable need not mean connected: while `peer_addr` says `NotConnected`, wait on.",
    a_call_that_is_not_answered_stops_nobody_else:
        "connect must not block inside poll: use mio's, which only begins the call, and wait for `writable`.",
    all_that_called_meanwhile_are_accepted:
        "One event may stand for many callers: accept until `WouldBlock`, and wait for the next event only then.",
    a_long_message_is_written_in_pieces:
        "`write` may take a part. Go on with the rest, from where it stopped, when there is room again.",
    a_half_closed_connection_still_speaks:
        "`shutdown(Write)` ends one direction: the other side reads `Ok(0)`, and its answer can still be read.",
    an_end_is_not_nothing_yet:
        "`Ok(0)` is the end, `WouldBlock` is nothing yet. Only the second one waits.",
    a_reset_is_an_error:
        "The other side threw the connection away: the read fails, and must not wait for bytes that never come.",
    a_dropped_connection_is_closed:
        "Dropping a stream closes its socket: nobody else may hold it.",
    an_accept_that_was_given_up_loses_no_caller:
        "A dropped accept has taken nothing: the caller is still in the system's list, and the next accept gets it.",
    two_hundred_clients_on_one_thread:
        "Each connection waits by itself: none may make the others wait, in the reactor or in accept.",
    a_timeout_ends_a_read:
        "A stalled connection wakes nobody: the timer does, and the connection can be used afterwards.",
}

const ANYWHERE: SocketAddr = SocketAddr::new(net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

async fn accept<L: Listener>(listener: &L) -> io::Result<L::Stream> {
    poll_fn(|context| listener.poll_accept(context)).await
}

/// All until the end.
async fn read_to_end(from: &impl Stream) -> io::Result<Vec<u8>> {
    let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        match read(from, &mut buffer).await? {
            0 => return Ok(all),
            length => all.extend_from_slice(&buffer[..length]),
        }
    }
}

/// A listener of the runtime, and a caller of the standard library's.
async fn accepted<R: Runtime>() -> (impl Stream, net::TcpStream) {
    let listener = R::listen(ANYWHERE).unwrap();
    let caller = net::TcpStream::connect(listener.address().unwrap()).unwrap();
    (accept(&listener).await.unwrap(), caller)
}

fn a_caller_and_a_listener_meet<R: Runtime>() {
    R::block_on(async {
        let listener = R::listen(ANYWHERE).unwrap();
        let address = listener.address().unwrap();
        assert_ne!(address.port(), 0, "the port that the system chose");
        R::spawn(async move {
            let stream = accept(&listener).await.unwrap();
            let mut buffer = [0; 64];
            let length = read(&stream, &mut buffer).await.unwrap();
            write_all(&stream, &buffer[..length]).await.unwrap();
        });
        let caller = R::connect(address).await.unwrap();
        write_all(&caller, b"hello").await.unwrap();
        assert_eq!(read_to_end(&caller).await.unwrap(), b"hello");
    });
}

fn a_call_that_nobody_takes_is_refused<R: Runtime>() {
    let nobody = net::TcpListener::bind(ANYWHERE).unwrap().local_addr().unwrap();
    R::block_on(async {
        let refused = R::timeout(Duration::from_secs(2), async { R::connect(nobody).await.map(drop) }).await;
        let error = refused.expect("it is told at once").expect_err("nobody listens there");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    });
}

fn connect_waits_until_the_connection_is_made<R: Runtime>() {
    let listener = net::TcpListener::bind(ANYWHERE).unwrap();
    let address = listener.local_addr().unwrap();
    R::block_on(async {
        for _ in 0..50 {
            let stream = R::connect(address).await.unwrap();
            // What is not connected yet fails here, instead of waiting.
            assert_eq!(write(&stream, b"ping").await.unwrap(), 4);
            let (mut other, _) = listener.accept().unwrap();
            other.read_exact(&mut [0; 4]).unwrap();
        }
    });
}

fn a_call_that_is_not_answered_stops_nobody_else<R: Runtime>() {
    // Nobody accepts, and when the system's list of callers is full, it lets further calls go unanswered.
    let listener = net::TcpListener::bind(ANYWHERE).unwrap();
    let address = listener.local_addr().unwrap();
    let callers: Vec<_> = (0..200).map(|_| mio::net::TcpStream::connect(address).unwrap()).collect();
    thread::sleep(Duration::from_millis(20));
    R::block_on(async {
        let begin = Instant::now();
        // Whether it is answered after all, is the system's business.
        let _ = R::timeout(Duration::from_millis(100), async { R::connect(address).await.map(drop) }).await;
        assert!(begin.elapsed() < Duration::from_millis(900), "it held the thread for {:?}", begin.elapsed());
    });
    drop(callers);
}

fn all_that_called_meanwhile_are_accepted<R: Runtime>() {
    R::block_on(async {
        let listener = R::listen(ANYWHERE).unwrap();
        let address = listener.address().unwrap();
        assert!(listener.poll_accept(&mut Context::from_waker(Waker::noop())).is_pending());
        let callers: Vec<_> = (0..50).map(|_| net::TcpStream::connect(address).unwrap()).collect();
        R::sleep(Duration::from_millis(5)).await;
        for taken in 0..50 {
            let next = R::timeout(Duration::from_secs(1), async { accept(&listener).await.map(drop) }).await;
            next.unwrap_or_else(|| panic!("50 have called, {taken} were accepted")).unwrap();
        }
        drop(callers);
    });
}

fn a_long_message_is_written_in_pieces<R: Runtime>() {
    let message: Vec<u8> = (0..4_000_000_u32).map(|number| (number % 251) as u8).collect();
    let sent = message.clone();
    R::block_on(async {
        let (stream, mut caller) = accepted::<R>().await;
        let thread = thread::spawn(move || {
            let mut all = Vec::new();
            // Later than the system's buffers are full.
            thread::sleep(Duration::from_millis(30));
            caller.read_to_end(&mut all).unwrap();
            all
        });
        write_all(&stream, &sent).await.unwrap();
        stream.shutdown().unwrap();
        assert!(thread.join().unwrap() == message, "what arrived is not what was sent");
    });
}

fn a_half_closed_connection_still_speaks<R: Runtime>() {
    R::block_on(async {
        let (stream, mut caller) = accepted::<R>().await;
        let thread = thread::spawn(move || {
            caller.write_all(b"question").unwrap();
            caller.shutdown(Shutdown::Write).unwrap();
            let mut answer = String::new();
            caller.read_to_string(&mut answer).unwrap();
            answer
        });
        assert_eq!(read_to_end(&stream).await.unwrap(), b"question");
        R::sleep(Duration::from_millis(10)).await;
        write_all(&stream, b"answer").await.unwrap();
        stream.shutdown().unwrap();
        assert_eq!(thread.join().unwrap(), "answer");

        // And the other way round.
        let (stream, mut caller) = accepted::<R>().await;
        let thread = thread::spawn(move || {
            let mut question = String::new();
            caller.read_to_string(&mut question).unwrap();
            caller.write_all(b"answer").unwrap();
            question
        });
        write_all(&stream, b"question").await.unwrap();
        stream.shutdown().unwrap();
        assert_eq!(read_to_end(&stream).await.unwrap(), b"answer", "only the writing was ended");
        assert_eq!(thread.join().unwrap(), "question");
    });
}

fn an_end_is_not_nothing_yet<R: Runtime>() {
    R::block_on(async {
        let (stream, mut caller) = accepted::<R>().await;
        let thread = thread::spawn(move || {
            for part in ["one ", "two ", "three"] {
                thread::sleep(Duration::from_millis(10));
                caller.write_all(part.as_bytes()).unwrap();
            }
        });
        assert_eq!(read_to_end(&stream).await.unwrap(), b"one two three");
        assert_eq!(read(&stream, &mut [0; 8]).await.unwrap(), 0, "it stays so");
        thread.join().unwrap();
    });
}

fn a_reset_is_an_error<R: Runtime>() {
    R::block_on(async {
        let (stream, caller) = accepted::<R>().await;
        write_all(&stream, b"never read").await.unwrap();
        let thread = thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            // Closed with unread bytes: the system says so to the other side.
            drop(caller);
        });
        let ended = R::timeout(Duration::from_secs(2), async { read(&stream, &mut [0; 8]).await }).await;
        assert!(ended.expect("it is told").is_err(), "it is not an orderly end");
        thread.join().unwrap();
    });
}

fn a_dropped_connection_is_closed<R: Runtime>() {
    R::block_on(async {
        let (stream, mut caller) = accepted::<R>().await;
        assert!(stream.poll_read(&mut Context::from_waker(Waker::noop()), &mut [0; 8]).is_pending());
        drop(stream);
        caller.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        assert_eq!(caller.read(&mut [0; 8]).expect("it is told"), 0);
    });
}

fn an_accept_that_was_given_up_loses_no_caller<R: Runtime>() {
    R::block_on(async {
        let listener = Arc::new(R::listen(ANYWHERE).unwrap());
        let address = listener.address().unwrap();
        for _ in 0..3 {
            let given_up = R::timeout(Duration::from_millis(5), async { accept(&*listener).await.map(drop) }).await;
            assert!(given_up.is_none());
            let caller = net::TcpStream::connect(address).unwrap();
            let next = R::timeout(Duration::from_secs(2), async { accept(&*listener).await.map(drop) }).await;
            next.expect("the caller is there").unwrap();
            drop(caller);
        }
    });
}

fn two_hundred_clients_on_one_thread<R: Runtime>() {
    const CLIENTS: usize = 200;
    let begin = Instant::now();
    R::block_on(async {
        let listener = R::listen(ANYWHERE).unwrap();
        let address = listener.address().unwrap();
        R::spawn(async move {
            loop {
                let stream = accept(&listener).await.unwrap();
                R::spawn(async move {
                    let mut buffer = [0; 64];
                    while let Ok(length @ 1..) = read(&stream, &mut buffer).await {
                        write_all(&stream, &buffer[..length]).await.unwrap();
                    }
                });
            }
        });
        let (over, done) = (Count::default(), Gate::default());
        for number in 0..CLIENTS as u32 {
            let (over, done) = (over.clone(), done.clone());
            R::spawn(async move {
                let stream = R::connect(address).await.unwrap();
                for round in 0..5 {
                    let sent = (number * 10 + round).to_be_bytes();
                    write_all(&stream, &sent).await.unwrap();
                    let mut echo = [0; 4];
                    let mut length = 0;
                    while length < echo.len() {
                        length += read(&stream, &mut echo[length..]).await.unwrap();
                    }
                    assert_eq!(echo, sent);
                }
                over.up();
                if over.get() == CLIENTS {
                    done.open();
                }
            });
        }
        done.await;
    });
    assert!(begin.elapsed() < Duration::from_secs(4), "it took {:?}", begin.elapsed());
}

fn a_timeout_ends_a_read<R: Runtime>() {
    R::block_on(async {
        let (stream, mut caller) = accepted::<R>().await;
        for _ in 0..3 {
            let stalled = R::timeout(Duration::from_millis(10), async { read(&stream, &mut [0; 8]).await }).await;
            assert!(stalled.is_none());
            caller.write_all(b"at last").unwrap();
            assert_eq!(read(&stream, &mut [0; 8]).await.unwrap(), 7);
        }
        let now = poll_fn(|context| Poll::Ready(stream.poll_read(context, &mut [0; 8]))).await;
        assert!(now.is_pending(), "nothing is left");
    });
}
