//! What an HTTP exchange allows: which failures pass, and what may be sent twice.

use super::Verdict;
use crate::http::{
    HeaderMap, Method, StatusCode,
    client::{self, ClientRequest, ClientResponse, Phase},
    header,
};
use runtime::time::wall_clock;
use std::time::Duration;

/// The judge of HTTP exchanges: whether a request may be sent again after this answer, or this failure.
///
/// | what came | sent again |
/// |---|---|
/// | 500, 502, 503, 504 | if doing it twice is doing it once |
/// | 429 | the same; the wait is what `Retry-After` says, as with 503 |
/// | any other status | no: it is the answer |
/// | no address, no connection, or no time for these | yes: the server has not seen it |
/// | a connection that was lost, an answer that was late | if doing it twice is doing it once |
/// | a URL that cannot be fetched, an answer that breaks the protocol or is too large | no: it would be the same again |
///
/// Doing it twice is doing it once for the idempotent methods (GET, HEAD, OPTIONS, TRACE, PUT, DELETE), and for a request with
/// an `Idempotency-Key`, by which its server knows it again.
///
/// ```
/// use netio::{http::{Method, Request, Response, StatusCode, client::Client, reply, server::Server}, policy::{HttpRetry, Retry}};
/// use std::sync::atomic::{AtomicU32, Ordering};
/// # runtime::Runtime::builder().virtual_clock().build().unwrap().block_on(async {
/// static ASKED: AtomicU32 = AtomicU32::new(0);
/// let server = Server::bind("127.0.0.1:0").unwrap();
/// let url = format!("http://{}/", server.local_addr());
/// runtime::spawn(server.serve(async |_: Request| match ASKED.fetch_add(1, Ordering::Relaxed) {
///     0 => reply(StatusCode::SERVICE_UNAVAILABLE, "text/plain", "later"),
///     _ => Response::new("hello".into()),
/// }));
///
/// let (client, judge) = (Client::new(), HttpRetry::new(&Method::GET));
/// let fetch = |_| async { judge.check(client.get(&url).await?) };
/// let response = Retry::new(3).run(fetch, |failure| judge.verdict(failure)).await.unwrap();
/// assert_eq!(response.text().await.unwrap(), "hello");
/// # });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpRetry {
    repeatable: bool,
}

/// Why an exchange has to be tried again, or has failed.
#[derive(Debug, thiserror::Error)]
pub enum HttpFailure {
    /// An answer that is none yet.
    #[error("the server answered {status}")]
    Status {
        /// Its status.
        status: StatusCode,
        /// What it said of when to come again.
        retry_after: Option<Duration>,
    },
    /// No answer.
    #[error(transparent)]
    Client(#[from] client::Error),
}

impl HttpRetry {
    /// For requests with this method, without an `Idempotency-Key`.
    ///
    /// ```
    /// use netio::{http::{HeaderMap, Method, StatusCode}, policy::{HttpRetry, Verdict}};
    /// let verdict = |method| HttpRetry::new(&method).status(StatusCode::BAD_GATEWAY, &HeaderMap::new());
    /// assert_eq!(verdict(Method::GET), Verdict::Retry);
    /// assert_eq!(verdict(Method::POST), Verdict::Stop); // it may have been done
    /// ```
    pub fn new(method: &Method) -> Self {
        HttpRetry { repeatable: method.is_idempotent() }
    }

    /// For this request.
    ///
    /// ```
    /// use netio::{http::{HeaderMap, StatusCode, client::ClientRequest}, policy::{HttpRetry, Verdict}};
    /// let mut order = ClientRequest::default();
    /// *order.method_mut() = "POST".parse().unwrap();
    /// order.headers_mut().insert("idempotency-key", "order-4711".parse().unwrap());
    /// assert_eq!(HttpRetry::of(&order).status(StatusCode::BAD_GATEWAY, &HeaderMap::new()), Verdict::Retry);
    /// ```
    pub fn of(request: &ClientRequest) -> Self {
        let keyed = request.headers().contains_key("idempotency-key");
        HttpRetry { repeatable: keyed || request.method().is_idempotent() }
    }

