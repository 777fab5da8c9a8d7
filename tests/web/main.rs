//! What a web server sends besides text: files and their parts, compressed bodies, forms with files, events.

mod access_log;
mod compression;
mod conditional;
mod curl;
mod cut_off;
mod events;
mod files;
mod forms;
mod python;

use bytes::Bytes;
use netio::http::{
    Body, HeaderMap, HeaderName, HeaderValue, Method, Request, Response,
    server::{Router, Service},
};

/// A request, its header fields line by line.
fn request(method: Method, path: &str, fields: &str, body: impl Into<Body>) -> Request {
    let mut request = Request::new(body.into());
    *request.method_mut() = method;
    *request.uri_mut() = path.parse().unwrap();
    *request.headers_mut() = headers(fields);
    request
}

fn headers(fields: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields.lines().map(|line| line.split_once(": ").unwrap()) {
        headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
    }
    headers
}

/// What a router answers, without a network between.
async fn ask(router: &Router, request: Request) -> Response {
    router.answer(request).await
}

/// The fields of a name, joined; `-` if there is none.
fn field(response: &Response, name: &str) -> String {
    let fields: Vec<_> = response.headers().get_all(name).into_iter().map(|value| value.to_str().unwrap()).collect();
    if fields.is_empty() { "-".to_owned() } else { fields.join(" | ") }
}

async fn body_of(response: Response) -> Bytes {
    response.into_body().bytes().await.unwrap()
}
