//! A case: what a peer does, and what must come of it.

use std::time::Duration;

/// What a peer does.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Send(Vec<u8>),
    /// In the time of the runtime's clock.
    Pause(Duration),
    /// Reads up to this text before it goes on.
    Hear(&'static str),
}

/// What the peer does when it has said everything.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Last {
    /// Sends one more honest request ([`PROBE`]). A connection that was kept answers it; one that was refused must not even
    /// read it.
    Probes,
    /// Says no more, and keeps listening.
    Waits,
    /// Closes its sending side.
    HalfCloses,
}

/// What becomes of the connection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum End {
    /// It answers the next request.
    Kept,
    /// After the answers to the requests that were served, one more with this status, and a close.
    Refused(u16),
    /// Closed after the last answer.
    Closed,
}

/// The request that ends a case whose connection is kept.
pub(super) const PROBE: &[u8] = b"GET /probe HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n";

/// What the handler sees of it.
pub(super) const PROBE_SEEN: &str = "GET /probe probe";

#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) name: String,
    /// `9112 3.2`: the RFC and its section.
    pub(super) section: &'static str,
    pub(super) steps: Vec<Step>,
    pub(super) last: Last,
    /// The requests that reach the handler: `METHOD target host body`, a host that is not there as `-`.
    pub(super) served: Vec<String>,
    pub(super) end: End,
    /// The statuses of their answers, if they are not all 200.
    pub(super) answers: Option<Vec<u16>>,
    /// What stands in the heads of all answers together (but for the probe's); and what does not.
    pub(super) says: Vec<&'static str>,
    pub(super) says_not: Vec<&'static str>,
}

/// These bytes.
pub(super) fn raw(name: impl Into<String>, section: &'static str, bytes: impl AsRef<[u8]>) -> Case {
    Case {
        name: name.into(),
        section,
        steps: vec![Step::Send(bytes.as_ref().to_vec())],
        last: Last::Probes,
        served: Vec::new(),
        end: End::Kept,
        answers: None,
        says: Vec::new(),
        says_not: Vec::new(),
    }
}

/// A request whose first line is `line`.
pub(super) fn line(name: impl Into<String>, section: &'static str, line: &str) -> Case {
    raw(name, section, format!("{line}\r\nHost: a\r\n\r\n"))
}

/// A GET with these fields, and no others.
pub(super) fn fields(name: impl Into<String>, section: &'static str, fields: &str) -> Case {
    raw(name, section, format!("GET / HTTP/1.1\r\n{fields}\r\n\r\n"))
}

/// A GET with a host and these fields.
pub(super) fn get(name: impl Into<String>, section: &'static str, more: &str) -> Case {
    fields(name, section, &format!("Host: a\r\n{more}"))
}

/// A POST with a host, these fields, and whatever follows them: the text ends with an empty line or a body.
pub(super) fn post(name: impl Into<String>, section: &'static str, rest: impl AsRef<[u8]>) -> Case {
    raw(name, section, [b"POST / HTTP/1.1\r\nHost: a\r\n", rest.as_ref()].concat())
}

/// A POST with a body in chunks.
pub(super) fn chunks(name: impl Into<String>, section: &'static str, body: impl AsRef<[u8]>) -> Case {
    post(name, section, [b"Transfer-Encoding: chunked\r\n\r\n", body.as_ref()].concat())
}

impl Case {
    /// More of these requests reach the handler.
    pub(super) fn serves<const N: usize>(mut self, seen: [&str; N]) -> Case {
        self.served.extend(seen.map(str::to_owned));
        self
    }

    /// Then one is refused with this status, and the connection closed.
    pub(super) fn refused(mut self, status: u16) -> Case {
        self.end = End::Refused(status);
        self
    }

    /// The connection is closed after the last answer, or without any.
    pub(super) fn closes(mut self) -> Case {
        self.end = End::Closed;
        self
    }

    /// The peer says no more.
    pub(super) fn waits(mut self) -> Case {
        self.last = Last::Waits;
        self
    }

    /// The peer closes its sending side.
    pub(super) fn half_closes(mut self) -> Case {
        self.last = Last::HalfCloses;
        self
    }

    pub(super) fn pauses(mut self, seconds: u64) -> Case {
        self.steps.push(Step::Pause(Duration::from_secs(seconds)));
        self
    }

    pub(super) fn sends(mut self, bytes: impl AsRef<[u8]>) -> Case {
        self.steps.push(Step::Send(bytes.as_ref().to_vec()));
        self
    }

    pub(super) fn hears(mut self, text: &'static str) -> Case {
        self.steps.push(Step::Hear(text));
        self
    }

    /// The statuses of the served, with interim ones.
    pub(super) fn answers<const N: usize>(mut self, statuses: [u16; N]) -> Case {
        self.answers = Some(statuses.to_vec());
        self
    }

    pub(super) fn says(mut self, text: &'static str) -> Case {
        self.says.push(text);
        self
    }

    pub(super) fn says_not(mut self, text: &'static str) -> Case {
        self.says_not.push(text);
        self
    }

    /// How many bytes the peer sends.
    pub(super) fn length(&self) -> usize {
        self.steps.iter().map(|step| if let Step::Send(bytes) = step { bytes.len() } else { 0 }).sum()
    }

    /// All statuses that must come, in order, with the probe's.
    pub(super) fn statuses(&self) -> Vec<u16> {
        let mut statuses = self.answers.clone().unwrap_or_else(|| vec![200; self.served.len()]);
        match self.end {
            End::Refused(status) => statuses.push(status),
            End::Kept if self.last == Last::Probes => statuses.push(200),
            End::Kept | End::Closed => {}
        }
        statuses
    }

    /// All requests that must reach the handler, with the probe.
    pub(super) fn seen(&self) -> Vec<String> {
        let mut seen = self.served.clone();
        if self.end == End::Kept && self.last == Last::Probes {
            seen.push(PROBE_SEEN.to_owned());
        }
        seen
    }
}
