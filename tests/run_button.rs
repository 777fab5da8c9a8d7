//! The book's server, end to end: every page and asset, the Run button and its refusals, live rebuild, Ctrl-C, and its one-line
//! errors. The requests that a browser would not send are written by hand on a plain socket.

use netio::http::client::Client;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tests::{Served, handloom, root};

/// The example that ends by itself, and the one that serves until it is stopped.
const SHORT: &str = "hello";
const ENDLESS: &str = "httpbin";

fn serve(arguments: &[&str]) -> Served {
    Served::start(&handloom(), &[&["--port", "0"], arguments].concat())
}

/// Sends a request as it stands, and gives the answer to be read.
fn send(served: &Served, request: &str) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(("127.0.0.1", served.port())).expect("the server listens");
    stream.set_read_timeout(Some(Duration::from_secs(120))).expect("a time limit");
    stream.write_all(request.replace("HOST", &format!("127.0.0.1:{}", served.port())).as_bytes()).expect("it is sent");
    BufReader::new(stream)
}

fn status_of(answer: &mut impl BufRead) -> u16 {
    let mut line = String::new();
    answer.read_line(&mut line).expect("a status line");
    line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no status in {line:?}"))
}

/// Reads lines until one holds `text`.
fn read_until(answer: &mut impl BufRead, text: &str) -> String {
    let mut line = String::new();
    loop {
        line.clear();
        let length = answer.read_line(&mut line).expect("the answer goes on");
        assert!(length > 0, "the answer ended without {text:?}");
        if line.contains(text) {
            return line;
        }
    }
}

