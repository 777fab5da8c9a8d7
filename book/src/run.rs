//! The Run button: an example as a child process, its output as a stream of events.
//!
//! ```text
//!  POST /run/hello ──checks──▶ build ──▶ child, in a process group of its own
//!  ◀── event: status / stdout / stderr / timeline ──── its pipes, its trace
//! ```
//!
//! - Only an example named in `examples/Cargo.toml` is ever started, and nothing of the request reaches its command line.
//! - Only a page of this server can ask: `Host`, `Origin` and `Sec-Fetch-Site` must be ours, and the token is in our pages alone.
//! - The body's future owns the child: when the reader leaves, stops it, or the server ends, it is dropped and the whole group dies.
//! - What runs is bounded: three at once, in time, and in what it prints.

use crate::cargo;
use crate::house::House;
use crate::problem::{Problem, Result};
use futures_lite::AsyncReadExt;
use netio::http::sse::{self, EventWriter};
use netio::http::{Method, Request, Response, StatusCode, header, reply};
use runtime::future::{Either, race};
use runtime::process::{Child, ChildPipe, Command};
use runtime::sync::Event;
use runtime::time::{Instant, timeout};
use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How many examples run at once.
const AT_ONCE: usize = 3;

/// How much an example may print, in bytes.
const LONGEST_OUTPUT: usize = 1 << 20;

/// What a refusal is written in.
const PLAIN: &str = "text/plain; charset=utf-8";

/// Starts examples for the pages of one server.
pub struct Runner {
    house: House,
    examples: BTreeSet<String>,
    token: String,
    port: u16,
    longest: Duration,
    running: AtomicUsize,
    closing: Arc<Event>,
}

/// One of the places for running examples: free again when it is dropped.
struct Place(Arc<Runner>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Runner {
    /// A runner for the server at `port`; it stops what runs when `closing` is set.
    ///
    /// # Errors
    ///
    /// The examples cannot be listed, or the system gives no random bytes.
    pub fn new(house: &House, port: u16, longest: Duration, closing: Arc<Event>) -> Result<Runner> {
        let mut random = [0; 16];
        std::fs::File::open("/dev/urandom")
            .and_then(|mut source| source.read_exact(&mut random))
            .map_err(|error| Problem::new(format!("cannot make a token: {error}")))?;
        Ok(Runner {
            house: house.clone(),
            examples: house.examples()?.into_iter().collect(),
            token: random.iter().map(|byte| format!("{byte:02x}")).collect(),
            port,
            longest,
            running: AtomicUsize::new(0),
            closing,
        })
    }

    /// What the pages of this server carry.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Answers a request for `/run/NAME`.
    pub fn respond(self: &Arc<Self>, request: &Request, name: &str) -> Response {
        if let Err((status, why)) = self.admit(request, name) {
            let mut response = reply(status, PLAIN, format!("{why}\n"));
            if status == StatusCode::METHOD_NOT_ALLOWED {
                response.set_header(header::ALLOW, header::HeaderValue::from_static("POST"));
            }
            return response;
        }
        let Some(place) = self.place() else {
            let why = format!("{AT_ONCE} examples run already: stop one first\n");
            return reply(StatusCode::TOO_MANY_REQUESTS, PLAIN, why);
        };
        let name = name.to_owned();
        sse::response(move |mut events: EventWriter| async move {
            let runner = place.0.clone();
            // A reader who has left does not read why it failed.
            let run = async {
                match runner.run(&name, &mut events).await {
                    Err(error) => tell(&mut events, "status", &format!("failed: {error}")).await,
                    done => done,
                }
            };
            race(run, runner.closing.wait()).await;
            drop(place);
            Ok(())
        })
    }

    /// Whether the request comes from a page of this server, and names an example.
    fn admit(&self, request: &Request, name: &str) -> std::result::Result<(), (StatusCode, &'static str)> {
        let forbidden = |why| Err((StatusCode::FORBIDDEN, why));
        let text = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or("(not text)"));
        if request.method() != Method::POST {
            return Err((StatusCode::METHOD_NOT_ALLOWED, "an example is started with POST"));
        }
        // A second field would hide behind the first.
        let asked = ["origin", "sec-fetch-site", "x-handloom-token"];
        if asked.iter().any(|name| request.headers().get_all(*name).iter().count() > 1) {
            return forbidden("a field that may stand once stands twice");
        }
        let host = text("host").unwrap_or_default();
        if !is_here(host, self.port) {
            return forbidden("this server is called localhost, and by its port");
        }
        if text("origin").is_some_and(|origin| origin.strip_prefix("http://") != Some(host)) {
            return forbidden("only this server's own pages may start an example");
        }
        if text("sec-fetch-site").is_some_and(|site| site != "same-origin") {
            return forbidden("only this server's own pages may start an example");
        }
        if text("x-handloom-token") != Some(self.token.as_str()) {
            return forbidden("this page is older than the server: reload it");
        }
        if !self.examples.contains(name) {
            return Err((StatusCode::NOT_FOUND, "there is no such example"));
        }
        Ok(())
    }

    fn place(self: &Arc<Self>) -> Option<Place> {
        let more = |running: usize| (running < AT_ONCE).then_some(running + 1);
        self.running.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Place(self.clone()))
    }

    /// Builds and runs the example, and tells all of it.
    async fn run(&self, name: &str, events: &mut EventWriter) -> io::Result<()> {
        tell(events, "status", "building…").await?;
        let Some(program) = self.build(name, events).await? else {
            return tell(events, "status", "it does not build").await;
        };
        let folder = tempfile::tempdir()?;
        let drawing = folder.path().join("trace.svg");
        let mut command = Command::new(program);
        command.env("RUNTIME_TRACE", &drawing);
        tell(events, "status", "running…").await?;
        let started = Instant::now();
        let ended = match timeout(self.longest, self.relay(&mut command, events, None)).await {
            Ok(ended) => match ended? {
                Ended::With(status) => format!("ended after {:.1?}: {status}", started.elapsed()),
                Ended::TooMuch => format!("stopped: it printed more than {LONGEST_OUTPUT} bytes"),
            },
            Err(_) => format!("stopped: it ran for {} seconds", self.longest.as_secs()),
        };
        tell(events, "status", &ended).await?;
        let read = runtime::spawn_blocking(move || std::fs::read_to_string(drawing)).await;
        if let Ok(Ok(drawing)) = read {
            tell(events, "timeline", &drawing).await?;
        }
        Ok(())
    }

    /// Builds the example: where its program is, or `None` if the compiler has said why not.
    async fn build(&self, name: &str, events: &mut EventWriter) -> io::Result<Option<PathBuf>> {
        let mut command = Command::new(cargo::program());
        command.args(cargo::build_arguments()).args(cargo::example_arguments(name));
        let mut messages = String::new();
        match self.relay(&mut command, events, Some(&mut messages)).await? {
            Ended::With(status) if status.success() => Ok(cargo::executable(&messages, name)),
            _ => Ok(None),
        }
    }

    /// Runs a command and relays what it prints as it comes; its standard output goes to `collected` instead, if there is one.
    async fn relay(
        &self,
        command: &mut Command,
        events: &mut EventWriter,
        mut collected: Option<&mut String>,
    ) -> io::Result<Ended> {
        command.current_dir(self.house.root()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child: Child = command.process_group(true).kill_on_drop(true).spawn()?;
        let mut stdout = Pipe::new(child.stdout.take());
        let mut stderr = Pipe::new(child.stderr.take());
        let mut printed = 0;
        while stdout.is_open() || stderr.is_open() {
            let (name, text) = match race(stdout.piece(), stderr.piece()).await {
                Either::Left(text) => ("stdout", text?),
                Either::Right(text) => ("stderr", text?),
            };
            match &mut collected {
                Some(collected) if name == "stdout" => collected.push_str(&text),
                _ if text.is_empty() => {}
                _ => {
                    printed += text.len();
                    tell(events, name, &text).await?;
                }
            }
            if printed > LONGEST_OUTPUT {
                return Ok(Ended::TooMuch);
            }
        }
        Ok(Ended::With(child.wait().await?))
    }
}

