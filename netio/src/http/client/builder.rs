//! A client's choices.

use super::{
    Client, Inner,
    middleware::{Layer, Middleware},
};
use std::{fmt, sync::Arc, time::Duration};

/// Makes a [`Client`]. From [`Client::builder`].
#[derive(Clone, Debug, Default)]
pub struct ClientBuilder {
    settings: Settings,
    layers: Layers,
}

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) timeout: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) keep_alive_time: Duration,
    pub(super) head_bytes: usize,
    pub(super) body_bytes: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            keep_alive_time: Duration::from_secs(30),
            head_bytes: 64 * 1024,
            body_bytes: 64 * 1024 * 1024,
        }
    }
}

/// The outermost first.
#[derive(Clone, Default)]
struct Layers(Vec<Layer>);

impl fmt::Debug for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} layers", self.0.len())
    }
}

impl ClientBuilder {
    /// How long a whole fetch may take, from the lookup of the name to the end of the body: 30 s.
    pub fn timeout(mut self, longest: Duration) -> Self {
        self.settings.timeout = longest;
        self
    }

    /// How long looking up the name and connecting may take: 10 s.
    pub fn connect_timeout(mut self, longest: Duration) -> Self {
        self.settings.connect_timeout = longest;
        self
    }

    /// How long a connection is kept for the next request: 30 s. Zero keeps none. One that is too old is closed when the
    /// client is used next, or dropped.
    pub fn keep_alive_time(mut self, longest: Duration) -> Self {
        self.settings.keep_alive_time = longest;
        self
    }

    /// How many bytes the head of a response may have: 64 KiB.
    pub fn head_bytes(mut self, most: usize) -> Self {
        self.settings.head_bytes = most;
        self
    }

    /// How many bytes the body of a response may have: 64 MiB.
    pub fn body_bytes(mut self, most: u64) -> Self {
        self.settings.body_bytes = most;
        self
    }

    /// Puts a [middleware](super::middleware) around every request, further in than those before it.
    pub fn layer(mut self, layer: impl Middleware) -> Self {
        self.layers.0.push(Arc::new(move |request, next| Box::pin(layer.handle(request, next))));
        self
    }

    /// The client.
    pub fn build(self) -> Client {
        Client {
            inner: Arc::new(Inner { settings: self.settings, pool: Default::default(), layers: self.layers.0.into() }),
        }
    }
}
