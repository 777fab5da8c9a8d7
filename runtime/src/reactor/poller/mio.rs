//! mio: epoll on Linux, kqueue on macOS. Edge-triggered, for the life of a source.

use super::{Interest, PollEvent, Token, Wait};
use alarm::Alarm;
use mio::{Events, Poll, unix::SourceFd};
use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd},
    time::Duration,
};

#[derive(Debug)]
pub(crate) struct Poller {
    poll: Poll,
    events: Events,
    alarm: Alarm,
}

#[derive(Debug)]
pub(crate) struct Registry(mio::Registry);

#[derive(Debug)]
pub(crate) struct Notify(mio::Waker);

/// More than one wait hands out; the rest comes with the next.
const EVENTS: usize = 1024;
const NOTIFY: mio::Token = mio::Token(usize::MAX);
const ALARM: mio::Token = mio::Token(usize::MAX - 1);

impl Poller {
    pub(super) fn new() -> io::Result<(Self, Registry, Notify)> {
        let poll = Poll::new()?;
        let registry = Registry(poll.registry().try_clone()?);
        let notify = Notify(mio::Waker::new(poll.registry(), NOTIFY)?);
        let alarm = Alarm::new(poll.registry())?;
        Ok((Self { poll, events: Events::with_capacity(EVENTS), alarm }, registry, notify))
    }

    pub(super) fn wait(&mut self, wait: Wait, events: &mut Vec<PollEvent>) -> io::Result<()> {
        loop {
            let timeout = match wait {
                Wait::Now => Some(Duration::ZERO),
                Wait::Until(deadline) => self.alarm.set(deadline)?,
                Wait::Event => None,
            };
            match self.poll.poll(&mut self.events, timeout) {
                // A signal came in. What it was for is somebody else's business; there are no events.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
                result => result?,
            }
            let mut only_the_alarm = !self.events.is_empty();
            for event in &self.events {
                if event.token() == ALARM {
                    self.alarm.rang();
                    continue;
                }
                only_the_alarm = false;
                if event.token() != NOTIFY {
                    events.push(PollEvent {
                        token: Token::from_word(event.token().0),
                        read: event.is_readable() || event.is_read_closed() || event.is_error(),
                        write: event.is_writable() || event.is_write_closed() || event.is_error(),
                        read_closed: event.is_read_closed() || event.is_error(),
                        write_closed: event.is_write_closed() || event.is_error(),
                        spent: false,
                    });
                }
            }
            // The alarm may have been set for somebody who no longer waits. Then sleep on.
            if timeout.is_some() || !only_the_alarm || wait.is_over() {
                return Ok(());
            }
        }
    }
}

impl Wait {
    fn is_over(self) -> bool {
        match self {
            Wait::Now => true,
            Wait::Until(deadline) => deadline <= crate::time::real_now(),
            Wait::Event => false,
        }
    }
}

/// `epoll_wait` counts in milliseconds: a timer descriptor among the sources gets the worker up to the microsecond.
///
/// It stays set when the worker gets up for another reason: most deadlines are moved away before they come, and an alarm that
/// is early enough for the next one costs nothing. It is never read: being set anew clears it, and it reports an edge each
/// time that it rings.
///
/// Miri knows no timer descriptors: there, milliseconds do.
#[cfg(all(target_os = "linux", not(miri)))]
mod alarm {
    use super::ALARM;
    use crate::time::{Instant, real_now};
    use mio::{Interest, Registry, unix::SourceFd};
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
    };
    use std::{
        io,
        os::fd::{AsRawFd, OwnedFd},
        time::Duration,
    };

    #[derive(Debug)]
    pub(super) struct Alarm {
        timer: OwnedFd,
        /// When it rings.
        set: Option<Instant>,
    }

    impl Alarm {
        pub(super) fn new(registry: &Registry) -> io::Result<Self> {
            let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK)?;
            registry.register(&mut SourceFd(&timer.as_raw_fd()), ALARM, Interest::READABLE)?;
            Ok(Self { timer, set: None })
        }

        /// Makes sure that it rings by `deadline`. Gives the timeout for the system's wait: none, because the alarm ends it, or
        /// zero, because the deadline has passed.
        pub(super) fn set(&mut self, deadline: Instant) -> io::Result<Option<Duration>> {
            if self.set.is_some_and(|set| set <= deadline) {
                return Ok(None);
            }
            // Counted from the system's present, which comes after ours: never early.
            let remaining = deadline - real_now();
            if remaining.is_zero() {
                return Ok(Some(Duration::ZERO));
            }
            let once = Timespec { tv_sec: remaining.as_secs() as i64, tv_nsec: remaining.subsec_nanos().into() };
            let never = Timespec { tv_sec: 0, tv_nsec: 0 };
            let setting = Itimerspec { it_interval: never, it_value: once };
            timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &setting)?;
            self.set = Some(deadline);
            Ok(None)
        }

        pub(super) fn rang(&mut self) {
            self.set = None;
        }
    }
}

/// kqueue counts in nanoseconds.
#[cfg(not(all(target_os = "linux", not(miri))))]
mod alarm {
    use crate::time::{Instant, real_now};
    use mio::Registry;
    use std::{io, time::Duration};

    #[derive(Debug)]
    pub(super) struct Alarm;

    impl Alarm {
        pub(super) fn new(_: &Registry) -> io::Result<Self> {
            Ok(Self)
        }

        /// The timeout for the system's wait.
        pub(super) fn set(&mut self, deadline: Instant) -> io::Result<Option<Duration>> {
            Ok(Some(deadline - real_now()))
        }

        pub(super) fn rang(&mut self) {}
    }
}

impl Registry {
    pub(super) fn register(&self, fd: BorrowedFd<'_>, token: Token, interest: Interest) -> io::Result<()> {
        self.0.register(&mut SourceFd(&fd.as_raw_fd()), mio::Token(token.to_word()), interest.into())
    }

    pub(super) fn rearm(&self, fd: BorrowedFd<'_>, token: Token, interest: Interest) -> io::Result<()> {
        self.0.reregister(&mut SourceFd(&fd.as_raw_fd()), mio::Token(token.to_word()), interest.into())
    }

    pub(super) fn deregister(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        self.0.deregister(&mut SourceFd(&fd.as_raw_fd()))
    }
}

impl From<Interest> for mio::Interest {
    fn from(interest: Interest) -> Self {
        match interest {
            Interest { read: true, write: false } => mio::Interest::READABLE,
            Interest { read: false, .. } => mio::Interest::WRITABLE,
            Interest { read: true, write: true } => mio::Interest::READABLE | mio::Interest::WRITABLE,
        }
    }
}

impl Notify {
    pub(super) fn notify(&self) {
        // It can only fail if the poller is gone, and then nobody waits.
        let _ = self.0.wake();
    }
}
