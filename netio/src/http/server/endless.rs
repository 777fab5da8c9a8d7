//! Bodies that end when the server does.

use super::ServerHandle;
use crate::http::body::Chunks;
use bytes::Bytes;
use futures_core::Stream;
use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
};

/// An extension for a [`Response`](crate::http::Response) whose body has no end by its nature: when the server is to stop, it
/// ends well, instead of holding up the others until the [grace](super::Limits::shutdown_grace) is over. A body of server-sent
/// events has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endless;

/// A body, until the server is to stop.
struct UntilStop {
    chunks: Chunks,
    stop: Pin<Box<dyn Future<Output = ()> + Send>>,
}

pub(super) fn until_stop(chunks: Chunks, server: &ServerHandle) -> Chunks {
    let server = server.clone();
    Box::pin(UntilStop { chunks, stop: Box::pin(async move { server.stopping().await }) })
}

impl Stream for UntilStop {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.chunks.as_mut().poll_next(context) {
            Poll::Pending => self.stop.as_mut().poll(context).map(|()| None),
            chunk => chunk,
        }
    }
}