    /// Whatever the method: you know that doing it twice does no harm.
    ///
    /// ```
    /// use netio::{http::{HeaderMap, Method, StatusCode}, policy::{HttpRetry, Verdict}};
    /// let judge = HttpRetry::new(&Method::POST).repeatable();
    /// assert_eq!(judge.status(StatusCode::BAD_GATEWAY, &HeaderMap::new()), Verdict::Retry);
    /// ```
    pub fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// The verdict on an answer, by its status and its `Retry-After`.
    ///
    /// ```
    /// use netio::{http::{HeaderMap, Method, StatusCode, header::RETRY_AFTER}, policy::{HttpRetry, Verdict}};
    /// use std::time::Duration;
    /// let headers = HeaderMap::from_iter([(RETRY_AFTER, "7".parse().unwrap())]);
    /// let judge = HttpRetry::new(&Method::GET);
    /// let seven = Verdict::RetryAfter(Duration::from_secs(7));
    /// assert_eq!(judge.status(StatusCode::TOO_MANY_REQUESTS, &headers), seven);
    /// assert_eq!(judge.status(StatusCode::NOT_FOUND, &headers), Verdict::Stop);
    /// ```
    pub fn status(&self, status: StatusCode, headers: &HeaderMap) -> Verdict {
        self.on_status(status, wait_asked_for(status, headers))
    }

    /// The verdict on a failure of the client.
    ///
    /// ```
    /// use netio::{http::{Method, client::{Error, Phase, TimeoutKind}}, policy::{HttpRetry, Verdict}};
    /// use std::time::Duration;
    /// let (kind, limit) = (TimeoutKind::Total, Duration::from_secs(1));
    /// let late = |phase| Error::Timeout { url: "http://shop/order".to_owned(), phase, kind, limit };
    /// let judge = HttpRetry::new(&Method::POST);
    /// assert_eq!(judge.error(&late(Phase::Connect)), Verdict::Retry); // nobody has seen the order
    /// assert_eq!(judge.error(&late(Phase::Head)), Verdict::Stop); // somebody may have
    /// ```
    pub fn error(&self, error: &client::Error) -> Verdict {
        use client::Error;
        let unseen = matches!(error.phase(), Some(Phase::Acquire | Phase::Resolve | Phase::Connect));
        match error {
            Error::Dns { .. } | Error::Connect { .. } | Error::Lost { .. } | Error::Timeout { .. }
                if unseen || self.repeatable =>
            {
                Verdict::Retry
            }
            Error::Status { status, .. } => self.on_status(*status, None),
            _ => Verdict::Stop,
        }
    }

    /// The verdict on either.
    pub fn verdict(&self, failure: &HttpFailure) -> Verdict {
        match failure {
            HttpFailure::Status { status, retry_after } => self.on_status(*status, *retry_after),
            HttpFailure::Client(error) => self.error(error),
        }
    }

    /// Takes an answer for a failure if its status is one of those that pass (429, 500, 502, 503, 504), also if the request may
    /// not be sent again; any other is what was asked for.
    ///
    /// # Errors
    /// [`HttpFailure::Status`]. The body is not read; its connection is closed.
    pub fn check(&self, response: ClientResponse) -> Result<ClientResponse, HttpFailure> {
        let status = response.status();
        if passes(status) {
            return Err(HttpFailure::Status { status, retry_after: wait_asked_for(status, response.headers()) });
        }
        Ok(response)
    }

    fn on_status(&self, status: StatusCode, retry_after: Option<Duration>) -> Verdict {
        match retry_after {
            _ if !self.repeatable || !passes(status) => Verdict::Stop,
            Some(wait) => Verdict::RetryAfter(wait),
            None => Verdict::Retry,
        }
    }
}

/// Will it pass?
fn passes(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 500 | 502 | 503 | 504)
}

/// Redirects may have the field as well, with another meaning.
fn wait_asked_for(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    matches!(status.as_u16(), 429 | 503).then(|| retry_after(headers)).flatten()
}

/// What `Retry-After` says: a number of seconds, or a date, which is measured with [`wall_clock`]; zero if the date has passed.
/// `None`: there is no such field, or it says neither.
///
/// ```
/// use netio::{http::{HeaderMap, header::RETRY_AFTER}, policy::retry_after};
/// use std::time::Duration;
/// # runtime::Runtime::builder().virtual_clock().build().unwrap().block_on(async {
/// let says = |text: &str| retry_after(&HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]));
/// assert_eq!(says("120"), Some(Duration::from_secs(120)));
/// assert_eq!(says("soon"), None);
/// // It is 01:46:40, as it always is when a virtual clock starts.
/// assert_eq!(says("Sun, 09 Sep 2001 01:47:00 GMT"), Some(Duration::from_secs(20)));
/// assert_eq!(says("Sun, 09 Sep 2001 00:00:00 GMT"), Some(Duration::ZERO));
/// # });
/// ```
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More than fits is still a number, and very long.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(wall_clock()).unwrap_or_default())
}
