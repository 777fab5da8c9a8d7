//! One request, seen from inside: a server and a browser on one thread, and what the runtime did for them.
//!
//! ```console
//! cargo run --example 00_tour
//! cargo run --example 00_tour -- --virtual --svg tour.svg
//! ```
//!
//! Both are tasks of one runtime; they talk through a real socket. The trace is its record of what it did, line by line;
//! `--svg FILE` draws the same as a timeline.

use examples::{Arguments, fail, seconds};
use netio::http::{Request, Response, client::Client, server::Server};
use runtime::task;
use std::error::Error;

// ANCHOR: page
/// A page that takes its time, as if it had to ask a database.
async fn page(request: Request) -> Response {
    seconds(0.25).await;
    Response::new(format!("You asked for {}.", request.uri().path()).into())
}
// ANCHOR_END: page

// ANCHOR: tour
async fn tour() -> Result<String, Box<dyn Error>> {
    let server = Server::bind("127.0.0.1:0")?;
    let url = format!("http://{}/hello", server.local_addr());
    let _server = task::Builder::new().name("server").spawn(server.serve(page));

    let browser = task::Builder::new().name("browser").spawn(async {
        let reply = Client::new().get(url).await?;
        reply.text().await
    });
    Ok(browser.await??)
}
// ANCHOR_END: tour

fn main() {
    let arguments = Arguments::parse(&["--svg"]);
    let runtime = examples::runtime(arguments.builder().trace());
    let text = runtime.block_on(tour()).unwrap_or_else(|error| fail(1, error));
    println!("The browser reads: {text}\n");

    let trace = runtime.trace();
    print!("{trace}");
    if let Some(path) = arguments.find::<String>("--svg") {
        std::fs::write(&path, trace.timeline_svg()).unwrap_or_else(|error| fail(1, format!("{path}: {error}")));
    }
}
