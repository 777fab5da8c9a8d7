//! Stage 10: the executor of stage 9 sleeps in the system's own wait, so that sockets can wake it too.
//!
//! A task is a future in a cell, and the cell is its own waker: to wake it is to put it into the queue, once. The main future
//! waits in the same queue for its turn, and so does the reactor: whatever else there is to run, once a round it looks at the
//! sockets and at the clock. When it is alone in the queue, it sleeps.

// ANCHOR: imports
use mio::{Events, Interest, Token, event::Source};
use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    future::{Future, poll_fn},
    io, mem,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::{Duration, Instant},
};
// ANCHOR_END: imports

// ANCHOR: task
struct Task {
    id: u64,
    /// Gone when it is over. Nobody but the executor's thread looks in here, so this lock is always free.
    future: Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>,
    /// It is in the queue, once.
    queued: AtomicBool,
    executor: Arc<Executor>,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            self.executor.clone().push(Turn::Task(self));
        }
    }
}

impl Task {
    fn run(self: Arc<Self>) {
        // Before the poll: a wake that comes during the poll must queue the task again.
        self.queued.swap(false, Ordering::AcqRel);
        // Over: from here on it counts as queued, so that no waker queues it any more.
        let Some(mut future) = self.take() else { return self.queued.store(true, Ordering::Release) };
        let waker = Waker::from(self.clone());
        if future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            *self.future.lock().unwrap() = Some(future);
        } else {
            self.queued.store(true, Ordering::Release);
            self.executor.lock().tasks.remove(&self.id);
        }
    }

    fn take(&self) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        self.future.lock().unwrap().take()
    }
}
// ANCHOR_END: task

// ANCHOR: executor
/// What the thread and all wakers share.
struct Executor {
    state: Mutex<State>,
    /// Tells the system which sockets we wait for.
    registry: mio::Registry,
    /// Ends the reactor's sleep, from any thread.
    told: mio::Waker,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Turn>,
    /// The reactor sleeps, or is about to: whoever pushes must tell it.
    asleep: bool,
    /// Every task that is not over, so that none is left behind.
    tasks: BTreeMap<u64, Arc<Task>>,
    spawned: u64,
    /// Who is to be woken when, the earliest first. Equal deadlines are told apart by a number.
    timers: BTreeMap<(Instant, u64), Waker>,
    armed: u64,
    /// Every socket, by its token. A token is never used again: an event that comes too late finds nobody.
    sockets: BTreeMap<usize, [Way; 2]>,
    registered: usize,
}

/// One direction of a socket: what is known of it, and who waits for it.
#[derive(Default)]
struct Way {
    /// An operation was seen to block, and no event has come since.
    blocked: bool,
    waker: Option<Waker>,
}

/// Whose turn it is.
enum Turn {
    Main,
    Task(Arc<Task>),
    Reactor,
}

impl Executor {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing that can panic runs under this lock")
    }

    fn push(&self, turn: Turn) {
        let mut state = self.lock();
        state.queue.push_back(turn);
        let asleep = mem::take(&mut state.asleep);
        drop(state);
        if asleep {
            self.told.wake().expect("the reactor can be told");
        }
    }
}

/// Wakes the main future.
struct Main {
    queued: AtomicBool,
    executor: Arc<Executor>,
}

impl Wake for Main {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            self.executor.push(Turn::Main);
        }
    }
}
// ANCHOR_END: executor

// ANCHOR: reactor
/// The half of the reactor that only the executor's thread sees: it waits.
struct Reactor {
    poll: mio::Poll,
    events: Events,
}

/// The token of `Executor::told`. Sockets count up from zero.
const TOLD: Token = Token(usize::MAX);

impl Reactor {
    fn new() -> io::Result<(Reactor, Arc<Executor>)> {
        let poll = mio::Poll::new()?;
        let registry = poll.registry().try_clone()?;
        let told = mio::Waker::new(&registry, TOLD)?;
        let executor = Executor { state: Mutex::default(), registry, told };
        Ok((Reactor { poll, events: Events::with_capacity(256) }, Arc::new(executor)))
    }

    // ANCHOR: turn
    /// Its turn: sleeps if nobody else can run, notes what is ready, and wakes whoever waited for it.
    fn turn(&mut self, executor: &Executor) -> io::Result<()> {
        let mut state = executor.lock();
        state.asleep = state.queue.is_empty();
        let nearest = state.timers.first_key_value().map(|(&(deadline, _), _)| deadline);
        let timeout = match state.asleep {
            true => nearest.map(|deadline| deadline.saturating_duration_since(Instant::now())),
            false => Some(Duration::ZERO),
        };
        drop(state);
        match self.poll.poll(&mut self.events, timeout) {
            // A signal came in: not our business, and no event.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.events.clear(),
            result => result?,
        }

        let mut wakers = Vec::new();
        let mut state = executor.lock();
        state.asleep = false;
        for event in &self.events {
            let Some(ways) = state.sockets.get_mut(&event.token().0) else { continue };
            let read = event.is_readable() || event.is_read_closed() || event.is_error();
            let write = event.is_writable() || event.is_write_closed() || event.is_error();
            for (way, ready) in ways.iter_mut().zip([read, write]) {
                if ready {
                    way.blocked = false;
                    wakers.extend(way.waker.take());
                }
            }
        }
        let later = state.timers.split_off(&(Instant::now(), u64::MAX));
        wakers.extend(mem::replace(&mut state.timers, later).into_values());
        drop(state);
        // A waker is anybody's code: not under the lock.
        wakers.into_iter().for_each(Waker::wake);
        executor.push(Turn::Reactor);
        Ok(())
    }
    // ANCHOR_END: turn
}
// ANCHOR_END: reactor

