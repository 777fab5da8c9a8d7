//! Chapter 10: to park is to wait for sockets, and for the nearest deadline.

use super::{
    Case, Runtime, Stream,
    support::{Count, Dropped, Gate, Woken, cases, polled, read, write},
};
use std::{
    fs,
    future::{Future, poll_fn},
    io::{Read, Write},
    os::unix::net::UnixStream,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    thread,
    time::{Duration, Instant},
};

cases! { 10:
    bytes_wake_the_one_who_waits_for_them:
        "Register the socket with the poller, keep the waker of whoever found nothing, and wake it when the event comes.",
    bytes_that_are_there_already_are_read:
        "Try first, wait only if it would block. And bytes that came before the socket was registered are reported too, if you let them.",
    a_socket_and_a_timer_are_waited_for_at_once:
        "The poller's timeout is the time to the nearest deadline; without one it is `None`. Fire the timers after each wait.",
    a_wake_from_another_thread_interrupts_the_poller:
        "A thread that sleeps in the poller hears no condvar: whoever pushes into the queue must use mio's `Waker`.",
    a_reader_and_a_writer_keep_their_own_wakers:
        "One waker for each direction of a socket: with one for both, the reader's is lost when the writer comes, or the other way round.",
    what_was_left_in_the_socket_is_read:
        "A read that takes a part leaves the direction ready: only `WouldBlock` says that there is nothing left. No new event comes for old bytes.",
    a_thousand_messages_one_after_the_other:
        "After `WouldBlock` the next event must be waited for, and the waker left anew: at each poll, not only at the first.",
    a_full_socket_makes_the_writer_wait:
        "Write until `WouldBlock`, then wait for the event `writable`, in the same way as for reading.",
    the_one_who_asked_last_is_woken:
        "A future may move to another task between two polls: replace the waker at each poll that finds nothing.",
    the_end_is_told:
        "The other side is gone: `read` gives `Ok(0)`, at once, each time. mio reports it as `is_read_closed`, which counts as readable.",
    a_new_socket_is_not_taken_for_an_old_one:
        "The system gives the number of a closed descriptor to the next one. Deregister before closing, and never use a token twice.",
    a_socket_that_is_dropped_lets_go_of_its_waker:
        "Whoever waited for a socket that is gone waits for nothing: drop its waker with the socket, or its task lives on.",
    four_hundred_sockets:
        "Look up the socket by its token, and only those that the events name.",
    nothing_is_polled_while_all_wait:
        "Sleep in the poller. Its timeout is zero only when somebody is in the queue.",
    bytes_that_nobody_wants_do_not_keep_the_thread_busy:
        "A level-triggered poller reports unread bytes again and again. Ask edge-triggered (mio does), or not at all while nobody waits.",
    a_task_that_is_always_ready_does_not_starve_the_sockets:
        "Ask the poller now and then, with a timeout of zero, also while the queue is not empty.",
    a_socket_may_outlive_its_block_on:
        "A socket owns what it needs of the reactor (an `Arc`): dropping it later must not panic.",
}

/// One end to be watched, the other as the standard library makes it.
fn pair<R: Runtime>() -> (Arc<impl Stream>, UnixStream) {
    let (near, far) = UnixStream::pair().unwrap();
    (Arc::new(R::watch(near).unwrap()), far)
}

/// Done by another thread, after so long.
fn later<T: Send + 'static>(millis: u64, what: impl FnOnce() -> T + Send + 'static) -> thread::JoinHandle<T> {
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(millis));
        what()
    })
}

/// Tries to write until there is no room, and leaves the waker.
fn fill(stream: &impl Stream, context: &mut Context<'_>) -> usize {
    let mut written = 0;
    while let Poll::Ready(length) = stream.poll_write(context, &[7; 4096]) {
        written += length.unwrap();
    }
    written
}

fn bytes_wake_the_one_who_waits_for_them<R: Runtime>() {
    R::block_on(async {
        let (near, mut far) = pair::<R>();
        let done = Gate::default();
        let opens = done.clone();
        R::spawn(async move {
            let mut buffer = [0; 8];
            assert_eq!(read(&*near, &mut buffer).await.unwrap(), 4);
            assert_eq!(&buffer[..4], b"ping");
            opens.open();
        });
        let thread = later(20, move || far.write_all(b"ping").map(|()| far));
        done.await;
        drop(thread.join().unwrap().unwrap());
    });
}

