//! The client's side: a server that follows a script, and mostly not the rules.

mod case;

mod bodies;
mod chunked;
mod connection;
mod fields;
mod first_line;
mod interim;
mod lengths;
mod limits;

use super::{list, on_a_calm_network, places};
use case::{Case, Outcome, Step};
use futures_lite::AsyncWriteExt;
use netio::{
    http::{
        Method,
        client::{Client, Error, TimeoutKind, Timeouts},
    },
    net::TcpListener,
};
use runtime::{time::sleep, world};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use tests::wire::{Peer, on_each_poller};

fn all() -> Vec<Case> {
    [
        first_line::cases(),
        fields::cases(),
        lengths::cases(),
        chunked::cases(),
        bodies::cases(),
        interim::cases(),
        connection::cases(),
        limits::cases(),
    ]
    .concat()
}

/// Small, so that exceeding them is cheap.
fn client() -> Client {
    let timeouts = Timeouts::new().total(Duration::from_secs(20)).read(Duration::from_secs(5));
    Client::builder()
        .timeouts(timeouts)
        .head_bytes(1024)
        .head_fields(10)
        .body_bytes(1000)
        .interim_responses(3)
        .redirects(3)
        .build()
}

/// How the bytes are sent.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cut {
    Whole,
    /// In pieces of this many bytes.
    Every(usize),
    /// In two pieces: this many bytes first.
    After(usize),
}

const PROBE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nprobe";

/// A connection of the server: the first one of all follows the script, and then answers like an honest server, as all
/// others do.
async fn serve(mut peer: Peer, mut script: Option<Case>, cut: Cut) {
    let _ = peer.stream.set_nodelay(true);
    while peer.hear_head().await.is_some() {
        let after = match &script {
            Some(case) => play(&peer, case, cut).await,
            None => peer.try_send(PROBE).await.map_or(After::Over, |()| After::GoesOn),
        };
        match after {
            After::GoesOn => {}
            After::Over => return,
            After::Reset => return drop(peer.stream.reset()),
        }
        script = script.filter(|case| case.always);
    }
}

/// What becomes of the connection when the script is over.
enum After {
    GoesOn,
    Over,
    Reset,
}

/// Follows the script.
async fn play(peer: &Peer, case: &Case, cut: Cut) -> After {
    let mut stream = &peer.stream;
    let mut sent = 0;
    for step in &case.steps {
        match step {
            Step::Send(bytes) => {
                let pieces: Vec<&[u8]> = match cut {
                    Cut::Every(length) => bytes.chunks(length).collect(),
                    Cut::After(at) if (sent + 1..sent + bytes.len()).contains(&at) => {
                        let (one, other) = bytes.split_at(at - sent);
                        vec![one, other]
                    }
                    _ => vec![bytes],
                };
                for piece in pieces {
                    if stream.write_all(piece).await.is_err() {
                        return After::Over;
                    }
                    if cut != Cut::Whole {
                        // For the client to see it alone.
                        sleep(Duration::from_micros(100)).await;
                    }
                }
                sent += bytes.len();
            }
            Step::Pause(time) => sleep(*time).await,
            Step::Close => return After::Over,
            Step::Reset => {
                // What was said before has arrived.
                sleep(Duration::from_millis(100)).await;
                return After::Reset;
            }
        }
    }
    After::GoesOn
}