/// How a command ended.
enum Ended {
    With(ExitStatus),
    TooMuch,
}

/// Whether `host` is a name of this machine's own interface, with our port.
pub fn is_here(host: &str, port: u16) -> bool {
    let name = host.strip_suffix(&format!(":{port}"));
    // A browser leaves out the port of `http`.
    let name = if port == 80 { name.or(Some(host)) } else { name };
    name.is_some_and(|name| ["127.0.0.1", "localhost", "[::1]"].contains(&name))
}

/// Sends one event; JSON keeps every line break and space of the text.
async fn tell(events: &mut EventWriter, name: &str, text: &str) -> io::Result<()> {
    events.send(sse::Event::data(serde_json::Value::from(text).to_string()).kind(name)).await
}

/// A child's output, as text: a character that arrives in two pieces stays one.
struct Pipe {
    pipe: Option<ChildPipe>,
    begun: Vec<u8>,
}

impl Pipe {
    fn new(pipe: Option<ChildPipe>) -> Pipe {
        Pipe { pipe, begun: Vec::new() }
    }

    fn is_open(&self) -> bool {
        self.pipe.is_some()
    }

    /// What came next; never, if it is closed. Nothing is lost if the future is dropped.
    async fn piece(&mut self) -> io::Result<String> {
        let Some(pipe) = &mut self.pipe else {
            return std::future::pending().await;
        };
        let mut buffer = [0; 8192];
        let length = pipe.read(&mut buffer).await?;
        self.begun.extend_from_slice(&buffer[..length]);
        if length == 0 {
            self.pipe = None;
        }
        let end = match std::str::from_utf8(&self.begun) {
            Err(error) if error.error_len().is_none() && self.pipe.is_some() => error.valid_up_to(),
            _ => self.begun.len(),
        };
        let rest = self.begun.split_off(end);
        let whole = std::mem::replace(&mut self.begun, rest);
        Ok(String::from_utf8_lossy(&whole).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_s_own_names_are_here() {
        for host in ["127.0.0.1:3000", "localhost:3000", "[::1]:3000"] {
            assert!(is_here(host, 3000), "{host}");
        }
        for host in
            ["", "127.0.0.1", "localhost:3001", "example.org:3000", "localhost:3000.example.org", "a.localhost:3000"]
        {
            assert!(!is_here(host, 3000), "{host}");
        }
        assert!(is_here("localhost", 80));
    }
}
