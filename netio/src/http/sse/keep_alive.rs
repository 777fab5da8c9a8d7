//! Comments in the silence between events.

use super::{EventWriter, KEEP_ALIVE, of_body};
use crate::http::{Body, Response};
use bytes::Bytes;
use futures_core::Stream;
use runtime::time::{Sleep, sleep};
use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

/// As [`response`](super::response), and whenever no event was sent for `silence`, a line that the browser ignores. Proxies
/// close a connection on which nothing is said, some after 30 seconds; 15 are usual.
///
/// ```
/// use netio::http::sse;
/// use std::time::Duration;
///
/// let response = sse::response_with_keep_alive(Duration::from_secs(15), |mut events| async move {
///     runtime::time::sleep(Duration::from_secs(3600)).await;
///     events.send(sse::Event::data("an hour has passed")).await
/// });
/// # let _ = response;
/// ```
pub fn response_with_keep_alive<F>(silence: Duration, send: impl FnOnce(EventWriter) -> F) -> Response
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let events = Body::writer(|body| send(EventWriter(body)));
    of_body(Body::stream(KeptAlive { events, silence, until: None }))
}

/// A body of whole events, with comments between them.
struct KeptAlive {
    events: Body,
    silence: Duration,
    /// Since when the silence lasts, there is an end to it.
    until: Option<Pin<Box<Sleep>>>,
}

impl Stream for KeptAlive {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if let Poll::Ready(item) = Pin::new(&mut this.events).poll_next(context) {
            this.until = None;
            return Poll::Ready(item);
        }
        let until = this.until.get_or_insert_with(|| Box::pin(sleep(this.silence)));
        ready!(until.as_mut().poll(context));
        this.until = None;
        Poll::Ready(Some(Ok(Bytes::from_static(KEEP_ALIVE.as_bytes()))))
    }
}
