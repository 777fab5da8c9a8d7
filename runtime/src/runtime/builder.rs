//! The choices that a runtime is made with.

use super::{Handle, Runtime};
use crate::{
    blocking::{self, Pool},
    debug::Tells,
    network::{Conditions, Network},
    random::{Generator, Pick},
    reactor::Backend,
    time::Clock,
    trace::Recorder,
    worker::{self, Home, Simulation},
};
use std::{
    io,
    path::Path,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

/// Chooses what a [`Runtime`] is made of.
///
/// ```
/// use std::time::Duration;
/// let builder = runtime::Runtime::builder().workers(2).blocking_threads(4).shutdown_time(Duration::from_secs(1));
/// let runtime = builder.build().unwrap();
/// let squares = runtime.block_on(async {
///     let tasks: Vec<_> = (1..4).map(|n| runtime::spawn(async move { n * n })).collect();
///     runtime::future::join_all(tasks).await
/// });
/// assert_eq!(squares.into_iter().map(Result::unwrap).sum::<u32>(), 14);
/// ```
#[derive(Clone, Debug)]
pub struct Builder {
    workers: usize,
    virtual_clock: bool,
    simulated: Option<u64>,
    conditions: Conditions,
    poller: Backend,
    timer_slack: Duration,
    trace: Option<usize>,
    blocking_threads: usize,
    blocking_idle: Duration,
    shutdown_time: Duration,
    slow_poll: Option<Duration>,
    /// `None`: as the environment says.
    debug: Option<bool>,
    /// `None`: as the environment says.
    profile: Option<bool>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            workers: 1,
            virtual_clock: false,
            simulated: None,
            conditions: Conditions::default(),
            poller: Backend::default(),
            timer_slack: Duration::ZERO,
            trace: None,
            blocking_threads: 64,
            blocking_idle: Duration::from_secs(1),
            shutdown_time: Duration::from_secs(10),
            slow_poll: None,
            debug: None,
            profile: None,
        }
    }
}

impl Builder {
    /// How many workers: one by default, which is the thread that calls `block_on`. Each worker more is a thread more.
    ///
    /// With several, tasks run at the same time, and go from one worker to another; and tasks spawned from outside run between
    /// two `block_on`s too. A virtual clock has but one worker: it must know that nothing runs.
    ///
    /// Between two `block_on`s the first worker is not there. What its reactor and its timers have to tell the tasks on other
    /// workers comes some milliseconds late then; what it would have to tell an executor that is not ours does not come.
    ///
    /// ```
    /// let runtime = runtime::Runtime::builder().workers(2).build().unwrap();
    /// let (sender, receiver) = std::sync::mpsc::channel();
    /// runtime.handle().spawn(async move { sender.send("the second worker ran it") });
    /// assert_eq!(receiver.recv(), Ok("the second worker ran it")); // and nobody called `block_on`
    /// ```
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// Time stands still while anything can run, and jumps to the next deadline when nothing can: waits cost nothing, and
    /// take exactly as long as they say.
    ///
    /// The outside world knows nothing of virtual time. Jobs on blocking threads are waited for; a source that somebody waits
    /// for gets ten real milliseconds before time jumps past it. Loopback sockets are quicker than that; other processes and
    /// other machines are not: use the real clock with them.
    ///
    /// ```
    /// use runtime::time::{Instant, sleep};
    /// use std::time::Duration;
    /// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
    /// runtime.block_on(async {
    ///     let (start, day) = (Instant::now(), Duration::from_secs(24 * 3600));
    ///     sleep(day).await;
    ///     assert_eq!(start.elapsed(), day); // and you have not waited
    /// });
    /// ```
    pub fn virtual_clock(mut self) -> Self {
        self.virtual_clock = true;
        self
    }

    /// Puts the runtime into a world of its own, in which everything follows from `seed`; see [`Runtime::simulated`]. Its clock
    /// is virtual, and nothing outside is waited for: no descriptor, no thread.
    ///
    /// ```
    /// let run = |seed| {
    ///     let runtime = runtime::Runtime::builder().simulated(seed).trace().build().unwrap();
    ///     runtime.block_on(async { runtime::spawn_blocking(|| ()).await.unwrap() });
    ///     runtime.trace().to_string()
    /// };
    /// assert_eq!(run(1), run(1));
    /// assert_ne!(run(1), run(2)); // a simulated job takes as long as the seed says
    /// ```
    pub fn simulated(mut self, seed: u64) -> Self {
        self.simulated = Some(seed);
        self
    }

