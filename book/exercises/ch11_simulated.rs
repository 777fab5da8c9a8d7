//! Chapter 11: a poller with no system behind it.

/// The directions of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ways {
    pub(crate) read: bool,
    pub(crate) write: bool,
}

const NEITHER: Ways = Ways { read: false, write: false };
const READ: Ways = Ways { read: true, write: false };
const WRITE: Ways = Ways { read: false, write: true };
const BOTH: Ways = Ways { read: true, write: true };

// ANCHOR: trait
/// A poller that reports each thing once, until it is asked again.
pub(crate) trait Poller {
    /// A new socket, of which nothing is ready, and these ways are asked for.
    fn register(&mut self, token: usize, interest: Ways);

    /// Asks again: what is ready of these ways now, or becomes ready later, is reported once.
    fn rearm(&mut self, token: usize, interest: Ways);

    /// Nothing more is reported of this socket.
    fn deregister(&mut self, token: usize);

    /// The present wait ends, or the next one.
    fn notify(&mut self);

    /// What is there to report: tokens, with what is ready of the ways that were asked for. `None`: nothing, and nobody has
    /// notified; a real one would sleep here.
    fn wait(&mut self) -> Option<Vec<(usize, Ways)>>;
}

/// And the world's side: what is ready of a socket, from now on.
pub(crate) trait World {
    fn set(&mut self, token: usize, ready: Ways);
}
// ANCHOR_END: trait

mod starter {
    use super::*;
    use std::collections::BTreeMap;

    // ANCHOR: starter
    #[derive(Default)]
    pub(crate) struct Simulated {
        sockets: BTreeMap<usize, Socket>,
        notified: bool,
    }

    struct Socket {
        ready: Ways,
        // TODO: what was asked for.
    }

    impl World for Simulated {
        fn set(&mut self, token: usize, ready: Ways) {
            if let Some(socket) = self.sockets.get_mut(&token) {
                socket.ready = ready;
            }
        }
    }

    impl Poller for Simulated {
        fn register(&mut self, token: usize, interest: Ways) {
            let _ = interest;
            self.sockets.insert(token, Socket { ready: NEITHER });
        }

        fn rearm(&mut self, token: usize, interest: Ways) {
            let _ = (token, interest);
        }

        fn deregister(&mut self, token: usize) {
            self.sockets.remove(&token);
        }

        fn notify(&mut self) {
            self.notified = true;
        }

        fn wait(&mut self) -> Option<Vec<(usize, Ways)>> {
            // TODO: only what was asked for, and only once. And when does it end without an event?
            let sockets = self.sockets.iter().filter(|(_, socket)| socket.ready != NEITHER);
            Some(sockets.map(|(token, socket)| (*token, socket.ready)).collect())
        }
    }
    // ANCHOR_END: starter
    pub(crate) fn fresh() -> Simulated {
        Simulated::default()
    }
}

mod solution {
    use super::*;
    use std::collections::BTreeMap;

    // ANCHOR: solution
    #[derive(Default)]
    pub(crate) struct Simulated {
        sockets: BTreeMap<usize, Socket>,
        notified: bool,
    }

    struct Socket {
        ready: Ways,
        /// What is still to be reported. Neither, after an event.
        interest: Ways,
    }

    impl World for Simulated {
        fn set(&mut self, token: usize, ready: Ways) {
            if let Some(socket) = self.sockets.get_mut(&token) {
                socket.ready = ready;
            }
        }
    }

    impl Poller for Simulated {
        fn register(&mut self, token: usize, interest: Ways) {
            self.sockets.insert(token, Socket { ready: NEITHER, interest });
        }

        fn rearm(&mut self, token: usize, interest: Ways) {
            if let Some(socket) = self.sockets.get_mut(&token) {
                socket.interest = interest;
            }
        }

        fn deregister(&mut self, token: usize) {
            self.sockets.remove(&token);
        }

        fn notify(&mut self) {
            self.notified = true;
        }

        fn wait(&mut self) -> Option<Vec<(usize, Ways)>> {
            let mut events = Vec::new();
            for (token, socket) in &mut self.sockets {
                let Socket { ready, interest } = *socket;
                let report = Ways { read: ready.read && interest.read, write: ready.write && interest.write };
                if report != NEITHER {
                    socket.interest = NEITHER;
                    events.push((*token, report));
                }
            }
            let notified = std::mem::take(&mut self.notified);
            (notified || !events.is_empty()).then_some(events)
        }
    }
    // ANCHOR_END: solution
    pub(crate) fn fresh() -> Simulated {
        Simulated::default()
    }
}

/// The contract, sentence by sentence.
fn check<P: Poller + World>(fresh: fn() -> P) {
    let mut poller = fresh();
    assert_eq!(poller.wait(), None, "nothing is registered: it would sleep");
    poller.notify();
    poller.notify();
    assert_eq!(poller.wait(), Some(vec![]), "a notification before the wait ends the wait, without an event");
    assert_eq!(poller.wait(), None, "and only one wait");

    poller.register(7, READ);
    poller.set(7, WRITE);
    assert_eq!(poller.wait(), None, "room to write, and only reading was asked for");
    poller.set(7, BOTH);
    assert_eq!(poller.wait(), Some(vec![(7, READ)]), "what is ready of what was asked for");
    assert_eq!(poller.wait(), None, "an event is reported once");
    poller.set(7, NEITHER);
    poller.set(7, READ);
    assert_eq!(poller.wait(), None, "nothing is reported until it is asked again, however often it changes");
    poller.rearm(7, READ);
    assert_eq!(poller.wait(), Some(vec![(7, READ)]), "asked again, it looks at the socket as it is now");

    poller.rearm(7, BOTH);
    poller.set(7, NEITHER);
    poller.set(7, WRITE);
    assert_eq!(poller.wait(), Some(vec![(7, WRITE)]), "one of two ways is ready");
    poller.set(7, BOTH);
    assert_eq!(poller.wait(), None, "the event spent the other way too: whoever waits for it must ask again");

    poller.register(8, READ);
    poller.rearm(7, READ);
    poller.set(8, READ);
    poller.deregister(7);
    poller.rearm(7, BOTH);
    assert_eq!(poller.wait(), Some(vec![(8, READ)]), "nothing is reported of a socket that was deregistered");
    poller.deregister(8);
    poller.register(8, READ);
    assert_eq!(poller.wait(), None, "a new socket of that token starts anew");
}

crate::judge! { check(fresh), the starter fails with "nothing is registered: it would sleep" }
