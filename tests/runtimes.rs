//! The book's cases on runtimes that nobody wrote for them: the finished one, tokio and smol's crates. What is asked of a reader
//! must be what a runtime does.

use async_io::Async;
use futures_lite::{AsyncRead, AsyncWrite, FutureExt};
use netio::net;
use runtime::{AsyncFd, JoinError};
use stages::cases::{Ended, Handle, Listener, Mutex, Notify, Receiver, Runtime, Semaphore, Sender, Stream};
use std::{
    any::Any,
    cell::RefCell,
    future::Future,
    io::{self, ErrorKind},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    os::{fd::AsFd, unix::net::UnixStream},
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{Arc, Mutex as StdMutex, MutexGuard},
    task::{Context, Poll, Waker, ready},
    thread,
    time::Duration,
};

struct Ours;

impl Runtime for Ours {
    fn block_on<F: Future>(future: F) -> F::Output {
        runtime::block_on(future)
    }

    fn block_on_workers<F: Future>(workers: usize, future: F) -> F::Output {
        runtime::Runtime::builder().workers(workers).build().unwrap().block_on(future)
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        drop(runtime::spawn(task));
    }

    fn yield_now() -> impl Future<Output = ()> + Send {
        runtime::yield_now()
    }

    fn spawn_with_handle<F>(task: F) -> impl Handle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        OurHandle(runtime::spawn(task))
    }

    fn sleep(time: Duration) -> impl Future<Output = ()> + Send {
        runtime::time::sleep(time)
    }

    fn timeout<F: Future<Output: Send> + Send>(
        time: Duration,
        future: F,
    ) -> impl Future<Output = Option<F::Output>> + Send {
        let limited = runtime::time::timeout(time, future);
        async { limited.await.ok() }
    }

    fn watch(socket: UnixStream) -> io::Result<impl Stream> {
        socket.set_nonblocking(true)?;
        Ok(OurPair(AsyncFd::new(socket)))
    }

    fn listen(address: SocketAddr) -> io::Result<impl Listener> {
        let listener = Arc::new(net::TcpListener::bind(address)?);
        Ok(OurListener { listener, accepting: StdMutex::default() })
    }

    async fn connect(address: SocketAddr) -> io::Result<impl Stream> {
        net::TcpStream::connect(address).await.map(OurStream)
    }

    fn join<A, B>(a: A, b: B) -> impl Future<Output = (A::Output, B::Output)> + Send
    where
        A: Future<Output: Send> + Send,
        B: Future<Output: Send> + Send,
    {
        runtime::future::join(a, b)
    }

    async fn race<T, A, B>(a: A, b: B) -> T
    where
        T: Send,
        A: Future<Output = T> + Send,
        B: Future<Output = T> + Send,
    {
        runtime::select! {
            output = a => output,
            output = b => output,
        }
    }

    fn join_all<F: Future<Output: Send> + Send>(futures: Vec<F>) -> impl Future<Output = Vec<F::Output>> + Send {
        runtime::future::join_all(futures)
    }

    fn oneshot<T: Send + 'static>()
    -> (impl FnOnce(T) -> Result<(), T> + Send + 'static, impl Future<Output = Option<T>> + Send + 'static) {
        let (sender, receiver) = runtime::sync::oneshot::channel();
        (|value| sender.send(value), async { receiver.await.ok() })
    }

    fn channel<T: Send + 'static>(capacity: usize) -> (impl Sender<T>, impl Receiver<T>) {
        let (sender, receiver) = runtime::sync::mpsc::bounded(capacity);
        (OurSender(sender), OurReceiver(receiver))
    }

    fn semaphore(permits: usize) -> impl Semaphore {
        OurSemaphore(Arc::new(runtime::sync::Semaphore::new(permits)))
    }

    fn mutex<T: Send + 'static>(value: T) -> impl Mutex<T> {
        OurMutex(Arc::new(runtime::sync::Mutex::new(value)))
    }

    fn notify() -> impl Notify {
        OurNotify(Arc::new(runtime::sync::Notify::new()))
    }
}

