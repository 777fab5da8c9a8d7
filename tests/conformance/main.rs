//! What RFC 9110 and RFC 9112 ask of a server, and of a client, case by case: a table for each of their sections, and three ways to run them.
//!
//! - On the simulated network: each case in one piece, byte by byte, and cut in two at one place after the other; and again
//!   where the network cuts and delays as it likes.
//! - With the system's sockets, on each poller, in one piece.
//!
//! `cargo test -p tests --test conformance -- --nocapture` prints how many cases there are for each section.
//! `CONFORMANCE=full` cuts at every place, and not only at some of them.

mod client;
mod server;
