//! Tries, waits, verdicts. (Inventory: A19, A41, B16, B17, D19, D20, S12.)

use crate::{
    MILLISECOND, SECOND,
    support::{at_every_poll, cut_after},
    timed,
};
use netio::{
    http::{
        HeaderMap, HeaderValue, Method, Request, Response, StatusCode,
        client::{Client, Error, Phase, TimeoutKind},
        header, reply,
        server::Server,
    },
    policy::{Backoff, HttpFailure, HttpRetry, Jitter, Retry, Then, Verdict},
};
use runtime::{
    JoinHandle, Runtime, spawn,
    time::{Instant, sleep},
};
use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

fn seconds<const N: usize>(seconds: [u64; N]) -> Vec<Duration> {
    seconds.map(Duration::from_secs).into()
}

fn doubled() -> Backoff {
    Backoff::exponential(SECOND, 2.0, 10 * SECOND).jitter(Jitter::None)
}

/// When each try of a retry that always fails begins.
fn tries_of(retry: Retry, verdict: Verdict) -> (Vec<Duration>, Duration) {
    timed(async {
        let (start, tries) = (Instant::now(), Mutex::new(Vec::new()));
        let failing = |attempt| {
            tries.lock().unwrap().push(start.elapsed());
            async move { Err::<(), _>(attempt) }
        };
        let last = retry.run(failing, |_| verdict).await.unwrap_err();
        let tries = tries.into_inner().unwrap();
        assert_eq!(last as usize, tries.len(), "the result is the error of the last try");
        (tries, start.elapsed())
    })
}

#[test]
fn six_tries_wait_1_2_4_8_and_10_seconds_and_not_after_the_last() {
    let (tries, took) = tries_of(Retry::new(6).backoff(doubled()), Verdict::Retry);
    assert_eq!(tries, seconds([0, 1, 3, 7, 15, 25]));
    assert_eq!(took, 25 * SECOND);
}

#[test]
fn the_last_delay_of_a_list_repeats_when_the_list_is_too_short() {
    let list = Backoff::list(seconds([1, 3]));
    assert_eq!(tries_of(Retry::new(5).backoff(list), Verdict::Retry).0, seconds([0, 1, 4, 7, 10]));
    let none = Backoff::list([]);
    assert_eq!(tries_of(Retry::new(3).backoff(none), Verdict::Retry).0, seconds([0, 0, 0]));
}

#[test]
fn one_try_is_the_least_and_a_stop_ends_it() {
    assert_eq!(tries_of(Retry::new(0), Verdict::Retry).0.len(), 1);
    assert_eq!(tries_of(Retry::new(5), Verdict::Stop).0.len(), 1);
}

#[test]
fn a_wait_that_was_asked_for_takes_the_place_of_the_backoff_and_is_capped() {
    let retry = Retry::new(3).backoff(doubled());
    assert_eq!(tries_of(retry.clone(), Verdict::RetryAfter(7 * SECOND)).0, seconds([0, 7, 14]));
    let capped = retry.longest_retry_after(5 * SECOND);
    assert_eq!(tries_of(capped, Verdict::RetryAfter(Duration::MAX)).0, seconds([0, 5, 10]));
}

#[test]
fn no_wait_is_begun_that_would_end_after_the_time_limit() {
    let limited = |limit| tries_of(Retry::new(9).backoff(doubled()).time_limit(limit), Verdict::Retry);
    assert_eq!(limited(7 * SECOND), (seconds([0, 1, 3, 7]), 7 * SECOND));
    assert_eq!(limited(7 * SECOND - MILLISECOND), (seconds([0, 1, 3]), 3 * SECOND));
    assert_eq!(limited(Duration::ZERO), (seconds([0]), Duration::ZERO));
}

#[test]
fn the_observer_is_told_of_each_failure_in_words() {
    let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    let told = lines.clone();
    let retry = Retry::new(3).backoff(Backoff::list(seconds([1, 3]))).name("fetch");
    let retry = retry.on_failure(move |failure| told.lock().unwrap().push(failure.to_string()));
    let tell = |verdict: fn(&u32) -> Verdict, limit: u32| {
        let retry = retry.clone().time_limit(limit * SECOND);
        timed(retry.run(async |attempt| Err::<(), _>(attempt), verdict)).unwrap_err();
        lines.lock().unwrap().drain(..).collect::<Vec<_>>()
    };
    assert_eq!(
        tell(|_| Verdict::Retry, 9),
        [
            "fetch: failure 1, retrying in 1s: 1",
            "fetch: failure 2, retrying in 3s: 2",
            "fetch: failure 3, all retries failed: 3"
        ]
    );
    assert_eq!(tell(|_| Verdict::Stop, 9), ["fetch: failure 1, another try would not help: 1"]);
    assert_eq!(tell(|_| Verdict::Retry, 2)[1], "fetch: failure 2, no time is left for another try: 2");
}

