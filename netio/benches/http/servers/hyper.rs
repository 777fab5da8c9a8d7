//! hyper on tokio's current-thread runtime. It has no router: a prefix is cut off by hand, and the time is put in by hand.

use super::{Greeting, LARGE_BODY, hello};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, io, net::TcpListener, time::Instant};

pub(super) fn serve(listener: TcpListener, bare: bool) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let service = service_fn(move |request| async move {
                Ok::<_, Infallible>(if bare { text(hello("world")) } else { routed(&request) })
            });
            // With a timer it has a deadline for heads, as ours; and answers that can go together go together, as ours do.
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).pipeline_flush(true);
            tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
        }
    })
}

fn routed(request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let start = Instant::now();
    let path = request.uri().path();
    let mut response = if let Some(name) = path.strip_prefix("/text/") {
        text(hello(name))
    } else if let Some(name) = path.strip_prefix("/json/") {
        let json = serde_json::to_vec(&Greeting::to(name)).expect("two texts");
        of_type("application/json", json.into())
    } else if path.starts_with("/large/") {
        of_type("application/octet-stream", LARGE_BODY.clone())
    } else {
        let mut response = text(String::new());
        *response.status_mut() = StatusCode::NOT_FOUND;
        response
    };
    let time = HeaderValue::from_str(&format!("{:.3}s", start.elapsed().as_secs_f64())).expect("visible characters");
    response.headers_mut().insert("x-response-time", time);
    response
}

fn text(text: String) -> Response<Full<Bytes>> {
    of_type("text/plain; charset=utf-8", text.into())
}

fn of_type(kind: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
