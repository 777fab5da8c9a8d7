//! Clean-ups in the order in which they are needed: the last one first.

use super::{CancelExt, Ended};
use crate::task::contain;
use std::{
    any::Any,
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    sync::Mutex,
    task::{Poll, ready},
};

/// Collects what must be undone, and undoes it from the last to the first: Python's `AsyncExitStack`.
///
/// An exit is a future that owns what it needs; it is polled when its turn comes, or dropped. One that fails does not keep the others from running: all
/// errors are given ([`ExitErrors`]; but where the task is asked to end, nobody is there to get them). One that panics does not either; the first panic goes on when all have run.
///
/// [`ExitStack::with`] closes it whatever happens inside, also when the task is asked to end. By hand, it must be
/// [`close`](ExitStack::close)d. No request interrupts the exits; an abort does.
///
/// **Dropped** with exits in it, it cannot await them: it says so on standard error, and drops them, from the last to the first.
///
/// ```
/// use runtime::group::ExitStack;
/// runtime::block_on(async {
///     let stack = ExitStack::new();
///     stack.push(async { Err("the first failed to close") });
///     stack.push(async { Ok(()) });
///     let errors = stack.close().await.unwrap_err();
///     assert_eq!(errors.into_vec(), ["the first failed to close"]);
/// });
/// ```
#[must_use = "what is in it runs when it is closed"]
pub struct ExitStack<E> {
    /// Locked for a push or a pop, never while an exit is polled or dropped.
    exits: Mutex<Vec<Exit<E>>>,
}

type Exit<E> = Pin<Box<dyn Future<Output = Result<(), E>> + Send>>;

impl<E> ExitStack<E> {
    /// An empty one.
    ///
    /// ```
    /// let stack = runtime::group::ExitStack::<String>::new();
    /// assert!(runtime::block_on(stack.close()).is_ok());
    /// ```
    pub fn new() -> Self {
        Self { exits: Mutex::new(Vec::new()) }
    }

    /// Puts an exit on top: it runs before all that are there already.
    ///
    /// ```
    /// use runtime::group::ExitStack;
    /// let stack = ExitStack::<()>::new();
    /// for name in ["first", "second"] {
    ///     stack.push(async move { println!("{name} closes"); Ok(()) });
    /// }
    /// runtime::block_on(stack.close()).unwrap(); // "second closes", "first closes"
    /// ```
    #[doc(alias = "push_async_callback")]
    pub fn push(&self, exit: impl Future<Output = Result<(), E>> + Send + 'static) {
        self.exits.lock().unwrap().push(Box::pin(exit));
    }

    /// Awaits `entering`, which gives a value and the exit that goes with it. If it fails, nothing is pushed.
    ///
    /// # Errors
    /// That of `entering`. What was entered before is still to be closed.
    ///
    /// # Cancel safety
    /// As that of `entering`: between its end and the push there is no suspension.
    ///
    /// ```
    /// use runtime::group::ExitStack;
    /// async fn open(number: u32) -> Result<(u32, impl Future<Output = Result<(), String>>), String> {
    ///     if number > 2 { Err(format!("there is no {number}")) } else { Ok((number, async { Ok(()) })) }
    /// }
    /// runtime::block_on(async {
    ///     let stack = ExitStack::new();
    ///     assert_eq!(stack.enter(open(1)).await, Ok(1));
    ///     assert!(stack.enter(open(3)).await.is_err());
    ///     assert_eq!(stack.len(), 1);
    ///     stack.close().await.unwrap();
    /// });
    /// ```
    #[doc(alias = "enter_async_context")]
    pub async fn enter<T, X>(&self, entering: impl Future<Output = Result<(T, X), E>>) -> Result<T, E>
    where
        X: Future<Output = Result<(), E>> + Send + 'static,
    {
        let (value, exit) = entering.await?;
        self.push(exit);
        Ok(value)
    }

