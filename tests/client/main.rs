//! The client's core: its pool, its uploads, its limits, its ways to a server, and whoever looks on.

mod fairness;
mod observed;
mod pool;
mod uploads;
mod waiting;
mod ways;

use netio::http::{Request, Response, server::Limits};
use std::{future::Future, time::Duration};

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

/// Starts a server; gives its URL.
fn serve<F>(handler: impl Fn(Request) -> F + Send + Sync + 'static) -> String
where
    F: Future<Output = Response> + Send + 'static,
{
    format!("http://{}/", tests::wire::serve(Limits::default(), handler))
}