fn bytes_that_are_there_already_are_read<R: Runtime>() {
    R::block_on(async {
        let (near, mut far) = UnixStream::pair().unwrap();
        far.write_all(b"early").unwrap();
        let near = R::watch(near).unwrap();
        let mut buffer = [0; 8];
        assert_eq!(read(&near, &mut buffer).await.unwrap(), 5);
        far.write_all(b"and late").unwrap();
        assert_eq!(read(&near, &mut buffer).await.unwrap(), 8);
    });
}

fn a_socket_and_a_timer_are_waited_for_at_once<R: Runtime>() {
    let begin = Instant::now();
    R::block_on(async {
        // The timer is first, and the socket still works after it.
        let (near, mut far) = pair::<R>();
        let reads = async { read(&*near, &mut [0; 8]).await.unwrap() };
        assert_eq!(R::timeout(Duration::from_millis(30), reads).await, None);
        assert!(begin.elapsed() >= Duration::from_millis(30));
        let thread = later(20, move || far.write_all(b"ping").map(|()| far));
        // The socket is first.
        let reads = async { read(&*near, &mut [0; 8]).await.unwrap() };
        assert_eq!(R::timeout(Duration::from_secs(60), reads).await, Some(4));
        drop(thread.join().unwrap().unwrap());
    });
    assert!(begin.elapsed() < Duration::from_secs(4), "it took {:?}", begin.elapsed());
}

fn a_wake_from_another_thread_interrupts_the_poller<R: Runtime>() {
    R::block_on(async {
        let (near, far) = pair::<R>();
        R::spawn(async move {
            let _ = read(&*near, &mut [0; 8]).await;
        });
        for _ in 0..3 {
            let gate = Gate::default();
            let thread = gate.open_later(Duration::from_millis(20));
            gate.await;
            thread.join().unwrap();
        }
        drop(far);
    });
}

fn a_reader_and_a_writer_keep_their_own_wakers<R: Runtime>() {
    // Whichever of the two leaves its waker last, and whichever is woken first.
    for reader_is_last in [false, true] {
        R::block_on(async {
            let (near, mut far) = pair::<R>();
            let (has_read, has_written) = (Gate::default(), Gate::default());
            let (reads, writes) = (has_read.clone(), has_written.clone());
            let (reader, writer) = (near.clone(), near.clone());
            let reader = async move {
                assert_eq!(read(&*reader, &mut [0; 8]).await.unwrap(), 4);
                reads.open();
            };
            let writer = async move {
                poll_fn(|context| {
                    fill(&*writer, context);
                    Poll::Ready(())
                })
                .await;
                write(&*writer, b"more").await.unwrap();
                writes.open();
            };
            if reader_is_last {
                R::spawn(writer);
                R::spawn(reader);
            } else {
                R::spawn(reader);
                R::spawn(writer);
            }
            R::sleep(Duration::from_millis(10)).await;
            let mut drains = far.try_clone().unwrap();
            far.write_all(b"ping").unwrap();
            R::timeout(Duration::from_secs(1), has_read).await.expect("the reader is woken");
            let thread = thread::spawn(move || {
                drains.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
                while drains.read(&mut [0; 65_536]).is_ok_and(|length| length > 0) {}
            });
            R::timeout(Duration::from_secs(1), has_written).await.expect("the writer is woken");
            drop((near, far));
            thread.join().unwrap();
        });
    }
}

fn what_was_left_in_the_socket_is_read<R: Runtime>() {
    R::block_on(async {
        let (near, mut far) = pair::<R>();
        let thread = later(20, move || far.write_all(b"abcdefghij").map(|()| far));
        let mut all = Vec::new();
        while all.len() < 10 {
            let mut buffer = [0; 3];
            let length = read(&*near, &mut buffer).await.unwrap();
            all.extend_from_slice(&buffer[..length]);
            // The reactor has its turn in between.
            R::sleep(Duration::from_millis(2)).await;
        }
        assert_eq!(all, b"abcdefghij");
        drop(thread.join().unwrap().unwrap());
    });
}

