//! A layer that lets so many requests through a second.

use super::{BoxFetch, Next};
use crate::{http::client::ClientRequest, policy::RateLimiter};
use std::sync::Arc;

/// A layer in which each request waits for its turn, first come, first served. Whoever has it still waits for a connection, and
/// redirects take no turn of their own. The time of a request ([`timeout`](crate::http::client::ClientBuilder::timeout)) begins
/// with its turn.
///
/// A limiter in an [`Arc`] can be shared: by several clients, or with what is no request.
///
/// ```
/// use netio::{http::client::{Client, middleware::rate_limit}, policy::RateLimiter};
/// let client = Client::builder().layer(rate_limit(RateLimiter::new(10.0).unwrap())).build();
/// ```
pub fn rate_limit(
    limiter: impl Into<Arc<RateLimiter>>,
) -> impl Fn(ClientRequest, Next) -> BoxFetch + Send + Sync + 'static {
    let limiter = limiter.into();
    move |request, next| {
        let limiter = limiter.clone();
        Box::pin(async move {
            limiter.until_ready().await;
            next.run(request).await
        })
    }
}
