//! The simulated world: one seed, one run; a network that behaves, and one that does not.

use futures_lite::{AsyncReadExt, AsyncWriteExt, future::poll_once};
use runtime::{
    AsyncFd, Runtime,
    future::{join, join_all},
    random, spawn, spawn_blocking,
    time::{Instant, interval, sleep, timeout},
    world::{self, Conditions, TcpListener, TcpStream, World},
    yield_now,
};
use std::{
    collections::BTreeSet,
    io::{self, ErrorKind},
    net::{IpAddr, Shutdown, SocketAddr},
    pin::pin,
    time::Duration,
};

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
/// How many seeds a test runs with, where `RUNTIME_SEEDS` does not say otherwise.
const SEEDS: u64 = 200;

/// For tests that make their runtimes themselves.
fn seeds() -> std::ops::Range<u64> {
    let many = std::env::var("RUNTIME_SEEDS").ok();
    0..many.map_or(SEEDS, |many| many.parse().expect("RUNTIME_SEEDS is a number"))
}

fn world() -> World {
    world::current().unwrap()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// All that a correct program must take without noticing, in plenty.
fn restless() -> Conditions {
    Conditions::default().latency(Duration::ZERO..5 * MILLISECOND).pieces(0.5).spurious(0.3).buffer(97)
}

/// Two ends of one connection.
async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(at("10.0.0.1:0")).unwrap();
    let (ours, theirs) = join(TcpStream::connect(listener.local_addr()), listener.accept()).await;
    (ours.unwrap(), theirs.unwrap().0)
}

/// Bytes that tell where they belong.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n % 251) as u8).collect()
}

/// A server that answers each connection with what it hears, until it ends.
fn serve_echo(address: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind(address).unwrap();
    let address = listener.local_addr();
    drop(spawn(async move {
        loop {
            // "Too many open files" passes.
            let Ok((stream, _)) = listener.accept().await else { continue };
            drop(spawn(async move { futures_lite::io::copy(&stream, &mut &stream).await }));
        }
    }));
    address
}

async fn echo(address: SocketAddr, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let stream = TcpStream::connect(address).await?;
    let send = async {
        (&stream).write_all(bytes).await?;
        stream.shutdown(Shutdown::Write)
    };
    let mut heard = Vec::new();
    let (sent, read) = join(send, (&stream).read_to_end(&mut heard)).await;
    sent.and(read).map(|_| heard)
}

/// Tasks, timers, jobs, draws and sockets, all at once.
async fn a_bit_of_everything() {
    let server = serve_echo(at("10.0.0.1:7"));
    let callers = (0..3).map(|caller| {
        spawn(async move {
            sleep(Duration::from_micros(random::below(3_000))).await;
            let length = 1 + random::below(2_000) as usize;
            assert_eq!(echo(server, &pattern(length)).await.unwrap(), pattern(length), "caller {caller}");
        })
    });
    let callers: Vec<_> = callers.collect();
    let mut ticks = interval(MILLISECOND);
    let job = spawn_blocking(|| random::below(6));
    for _ in 0..3 {
        ticks.tick().await;
        yield_now().await;
    }
    assert!(job.await.unwrap() < 6);
    join_all(callers).await.into_iter().for_each(Result::unwrap);
}

#[test]
fn the_same_seed_gives_the_same_trace_and_another_one_another() {
    let mut traces = BTreeSet::new();
    for seed in seeds() {
        traces.insert(world::assert_same_trace(seed, a_bit_of_everything).to_string());
    }
    assert_eq!(traces.len() as u64, seeds().end, "different seeds give different runs");
}

#[test]
fn two_runs_that_differ_are_reported_with_their_seed() {
    use std::sync::atomic::{AtomicU64, Ordering};
    let runs = AtomicU64::new(0);
    let differing = || world::assert_same_trace(11, || sleep(runs.fetch_add(1, Ordering::Relaxed) as u32 * SECOND));
    let text = panic_text(differing);
    assert!(text.contains("two runs with seed 11 go different ways after 1 events"), "{text}");
}

fn panic_text<T>(run: impl FnOnce() -> T) -> String {
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).err().expect("it panics");
    *panic.downcast::<String>().expect("a text")
}