/// The outcome, and whether the next request went over the same connection.
async fn exchange(case: &Case, cut: Cut) -> Result<(Outcome, bool), String> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let (count, mut script) = (connections.clone(), Some(case.clone()));
    let server = runtime::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Relaxed);
            let case = script.take_if(|case| !case.always).or_else(|| script.clone());
            drop(runtime::spawn(serve(stream.into(), case, cut)));
        }
    });
    let client = client();
    let mut request = client.request(Method::from_bytes(case.method.as_bytes()).unwrap(), format!("{url}/case"));
    for (name, value) in &case.fields {
        request = request.header(*name, *value);
    }
    let fetched = async {
        let response = request.await?;
        Ok::<_, Error>((response.status().as_u16(), response.bytes().await?))
    };
    let outcome = match fetched.await {
        Ok((status, body)) => Outcome::Answer(status, String::from_utf8_lossy(&body).into_owned()),
        Err(error) => Outcome::Fails(word(&error)),
    };
    // Whatever else is on its way comes before the next request.
    sleep(Duration::from_millis(200)).await;
    let before = connections.load(Relaxed);
    let mut kept = case.kept.unwrap_or_default();
    if !case.always {
        let next = async { client.post(format!("{url}/probe")).await?.text().await };
        match next.await {
            Ok(text) if text == "probe" => {}
            other => return Err(format!("the next request got {other:?}")),
        }
        kept = connections.load(Relaxed) == before;
    }
    let stats = client.pool_stats();
    if (stats.in_use, stats.waiting) != (0, 0) {
        return Err(format!("something is left in the pool: {stats:?}"));
    }
    server.abort();
    Ok((outcome, kept))
}

/// The kind of an error, and where the fetch stood.
fn word(error: &Error) -> &'static str {
    let phase = error.phase().map(|phase| format!("{phase:?}")).unwrap_or_default();
    match (error, &*phase) {
        (Error::Lost { .. }, "Head") => "lost, head",
        (Error::Lost { .. }, "Body") => "lost, body",
        (Error::Protocol { .. }, "Head") => "protocol, head",
        (Error::Protocol { .. }, "Body") => "protocol, body",
        (Error::TooLarge { .. }, "Head") => "too large, head",
        (Error::TooLarge { .. }, "Body") => "too large, body",
        (Error::Timeout { kind: TimeoutKind::Total, .. }, _) => "timeout, total",
        (Error::Timeout { kind: TimeoutKind::Read, .. }, "Head") => "timeout, head",
        (Error::Timeout { kind: TimeoutKind::Read, .. }, "Body") => "timeout, body",
        (Error::Redirect { .. }, _) => "redirect",
        (Error::Url { .. }, _) => "url",
        (Error::Coding { .. }, _) => "coding",
        _ => panic!("an error that no case has: {error}"),
    }
}

/// Runs all cases, each in these ways.
async fn run(cuts: impl Fn(&Case) -> Vec<Cut>) {
    let (cases, mut wrong, mut runs) = (all(), Vec::new(), 0);
    for case in &cases {
        for cut in cuts(case) {
            runs += 1;
            let what = match exchange(case, cut).await {
                Err(what) => what,
                Ok((outcome, _)) if outcome != case.outcome => format!("{outcome:?}, not {:?}", case.outcome),
                Ok((_, kept)) if case.kept.is_some_and(|wanted| kept != wanted) => format!("kept is {kept}"),
                Ok(_) => continue,
            };
            wrong.push(format!("{} (RFC {}), {cut:?}: {what}", case.name, case.section));
        }
    }
    assert!(wrong.is_empty(), "{} of {runs} runs of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    println!("{runs} runs of {} cases", cases.len());
}

/// At so many places each case is cut in two, unless all are asked for.
const PLACES: usize = 16;

#[test]
fn there_are_more_than_a_hundred_cases_and_each_has_its_name() {
    let cases = all();
    list(cases.iter().map(|case| (case.section, case.name.as_str())));
    assert!(cases.len() >= 120, "{} cases", cases.len());
}

#[test]
fn every_answer_is_understood_however_its_bytes_are_cut() {
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
fn every_answer_is_understood_on_a_network_that_cuts_and_delays() {
    world::for_seeds(4, async || run(|_| vec![Cut::Whole]).await);
}

#[test]
fn every_answer_is_understood_on_each_poller() {
    on_each_poller(async || run(|_| vec![Cut::Whole]).await);
}
