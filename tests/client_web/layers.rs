//! The policies as layers of a client.

use super::{SECOND, empty, serve, serve_seen};
use netio::{
    http::{
        Body, Response,
        client::{
            Client, Error,
            middleware::{Tries, adaptive, breaker, log, rate_limit, retry},
        },
    },
    policy::{AdaptiveLimit, Backoff, CircuitBreaker, Goal, RateLimiter, Retry},
};
use runtime::{
    future::join_all,
    time::{Instant, sleep},
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tests::wire::run;

/// A server that answers with these statuses, one after the other, and then with the last one.
fn statuses(statuses: &'static [u16]) -> (String, super::Seen) {
    let next = AtomicUsize::new(0);
    serve_seen(move |_| {
        let number = next.fetch_add(1, Ordering::Relaxed).min(statuses.len() - 1);
        empty(statuses[number], if statuses[number] == 429 { &[("retry-after", "7")] } else { &[] })
    })
}

#[test]
fn what_passes_is_tried_again_and_what_may_not_be_is_not() {
    run(async || {
        let client = || {
            let waits = Backoff::list([1, 2].map(|seconds| seconds * SECOND));
            Client::builder().layer(retry(Retry::new(3).backoff(waits))).build()
        };
        for (list, method, tries, status, seconds) in [
            (&[500, 503, 200][..], "GET", 3, 200, 3),
            (&[502, 200], "PUT", 2, 200, 1),
            (&[429, 200], "DELETE", 2, 200, 7),
            (&[503], "GET", 3, 503, 3),
            (&[404, 200], "GET", 1, 404, 0),
            (&[501, 200], "GET", 1, 501, 0),
            (&[503, 200], "POST", 1, 503, 0),
            (&[503, 200], "PATCH", 1, 503, 0),
        ] {
            let (url, seen) = statuses(list);
            let start = Instant::now();
            let response = client().request(method.parse().unwrap(), &url).body("body").await.unwrap();
            assert_eq!((response.status().as_u16(), seen.take().len()), (status, tries), "{method} {list:?}");
            assert_eq!(response.extensions().get(), Some(&Tries(tries as u32)));
            assert_eq!(start.elapsed(), seconds * SECOND, "{method} {list:?}");
        }
        let (url, seen) = statuses(&[503, 200]);
        let keyed = client().post(&url).header("idempotency-key", "1").body("body").await.unwrap();
        assert_eq!((keyed.status().as_u16(), seen.take().len()), (200, 2));
        // A stream is used up.
        let (url, seen) = statuses(&[503, 200]);
        let stream = Body::stream(futures_lite::stream::iter([Ok("body".into())]));
        let response = client().put(&url).body(stream).await.unwrap();
        assert_eq!((response.status().as_u16(), seen.take().len()), (503, 1));
    });
}

#[test]
fn a_server_that_is_not_there_is_asked_again() {
    run(async || {
        let listener = netio::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        drop(listener);
        let lines = Arc::new(Mutex::new(Vec::new()));
        let told = lines.clone();
        let policy = Retry::new(3)
            .name("fetch")
            .backoff(Backoff::list([SECOND]))
            .on_failure(move |failure| told.lock().unwrap().push(failure.to_string()));
        let start = Instant::now();
        let error = Client::builder().layer(retry(policy)).build().post(&url).await.unwrap_err();
        assert!(matches!(error, Error::Connect { .. }), "{error}");
        assert_eq!(start.elapsed(), 2 * SECOND);
        let lines = lines.lock().unwrap();
        assert_eq!(lines.len(), 3);
        assert!(
            lines[0].starts_with(&format!("fetch: failure 1, retrying in 1s: {url}: cannot connect: ")),
            "{}",
            lines[0]
        );
    });
}

/// Inventory A48: the article's limiter let them through in 0.20 s.
#[test]
fn twenty_requests_at_ten_a_second_take_nearly_two() {
    run(async || {
        let (url, seen) = serve_seen(|_| Response::new("x".into()));
        let limiter = Arc::new(RateLimiter::new(10.0).unwrap());
        let client = Client::builder().layer(rate_limit(limiter.clone())).build();
        let start = Instant::now();
        join_all((0..20).map(|_| async { client.get(&url).await.unwrap().bytes().await.unwrap() })).await;
        assert_eq!(start.elapsed(), Duration::from_millis(1900));
        assert_eq!((seen.take().len(), limiter.waiting()), (20, 0));
    });
}

/// Inventory D21: ten failures open it, then nobody asks the server; the other server is asked as before.
#[test]
fn a_server_that_is_down_is_left_alone() {
    run(async || {
        let status = Arc::new(AtomicU16::new(500));
        let says = status.clone();
        let (bad, seen) = serve_seen(move |_| empty(says.load(Ordering::Relaxed), &[]));
        let (good, _) = statuses(&[200]);
        let client = Client::builder().layer(breaker(|| CircuitBreaker::new().cool_down(5 * SECOND))).build();
        for _ in 0..10 {
            assert_eq!(client.get(&bad).await.unwrap().status(), 500);
        }
        let start = Instant::now();
        let error = client.get(format!("{bad}/path")).await.unwrap_err();
        assert!(matches!(error, Error::Refused { .. }), "{error}");
        let expected = format!("{bad}/path: not asked: the circuit breaker is open: try again in 5s");
        assert_eq!((error.to_string(), start.elapsed(), seen.take().len()), (expected, Duration::ZERO, 10));
        assert_eq!(client.get(&good).await.unwrap().status(), 200);
        sleep(5 * SECOND).await;
        status.store(404, Ordering::Relaxed);
        for _ in 0..20 {
            assert_eq!(client.get(&bad).await.unwrap().status(), 404, "no failure of the server");
        }
    });
}

#[test]
fn a_limit_adapts_to_how_long_the_bodies_take() {
    run(async || {
        let busy = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
        let count = busy.clone();
        let url = serve(move |_| {
            let count = count.clone();
            async move {
                let now = count.0.fetch_add(1, Ordering::Relaxed) + 1;
                count.1.fetch_max(now, Ordering::Relaxed);
                Response::new(Body::writer(move |mut body| async move {
                    // The more at once, the slower.
                    sleep(now as u32 * Duration::from_millis(100)).await;
                    count.0.fetch_sub(1, Ordering::Relaxed);
                    body.write("x").await
                }))
            }
        });
        let limit = AdaptiveLimit::new(1..=8, Goal::Latency(Duration::from_millis(350)));
        let client = Client::builder().layer(adaptive(limit.clone())).build();
        join_all((0..100).map(|_| async { client.get(&url).await.unwrap().bytes().await.unwrap() })).await;
        assert_eq!(busy.1.load(Ordering::Relaxed), 8);
        assert!((1..=5).contains(&limit.limit()), "{}", limit.limit());
        assert_eq!(limit.in_use(), 0);
        // Whoever has enough gives the place back.
        let response = client.get(&url).await.unwrap();
        assert_eq!(limit.in_use(), 1);
        drop(response);
        assert_eq!(limit.in_use(), 0);
    });
}

#[test]
fn a_log_has_a_line_for_each_exchange() {
    run(async || {
        let (url, _) = statuses(&[503, 200]);
        let lines = Arc::new(Mutex::new(Vec::new()));
        let logged = |mark: &'static str| {
            let lines = lines.clone();
            log(move |exchange| lines.lock().unwrap().push(format!("{mark} {exchange}")))
        };
        let client = Client::builder()
            .layer(logged("outer"))
            .layer(retry(Retry::new(2).backoff(Backoff::list([SECOND]))))
            .layer(logged("inner"))
            .build();
        client.get(url.replace("http://", "http://u:p@")).await.unwrap();
        let expected = [
            format!("inner GET {url}/ 503 in 0.000s"),
            format!("inner GET {url}/ 200 in 0.000s"),
            format!("outer GET {url}/ 200 in 1.000s"),
        ];
        assert_eq!(*lines.lock().unwrap(), expected);
    });
}