thread_local! {
    /// The executor of the `block_on` that runs on this thread.
    static CURRENT: RefCell<Option<Arc<Executor>>> = const { RefCell::new(None) };
}

// ANCHOR: block_on
/// Runs a future to its end on this thread, and meanwhile the tasks that are spawned. Those that are not over then are dropped.
///
/// # Panics
/// When the system has no poller for us, or it fails.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let (mut reactor, executor) = Reactor::new().expect("the system has a poller for us");
    let _entered = Entered::new(executor.clone());
    let mut future = pin!(future);
    let main = Arc::new(Main { queued: AtomicBool::new(true), executor: executor.clone() });
    let waker = Waker::from(main.clone());
    executor.push(Turn::Main);
    executor.push(Turn::Reactor);
    loop {
        let turn = executor.lock().queue.pop_front();
        match turn.expect("the reactor at least is in the queue") {
            Turn::Reactor => reactor.turn(&executor).expect("the system's poller works"),
            Turn::Task(task) => task.run(),
            Turn::Main => {
                main.queued.swap(false, Ordering::AcqRel);
                if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                    return output;
                }
            }
        }
    }
}
// ANCHOR_END: block_on

/// While it lives, its executor is the current one of its thread. Its end is the end of all tasks.
struct Entered {
    executor: Arc<Executor>,
    before: Option<Arc<Executor>>,
}

impl Entered {
    fn new(executor: Arc<Executor>) -> Self {
        let before = CURRENT.replace(Some(executor.clone()));
        Entered { executor, before }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        // A task that is dropped may spawn another: until there are none.
        loop {
            let mut state = self.executor.lock();
            let left = (mem::take(&mut state.tasks), mem::take(&mut state.queue));
            drop(state);
            if left.0.is_empty() {
                break;
            }
            // The future, not only the task: a future that keeps its own waker keeps its task.
            for task in left.0.values() {
                // A waker that comes later finds it queued, and leaves the queue of this executor empty.
                task.queued.store(true, Ordering::Release);
                drop(task.take());
            }
        }
        CURRENT.set(self.before.take());
    }
}

// ANCHOR: spawn
/// Makes a task of the `block_on` that runs on this thread.
///
/// # Panics
/// Outside of one.
pub fn spawn(future: impl Future<Output = ()> + Send + 'static) {
    let executor = CURRENT.with_borrow(Clone::clone).expect("spawn is called inside block_on");
    let future = Mutex::new(Some(Box::pin(future) as _));
    let mut state = executor.lock();
    state.spawned += 1;
    let id = state.spawned;
    let task = Arc::new(Task { id, future, queued: AtomicBool::new(true), executor: executor.clone() });
    state.tasks.insert(id, task.clone());
    drop(state);
    executor.push(Turn::Task(task));
}

/// Lets every other task that can run have a turn.
pub async fn yield_now() {
    let mut yielded = false;
    poll_fn(|context| {
        if mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
// ANCHOR_END: spawn

// ANCHOR: sleep
/// Ready when its deadline has passed. From [`sleep`].
pub struct Sleep {
    /// `None`: never.
    deadline: Option<Instant>,
    executor: Arc<Executor>,
    /// Its key among the timers, while it is armed.
    key: Option<(Instant, u64)>,
}

/// Ready when so much time has passed since the call. To be called inside [`block_on`].
///
/// # Panics
/// Outside of one.
pub fn sleep(time: Duration) -> Sleep {
    let executor = CURRENT.with_borrow(Clone::clone).expect("sleep is called inside block_on");
    Sleep { deadline: Instant::now().checked_add(time), executor, key: None }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline else { return Poll::Pending };
        if Instant::now() >= deadline {
            return Poll::Ready(());
        }
        let waker = context.waker().clone();
        let executor = self.executor.clone();
        let mut state = executor.lock();
        let key = *self.key.get_or_insert_with(|| {
            state.armed += 1;
            (deadline, state.armed)
        });
        // At each poll: the one who polls now is the one who waits.
        let stale = state.timers.insert(key, waker);
        let nearest = state.timers.first_key_value().is_some_and(|(first, _)| *first == key);
        let asleep = nearest && mem::take(&mut state.asleep);
        drop(state);
        drop(stale);
        if asleep {
            // Armed by another thread, while the reactor sleeps until a later deadline.
            executor.told.wake().expect("the reactor can be told");
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let waker = self.executor.lock().timers.remove(&key);
            drop(waker);
        }
    }
}

/// The output of `future`, or `None` if it takes longer than that, counted from this call; then it is dropped.
pub fn timeout<F: Future>(time: Duration, future: F) -> impl Future<Output = Option<F::Output>> {
    // Not in the block: what stands there runs at the first poll, and not before.
    let mut sleep = sleep(time);
    async move {
        let mut future = pin!(future);
        poll_fn(|context| {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Some(output));
            }
            Pin::new(&mut sleep).poll(context).map(|()| None)
        })
        .await
    }
}
// ANCHOR_END: sleep

