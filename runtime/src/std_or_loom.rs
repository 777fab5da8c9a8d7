//! The few primitives that our protocols are made of: `std`'s, or loom's when a model is being checked.
//!
//! `task`, `queue`, `time::timers`, `reactor::source`, `blocking`, `sync`, `worker::idle` and `worker::park` take their atomics, cells,
//! locks and threads from here and from nowhere else, so that `--cfg runtime_loom` puts the very same code under the model
//! checker. Loom's `UnsafeCell` hands out pointers through closures, to know when an access begins and ends; the `std` side
//! wears the same shape.

// ANCHOR: types
#[cfg(runtime_loom)]
pub(crate) use loom::{
    cell::UnsafeCell,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicPtr, AtomicU8, AtomicUsize, Ordering, fence},
    },
};

#[cfg(not(runtime_loom))]
pub(crate) use self::plain::UnsafeCell;
#[cfg(not(runtime_loom))]
pub(crate) use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicPtr, AtomicU8, AtomicUsize, Ordering, fence},
};
// ANCHOR_END: types

#[cfg(not(runtime_loom))]
mod plain {
    /// `std`'s cell in the shape of loom's.
    #[derive(Debug)]
    pub(crate) struct UnsafeCell<T: ?Sized>(std::cell::UnsafeCell<T>);

    impl<T> UnsafeCell<T> {
        pub(crate) const fn new(value: T) -> Self {
            Self(std::cell::UnsafeCell::new(value))
        }

        pub(crate) fn into_inner(self) -> T {
            self.0.into_inner()
        }
    }

    impl<T: ?Sized> UnsafeCell<T> {
        #[inline]
        pub(crate) fn with<R>(&self, access: impl FnOnce(*const T) -> R) -> R {
            access(self.0.get())
        }

        #[inline]
        pub(crate) fn with_mut<R>(&self, access: impl FnOnce(*mut T) -> R) -> R {
            access(self.0.get())
        }
    }
}

/// A `const fn`; but under loom, whose primitives cannot be made at compile time, a plain one.
macro_rules! const_fn {
    ($(#[$attribute:meta])* $visibility:vis fn $($rest:tt)*) => {
        #[cfg(not(runtime_loom))]
        $(#[$attribute])*
        $visibility const fn $($rest)*

        #[cfg(runtime_loom)]
        $(#[$attribute])*
        $visibility fn $($rest)*
    };
}
pub(crate) use const_fn;

/// Threads, and how they sleep.
#[cfg(not(runtime_loom))]
pub(crate) mod thread {
    pub(crate) use std::thread::{JoinHandle, Thread, ThreadId, current};
    use std::{
        io, thread,
        time::{Duration, Instant},
    };

    pub(crate) fn start(name: &str, life: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
        thread::Builder::new().name(name.into()).spawn(life)
    }

    /// Sleeps until it is unparked, `longest` has passed, or for no reason. `true`: the time is up.
    pub(crate) fn park_timeout(longest: Duration) -> bool {
        let start = Instant::now();
        thread::park_timeout(longest);
        start.elapsed() >= longest
    }
}

/// Loom knows no time. A sleep with an end, here, ends at once: at whatever moment loom chooses to let the thread go on. One
/// without (`Duration::MAX`) ends when the thread is unparked.
#[cfg(runtime_loom)]
pub(crate) mod thread {
    use loom::thread;
    pub(crate) use loom::thread::{JoinHandle, Thread, ThreadId, current};
    use std::{io, time::Duration};

    pub(crate) fn start(name: &str, life: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
        thread::Builder::new().name(name.into()).spawn(life)
    }

    pub(crate) fn park_timeout(longest: Duration) -> bool {
        if longest == Duration::MAX {
            thread::park();
            return false;
        }
        thread::yield_now();
        true
    }
}

/// A waker for models, and whether it was woken.
#[cfg(all(test, runtime_loom))]
#[derive(Default)]
pub(crate) struct Flag(std::sync::atomic::AtomicBool);

#[cfg(all(test, runtime_loom))]
impl Flag {
    pub(crate) fn waker() -> (std::sync::Arc<Flag>, std::task::Waker) {
        let flag = std::sync::Arc::<Flag>::default();
        (flag.clone(), std::task::Waker::from(flag))
    }

    pub(crate) fn is_up(&self) -> bool {
        self.0.load(std::sync::atomic::Ordering::SeqCst)
    }
}

#[cfg(all(test, runtime_loom))]
impl std::task::Wake for Flag {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.store(true, std::sync::atomic::Ordering::SeqCst);
    }
}

/// Runs `claim` under every interleaving, as far as `preemptions` reach (or `LOOM_MAX_PREEMPTIONS`, where that is smaller), and
/// prints how many there were: a model that explores nothing would stay green too.
#[cfg(all(test, runtime_loom))]
pub(crate) fn model(name: &str, preemptions: usize, claim: impl Fn() + Sync + Send + 'static) {
    let executions = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = executions.clone();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(builder.preemption_bound.unwrap_or(preemptions).min(preemptions));
    builder.check(move || {
        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        claim();
    });
    println!("model {name}: {} executions", executions.load(std::sync::atomic::Ordering::Relaxed));
}