/// `RUNTIME_SEED` and `RUNTIME_SEEDS`, in a process of their own.
#[test]
fn the_environment_chooses_the_seeds_and_a_failure_names_its_own() {
    const MARK: &str = "WORLD_TEST_CHILD";
    if std::env::var_os(MARK).is_some() {
        return world::for_seeds(3, async || {
            let seed = world().seed();
            println!("ran {seed}");
            assert_ne!(seed, 4);
        });
    }
    let child = |variable: &str, value: &str| {
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "the_environment_chooses_the_seeds_and_a_failure_names_its_own", "--nocapture"]);
        command.env_remove("RUNTIME_SEED").env_remove("RUNTIME_SEEDS").env(MARK, "1").env(variable, value);
        let output = command.output().unwrap();
        let ran: Vec<String> = String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|line| line.split_once("ran ").map(|(_, seed)| seed.to_owned()))
            .collect();
        (ran.join(" "), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(child("RUNTIME_OTHER", "").0, "0 1 2");
    assert_eq!(child("RUNTIME_SEED", "17").0, "17");
    let (ran, said) = child("RUNTIME_SEEDS", "9");
    assert_eq!(ran, "0 1 2 3 4");
    assert!(said.contains("it failed with seed 4: RUNTIME_SEED=4 runs only that"), "{said}");
    assert!(child("RUNTIME_SEED", "x").1.contains("RUNTIME_SEED is \"x\", and must be a number"));
}

/// What a scheduler may do, it does sometimes: tasks that are all ready run in many orders, one of them that of their spawning.
#[test]
fn the_order_of_what_is_ready_is_drawn_from_the_seed() {
    let order = |seed| {
        Runtime::simulated(seed).block_on(async {
            let order = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
            let tasks: Vec<_> = (0..4)
                .map(|task| {
                    let order = order.clone();
                    spawn(async move { order.lock().unwrap().push(task) })
                })
                .collect();
            join_all(tasks).await;
            order.lock().unwrap().clone()
        })
    };
    let orders: BTreeSet<Vec<i32>> = (0..SEEDS).map(order).collect();
    assert!(orders.contains(&vec![0, 1, 2, 3]));
    assert!(orders.len() > 12, "{} of the 24 orders", orders.len());
}

#[test]
fn what_is_said_comes_back_under_every_seed() {
    world::for_seeds(SEEDS, || async {
        world().set_conditions(restless());
        let server = serve_echo(at("10.0.0.1:7"));
        let said: Vec<Vec<u8>> = (0..3).map(|_| pattern(random::below(1_500) as usize)).collect();
        let heard = join_all(said.iter().map(|bytes| echo(server, bytes))).await;
        assert_eq!(heard.into_iter().map(Result::unwrap).collect::<Vec<_>>(), said);
    });
}

/// Whatever breaks, each caller has bytes or an error in the end, and nothing is left lying about.
#[test]
fn every_request_ends_whatever_breaks_and_nothing_is_leaked() {
    let outcomes = std::cell::RefCell::new(BTreeSet::new());
    for seed in seeds() {
        let stormy = restless().resets(0.01).refusals(0.1).lost_calls(0.1).slow_calls(0.1).failing_accepts(0.2);
        let runtime = Runtime::builder().simulated(seed).conditions(stormy).build().unwrap();
        let world = runtime.block_on(async {
            let server = serve_echo(at("10.0.0.1:7"));
            let weather = spawn(async {
                let (here, there) = (ip("10.0.0.1"), ip("10.0.0.2"));
                for _ in 0..3 {
                    sleep(Duration::from_millis(random::below(40))).await;
                    world().partition(here, there);
                    sleep(Duration::from_millis(random::below(40))).await;
                    world().heal(here, there);
                    sleep(Duration::from_millis(random::below(40))).await;
                    world().reset_between(here, there);
                }
            });
            let calls = (0..6).map(|_| {
                world::on_host(ip("10.0.0.2"), async {
                    sleep(Duration::from_millis(random::below(60))).await;
                    let bytes = pattern(random::below(3_000) as usize);
                    match timeout(5 * SECOND, echo(server, &bytes)).await {
                        Ok(Ok(heard)) => {
                            assert_eq!(heard, bytes, "seed {seed}");
                            "ok".to_owned()
                        }
                        Ok(Err(error)) => format!("{:?}", error.kind()),
                        Err(_) => "timeout".into(),
                    }
                })
            });
            let ended = join_all(calls).await;
            outcomes.borrow_mut().extend(ended);
            weather.await.unwrap();
            world()
        });
        assert_eq!(world.open_sockets(), 0, "seed {seed}");
    }
    let outcomes = outcomes.into_inner();
    for expected in ["ok", "timeout", "ConnectionRefused", "ConnectionReset"] {
        assert!(outcomes.contains(expected), "{expected} never happened: {outcomes:?}");
    }
}

