//! A layer that finds out how many requests at once the other side bears.

use super::{BoxFetch, Next};
use crate::{
    http::{
        Body, StatusCode,
        client::{ClientRequest, Error},
    },
    policy::{AdaptiveLimit, AdaptivePermit},
};
use bytes::Bytes;
use futures_core::Stream;
use runtime::time::Instant;
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

/// A layer in which so many requests run at once as the limit allows: from their turn to the end of the body, or its drop. The
/// sample of each is how long that took and how many bytes the body had.
///
/// A failure, which lowers the limit, is 429 and 503, a time that is up, and a body that fails. A body that is dropped before its
/// end is no sample: its reader had enough, and that tells nothing. Nor is any other error.
///
/// Whoever holds responses without reading them holds places.
///
/// ```
/// use netio::{http::client::{Client, middleware::adaptive}, policy::{AdaptiveLimit, Goal}};
/// use std::time::Duration;
/// let limit = AdaptiveLimit::new(2..=50, Goal::Latency(Duration::from_millis(200)));
/// let client = Client::builder().layer(adaptive(limit.clone())).build();
/// assert_eq!(limit.limit(), 50);
/// ```
pub fn adaptive(limit: AdaptiveLimit) -> impl Fn(ClientRequest, Next) -> BoxFetch + Send + Sync + 'static {
    move |request, next| {
        let limit = limit.clone();
        Box::pin(async move {
            let permit = limit.acquire().await;
            let start = Instant::now();
            let mut response = next.run(request).await.inspect_err(|error| {
                if matches!(error, Error::Timeout { .. }) {
                    limit.record_failure();
                }
            })?;
            match response.status() {
                StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => limit.record_failure(),
                _ => response.map_body(|body| {
                    let length = body.length();
                    let measured = Body::stream(Measured { body, bytes: 0, start, limit, permit: Some(permit) });
                    length.into_iter().fold(measured, Body::with_length)
                }),
            }
            Ok(response)
        })
    }
}

/// A body that is a sample when it is over.
struct Measured {
    body: Body,
    bytes: u64,
    start: Instant,
    limit: AdaptiveLimit,
    /// `None`: it is over, and was counted.
    permit: Option<AdaptivePermit>,
}

impl Stream for Measured {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = Pin::new(&mut self.body).poll_next(context);
        match &item {
            Poll::Ready(Some(Ok(chunk))) => self.bytes += chunk.len() as u64,
            // The permit first: a sample that raises the limit should find the place free.
            Poll::Ready(end) if self.permit.take().is_some() => match end {
                None => self.limit.record(self.bytes, self.start.elapsed()),
                Some(_) => self.limit.record_failure(),
            },
            _ => {}
        }
        item
    }
}
