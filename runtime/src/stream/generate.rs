//! Streams written as a function that gives values away in the middle of its work.
//!
//! ```text
//!   poll_next ──polls──> the generator ──> … ──> emit(value): puts it in the queue, says Pending
//!       │                                           │
//!       └──────── takes it from the queue <─────────┘      asked again, emit finds its value taken, and the generator goes on
//! ```
//!
//! - Whoever emits waits until the value is taken, so the generator runs no further than it was asked for. The queue holds one
//!   value, or one for each `emit` that waits beside the others.
//! - A generator may poll its own parts with wakers of its own (a set of futures does). So an `emit` that says `Pending`
//!   leaves its waker; if it is not the stream's own, it is woken when the value was taken and the stream is asked again.

use super::Stream;
use crate::budget;
use std::{
    collections::VecDeque,
    fmt,
    future::{Future, poll_fn},
    mem,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker, ready},
};

/// A stream of what `body` emits; it ends when `body` returns.
///
/// `body` runs when the stream is asked for a value, until it emits one or has to wait. The yielder is for `body` and what it
/// awaits: a stream that waits does not hear of what is emitted elsewhere. To give values from a task of its own, use a channel.
///
/// # Cancel safety
/// Dropping the stream drops `body` where it stands. Giving up [`next`](super::StreamExt::next) loses nothing.
///
/// ```
/// use runtime::{stream::{self, StreamExt}, time::sleep};
/// use std::time::Duration;
/// let mut countdown = stream::generate(async |out| {
///     for number in (1..=3).rev() {
///         out.emit(number).await;
///         sleep(Duration::from_millis(1)).await;
///     }
/// });
/// runtime::block_on(async {
///     while let Some(number) = countdown.next().await {
///         println!("{number}…");
///     }
/// });
/// ```
pub fn generate<T, B: Future<Output = ()>, F>(body: F) -> impl Stream<Item = T> + Unpin + use<T, B, F>
where
    F: FnOnce(Yielder<T>) -> B,
{
    let state = State { values: VecDeque::new(), waiting: Vec::new(), ended: false };
    let queue = Arc::new(Queue { state: Mutex::new(state), taken: AtomicUsize::new(0) });
    // Given, not lent: a future that borrows what it is given could not be shown to be `Send`.
    let body = body(Yielder(queue.clone()));
    Generate { body: Some(Box::pin(body)), queue, left: 0, strangers: Vec::new() }
}

/// Where the body of a generator puts its values: see [`generate`].
///
/// ```
/// use runtime::stream::{self, StreamExt, Yielder};
/// async fn walk(depth: u32, out: &Yielder<u32>) {
///     out.emit(depth).await;
///     if depth > 0 {
///         Box::pin(walk(depth - 1, out)).await; // it may be handed on
///     }
/// }
/// let depths = stream::generate(async |out| walk(2, &out).await);
/// assert_eq!(runtime::block_on(depths.collect::<Vec<_>>()), [2, 1, 0]);
/// ```
pub struct Yielder<T>(Arc<Queue<T>>);

impl<T> Yielder<T> {
    /// Gives `value` to whoever asks the stream, and waits until the next one is asked for. When the stream is gone, or has
    /// ended, nobody will: then the value is dropped.
    ///
    /// # Cancel safety
    /// A value that was handed over, in the first poll, is given, whether or not this is dropped then.
    ///
    /// ```
    /// use runtime::stream::{self, StreamExt};
    /// let mut greeting = stream::generate(async |out| {
    ///     out.emit("hello").await;
    ///     println!("not said before somebody asks for more");
    ///     out.emit("world").await;
    /// });
    /// assert_eq!(runtime::block_on(greeting.next()), Some("hello"));
    /// ```
    pub async fn emit(&self, value: T) {
        let mut place = 0;
        let mut value = Some(value);
        poll_fn(move |context| {
            let Queue { state, taken } = &*self.0;
            if value.is_none() && taken.load(Ordering::Acquire).wrapping_sub(place).cast_signed() > 0 {
                return Poll::Ready(());
            }
            let mut queue = state.lock().unwrap();
            if queue.ended {
                drop(queue);
                value = None;
                return Poll::Ready(());
            }
            if let Some(value) = value.take() {
                place = taken.load(Ordering::Relaxed).wrapping_add(queue.values.len());
                queue.values.push_back(value);
            }
            if !queue.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                drop(queue);
                // Cloned outside: it is anybody's code. Nothing is taken meanwhile: that comes after this poll.
                let waker = context.waker().clone();
                state.lock().unwrap().waiting.push(waker);
            }
            Poll::Pending
        })
        .await;
    }
}

impl<T> fmt::Debug for Yielder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Yielder").finish_non_exhaustive()
    }
}

struct Queue<T> {
    state: Mutex<State<T>>,
    /// How many values were taken so far. Changed under the lock; read without it by those who wait.
    taken: AtomicUsize,
}

struct State<T> {
    values: VecDeque<T>,
    /// Whoever waits in an `emit`; mostly the stream's own waker, which stays here from value to value.
    waiting: Vec<Waker>,
    /// Nobody will ask for another value.
    ended: bool,
}

impl<T> Queue<T> {
    /// Nothing is taken any more.
    fn end(&self) {
        let mut state = self.state.lock().unwrap();
        state.ended = true;
        let (values, waiting) = (mem::take(&mut state.values), mem::take(&mut state.waiting));
        drop(state);
        drop(values);
        waiting.into_iter().for_each(Waker::wake);
    }
}

struct Generate<T, B> {
    /// `None`: it has returned.
    body: Option<Pin<Box<B>>>,
    queue: Arc<Queue<T>>,
    /// How many values were in the queue when the last one was taken: of several `emit`s side by side.
    left: usize,
    /// Who waited for those values that were taken, with wakers that are not the stream's own.
    strangers: Vec<Waker>,
}

impl<T, B> Drop for Generate<T, B> {
    fn drop(&mut self) {
        self.body = None;
        self.queue.end();
    }
}

/// The body is in a box.
impl<T, B> Unpin for Generate<T, B> {}

impl<T, B> Generate<T, B> {
    fn take(&mut self, own: &Waker) -> Option<T> {
        let mut queue = self.queue.state.lock().unwrap();
        let value = queue.values.pop_front()?;
        // Pairs with the load in `emit`.
        self.queue.taken.fetch_add(1, Ordering::Release);
        self.left = queue.values.len();
        if queue.waiting.iter().any(|waker| !waker.will_wake(own)) {
            self.strangers.append(&mut queue.waiting);
        }
        Some(value)
    }
}

impl<T, B: Future<Output = ()>> Stream for Generate<T, B> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let this = &mut *self;
        ready!(budget::spend(context));
        if this.left == 0 {
            let Some(body) = &mut this.body else {
                this.queue.end();
                return Poll::Ready(None);
            };
            let strangers = this.strangers.drain(..).filter(|waker| !waker.will_wake(context.waker()));
            strangers.for_each(Waker::wake);
            if body.as_mut().poll(context).is_ready() {
                this.body = None;
            }
        }
        let value = this.take(context.waker());
        if value.is_none() && this.body.is_some() {
            budget::give_back();
            return Poll::Pending;
        }
        Poll::Ready(value)
    }
}