#[test]
fn a_retry_that_is_dropped_tries_no_more() {
    at_every_poll(|polls| {
        timed(async {
            let tries = AtomicU32::new(0);
            let failing = |attempt| {
                tries.fetch_add(1, Ordering::Relaxed);
                async move {
                    sleep(SECOND).await;
                    Err::<(), _>(attempt)
                }
            };
            let retry = Retry::new(3).backoff(doubled());
            let ended = cut_after(polls, retry.retry_if(failing, |_| true)).await;
            let then = tries.load(Ordering::Relaxed);
            assert!(ended.is_none() || then == 3);
            sleep(100 * SECOND).await;
            assert_eq!(tries.load(Ordering::Relaxed), then, "it went on after it was dropped");
            ended.is_none()
        })
    });
}

#[test]
fn a_task_that_is_aborted_is_not_tried_again() {
    timed(async {
        let tries = Arc::new(AtomicU32::new(0));
        let counted = tries.clone();
        // It borrows its retry, and it can be a task: everything in it is `Send`.
        let task = spawn(async move {
            let hanging = |_| {
                counted.fetch_add(1, Ordering::Relaxed);
                async { std::future::pending::<Result<(), io::Error>>().await }
            };
            Retry::new(3).retry_if(hanging, |_| true).await
        });
        sleep(SECOND).await;
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        sleep(100 * SECOND).await;
        assert_eq!(tries.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn every_jitter_keeps_within_its_bounds_and_follows_from_the_seed() {
    for jitter in [Jitter::None, Jitter::Full, Jitter::Equal, Jitter::Decorrelated] {
        let backoff = Backoff::exponential(SECOND, 2.0, 10 * SECOND).jitter(jitter);
        let draw = |seed| Runtime::simulated(seed).block_on(async { backoff.waits().take(8).collect::<Vec<_>>() });
        for seed in 0..200 {
            let waits = draw(seed);
            let mut last = SECOND;
            for (wait, delay) in waits.iter().zip(doubled().waits()) {
                let (least, most) = match jitter {
                    Jitter::None => (delay, delay),
                    Jitter::Full => (Duration::ZERO, delay),
                    Jitter::Equal => (delay / 2, delay),
                    Jitter::Decorrelated => (SECOND, (3 * last).min(10 * SECOND)),
                };
                assert!((least..=most).contains(wait), "{jitter:?}: {wait:?} is not in {least:?}..={most:?}");
                last = *wait;
            }
            assert_eq!(waits, draw(seed));
        }
    }
}

#[test]
fn a_hundred_clients_that_fail_together_come_back_spread_out() {
    // How many come back in the fullest tenth of a second, at the third try.
    let crowd = |jitter| {
        Runtime::simulated(1).block_on(async {
            let backoff = doubled().jitter(jitter);
            let mut crowd = BTreeMap::new();
            for _ in 0..100 {
                let back: Duration = backoff.waits().take(2).sum();
                *crowd.entry(back.as_millis() / 100).or_insert(0) += 1;
            }
            crowd.into_values().max().unwrap()
        })
    };
    assert_eq!(crowd(Jitter::None), 100);
    for jitter in [Jitter::Full, Jitter::Equal, Jitter::Decorrelated] {
        assert!(crowd(jitter) <= 20, "{jitter:?}: {}", crowd(jitter));
    }
}

#[test]
fn no_delay_is_too_long_or_too_short_for_the_arithmetic() {
    for (base, factor, max, last) in [
        (Duration::MAX, 2.0, Duration::MAX, Duration::MAX),
        (Duration::ZERO, 1e300, SECOND, Duration::ZERO),
        (Duration::from_nanos(1), 1.0, SECOND, Duration::from_nanos(1)),
        (10 * SECOND, 2.0, SECOND, SECOND),
    ] {
        for jitter in [Jitter::None, Jitter::Full, Jitter::Equal, Jitter::Decorrelated] {
            let wait = Backoff::exponential(base, factor, max).jitter(jitter).waits().nth(5_000).unwrap();
            assert!(wait <= max && (jitter != Jitter::None || wait == last), "{jitter:?}: {wait:?}");
        }
    }
}

/// A server that gives these answers, and then the last one for ever; and how often it was asked.
fn serve(answers: &'static [(u16, Option<&'static str>)]) -> (String, Arc<AtomicU32>, JoinHandle<io::Result<()>>) {
    let asked = Arc::new(AtomicU32::new(0));
    let server = Server::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", server.local_addr());
    let counter = asked.clone();
    let answer = move |_: Request| {
        let number = counter.fetch_add(1, Ordering::Relaxed) as usize;
        let (status, retry_after) = answers.get(number).or(answers.last()).unwrap();
        let mut response: Response = reply(StatusCode::from_u16(*status).unwrap(), "text/plain", "");
        if let Some(when) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(when));
        }
        async { response }
    };
    (url, asked, spawn(async move { server.serve(answer).await.map(drop).map_err(io::Error::from) }))
}

