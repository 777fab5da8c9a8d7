//! Connections that are kept for the next request to the same host.

use super::connection::Connection;
use runtime::time::Instant;
use std::{collections::BTreeMap, sync::Mutex, time::Duration};

/// The most that are kept for one host.
const PER_HOST: usize = 32;

/// Idle connections by `host:port`, each list with the latest at its end. In the order of the hosts the stale are closed, so
/// that a simulated run repeats itself.
///
/// Only a connection with nothing on it comes here: its response was read to the end, and nothing came behind it. One that
/// the server has closed meanwhile, or said something on unasked, is thrown away when its turn comes, and so is every one
/// that has been here too long.
#[derive(Debug, Default)]
pub(super) struct Pool(Mutex<BTreeMap<String, Vec<Idle>>>);

#[derive(Debug)]
struct Idle {
    connection: Connection,
    since: Instant,
}

impl Pool {
    /// A connection that seems to be alive. It may still turn out to be dead: the server's farewell can be on its way.
    pub(super) fn take(&self, host: &str, longest: Duration) -> Option<Connection> {
        let now = Instant::now();
        let (mut stale, mut found) = (Vec::new(), None);
        let mut hosts = self.0.lock().unwrap();
        for idle in hosts.values_mut() {
            stale.extend(idle.extract_if(.., |idle| now - idle.since > longest));
        }
        if let Some(idle) = hosts.get_mut(host) {
            while let Some(Idle { connection, since }) = idle.pop() {
                if connection.is_quiet() {
                    found = Some(connection);
                    break;
                }
                stale.push(Idle { connection, since });
            }
        }
        hosts.retain(|_, idle| !idle.is_empty());
        // Sockets are closed outside the lock.
        drop(hosts);
        drop(stale);
        found
    }

    pub(super) fn put(&self, host: &str, connection: Connection) {
        let idle = Idle { connection, since: Instant::now() };
        let oldest = {
            let mut hosts = self.0.lock().unwrap();
            let list = hosts.entry(host.to_owned()).or_default();
            list.push(idle);
            (list.len() > PER_HOST).then(|| list.remove(0))
        };
        drop(oldest);
    }
}
