//! The book's server: the pages of the latest build, the news of the next one, and the Run button.
//!
//! ```text
//!  watch ──change──▶ weave (blocking pool) ──▶ a new Edition takes the place of the old
//!                                                    │ replaced
//!  browser ◀── /live: build N ───────────────────────╯        /run/NAME ──▶ run
//!          ◀── any other path: a file of the current edition
//! ```
//!
//! - A build that fails leaves the pages of the one before, and says why in the terminal and in the browser.
//! - A reader sees whole builds only: each is made in a folder that is not being served.
//! - Nothing runs on a clock: while nobody asks and nothing changes, the process sleeps.

use crate::house::House;
use crate::problem::{Problem, Result};
use crate::run::{self, Runner};
use crate::watch::Watch;
use crate::weave::{self, Woven};
use netio::http::files::StaticFiles;
use netio::http::header::{HeaderName, HeaderValue};
use netio::http::server::{Limits, Server};
use netio::http::sse::{self, EventWriter};
use netio::http::{Method, Request, Response, StatusCode, reply};
use runtime::future::race;
use runtime::sync::Event;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long Ctrl-C waits for a build that is being made. Its pages are thrown away anyway.
const SHUTDOWN: Duration = Duration::from_millis(300);

/// What a reader can choose.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes any that is free.
    pub port: u16,
    /// The folder in which the pages are made; a temporary one if there is none.
    pub out: Option<PathBuf>,
    /// Whether the pages may run examples.
    pub run: bool,
    /// How long an example may run.
    pub longest_run: Duration,
}

/// mdBook's pages have scripts and styles in them, so these cannot be forbidden; anything from elsewhere is.
const HEADERS: [(&str, &str); 4] = [
    (
        "content-security-policy",
        "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
         connect-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// The pages of one build, until the next takes their place.
struct Edition {
    /// How many builds came before.
    number: u64,
    files: StaticFiles,
    /// Why the build after this one failed, if it did.
    failure: Option<String>,
    replaced: Event,
}

/// What the handler of every request shares.
struct Site {
    house: House,
    port: u16,
    folder: PathBuf,
    current: Mutex<Arc<Edition>>,
    runner: Option<Arc<Runner>>,
    closing: Arc<Event>,
}

/// Weaves the book and serves it until Ctrl-C.
///
/// # Errors
///
/// The port is taken, the folder cannot be written, or the book does not build.
pub fn serve(house: &House, options: &Options) -> Result<()> {
    let builder = runtime::Runtime::builder().shutdown_time(SHUTDOWN);
    let runtime = builder.build().map_err(|error| Problem::new(format!("cannot make a runtime: {error}")))?;
    // Made before the runtime runs and dropped after it: a build that is being made at the end still writes there.
    let folder = temporary_folder(options.out.as_deref())?;
    let served = runtime.block_on(serve_until_stopped(house, options, folder.path()));
    drop(runtime);
    served
}

async fn serve_until_stopped(house: &House, options: &Options, folder: &Path) -> Result<()> {
    let system = |what: &'static str| move |error: std::io::Error| Problem::new(format!("cannot {what}: {error}"));
    let mut ctrl_c = runtime::signal::ctrl_c().map_err(system("listen for Ctrl-C"))?;
    let mut terminate = runtime::signal::terminate().map_err(system("listen for SIGTERM"))?;
    let mut hang_up = runtime::signal::hang_up().map_err(system("listen for SIGHUP"))?;
    let port = options.port;
    let server = Server::bind(("127.0.0.1", port)).map_err(|error| {
        Problem::new(format!("cannot listen on 127.0.0.1:{port}: {error}; choose another port with --port"))
    })?;
    let site = Site::open(house.clone(), server.local_addr().port(), folder, options)?;
    // Who closes our output still wants the pages.
    let _ = writeln!(std::io::stdout(), "Handloom is at http://127.0.0.1:{}/ (Ctrl-C stops it)", site.port);
    drop(runtime::spawn(watch(site.clone())));

    let closing = site.closing.clone();
    let stop = async move {
        let _ = race(race(ctrl_c.recv(), terminate.recv()), hang_up.recv()).await;
        // What streams for ever ends first, so that the server has nothing to wait for.
        closing.set();
    };
    let limits = Limits { shutdown_grace: Duration::from_millis(500), ..Limits::default() };
    let served = server.limits(limits).serve_until(stop, move |request: Request| respond(site.clone(), request)).await;
    served.map(drop).map_err(|error| Problem::new(format!("the server failed: {error}")).into())
}

/// A folder that goes away at the end.
fn temporary_folder(out: Option<&Path>) -> Result<tempfile::TempDir> {
    let parent = out.map_or_else(std::env::temp_dir, Path::to_owned);
    let failed =
        |error: std::io::Error| Problem::new(format!("cannot write to the folder {}: {error}", parent.display()));
    std::fs::create_dir_all(&parent).map_err(failed)?;
    Ok(tempfile::Builder::new().prefix(".handloom-").tempdir_in(&parent).map_err(failed)?)
}

impl Site {
    /// Makes the first build.
    fn open(house: House, port: u16, folder: &Path, options: &Options) -> Result<Arc<Site>> {
        let closing = Arc::new(Event::new());
        let runner = options
            .run
            .then(|| Runner::new(&house, port, options.longest_run, closing.clone()).map(Arc::new))
            .transpose()?;
        let folder = folder.to_owned();
        let edition = build(&house, &folder, runner.as_deref(), 0)?;
        Ok(Arc::new(Site { house, port, folder, current: Mutex::new(Arc::new(edition)), runner, closing }))
    }

    fn current(&self) -> Arc<Edition> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn replace(&self, edition: Edition) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut *current, Arc::new(edition));
        // Wakes others: not with the lock held.
        drop(current);
        old.replaced.set();
    }

    /// Builds again. A failure is an edition too: the old pages, and the reason.
    fn rebuild(&self) {
        let old = self.current();
        let next =
            build(&self.house, &self.folder, self.runner.as_deref(), old.number + 1).unwrap_or_else(|problems| {
                let failure = problems.in_one_line();
                say(&failure);
                Edition {
                    number: old.number,
                    files: StaticFiles::new(pages(&self.folder, old.number)),
                    failure: Some(failure),
                    replaced: Event::new(),
                }
            });
        self.replace(next);
    }
}

