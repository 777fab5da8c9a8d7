//! The local test peer: a server that does what you ask of it, and prints where it is.
//!
//! ```console
//! cargo run --example httpbin -- --port 8080
//! curl -i http://127.0.0.1:8080/delay/1
//! ```
//!
//! `GET /` tells what can be asked. Ctrl-C stops it: what runs has a moment to finish. `--workers 2` serves on two threads.

use examples::{fail, httpbin};
use netio::http::server::{Limits, Server};
use std::time::Duration;

fn main() {
    examples::run(&["--port", "--workers"], async |arguments| {
        let address = ("127.0.0.1", arguments.get("--port", 0));
        let limits = Limits { shutdown_grace: Duration::from_millis(500), ..Limits::default() };
        let server = Server::bind(address)
            .unwrap_or_else(|error| fail(1, format!("cannot listen on 127.0.0.1:{}: {error}", address.1)))
            .limits(limits);
        let address = server.local_addr();
        // Said when it serves, and hears Ctrl-C: whoever reads it may stop it at once.
        let server = server.on_startup(async move { println!("http://{address}/") });
        if let Err(error) = server.run(httpbin::handler()).await {
            fail(1, error);
        }
    });
}
