//! What tasks tell each other with. Needs `std` alone, and runs on any executor.

mod event;
pub mod oneshot;

pub use event::Event;
