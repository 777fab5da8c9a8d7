//! What tasks tell each other with. Knows nothing of the runtime, and runs on any executor.
//!
//! ```
//! use runtime::sync::{Event, oneshot};
//! runtime::block_on(async {
//!     let (ready, (answer, question)) = (std::sync::Arc::new(Event::new()), oneshot::channel());
//!     let server = runtime::spawn({
//!         let ready = ready.clone();
//!         async move {
//!             ready.set();
//!             answer.send(42)
//!         }
//!     });
//!     ready.wait().await;
//!     assert_eq!(question.await, Ok(42));
//!     assert_eq!(server.await.unwrap(), Ok(()));
//! });
//! ```

mod barrier;
pub mod broadcast;
mod condvar;
mod event;
mod guarded;
pub mod mpsc;
mod mutex;
mod notify;
mod once_cell;
pub mod oneshot;
pub mod queue;
mod rwlock;
mod semaphore;
mod turns;
mod waiters;
pub mod watch;

pub use barrier::{Barrier, BarrierWaitResult, Broken};
pub use condvar::Condvar;
pub use event::Event;
pub use mutex::{Mutex, MutexGuard, OwnedMutexGuard, TryLockError};
pub use notify::{Notified, Notify};
pub use once_cell::{OnceCell, SetError};
pub use rwlock::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use semaphore::{Closed, OwnedPermit, Permit, Semaphore, TryAcquireError};
