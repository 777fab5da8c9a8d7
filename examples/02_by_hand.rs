//! What `async fn` writes for you, written by hand, and the two driven side by side by calling `poll`.
//!
//! ```console
//! cargo run --example 02_by_hand
//! ```

use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

/// The states of [`Fetch`] and the ways between them: the book draws its picture from it, a test reads it.
const TRANSITIONS: &str = include_str!("02_by_hand.states");

// ANCHOR: async
async fn fetch(page: u32) -> String {
    let socket = connect().await;
    let bytes = read(socket).await;
    report(page, bytes, socket)
}
// ANCHOR_END: async

fn connect() -> Later {
    Later { polls: 2, answer: 3 }
}

fn read(_socket: u32) -> Later {
    Later { polls: 2, answer: 512 }
}

fn report(page: u32, bytes: u32, socket: u32) -> String {
    format!("page {page}: {bytes} bytes through socket {socket}")
}

// ANCHOR: later
/// A wait without a clock: so many polls find nothing, the next one finds the answer.
struct Later {
    polls: u32,
    answer: u32,
}

impl Future for Later {
    type Output = u32;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u32> {
        if self.polls == 0 {
            return Poll::Ready(self.answer);
        }
        self.polls -= 1;
        Poll::Pending
    }
}
// ANCHOR_END: later

// ANCHOR: by_hand
/// A variant for each place where `fetch` can stand, with what is needed from there on.
enum Fetch {
    Start { page: u32 },
    Connecting { page: u32, connect: Later },
    Reading { page: u32, socket: u32, read: Later },
    Done,
}

impl Future for Fetch {
    type Output = String;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<String> {
        let fetch = self.get_mut();
        loop {
            match fetch {
                Fetch::Start { page } => {
                    *fetch = Fetch::Connecting { page: *page, connect: connect() };
                }
                Fetch::Connecting { page, connect } => match Pin::new(connect).poll(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(socket) => {
                        let (page, read) = (*page, read(socket));
                        *fetch = Fetch::Reading { page, socket, read };
                    }
                },
                Fetch::Reading { page, socket, read } => match Pin::new(read).poll(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(bytes) => {
                        let text = report(*page, bytes, *socket);
                        *fetch = Fetch::Done;
                        return Poll::Ready(text);
                    }
                },
                Fetch::Done => panic!("`Fetch` polled after it was ready"),
            }
        }
    }
}
// ANCHOR_END: by_hand

impl Fetch {
    fn state(&self) -> &'static str {
        match self {
            Fetch::Start { .. } => "Start",
            Fetch::Connecting { .. } => "Connecting",
            Fetch::Reading { .. } => "Reading",
            Fetch::Done => "Done",
        }
    }
}

fn main() {
    examples::Arguments::parse(&[]);
    println!("size_of_val: async fn {} bytes, by hand {} bytes", size_of_val(&fetch(7)), size_of::<Fetch>());
    println!("\npoll  async fn  by hand  state of the one by hand");
    // ANCHOR: drive
    let mut written = pin!(fetch(7));
    let mut by_hand = Fetch::Start { page: 7 };
    let mut cx = Context::from_waker(Waker::noop());
    for poll in 1.. {
        let before = by_hand.state();
        let one = written.as_mut().poll(&mut cx);
        let other = Pin::new(&mut by_hand).poll(&mut cx);
        println!("{poll:>4}  {:8}  {:7}  {before} -> {}", word(&one), word(&other), by_hand.state());
        if let (Poll::Ready(one), Poll::Ready(other)) = (one, other) {
            println!("\nasync fn: {one}\nby hand:  {other}");
            break;
        }
    }
    // ANCHOR_END: drive
    print!("\n{TRANSITIONS}");
}

fn word<T>(poll: &Poll<T>) -> &'static str {
    if poll.is_ready() { "Ready" } else { "Pending" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// `(from, to)` of each line of the table.
    fn table() -> BTreeSet<(&'static str, &'static str)> {
        let lines = TRANSITIONS.lines().filter(|line| !line.starts_with('#'));
        lines
            .map(|line| {
                let (from, rest) = line.split_once(" --").unwrap();
                let (_, to) = rest.split_once("--> ").unwrap();
                (from.trim(), to.split(" :").next().unwrap().trim())
            })
            .collect()
    }

    #[test]
    fn the_machine_walks_every_arrow_of_the_table_and_no_other() {
        let mut fetch = Fetch::Start { page: 7 };
        let mut walked = BTreeSet::new();
        loop {
            let before = fetch.state();
            let poll = Pin::new(&mut fetch).poll(&mut Context::from_waker(Waker::noop()));
            walked.insert((before, fetch.state()));
            if poll.is_ready() {
                break;
            }
        }
        assert_eq!(walked, table());
    }

    #[test]
    #[should_panic(expected = "polled after it was ready")]
    fn a_poll_after_ready_panics() {
        let mut fetch = Fetch::Done;
        let _ = Pin::new(&mut fetch).poll(&mut Context::from_waker(Waker::noop()));
    }
}