fn a_thousand_messages_one_after_the_other<R: Runtime>() {
    R::block_on(async {
        let (near, mut far) = pair::<R>();
        let thread = thread::spawn(move || {
            let mut buffer = [0; 64];
            while let Ok(length @ 1..) = far.read(&mut buffer) {
                far.write_all(&buffer[..length]).unwrap();
            }
        });
        for number in 0..1_000_u32 {
            assert_eq!(write(&*near, &number.to_be_bytes()).await.unwrap(), 4);
            let mut buffer = [0; 64];
            assert_eq!(read(&*near, &mut buffer).await.unwrap(), 4);
            assert_eq!(buffer[..4], number.to_be_bytes());
        }
        drop(near);
        thread.join().unwrap();
    });
}

fn a_full_socket_makes_the_writer_wait<R: Runtime>() {
    R::block_on(async {
        let (near, mut far) = pair::<R>();
        let written = poll_fn(|context| Poll::Ready(fill(&*near, context))).await;
        let thread = later(20, move || {
            far.read_exact(&mut vec![0; written]).unwrap();
            far
        });
        let polls = Count::default();
        assert_eq!(polled(&polls, write(&*near, b"more")).await.unwrap(), 4);
        assert!(polls.get() <= 8, "{} polls of one write", polls.get());
        let mut buffer = [0; 8];
        assert_eq!(thread.join().unwrap().read(&mut buffer).unwrap(), 4);
    });
}

fn the_one_who_asked_last_is_woken<R: Runtime>() {
    R::block_on(async {
        let (near, mut far) = pair::<R>();
        let counts = [Count::default(), Count::default()];
        for count in &counts {
            let waker = Waker::from(Arc::new(Woken(count.clone())));
            let polled = near.poll_read(&mut Context::from_waker(&waker), &mut [0; 8]);
            assert!(polled.is_pending());
        }
        // Nothing to report but the room to write, if anybody wants to know.
        R::sleep(Duration::from_millis(5)).await;
        far.write_all(b"ping").unwrap();
        R::sleep(Duration::from_millis(20)).await;
        // (smol wakes the first one too, when it is replaced.)
        assert!(counts[1].get() >= 1, "bytes came, and the one who asked last was not woken");
        assert_eq!(read(&*near, &mut [0; 8]).await.unwrap(), 4);
    });
}

fn the_end_is_told<R: Runtime>() {
    R::block_on(async {
        let (near, mut far) = pair::<R>();
        let thread = later(20, move || {
            far.write_all(b"last words").unwrap();
        });
        let mut buffer = [0; 64];
        assert_eq!(read(&*near, &mut buffer).await.unwrap(), 10);
        for _ in 0..3 {
            assert_eq!(read(&*near, &mut buffer).await.unwrap(), 0, "the end");
        }
        thread.join().unwrap();
    });
}

fn a_new_socket_is_not_taken_for_an_old_one<R: Runtime>() {
    R::block_on(async {
        for _ in 0..200 {
            let (old, mut far) = pair::<R>();
            let polled = old.poll_read(&mut Context::from_waker(Waker::noop()), &mut [0; 8]);
            assert!(polled.is_pending());
            // Its event is on its way, and it is closed before it comes.
            far.write_all(b"too late").unwrap();
            drop((old, far));
            let (new, mut far) = pair::<R>();
            let mut buffer = [0; 8];
            let mut reads = pin!(read(&*new, &mut buffer));
            poll_fn(|context| {
                assert!(reads.as_mut().poll(context).is_pending(), "nobody has written to the new one");
                Poll::Ready(())
            })
            .await;
            R::yield_now().await;
            far.write_all(b"new").unwrap();
            let length = R::timeout(Duration::from_secs(1), reads).await.expect("the new one hears of its own bytes");
            assert_eq!(length.unwrap(), 3);
        }
    });
}

