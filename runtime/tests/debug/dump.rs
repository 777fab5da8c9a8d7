//! The tasks that live, and what they wait for.

use super::*;
use runtime::{
    AsyncFd, Handle, TaskId,
    debug::{Dump, Wait},
    sync::oneshot,
    time::sleep,
};
use std::{
    future::Future,
    io::Read,
    os::unix::net::UnixStream,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Waker},
    thread,
};

const SECOND: Duration = Duration::from_secs(1);

fn named(name: &str) -> task::Builder {
    task::Builder::new().name(name)
}

/// What the task of that name waits for, as text.
fn waits(dump: &Dump, name: &str) -> Vec<String> {
    let task = dump.tasks().iter().find(|task| task.name.as_deref() == Some(name)).expect(name);
    task.waits_for.iter().map(ToString::to_string).collect()
}

#[test]
fn a_dump_tells_what_each_task_waits_for() {
    debugged().block_on(async {
        let (_give, take) = oneshot::channel::<()>();
        let (left, _right) = UnixStream::pair().unwrap();
        left.set_nonblocking(true).unwrap();
        let sleeps = named("sleeps").spawn(sleep(3 * SECOND));
        let id = sleeps.id();
        let _tasks = (
            named("receives").spawn(take),
            named("joins").spawn(sleeps),
            named("reads").spawn(async move {
                let left = AsyncFd::new(left);
                left.read_with(|mut stream| stream.read(&mut [0; 1])).await
            }),
            named("both").spawn(async { runtime::future::join(sleep(SECOND), sleep(2 * SECOND)).await }),
        );
        yield_now().await;
        let dump = Handle::current().tasks();
        assert_eq!(waits(&dump, "sleeps"), ["sleep until 3s"]);
        assert_eq!(waits(&dump, "receives"), ["oneshot 1"]);
        assert_eq!(waits(&dump, "joins"), [format!("task {id}")]);
        assert_eq!(waits(&dump, "reads"), ["readable source 0"]);
        assert_eq!(waits(&dump, "both"), ["sleep until 1s", "sleep until 2s"]);
        // A poll that begins forgets nothing; one that ends says it all anew.
        sleep(3 * SECOND / 2).await;
        let dump = Handle::current().tasks();
        assert_eq!(waits(&dump, "both"), ["sleep until 2s"]);
        assert!(dump.find_cycles().is_empty() && dump.find_untaken().is_empty());
    });
}

#[test]
fn a_dump_reads_a_line_a_task() {
    let text = debugged().block_on(async {
        let nap = named("nap").spawn(async {
            drop(named("child").spawn(std::future::pending::<()>()));
            sleep(2 * SECOND).await;
        });
        sleep(SECOND).await;
        let dump = Handle::current().tasks();
        let child = dump.tasks().iter().find(|task| task.name.as_deref() == Some("child")).unwrap();
        assert_eq!(child.spawned_by, Some(nap.id()));
        dump.to_string()
    });
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[0].starts_with("main: running; 2 polls, busy for "), "{text}");
    assert!(lines[1].starts_with("#1 \"nap\" (spawned at runtime/tests/debug/dump.rs:"), "{text}");
    assert!(lines[1].contains("): idle for 1s, waits for sleep until 2s; 1 polls, busy for "), "{text}");
    assert!(lines[2].contains("): idle for 1s; 1 polls"), "{text}");
}

/// The futures of the tasks that are dumped do what they like when they are dropped: also look at all tasks.
struct Looks(Arc<AtomicUsize>);

impl Drop for Looks {
    fn drop(&mut self) {
        let handle = Handle::current();
        let (dump, metrics, summary) = (handle.tasks(), handle.metrics(), handle.summary());
        assert!(metrics.spawned >= metrics.completed && summary.counts().total >= summary.counts().running);
        self.0.fetch_add(dump.tasks().len().min(1), Ordering::Relaxed);
    }
}

/// tokio #6035: a dump polled tasks while it held the list of all. Ours polls nothing, and runs nobody's code under a lock.
#[test]
fn a_dump_while_tasks_come_and_go() {
    for (workers, debug) in [(1, true), (2, true), (4, true), (1, false), (2, false), (4, false)] {
        let runtime = Runtime::builder().workers(workers).debug(debug).build().unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let looked = Arc::new(AtomicUsize::new(0));
        let outside = thread::spawn({
            let (handle, over) = (runtime.handle().clone(), over.clone());
            move || {
                let mut dumps = 0;
                while !over.load(Ordering::Acquire) || dumps == 0 {
                    let dump = handle.tasks();
                    assert!(dump.tasks().is_sorted_by_key(|task| task.id));
                    assert!(dump.find_cycles().is_empty(), "{dump}");
                    dumps += 1;
                }
            }
        });
        runtime.block_on(async {
            for round in 0..50 {
                let tasks: Vec<_> = (0..20)
                    .map(|number| {
                        let looks = Looks(looked.clone());
                        spawn(async move {
                            let _looks = looks;
                            (0..number % 4).for_each(|_| drop(Handle::current().tasks()));
                            yield_now().await;
                        })
                    })
                    .collect();
                tasks.iter().step_by(3 + round % 3).for_each(|task| task.abort());
                for task in tasks {
                    let _ = task.await;
                }
            }
        });
        over.store(true, Ordering::Release);
        outside.join().unwrap();
        assert!(looked.load(Ordering::Relaxed) > 0);
        assert_eq!(runtime.metrics().live, 0);
        assert!(runtime.handle().tasks().tasks().is_empty());
    }
}