    /// What the network of a [simulated](Builder::simulated) runtime is like.
    ///
    /// ```
    /// use runtime::{time::Instant, world::{Conditions, TcpStream}};
    /// use std::time::Duration;
    /// let far = Conditions::default().latency(Duration::from_secs(1)..Duration::from_secs(2));
    /// let runtime = runtime::Runtime::builder().simulated(1).conditions(far).build().unwrap();
    /// runtime.block_on(async {
    ///     let start = Instant::now();
    ///     assert!(TcpStream::connect(([10, 0, 0, 1], 80).into()).await.is_err()); // nobody listens
    ///     assert!(start.elapsed() >= Duration::from_secs(2)); // there and back
    /// });
    /// ```
    pub fn conditions(mut self, conditions: Conditions) -> Self {
        self.conditions = conditions;
        self
    }

    /// How much later than its deadline a timer may fire, if its worker would have to get up for it; zero by default.
    ///
    /// Getting up costs some ten microseconds of processor time. With many timers and little else to do, a slack of a
    /// millisecond lets one getting up serve all that fall due in it. A virtual clock has no use for it.
    ///
    /// ```
    /// use std::time::Duration;
    /// let runtime = runtime::Runtime::builder().timer_slack(Duration::from_millis(1)).build().unwrap();
    /// runtime.block_on(runtime::time::sleep(Duration::from_millis(1)));
    /// ```
    pub fn timer_slack(mut self, slack: Duration) -> Self {
        self.timer_slack = slack;
        self
    }

    /// What the runtime asks the system through; [`Backend::Mio`] by default.
    ///
    /// ```
    /// use runtime::{Backend, Runtime};
    /// let runtime = Runtime::builder().poller(Backend::Mio).build().unwrap();
    /// assert_eq!(runtime.block_on(async { 2 }), 2);
    /// ```
    pub fn poller(mut self, backend: Backend) -> Self {
        self.poller = backend;
        self
    }

    /// Records what happens, for [`Runtime::trace`]: the latest 100,000 events.
    ///
    /// ```
    /// let runtime = runtime::Runtime::builder().trace().build().unwrap();
    /// runtime.block_on(async { runtime::spawn(async {}).await.unwrap() });
    /// print!("{}", runtime.trace());
    /// assert!(!runtime.trace().events().is_empty());
    /// ```
    pub fn trace(self) -> Self {
        self.trace_capacity(Recorder::DEFAULT_CAPACITY)
    }

    /// Records what happens: the latest `events` of it, at least one.
    ///
    /// ```
    /// let runtime = runtime::Runtime::builder().trace_capacity(3).build().unwrap();
    /// runtime.block_on(async { runtime::yield_now().await });
    /// assert_eq!(runtime.trace().events().len(), 3);
    /// assert!(runtime.trace().lost() > 0);
    /// ```
    pub fn trace_capacity(mut self, events: usize) -> Self {
        self.trace = Some(events.max(1));
        self
    }

    /// How many threads [`spawn_blocking`](crate::spawn_blocking) may use at once: 64 by default, at least one. More jobs
    /// queue.
    ///
    /// ```
    /// let runtime = runtime::Runtime::builder().blocking_threads(2).build().unwrap();
    /// let jobs: Vec<_> = (0..10).map(|number| runtime.handle().spawn_blocking(move || number)).collect();
    /// assert!(runtime.handle().blocking_stats().threads <= 2);
    /// assert_eq!(runtime.block_on(runtime::future::join_all(jobs)).len(), 10);
    /// ```
    pub fn blocking_threads(mut self, most: usize) -> Self {
        self.blocking_threads = most.max(1);
        self
    }