// ANCHOR: watched
/// The directions of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the system to us.
    Read,
    /// From us to the system.
    Write,
}

/// A socket with the waiting added. It must be one of mio's, or another that does not block.
pub struct Watched<S: Source> {
    socket: S,
    token: Token,
    executor: Arc<Executor>,
}

impl<S: Source> Watched<S> {
    /// Registers the socket with the reactor of the [`block_on`] inside which this is called, for both directions and for life.
    ///
    /// # Errors
    /// When the system cannot watch it.
    ///
    /// # Panics
    /// Outside of a `block_on`.
    pub fn new(socket: S) -> io::Result<Self> {
        let executor = CURRENT.with_borrow(Clone::clone).expect("a socket is watched inside block_on");
        let mut state = executor.lock();
        let token = Token(state.registered);
        state.registered += 1;
        state.sockets.insert(token.0, Default::default());
        drop(state);
        // From here on its drop undoes what was done.
        let mut watched = Watched { socket, token, executor };
        watched.executor.registry.register(&mut watched.socket, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(watched)
    }

    /// The socket itself.
    pub fn get_ref(&self) -> &S {
        &self.socket
    }

    // ANCHOR: poll_with
    /// Tries `operation` unless it is known to block. If it would block, waits: until the system says that something changed.
    ///
    /// # Errors
    /// What `operation` fails with.
    pub fn poll_with<T>(
        &self,
        direction: Direction,
        context: &mut Context<'_>,
        mut operation: impl FnMut(&S) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        let way = direction as usize;
        let waker = context.waker().clone();
        loop {
            let mut state = self.executor.lock();
            let ways = state.sockets.get_mut(&self.token.0).expect("it is there while the socket lives");
            if ways[way].blocked {
                // The one who asks now is the one who waits.
                let stale = ways[way].waker.replace(waker);
                drop(state);
                drop(stale);
                return Poll::Pending;
            }
            drop(state);
            match operation(&self.socket) {
                // Only an event makes it worth trying again. Round once more, to leave the waker.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.blocked(way),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return Poll::Ready(done),
            }
        }
    }

    fn blocked(&self, way: usize) {
        if let Some(ways) = self.executor.lock().sockets.get_mut(&self.token.0) {
            ways[way].blocked = true;
        }
    }
    // ANCHOR_END: poll_with
}

impl<S: Source> Drop for Watched<S> {
    fn drop(&mut self) {
        // Before the descriptor is closed: its number may belong to another socket at once.
        let _ = self.executor.registry.deregister(&mut self.socket);
        let ways = self.executor.lock().sockets.remove(&self.token.0);
        drop(ways);
    }
}
// ANCHOR_END: watched

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, io::Read, io::Write};

    const TABLE: &str = include_str!("s10_reactor.states");

    /// `(from, cause, to)` of each line of the table.
    fn table() -> BTreeSet<(&'static str, &'static str, &'static str)> {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
        lines
            .map(|line| {
                let (from, rest) = line.split_once(" --").unwrap();
                let (cause, to) = rest.split_once("--> ").unwrap();
                (from.trim(), cause, to.split(" :").next().unwrap().trim())
            })
            .collect()
    }

    #[test]
    fn a_way_walks_every_arrow_of_the_table_and_no_other() {
        let (mut reactor, executor) = Reactor::new().unwrap();
        let _entered = Entered::new(executor.clone());
        let (mut far, near) = mio::unix::pipe::new().unwrap();
        let near = Watched::new(near).unwrap();
        let state = || {
            let way = &executor.lock().sockets[&near.token.0][Direction::Read as usize];
            assert_eq!(way.waker.is_some(), way.blocked, "a waker is left when it is blocked, and only then");
            if way.blocked { "Blocked" } else { "MayBeReady" }
        };
        let read = || {
            let mut context = Context::from_waker(Waker::noop());
            near.poll_with(Direction::Read, &mut context, |mut near| near.read(&mut [0; 2])).is_ready()
        };
        let mut event = || {
            far.write_all(b"four").unwrap();
            // Somebody else could run: so it only looks.
            executor.push(Turn::Main);
            reactor.turn(&executor).unwrap();
        };
        let mut walked = BTreeSet::new();
        for step in ["read", "read", "event", "event", "read", "read", "read", "read", "read"] {
            let before = state();
            let cause = match step {
                "event" => {
                    event();
                    "an event"
                }
                _ if read() => "an operation does something",
                _ if before == "Blocked" => "polled again",
                _ => "an operation would block",
            };
            walked.insert((before, cause, state()));
        }
        assert_eq!(walked, table());
    }
}
