//! Sockets whose operations wait in the reactor, with the futures-io traits.
//!
//! An operation is tried first and waits only when the kernel says that it would block, so one that can be done at once
//! costs a single system call. Reading and writing also work through `&TcpStream`: one task may read while another writes.
//!
//! | to | use |
//! |---|---|
//! | speak by TCP | [`TcpListener`], [`TcpStream`]; with options: [`ListenOptions`], [`Connector`], [`TcpOptions`] |
//! | reach the first of several addresses that answers | [`TcpStream::connect`]; for anything else: [`happy_eyeballs`] |
//! | look up a name; and remember what it meant | [`lookup_host`]; [`Resolver`] |
//! | speak with other processes of this machine | [`UnixListener`], [`UnixStream`] |
//! | send messages | [`UdpSocket`] |
//! | speak with another part of this program | [`duplex`], [`UnixStream::pair`] |
//!
//! In a simulated runtime the TCP types are sockets of its [world](runtime::world), and that world knows the names. Whoever
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
mod by_reference;
mod connect;
mod duplex;
mod options;
mod resolve;
mod tcp;
mod transport;
mod udp;
mod unix;

pub use address::Address;
pub use connect::{ConnectError, Connector, Failures, STAGGER, happy_eyeballs};
pub use duplex::{DuplexStream, duplex};
pub use options::{ListenOptions, TcpOptions};
pub use resolve::{LookupError, Resolver, ResolverStats, lookup_host};
pub use tcp::{TcpListener, TcpStream};
pub(crate) use transport::{Socket, Transport};
pub use udp::UdpSocket;
pub use unix::{UnixListener, UnixStream};