    /// How long a blocking thread waits for another job before it ends; a second by default.
    ///
    /// ```
    /// use std::time::Duration;
    /// let runtime = runtime::Runtime::builder().blocking_idle(Duration::from_millis(1)).build().unwrap();
    /// runtime.block_on(async { runtime::spawn_blocking(|| ()).await.unwrap() });
    /// while runtime.handle().blocking_stats().threads > 0 {
    ///     std::thread::yield_now(); // soon there is none
    /// }
    /// ```
    pub fn blocking_idle(mut self, idle: Duration) -> Self {
        self.blocking_idle = idle;
        self
    }

    /// How long dropping the runtime waits for what cannot be stopped: jobs that run on blocking threads, and polls that do
    /// not return on other workers (for these the end of a [`block_on`](Runtime::block_on) waits as long). Ten seconds by
    /// default. What runs on after that is left to itself.
    ///
    /// ```
    /// use std::{sync::mpsc, time::Duration};
    /// let runtime = runtime::Runtime::builder().shutdown_time(Duration::from_millis(1)).build().unwrap();
    /// let ((started, has_started), (stop, told_to_stop)) = (mpsc::channel(), mpsc::channel::<()>());
    /// let job = runtime.handle().spawn_blocking(move || {
    ///     started.send(()).unwrap();
    ///     told_to_stop.recv()
    /// });
    /// has_started.recv().unwrap();
    /// drop(runtime); // after a millisecond it says that the job does not return
    /// assert!(!job.is_finished());
    /// drop(stop);
    /// ```
    pub fn shutdown_time(mut self, longest: Duration) -> Self {
        self.shutdown_time = longest;
        self
    }

    /// Reports on standard error each poll that takes longer than `limit`: the task's number, its name, the line that spawned
    /// it, and how long it took. Such a task keeps its worker from everything else: it should
    /// [give way](crate::yield_now), or do its work with [`spawn_blocking`](crate::spawn_blocking).
    ///
    /// Off by default, and then it costs a branch a poll. The time is real time, also under a virtual clock.
    ///
    /// ```
    /// use std::time::Duration;
    /// let runtime = runtime::Runtime::builder().slow_poll(Duration::from_millis(20)).build().unwrap();
    /// runtime.block_on(async { std::thread::sleep(Duration::from_millis(25)) });
    /// // runtime: slow poll: the main future was polled for 25.1 ms, and its worker did nothing else meanwhile
    /// ```
    pub fn slow_poll(mut self, limit: Duration) -> Self {
        self.slow_poll = Some(limit);
        self
    }

    /// Switches debugging on or off, whatever the environment says. On, there is a record of each task, for
    /// [`Handle::tasks`] and [`Handle::summary`], and the runtime warns on standard error:
    ///
    /// - of polls of more than 100 ms, as [`slow_poll`](Builder::slow_poll) says, unless that was given a limit of its own;
    /// - of tasks that panicked, or failed where [`fallible`](crate::debug::fallible) saw it, and that nobody waited for;
    /// - of tasks that are still alive when `block_on` ends: what they are, and what they waited for.
    ///
    /// Without this, the environment variable `RUNTIME_DEBUG` decides, for any program: set, and neither empty nor `0`, it
    /// switches debugging on. It costs about a microsecond a poll; off, it costs nothing.
    ///
    /// ```
    /// let runtime = runtime::Runtime::builder().debug(true).build().unwrap();
    /// runtime.block_on(async {
    ///     drop(runtime::task::Builder::new().name("forgotten").spawn(std::future::pending::<()>()));
    ///     runtime::yield_now().await;
    /// });
    /// // runtime: block_on is over, and 1 task was still alive:
    /// //   #1 "forgotten" (spawned at src/main.rs:3:57): idle for 18.2µs
    /// ```
    pub fn debug(mut self, on: bool) -> Self {
        self.debug = Some(on);
        self
    }

    /// Switches on or off that the [`Summary`](crate::debug::Summary) of all tasks is printed on standard error at the end of
    /// each `block_on`, the busiest first, whatever the environment says. On, there is a record of each task, as for
    /// [`debug`](Builder::debug), and no warning.
    ///
    /// Without this, the environment variable `RUNTIME_PROFILE` decides, for any program: set, and neither empty nor `0`, it
    /// switches it on.
    ///
    /// ```
    /// let runtime = runtime::Runtime::builder().profile(true).build().unwrap();
    /// runtime.block_on(async { runtime::task::Builder::new().name("greet").spawn(async {}).await.unwrap() });
    /// let summary = runtime.handle().summary();
    /// assert!(summary.groups().iter().any(|group| group.label == "greet" && group.tasks == 1));
    /// ```
    pub fn profile(mut self, on: bool) -> Self {
        self.profile = Some(on);
        self
    }

