//! Our server, on a thread of its own, with something for everybody to ask for.

use netio::http::{
    Body, HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode,
    files::StaticFiles,
    header, reply,
    server::{Limits, Server},
    sse,
};
use runtime::time::sleep;
use serde_json::json;
use std::{
    net::SocketAddr,
    path::Path,
    sync::mpsc::{Receiver, Sender, channel},
    time::Duration,
};

/// What `/large` gives, and what `/files/data.bin` is.
pub(crate) fn large() -> Vec<u8> {
    (0..3_000_000).map(|n| (n % 251) as u8).collect()
}

/// A server that serves until the process ends.
pub(crate) struct House {
    pub(crate) address: SocketAddr,
    /// What was posted to `/report`.
    pub(crate) reports: Receiver<String>,
    /// Where what is under `/files` stands.
    _files: tempfile::TempDir,
}

impl House {
    pub(crate) fn open() -> House {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("files")).unwrap();
        std::fs::write(folder.path().join("files/data.bin"), large()).unwrap();
        let limits = Limits { body_bytes: 16 * 1024 * 1024, ..Limits::default() };
        let server = Server::bind("127.0.0.1:0").unwrap().limits(limits);
        let (address, (report, reports)) = (server.local_addr(), channel());
        let files = StaticFiles::new(folder.path());
        std::thread::spawn(move || {
            let handler = move |request| answer(request, files.clone(), report.clone());
            runtime::block_on(server.serve(handler)).unwrap();
        });
        House { address, reports, _files: folder }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

async fn answer(mut request: Request, files: StaticFiles, report: Sender<String>) -> Response {
    let path = request.uri().path().to_owned();
    match path.as_str() {
        "/" => reply(StatusCode::OK, "text/html; charset=utf-8", include_str!("page.html")),
        "/hello" => reply(StatusCode::OK, "text/plain", "hello"),
        "/empty" => StatusCode::NO_CONTENT.into_empty(),
        "/moved" => {
            let mut response = StatusCode::FOUND.into_empty();
            response.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/hello"));
            response
        }
        "/echo" => reply(StatusCode::OK, "application/octet-stream", request.into_body()),
        "/refused" => reply(StatusCode::FORBIDDEN, "text/plain", "no"),
        "/mirror" => mirror(&mut request).await,
        "/stream" => reply(StatusCode::OK, "text/plain", parts()),
        "/trailers" => {
            let name = HeaderName::from_static("x-sum");
            let made = || HeaderMap::from_iter([(HeaderName::from_static("x-sum"), HeaderValue::from_static("13"))]);
            reply(StatusCode::OK, "text/plain", parts().with_trailers([name], made))
        }
        "/large" => reply(StatusCode::OK, "application/octet-stream", large()),
        "/endless" => Response::new(Body::writer(async |mut body| {
            loop {
                body.write("and so on ").await?;
                sleep(Duration::from_millis(1)).await;
            }
        })),
        "/events" => sse::response(|mut events| async move {
            for number in 0..3 {
                events.send(sse::Event::data(format!("number {number}"))).await?;
            }
            events.send(sse::Event::data("that was all").kind("last")).await
        }),
        "/report" => {
            let told = request.body_mut().bytes().await.unwrap_or_default();
            let _ = report.send(String::from_utf8_lossy(&told).into_owned());
            StatusCode::NO_CONTENT.into_empty()
        }
        _ => files.respond(&request).await,
    }
}

/// What the request looked like here.
async fn mirror(request: &mut Request) -> Response {
    let body = match request.body_mut().bytes().await {
        Ok(body) => body,
        Err(error) => return reply(StatusCode::BAD_REQUEST, "text/plain", error.to_string()),
    };
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: serde_json::Map<_, _> =
        request.headers().iter().map(|(name, value)| (name.to_string(), text(value).into())).collect();
    let mirror = json!({
        "method": request.method().as_str(),
        "path": request.uri().path(),
        "query": request.uri().query(),
        "headers": headers,
        "length": body.len(),
        "sum": body.iter().map(|&byte| u64::from(byte)).sum::<u64>(),
    });
    reply(StatusCode::OK, "application/json", mirror.to_string())
}

fn parts() -> Body {
    Body::writer(async |mut body| {
        for part in ["one ", "two ", "three"] {
            body.write(part).await?;
            sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    })
}

/// A folder with a file for others to upload.
pub(crate) fn upload(folder: &Path) -> std::path::PathBuf {
    let file = folder.join("upload.bin");
    std::fs::write(&file, large()).unwrap();
    file
}

/// An answer that is only a status.
trait IntoEmpty {
    fn into_empty(self) -> Response;
}

impl IntoEmpty for StatusCode {
    fn into_empty(self) -> Response {
        let mut response = Response::default();
        *response.status_mut() = self;
        response
    }
}
