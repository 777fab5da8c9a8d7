//! Tasks as the whole runtime runs them: how they end, who drops what, and what may be done with their handles.

use crate::{must_fail, runtimes, turn_until, within};
use runtime::{AbortHandle, AsyncFd, Handle, JoinError, JoinHandle, Runtime, TaskId, spawn, sync::Event, time::sleep};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::{Future, pending, poll_fn},
    io,
    marker::PhantomData,
    mem,
    os::unix::net::UnixStream,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    rc::Rc,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Poll, Wake, Waker},
    thread,
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(60);

// R4, R5 ---------------------------------------------------------------------------------------------------------------

/// The consumer drops the executor between a push and what the pusher does next.
fn a_push_survives_the_end_of_the_executor(push: fn(&Weak<Toy>, between: &dyn Fn())) {
    let executor = Arc::new(Toy::default());
    let known_to_the_task = Arc::downgrade(&executor);
    let owner = RefCell::new(Some(executor));
    push(&known_to_the_task, &|| {
        // The consumer has found the task, has run it, and is done with everything.
        let executor = owner.borrow_mut().take().unwrap();
        executor.queue.lock().unwrap().clear();
    });
}

#[derive(Default)]
struct Toy {
    queue: Mutex<VecDeque<u8>>,
    notified: AtomicBool,
}

/// R4, smol-rs/async-executor#163 (1.14.0): the schedule function pushes, and then calls `state.notify()` through what the
/// task knows; R5, smol-rs/async-task#11: the function itself lies in what it gives away. (The pointer is a `Weak` here, so
/// that its use after the end is seen. Ours is proved by `a_scheduler_outlives_the_push_of_its_last_task` beside the cell,
/// and by the next test, both under the address sanitizer.)
#[test]
fn touching_the_executor_after_the_push() {
    must_fail("used after it was freed", || {
        a_push_survives_the_end_of_the_executor(|executor, between| {
            executor.upgrade().unwrap().queue.lock().unwrap().push_back(1);
            between();
            executor.upgrade().expect("used after it was freed").notified.store(true, Ordering::Relaxed);
        });
    });
    a_push_survives_the_end_of_the_executor(|executor, between| {
        let executor = executor.upgrade().unwrap();
        executor.queue.lock().unwrap().push_back(1);
        between();
        executor.notified.store(true, Ordering::Relaxed);
    });
}

/// R4: wakes come in from another thread while the runtime ends.
#[test]
fn wakes_race_with_the_end_of_the_runtime() {
    let rounds = if cfg!(miri) { 3 } else { 200 };
    let (give, take) = mpsc::channel::<Waker>();
    let waking = thread::spawn(move || {
        for waker in take {
            (0..10).for_each(|_| waker.wake_by_ref());
            waker.wake();
        }
    });
    for _ in 0..rounds {
        for runtime in runtimes() {
            let give = give.clone();
            runtime.block_on(async {
                for _ in 0..4 {
                    let give = give.clone();
                    drop(spawn(poll_fn(move |context| {
                        give.send(context.waker().clone()).unwrap();
                        Poll::<()>::Pending
                    })));
                }
                runtime::yield_now().await;
            });
            drop(runtime);
        }
    }
    drop(give);
    waking.join().unwrap();
}

// R6, R7, R8 -----------------------------------------------------------------------------------------------------------

