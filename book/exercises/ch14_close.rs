//! Chapter 14: what a channel says at its end.

use std::collections::VecDeque;

/// What a send finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    Yes,
    /// All slots are full.
    Wait,
    /// It will never be received.
    Refused,
}

/// What a receive finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    Value(u32),
    /// There is nothing yet.
    Wait,
    /// There will never be anything.
    End,
}

/// A channel without its wakers.
pub(crate) struct Channel {
    items: VecDeque<u32>,
    capacity: usize,
    senders: usize,
    /// The receiver has said that it wants nothing new.
    closed: bool,
}

mod starter {
    use super::*;

    // ANCHOR: starter
    pub(crate) fn send(channel: &mut Channel, value: u32) -> Sent {
        if channel.items.len() == channel.capacity {
            return Sent::Wait;
        }
        channel.items.push_back(value);
        Sent::Yes
    }

    pub(crate) fn receive(channel: &mut Channel) -> Received {
        // TODO: a channel also ends: because it was closed, or because nobody is left to send.
        match channel.items.pop_front() {
            Some(value) => Received::Value(value),
            None => Received::Wait,
        }
    }
    // ANCHOR_END: starter
}

mod solution {
    use super::*;

    // ANCHOR: solution
    pub(crate) fn send(channel: &mut Channel, value: u32) -> Sent {
        // Before the slots: no slot of a closed channel is worth waiting for.
        if channel.closed {
            return Sent::Refused;
        }
        if channel.items.len() == channel.capacity {
            return Sent::Wait;
        }
        channel.items.push_back(value);
        Sent::Yes
    }

    pub(crate) fn receive(channel: &mut Channel) -> Received {
        // Before the end: what was sent is received.
        match channel.items.pop_front() {
            Some(value) => Received::Value(value),
            None if channel.closed || channel.senders == 0 => Received::End,
            None => Received::Wait,
        }
    }
    // ANCHOR_END: solution
}

// ANCHOR: table
/// Its name; how many senders, whether it is closed, what is in the slots; what a send finds, and what a receive finds.
type Row = (&'static str, usize, bool, &'static [u32], Option<Sent>, Received);

/// The state of a channel with two slots, and what to send and to receive must find in it. (Without a sender nobody sends.)
const TABLE: [Row; 9] = [
    ("open, empty", 1, false, &[], Some(Sent::Yes), Received::Wait),
    ("open, one value", 1, false, &[1], Some(Sent::Yes), Received::Value(1)),
    ("open, full", 1, false, &[1, 2], Some(Sent::Wait), Received::Value(1)),
    ("closed, full", 1, true, &[1, 2], Some(Sent::Refused), Received::Value(1)),
    ("closed, one value", 1, true, &[1], Some(Sent::Refused), Received::Value(1)),
    ("closed, empty", 1, true, &[], Some(Sent::Refused), Received::End),
    ("no senders, one value", 0, false, &[1], None, Received::Value(1)),
    ("no senders, empty", 0, false, &[], None, Received::End),
    ("no senders, closed, empty", 0, true, &[], None, Received::End),
];
// ANCHOR_END: table

fn check(send: fn(&mut Channel, u32) -> Sent, receive: fn(&mut Channel) -> Received) {
    for (name, senders, closed, items, sent, received) in TABLE {
        let channel = || Channel { items: items.iter().copied().collect(), capacity: 2, senders, closed };
        if let Some(sent) = sent {
            let mut channel = channel();
            assert_eq!(send(&mut channel, 9), sent, "what a send finds: {name}");
            let stored = channel.items.len() - items.len();
            assert_eq!(stored, usize::from(sent == Sent::Yes), "how many values a send has stored: {name}");
        }
        assert_eq!(receive(&mut channel()), received, "what a receive finds: {name}");
    }
}

crate::judge! { check(send, receive), the starter fails with "what a send finds: closed, full" }