struct OurPair(AsyncFd<UnixStream>);

impl Stream for OurPair {
    fn poll_read(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.0.poll_read_bytes(context, buffer)
    }

    fn poll_write(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.poll_write_bytes(context, bytes)
    }
}

/// netio has `accept` as a future only: the present one is kept here, and lasts until it is ready.
struct OurListener {
    listener: Arc<net::TcpListener>,
    accepting: StdMutex<Option<Accepting>>,
}

type Accepting = Pin<Box<dyn Future<Output = io::Result<OurStream>> + Send>>;

impl Listener for OurListener {
    type Stream = OurStream;

    fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<OurStream>> {
        let mut accepting = self.accepting.lock().unwrap();
        let future = accepting.get_or_insert_with(|| {
            let listener = self.listener.clone();
            Box::pin(async move { listener.accept().await.map(|(stream, _)| OurStream(stream)) })
        });
        let accepted = ready!(future.as_mut().poll(context));
        *accepting = None;
        Poll::Ready(accepted)
    }
}

struct OurStream(net::TcpStream);

impl Stream for OurStream {
    fn poll_read(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut &self.0).poll_read(context, buffer)
    }

    fn poll_write(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut &self.0).poll_write(context, bytes)
    }

    fn shutdown(&self) -> io::Result<()> {
        self.0.shutdown(Shutdown::Write)
    }
}

struct OurSender<T>(runtime::sync::mpsc::Sender<T>);

impl<T> Clone for OurSender<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Send + 'static> Sender<T> for OurSender<T> {
    async fn send(&self, value: T) -> Result<(), T> {
        self.0.send(value).await.map_err(|error| error.0)
    }
}

struct OurReceiver<T>(runtime::sync::mpsc::Receiver<T>);

impl<T: Send + 'static> Receiver<T> for OurReceiver<T> {
    async fn recv(&mut self) -> Option<T> {
        self.0.recv().await
    }
}

#[derive(Clone)]
struct OurSemaphore(Arc<runtime::sync::Semaphore>);

impl Semaphore for OurSemaphore {
    type Permit = runtime::sync::OwnedPermit;

    async fn acquire(&self) -> Self::Permit {
        self.0.clone().acquire_owned().await.expect("nobody closes it")
    }
}

struct OurMutex<T>(Arc<runtime::sync::Mutex<T>>);

impl<T> Clone for OurMutex<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Send + 'static> Mutex<T> for OurMutex<T> {
    type Guard = runtime::sync::OwnedMutexGuard<T>;

    async fn lock(&self) -> Self::Guard {
        self.0.clone().lock_owned().await
    }
}

#[derive(Clone)]
struct OurNotify(Arc<runtime::sync::Notify>);

impl Notify for OurNotify {
    fn notify_one(&self) {
        self.0.notify_one();
    }

    async fn notified(&self) {
        self.0.notified().await;
    }
}

struct OurHandle<T>(runtime::JoinHandle<T>);

impl<T> Future for OurHandle<T> {
    type Output = Result<T, Ended>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let output = ready!(Pin::new(&mut self.0).poll(context));
        Poll::Ready(output.map_err(|error| match error {
            JoinError::Cancelled => Ended::Cancelled,
            JoinError::Panicked(panic) => Ended::Panicked(panic.message().unwrap_or_default().to_owned()),
        }))
    }
}

impl<T: Send + 'static> Handle<T> for OurHandle<T> {
    fn abort(&self) {
        self.0.abort();
    }
}

struct Tokio;

impl Runtime for Tokio {
    fn block_on<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    fn block_on_workers<F: Future>(workers: usize, future: F) -> F::Output {
        let builder = &mut tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(workers).enable_all().build().unwrap().block_on(future)
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(task);
    }

    fn yield_now() -> impl Future<Output = ()> + Send {
        tokio::task::yield_now()
    }

