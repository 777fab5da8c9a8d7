//! The clients that are compared: on one thread, so many tasks that fetch the same page again and again, and read it whole.

use crate::{
    load::{done, told_to_go},
    rows::{Answer, Side},
    servers::body_of,
};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use std::io;

/// What is fetched, and by how many tasks at once.
pub(crate) struct Plan {
    pub(crate) url: String,
    pub(crate) at_once: usize,
    pub(crate) warm: usize,
    pub(crate) requests: usize,
}

/// Plays the client of a side: warms it up, says `ready`, and fetches when it is told to go.
pub(crate) fn run(side: Side, plan: &Plan) -> io::Result<()> {
    match side {
        Side::Ours => ours(plan),
        Side::Reqwest => reqwest(plan),
        _ => hyper_util(plan),
    }
}

impl Plan {
    /// Lets `fetch` do the warm-up, and the work when it is time.
    async fn follow(&self, fetch: impl AsyncFn(usize)) -> io::Result<()> {
        fetch(self.warm.max(self.at_once)).await;
        if told_to_go()? {
            fetch(self.requests).await;
            done()?;
        }
        Ok(())
    }

    /// How many requests each of the tasks sends.
    fn shares(&self, requests: usize) -> impl Iterator<Item = usize> {
        (0..self.at_once).map(move |number| requests / self.at_once + usize::from(number < requests % self.at_once))
    }
}

fn check(body: &Bytes) {
    assert_eq!(*body, body_of(Answer::Text));
}

fn ours(plan: &Plan) -> io::Result<()> {
    let client = netio::http::client::Client::new();
    runtime::block_on(plan.follow(async |requests| {
        let fetch = |share| {
            let (client, url) = (client.clone(), plan.url.clone());
            runtime::spawn(async move {
                for _ in 0..share {
                    let response = client.get(&url).await.expect("a response");
                    check(&response.bytes().await.expect("its body"));
                }
            })
        };
        for task in plan.shares(requests).map(fetch).collect::<Vec<_>>() {
            task.await.expect("no task fails");
        }
    }))
}

fn reqwest(plan: &Plan) -> io::Result<()> {
    let client = reqwest::Client::new();
    tokio_runtime()?.block_on(plan.follow(async |requests| {
        let fetch = |share| {
            let (client, url) = (client.clone(), plan.url.clone());
            tokio::spawn(async move {
                for _ in 0..share {
                    let response = client.get(&url).send().await.expect("a response");
                    check(&response.bytes().await.expect("its body"));
                }
            })
        };
        for task in plan.shares(requests).map(fetch).collect::<Vec<_>>() {
            task.await.expect("no task fails");
        }
    }))
}

/// What reqwest is built on: without redirects, time limits, and all that.
fn hyper_util(plan: &Plan) -> io::Result<()> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    tokio_runtime()?.block_on(plan.follow(async |requests| {
        let fetch = |share| {
            let (client, url) = (client.clone(), plan.url.clone());
            tokio::spawn(async move {
                for _ in 0..share {
                    let response = client.get(url.parse().expect("a URL")).await.expect("a response");
                    check(&response.into_body().collect().await.expect("its body").to_bytes());
                }
            })
        };
        for task in plan.shares(requests).map(fetch).collect::<Vec<_>>() {
            task.await.expect("no task fails");
        }
    }))
}

fn tokio_runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
