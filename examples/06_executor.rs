//! A queue and a loop: the smallest executor that runs several tasks, and the same tasks on the finished runtime.
//!
//! ```console
//! cargo run --example 06_executor
//! ```

use runtime::{sync::oneshot, task};
use std::{
    collections::{BTreeMap, VecDeque},
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Wake, Waker},
};

// ANCHOR: tasks
/// Says something at each turn, and lets the others have theirs. At the end it rings.
async fn player(name: &'static str, bell: Option<oneshot::Sender<()>>) {
    for turn in 1..=2 {
        println!("      {name} {turn}");
        yield_now().await;
    }
    bell.into_iter().for_each(|bell| bell.send(()).expect("somebody listens"));
}

async fn listener(bell: oneshot::Receiver<()>) {
    bell.await.expect("somebody rings");
    println!("      the bell rings");
}
// ANCHOR_END: tasks

// ANCHOR: yield_now
/// Not ready at the first poll, but worth asking again at once.
async fn yield_now() {
    let mut yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
// ANCHOR_END: yield_now

// ANCHOR: first
type Ready = Arc<Mutex<VecDeque<&'static str>>>;

/// Puts the name of its task into the queue.
struct TaskWaker {
    name: &'static str,
    ready: Ready,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.ready.lock().unwrap().push_back(self.name);
    }
}

#[derive(Default)]
struct Executor {
    /// All that are not over.
    tasks: BTreeMap<&'static str, Pin<Box<dyn Future<Output = ()>>>>,
    ready: Ready,
}

impl Executor {
    fn spawn(&mut self, name: &'static str, future: impl Future<Output = ()> + 'static) {
        self.tasks.insert(name, Box::pin(future));
        self.ready.lock().unwrap().push_back(name);
    }

    fn run(&mut self) {
        while let Some(name) = self.next() {
            self.show(name);
            let Some(future) = self.tasks.get_mut(name) else { continue };
            let waker = Waker::from(Arc::new(TaskWaker { name, ready: self.ready.clone() }));
            if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                self.tasks.remove(name);
            }
        }
    }

    /// In a function of its own: in a `while let` the lock would be held as long as the body runs.
    fn next(&self) -> Option<&'static str> {
        self.ready.lock().unwrap().pop_front()
    }
}
// ANCHOR_END: first

impl Executor {
    /// The three boxes: who can run, who runs, who waits.
    fn show(&self, running: &str) {
        let ready: Vec<_> = self.ready.lock().unwrap().iter().copied().collect();
        let waits = |name: &&str| *name != running && !ready.contains(name);
        let waiting = self.tasks.keys().copied().filter(waits).collect::<Vec<_>>();
        println!("ready [{:9}]  running [{running:8}]  waiting [{:8}]", ready.join(" "), waiting.join(" "));
    }
}

fn main() {
    let arguments = examples::Arguments::parse(&[]);
    let (mut executor, (sender, receiver)) = (Executor::default(), oneshot::channel());
    executor.spawn("listener", listener(receiver));
    executor.spawn("ping", player("ping", None));
    executor.spawn("pong", player("pong", Some(sender)));
    executor.run();

    println!("\nthe same three on the finished runtime, and what it wrote down:");
    let runtime = examples::runtime(arguments.builder().trace());
    let (sender, receiver) = oneshot::channel();
    runtime.block_on(async {
        let _ping = task::Builder::new().name("ping").spawn(player("ping", None));
        let _pong = task::Builder::new().name("pong").spawn(player("pong", Some(sender)));
        listener(receiver).await;
    });
    print!("{}", runtime.trace());
}