    fn spawn_with_handle<F>(task: F) -> impl Handle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        TokiosHandle(tokio::spawn(task))
    }

    fn sleep(time: Duration) -> impl Future<Output = ()> + Send {
        tokio::time::sleep(time)
    }

    fn timeout<F: Future<Output: Send> + Send>(
        time: Duration,
        future: F,
    ) -> impl Future<Output = Option<F::Output>> + Send {
        let limited = tokio::time::timeout(time, future);
        async { limited.await.ok() }
    }

    fn watch(socket: UnixStream) -> io::Result<impl Stream> {
        socket.set_nonblocking(true)?;
        tokio::net::UnixStream::from_std(socket).map(OfTokio)
    }

    fn listen(address: SocketAddr) -> io::Result<impl Listener> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        tokio::net::TcpListener::from_std(listener).map(OfTokio)
    }

    async fn connect(address: SocketAddr) -> io::Result<impl Stream> {
        tokio::net::TcpStream::connect(address).await.map(OfTokio)
    }

    async fn join<A, B>(a: A, b: B) -> (A::Output, B::Output)
    where
        A: Future<Output: Send> + Send,
        B: Future<Output: Send> + Send,
    {
        tokio::join!(a, b)
    }

    async fn race<T, A, B>(a: A, b: B) -> T
    where
        T: Send,
        A: Future<Output = T> + Send,
        B: Future<Output = T> + Send,
    {
        tokio::select! {
            output = a => output,
            output = b => output,
        }
    }

    fn join_all<F: Future<Output: Send> + Send>(futures: Vec<F>) -> impl Future<Output = Vec<F::Output>> + Send {
        futures_util::future::join_all(futures)
    }

    fn oneshot<T: Send + 'static>()
    -> (impl FnOnce(T) -> Result<(), T> + Send + 'static, impl Future<Output = Option<T>> + Send + 'static) {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        (|value| sender.send(value), async { receiver.await.ok() })
    }

    fn channel<T: Send + 'static>(capacity: usize) -> (impl Sender<T>, impl Receiver<T>) {
        let (sender, receiver) = tokio::sync::mpsc::channel(capacity);
        (TokiosSender(sender), TokiosReceiver(receiver))
    }

    fn semaphore(permits: usize) -> impl Semaphore {
        TokiosSemaphore(Arc::new(tokio::sync::Semaphore::new(permits)))
    }

    fn mutex<T: Send + 'static>(value: T) -> impl Mutex<T> {
        TokiosMutex(Arc::new(tokio::sync::Mutex::new(value)))
    }

    fn notify() -> impl Notify {
        TokiosNotify(Arc::new(tokio::sync::Notify::new()))
    }
}

/// tokio's own traits want the stream for themselves; what works by reference is *ready, then try*, round until it is either.
struct OfTokio<S>(S);

macro_rules! tokios_stream {
    ($stream:ty) => {
        impl Stream for OfTokio<$stream> {
            fn poll_read(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
                loop {
                    ready!(self.0.poll_read_ready(context))?;
                    match self.0.try_read(buffer) {
                        Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                        read => return Poll::Ready(read),
                    }
                }
            }

            fn poll_write(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
                loop {
                    ready!(self.0.poll_write_ready(context))?;
                    match self.0.try_write(bytes) {
                        Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                        written => return Poll::Ready(written),
                    }
                }
            }

            fn shutdown(&self) -> io::Result<()> {
                shutdown(&self.0)
            }
        }
    };
}

tokios_stream!(tokio::net::UnixStream);
tokios_stream!(tokio::net::TcpStream);

impl Listener for OfTokio<tokio::net::TcpListener> {
    type Stream = OfTokio<tokio::net::TcpStream>;

    fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<Self::Stream>> {
        self.0.poll_accept(context).map_ok(|(stream, _)| OfTokio(stream))
    }
}

/// By reference, as the others do it.
fn shutdown(stream: &impl AsFd) -> io::Result<()> {
    Ok(rustix::net::shutdown(stream, rustix::net::Shutdown::Write)?)
}

struct TokiosSender<T>(tokio::sync::mpsc::Sender<T>);