    /// How many exits are in it.
    ///
    /// ```
    /// assert_eq!(runtime::group::ExitStack::<()>::new().len(), 0);
    /// ```
    pub fn len(&self) -> usize {
        self.exits.lock().unwrap().len()
    }

    /// Is there nothing to undo?
    ///
    /// ```
    /// assert!(runtime::group::ExitStack::<()>::new().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Moves all exits to a new stack: when all went well, and what was opened is to stay open, until somebody closes that.
    ///
    /// ```
    /// use runtime::group::ExitStack;
    /// runtime::block_on(async {
    ///     let opened = ExitStack::<()>::with(async |stack| {
    ///         stack.push(async { Ok(()) });
    ///         Ok(stack.pop_all())
    ///     });
    ///     let opened = opened.await.unwrap();
    ///     assert_eq!(opened.len(), 1);
    ///     opened.close().await.unwrap();
    /// });
    /// ```
    pub fn pop_all(&self) -> Self {
        Self { exits: Mutex::new(std::mem::take(&mut *self.exits.lock().unwrap())) }
    }

    /// Runs the exits, the last one first. A request to end that comes meanwhile takes effect after them.
    ///
    /// # Errors
    /// Those of the exits, in the order in which they ran.
    ///
    /// # Panics
    /// When an exit panicked, after all have run.
    ///
    /// # Cancel safety
    /// Dropped, the exits that have not run do not: it says so.
    ///
    /// ```
    /// use runtime::group::ExitStack;
    /// let stack = ExitStack::new();
    /// stack.push(async { Err("one") });
    /// stack.push(async { Err("two") });
    /// let errors = runtime::block_on(stack.close()).unwrap_err();
    /// assert_eq!(errors.to_string(), "2 errors: two; one");
    /// ```
    #[doc(alias = "aclose")]
    pub async fn close(self) -> Result<(), ExitErrors<E>> {
        let errors = std::future::ready(()).finally(|_| self.run_exits()).await;
        if errors.is_empty() { Ok(()) } else { Err(ExitErrors(errors)) }
    }

    /// Runs `body` with a new stack, and closes that, however `body` ends: with `Ok`, with `Err` (say, because entering the third of
    /// three failed), by a panic, or because the task is asked to end.
    ///
    /// # Errors
    /// That of `body`, then those of the exits in the order in which they ran.
    ///
    /// # Panics
    /// When `body` panicked, or an exit did; after all exits have run.
    ///
    /// # Cancel safety
    /// Dropped (by an abort, by the end of `block_on`), the exits do not run: it says so.
    ///
    /// ```
    /// use runtime::group::ExitStack;
    /// let ran = runtime::block_on(ExitStack::with(async |stack| {
    ///     stack.push(async { Err("and it did not close") });
    ///     Err::<(), _>("it went wrong")
    /// }));
    /// assert_eq!(ran.unwrap_err().into_vec(), ["it went wrong", "and it did not close"]);
    /// ```
    pub async fn with<T>(body: impl AsyncFnOnce(&Self) -> Result<T, E>) -> Result<T, ExitErrors<E>> {
        let stack = Self::new();
        let body = body(&stack);
        let ended = body.finally(async |ended| {
            let mut errors = stack.run_exits().await;
            match ended {
                Ended::Done(Ok(output)) if errors.is_empty() => Some(Ok(output)),
                Ended::Done(Ok(_)) => Some(Err(ExitErrors(errors))),
                Ended::Done(Err(error)) => {
                    errors.insert(0, error);
                    Some(Err(ExitErrors(errors)))
                }
                Ended::Panicked(panic) => resume_unwind(panic.into_payload()),
                Ended::Cancelled => None,
            }
        });
        ended.await.expect("what was cancelled gives nothing")
    }