type Boxed = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs tasks, and tells how many live.
trait Executor: Send + Sync {
    fn spawn(&self, task: Boxed);
    /// Looks at all tasks.
    fn dump(&self) -> usize;
    /// Gives way to them.
    fn run(&self);
}

/// The future of a task that ends while somebody looks: when it is dropped, it looks too.
fn a_look_while_a_task_ends(executor: &Arc<dyn Executor>) {
    struct Looks(Arc<dyn Executor>);
    impl Drop for Looks {
        fn drop(&mut self) {
            self.0.dump();
        }
    }
    let (looks, ended) = (Looks(executor.clone()), Arc::new(AtomicBool::new(false)));
    let end = ended.clone();
    executor.spawn(Box::pin(async move {
        drop(looks);
        end.store(true, Ordering::Release);
    }));
    executor.dump();
    executor.run();
    assert!(ended.load(Ordering::Acquire) && executor.dump() == 0);
}

/// As tokio's was: to see where a task stands it polls it, and keeps the list of all locked meanwhile.
#[derive(Default)]
struct PollsUnderTheLock(std::sync::Mutex<Vec<Boxed>>);

impl PollsUnderTheLock {
    fn poll_all(&self) -> usize {
        let mut tasks = self.0.try_lock().expect("the list is locked while a task's own code runs");
        tasks.retain_mut(|task| task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        tasks.len()
    }
}

impl Executor for PollsUnderTheLock {
    fn spawn(&self, task: Boxed) {
        self.0.lock().unwrap().push(task);
    }

    fn dump(&self) -> usize {
        self.poll_all()
    }

    fn run(&self) {
        self.poll_all();
    }
}

struct Ours(Runtime);

impl Executor for Ours {
    fn spawn(&self, task: Boxed) {
        drop(self.0.handle().spawn(task));
    }

    fn dump(&self) -> usize {
        self.0.handle().tasks().tasks().iter().filter(|task| task.id != TaskId::MAIN).count()
    }

    fn run(&self) {
        self.0.block_on(async {
            for _ in 0..3 {
                yield_now().await;
            }
        });
    }
}

#[test]
fn a_dump_that_polls_under_the_lock() {
    for debug in [false, true] {
        let runtime = Runtime::builder().debug(debug).build().unwrap();
        a_look_while_a_task_ends(&(Arc::new(Ours(runtime)) as Arc<dyn Executor>));
    }
    let twin: Arc<dyn Executor> = Arc::new(PollsUnderTheLock::default());
    let told = catch_unwind(AssertUnwindSafe(|| a_look_while_a_task_ends(&twin))).unwrap_err();
    let told = told.downcast::<String>().unwrap();
    assert!(told.starts_with("the list is locked while a task's own code runs"), "{told}");
}

#[test]
fn without_debug_the_tasks_that_wait_are_listed_and_nothing_is_recorded() {
    let runtime = Runtime::builder().virtual_clock().debug(false).profile(false).build().unwrap();
    runtime.block_on(async {
        let waiting = named("waits").spawn(sleep(SECOND));
        let quick = spawn(async {});
        yield_now().await;
        quick.await.unwrap();
        let dump = Handle::current().tasks();
        assert_eq!(dump.tasks().len(), 1, "{dump}");
        let task = dump.find(waiting.id()).unwrap();
        assert_eq!((task.name.as_deref(), task.state), (Some("waits"), TaskState::Idle));
        assert_eq!(task.spawned_at.unwrap().file(), file!());
        assert!(task.work.is_none() && task.waits_for.is_empty() && task.idle_for.is_none());
        let summary = Handle::current().summary();
        assert!(summary.groups().is_empty() && summary.ended().is_empty());
        assert_eq!(summary.counts().total, 0);
    });
}

/// Tasks have numbers in their runtime: those of another, and jobs on threads, are none of ours.
#[test]
fn a_task_of_another_runtime_is_not_mistaken_for_one_of_ours() {
    let other = Runtime::builder().debug(true).build().unwrap();
    let theirs = other.handle().spawn(std::future::pending::<()>());
    debugged().block_on(async {
        let id = theirs.id();
        // The first task of each has the same number.
        let waits = spawn(theirs);
        assert_eq!(waits.id(), id);
        yield_now().await;
        let dump = Handle::current().tasks();
        assert_eq!(dump.find(waits.id()).unwrap().waits_for, [Wait::Outside(id)]);
        assert!(dump.find_cycles().is_empty(), "{dump}");
    });
}

/// A runtime that ends within a task of another polls its tasks there: their notes are theirs.
#[test]
fn a_runtime_that_ends_within_a_task_leaves_its_notes_alone() {
    debugged().block_on(async {
        let inner = Runtime::builder().debug(true).build().unwrap();
        drop(inner.handle().spawn(sleep(SECOND)));
        let outer = named("outer").spawn(async move {
            drop(inner);
            sleep(2 * SECOND).await;
        });
        yield_now().await;
        assert_eq!(waits(&Handle::current().tasks(), "outer"), ["sleep until 2s"]);
        outer.await.unwrap();
    });
}
