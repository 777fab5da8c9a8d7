//! The body of a request while it comes in.
//!
//! ```text
//!   socket ──> Coming: decoder ──give──> [ Desk: one chunk ] ──take──> Incoming: the stream in a Body
//!      (the connection's task) <──────────── "I wait" ───────────────  (whoever reads: the handler, or another task)
//! ```
//!
//! - Bytes are read from the socket only when somebody waits for them: what nobody reads stays with the peer.
//! - Whoever reads is told how it ended: the end itself, or an error. A body never passes for the whole when it is not.
//! - No waker is cloned, woken or dropped under the lock of the desk.

use super::Limits;
use crate::http::{
    Body,
    framing::{Decoder, Framing},
    trailers::{self, Arrival},
};
use bytes::Bytes;
use futures_core::Stream;
use runtime::time::Instant;
use std::{
    io::{self, ErrorKind},
    mem,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

/// The connection's side.
#[derive(Debug)]
pub(super) struct Coming {
    desk: Arc<Desk>,
    pub(super) decoder: Decoder,
    /// The peer waits for a word before it sends.
    pub(super) expects_continue: bool,
    /// The peer keeps somebody waiting.
    wait: Option<Wait>,
    /// How much longer it may do so, in all.
    patience: Duration,
    /// So many bytes came for nobody.
    pub(super) discarded: u64,
    arrival: Option<Arrival>,
}

/// Since when somebody waits for the next bytes, and until when they must be here.
#[derive(Clone, Copy, Debug)]
struct Wait {
    since: Instant,
    until: Instant,
}

/// The reader's side.
#[derive(Debug)]
struct Incoming(Arc<Desk>);

#[derive(Debug, Default)]
struct Desk(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Put there, and not taken yet.
    chunk: Option<io::Result<Bytes>>,
    /// Nothing is put there any more.
    over: bool,
    /// The reader found nothing.
    wanted: bool,
    /// Nobody will read.
    left: bool,
    reader: Option<Waker>,
    /// Of the connection, while nothing is wanted.
    pump: Option<Waker>,
}

/// What the reader wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    More,
    /// Nothing now. The connection is woken when that changes.
    Nothing,
    /// Nothing ever.
    Left,
}

impl Coming {
    /// A body that is still to come, and its two sides.
    pub(super) fn new(framing: Framing, limits: &Limits, expects_continue: bool) -> (Coming, Body) {
        let desk = Arc::new(Desk::default());
        let arrival = trailers::arrival(framing);
        let body = Body::stream(Incoming(desk.clone())).framed(framing, arrival.clone());
        let decoder = Decoder::new(framing, limits.framing());
        let patience = limits.body_total_time;
        (Coming { desk, decoder, expects_continue, wait: None, patience, discarded: 0, arrival }, body)
    }

    pub(super) fn wish(&self, context: &Context<'_>) -> Wish {
        let waker = context.waker().clone();
        let mut state = self.desk.0.lock().unwrap();
        if state.left {
            return Wish::Left;
        }
        if state.wanted {
            return Wish::More;
        }
        let stale = state.pump.replace(waker);
        drop(state);
        drop(stale);
        Wish::Nothing
    }

    /// Somebody waits for the next bytes: until when they must be here.
    pub(super) fn deadline(&mut self, limits: &Limits) -> Instant {
        let longest = limits.body_time.min(self.patience);
        let wait = self.wait.get_or_insert_with(|| {
            let since = Instant::now();
            Wait { since, until: since + longest }
        });
        wait.until
    }

    /// It is not the peer who keeps anybody waiting.
    pub(super) fn rest(&mut self) {
        if let Some(wait) = self.wait.take() {
            self.patience = self.patience.saturating_sub(wait.since.elapsed());
        }
    }

    /// Whether nobody will read on.
    pub(super) fn is_left(&self) -> bool {
        self.desk.0.lock().unwrap().left
    }

    /// Puts a chunk on the desk, the last one or not. `true`: it is the task of `context` that waits for it.
    pub(super) fn give(&mut self, chunk: Bytes, last: bool, context: &Context<'_>) -> bool {
        self.rest();
        self.put(Some(Ok(chunk)), last, Some(context.waker()))
    }

    /// Nothing more comes: that was all.
    pub(super) fn end(&mut self, context: &Context<'_>) -> bool {
        trailers::arrive(&self.arrival, self.decoder.take_trailers());
        self.put(None, true, Some(context.waker()))
    }

    /// Nothing more comes, and it is not the whole.
    pub(super) fn fail(&self, error: io::Error, context: &Context<'_>) -> bool {
        self.put(Some(Err(error)), true, Some(context.waker()))
    }

    fn put(&self, chunk: Option<io::Result<Bytes>>, last: bool, own: Option<&Waker>) -> bool {
        let reader = {
            let mut state = self.desk.0.lock().unwrap();
            if state.over {
                return false;
            }
            state.over = last;
            state.wanted = false;
            state.chunk = chunk.or(state.chunk.take());
            state.reader.take()
        };
        match reader {
            Some(reader) if own.is_some_and(|own| reader.will_wake(own)) => true,
            reader => {
                reader.into_iter().for_each(Waker::wake);
                false
            }
        }
    }
}

impl Drop for Coming {
    /// Whoever still reads is told that the connection went before the end.
    fn drop(&mut self) {
        let error =
            io::Error::new(ErrorKind::ConnectionAborted, "the connection was closed before the end of the body");
        self.put(Some(Err(error)), true, None);
        let pump = self.desk.0.lock().unwrap().pump.take();
        drop(pump);
    }
}

impl Stream for Incoming {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let waker = context.waker().clone();
        let mut state = self.0.0.lock().unwrap();
        if state.chunk.is_some() || state.over {
            return Poll::Ready(state.chunk.take());
        }
        state.wanted = true;
        let stale = state.reader.replace(waker);
        let pump = state.pump.take();
        drop(state);
        drop(stale);
        // In its own task the connection looks at the desk as soon as the reader waits.
        if let Some(pump) = pump
            && !pump.will_wake(context.waker())
        {
            pump.wake();
        }
        Poll::Pending
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        let (chunk, reader, pump) = {
            let mut state = self.0.0.lock().unwrap();
            state.left = true;
            (mem::take(&mut state.chunk), state.reader.take(), state.pump.take())
        };
        drop((chunk, reader));
        pump.into_iter().for_each(Waker::wake);
    }
}
