//! What a test server sees of its clients.

use netio::http::{
    Request,
    server::{BoxResponse, Next},
};
use runtime::time::Instant;
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

/// What a [`TestServer`](super::TestServer) has seen.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Requests.
    pub requests: usize,
    /// Requests that were being answered at the same time, at most. A streamed body does not count.
    pub most_at_once: usize,
    /// Connections on which there was a request.
    pub connections: usize,
    /// When each request came.
    pub arrivals: Vec<Instant>,
}

/// Counts requests as they pass.
#[derive(Clone, Debug, Default)]
pub(super) struct Gauge(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    seen: Seen,
    in_flight: usize,
    peers: BTreeSet<SocketAddr>,
}

impl Gauge {
    pub(super) fn layer(&self) -> impl Fn(Request, Next) -> BoxResponse + Send + Sync + 'static {
        let gauge = self.clone();
        move |request, next| {
            let in_flight = gauge.enter(request.peer());
            Box::pin(async move {
                let _in_flight = in_flight;
                next.run(request).await
            })
        }
    }

    pub(super) fn seen(&self) -> Seen {
        let counts = self.0.lock().unwrap();
        Seen { connections: counts.peers.len(), ..counts.seen.clone() }
    }

    pub(super) fn forget(&self) {
        let counts = &mut *self.0.lock().unwrap();
        *counts = Counts { in_flight: counts.in_flight, ..Counts::default() };
    }

    fn enter(&self, peer: Option<SocketAddr>) -> InFlight {
        let counts = &mut *self.0.lock().unwrap();
        counts.in_flight += 1;
        counts.seen.requests += 1;
        counts.seen.most_at_once = counts.seen.most_at_once.max(counts.in_flight);
        counts.seen.arrivals.push(Instant::now());
        counts.peers.extend(peer);
        InFlight(self.clone())
    }
}

/// A request that is being answered; dropped, it is over, however it ended.
struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.0.lock().unwrap().in_flight -= 1;
    }
}
