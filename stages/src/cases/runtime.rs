//! A runtime as the chapters' cases see it: one small trait, which a reader implements bit by bit.
//!
//! What a chapter has not yet taught has a default body that says so, and the cases that need it are told apart from those that
//! fail: see [`run`](super::run).

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    io,
    net::SocketAddr,
    ops::DerefMut,
    os::unix::net::UnixStream,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

/// Implemented for a type that stands for a runtime, usually an empty struct. Each function belongs to a chapter of the book; until
/// you have written it, leave it out.
///
/// ```
/// use stages::{cases::Runtime, s05_block_on};
/// use std::future::Future;
///
/// struct Mine;
///
/// impl Runtime for Mine {
///     fn block_on<F: Future>(future: F) -> F::Output {
///         s05_block_on::block_on(future)
///     }
/// }
///
/// assert_eq!(Mine::block_on(async { 7 }), 7);
/// ```
pub trait Runtime: Sized + 'static {
    /// Chapter 5. Runs a future to its end on this thread, and gives its output. From chapter 6 on it also runs the tasks that are
    /// spawned meanwhile; those that are not over when it returns are dropped.
    fn block_on<F: Future>(future: F) -> F::Output {
        drop(future);
        not_yet(5, "block_on")
    }

    /// Chapter 6. Makes a task, to be run by the [`block_on`](Runtime::block_on) inside which it is called. Nobody hears of its end.
    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        drop(task);
        not_yet(6, "spawn")
    }

    /// Chapter 6. Lets every other task that can run have a turn.
    fn yield_now() -> impl Future<Output = ()> + Send {
        not_yet::<NotYet<()>>(6, "yield_now")
    }

    /// Chapter 8. As [`spawn`](Runtime::spawn), with a handle for the output.
    fn spawn_with_handle<F>(task: F) -> impl Handle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        drop(task);
        not_yet::<NotYet<Result<F::Output, Ended>>>(8, "spawn_with_handle")
    }

    /// Chapter 9. Ready when so much time has passed since the call.
    fn sleep(time: Duration) -> impl Future<Output = ()> + Send {
        let _ = time;
        not_yet::<NotYet<()>>(9, "sleep")
    }

    /// Chapter 9. The output of `future`, or `None` if it takes longer than that, counted from the call; then it is dropped.
    fn timeout<F: Future<Output: Send> + Send>(
        time: Duration,
        future: F,
    ) -> impl Future<Output = Option<F::Output>> + Send {
        let _ = time;
        drop(future);
        not_yet::<NotYet<Option<F::Output>>>(9, "timeout")
    }

    /// Chapter 10. One end of a pair of sockets, to be read and written without blocking. It comes as the standard library makes it,
    /// and blocks. Called inside [`block_on`](Runtime::block_on).
    ///
    /// # Errors
    /// When it cannot be watched.
    fn watch(socket: UnixStream) -> io::Result<impl Stream> {
        drop(socket);
        not_yet::<io::Result<NotYet<()>>>(10, "watch")
    }

    /// Chapter 12. Listens at this address; port 0 lets the system choose one. Called inside [`block_on`](Runtime::block_on).
    ///
    /// # Errors
    /// What the system says.
    fn listen(address: SocketAddr) -> io::Result<impl Listener> {
        let _ = address;
        not_yet::<io::Result<NotYet<()>>>(12, "listen")
    }

    /// Chapter 12. Connects to this address, without blocking.
    fn connect(address: SocketAddr) -> impl Future<Output = io::Result<impl Stream>> + Send {
        let _ = address;
        not_yet::<NotYet<io::Result<NotYet<()>>>>(12, "connect")
    }

    /// Chapter 13. The outputs of both, in their places, when both are over.
    fn join<A, B>(a: A, b: B) -> impl Future<Output = (A::Output, B::Output)> + Send
    where
        A: Future<Output: Send> + Send,
        B: Future<Output: Send> + Send,
    {
        drop((a, b));
        not_yet::<NotYet<(A::Output, B::Output)>>(13, "join")
    }

    /// Chapter 13. The output of whichever is over first; the other is dropped. If both are over, either may win.
    fn race<T, A, B>(a: A, b: B) -> impl Future<Output = T> + Send
    where
        T: Send,
        A: Future<Output = T> + Send,
        B: Future<Output = T> + Send,
    {
        drop((a, b));
        not_yet::<NotYet<T>>(13, "race")
    }

    /// Chapter 13. The outputs of all, in the order of the futures. Each is polled at first, and then only when it has woken.
    fn join_all<F: Future<Output: Send> + Send>(futures: Vec<F>) -> impl Future<Output = Vec<F::Output>> + Send {
        drop(futures);
        not_yet::<NotYet<Vec<F::Output>>>(13, "join_all")
    }

    /// Chapter 14. A slot for one value. To send never waits, and gives the value back if nobody is left to receive; what is
    /// received is `None` if the sender goes without having sent.
    fn oneshot<T: Send + 'static>()
    -> (impl FnOnce(T) -> Result<(), T> + Send + 'static, impl Future<Output = Option<T>> + Send + 'static) {
        not_yet::<(fn(T) -> Result<(), T>, NotYet<Option<T>>)>(14, "oneshot")
    }

    /// Chapter 14. From many tasks to one, through so many slots; never none.
    fn channel<T: Send + 'static>(capacity: usize) -> (impl Sender<T>, impl Receiver<T>) {
        let _ = capacity;
        not_yet::<(NotYet<T>, NotYet<T>)>(14, "channel")
    }

    /// Chapter 15. So many at once, first come first served.
    fn semaphore(permits: usize) -> impl Semaphore {
        let _ = permits;
        not_yet::<NotYet<()>>(15, "semaphore")
    }

    /// Chapter 15. A value for one task at a time, which may wait while it has the value.
    fn mutex<T: Send + 'static>(value: T) -> impl Mutex<T> {
        drop(value);
        not_yet::<NotYet<T>>(15, "mutex")
    }

    /// Chapter 15. One who waits is woken; if nobody does, a note is left, and two notes are one.
    fn notify() -> impl Notify {
        not_yet::<NotYet<()>>(15, "notify")
    }

    /// Chapter 18. As [`block_on`](Runtime::block_on), with the thread that calls it and others beside it: `workers` of them can run
    /// tasks at the same time. The future itself is polled by the calling thread alone.
    fn block_on_workers<F: Future>(workers: usize, future: F) -> F::Output {
        let _ = workers;
        drop(future);
        not_yet(18, "block_on_workers")
    }
}