    /// Makes the runtime.
    ///
    /// The environment variable `RUNTIME_TRACE=FILE` switches the trace on for the runtime that the program's first thread
    /// builds, and has it written to that file at the end of each `block_on`: drawn if the name ends in `.svg`, for
    /// Chrome's trace viewer if it ends in `.json`, else as text. Several files are separated by colons.
    ///
    /// # Errors
    /// When there is to be no worker, more than one on a virtual clock, or more than 65,535; and when the system refuses a
    /// thread, or the descriptors for epoll and for waking.
    ///
    /// ```
    /// use std::io::ErrorKind;
    /// assert!(runtime::Runtime::builder().build().is_ok());
    /// let error = runtime::Runtime::builder().virtual_clock().workers(2).build().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::InvalidInput);
    /// assert_eq!(error.to_string(), "a virtual clock has one worker, not several");
    /// ```
    pub fn build(self) -> io::Result<Runtime> {
        let is_virtual = self.virtual_clock || self.simulated.is_some();
        match self.workers {
            0 => return Err(invalid("a runtime needs at least one worker")),
            2.. if is_virtual => return Err(invalid("a virtual clock has one worker, not several")),
            TOO_MANY_WORKERS.. => return Err(invalid("a runtime has 65,535 workers at most")),
            _ => {}
        }
        let first_thread = std::thread::current().name() == Some("main");
        let trace_files = std::env::var_os("RUNTIME_TRACE").filter(|_| first_thread).unwrap_or_default();
        let trace_files: Vec<_> = std::env::split_paths(&trace_files).filter(|path| path != Path::new("")).collect();
        let capacity = self.trace.or((!trace_files.is_empty()).then_some(Recorder::DEFAULT_CAPACITY));
        let clock = if is_virtual { Clock::of_its_own() } else { Clock::real() };
        let (most, idle) = (self.blocking_threads, self.blocking_idle);
        let pool = |nudge| Pool::new(blocking::Settings { most, idle, nudge: is_virtual.then_some(nudge) });
        let simulation = self.simulated.map(|seed| {
            // One seed, and three generators that know nothing of each other: another draw in one changes nothing in the others.
            let mut random = Generator::new(seed);
            let network = Network::new(seed, self.conditions, clock.now(), &mut random);
            Simulation { network, pick: Arc::new(Pick::new(random.split())) }
        });
        let debug = self.debug.unwrap_or_else(|| is_set("RUNTIME_DEBUG"));
        let profile = self.profile.unwrap_or_else(|| is_set("RUNTIME_PROFILE"));
        let plan = worker::Plan {
            workers: self.workers,
            backend: self.poller,
            clock,
            timer_slack: self.timer_slack,
            slow_poll: self.slow_poll.or(debug.then_some(SLOW_POLL)),
            recorder: capacity.map(Recorder::new),
            registry: (debug || profile).then_some(Tells { warnings: debug, profile }),
            simulation,
        };
        let shared = worker::start(plan, pool)?;
        // A job belongs to this runtime as a task does: it can spawn, and sees the same clock. (`Weak`: the pool is a part of
        // what is shared.)
        let weak = Arc::downgrade(&shared);
        let handle = move || weak.upgrade().map(|shared| Handle { home: Home::outside(shared) });
        shared.pool.enter_with(move || Box::new(handle().map(|handle| handle.enter())));
        Ok(Runtime {
            has_first_worker: AtomicBool::new(false),
            handle: Handle { home: Home::outside(shared) },
            trace_files,
            shutdown_time: Some(self.shutdown_time),
        })
    }
}

/// What is too long for a poll, if nobody says anything else.
const SLOW_POLL: Duration = Duration::from_millis(100);

const TOO_MANY_WORKERS: usize = 1 << 16;

fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| !value.is_empty() && value != "0")
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}
