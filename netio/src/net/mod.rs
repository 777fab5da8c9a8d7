//! Sockets whose operations wait in the reactor, with the futures-io traits.
//!
//! An operation is tried first and waits only when the kernel says that it would block, so one that can be done at once
//! costs a single system call. Reading and writing also work through `&TcpStream`: one task may read while another writes.

mod address;
mod tcp;

pub use address::Address;
pub use tcp::{TcpListener, TcpStream};
