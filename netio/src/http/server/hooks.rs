//! What is to be done before a server serves, when it stops, and after it has served.
//!
//! ```text
//!   on_startup A ─> cleanup_ctx B ─> on_cleanup C ─> on_startup D ─> … serves … ─> on_shutdown E ─> C ─> B's cleanup
//!                                                         │ fails
//!                                                         └──────────────────────────────────────> C ─> B's cleanup
//! ```
//!
//! The hooks stand in one list, in the order in which they were added. What starts is done in that order; each cleanup counts
//! from the moment when its turn has come, and cleanups are done in the reverse order, each exactly once, whatever fails.

use super::ServeError;
use futures_lite::FutureExt;
use runtime::time::timeout;
use std::{
    error::Error,
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, Location},
    pin::Pin,
    time::Duration,
};

/// Any error.
pub type BoxError = Box<dyn Error + Send + Sync>;

type Doing<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// What a hook gives: nothing, or a `Result` of that.
pub trait Outcome {
    /// As a `Result`.
    #[doc(hidden)]
    fn outcome(self) -> Result<(), BoxError>;
}

impl Outcome for () {
    fn outcome(self) -> Result<(), BoxError> {
        Ok(())
    }
}

impl<E: Into<BoxError>> Outcome for Result<(), E> {
    fn outcome(self) -> Result<(), BoxError> {
        self.map_err(Into::into)
    }
}

/// A hook that failed: which, where it was added, and why.
#[derive(Debug)]
pub struct HookError {
    kind: Kind,
    at: &'static Location<'static>,
    /// Why.
    pub error: BoxError,
}

impl fmt::Display for HookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let HookError { kind, at, error } = self;
        write!(f, "the {kind} hook of {}:{} failed: {error}", at.file(), at.line())
    }
}

impl Error for HookError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.error)
    }
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Startup,
    Shutdown,
    Cleanup,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Startup => "startup",
            Kind::Shutdown => "shutdown",
            Kind::Cleanup => "cleanup",
        })
    }
}

struct Hook<T> {
    at: &'static Location<'static>,
    doing: Doing<T>,
}

impl<T> Hook<T> {
    /// Does it; a panic is an error like others.
    async fn run(self, kind: Kind) -> Result<T, HookError> {
        let Hook { at, doing } = self;
        let done = AssertUnwindSafe(doing).catch_unwind().await.unwrap_or_else(|panic| {
            let message = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let message = message.or_else(|| panic.downcast_ref::<String>().cloned());
            Err(format!("it panicked: {}", message.unwrap_or_default()).into())
        });
        done.map_err(|error| HookError { kind, at, error })
    }

    async fn run_within(self, kind: Kind, most: Duration) -> Result<T, HookError> {
        let at = self.at;
        let late = |_| HookError { kind, at, error: format!("it was not done within {most:?}").into() };
        timeout(most, self.run(kind)).await.map_err(late)?
    }
}

/// All hooks of a server.
#[derive(Default)]
pub(super) struct Hooks {
    /// Each may leave a cleanup.
    starts: Vec<Hook<Option<Hook<()>>>>,
    shutdowns: Vec<Hook<()>>,
    /// Everything has started.
    started: bool,
}

impl Hooks {
    #[track_caller]
    pub(super) fn on_startup(&mut self, doing: impl Future<Output: Outcome> + Send + 'static) {
        let doing = Box::pin(async { doing.await.outcome().map(|()| None) });
        self.starts.push(Hook { at: Location::caller(), doing });
    }

    #[track_caller]
    pub(super) fn on_cleanup(&mut self, doing: impl Future<Output: Outcome> + Send + 'static) {
        let at = Location::caller();
        let doing: Doing<()> = Box::pin(async { doing.await.outcome() });
        self.starts.push(Hook { at, doing: Box::pin(async move { Ok(Some(Hook { at, doing })) }) });
    }

    #[track_caller]
    pub(super) fn cleanup_ctx<C, E>(&mut self, start: impl Future<Output = Result<C, E>> + Send + 'static)
    where
        C: Future<Output: Outcome> + Send + 'static,
        E: Into<BoxError>,
    {
        let at = Location::caller();
        let doing = async move {
            let cleanup = start.await.map_err(Into::into)?;
            let doing: Doing<()> = Box::pin(async { cleanup.await.outcome() });
            Ok(Some(Hook { at, doing }))
        };
        self.starts.push(Hook { at, doing: Box::pin(doing) });
    }

    #[track_caller]
    pub(super) fn on_shutdown(&mut self, doing: impl Future<Output: Outcome> + Send + 'static) {
        let doing = Box::pin(async { doing.await.outcome() });
        self.shutdowns.push(Hook { at: Location::caller(), doing });
    }

    /// Starts everything. What is to be cleaned up, is in `cleanups`, also when it fails or is dropped in the middle.
    pub(super) async fn start(&mut self, cleanups: &mut Cleanups) -> Result<(), HookError> {
        for start in self.starts.drain(..) {
            cleanups.0.extend(start.run(Kind::Startup).await?);
        }
        self.started = true;
        Ok(())
    }

    /// Tells that the server stops, if it ever served. All are told, whatever one of them says; together they have no more time
    /// than `most`.
    pub(super) async fn shut_down(self, most: Duration, end: &mut ServeError) {
        if !self.started {
            return;
        }
        let start = runtime::time::Instant::now();
        for hook in self.shutdowns {
            let left = most.saturating_sub(start.elapsed());
            end.hooks.extend(hook.run_within(Kind::Shutdown, left).await.err());
        }
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks").field("starts", &self.starts.len()).field("shutdowns", &self.shutdowns.len()).finish()
    }
}

/// What is to be cleaned up, the last first.
#[derive(Default)]
pub(super) struct Cleanups(Vec<Hook<()>>);

impl Cleanups {
    /// Cleans up everything, whatever fails; each may take no more than `most`.
    pub(super) async fn run(mut self, most: Duration, end: &mut ServeError) {
        while let Some(hook) = self.0.pop() {
            end.hooks.extend(hook.run_within(Kind::Cleanup, most).await.err());
        }
    }
}
