//! What the client offers above one exchange with one server: requests that are put together, redirects, cookies, codings,
//! responses that are understood, and layers. Each table names the standard that its rows are from.

mod cookies;
mod large;
mod layers;
mod redirects;
mod requests;
mod responses;

use netio::http::{Request, Response, StatusCode, reply, server::Limits};
use std::{
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};

const SECOND: Duration = Duration::from_secs(1);

/// A server that runs with the test, and where it is: `http://127.0.0.1:40123`.
fn serve<F: Future<Output = Response> + Send + 'static>(
    handler: impl Fn(Request) -> F + Send + Sync + 'static,
) -> String {
    format!("http://{}", tests::wire::serve(Limits::default(), handler))
}

/// A server that answers with what `answer` says of a request, and remembers what it saw.
fn serve_seen(answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> (String, Seen) {
    let seen = Seen::default();
    let (memory, answer) = (seen.clone(), Arc::new(answer));
    let url = serve(move |request| {
        let (memory, answer) = (memory.clone(), answer.clone());
        async move {
            let response = answer(&request);
            memory.0.lock().unwrap().push(request);
            response
        }
    });
    (url, seen)
}

/// The requests that a server saw.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<Request>>>);

impl Seen {
    fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    fn take(&self) -> Vec<Request> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    fn last(&self) -> Request {
        self.take().pop().expect("a request came")
    }

    /// A field of the last request; empty if it has none.
    fn last_field(&self, name: &str) -> String {
        field(&self.last(), name)
    }
}

fn field(request: &Request, name: &str) -> String {
    let values: Vec<_> = request.headers().get_all(name).iter().map(|value| value.to_str().unwrap()).collect();
    values.join(", ")
}

/// A response with a status and header fields, and no body.
fn empty(status: u16, fields: &[(&'static str, &str)]) -> Response {
    let mut response = reply(StatusCode::from_u16(status).unwrap(), "text/plain", "");
    for (name, value) in fields {
        response.headers_mut().append(*name, value.as_bytes().try_into().unwrap());
    }
    response
}
