//! A layer that does not ask a server which is down.

use super::{BoxFetch, Next};
use crate::{
    http::client::{ClientRequest, ClientResponse, Error, url},
    policy::{BreakerError, BreakerState, CircuitBreaker},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

/// With more hosts than this, those that are well are forgotten.
const MANY: usize = 1000;

/// A layer with a circuit breaker for each host and port, which `make` makes. A failure is a status from 500 on, and no answer
/// at all, unless that is our own fault ([`Error::Url`] and the like). What happens to the body later does not count.
///
/// When the breaker is open, the request is not sent: [`Error::Refused`].
///
/// ```
/// use netio::{http::client::{Client, middleware::breaker}, policy::CircuitBreaker};
/// let client = Client::builder().layer(breaker(|| CircuitBreaker::new().minimum(3))).build();
/// ```
pub fn breaker(
    make: impl Fn() -> CircuitBreaker + Send + Sync + 'static,
) -> impl Fn(ClientRequest, Next) -> BoxFetch + Send + Sync + 'static {
    let hosts: Mutex<HashMap<String, Arc<CircuitBreaker>>> = Mutex::default();
    let breaker_of = move |host: &str| {
        if let Some(breaker) = hosts.lock().expect(NO_PANIC).get(host) {
            return breaker.clone();
        }
        // Not under the lock: it is not our code.
        let new = Arc::new(make());
        let mut hosts = hosts.lock().expect(NO_PANIC);
        if hosts.len() >= MANY {
            hosts.retain(|_, breaker| breaker.state() != BreakerState::Closed);
        }
        hosts.entry(host.to_owned()).or_insert(new).clone()
    };
    move |request, next| {
        let host = request.uri().authority().map_or("", |authority| authority.as_str());
        let breaker = breaker_of(host);
        Box::pin(async move {
            let shown = url::shown(&request.uri().to_string()).into_owned();
            breaker.call_if(next.run(request), is_failure).await.map_err(|error| match error {
                BreakerError::Failed(error) => error,
                BreakerError::Refused(cause) => Error::Refused { url: shown, cause },
            })
        })
    }
}

const NO_PANIC: &str = "no code that could panic runs under this lock";

fn is_failure(result: &Result<ClientResponse, Error>) -> bool {
    match result {
        Ok(response) => response.status().is_server_error(),
        Err(error) => !matches!(error, Error::Url { .. } | Error::Request { .. } | Error::Redirect { .. }),
    }
}
