//! What a message has besides its head and its body: trailers behind it, interim responses before it.

mod informational;
mod trailers;