/// R6, tokio #3929: an abort from outside drops nothing where it is called. (The twin is in `cell`.)
#[test]
fn an_abort_from_outside_drops_nothing_there() {
    struct SaysWhere(mpsc::Sender<thread::ThreadId>);
    impl Drop for SaysWhere {
        fn drop(&mut self) {
            let _ = self.0.send(thread::current().id());
        }
    }
    for runtime in runtimes() {
        let (give, dropped_on) = mpsc::channel();
        let held = SaysWhere(give);
        let aborted_on = runtime.block_on(async move {
            let task = spawn(async move {
                let _held = held;
                pending::<()>().await;
            });
            runtime::yield_now().await;
            let abort = task.abort_handle();
            let aborting = thread::spawn(move || {
                abort.abort();
                thread::current().id()
            });
            assert!(task.await.unwrap_err().is_cancelled());
            aborting.join().unwrap()
        });
        assert_ne!(dropped_on.recv().unwrap(), aborted_on);
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Handled {
    Dropped,
    Kept,
    Polled,
    DroppedWhenOver,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Aborted {
    Never,
    BeforeTheFirstPoll,
    InTheFirstPoll,
    WhenOver,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Panics {
    Nowhere,
    InPoll,
    InTheDropOfTheFuture,
    InTheDropOfTheOutput,
}

/// Counts its drops; panics in them if told to.
struct Tracked {
    drops: Arc<AtomicUsize>,
    panic: bool,
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.drops.fetch_add(1, Ordering::Relaxed);
        if self.panic && !thread::panicking() {
            std::panic::resume_unwind(Box::new("in a drop"));
        }
    }
}

/// A future that holds something until it is dropped.
struct Holding<F>(Pin<Box<F>>, #[expect(dead_code, reason = "held to be dropped")] Tracked);

impl<F: Future> Future for Holding<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.0.as_mut().poll(context)
    }
}

/// R7, tokio #3964; R8, tokio #4412 and #3967; the matrix of tokio's `task_combinations.rs`, written anew: {handle} x {abort}
/// x {panic} x {workers}. Future and output are each dropped once, by the end of `block_on`, and no panic gets out. (The same
/// matrix, more exact, judges the cell alone; the twins that fail it are in `cell`.)
#[test]
fn every_combination_drops_everything_once() {
    for runtime in runtimes() {
        for handled in [Handled::Dropped, Handled::Kept, Handled::Polled, Handled::DroppedWhenOver] {
            for aborted in [Aborted::Never, Aborted::BeforeTheFirstPoll, Aborted::InTheFirstPoll, Aborted::WhenOver] {
                use Panics::*;
                for panics in [Nowhere, InPoll, InTheDropOfTheFuture, InTheDropOfTheOutput] {
                    one_combination(&runtime, handled, aborted, panics);
                }
            }
        }
    }
}

fn one_combination(runtime: &Runtime, handled: Handled, aborted: Aborted, panics: Panics) {
    let case = format!("{handled:?}, abort {aborted:?}, panic {panics:?}");
    let [future_drops, output_drops, outputs] = [0; 3].map(|zero| Arc::new(AtomicUsize::new(zero)));
    let in_future = Tracked { drops: future_drops.clone(), panic: panics == Panics::InTheDropOfTheFuture };
    let (in_output, made) = (output_drops.clone(), outputs.clone());
    runtime.block_on(async {
        let itself = Arc::new(Mutex::new(None::<AbortHandle>));
        let own = itself.clone();
        let mut waited = false;
        let body = async move {
            poll_fn(|context| {
                if mem::replace(&mut waited, true) {
                    return Poll::Ready(());
                }
                if let Some(handle) = own.lock().unwrap().take() {
                    handle.abort();
                }
                context.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
            if panics == Panics::InPoll {
                std::panic::resume_unwind(Box::new("in a poll"));
            }
            made.fetch_add(1, Ordering::Relaxed);
            Tracked { drops: in_output, panic: panics == Panics::InTheDropOfTheOutput }
        };
        let (handle, abort) = {
            // On another worker, its first poll waits here until it knows itself.
            let mut own = itself.lock().unwrap();
            let handle = spawn(Holding(Box::pin(body), in_future));
            let abort = handle.abort_handle();
            *own = (aborted == Aborted::InTheFirstPoll).then(|| abort.clone());
            (handle, abort)
        };
        if aborted == Aborted::BeforeTheFirstPoll {
            abort.abort();
        }
        let mut handle = (handled != Handled::Dropped).then_some(handle);
        let mut result = None;
        if let Some(handle) = handle.as_mut().filter(|_| handled == Handled::Polled) {
            result = Some(handle.await);
        } else {
            turn_until(|| abort.is_finished()).await;
        }
        assert!(abort.is_finished(), "{case}: it never ends");
        assert_eq!(future_drops.load(Ordering::Relaxed), 1, "{case}: drops of the future");
        if aborted == Aborted::WhenOver {
            abort.abort();
        }
        if handled == Handled::DroppedWhenOver {
            drop(handle.take());
        }
        if let (Some(handle), None) = (handle, &result) {
            result = Some(handle.await);
        }
        match &result {
            Some(Err(JoinError::Cancelled)) => {
                assert!(matches!(aborted, Aborted::BeforeTheFirstPoll | Aborted::InTheFirstPoll), "{case}");
            }
            // The abort may come too late for a task that runs on another worker already.
            Some(Ok(_)) => assert_ne!(aborted, Aborted::InTheFirstPoll, "{case}"),
            Some(Err(JoinError::Panicked(panic))) => {
                assert_ne!(panics, Panics::Nowhere, "{case}: {panic:?}");
            }
            None => assert!(matches!(handled, Handled::Dropped | Handled::DroppedWhenOver)),
        }
        // The output is the test's now, and may panic in its drop.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(result)));
    });
    let (dropped, made) = (output_drops.load(Ordering::Relaxed), outputs.load(Ordering::Relaxed));
    assert_eq!(dropped, made, "{case}: drops of the output");
}

// R11 ------------------------------------------------------------------------------------------------------------------

/// A waker that calls back, when it is woken and when it is dropped.
struct CallsBack(Box<dyn Fn() + Send + Sync>);

impl Wake for CallsBack {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

impl Drop for CallsBack {
    fn drop(&mut self) {
        // A second panic would end the process.
        if !thread::panicking() {
            (self.0)();
        }
    }
}

/// Waits with wakers that call back: one is replaced, and so dropped; one is woken by `happen`; one is dropped with the wait.
async fn wakers_may_call_back<W: Future>(
    wait: impl Fn() -> W,
    happen: impl Fn(),
    call_back: impl Fn() + Send + Sync + 'static,
) {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let call_back = Arc::new(move || {
        call_back();
        counted.fetch_add(1, Ordering::Relaxed);
    });
    let poll = |wait: Pin<&mut W>| {
        let call_back = call_back.clone();
        let waker = Waker::from(Arc::new(CallsBack(Box::new(move || call_back()))));
        wait.poll(&mut Context::from_waker(&waker)).is_pending()
    };
    {
        let mut given_up = pin!(wait());
        assert!(poll(given_up.as_mut()) && poll(given_up.as_mut()));
    }
    let mut wait = pin!(wait());
    assert!(poll(wait.as_mut()));
    let before = calls.load(Ordering::Relaxed);
    happen();
    // Woken, and dropped after that.
    turn_until(|| calls.load(Ordering::Relaxed) >= before + 2).await;
    assert!(calls.load(Ordering::Relaxed) >= before + 2, "never woken");
}

/// Polls once, with nothing to wake, and gives up.
fn touch(wait: impl Future) {
    let _ = pin!(wait).poll(&mut Context::from_waker(Waker::noop()));
}

/// An event that many wait for, as far as this test needs it.
trait Happening: Send + Sync + 'static {
    fn poll_happened(&self, context: &mut Context<'_>) -> Poll<()>;
    fn happen(&self);
}

/// R11, tokio #5429, #4129, #5471, #5578, #8529, #8552, #8554, #8558, #8618: a foreign waker was woken, cloned or dropped
/// while the primitive's own lock was held. Each primitive of the ground floor, called back by wakers. (The handle of a task is
/// in `cell`.)
#[test]
fn calling_foreign_wakers_under_a_lock() {
    #[derive(Default)]
    struct UnderTheLock(Mutex<(bool, Vec<Waker>)>);

    impl Happening for UnderTheLock {
        fn poll_happened(&self, context: &mut Context<'_>) -> Poll<()> {
            let mut state = self.0.try_lock().expect("deadlock: this thread holds the lock");
            if state.0 {
                return Poll::Ready(());
            }
            state.1.push(context.waker().clone());
            Poll::Pending
        }

        fn happen(&self) {
            let mut state = self.0.lock().unwrap();
            state.0 = true;
            let wakers = mem::take(&mut state.1);
            wakers.into_iter().for_each(Waker::wake);
        }
    }

    fn judge(happening: Arc<impl Happening>) {
        runtime::block_on(async {
            let (waited, touched) = (happening.clone(), happening.clone());
            let wait = || poll_fn(|context| waited.poll_happened(context));
            let call_back = move || touch(poll_fn(|context| touched.poll_happened(context)));
            wakers_may_call_back(wait, || happening.happen(), call_back).await;
        });
    }

    must_fail("deadlock", || judge(Arc::new(UnderTheLock::default())));

    for runtime in runtimes() {
        within(PATIENCE, move || {
            runtime.block_on(async {
                let event = Arc::new(Event::new());
                let (waited, touched) = (event.clone(), event.clone());
                wakers_may_call_back(|| waited.wait(), || event.set(), move || touch(touched.wait())).await;

                let in_a_moment = || sleep(Duration::from_millis(1));
                wakers_may_call_back(in_a_moment, || (), || touch(sleep(Duration::from_secs(1)))).await;

                let (ours, theirs) = UnixStream::pair().unwrap();
                ours.set_nonblocking(true).unwrap();
                let ours = Arc::new(AsyncFd::new(ours));
                let (waited, touched) = (ours.clone(), ours.clone());
                let write = || assert_eq!(io::Write::write(&mut &theirs, b"x").unwrap(), 1);
                wakers_may_call_back(|| waited.readable(), write, move || touch(touched.readable())).await;
            });
        });
    }
}

// R47 ------------------------------------------------------------------------------------------------------------------

/// Whether a type has a marker trait: an inherent constant, if its bound holds, hides that of the trait.
macro_rules! has {
    ($type:ty: $marker:ident) => {{
        #[allow(dead_code, reason = "one of the two constants is hidden")]
        trait Otherwise {
            const HAS: bool = false;
        }
        struct Probe<T>(#[allow(dead_code, reason = "only its type is asked")] PhantomData<T>);
        impl<T> Otherwise for Probe<T> {}
        #[allow(dead_code, reason = "one of the two constants is hidden")]
        impl<T: $marker> Probe<T> {
            const HAS: bool = true;
        }
        Probe::<$type>::HAS
    }};
}

/// R47, tokio #7232 (RUSTSEC-2025-0023): what a handle lets through must be `Send` for the handle to be, and `Sync` where it is
/// shared.
#[test]
fn handles_that_let_through_what_must_not_pass() {
    /// A twin: it says that it may be sent, whatever comes out of it.
    struct SendsAnything<T>(PhantomData<fn() -> T>);

    // What it hands over is not `Send`, and it is: the mistake, seen.
    assert!(has!(SendsAnything<Rc<u8>>: Send));
    assert!(!has!(JoinHandle<Rc<u8>>: Send));
    assert!(!has!(JoinHandle<Rc<u8>>: Sync));
    // The handle gives its output only to one who has it alone: that the output cannot be shared does not matter.
    assert!(has!(JoinHandle<Cell<u8>>: Send) && has!(JoinHandle<Cell<u8>>: Sync));
    assert!(has!(JoinHandle<std::marker::PhantomPinned>: Unpin), "it can be awaited through `&mut`");

    assert!(has!(AbortHandle: Send) && has!(AbortHandle: Sync));
    assert!(has!(Handle: Send) && has!(Handle: Sync));
    assert!(has!(Runtime: Send) && has!(Runtime: Sync));
    assert!(has!(JoinError: Send) && has!(JoinError: Sync));
    assert!(has!(TaskId: Send) && has!(TaskId: Sync));
    assert!(has!(runtime::time::Sleep: Send) && has!(runtime::time::Sleep: Sync));
    assert!(has!(AsyncFd<UnixStream>: Send) && has!(AsyncFd<UnixStream>: Sync));
    assert!(!has!(runtime::time::Timeout<Rc<u8>>: Send));
}

// R51 ------------------------------------------------------------------------------------------------------------------

/// R51, tokio #5162 and #4973: a runtime kept in a `thread_local` is dropped when the runtime's own are gone already.
#[test]
fn a_runtime_in_a_thread_local() {
    thread_local! {
        static KEPT: RefCell<Vec<(Runtime, JoinHandle<()>)>> = const { RefCell::new(Vec::new()) };
        static OURS: RefCell<String> = RefCell::new(String::from("gone first"));
        static LOOKS: RefCell<Option<Looks>> = const { RefCell::new(None) };
    }

    /// Looks into a slot of its own thread while that thread ends, as the twin does, and as ours.
    struct Looks(mpsc::Sender<(bool, bool)>);

    impl Drop for Looks {
        fn drop(&mut self) {
            let with = catch_unwind(|| OURS.with(|text| text.borrow().len())).is_ok();
            let try_with = catch_unwind(|| OURS.try_with(|text| text.borrow().len())).is_ok();
            let _ = self.0.send((with, try_with));
        }
    }

    /// Uses the runtime as much as it can, when its task is cancelled; and says so if it came to the end of that.
    struct UsesTheRuntime(Handle, mpsc::Sender<()>);

    impl Drop for UsesTheRuntime {
        fn drop(&mut self) {
            touch(sleep(Duration::from_nanos(0)));
            let _ = (runtime::time::Instant::now(), Handle::try_current());
            drop(self.0.spawn(async {}));
            let _ = self.1.send(());
        }
    }

    // What is first used is last dropped: so the slots of the runtime go before it, or after it.
    for runtime_first in [true, false] {
        let (well, all_well) = mpsc::channel();
        let keep = move |runtime: Runtime| {
            let uses = UsesTheRuntime(runtime.handle().clone(), well.clone());
            let handle = runtime.handle().spawn(async move {
                let _uses = &uses;
                sleep(Duration::from_secs(3600)).await;
            });
            KEPT.with(|kept| kept.borrow_mut().push((runtime, handle)));
        };
        let (give, looked) = mpsc::channel();
        within(PATIENCE, move || {
            thread::spawn(move || {
                if runtime_first {
                    KEPT.with(|_| ());
                    LOOKS.with(|looks| *looks.borrow_mut() = Some(Looks(give.clone())));
                }
                runtime::block_on(async { sleep(Duration::from_micros(1)).await });
                OURS.with(|_| ());
                LOOKS.with(|looks| *looks.borrow_mut() = Some(Looks(give)));
                runtimes().into_iter().for_each(keep);
            })
            .join()
            .unwrap();
        });
        assert_eq!(all_well.iter().count(), runtimes().len(), "something of ours panicked in a slot that was gone");
        let looked: Vec<_> = looked.iter().collect();
        assert!(looked.iter().all(|(_, try_with)| *try_with));
        if runtime_first {
            assert!(looked.iter().any(|(with, _)| !with), "the broken twin passes: no slot was gone when it looked");
        }
    }
}

// R52 ------------------------------------------------------------------------------------------------------------------

/// R52, tokio #6521: those who waited are woken last come, first woken.
#[test]
fn waking_the_last_one_first() {
    #[derive(Default)]
    struct Stack(Mutex<Vec<Waker>>);

    impl Happening for Stack {
        fn poll_happened(&self, context: &mut Context<'_>) -> Poll<()> {
            self.0.lock().unwrap().push(context.waker().clone());
            Poll::Pending
        }

        fn happen(&self) {
            let mut wakers = mem::take(&mut *self.0.lock().unwrap());
            while let Some(waker) = wakers.pop() {
                waker.wake();
            }
        }
    }

    fn judge(waits: Vec<Boxed<'_>>, happen: impl Fn()) {
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut waits = waits;
        for (number, wait) in waits.iter_mut().enumerate() {
            let order = order.clone();
            let waker = Waker::from(Arc::new(Notes(number, order)));
            assert!(wait.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        happen();
        assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3, 4], "out of turn");
    }

    struct Notes(usize, Arc<Mutex<Vec<usize>>>);

    impl Wake for Notes {
        fn wake(self: Arc<Self>) {
            self.1.lock().unwrap().push(self.0);
        }
    }

    type Boxed<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

    let stack = Stack::default();
    let waits = || (0..5).map(|_| -> Boxed<'_> { Box::pin(poll_fn(|context| stack.poll_happened(context))) }).collect();
    must_fail("out of turn", || judge(waits(), || stack.happen()));

    let event = Event::new();
    judge((0..5).map(|_| -> Boxed<'_> { Box::pin(event.wait()) }).collect(), || event.set());
}
