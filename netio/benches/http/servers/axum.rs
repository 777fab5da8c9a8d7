//! axum on tokio's current-thread runtime: the same routes, and the same layer around them.

use super::{Greeting, LARGE_BODY, hello};
use axum::{
    Json, Router,
    extract::{Path, Request},
    http::HeaderValue,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
    serve::ListenerExt,
};
use std::{io, net::TcpListener, time::Instant};

pub(super) fn serve(listener: TcpListener) -> io::Result<()> {
    let router = Router::new()
        .route("/text/{name}", get(async |Path(name): Path<String>| hello(&name)))
        .route("/json/{name}", get(async |Path(name): Path<String>| Json(Greeting::to(&name)).into_response()))
        .route("/large/{name}", get(async |Path(_): Path<String>| LARGE_BODY.clone()))
        .layer(middleware::from_fn(timing));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        // The socket has just been accepted: if this fails, so will reading.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        axum::serve(listener, router).await
    })
}

async fn timing(request: Request, next: Next) -> Response {
    let start = Instant::now();
    let mut response = next.run(request).await;
    let time = HeaderValue::from_str(&format!("{:.3}s", start.elapsed().as_secs_f64())).expect("visible characters");
    response.headers_mut().insert("x-response-time", time);
    response
}