/// A page with a Run panel: the token that it carries.
fn token(served: &Served) -> String {
    let pages = runtime::block_on(walk(&served.address));
    let carried =
        pages.values().find_map(|page| Some(page.split_once(r#" data-token=""#)?.1.split_once('"')?.0.to_owned()));
    carried.expect("some page has a Run panel with a token")
}

fn run_request(name: &str, token: &str) -> String {
    format!(
        "POST /run/{name} HTTP/1.1\r\nHost: HOST\r\nOrigin: http://HOST\r\nx-handloom-token: {token}\r\nContent-Length: 0\r\n\r\n"
    )
}

/// Every page and asset that can be reached from `/`, each of which must be there. The pages' text, by address.
async fn walk(address: &str) -> BTreeMap<String, String> {
    let client = Client::new();
    let mut waiting = vec!["/".to_owned(), "/print.html".to_owned(), "/toc.html".to_owned()];
    let mut seen: BTreeSet<String> = waiting.iter().cloned().collect();
    let mut pages = BTreeMap::new();
    while let Some(path) = waiting.pop() {
        let answer = client.get(format!("{address}{path}")).await.unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff", "{path}");
        let kind = answer.headers()["content-type"].to_str().expect("a type is text").to_owned();
        let body = answer.bytes().await.unwrap_or_else(|error| panic!("{path}: {error}"));
        if !kind.starts_with("text/html") && !kind.starts_with("text/css") {
            continue;
        }
        let text = String::from_utf8(body.to_vec()).expect("pages are UTF-8");
        for target in targets(&text, kind.starts_with("text/css")) {
            let target = resolved(&path, target);
            if seen.insert(target.clone()) {
                waiting.push(target);
            }
        }
        if kind.starts_with("text/html") {
            pages.insert(path, text);
        }
    }
    assert!(seen.len() > 50, "only {} addresses are reachable", seen.len());
    pages
}

/// What a page or a style sheet names on this server.
fn targets(text: &str, style_sheet: bool) -> impl Iterator<Item = &str> {
    let starts: &[&str] = if style_sheet { &["url('", "url(\"", "url("] } else { &["href=\"", "src=\""] };
    starts
        .iter()
        .flat_map(move |start| text.split(start).skip(1))
        .filter_map(|rest| rest.split(['"', '\'', ')', '#', '?']).next())
        .filter(|target| !target.is_empty() && !target.contains(':') && !target.contains(' '))
}

fn resolved(page: &str, target: &str) -> String {
    let folder = if target.starts_with('/') { "" } else { page.rsplit_once('/').map_or("", |(folder, _)| folder) };
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(target.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// The descendants of a process that run now.
fn children(of: u32) -> Vec<Pid> {
    let list = std::fs::read_to_string(format!("/proc/{of}/task/{of}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|id| Pid::from_raw(id.parse().ok()?)).collect()
}

/// Waits until a process has ended.
fn assert_ends(process: Pid) {
    let Ok(ended) = pidfd_open(process, PidfdFlags::empty()) else {
        return;
    };
    let longest = Timespec { tv_sec: 10, tv_nsec: 0 };
    let ready = poll(&mut [PollFd::new(&ended, PollFlags::IN)], Some(&longest)).expect("poll");
    assert_eq!(ready, 1, "process {process:?} still runs");
}

#[test]
fn every_page_and_asset_is_there() {
    let served = serve(&["--no-run"]);
    assert_eq!(served.line, format!("Handloom is at {}/ (Ctrl-C stops it)\n", served.address));
    let pages = runtime::block_on(walk(&served.address));
    assert!(pages.values().all(|page| !page.contains("data-token")), "--no-run gives no page a token");
    let mut missing = send(&served, "GET /nowhere.html HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n");
    assert_eq!(status_of(&mut missing), 404);
    let mut run = send(&served, &run_request(SHORT, "x"));
    assert_eq!(status_of(&mut run), 404, "--no-run runs nothing");
}

#[test]
fn an_example_runs_and_its_output_and_timeline_arrive() {
    let served = serve(&[]);
    let mut answer = send(&served, &run_request(SHORT, &token(&served)));
    assert_eq!(status_of(&mut answer), 200);
    read_until(&mut answer, "event: status");
    read_until(&mut answer, "event: stdout");
    let end = read_until(&mut answer, "ended after");
    assert!(end.contains("exit status: 0"), "{end}");
    read_until(&mut answer, "event: timeline");
    read_until(&mut answer, "<svg");
}

#[test]
fn only_the_page_itself_may_run_an_example_and_only_a_known_one() {
    let served = serve(&[]);
    let token = token(&served);
    let good = run_request(SHORT, &token);
    for (what, request, status) in [
        ("no token", good.replace(&format!("x-handloom-token: {token}\r\n"), ""), 403),
        ("another token", good.replace(&token, &"0".repeat(token.len())), 403),
        ("another host", good.replace("Host: HOST", "Host: example.org"), 403),
        ("another port", good.replace("Host: HOST", "Host: 127.0.0.1:1"), 403),
        ("another origin", good.replace("http://HOST", "http://example.org"), 403),
        ("no origin that could be ours", good.replace("http://HOST", "null"), 403),
        ("another site", good.replace("Origin:", "Sec-Fetch-Site: cross-site\r\nOrigin:"), 403),
        ("a second origin", good.replace("Origin:", "Origin: http://example.org\r\nOrigin:"), 403),
        ("a page under a foreign name", "GET /index.html HTTP/1.1\r\nHost: example.org\r\n\r\n".to_owned(), 403),
        ("an unknown name", good.replace("/run/hello", "/run/rm"), 404),
        ("a path for a name", good.replace("/run/hello", "/run/..%2f..%2fbin%2fsh"), 404),
        ("a GET", good.replace("POST", "GET"), 405),
    ] {
        assert_eq!(status_of(&mut send(&served, &request)), status, "{what}");
    }
    assert_eq!(children(served.id()), []);
}

#[test]
fn a_reader_who_leaves_takes_the_example_along() {
    let served = serve(&[]);
    let token = token(&served);
    let mut answer = send(&served, &run_request(ENDLESS, &token));
    assert_eq!(status_of(&mut answer), 200);
    read_until(&mut answer, "http://");
    let running = children(served.id());
    assert_eq!(running.len(), 1);
    drop(answer);
    assert_ends(running[0]);
}

#[test]
fn three_examples_run_at_once_and_no_more() {
    let served = serve(&[]);
    let token = token(&served);
    let running: Vec<_> = (0..3)
        .map(|_| {
            let mut answer = send(&served, &run_request(ENDLESS, &token));
            assert_eq!(status_of(&mut answer), 200);
            read_until(&mut answer, "http://");
            answer
        })
        .collect();
    assert_eq!(status_of(&mut send(&served, &run_request(SHORT, &token))), 429);
    drop(running);
}

#[test]
fn an_example_that_takes_too_long_is_stopped() {
    let served = serve(&["--run-seconds", "1"]);
    let mut answer = send(&served, &run_request(ENDLESS, &token(&served)));
    read_until(&mut answer, "stopped: it ran for 1 seconds");
    assert_eq!(children(served.id()), []);
}

#[test]
fn ctrl_c_stops_the_server_and_what_it_runs_within_a_second() {
    let served = serve(&[]);
    let mut run = send(&served, &run_request(ENDLESS, &token(&served)));
    read_until(&mut run, "http://");
    let mut live = send(&served, "GET /live HTTP/1.1\r\nHost: HOST\r\n\r\n");
    read_until(&mut live, "event: build");
    let running = children(served.id());
    let start = Instant::now();
    let status = served.interrupt();
    assert_eq!(status.code(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    running.into_iter().for_each(assert_ends);
}

#[test]
fn a_changed_page_is_built_again_and_a_broken_one_says_why() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |path: &str, text: &str| {
        let file = folder.path().join(path);
        std::fs::create_dir_all(file.parent().expect("a file has a folder")).expect("the folder");
        std::fs::write(file, text).expect("the file");
    };
    let script = std::fs::read_to_string(root().join("book/theme/live.js")).expect("the script");
    write("book/theme/live.js", &script);
    write("book/book.toml", "[book]\nsrc = \"chapters\"\n");
    write("book/chapters/SUMMARY.md", "# Summary\n\n- [Page](page.md)\n");
    write("book/chapters/page.md", "# Page\n\none\n");
    let served = serve(&["--root", folder.path().to_str().expect("a path as text")]);
    let page = || {
        let mut answer = send(&served, "GET /page.html HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n");
        let mut text = String::new();
        answer.read_to_string(&mut text).expect("a page is text");
        text
    };
    let mut live = send(&served, "GET /live HTTP/1.1\r\nHost: HOST\r\n\r\n");
    read_until(&mut live, "data: 0");
    assert!(page().contains("<p>one</p>"));
    write("book/chapters/page.md", "# Page\n\ntwo\n");
    read_until(&mut live, "data: 1");
    assert!(page().contains("<p>two</p>"));
    write("book/chapters/page.md", "# Page\n\n{{#run nothing}}\n");
    read_until(&mut live, "event: failed");
    let why = read_until(&mut live, "data: ");
    assert!(why.contains("book/chapters/page.md:3: there is no example `nothing`"), "{why}");
    assert!(page().contains("<p>two</p>"), "the page of the last good build");
    write("book/chapters/page.md", "# Page\n\nthree\n");
    read_until(&mut live, "data: 2");
    assert!(page().contains("<p>three</p>"));
}

/// What `handloom` says when it cannot start: one line on standard error, and exit code 1.
fn refusal(arguments: &[&str]) -> String {
    let done = Command::new(handloom()).args(arguments).current_dir(root()).output().expect("handloom starts");
    let said = String::from_utf8(done.stderr).expect("it says text");
    assert_eq!((done.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    said
}

#[test]
fn what_cannot_be_served_is_said_in_one_line() {
    let served = serve(&["--no-run"]);
    let taken = refusal(&["--port", &served.port().to_string()]);
    assert!(
        taken.starts_with(&format!("cannot listen on 127.0.0.1:{}: Address already in use", served.port())),
        "{taken}"
    );
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let folder = file.path().join("pages");
    let unwritable = refusal(&["--port", "0", "--out", folder.to_str().expect("a path as text")]);
    assert!(unwritable.starts_with("cannot write to the folder "), "{unwritable}");
    let homeless =
        refusal(&["--root", file.path().parent().unwrap_or(Path::new("/")).to_str().expect("a path as text")]);
    assert!(homeless.contains("has no book/book.toml"), "{homeless}");
}
