//! The server's side.

mod answers;
mod case;

mod bodies;
mod chunked;
mod coding;
mod connection;
mod expectations;
mod fields;
mod first_line;
mod hosts;
mod lengths;
mod limits;
mod line_ends;
mod pipelining;
mod responses;
mod targets;
mod trailers;

use super::{list, on_a_calm_network, places};
use case::{Case, End, Last, PROBE, Step};
use futures_lite::{AsyncReadExt, AsyncWriteExt, future::zip};
use netio::{
    http::{
        Request, Response, StatusCode, header,
        server::{BodyRejection, Informational, IntoResponse, Limits, Server},
    },
    net::TcpStream,
};
use runtime::{time::sleep, world};
use std::{
    collections::BTreeMap,
    io,
    net::{Shutdown, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};
use tests::wire::{Peer, on_each_poller};

fn all() -> Vec<Case> {
    [
        line_ends::cases(),
        first_line::cases(),
        targets::cases(),
        hosts::cases(),
        fields::cases(),
        lengths::cases(),
        coding::cases(),
        chunked::cases(),
        trailers::cases(),
        bodies::cases(),
        connection::cases(),
        pipelining::cases(),
        expectations::cases(),
        responses::cases(),
        limits::cases(),
    ]
    .concat()
}

/// Small, so that exceeding them is cheap.
fn allowed() -> Limits {
    Limits {
        head_bytes: 1024,
        header_count: 10,
        body_bytes: 100,
        chunk_extension_bytes: 32,
        trailer_bytes: 100,
        head_time: Duration::from_secs(5),
        body_time: Duration::from_secs(5),
        body_total_time: Duration::from_secs(12),
        keep_alive_time: Duration::from_secs(5),
        requests_per_connection: 5,
        ..Limits::default()
    }
}

/// How the bytes are sent.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cut {
    /// Each step in one piece; the last one with the probe behind it.
    Whole,
    /// In pieces of this many bytes.
    Every(usize),
    /// In two pieces: this many bytes first.
    After(usize),
    /// As the network pleases.
    Anyhow,
}

/// What the handler saw on the connection of each peer.
type Seen = Arc<Mutex<BTreeMap<SocketAddr, Vec<String>>>>;

/// A server that remembers what it was asked.
struct Site {
    address: SocketAddr,
    seen: Seen,
}

impl Site {
    fn open() -> Site {
        let seen = Seen::default();
        let book = seen.clone();
        let server = Server::bind("127.0.0.1:0").unwrap().limits(allowed()).informational(true);
        let address = server.local_addr();
        drop(runtime::spawn(server.serve(move |request: Request| answer(book.clone(), request))));
        Site { address, seen }
    }
}

async fn answer(seen: Seen, mut request: Request) -> Response {
    let body = match request.body_mut().bytes().await {
        Ok(body) => body,
        Err(error) => return BodyRejection::from(error).into_response(),
    };
    let peer = request.peer().unwrap();
    let host = request.headers().get(header::HOST).map_or("-", |host| host.to_str().unwrap());
    let body = String::from_utf8_lossy(&body);
    let entry = format!("{} {} {host} {body}", request.method(), request.uri());
    if let Some(words) = request.uri().path().strip_prefix("/interim/") {
        let interim: &Informational = request.extensions().get().unwrap();
        for status in words.split('/').map(|word| StatusCode::from_bytes(word.as_bytes()).unwrap()) {
            let fields = [("link", "</style.css>; rel=preload"), ("content-length", "7"), ("connection", "close")];
            interim.send(status, fields).await.unwrap();
        }
    }
    seen.lock().unwrap().entry(peer).or_default().push(entry.trim_end().to_owned());
    responses::answer(request.uri().path(), entry)
}

/// What came of a case.
struct Outcome {
    wire: Vec<u8>,
    /// The connection ended as it should: not by a reset.
    clean: bool,
    seen: Vec<String>,
}

async fn exchange(site: &Site, case: &Case, cut: Cut) -> Outcome {
    let stream = Peer::connect(site.address).await.stream;
    let heard = Mutex::new(Vec::new());
    let receive = async {
        let mut buffer = vec![0; 4096];
        loop {
            match (&stream).read(&mut buffer).await {
                Ok(0) => return true,
                Ok(length) => heard.lock().unwrap().extend_from_slice(&buffer[..length]),
                Err(_) => return false,
            }
        }
    };
    // If the server has hung up meanwhile, what it said before counts.
    let send = async {
        let _ = send(&stream, case, cut, &heard).await;
        if case.last == Last::HalfCloses {
            let _ = stream.shutdown(Shutdown::Write);
        }
    };
    let ((), clean) = zip(send, receive).await;
    let seen = site.seen.lock().unwrap().remove(&stream.local_addr().unwrap()).unwrap_or_default();
    Outcome { wire: heard.into_inner().unwrap(), clean, seen }
}

