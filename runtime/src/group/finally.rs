//! What runs when a future has ended, however it did: the bracket of acquire, use, release.

use super::{CancelExt, on_cancel::keep_place, scope::shielded};
use crate::{task::Panic, worker::Place};
use pin_project_lite::pin_project;
use std::{
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    sync::Mutex,
    task::{Context, Poll, ready},
};

/// How a body came to its end, for what runs after it.
///
/// ```
/// use runtime::group::{CancelExt, Ended};
/// runtime::block_on(async {
///     let loud = async { panic!("no") };
///     let said = loud.finally(async |ended: Ended<()>| matches!(ended, Ended::Panicked(_)));
///     assert!(said.await);
/// });
/// ```
pub enum Ended<T> {
    /// It gave its output.
    Done(T),
    /// Its task is asked to end: it was dropped where it stood.
    Cancelled,
    /// It panicked, with this: [`resume_unwind`], given its [payload](Panic::into_payload), lets that go on.
    Panicked(Panic),
}

impl<T> Ended<T> {
    /// The output, if there is one.
    ///
    /// ```
    /// use runtime::group::Ended;
    /// assert_eq!(Ended::Done(5).done(), Some(5));
    /// assert_eq!(Ended::<u8>::Cancelled.done(), None);
    /// ```
    pub fn done(self) -> Option<T> {
        if let Ended::Done(output) = self { Some(output) } else { None }
    }
}

/// How it ended, in a word; of a panic, what it said.
impl<T> fmt::Display for Ended<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ended::Done(_) => f.write_str("done"),
            Ended::Cancelled => f.write_str("cancelled"),
            Ended::Panicked(panic) => write!(f, "panicked: {}", panic.message().unwrap_or("with what is no text")),
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Ended<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ended::Done(output) => f.debug_tuple("Done").field(output).finish(),
            Ended::Cancelled => f.write_str("Cancelled"),
            Ended::Panicked(panic) => f.debug_tuple("Panicked").field(panic).finish(),
        }
    }
}

pin_project! {
    /// A future, and what runs after it. From [`CancelExt::finally`].
    ///
    /// ```
    /// use runtime::group::CancelExt;
    /// use std::future::ready;
    /// let both = ready(5).finally(|ended| ready(ended.done()));
    /// assert_eq!(runtime::block_on(both), Some(5));
    /// ```
    #[must_use = "it does nothing until it is awaited"]
    pub struct Finally<B, E, X> {
        #[pin]
        stage: Stage<B, E, X>,
        // After the stage: those inside go first.
        place: Option<Place>,
    }
}

pin_project! {
    #[project = StageProjected]
    enum Stage<B, E, X> {
        Body { #[pin] body: B, exit: Option<E> },
        Exit { #[pin] exit: X, cancelled: bool },
        // It waits to be dropped, with all that is around it.
        Over,
        Ready,
    }
}

impl<B, E, X> Finally<B, E, X> {
    pub(super) fn new(body: B, exit: E) -> Self {
        Self { stage: Stage::Body { body, exit: Some(exit) }, place: None }
    }
}

impl<B, E, X> Future for Finally<B, E, X>
where
    B: Future,
    E: FnOnce(Ended<B::Output>) -> X,
    X: Future,
{
    type Output = X::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<X::Output> {
        let mut this = self.project();
        loop {
            match this.stage.as_mut().project() {
                StageProjected::Body { body, exit } => {
                    keep_place(this.place, context);
                    let place = this.place.as_ref();
                    let mut ended = if place.is_some_and(|place| place.is_told(context.waker())) {
                        Ended::Cancelled
                    } else {
                        match catch_unwind(AssertUnwindSafe(|| match place {
                            Some(place) => place.around(|| body.poll(context)),
                            None => body.poll(context),
                        })) {
                            Ok(polled) => Ended::Done(ready!(polled)),
                            Err(payload) => Ended::Panicked(Panic::new(payload)),
                        }
                    };
                    let exit = exit.take().expect("it is there until it is needed");
                    let asked = matches!(ended, Ended::Cancelled);
                    place.into_iter().for_each(|place| if asked { place.clean() } else { place.hold() });
                    // The body goes before the exit is made: what it had in its hands is free then.
                    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| this.stage.set(Stage::Over))) {
                        place.into_iter().for_each(Place::hold);
                        ended = Ended::Panicked(Panic::new(payload));
                    }
                    let cancelled = matches!(ended, Ended::Cancelled);
                    this.stage.set(Stage::Exit { exit: exit(ended), cancelled });
                }
                StageProjected::Exit { exit, cancelled } => {
                    let cancelled = *cancelled;
                    let output = ready!(shielded(this.place.as_ref(), || exit.poll(context)));
                    if !cancelled {
                        this.stage.set(Stage::Ready);
                        *this.place = None;
                        return Poll::Ready(output);
                    }
                    this.stage.set(Stage::Over);
                    drop(output);
                    this.place.as_ref().expect("it was told there").is_over();
                }
                StageProjected::Over => return Poll::Pending,
                StageProjected::Ready => panic!("polled after it was ready"),
            }
        }
    }
}

