//! A download that is there whole or not at all: it goes to `name.part` as it comes, and gets its name when all of it is on the
//! disk.
//!
//! ```console
//! cargo run --example downloader
//! ```
//!
//! The mistakes that it avoids: to hold the whole file in memory; to leave half a file under the name of a whole one, so that
//! the next run takes it for done; to take what came for all when fewer bytes came than were announced; to say "done" before
//! the disk has it; to let one failure end the others.

use examples::{
    fail,
    httpbin::{TestServer, path},
    scaled,
};
use netio::http::client::{Client, Error, Progress};
use runtime::{
    fs::{self, TempDir},
    stream::{self, StreamExt},
    time::timeout,
};
use std::{
    io,
    path::{Path, PathBuf},
};

// ANCHOR: download
/// Chunk by chunk, and then under its own name: a file of any size takes the memory of one chunk.
async fn download(client: &Client, url: &str, to: &Path) -> Result<u64, Error> {
    let saved = async { client.get(url).await?.error_for_status()?.save(to).await }.await;
    if saved.is_err() {
        // There may be none, and then that is not the news.
        let _ = fs::remove_file(to.with_added_extension("part")).await;
    }
    saved
}

fn tell(url: &str, ended: Result<u64, Error>) {
    print!("  {}: ", path(url));
    match ended {
        Ok(bytes) => println!("{bytes} bytes"),
        Err(Error::Status { status, .. }) => println!("HTTP {}", status.as_u16()),
        Err(Error::Timeout { .. }) => println!("Timeout"),
        Err(Error::Save { cause, .. }) => println!("{}", cause.kind()),
        Err(error) => println!("{}", error.to_string().replace(&format!("{url}: "), "")),
    }
}
// ANCHOR_END: download

async fn files(folder: &Path) -> io::Result<Vec<String>> {
    let mut entries = fs::read_dir(folder).await?;
    let mut names = Vec::new();
    while let Some(entry) = entries.next().await.transpose()? {
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

// ANCHOR: several
async fn several(server: &TestServer, folder: &Path) {
    let client = Client::builder().timeout(scaled(30.0)).build();
    let slow = format!("/drip?bytes=5&seconds={}", scaled(50.0).as_secs_f64());
    let paths = ["/bytes/10485760", "/image/7.jpg", "/status/404", "/short/1000", "/bad-chunk", &slow];
    let jobs = paths.iter().enumerate().map(|(number, path)| {
        let (client, url) = (client.clone(), server.url() + path);
        let to: PathBuf = folder.join(format!("{number}.bin"));
        async move { (download(&client, &url, &to).await, url) }
    });
    // Three at a time, told in their order.
    let mut ended = std::pin::pin!(stream::iter(jobs).buffered(3));
    while let Some((ended, url)) = ended.next().await {
        tell(&url, ended);
    }
}
// ANCHOR_END: several

async fn tour() -> io::Result<()> {
    let (server, folder) = (TestServer::start().await, TempDir::new().await?);
    println!("== six downloads, three at a time");
    several(&server, folder.path()).await;
    println!("  what is there: {}", files(folder.path()).await?.join(", "));
    println!("\n== one that is given up in the middle");
    let (url, to) = (server.url() + "/drip?bytes=5&seconds=50", folder.path().join("given-up.bin"));
    let client = Client::new();
    let given_up = timeout(scaled(20.0), download(&client, &url, &to)).await.is_err();
    println!("  given up: {given_up}; what is there: {}", files(folder.path()).await?.join(", "));
    println!("\n== a folder that is not there");
    let url = server.url() + "/json";
    tell(&url, download(&client, &url, &folder.path().join("no/such.bin")).await);
    println!("\n== how far it is");
    let url = server.url() + "/drip?bytes=4&seconds=4";
    let far = |progress: Progress| println!("  {} of {} bytes", progress.bytes, progress.length.unwrap_or_default());
    let saved = async { client.get(&url).await?.save_with(&to, far).await };
    tell(&url, saved.await);
    folder.close().await
}

fn main() {
    examples::run_networked(&[], async |_| tour().await.unwrap_or_else(|error| fail(1, error)));
}