    async fn run_exits(&self) -> Vec<E> {
        let (mut errors, mut panicked) = (Vec::new(), None);
        while let Some(exit) = self.pop() {
            match caught(exit).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => errors.push(error),
                Err(payload) => panicked = panicked.or(Some(payload)),
            }
        }
        if let Some(payload) = panicked {
            resume_unwind(payload);
        }
        errors
    }

    fn pop(&self) -> Option<Exit<E>> {
        self.exits.lock().unwrap().pop()
    }

    /// What is said of a stack that is dropped, if anything.
    fn complaint(&self) -> Option<String> {
        let left = self.len();
        let exits = if left == 1 { "exit" } else { "exits" };
        (left > 0).then(|| format!("runtime: an ExitStack was dropped without close: {left} {exits} did not run"))
    }
}

/// Awaits an exit that may panic. It is dropped in any case.
async fn caught<E>(exit: Exit<E>) -> Result<Result<(), E>, Box<dyn Any + Send>> {
    let mut exit = Some(exit);
    std::future::poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| {
            let output = ready!(exit.as_mut().expect("it is there until it is over").as_mut().poll(context));
            // In here: its drop may panic too.
            exit = None;
            Poll::Ready(output)
        }));
        match polled {
            Ok(polled) => polled.map(Ok),
            Err(payload) => {
                contain(|| exit = None);
                Poll::Ready(Err(payload))
            }
        }
    })
    .await
}

impl<E> Default for ExitStack<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E> Drop for ExitStack<E> {
    fn drop(&mut self) {
        if let Some(complaint) = self.complaint() {
            eprintln!("{complaint}");
        }
        while let Some(exit) = self.pop() {
            drop(exit);
        }
    }
}

impl<E> fmt::Debug for ExitStack<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExitStack").field("exits", &self.len()).finish()
    }
}

/// All that went wrong: what the body failed with, if it did, then what its exits failed with. There is at least one.
///
/// ```
/// use runtime::group::{ExitErrors, ExitStack};
/// let stack = ExitStack::new();
/// stack.push(async { Err("the disk is full") });
/// let errors: ExitErrors<&str> = runtime::block_on(stack.close()).unwrap_err();
/// assert_eq!(errors.to_string(), "the disk is full");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExitErrors<E>(Vec<E>);

impl<E> ExitErrors<E> {
    /// The errors, first come first.
    ///
    /// ```
    /// use runtime::group::ExitStack;
    /// let failed = ExitStack::with(async |_| Err::<(), _>(404));
    /// assert_eq!(runtime::block_on(failed).unwrap_err().errors(), [404]);
    /// ```
    pub fn errors(&self) -> &[E] {
        &self.0
    }

    /// The errors by value, first come first.
    ///
    /// ```
    /// use runtime::group::ExitStack;
    /// let failed = ExitStack::with(async |_| Err::<(), _>("no".to_owned()));
    /// assert_eq!(runtime::block_on(failed).unwrap_err().into_vec(), ["no"]);
    /// ```
    pub fn into_vec(self) -> Vec<E> {
        self.0
    }
}

impl<E: fmt::Display> fmt::Display for ExitErrors<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [error] = &self.0[..] {
            return error.fmt(f);
        }
        write!(f, "{} errors: ", self.0.len())?;
        for (number, error) in self.0.iter().enumerate() {
            write!(f, "{}{error}", if number > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}

impl<E: std::error::Error> std::error::Error for ExitErrors<E> {}

#[cfg(all(test, not(runtime_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_stack_that_is_dropped_says_what_did_not_run() {
        let stack = ExitStack::<()>::new();
        assert_eq!(stack.complaint(), None);
        stack.push(async { Ok(()) });
        let one = "runtime: an ExitStack was dropped without close: 1 exit did not run";
        assert_eq!(stack.complaint().as_deref(), Some(one));
        stack.push(async { Ok(()) });
        assert!(stack.complaint().is_some_and(|said| said.ends_with("2 exits did not run")));
        let moved = stack.pop_all();
        assert_eq!(stack.complaint(), None);
        let mut closes = std::pin::pin!(moved.close());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert_eq!(closes.as_mut().poll(&mut context), Poll::Ready(Ok(())));
    }
}