async fn send(mut stream: &TcpStream, case: &Case, cut: Cut, heard: &Mutex<Vec<u8>>) -> io::Result<()> {
    let mut steps = case.steps.clone();
    if case.last == Last::Probes {
        match steps.last_mut() {
            Some(Step::Send(bytes)) if cut == Cut::Whole => bytes.extend_from_slice(PROBE),
            _ => steps.push(Step::Send(PROBE.to_vec())),
        }
    }
    let mut sent = 0;
    for step in steps {
        match step {
            Step::Send(bytes) => {
                let pieces: Vec<&[u8]> = match cut {
                    Cut::Every(length) => bytes.chunks(length).collect(),
                    Cut::After(at) if (sent + 1..sent + bytes.len()).contains(&at) => {
                        let (one, other) = bytes.split_at(at - sent);
                        vec![one, other]
                    }
                    _ => vec![&bytes],
                };
                for piece in pieces {
                    stream.write_all(piece).await?;
                    if cut != Cut::Whole {
                        // For the server to see it alone.
                        sleep(Duration::from_micros(100)).await;
                    }
                }
                sent += bytes.len();
            }
            Step::Pause(time) => sleep(time).await,
            Step::Hear(text) => {
                while !String::from_utf8_lossy(&heard.lock().unwrap()).contains(text) {
                    sleep(Duration::from_millis(1)).await;
                }
            }
        }
    }
    Ok(())
}

/// What is wrong with it, if anything is.
fn judge(case: &Case, cut: Cut, outcome: &Outcome) -> Option<String> {
    let wrong = |what: String| {
        let (name, section) = (&case.name, case.section);
        let wire = String::from_utf8_lossy(&outcome.wire);
        Some(format!("{name} (RFC {section}), {cut:?}: {what}\n    heard {wire:?}"))
    };
    if !outcome.clean {
        return wrong("the connection was reset".into());
    }
    if outcome.seen != case.seen() {
        return wrong(format!("the handler saw {:?}, not {:?}", outcome.seen, case.seen()));
    }
    let mut answers = match answers::read(&outcome.wire, &outcome.seen) {
        Ok(answers) => answers,
        Err(what) => return wrong(what),
    };
    // Whether a peer gets leave to send what it has sent already depends on what came first.
    answers.retain(|answer| answer.status != 100 || cut == Cut::Whole);
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    let mut expected = case.statuses();
    expected.retain(|&status| status != 100 || cut == Cut::Whole);
    if statuses != expected {
        return wrong(format!("answers {statuses:?}, not {expected:?}"));
    }
    let probed = usize::from(case.end == End::Kept && case.last == Last::Probes);
    answers.truncate(answers.len() - probed);
    let closing = answers.iter().map(|answer| answer.head.contains("\r\nconnection: close"));
    let last = answers.len().wrapping_sub(1);
    let told = closing.enumerate().all(|(index, closing)| match case.end {
        End::Refused(_) => closing == (index == last),
        End::Closed if case.last == Last::Probes => closing == (index == last),
        End::Closed | End::Kept => !closing,
    });
    if !told {
        return wrong("`Connection: close` is not where the connection closes".into());
    }
    let heads = answers.iter().map(|answer| answer.head.as_str()).collect::<Vec<_>>().join("\r\n\r\n");
    if let Some(text) = case.says.iter().find(|text| !heads.contains(**text)) {
        return wrong(format!("{text:?} is missing"));
    }
    let said = case.says_not.iter().find(|text| heads.contains(**text));
    said.and_then(|text| wrong(format!("{text:?} is said")))
}

/// Runs all cases, each in these ways.
async fn run(cuts: impl Fn(&Case) -> Vec<Cut>) {
    let (site, mut wrong, mut runs) = (Site::open(), Vec::new(), 0);
    let cases = all();
    for case in &cases {
        for cut in cuts(case) {
            runs += 1;
            wrong.extend(judge(case, cut, &exchange(&site, case, cut).await));
        }
    }
    assert!(wrong.is_empty(), "{} of {runs} runs of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert!(site.seen.lock().unwrap().is_empty(), "a request reached the handler when its connection was gone");
    println!("{runs} runs of {} cases", cases.len());
}

/// At so many places each case is cut in two, unless all are asked for.
const PLACES: usize = 24;

#[test]
fn there_are_hundreds_of_cases_and_each_has_its_name() {
    let cases = all();
    list(cases.iter().map(|case| (case.section, case.name.as_str())));
    assert!(cases.len() >= 300, "{} cases", cases.len());
}

#[test]
fn every_case_holds_however_its_bytes_are_cut() {
    on_a_calm_network(async || {
        run(|case| {
            let length = case.length();
            let cuts = places(length, PLACES).map(Cut::After);
            [Cut::Whole, Cut::Every(length.div_ceil(1000).max(1))].into_iter().chain(cuts).collect()
        })
        .await;
    });
}

#[test]
fn every_case_holds_on_a_network_that_cuts_and_delays() {
    world::for_seeds(4, async || run(|_| vec![Cut::Anyhow]).await);
}

#[test]
fn every_case_holds_on_each_poller() {
    on_each_poller(async || run(|_| vec![Cut::Whole]).await);
}
