//! Connecting to one of several addresses, of which some may not answer.
//!
//! To try them one after another is to wait minutes for an address behind a broken route while the next one would answer at
//! once; to call all at once is to be a nuisance. Happy eyeballs (RFC 8305) lies between: the families take turns, each call has
//! a little while for itself, and who answers first wins.
//!
//! ```text
//!     0 ms   ::1        ├──────────────────────── … dropped: it closes
//!   250 ms   127.0.0.1             ├───────┤ connected
//!   500 ms   ::2                   not called any more
//! ```

use super::Failures;
use runtime::{future::FuturesUnordered, time::timeout};
use std::{future::Future, io, net::SocketAddr, time::Duration};

/// How long a call has for itself, before the next address is called too: what RFC 8305 recommends.
pub const STAGGER: Duration = Duration::from_millis(250);

/// The connection to the first of several addresses that answers.
///
/// The addresses are called in their order, but so that the families take turns (IPv6, IPv4, IPv6, …, beginning with that of the
/// first address). The next one is called when the last call was made `stagger` ago, or as soon as a call has failed. The first
/// connection wins; the other calls are dropped.
///
/// What a call is, `connect` says.
///
/// # Errors
/// When all have failed: each address, and why, in the order in which they failed. No addresses at all is an empty list.
///
/// # Panics
/// When it would have to wait for its turn outside a runtime.
///
/// # Cancel safety
/// All calls are dropped.
///
/// ```
/// use netio::net::{STAGGER, happy_eyeballs};
/// use runtime::time::{Instant, sleep};
/// use std::{net::SocketAddr, time::Duration};
///
/// let addresses: [SocketAddr; 3] = ["[2001:db8::1]:80", "[2001:db8::2]:80", "192.0.2.1:80"].map(|text| text.parse().unwrap());
/// runtime::Runtime::builder().virtual_clock().build().unwrap().block_on(async {
///     let start = Instant::now();
///     let first = happy_eyeballs(addresses, STAGGER, |address| async move {
///         // Nobody is there by IPv6; the other one takes 50 ms to answer.
///         sleep(if address.is_ipv6() { Duration::MAX } else { Duration::from_millis(50) }).await;
///         Ok(address)
///     });
///     assert_eq!(first.await.unwrap(), addresses[2]);
///     assert_eq!(start.elapsed(), Duration::from_millis(250 + 50));
/// });
/// ```
pub async fn happy_eyeballs<T, F>(
    addresses: impl IntoIterator<Item = SocketAddr>,
    stagger: Duration,
    connect: impl Fn(SocketAddr) -> F,
) -> Result<T, Failures>
where
    F: Future<Output = io::Result<T>>,
{
    let mut failures = Failures::default();
    let first = first_of(addresses.into_iter().collect(), stagger, connect, &mut failures).await;
    first.ok_or(failures)
}

/// [`happy_eyeballs`]; whoever drops it knows what has failed by then.
pub(super) async fn first_of<T, F>(
    addresses: Vec<SocketAddr>,
    stagger: Duration,
    connect: impl Fn(SocketAddr) -> F,
    failures: &mut Failures,
) -> Option<T>
where
    F: Future<Output = io::Result<T>>,
{
    let call = |address| {
        let connection = connect(address);
        async move { connection.await.map_err(|error| (address, error)) }
    };
    let mut waiting = in_turns(addresses).into_iter();
    if waiting.len() == 1 {
        // Which is what most are: there is nothing to race.
        let only = waiting.next().expect("there is one");
        return call(only).await.map_err(|failure| failures.push(failure)).ok();
    }
    let mut calls = FuturesUnordered::new();
    loop {
        if let Some(address) = waiting.next() {
            calls.push(call(address));
        }
        let ended = if waiting.len() == 0 {
            calls.next().await?
        } else {
            match timeout(stagger, calls.next()).await {
                Ok(ended) => ended.expect("one was just added"),
                Err(_) => continue,
            }
        };
        match ended {
            Ok(connection) => return Some(connection),
            Err(failure) => failures.push(failure),
        }
    }
}

/// The families alternate; within each, the order stays.
fn in_turns(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_ipv6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_ipv6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut all = Vec::new();
    while first.len() + second.len() > 0 {
        all.extend(first.next());
        all.extend(second.next());
    }
    all
}
