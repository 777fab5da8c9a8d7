//! Python's aiohttp and httpx as clients of our server, and aiohttp, uvicorn and http.server as servers of our client.

use crate::{
    house::{House, large},
    run,
};
use netio::http::{Body, client::Client};
use runtime::future::join_all;
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// A Python that has these packages; `None`, and a line that says so, where there is none.
fn python(packages: &str) -> Option<Command> {
    let name = std::env::var("HANDLOOM_PYTHON").map_or("python3".into(), |path| tests::root().join(path));
    let output = run(Command::new(&name).args(["-c", &format!("import {packages}")]))?;
    if !output.status.success() {
        println!("skipped: {} has no {packages}", name.display());
        return None;
    }
    Some(Command::new(name))
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("interop").join(name)
}

/// Lets a script ask our server.
fn asks(packages: &str, name: &str) {
    let Some(mut python) = python(packages) else { return };
    let house = House::open();
    let output = python.arg(script(name)).arg(house.url("")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn aiohttp_gets_what_it_asks_for() {
    asks("aiohttp", "aiohttp_client.py");
}

#[test]
fn httpx_gets_what_it_asks_for() {
    asks("httpx", "httpx_client.py");
}

/// A server in Python. It ends when its standard input does.
struct Guest {
    child: Child,
    url: String,
}

impl Guest {
    fn open(packages: &str, name: &str) -> Option<Guest> {
        let mut command = python(packages)?;
        let mut child = command
            .arg(script(name))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it was there before");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Some(Guest { child, url: format!("http://127.0.0.1:{}", line.trim()) })
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether the server understands a body in chunks.
#[derive(PartialEq)]
enum Chunks {
    Yes,
    No,
}

/// Asks a server for everything.
fn serves(packages: &str, name: &str, chunks: Chunks) {
    let Some(guest) = Guest::open(packages, name) else { return };
    runtime::block_on(async {
        let client = Client::new();
        let text = async |path: &str| {
            let answer = client.get(format!("{}{path}", guest.url)).await.unwrap();
            assert_eq!(answer.status(), 200, "{path}");
            answer.text().await.unwrap()
        };
        for _ in 0..3 {
            assert_eq!(text("/hello").await, "hello");
            assert_eq!(text("/stream").await, "one two three");
            assert_eq!(text("/closes").await, "hello");
        }
        let answer = client.get(format!("{}/large", guest.url)).await.unwrap();
        assert!(answer.bytes().await.unwrap() == large(), "it came changed");
        let echo = async |body: Body| {
            let answer = client.post(format!("{}/echo", guest.url)).body(body).await.unwrap();
            answer.bytes().await.unwrap()
        };
        assert!(echo(large().into()).await == large(), "it came back changed");
        if chunks == Chunks::Yes {
            let parts = Body::writer(async |mut body| {
                for part in large().chunks(70_000) {
                    body.write(part.to_vec()).await?;
                }
                Ok(())
            });
            assert!(echo(parts).await == large(), "in chunks, it came back changed");
        }
        let many = join_all((0..100).map(|n| echo(vec![b'x'; n].into()))).await;
        assert!(many.iter().enumerate().all(|(n, body)| body.len() == n));
        // Given up in the middle, and asked again.
        for _ in 0..5 {
            let mut answer = client.get(format!("{}/large", guest.url)).await.unwrap();
            assert!(answer.chunk().await.unwrap().is_some());
        }
        assert_eq!(text("/hello").await, "hello");
    });
}

#[test]
fn aiohttp_serves_our_client() {
    serves("aiohttp", "aiohttp_server.py", Chunks::Yes);
}

#[test]
fn uvicorn_serves_our_client() {
    serves("uvicorn", "uvicorn_server.py", Chunks::Yes);
}

#[test]
fn the_plain_server_serves_our_client() {
    serves("http.server", "plain_server.py", Chunks::No);
}
