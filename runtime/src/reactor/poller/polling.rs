//! polling: the same contract from another library, in two ways.
//!
//! - Edge-triggered, as mio is. It does not tell the end of a stream from its last bytes, so a short read proves nothing.
//! - One-shot, its own way: an event is reported once and must be asked for again, with a system call for each wait.
//!
//! Its timeouts are precise by themselves: it sets a timer descriptor before each wait.

#![expect(unsafe_code, reason = "polling leaves it to its callers that a source is removed before it is closed")]

use super::{Interest, PollEvent, Token, Wait};
use polling::{Event, Events, PollMode};
use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd},
    sync::Arc,
    time::Duration,
};

#[derive(Debug)]
pub(crate) struct Poller {
    poller: Arc<polling::Poller>,
    events: Events,
    one_shot: bool,
}

#[derive(Debug)]
pub(crate) struct Registry {
    poller: Arc<polling::Poller>,
    mode: PollMode,
}

#[derive(Debug)]
pub(crate) struct Notify(Arc<polling::Poller>);

impl Poller {
    pub(super) fn new(one_shot: bool) -> io::Result<(Self, Registry, Notify)> {
        let poller = Arc::new(polling::Poller::new()?);
        let mode = if one_shot { PollMode::Oneshot } else { PollMode::Edge };
        let registry = Registry { poller: poller.clone(), mode };
        let notify = Notify(poller.clone());
        Ok((Self { poller, events: Events::new(), one_shot }, registry, notify))
    }

    pub(super) fn wait(&mut self, wait: Wait, events: &mut Vec<PollEvent>) -> io::Result<()> {
        let timeout = match wait {
            Wait::Now => Some(Duration::ZERO),
            Wait::Until(deadline) => Some(deadline - crate::time::real_now()),
            Wait::Event => None,
        };
        self.events.clear();
        self.poller.wait(&mut self.events, timeout)?;
        events.extend(self.events.iter().map(|event| {
            let over = event.is_interrupt() || event.is_err() == Some(true);
            PollEvent {
                token: Token::from_word(event.key),
                read: event.readable || over,
                write: event.writable || over,
                read_closed: over,
                write_closed: over,
                spent: self.one_shot,
            }
        }));
        Ok(())
    }
}

// ANCHOR: registry
impl Registry {
    pub(super) fn register(&self, fd: BorrowedFd<'_>, token: Token, interest: Interest) -> io::Result<()> {
        // SAFETY: the descriptor must stay open until it is deleted. `AsyncFd` owns what it registers, and deregisters it
        // before it closes it. Should its owner close it behind our back, then epoll and kqueue, the only systems that this
        // crate runs on, forget it with the last of its copies; events of a copy that lives on carry a token whose owner is
        // gone. No memory depends on it.
        unsafe { self.poller.add_with_mode(fd.as_raw_fd(), event(token, interest), self.mode) }
    }

    pub(super) fn rearm(&self, fd: BorrowedFd<'_>, token: Token, interest: Interest) -> io::Result<()> {
        self.poller.modify_with_mode(fd, event(token, interest), self.mode)
    }

    pub(super) fn deregister(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        self.poller.delete(fd)
    }
    // ANCHOR_END: registry

    pub(super) fn tells_the_end(&self) -> bool {
        // Asked again, the system looks at the source as it is now, and finds the end.
        self.mode == PollMode::Oneshot
    }
}

fn event(token: Token, interest: Interest) -> Event {
    Event::new(token.to_word(), interest.read, interest.write)
}

impl Notify {
    pub(super) fn notify(&self) {
        // It can only fail if the poller is gone, and then nobody waits.
        let _ = self.0.notify();
    }
}