/// A connection. At most one task reads at a time, and at most one writes; they may be two.
pub trait Stream: Send + Sync + 'static {
    /// Reads what is there; if there is nothing, the waker of `context` is woken when there may be. Zero is the end.
    fn poll_read(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Writes as much as there is room for; if there is none, the waker of `context` is woken when there may be.
    fn poll_write(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;

    /// Chapter 12. Says that no more will be written. The other side reads an end then.
    ///
    /// # Errors
    /// What the system says.
    fn shutdown(&self) -> io::Result<()> {
        not_yet(12, "Stream::shutdown")
    }
}

/// What others connect to.
pub trait Listener: Send + Sync + 'static {
    /// What it gives.
    type Stream: Stream;

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not say.
    fn address(&self) -> io::Result<SocketAddr>;

    /// The next connection; if there is none, the waker of `context` is woken when there may be.
    fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<Self::Stream>>;
}

/// The senders' end of a channel. When the last of them is gone, the channel ends.
pub trait Sender<T>: Clone + Send + 'static {
    /// Waits for a slot. If the receiver is gone, the value comes back.
    fn send(&self, value: T) -> impl Future<Output = Result<(), T>> + Send;
}

/// The receiver's end of a channel.
pub trait Receiver<T>: Send + 'static {
    /// The oldest value, or `None` when all senders are gone and nothing is left.
    fn recv(&mut self) -> impl Future<Output = Option<T>> + Send;
}