/// Two folders take turns: one is served while the next build goes to the other.
fn pages(folder: &Path, number: u64) -> PathBuf {
    folder.join(if number.is_multiple_of(2) { "even" } else { "odd" })
}

fn build(house: &House, folder: &Path, runner: Option<&Runner>, number: u64) -> Result<Edition> {
    let pages = pages(folder, number);
    weave::build(house, &pages, &Woven::ToServe { token: runner.map(|runner| runner.token().to_owned()) })?;
    Ok(Edition { number, files: StaticFiles::new(pages), failure: None, replaced: Event::new() })
}

/// Rebuilds at every change, for as long as the server runs.
async fn watch(site: Arc<Site>) {
    let failed = |error: std::io::Error| say(&format!("the pages are not rebuilt when a source changes: {error}"));
    let watch = match Watch::new(&site.house) {
        Ok(watch) => watch,
        Err(error) => return failed(error),
    };
    loop {
        if let Err(error) = watch.changed().await {
            return failed(error);
        }
        let site = site.clone();
        if runtime::spawn_blocking(move || site.rebuild()).await.is_err() {
            say("the last rebuild panicked: the pages are those of the one before");
        }
    }
}

/// Tells whoever watches the terminal; if nobody does, that is no reason to stop.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

async fn respond(site: Arc<Site>, request: Request) -> Response {
    let path = request.path();
    let host = request.header(&netio::http::header::HOST).unwrap_or_default();
    let mut response = match (path, path.strip_prefix("/run/"), &site.runner) {
        // A name that somebody else made point here: its pages must not read ours, which hold the token.
        _ if !run::is_here(host, site.port) => {
            refused(StatusCode::FORBIDDEN, "this server is called localhost, and by its port")
        }
        ("/live", ..) => live(site.clone(), &request),
        (_, Some(name), Some(runner)) => runner.respond(&request, name),
        (_, Some(_), None) => refused(StatusCode::NOT_FOUND, "this server runs no examples"),
        _ => page(&site.current().files, &request).await,
    };
    for (name, value) in HEADERS {
        response.set_header(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

fn refused(status: StatusCode, why: &'static str) -> Response {
    reply(status, "text/plain; charset=utf-8", why)
}

/// A file of the current edition, or the book's own page for what is not there.
async fn page(files: &StaticFiles, request: &Request) -> Response {
    let response = files.respond(request).await;
    if response.status() != StatusCode::NOT_FOUND {
        return response;
    }
    let mut instead = Request::default();
    *instead.method_mut() = request.method().clone();
    *instead.uri_mut() = "/404.html".parse().expect("a path is an address");
    let mut response = files.respond(&instead).await;
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

/// Tells the number of each build as it comes, and why one failed.
fn live(site: Arc<Site>, request: &Request) -> Response {
    let host = request.header(&netio::http::header::HOST).unwrap_or_default();
    if request.method() != Method::GET || !run::is_here(host, site.port) {
        return refused(StatusCode::FORBIDDEN, "the news are for this server's own pages");
    }
    sse::response(move |mut events: EventWriter| async move {
        loop {
            let edition = site.current();
            events.send(sse::Event::data(edition.number.to_string()).kind("build")).await?;
            if let Some(failure) = &edition.failure {
                events.send(sse::Event::data(failure).kind("failed")).await?;
            }
            race(edition.replaced.wait(), site.closing.wait()).await;
            if site.closing.is_set() {
                return Ok(());
            }
        }
    })
}
