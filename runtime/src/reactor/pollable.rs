//! What can be waited for.

use super::poller::Watched;
use crate::network::{Listener, Stream};
use std::os::fd::AsFd;

/// Something that a poller can watch: whatever has a descriptor, and the sockets of a simulated world. Nobody outside can name
/// this trait, and so add to it.
#[diagnostic::on_unimplemented(message = "`{Self}` has no descriptor to wait for: it does not implement `AsFd`")]
pub trait Pollable {
    /// How the poller knows it.
    fn watched(&self) -> Watched<'_>;
}

impl<T: AsFd> Pollable for T {
    fn watched(&self) -> Watched<'_> {
        Watched::Descriptor(self.as_fd())
    }
}

impl Pollable for Listener {
    fn watched(&self) -> Watched<'_> {
        Watched::Simulated(self.socket())
    }
}

impl Pollable for Stream {
    fn watched(&self) -> Watched<'_> {
        Watched::Simulated(self.socket())
    }
}
