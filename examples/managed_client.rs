//! Nothing is left open: a thousand requests, of which half are not read, and two resources of which the second cannot be had.
//!
//! ```console
//! cargo run --example managed_client
//! ```
//!
//! The mistakes that it avoids: to keep a list of all sessions, to see whether one was forgotten (what is dropped is closed); to
//! leave the first resource open when the second fails; to put a connection with an unread answer back into the pool.

use examples::{fail, httpbin::TestServer, seconds};
use netio::http::client::{Client, Error};
use runtime::{
    group::ExitStack,
    stream::{self, StreamExt},
    world,
};
use std::time::Duration;

/// What is open: the sockets of the simulated world, or else the files of this process.
fn open() -> usize {
    match world::current() {
        Some(world) => world.open_sockets(),
        None => std::fs::read_dir("/proc/self/fd").map_or(0, |files| files.count()),
    }
}

/// What has been dropped is closed as soon as its task and the server's have run.
async fn settled() -> usize {
    seconds(0.1).await;
    open()
}

// ANCHOR: fetch
/// How a fetch ended, in a word.
async fn fetch(client: &Client, url: String, read: bool) -> String {
    let once = async {
        let response = client.get(url).await?;
        let status = response.status();
        if read {
            response.bytes().await?;
        }
        Ok::<_, Error>(if status.is_success() { "success".to_owned() } else { format!("error_{}", status.as_u16()) })
    };
    once.await.unwrap_or_else(|error| format!("error: {error}"))
}

async fn a_thousand(server: &TestServer) {
    let client = Client::builder().timeout(Duration::from_secs(10)).build();
    let paths = ["/bytes/100", "/status/500", "/bytes/100000", "/status/404"];
    let requests = (0..1000).map(|number| {
        let url = server.url() + paths[number % paths.len()];
        fetch(&client, url, number % 2 == 0)
    });
    let ends: Vec<String> = stream::iter(requests).buffer_unordered(20).collect().await;
    for end in ["success", "error_500", "error_404"] {
        println!("  {end}: {}", ends.iter().filter(|ended| *ended == end).count());
    }
}
// ANCHOR_END: fetch

// ANCHOR: resources
/// A database, as far as it matters here: it is opened and closed.
async fn database(refuses: bool) -> Result<((), impl Future<Output = Result<(), String>>), String> {
    seconds(0.5).await;
    if refuses {
        return Err("the database refuses the connection".to_owned());
    }
    println!("  the database is open");
    Ok(((), async {
        seconds(0.1).await;
        println!("  the database is closed");
        Ok(())
    }))
}

async fn client() -> Result<(Client, impl Future<Output = Result<(), String>>), String> {
    println!("  the client is open");
    let client = Client::new();
    let kept = client.clone();
    Ok((client, async move {
        drop(kept);
        println!("  the client is closed");
        Ok(())
    }))
}

/// Opens both, and uses them; closes what was opened, the last one first, whatever happens.
async fn with_both(server: &TestServer, refuses: bool) -> Result<String, String> {
    let body = async |stack: &ExitStack<String>| {
        let client = stack.enter(client()).await?;
        stack.enter(database(refuses)).await?;
        Ok(fetch(&client, server.url() + "/json", true).await)
    };
    ExitStack::with(body).await.map_err(|errors| errors.to_string())
}
// ANCHOR_END: resources

fn main() {
    examples::run_networked(&[], async |_| {
        let server = TestServer::start().await;
        // Whatever is opened once, and stays: it is open now.
        fetch(&Client::new(), server.url() + "/json", true).await;
        let before = settled().await;
        println!("== a thousand requests");
        a_thousand(&server).await;
        let after = settled().await;
        println!("  open before and after: {}", if before == after { "the same" } else { "not the same" });

        println!("\n== two resources");
        println!("  {:?}", with_both(&server, false).await);
        println!("\n== two resources, and the second cannot be had");
        println!("  {:?}", with_both(&server, true).await);
        if settled().await != before {
            fail(1, "something was left open");
        }
    });
}