#[test]
fn a_writer_waits_when_nobody_reads_and_goes_on_when_somebody_does() {
    world::for_seeds(SEEDS, || async {
        world().set_conditions(restless().buffer(100));
        let (mut ours, mut theirs) = pair().await;
        let writer = spawn(async move {
            ours.write_all(&pattern(1_000)).await.unwrap();
            ours
        });
        sleep(SECOND).await;
        assert!(!writer.is_finished(), "a thousand bytes do not fit into a hundred");
        let mut heard = vec![0; 1_000];
        theirs.read_exact(&mut heard).await.unwrap();
        assert_eq!(heard, pattern(1_000));
        drop(writer.await.unwrap());
        assert_eq!(theirs.read(&mut heard).await.unwrap(), 0);
    });
}

#[test]
fn bandwidth_takes_its_time() {
    let slow = Conditions::default().latency(MILLISECOND..MILLISECOND).bandwidth(1_000).pieces(0.0);
    let runtime = Runtime::builder().simulated(1).conditions(slow).build().unwrap();
    runtime.block_on(async {
        let (mut ours, mut theirs) = pair().await;
        let start = Instant::now();
        ours.write_all(&pattern(500)).await.unwrap();
        theirs.read_exact(&mut [0; 500]).await.unwrap();
        assert_eq!(start.elapsed(), SECOND / 2 + MILLISECOND);
    });
}