/// Permits, of which each is given back when it is dropped. Clones share them.
pub trait Semaphore: Clone + Send + Sync + 'static {
    /// What is held meanwhile.
    type Permit: Send + 'static;

    /// Waits for a permit.
    fn acquire(&self) -> impl Future<Output = Self::Permit> + Send;
}

/// A value that one task has at a time. Clones share it.
pub trait Mutex<T>: Clone + Send + Sync + 'static {
    /// The value, while it is held.
    type Guard: DerefMut<Target = T> + Send + 'static;

    /// Waits for the value.
    fn lock(&self) -> impl Future<Output = Self::Guard> + Send;
}

/// "Something is new: look again." Clones share it.
pub trait Notify: Clone + Send + Sync + 'static {
    /// Wakes whoever has waited longest, or leaves a note.
    fn notify_one(&self);

    /// Ready when it is told, or when there is a note, which it takes.
    fn notified(&self) -> impl Future<Output = ()> + Send;
}

/// The spawner's side of a task: a future of its output. Dropping it detaches the task.
pub trait Handle<T>: Future<Output = Result<T, Ended>> + Send + Unpin + 'static {
    /// Asks the task to end at its next suspension. One that is over is left alone.
    fn abort(&self);
}

/// Why a task has no output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was aborted.
    Cancelled,
    /// It panicked, with this text.
    Panicked(String),
}

/// What a function panics with that was not written yet. [`run`](super::run) knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The chapter that teaches it.
    pub chapter: u8,
    /// Its name in [`Runtime`].
    pub function: &'static str,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`Runtime::{}` is not there yet: chapter {} builds it", self.function, self.chapter)
    }
}

fn not_yet<T>(chapter: u8, function: &'static str) -> T {
    std::panic::panic_any(Missing { chapter, function })
}

/// Stands where a type is needed for what is not there. There is no value of it.
struct NotYet<T>(Infallible, std::marker::PhantomData<fn() -> T>);

impl<T> Future for NotYet<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        match self.0 {}
    }
}

impl<T: 'static> Handle<T> for NotYet<Result<T, Ended>> {
    fn abort(&self) {
        match self.0 {}
    }
}

impl<T: 'static> Stream for NotYet<T> {
    fn poll_read(&self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
        match self.0 {}
    }

    fn poll_write(&self, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        match self.0 {}
    }
}

impl<T> Clone for NotYet<T> {
    fn clone(&self) -> Self {
        match self.0 {}
    }
}

impl<T: 'static> Listener for NotYet<T> {
    type Stream = NotYet<()>;

    fn address(&self) -> io::Result<SocketAddr> {
        match self.0 {}
    }

    fn poll_accept(&self, _: &mut Context<'_>) -> Poll<io::Result<NotYet<()>>> {
        match self.0 {}
    }
}

impl<T: Send + 'static> Sender<T> for NotYet<T> {
    async fn send(&self, _: T) -> Result<(), T> {
        match self.0 {}
    }
}

impl<T: Send + 'static> Receiver<T> for NotYet<T> {
    async fn recv(&mut self) -> Option<T> {
        match self.0 {}
    }
}

impl Semaphore for NotYet<()> {
    type Permit = ();

    async fn acquire(&self) {
        match self.0 {}
    }
}

impl<T: Send + 'static> Mutex<T> for NotYet<T> {
    type Guard = Box<T>;

    async fn lock(&self) -> Box<T> {
        match self.0 {}
    }
}

impl Notify for NotYet<()> {
    fn notify_one(&self) {
        match self.0 {}
    }

    async fn notified(&self) {
        match self.0 {}
    }
}
