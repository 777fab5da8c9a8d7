//! Sockets and HTTP/1.1 on the runtime of this workspace.
//!
//! ```text
//!   policy                       whether to try, when, and how many at once: plain values for any future
//!   http::files ::sse            what a handler may answer with: files and their parts, events
//!   http::multipart ::coding     bodies of a form: with files in them, or compressed
//!   http::conditional ::range    "only if it changed", "only a part of it"
//!   http::server http::client    who accepts, who connects, and for how long anybody waits
//!   http: head, framing, body    the protocol: bytes in, messages out, and back; no sockets
//!   net                          sockets that wait in the reactor: names, connecting, TCP, UDP, Unix; pipes in memory
//! ```
//!
//! A server and a client in one page:
//!
//! ```
//! use netio::http::{Request, Response, client::Client, server::Server};
//!
//! async fn greet(request: Request) -> Response {
//!     Response::new(format!("hello from {}\n", request.uri().path()).into())
//! }
//!
//! runtime::block_on(async {
//!     let server = Server::bind("127.0.0.1:0")?;
//!     let url = format!("http://{}/here", server.local_addr());
//!     runtime::spawn(server.serve(greet));
//!
//!     let answer = Client::new().get(url).await?.text().await?;
//!     assert_eq!(answer, "hello from /here\n");
//!     Ok::<(), Box<dyn std::error::Error>>(())
//! })
//! .unwrap();
//! ```

#![forbid(unsafe_code)]

mod blocking;
pub mod http;
pub mod net;
pub mod policy;
