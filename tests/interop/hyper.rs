//! hyper, the HTTP of most Rust programs, both ways, on a thread with tokio.

use crate::house::{House, large};
use ::hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::{Bytes, Frame, Incoming},
    client::conn::http1 as client,
    header::{self, HeaderName, HeaderValue},
    server::conn::http1 as server,
    service::service_fn,
};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper_util::rt::TokioIo;
use netio::http::{Body, client::Client};
use runtime::future::join_all;
use std::{convert::Infallible, net::SocketAddr};

const SUM: HeaderName = HeaderName::from_static("x-sum");

type Out = BoxBody<Bytes, Infallible>;

fn whole(bytes: impl Into<Bytes>) -> Out {
    Full::new(bytes.into()).boxed()
}

fn parts() -> Out {
    let parts = ["one ", "two ", "three"].map(|part| Ok(Frame::data(Bytes::from(part))));
    BodyExt::boxed(StreamBody::new(futures_lite::stream::iter(parts)))
}

/// hyper's side of a conversation, on a thread of its own.
fn on_tokio<T: Send + 'static>(main: impl AsyncFnOnce() -> T + Send + 'static) -> std::thread::JoinHandle<T> {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(main())
    })
}

async fn answer(request: Request<Incoming>) -> Result<Response<BoxBody<Bytes, ::hyper::Error>>, ::hyper::Error> {
    let known = |body: Out| body.map_err(|never| match never {}).boxed();
    let body = match request.uri().path() {
        "/echo" => request.into_body().boxed(),
        "/stream" => known(parts()),
        "/large" => known(whole(large())),
        "/trailers" => {
            let trailers = HeaderMap::from_iter([(SUM, HeaderValue::from_static("7"))]);
            let frames = [Ok(Frame::data(Bytes::from("hello"))), Ok(Frame::trailers(trailers))];
            let body = BodyExt::boxed(StreamBody::new(futures_lite::stream::iter(frames)));
            let mut response = Response::new(known(body));
            response.headers_mut().insert(header::TRAILER, HeaderValue::from_name(SUM));
            return Ok(response);
        }
        "/told" => {
            let body = request.into_body().collect().await?;
            known(whole(format!("{:?}", body.trailers())))
        }
        _ => known(whole("hello")),
    };
    Ok(Response::new(body))
}

#[test]
fn hyper_serves_our_client() {
    let (tell, told) = std::sync::mpsc::channel::<SocketAddr>();
    // It ends with the process.
    drop(on_tokio(async move || {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        tell.send(listener.local_addr().unwrap()).unwrap();
        loop {
            let stream = TokioIo::new(listener.accept().await.unwrap().0);
            tokio::spawn(async move {
                // A client that hangs up in the middle is an error here; that is its right.
                let _ = server::Builder::new().serve_connection(stream, service_fn(answer)).await;
            });
        }
    }));
    let address = told.recv().unwrap();
    runtime::block_on(async {
        let client = Client::new();
        let url = |path: &str| format!("http://{address}{path}");
        assert_eq!(client.get(url("/hello")).await.unwrap().text().await.unwrap(), "hello");
        assert_eq!(client.get(url("/stream")).await.unwrap().text().await.unwrap(), "one two three");
        assert!(client.get(url("/large")).await.unwrap().bytes().await.unwrap() == large(), "it came changed");
        let mut trailers = client.get(url("/trailers")).take_trailers().await.unwrap();
        while trailers.chunk().await.unwrap().is_some() {}
        assert_eq!(trailers.trailers().unwrap()[SUM], "7");
        let upload = Body::writer(async |mut body| body.write("hello").await);
        let upload = upload.with_trailers([SUM], || HeaderMap::from_iter([(SUM, HeaderValue::from_static("8"))]));
        let told = client.post(url("/told")).body(upload).await.unwrap().text().await.unwrap();
        assert_eq!(told, "Some({\"x-sum\": \"8\"})");
        let head = client.request(Method::HEAD, url("/hello")).await.unwrap();
        assert_eq!(head.headers()["content-length"], "5");
        let echo = async |body: Body| client.post(url("/echo")).body(body).await.unwrap().bytes().await.unwrap();
        assert!(echo(large().into()).await == large(), "it came back changed");
        let chunks = Body::writer(async |mut body| {
            for part in large().chunks(70_000) {
                body.write(part.to_vec()).await?;
            }
            Ok(())
        });
        assert!(echo(chunks).await == large(), "in chunks, it came back changed");
        let many = join_all((0..200).map(|n| echo(vec![b'x'; n].into()))).await;
        assert!(many.iter().enumerate().all(|(n, body)| body.len() == n));
    });
}

/// A connection of hyper's client.
async fn connect(address: SocketAddr) -> client::SendRequest<Out> {
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (sender, connection) = client::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn ask(connection: &mut client::SendRequest<Out>, method: Method, path: &str, body: Out) -> (StatusCode, Bytes) {
    let request = Request::builder().method(method).uri(path).header("host", "a").body(body).unwrap();
    connection.ready().await.unwrap();
    let answer = connection.send_request(request).await.unwrap();
    (answer.status(), answer.into_body().collect().await.unwrap().to_bytes())
}

#[test]
fn hyper_gets_what_it_asks_for() {
    let house = House::open();
    let address = house.address;
    let asking = on_tokio(async move || {
        let mut connection = connect(address).await;
        // All on one connection.
        for _ in 0..3 {
            let hello = ask(&mut connection, Method::GET, "/hello", whole("")).await;
            assert_eq!(hello, (StatusCode::OK, Bytes::from("hello")));
            assert_eq!(ask(&mut connection, Method::HEAD, "/hello", whole("")).await.1, "");
            assert_eq!(ask(&mut connection, Method::GET, "/empty", whole("")).await.0, StatusCode::NO_CONTENT);
            assert_eq!(ask(&mut connection, Method::GET, "/stream", whole("")).await.1, "one two three");
            assert!(ask(&mut connection, Method::GET, "/large", whole("")).await.1 == large());
            assert!(ask(&mut connection, Method::POST, "/echo", whole(large())).await.1 == large());
            assert_eq!(ask(&mut connection, Method::POST, "/echo", parts()).await.1, "one two three");
        }
        let request = Request::get("/trailers").header("host", "a").header("te", "trailers").header("connection", "te");
        let answer = connection.send_request(request.body(whole("")).unwrap()).await.unwrap();
        assert_eq!(answer.headers()["trailer"], "x-sum");
        let whole_answer = answer.into_body().collect().await.unwrap();
        assert_eq!(whole_answer.trailers().unwrap()[SUM], "13");
        assert_eq!(whole_answer.to_bytes(), "one two three");
        // A body that its asker drops in the middle costs the connection, and nothing else.
        let request = Request::get("/endless").header("host", "a").body(whole("")).unwrap();
        let mut answer = connection.send_request(request).await.unwrap();
        answer.frame().await.unwrap().unwrap();
        drop(answer);
        let mut another = connect(address).await;
        assert_eq!(ask(&mut another, Method::GET, "/hello", whole("")).await.1, "hello");
    });
    asking.join().unwrap();
}