impl<T> Clone for TokiosSender<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Send + 'static> Sender<T> for TokiosSender<T> {
    async fn send(&self, value: T) -> Result<(), T> {
        self.0.send(value).await.map_err(|error| error.0)
    }
}

struct TokiosReceiver<T>(tokio::sync::mpsc::Receiver<T>);

impl<T: Send + 'static> Receiver<T> for TokiosReceiver<T> {
    async fn recv(&mut self) -> Option<T> {
        self.0.recv().await
    }
}

#[derive(Clone)]
struct TokiosSemaphore(Arc<tokio::sync::Semaphore>);

impl Semaphore for TokiosSemaphore {
    type Permit = tokio::sync::OwnedSemaphorePermit;

    async fn acquire(&self) -> Self::Permit {
        self.0.clone().acquire_owned().await.expect("nobody closes it")
    }
}

struct TokiosMutex<T>(Arc<tokio::sync::Mutex<T>>);

impl<T> Clone for TokiosMutex<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Send + 'static> Mutex<T> for TokiosMutex<T> {
    type Guard = tokio::sync::OwnedMutexGuard<T>;

    async fn lock(&self) -> Self::Guard {
        self.0.clone().lock_owned().await
    }
}

#[derive(Clone)]
struct TokiosNotify(Arc<tokio::sync::Notify>);

impl Notify for TokiosNotify {
    fn notify_one(&self) {
        self.0.notify_one();
    }

    async fn notified(&self) {
        self.0.notified().await;
    }
}

struct TokiosHandle<T>(tokio::task::JoinHandle<T>);

impl<T> Future for TokiosHandle<T> {
    type Output = Result<T, Ended>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let output = ready!(Pin::new(&mut self.0).poll(context));
        Poll::Ready(
            output
                .map_err(|error| if error.is_cancelled() { Ended::Cancelled } else { panicked(&*error.into_panic()) }),
        )
    }
}

impl<T: Send + 'static> Handle<T> for TokiosHandle<T> {
    fn abort(&self) {
        self.0.abort();
    }
}

/// smol's own `block_on` leaves the tasks of its global executor where they are; this is what its users write for one of their own.
struct Smol;

thread_local! {
    static EXECUTOR: RefCell<Option<Arc<async_executor::Executor<'static>>>> = const { RefCell::new(None) };
}

fn executor() -> Arc<async_executor::Executor<'static>> {
    EXECUTOR.with_borrow(Clone::clone).expect("inside block_on")
}

impl Runtime for Smol {
    fn block_on<F: Future>(future: F) -> F::Output {
        Self::block_on_workers(1, future)
    }

    fn block_on_workers<F: Future>(workers: usize, future: F) -> F::Output {
        let executor = Arc::new(async_executor::Executor::new());
        let (end, ended) = async_channel::bounded::<()>(1);
        let threads: Vec<_> = (1..workers)
            .map(|_| {
                let (executor, ended) = (executor.clone(), ended.clone());
                thread::spawn(move || {
                    EXECUTOR.set(Some(executor.clone()));
                    let _ = async_io::block_on(executor.run(ended.recv()));
                    EXECUTOR.set(None);
                })
            })
            .collect();
        EXECUTOR.set(Some(executor.clone()));
        let output = async_io::block_on(executor.run(future));
        drop(end);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        // The last of it: with it go its tasks.
        drop(executor);
        EXECUTOR.set(None);
        output
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        // A panic would end the thread that polls: its users catch what they throw.
        executor().spawn(AssertUnwindSafe(task).catch_unwind()).detach();
    }

    fn yield_now() -> impl Future<Output = ()> + Send {
        futures_lite::future::yield_now()
    }

