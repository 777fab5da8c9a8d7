//! A whole event loop in one file, on nothing but `std` and mio: a ready queue, a heap of timers, readiness.
//!
//! ```console
//! cargo run --example mini_loop
//! ```
//!
//! A task runs again for one of three reasons: it was woken, a deadline passed, a source became ready. When no task is left
//! the loop ends. When tasks are left and no reason is, nothing can ever wake them: a deadlock, and the loop says so.

use mio::{Events, Interest, Registry, Token, event::Source, net::UnixStream};
use std::{
    cell::{Cell, RefCell},
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap, VecDeque},
    fmt::Display,
    future::{Future, pending, poll_fn},
    io::{self, ErrorKind, Read, Write},
    mem::take,
    pin::Pin,
    rc::Rc,
    sync::{Arc, Mutex},
    task::{Context, Poll, Wake, Waker},
    time::{Duration, Instant},
};

type ReadyQueue = Arc<Mutex<VecDeque<usize>>>;

/// To wake a task is to put its number on the ready queue, once.
struct TaskWaker {
    task: usize,
    ready: ReadyQueue,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        let mut ready = self.ready.lock().unwrap();
        if !ready.contains(&self.task) {
            ready.push_back(self.task);
        }
    }
}

/// What a task may wait for. Each wait has a number, and under it the waker of the task.
struct World {
    registry: Registry,
    waits: Cell<usize>,
    waiting: RefCell<HashMap<usize, Waker>>,
    timers: RefCell<BinaryHeap<Reverse<(Instant, usize)>>>,
}

impl World {
    fn new_wait(&self) -> usize {
        self.waits.replace(self.waits.get() + 1)
    }

    fn wait<T>(&self, number: usize, cx: &Context<'_>) -> Poll<T> {
        self.waiting.borrow_mut().insert(number, cx.waker().clone());
        Poll::Pending
    }

    fn wake(&self, number: usize) {
        let waker = self.waiting.borrow_mut().remove(&number);
        waker.into_iter().for_each(Waker::wake);
    }

    async fn sleep(&self, time: Duration) {
        let (due, number) = (Instant::now() + time, self.new_wait());
        self.timers.borrow_mut().push(Reverse((due, number)));
        poll_fn(|cx| if Instant::now() < due { self.wait(number, cx) } else { Poll::Ready(()) }).await
    }

    fn next_due(&self, now: Instant) -> Option<usize> {
        let mut timers = self.timers.borrow_mut();
        timers.peek().filter(|Reverse((due, _))| *due <= now)?;
        timers.pop().map(|Reverse((_, number))| number)
    }

    fn register(&self, source: &mut impl Source) -> io::Result<usize> {
        let number = self.new_wait();
        self.registry.register(source, Token(number), Interest::READABLE)?;
        Ok(number)
    }

    /// Tries first: only what would block has to wait.
    async fn read(&self, number: usize, source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
        poll_fn(|cx| match source.read(buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.wait(number, cx),
            done => Poll::Ready(done),
        })
        .await
    }
}

struct EventLoop {
    tasks: BTreeMap<usize, Pin<Box<dyn Future<Output = ()>>>>,
    ready: ReadyQueue,
    world: Rc<World>,
    poll: mio::Poll,
}

impl EventLoop {
    fn new() -> io::Result<EventLoop> {
        let poll = mio::Poll::new()?;
        let registry = poll.registry().try_clone()?;
        let (waits, waiting, timers) = Default::default();
        let world = Rc::new(World { registry, waits, waiting, timers });
        Ok(EventLoop { tasks: BTreeMap::new(), ready: ReadyQueue::default(), world, poll })
    }

    fn create_task<T: Display>(&mut self, future: impl Future<Output = T> + 'static) {
        let task = self.tasks.len();
        self.tasks.insert(task, Box::pin(async { println!("Task completed with result: {}", future.await) }));
        self.ready.lock().unwrap().push_back(task);
    }

    /// Turns until no task is left. The error is a deadlock.
    fn run_until_complete(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(64);
        loop {
            // Only those that are ready now: one that wakes itself must not keep the timers and the sources waiting.
            let batch = take(&mut *self.ready.lock().unwrap());
            batch.into_iter().for_each(|task| self.poll_task(task));
            if self.tasks.is_empty() {
                return Ok(());
            }
            self.poll.poll(&mut events, self.longest_sleep()?)?;
            events.iter().for_each(|event| self.world.wake(event.token().0));
            self.fire_timers();
        }
    }

    fn poll_task(&mut self, task: usize) {
        let waker = Waker::from(Arc::new(TaskWaker { task, ready: self.ready.clone() }));
        if let Some(future) = self.tasks.get_mut(&task)
            && future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready()
        {
            self.tasks.remove(&task);
        }
    }

    /// Not at all when a task is ready, else until the nearest deadline, else until a source is ready.
    fn longest_sleep(&self) -> io::Result<Option<Duration>> {
        if !self.ready.lock().unwrap().is_empty() {
            return Ok(Some(Duration::ZERO));
        }
        if self.world.waiting.borrow().is_empty() {
            let why = format!("deadlock: tasks still waiting: {}; no timer, no I/O", self.tasks.len());
            return Err(io::Error::new(ErrorKind::Deadlock, why));
        }
        let nearest = self.world.timers.borrow().peek().map(|Reverse((due, _))| *due);
        Ok(nearest.map(|due| due.saturating_duration_since(Instant::now())))
    }

    fn fire_timers(&self) {
        let now = Instant::now();
        while let Some(number) = self.world.next_due(now) {
            self.world.wake(number);
        }
    }
}

/// Steps aside once: wakes itself, so that whoever is ready runs first.
async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

async fn count(name: &'static str) -> String {
    for number in 1..=3 {
        println!("{name} {number}");
        yield_now().await;
    }
    format!("{name} counted to 3")
}

fn main() -> io::Result<()> {
    examples::Arguments::parse(&[]);
    let mut event_loop = EventLoop::new()?;
    event_loop.create_task(count("left"));
    event_loop.create_task(count("right"));

    let (mut here, mut there) = UnixStream::pair()?;
    let world = event_loop.world.clone();
    let number = world.register(&mut here)?;
    event_loop.create_task(async move {
        let mut buffer = [0; 64];
        let length = world.read(number, &mut here, &mut buffer).await.unwrap();
        format!("read {:?} from the socket", str::from_utf8(&buffer[..length]).unwrap())
    });
    let world = event_loop.world.clone();
    event_loop.create_task(async move {
        world.sleep(examples::scaled(0.2)).await;
        there.write_all(b"hello").unwrap();
        "slept, then wrote to the socket"
    });
    event_loop.run_until_complete()?;
    println!("Nothing is left, so the loop ends.");

    event_loop.create_task(pending::<String>());
    if let Err(error) = event_loop.run_until_complete() {
        println!("{error}");
    }
    Ok(())
}