impl<B, E, X> fmt::Debug for Finally<B, E, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.stage {
            Stage::Body { .. } => "Finally(in its body)",
            Stage::Exit { .. } => "Finally(exits)",
            Stage::Over => "Finally(cleaned up)",
            Stage::Ready => "Finally(ready)",
        })
    }
}

/// Acquires a resource, lends it to `body`, and releases it, however `body` ends.
///
/// `enter` gives the resource. If it fails, that is all that happens. `exit` gets the resource back when `body` has given its
/// output, has panicked, or was dropped because the task is asked to end: to commit or to roll back, say. While it runs no request
/// interrupts it. A request while `enter` runs drops that, and there is nothing to release.
///
/// Gives the output of `body`, if `exit` went well. A panic goes on after `exit`, unless that puts an output in its place. (What it
/// gives after [`Ended::Cancelled`] is dropped: an error is to be told there.)
///
/// (In a future that must be `Send`, the compiler cannot follow a resource that is itself a reference: lend what owns it, or `()`.)
///
/// # Errors
/// That of `enter`, or that of `exit`.
///
/// # Cancel safety
/// Dropped (by an abort, by the end of `block_on`), it runs no `exit`: the resource is dropped. So its `Drop` should do what can be
/// done without an await.
///
/// ```
/// use runtime::group::with;
///
/// struct Connection(&'static str);
/// impl Connection {
///     async fn open(name: &'static str) -> Result<Self, String> {
///         if name.is_empty() { Err("a connection needs a name".to_owned()) } else { Ok(Self(name)) }
///     }
///     async fn close(self) -> Result<(), String> {
///         Ok(())
///     }
/// }
///
/// /// What `async with` is elsewhere.
/// async fn with_connection<T>(name: &'static str, body: impl AsyncFnOnce(&mut Connection) -> T) -> Result<T, String> {
///     with(Connection::open(name), body, async |connection, _ended| connection.close().await).await
/// }
///
/// runtime::block_on(async {
///     assert_eq!(with_connection("main", async |connection| connection.0.len()).await, Ok(4));
///     assert!(with_connection("", async |_| ()).await.is_err());
/// });
/// ```
///
/// What is not acquired yet can be a type of its own, without the methods that need it: then to use it too early does not compile.
///
/// ```compile_fail,E0599
/// struct Database;
/// struct Connection;
/// impl Connection {
///     async fn execute(&self, query: &str) {}
/// }
/// runtime::block_on(Database.execute("SELECT 1")); // no method named `execute` found for struct `Database`
/// ```
pub async fn with<R, T, E>(
    enter: impl Future<Output = Result<R, E>>,
    body: impl AsyncFnOnce(&mut R) -> T,
    exit: impl AsyncFnOnce(R, &mut Ended<T>) -> Result<(), E>,
) -> Result<T, E> {
    let given_back = Mutex::new(None);
    let entered = async {
        let mut lease = Lease { slot: &given_back, resource: Some(enter.await?) };
        Ok(body(lease.get()).await)
    };
    let ended = entered.finally(async |ended| {
        let mut ended = match ended {
            Ended::Done(Ok(output)) => Ended::Done(output),
            Ended::Done(Err(error)) => return Some(Err(error)),
            Ended::Cancelled => Ended::Cancelled,
            Ended::Panicked(panic) => Ended::Panicked(panic),
        };
        let resource = given_back.lock().unwrap().take();
        let exited = match resource {
            Some(resource) => exit(resource, &mut ended).await,
            None => Ok(()),
        };
        match ended {
            Ended::Done(output) => Some(exited.map(|()| output)),
            Ended::Panicked(panic) => resume_unwind(panic.into_payload()),
            Ended::Cancelled => None,
        }
    });
    ended.await.expect("what was cancelled gives nothing")
}

/// Has what is in a slot, and gives it back when it is dropped: so that first one future has it, and then another one.
pub(super) struct Lease<'slot, R> {
    slot: &'slot Mutex<Option<R>>,
    resource: Option<R>,
}

impl<'slot, R> Lease<'slot, R> {
    pub(super) fn take(slot: &'slot Mutex<Option<R>>) -> Self {
        let resource = slot.lock().unwrap().take();
        Self { slot, resource }
    }

    pub(super) fn get(&mut self) -> &mut R {
        self.resource.as_mut().expect("whoever had it before has given it back")
    }
}

impl<R> Drop for Lease<'_, R> {
    fn drop(&mut self) {
        // Nobody else has it: there is nothing in the slot.
        *self.slot.lock().unwrap() = self.resource.take();
    }
}
