//! Chapter 16: cut at the first poll, at the second, and at every other one.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::{Context, Poll, Waker},
};

const MESSAGE: &str = "hello";

// ANCHOR: reader
/// The first poll finds nothing, and each later one a letter. What has come is kept in the reader, except that one with a mistake takes it into the
/// future when so many letters are there.
pub(crate) struct Reader {
    wire: &'static str,
    kept: String,
    takes_at: Option<usize>,
}

impl Reader {
    pub(crate) fn new(takes_at: Option<usize>) -> Reader {
        Reader { wire: MESSAGE, kept: String::new(), takes_at }
    }

    pub(crate) async fn message(&mut self) -> String {
        let mut taken = String::new();
        while let Some(letter) = self.wire.chars().next() {
            not_yet().await;
            self.wire = &self.wire[1..];
            self.kept.push(letter);
            if taken.is_empty() && self.takes_at == Some(self.kept.len()) {
                taken = std::mem::take(&mut self.kept);
            }
        }
        taken + &std::mem::take(&mut self.kept)
    }
}
// ANCHOR_END: reader

/// `Pending`, once.
async fn not_yet() {
    let mut asked = false;
    poll_fn(|_| if std::mem::replace(&mut asked, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}

mod starter {
    use super::*;

    // ANCHOR: starter
    /// Polls the future of a message `polls` times, drops it, and asks again for what is left. `None`: it was ready by then.
    fn cut_after(polls: usize, reader: &mut Reader) -> Option<String> {
        let mut cx = Context::from_waker(Waker::noop());
        {
            let mut message = pin!(reader.message());
            for _ in 0..polls {
                if message.as_mut().poll(&mut cx).is_ready() {
                    return None;
                }
            }
        } // dropped here
        let mut rest = pin!(reader.message());
        loop {
            if let Poll::Ready(rest) = rest.as_mut().poll(&mut cx) {
                return Some(rest);
            }
        }
    }

    /// After how many polls must it be dropped, so that something is lost? `None`: nothing ever is.
    pub(crate) fn loses_after(takes_at: Option<usize>) -> Option<usize> {
        // TODO: this cuts in one place only. Cut in every place, each time with a new reader.
        let polls = 1;
        let whole = cut_after(polls, &mut Reader::new(takes_at))? == MESSAGE;
        (!whole).then_some(polls)
    }
    // ANCHOR_END: starter
}

mod solution {
    use super::*;

    fn cut_after(polls: usize, reader: &mut Reader) -> Option<String> {
        let mut cx = Context::from_waker(Waker::noop());
        {
            let mut message = pin!(reader.message());
            for _ in 0..polls {
                if message.as_mut().poll(&mut cx).is_ready() {
                    return None;
                }
            }
        }
        let mut rest = pin!(reader.message());
        loop {
            if let Poll::Ready(rest) = rest.as_mut().poll(&mut cx) {
                return Some(rest);
            }
        }
    }

    // ANCHOR: solution
    /// After how many polls must it be dropped, so that something is lost? `None`: nothing ever is.
    pub(crate) fn loses_after(takes_at: Option<usize>) -> Option<usize> {
        for polls in 0.. {
            let message = cut_after(polls, &mut Reader::new(takes_at))?; // `None`: there is no later place to cut
            if message != MESSAGE {
                return Some(polls);
            }
        }
        None
    }
    // ANCHOR_END: solution
}

fn check(loses_after: fn(Option<usize>) -> Option<usize>) {
    assert_eq!(loses_after(None), None, "this reader loses nothing");
    // The first letter is there in the second poll, and lost when that was the last one.
    for takes_at in 1..MESSAGE.len() {
        let lost = loses_after(Some(takes_at));
        assert_eq!(lost, Some(takes_at + 1), "a reader that takes its letters at the {takes_at}. is not found out");
    }
}

crate::judge! { check(loses_after), the starter fails with "is not found out" }