    fn spawn_with_handle<F>(task: F) -> impl Handle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        SmolsHandle(StdMutex::new(Smols::Runs(executor().spawn(AssertUnwindSafe(task).catch_unwind()))))
    }

    fn sleep(time: Duration) -> impl Future<Output = ()> + Send {
        let timer = async_io::Timer::after(time);
        async move {
            timer.await;
        }
    }

    fn timeout<F: Future<Output: Send> + Send>(
        time: Duration,
        future: F,
    ) -> impl Future<Output = Option<F::Output>> + Send {
        let timer = async_io::Timer::after(time);
        async move { Some(future.await) }.or(async move {
            timer.await;
            None
        })
    }

    fn watch(socket: UnixStream) -> io::Result<impl Stream> {
        Async::new(socket).map(OfSmol)
    }

    fn listen(address: SocketAddr) -> io::Result<impl Listener> {
        Async::<TcpListener>::bind(address).map(OfSmol)
    }

    async fn connect(address: SocketAddr) -> io::Result<impl Stream> {
        Async::<TcpStream>::connect(address).await.map(OfSmol)
    }

    fn join<A, B>(a: A, b: B) -> impl Future<Output = (A::Output, B::Output)> + Send
    where
        A: Future<Output: Send> + Send,
        B: Future<Output: Send> + Send,
    {
        futures_lite::future::zip(a, b)
    }

    async fn race<T, A, B>(a: A, b: B) -> T
    where
        T: Send,
        A: Future<Output = T> + Send,
        B: Future<Output = T> + Send,
    {
        futures_lite::future::race(a, b).await
    }

    fn join_all<F: Future<Output: Send> + Send>(futures: Vec<F>) -> impl Future<Output = Vec<F::Output>> + Send {
        futures_util::future::join_all(futures)
    }

    fn oneshot<T: Send + 'static>()
    -> (impl FnOnce(T) -> Result<(), T> + Send + 'static, impl Future<Output = Option<T>> + Send + 'static) {
        let (sender, receiver) = async_channel::bounded(1);
        (move |value| sender.try_send(value).map_err(async_channel::TrySendError::into_inner), async move {
            receiver.recv().await.ok()
        })
    }

    fn channel<T: Send + 'static>(capacity: usize) -> (impl Sender<T>, impl Receiver<T>) {
        let (sender, receiver) = async_channel::bounded(capacity);
        (SmolsSender(sender, Arc::default()), SmolsReceiver(receiver))
    }

    fn semaphore(permits: usize) -> impl Semaphore {
        SmolsSemaphore(Arc::new(async_lock::Semaphore::new(permits)))
    }

    fn mutex<T: Send + 'static>(value: T) -> impl Mutex<T> {
        SmolsMutex(Arc::new(async_lock::Mutex::new(value)))
    }

    fn notify() -> impl Notify {
        SmolsNotify(async_channel::bounded(1))
    }
}

struct OfSmol<S>(Async<S>);

impl<S: AsFd + Send + Sync + 'static> Stream for OfSmol<S>
where
    for<'stream> &'stream Async<S>: AsyncRead + AsyncWrite,
{
    fn poll_read(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut &self.0).poll_read(context, buffer)
    }

    fn poll_write(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut &self.0).poll_write(context, bytes)
    }

    fn shutdown(&self) -> io::Result<()> {
        shutdown(self.0.get_ref())
    }
}

impl Listener for OfSmol<TcpListener> {
    type Stream = OfSmol<TcpStream>;

    fn address(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().local_addr()
    }

    fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<Self::Stream>> {
        loop {
            match self.0.get_ref().accept() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => ready!(self.0.poll_readable(context))?,
                accepted => return Poll::Ready(accepted.and_then(|(stream, _)| Async::new(stream)).map(OfSmol)),
            }
        }
    }
}

/// `async-channel` does not promise that senders which wait are served as they came. Who needs that lets them wait for a lock.
struct SmolsSender<T>(async_channel::Sender<T>, Arc<async_lock::Mutex<()>>);

impl<T> Clone for SmolsSender<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), self.1.clone())
    }
}

impl<T: Send + 'static> Sender<T> for SmolsSender<T> {
    async fn send(&self, value: T) -> Result<(), T> {
        let _turn = self.1.lock().await;
        self.0.send(value).await.map_err(|error| error.0)
    }
}

struct SmolsReceiver<T>(async_channel::Receiver<T>);

impl<T: Send + 'static> Receiver<T> for SmolsReceiver<T> {
    async fn recv(&mut self) -> Option<T> {
        self.0.recv().await.ok()
    }
}

