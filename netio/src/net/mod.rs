//! Sockets whose operations wait in the reactor, with the futures-io traits.
//!
//! An operation is tried first and waits only when the kernel says that it would block, so one that can be done at once
//! costs a single system call. Reading and writing also work through `&TcpStream`: one task may read while another writes.
//!
//! In a simulated runtime the same types are sockets of its [world](runtime::world), and that world knows the names. Whoever
//! uses them need not care:
//!
//! ```
//! use netio::http::{Request, Response, client::Client, server::Server};
//! use runtime::{Runtime, world};
//!
//! Runtime::simulated(7).block_on(async {
//!     let server = Server::bind("10.0.0.1:80").unwrap();
//!     runtime::spawn(server.serve(|_: Request| async { Response::new("from another world".into()) }));
//!     world::current().unwrap().set_name("shop.example", ["10.0.0.1".parse().unwrap()]);
//!
//!     let answer = Client::new().get("http://shop.example/").await.unwrap().text().await.unwrap();
//!     assert_eq!(answer, "from another world");
//! });
//! ```

mod address;
mod tcp;

pub use address::Address;
pub use tcp::{TcpListener, TcpStream};
