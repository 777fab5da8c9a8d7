//! The network by hand: no runtime, and time as the test tells it.

use super::*;
use std::io::{ErrorKind, Read, Write};

const SECOND: Duration = Duration::from_secs(1);

struct Hand {
    network: Arc<Network>,
    now: Instant,
}

impl Hand {
    fn new(conditions: Conditions) -> Self {
        let now = crate::time::Clock::of_its_own().now();
        Self { network: Network::new(1, conditions, now, &mut Generator::new(1)), now }
    }

    /// A second passes. The edges, by their tokens.
    fn pass(&mut self) -> Vec<(usize, bool, bool)> {
        self.now += SECOND;
        self.network.advance_to(self.now);
        let mut edges = Vec::new();
        self.network.deliver(|edge| edges.push((edge.token, edge.read, edge.write)));
        edges
    }

    fn pair(&mut self) -> (Stream, Stream) {
        let listener = Listener::bind(&self.network, "10.0.0.1:80".parse().unwrap()).unwrap();
        let ours = Stream::connect(&self.network, listener.local_addr()).unwrap();
        assert_eq!(ours.connected().unwrap_err().kind(), ErrorKind::WouldBlock);
        self.pass();
        let (theirs, _) = listener.accept().unwrap();
        self.pass();
        ours.connected().unwrap();
        (ours, theirs)
    }

    /// Nothing is left of sockets: not even of those that stay after their owners to answer.
    fn is_empty(&self) -> bool {
        self.network.state().sockets.is_empty()
    }
}

fn calm() -> Conditions {
    Conditions::default().pieces(0.0).spurious(0.0)
}

fn read(mut stream: &Stream) -> io::Result<Vec<u8>> {
    let mut buffer = [0; 16];
    stream.read(&mut buffer).map(|length| buffer[..length].to_vec())
}

#[test]
fn an_edge_follows_whatever_changes_and_nothing_else() {
    let mut hand = Hand::new(calm().buffer(4));
    let (ours, theirs) = hand.pair();
    ours.socket().register(1);
    theirs.socket().register(2);
    assert_eq!(hand.pass(), [(1, false, true), (2, false, true)], "the present state, once");
    assert_eq!(hand.pass(), []);
    assert_eq!((&ours).write(b"hello").unwrap(), 4);
    assert_eq!((&ours).write(b"o").unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(hand.pass(), [(2, true, false)]);
    assert_eq!(read(&theirs).unwrap(), b"hell");
    assert_eq!(read(&theirs).unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(hand.pass(), [(1, false, true)], "there is room again");
    assert_eq!((&ours).write(b"o").unwrap(), 1);
    theirs.socket().deregister();
    assert_eq!(hand.pass(), [], "nobody waits");
}

#[test]
fn events_for_nothing_come_when_they_are_asked_for() {
    let mut hand = Hand::new(calm().spurious(1.0));
    let (ours, theirs) = hand.pair();
    theirs.socket().register(2);
    hand.pass();
    assert_eq!((&ours).write(b"x").unwrap(), 1);
    assert_eq!(hand.pass(), [(2, true, false)]);
    assert_eq!(hand.pass(), [(2, true, true)], "for nothing");
}

#[test]
fn what_came_before_a_reset_can_be_read() {
    let mut hand = Hand::new(calm());
    let (ours, theirs) = hand.pair();
    assert_eq!((&theirs).write(b"last words").unwrap(), 10);
    theirs.reset_when_dropped();
    drop(theirs);
    hand.pass();
    assert_eq!(read(&ours).unwrap(), b"last words");
    assert_eq!(read(&ours).unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(read(&ours).unwrap(), b"", "it is reported once");
}

#[test]
fn of_sockets_that_are_closed_nothing_stays() {
    for first in [false, true] {
        let mut hand = Hand::new(calm());
        let (ours, theirs) = hand.pair();
        let (one, other) = if first { (ours, theirs) } else { (theirs, ours) };
        drop(one);
        hand.pass();
        assert!(!hand.is_empty(), "it stays to answer");
        drop(other);
        hand.pass();
        assert!(hand.is_empty());
    }
    let mut hand = Hand::new(calm());
    let listener = Listener::bind(&hand.network, "10.0.0.1:80".parse().unwrap()).unwrap();
    // Given up before the call arrives, while the answer is under way, and while it waits in the backlog.
    drop(Stream::connect(&hand.network, listener.local_addr()).unwrap());
    let caller = Stream::connect(&hand.network, listener.local_addr()).unwrap();
    let waiting = Stream::connect(&hand.network, listener.local_addr()).unwrap();
    hand.pass();
    drop(caller);
    hand.pass();
    drop((listener, waiting));
    hand.pass();
    assert!(hand.is_empty());
}
