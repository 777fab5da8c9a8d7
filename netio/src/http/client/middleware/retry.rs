//! A layer that asks again.

use super::{BoxFetch, Next};
use crate::{
    http::client::{ClientRequest, ClientResponse, Error},
    policy::{HttpRetry, Retry, Verdict},
};
use std::{fmt, sync::Arc};

/// How many tries a response took, with all that failed: an extension of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tries(pub u32);

/// A layer that sends a request again when it failed and that may help, as [`HttpRetry`] tells: after 429, 500, 502, 503 and 504,
/// and when there was no answer; not if the server may have acted on it and doing it twice is not doing it once; and not if its
/// body is a stream, which is used up. The waits are those of the [`Retry`], and `Retry-After` counts.
///
/// When no tries are left, what the last one gave is the result: also a response with such a status. How many tries it took is an
/// extension of the response: [`Tries`]. The time of a request is that of each try.
///
/// ```
/// use netio::{
///     http::{Request, StatusCode, client::{Client, middleware::{Tries, retry}}, reply, server::Server},
///     policy::Retry,
/// };
/// # runtime::Runtime::builder().virtual_clock().build().unwrap().block_on(async {
/// let server = Server::bind("127.0.0.1:0").unwrap();
/// let url = format!("http://{}/", server.local_addr());
/// runtime::spawn(server.serve(async |_: Request| reply(StatusCode::SERVICE_UNAVAILABLE, "text/plain", "later")));
///
/// let client = Client::builder().layer(retry(Retry::new(3))).build();
/// let response = client.get(url).await.unwrap();
/// assert_eq!((response.status().as_u16(), response.extensions().get()), (503, Some(&Tries(3))));
/// # });
/// ```
pub fn retry(retry: Retry) -> impl Fn(ClientRequest, Next) -> BoxFetch + Send + Sync + 'static {
    let retry = Arc::new(retry);
    move |request, next| {
        let retry = retry.clone();
        Box::pin(async move {
            let judge = HttpRetry::of(&request);
            let (head, body) = request.into_parts();
            let Some(body) = body.try_clone() else {
                return next.run(ClientRequest::from_parts(head, body)).await.map(|response| counted(response, 1));
            };
            let operation = |attempt| {
                let again = body.try_clone().expect("it is whole");
                let (request, next) = (ClientRequest::from_parts(head.clone(), again), next.clone());
                async move {
                    let response = counted(next.run(request).await.map_err(Failed::Error)?, attempt);
                    match judge.status(response.status(), response.headers()) {
                        Verdict::Stop => Ok(response),
                        _ => Err(Failed::Answer(Box::new(response))),
                    }
                }
            };
            let verdict = |failed: &Failed| match failed {
                Failed::Answer(response) => judge.status(response.status(), response.headers()),
                Failed::Error(error) => judge.error(error),
            };
            retry.run(operation, verdict).await.or_else(|failed| match failed {
                Failed::Answer(response) => Ok(*response),
                Failed::Error(error) => Err(error),
            })
        })
    }
}

fn counted(mut response: ClientResponse, tries: u32) -> ClientResponse {
    response.extensions_mut().insert(Tries(tries));
    response
}

/// What is worth another try.
enum Failed {
    Answer(Box<ClientResponse>),
    Error(Error),
}

/// For the observer of the retry.
impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failed::Answer(response) => write!(f, "{}: the server answered {}", response.url(), response.status()),
            Failed::Error(error) => error.fmt(f),
        }
    }
}