fn a_socket_that_is_dropped_lets_go_of_its_waker<R: Runtime>() {
    R::block_on(async {
        struct Holds(#[expect(dead_code, reason = "it is there to be dropped")] Dropped);
        impl std::task::Wake for Holds {
            fn wake(self: Arc<Self>) {}
        }
        let (near, _far) = pair::<R>();
        let drops = Count::default();
        let waker = Waker::from(Arc::new(Holds(Dropped(drops.clone()))));
        assert!(near.poll_read(&mut Context::from_waker(&waker), &mut [0; 8]).is_pending());
        drop(waker);
        assert_eq!(drops.get(), 0, "the reactor keeps it while the socket is there");
        drop(near);
        R::sleep(Duration::from_millis(5)).await;
        assert_eq!(drops.get(), 1, "nobody keeps it when the socket is gone");
    });
}

fn four_hundred_sockets<R: Runtime>() {
    const SOCKETS: usize = 400;
    R::block_on(async {
        let (over, done) = (Count::default(), Gate::default());
        let mut fars = Vec::new();
        for number in 0..SOCKETS {
            let (near, far) = pair::<R>();
            let (over, done) = (over.clone(), done.clone());
            fars.push(far);
            R::spawn(async move {
                let mut buffer = [0; 8];
                for round in 0..3 {
                    assert_eq!(read(&*near, &mut buffer).await.unwrap(), 2);
                    assert_eq!(buffer[..2], [number as u8, round]);
                }
                over.up();
                if over.get() == SOCKETS {
                    done.open();
                }
            });
        }
        let thread = later(20, move || {
            for round in 0..3 {
                for (number, far) in fars.iter_mut().enumerate().rev() {
                    far.write_all(&[number as u8, round]).unwrap();
                }
                // So that a round is read before the next.
                thread::sleep(Duration::from_millis(100));
            }
            fars
        });
        done.await;
        drop(thread.join().unwrap());
    });
}

fn nothing_is_polled_while_all_wait<R: Runtime>() {
    R::block_on(async {
        let (near, mut far) = pair::<R>();
        let polls = Count::default();
        let thread = later(300, move || far.write_all(b"ping").map(|()| far));
        let before = computed();
        assert_eq!(polled(&polls, read(&*near, &mut [0; 8])).await.unwrap(), 4);
        let busy = computed() - before;
        drop(thread.join().unwrap().unwrap());
        // At first, for the room to write, and for the bytes.
        assert!(polls.get() <= 4, "{} polls of one read", polls.get());
        assert!(busy < Duration::from_millis(100), "{busy:?} of computing in 300 ms of waiting");
    });
}

fn bytes_that_nobody_wants_do_not_keep_the_thread_busy<R: Runtime>() {
    R::block_on(async {
        let (near, mut far) = pair::<R>();
        assert!(near.poll_read(&mut Context::from_waker(Waker::noop()), &mut [0; 8]).is_pending());
        far.write_all(b"ping").unwrap();
        R::sleep(Duration::from_millis(20)).await;
        let before = computed();
        R::sleep(Duration::from_millis(300)).await;
        let busy = computed() - before;
        assert!(busy < Duration::from_millis(100), "{busy:?} of computing in 300 ms of waiting");
        assert_eq!(read(&*near, &mut [0; 8]).await.unwrap(), 4);
    });
}

/// How long this thread has computed. (Zero where the system does not say.)
fn computed() -> Duration {
    let said = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = said.split_whitespace().next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or_default())
}

fn a_task_that_is_always_ready_does_not_starve_the_sockets<R: Runtime>() {
    R::block_on(async {
        R::spawn(async {
            loop {
                R::yield_now().await;
            }
        });
        let (near, mut far) = pair::<R>();
        let thread = later(20, move || far.write_all(b"ping").map(|()| far));
        assert_eq!(read(&*near, &mut [0; 8]).await.unwrap(), 4);
        drop(thread.join().unwrap().unwrap());
    });
}

fn a_socket_may_outlive_its_block_on<R: Runtime>() {
    let (near, mut far) = R::block_on(async {
        let (near, far) = pair::<R>();
        assert!(near.poll_read(&mut Context::from_waker(Waker::noop()), &mut [0; 8]).is_pending());
        (near, far)
    });
    far.write_all(b"nobody hears").unwrap();
    R::block_on(async { R::yield_now().await });
    drop(near);
}
