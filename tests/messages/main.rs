//! What a message has besides its head and its body: trailers behind it, interim responses before it. And a server that is
//! reached by a Unix socket.

mod informational;
mod trailers;
mod unix;
