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

mod event;
pub mod oneshot;

pub use event::Event;