#[test]
fn a_half_closed_connection_goes_on_the_other_way() {
    world::for_seeds(SEEDS, || async {
        let (mut ours, mut theirs) = pair().await;
        ours.write_all(b"last words").await.unwrap();
        ours.shutdown(Shutdown::Write).unwrap();
        assert_eq!(ours.write(b"more").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
        let mut heard = Vec::new();
        theirs.read_to_end(&mut heard).await.unwrap();
        assert_eq!(heard, b"last words");
        theirs.write_all(b"the answer").await.unwrap();
        drop(theirs);
        heard.clear();
        ours.read_to_end(&mut heard).await.unwrap();
        assert_eq!(heard, b"the answer");
    });
}

#[test]
fn who_hangs_up_on_unread_bytes_resets_and_so_does_who_wants_to() {
    world::for_seeds(SEEDS, || async {
        let (mut ours, theirs) = pair().await;
        ours.write_all(b"unread").await.unwrap();
        sleep(SECOND).await;
        drop(theirs);
        assert_eq!(ours.read(&mut [0; 8]).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
        assert_eq!(ours.read(&mut [0; 8]).await.unwrap(), 0, "it is reported once");
        assert_eq!(ours.write(b"x").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
        drop(ours);

        let (mut ours, theirs) = pair().await;
        theirs.reset_when_dropped();
        drop(theirs);
        assert_eq!(ours.read(&mut [0; 8]).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
        drop(ours);

        // Writing to somebody who is gone works once; then they say that they are gone.
        let (mut ours, theirs) = pair().await;
        drop(theirs);
        assert_eq!(ours.write(b"?").await.unwrap(), 1);
        sleep(SECOND).await;
        assert_eq!(ours.write(b"x").await.unwrap_err().kind(), ErrorKind::ConnectionReset);
        drop(ours);
        assert_eq!(world().open_sockets(), 0);
    });
}

#[test]
fn a_call_is_refused_lost_or_late() {
    Runtime::simulated(1).block_on(async {
        let nobody = TcpStream::connect(at("10.0.0.9:80")).await.unwrap_err();
        assert_eq!(nobody.kind(), ErrorKind::ConnectionRefused);

        let server = serve_echo(at("10.0.0.1:0"));
        world().silence(server);
        assert!(timeout(3600 * SECOND, TcpStream::connect(server)).await.is_err(), "nobody answers");
        world().unsilence(server);
        assert!(TcpStream::connect(server).await.is_ok());

        world().set_conditions(Conditions::default().slow_calls(1.0));
        let start = Instant::now();
        assert!(TcpStream::connect(server).await.is_ok());
        assert!(start.elapsed() > SECOND);

        world().set_conditions(Conditions::default().lost_calls(1.0));
        assert!(timeout(3600 * SECOND, TcpStream::connect(server)).await.is_err(), "nobody hears");
    });
}

#[test]
fn an_accept_can_fail_once_and_loses_nobody() {
    Runtime::simulated(1).block_on(async {
        let listener = TcpListener::bind(at("10.0.0.1:80")).unwrap();
        assert!(world().fail_next_accept(listener.local_addr()));
        assert!(!world().fail_next_accept(at("10.0.0.1:81")));
        let (called, error) = join(TcpStream::connect(listener.local_addr()), listener.accept()).await;
        assert_eq!(error.unwrap_err().raw_os_error(), Some(rustix::io::Errno::MFILE.raw_os_error()));
        let (_, peer) = listener.accept().await.unwrap();
        assert_eq!(peer, called.unwrap().local_addr());
    });
}

/// What was under way when the link was cut arrives when it heals, all of it, in order.
#[test]
fn a_partition_delays_and_does_not_lose() {
    world::for_seeds(SEEDS, || async {
        world().set_conditions(restless().buffer(10_000));
        let (here, there) = (ip("10.0.0.1"), ip("10.0.0.2"));
        let listener = TcpListener::bind((here, 80).into()).unwrap();
        let call = world::on_host(there, TcpStream::connect(listener.local_addr()));
        let (ours, theirs) = join(call, listener.accept()).await;
        let (mut ours, mut theirs) = (ours.unwrap(), theirs.unwrap().0);
        world().partition(here, there);
        ours.write_all(b"first").await.unwrap();
        assert!(timeout(3600 * SECOND, theirs.read(&mut [0; 8])).await.is_err(), "nothing arrives");
        world().heal(here, there);
        let healed = Instant::now();
        theirs.read_exact(&mut [0; 5]).await.unwrap();
        assert!(healed.elapsed() < SECOND);

        let mut sent = 0;
        for _ in 0..4 {
            ours.write_all(&pattern(1_000)[sent..sent + 100]).await.unwrap();
            sent += 100;
            world().partition(there, here);
            sleep(Duration::from_micros(random::below(3_000))).await;
            ours.write_all(&pattern(1_000)[sent..sent + 100]).await.unwrap();
            sent += 100;
            sleep(Duration::from_micros(random::below(3_000))).await;
            world().heal(here, there);
        }
        let mut heard = vec![0; sent];
        theirs.read_exact(&mut heard).await.unwrap();
        assert_eq!(heard, pattern(sent));
    });
}

/// Bug bank R48: the clock may not move while something can run, nor past something that has arrived.
#[test]
fn the_clock_stands_still_while_anything_can_run() {
    world::for_seeds(SEEDS, || async {
        // Everything in the network takes no time at all.
        world().set_conditions(restless().latency(Duration::ZERO..Duration::ZERO));
        let (start, far) = (Instant::now(), spawn(sleep(SECOND)));
        let (mut ours, mut theirs) = pair().await;
        for _ in 0..10 {
            ours.write_all(b"ping").await.unwrap();
            theirs.read_exact(&mut [0; 4]).await.unwrap();
            yield_now().await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        far.await.unwrap();
        assert_eq!(start.elapsed(), SECOND);
    });
}

#[test]
fn a_timer_and_a_packet_come_in_the_order_of_their_times() {
    let exact = |latency: Duration| Conditions::default().latency(latency..latency).pieces(0.0).spurious(0.0);
    let runtime = Runtime::builder().simulated(1).conditions(exact(10 * MILLISECOND)).build().unwrap();
    runtime.block_on(async {
        let (mut ours, mut theirs) = pair().await;
        ours.write_all(b"x").await.unwrap();
        assert!(timeout(9 * MILLISECOND, theirs.read(&mut [0; 8])).await.is_err());
        let start = Instant::now();
        assert!(matches!(timeout(SECOND, theirs.read(&mut [0; 8])).await, Ok(Ok(1))));
        assert_eq!(start.elapsed(), MILLISECOND);
    });
}

#[test]
fn a_deadlock_is_reported_with_tasks_sockets_and_seed() {
    let text = panic_text(|| {
        Runtime::simulated(77).block_on(async {
            let listener = TcpListener::bind(at("10.0.0.1:80")).unwrap();
            let (ours, _theirs) = join(TcpStream::connect(listener.local_addr()), listener.accept()).await;
            let ours = ours.unwrap();
            let reader = runtime::task::Builder::new()
                .name("reader")
                .spawn(async move { (&ours).read(&mut [0; 8]).await.map(drop) });
            let _ = join(reader, listener.accept()).await;
        });
    });
    assert!(text.starts_with("deadlock: nothing is runnable, no timer is armed and nothing is under way"), "{text}");
    for line in
        ["\n  main", "reader", "10.0.0.1:80 listens, and nobody calls", "10.0.0.1:80: nothing to read", "Seed: 77"]
    {
        assert!(text.contains(line), "{line:?} is missing: {text}");
    }
}

#[test]
fn the_outside_world_is_refused_and_not_waited_for() {
    use std::{io::Read, os::unix::net::UnixStream};
    Runtime::simulated(1).block_on(async {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let error = AsyncFd::new(ours).read_with(|mut stream| stream.read(&mut [0; 8])).await.unwrap_err();
        assert!(error.to_string().starts_with("a simulated runtime has no descriptors"), "{error}");
        let error = runtime::signal::ctrl_c().unwrap().recv().await.unwrap_err();
        assert!(error.to_string().starts_with("a simulated runtime has no descriptors"), "{error}");
    });
    let error = runtime::block_on(async { TcpListener::bind(at("10.0.0.1:80")) }).unwrap_err();
    assert!(error.to_string().contains("inside a simulated runtime only"), "{error}");
    assert!(
        Runtime::simulated(1).block_on(async { timeout(Duration::ZERO, std::future::pending::<()>()).await }).is_err()
    );
}

/// A simulated runtime asks nothing of the system: no descriptor, no thread.
#[test]
fn it_needs_nothing_of_the_system() {
    let count = |folder: &str| std::fs::read_dir(folder).unwrap().count();
    let runtimes: Vec<Runtime> = (0..64).map(Runtime::simulated).collect();
    // Other tests run beside this one and open a few of theirs.
    assert!(count("/proc/self/fd") < 64 + count("/proc/self/task") * 8, "a descriptor for each");
    drop(runtimes);
}

#[test]
fn a_socket_of_one_world_waits_in_no_other() {
    let one = Runtime::simulated(1);
    let (listener, stream) = one.block_on(async {
        let listener = TcpListener::bind(at("10.0.0.1:80")).unwrap();
        (listener, pair().await.0)
    });
    for other in [Runtime::simulated(1), Runtime::new().unwrap()] {
        let error = other.block_on(listener.accept()).unwrap_err();
        assert!(error.to_string().contains("only be waited for in the runtime"), "{error}");
    }
    drop(one);
    drop((listener, stream));
}

#[test]
fn a_blocking_job_runs_later_and_alone() {
    world::for_seeds(20, || async {
        let start = Instant::now();
        let (first, second) = join(spawn_blocking(Instant::now), spawn_blocking(|| panic!("in a job"))).await;
        assert!(first.unwrap() - start < 2 * MILLISECOND);
        assert_eq!(second.map(|()| 0).unwrap_err().to_string(), "the task panicked: in a job");
        let aborted = spawn_blocking(|| unreachable!("it was aborted"));
        aborted.abort();
        assert!(aborted.await.map(|()| 0).unwrap_err().is_cancelled());
        let nested = spawn_blocking(|| runtime::block_on(sleep(SECOND))).await.unwrap_err();
        assert!(nested.to_string().contains("block_on inside block_on"), "{nested}");
    });
}

#[test]
fn addresses_and_ports_are_what_one_expects() {
    Runtime::simulated(1).block_on(async {
        let first = TcpListener::bind(at("10.0.0.1:0")).unwrap();
        let second = TcpListener::bind(at("10.0.0.1:0")).unwrap();
        assert_eq!((first.local_addr().port(), second.local_addr().port()), (49_152, 49_153));
        assert_eq!(TcpListener::bind(first.local_addr()).unwrap_err().kind(), ErrorKind::AddrInUse);
        assert_eq!(TcpListener::bind(at("0.0.0.0:49152")).unwrap_err().kind(), ErrorKind::AddrInUse);
        let everywhere = TcpListener::bind(at("0.0.0.0:80")).unwrap();
        let (called, accepted) = join(TcpStream::connect(at("192.0.2.7:80")), everywhere.accept()).await;
        let (called, (accepted, peer)) = (called.unwrap(), accepted.unwrap());
        assert_eq!((called.peer_addr(), called.local_addr()), (accepted.local_addr(), accepted.peer_addr()));
        assert_eq!((called.peer_addr(), peer), (at("192.0.2.7:80"), called.local_addr()));
        drop(everywhere);
        assert!(TcpListener::bind(at("0.0.0.0:80")).is_ok(), "the port is free again");
    });
}

#[test]
fn who_was_not_accepted_is_reset_when_the_listener_goes() {
    world::for_seeds(SEEDS, || async {
        let listener = TcpListener::bind(at("10.0.0.1:80")).unwrap();
        let mut caller = TcpStream::connect(listener.local_addr()).await.unwrap();
        drop(listener);
        assert_eq!(caller.read(&mut [0; 8]).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
        drop(caller);
        assert_eq!(world().open_sockets(), 0);
    });
}

/// The cancellation harness: each operation is dropped at its k-th poll and begun anew, for every k. An `accept` loses no
/// connection, a `read` no byte, and a `write` says how many it wrote or has written none.
#[test]
fn an_operation_that_is_dropped_at_any_poll_loses_nothing() {
    for give_up_after in 1..6 {
        world::for_seeds(SEEDS / 4, || async move {
            world().set_conditions(restless());
            let listener = TcpListener::bind(at("10.0.0.1:80")).unwrap();
            let said = pattern(700);
            let speak = async {
                let stream = again(give_up_after, || TcpStream::connect(at("10.0.0.1:80")), true).await.unwrap();
                let mut written = 0;
                while written < said.len() {
                    let write = async || (&stream).write(&said[written..]).await;
                    written += again(give_up_after, write, false).await.unwrap();
                }
            };
            // Calls that were given up are in the backlog too: they end at once.
            let hear = async {
                let mut heard: Vec<u8> = Vec::new();
                while heard.is_empty() {
                    let (stream, _) = again(give_up_after, || listener.accept(), false).await.unwrap();
                    let read = async || {
                        let mut buffer = [0; 64];
                        (&stream).read(&mut buffer).await.map(|length| (length, buffer))
                    };
                    while let Ok((length @ 1.., buffer)) = again(give_up_after, read, false).await {
                        heard.extend(&buffer[..length]);
                    }
                }
                heard
            };
            let (_, heard) = timeout(60 * SECOND, join(speak, hear)).await.expect("it goes on");
            assert_eq!(heard, said);
        });
    }
}

/// Runs an operation; drops it after its k-th poll and begins anew, but waits a little before. `at_last`: gives up only a few
/// times, for an operation that has to begin from the start each time.
async fn again<T>(polls: usize, mut operation: impl AsyncFnMut() -> T, at_last: bool) -> T {
    for attempt in 0.. {
        let mut future = pin!(operation());
        let mut polled = 0;
        while polled < polls || at_last && attempt > 2 {
            if let Some(output) = poll_once(future.as_mut()).await {
                return output;
            }
            polled += 1;
            sleep(Duration::from_micros(random::below(2_000))).await;
        }
    }
    unreachable!("there is always another attempt")
}