/// What comes of four tries, how often the server is asked, and how long it takes, in seconds.
fn exchange(
    method: &'static Method,
    answers: &'static [(u16, Option<&'static str>)],
) -> (Result<StatusCode, String>, u32, u64) {
    timed(async {
        let (url, asked, server) = serve(answers);
        let (client, start) = (Client::new(), Instant::now());
        let judge = HttpRetry::new(method);
        let fetch = |_| async {
            let request = http::Request::builder().method(method).uri(&url).body(Default::default()).unwrap();
            Ok::<_, HttpFailure>(judge.check(client.execute(request).await?)?.status())
        };
        let ended = Retry::new(4).backoff(doubled()).run(fetch, |failure| judge.verdict(failure)).await;
        server.abort();
        (ended.map_err(|error| error.to_string()), asked.load(Ordering::Relaxed), start.elapsed().as_secs())
    })
}

#[test]
fn only_what_passes_is_asked_for_again() {
    let ok = Ok(StatusCode::OK);
    let unavailable = Err("the server answered 503 Service Unavailable".to_owned());
    assert_eq!(exchange(&Method::GET, &[(500, None), (502, None), (200, None)]), (ok.clone(), 3, 1 + 2));
    assert_eq!(exchange(&Method::GET, &[(404, None)]), (Ok(StatusCode::NOT_FOUND), 1, 0));
    assert_eq!(exchange(&Method::GET, &[(503, None)]), (unavailable.clone(), 4, 1 + 2 + 4));
    assert_eq!(exchange(&Method::PUT, &[(504, None), (200, None)]), (ok.clone(), 2, 1));
    assert_eq!(exchange(&Method::POST, &[(503, None)]), (unavailable, 1, 0));
    assert_eq!(exchange(&Method::GET, &[(501, None)]), (Ok(StatusCode::NOT_IMPLEMENTED), 1, 0));
}

#[test]
fn retry_after_is_kept_to_in_seconds_and_as_a_date() {
    let ok = Ok(StatusCode::OK);
    // The virtual clock starts at 01:46:40.
    const DATE: &str = "Sun, 09 Sep 2001 01:46:49 GMT";
    assert_eq!(exchange(&Method::GET, &[(429, Some("7")), (503, Some(DATE)), (200, None)]), (ok.clone(), 3, 9));
    assert_eq!(exchange(&Method::GET, &[(503, Some("99999999999999999999999")), (200, None)]), (ok.clone(), 2, 60));
    // It means nothing with these, or says nothing.
    assert_eq!(exchange(&Method::GET, &[(500, Some("7")), (503, Some("-7")), (200, None)]), (ok, 3, 1 + 2));
}

#[test]
fn a_server_that_was_not_reached_may_be_tried_again_with_anything() {
    let url = || "http://shop/order".to_owned();
    let cause = || io::Error::other("a test");
    let lost = Error::Lost { url: url(), phase: Phase::Head, cause: cause() };
    let kind = TimeoutKind::Total;
    let late = |phase| Error::Timeout { url: url(), phase, kind, limit: SECOND };
    for (error, get, post) in [
        (Error::Url { url: url(), reason: String::new() }, false, false),
        (Error::Dns { url: url(), cause: cause() }, true, true),
        (Error::Connect { url: url(), cause: cause() }, true, true),
        (lost, true, false),
        (late(Phase::Connect), true, true),
        (late(Phase::Send), true, false),
        (late(Phase::Body), true, false),
        (Error::Protocol { url: url(), phase: Phase::Head, reason: "" }, false, false),
        (Error::TooLarge { url: url(), phase: Phase::Body, limit: 1 }, false, false),
    ] {
        for (method, again) in [(Method::GET, get), (Method::POST, post)] {
            let expected = if again { Verdict::Retry } else { Verdict::Stop };
            assert_eq!(HttpRetry::new(&method).error(&error), expected, "{method}: {error}");
        }
    }
}

#[test]
fn every_status_has_its_verdict() {
    for code in 100..=999 {
        let status = StatusCode::from_u16(code).unwrap();
        let passes = [429, 500, 502, 503, 504].contains(&code);
        let verdict = |judge: HttpRetry| judge.status(status, &HeaderMap::new());
        let expected = if passes { Verdict::Retry } else { Verdict::Stop };
        assert_eq!(verdict(HttpRetry::new(&Method::DELETE)), expected, "{code}");
        assert_eq!(verdict(HttpRetry::new(&Method::PATCH).repeatable()), expected, "{code}");
        assert_eq!(verdict(HttpRetry::new(&Method::PATCH)), Verdict::Stop, "{code}");
    }
}

#[test]
fn what_comes_next_can_be_matched_on() {
    let then: Arc<Mutex<Vec<Then>>> = Arc::default();
    let told = then.clone();
    let retry = Retry::new(2).backoff(doubled()).on_failure(move |failure| told.lock().unwrap().push(failure.then));
    timed(retry.retry_if(async |_| Err::<(), _>("no"), |_| true)).unwrap_err();
    assert_eq!(*then.lock().unwrap(), [Then::Wait(SECOND), Then::NoTriesLeft]);
}