#[derive(Clone)]
struct SmolsSemaphore(Arc<async_lock::Semaphore>);

impl Semaphore for SmolsSemaphore {
    type Permit = async_lock::SemaphoreGuardArc;

    async fn acquire(&self) -> Self::Permit {
        self.0.acquire_arc().await
    }
}

struct SmolsMutex<T>(Arc<async_lock::Mutex<T>>);

impl<T> Clone for SmolsMutex<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Send + 'static> Mutex<T> for SmolsMutex<T> {
    type Guard = async_lock::MutexGuardArc<T>;

    async fn lock(&self) -> Self::Guard {
        self.0.lock_arc().await
    }
}

/// smol has none; its users take a channel with one slot.
#[derive(Clone)]
struct SmolsNotify((async_channel::Sender<()>, async_channel::Receiver<()>));

impl Notify for SmolsNotify {
    fn notify_one(&self) {
        // Full: it is told already.
        let _ = self.0.0.try_send(());
    }

    async fn notified(&self) {
        self.0.1.recv().await.expect("its sender is here");
    }
}

/// What comes of a task: its output, or the panic that it ended with.
type Caught<T> = Result<T, Box<dyn Any + Send>>;

/// smol's handle cancels its task when it is dropped, and takes itself to cancel it: here it detaches, and can be told by reference.
enum Smols<T> {
    Runs(async_executor::Task<Caught<T>>),
    Cancelling(Pin<Box<dyn Future<Output = Option<Caught<T>>> + Send>>),
    Over,
}

struct SmolsHandle<T>(StdMutex<Smols<T>>);

impl<T: Send + 'static> SmolsHandle<T> {
    fn state(&self) -> MutexGuard<'_, Smols<T>> {
        self.0.lock().unwrap()
    }
}

impl<T: Send + 'static> Future for SmolsHandle<T> {
    type Output = Result<T, Ended>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.state();
        let caught = match &mut *state {
            Smols::Runs(task) => Some(ready!(Pin::new(task).poll(context))),
            Smols::Cancelling(cancelling) => ready!(cancelling.as_mut().poll(context)),
            Smols::Over => {
                // Not under the lock, which the panic would poison.
                drop(state);
                panic!("polled after its end")
            }
        };
        *state = Smols::Over;
        Poll::Ready(match caught {
            Some(Ok(output)) => Ok(output),
            Some(Err(panic)) => Err(panicked(&*panic)),
            None => Err(Ended::Cancelled),
        })
    }
}

impl<T: Send + 'static> Handle<T> for SmolsHandle<T> {
    fn abort(&self) {
        let mut state = self.state();
        *state = match std::mem::replace(&mut *state, Smols::Over) {
            Smols::Runs(task) => {
                let mut cancelling = task.cancel().boxed();
                // Its first poll is what cancels; that it is over already, nobody is told yet.
                match cancelling.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    Poll::Ready(caught) => Smols::Cancelling(std::future::ready(caught).boxed()),
                    Poll::Pending => Smols::Cancelling(cancelling),
                }
            }
            state => state,
        };
    }
}

impl<T> Drop for SmolsHandle<T> {
    fn drop(&mut self) {
        if let Smols::Runs(task) = std::mem::replace(self.0.get_mut().unwrap(), Smols::Over) {
            task.detach();
        }
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Ended {
    Ended::Panicked(panic.downcast_ref::<&str>().map_or_else(|| "?".to_owned(), |text| (*text).to_owned()))
}

stages::judge! {
    "runtime", 19: Ours;
    "tokio", 19: Tokio;
    // `event-listener`, on which `async-channel` and `async-lock` stand, wakes under its own lock: a task must not be polled there.
    "smol", 19 except [
        "a_oneshot_may_be_polled_by_its_waker",
        "a_recv_may_be_polled_by_its_waker",
        "a_send_may_be_polled_by_its_waker",
        "one_that_waits_may_be_polled_by_its_waker",
    ]: Smol;
}
