//! A case: what a server says to one request, and what must come of it.

use std::time::Duration;

/// What the server does once it has the head of the request.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Send(Vec<u8>),
    /// In the time of the runtime's clock.
    Pause(Duration),
    /// Hangs up in good order.
    Close,
    /// Hangs up in mid-sentence.
    Reset,
}

/// What the caller gets.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    /// This status, and this body.
    Answer(u16, String),
    /// An error: its kind, and where the fetch stood.
    Fails(&'static str),
}

#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) name: String,
    /// `9112 4`: the RFC and its section.
    pub(super) section: &'static str,
    pub(super) method: &'static str,
    /// Fields of the request.
    pub(super) fields: Vec<(&'static str, &'static str)>,
    pub(super) steps: Vec<Step>,
    pub(super) outcome: Outcome,
    /// The next request goes over the same connection; `None`: that depends on how much has come when it is given up.
    pub(super) kept: Option<bool>,
    /// Every request is answered so, and not only the first.
    pub(super) always: bool,
}

/// These bytes; and an answer with this body, on a connection that is kept.
pub(super) fn raw(name: impl Into<String>, section: &'static str, bytes: impl AsRef<[u8]>, body: &str) -> Case {
    Case {
        name: name.into(),
        section,
        method: "GET",
        fields: Vec::new(),
        steps: vec![Step::Send(bytes.as_ref().to_vec())],
        outcome: Outcome::Answer(200, body.to_owned()),
        kept: Some(true),
        always: false,
    }
}

/// A response with these fields, and `ok` as its body.
pub(super) fn fields(name: impl Into<String>, section: &'static str, fields: &str) -> Case {
    raw(name, section, format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\nok"), "ok")
}

/// A response of two bytes with this first line.
pub(super) fn line(name: impl Into<String>, section: &'static str, line: &str) -> Case {
    raw(name, section, format!("{line}\r\nContent-Length: 2\r\n\r\nok"), "ok")
}

/// A response with a body in chunks.
pub(super) fn chunks(name: impl Into<String>, section: &'static str, chunks: impl AsRef<[u8]>, body: &str) -> Case {
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    raw(name, section, [head, chunks.as_ref()].concat(), body)
}

impl Case {
    pub(super) fn status(mut self, status: u16) -> Case {
        let Outcome::Answer(before, _) = &mut self.outcome else { panic!("it fails") };
        *before = status;
        self
    }

    pub(super) fn asked(mut self, method: &'static str) -> Case {
        self.method = method;
        self
    }

    pub(super) fn field(mut self, name: &'static str, value: &'static str) -> Case {
        self.fields.push((name, value));
        self
    }

    /// The connection is not used any more.
    pub(super) fn closed(mut self) -> Case {
        self.kept = Some(false);
        self
    }

    /// There is no answer, or not all of it; and the connection is not used any more.
    pub(super) fn fails(mut self, how: &'static str) -> Case {
        self.outcome = Outcome::Fails(how);
        self.closed()
    }

    pub(super) fn sends(mut self, bytes: impl AsRef<[u8]>) -> Case {
        self.steps.push(Step::Send(bytes.as_ref().to_vec()));
        self
    }

    pub(super) fn pauses(mut self, time: Duration) -> Case {
        self.steps.push(Step::Pause(time));
        self
    }

    pub(super) fn hangs_up(mut self) -> Case {
        self.steps.push(Step::Close);
        self.closed()
    }

    pub(super) fn resets(mut self) -> Case {
        self.steps.push(Step::Reset);
        self.closed()
    }

    /// It fails, but the connection is as good as before.
    pub(super) fn keeps(mut self) -> Case {
        self.kept = Some(true);
        self
    }

    /// It fails, and what becomes of the connection depends on how much has come by then.
    pub(super) fn keeps_or_not(mut self) -> Case {
        self.kept = None;
        self
    }

    /// The end of what is sent comes again and again: all that follows its head.
    pub(super) fn repeated(mut self, times: usize) -> Case {
        let Some(Step::Send(bytes)) = self.steps.first_mut() else { panic!("nothing is sent") };
        let head = bytes.windows(4).position(|end| end == b"\r\n\r\n").expect("a head") + 4;
        let body = bytes.split_off(head);
        bytes.extend(body.repeat(times));
        self
    }

    pub(super) fn always(mut self) -> Case {
        self.always = true;
        self
    }

    /// How many bytes the server sends.
    pub(super) fn length(&self) -> usize {
        self.steps.iter().map(|step| if let Step::Send(bytes) = step { bytes.len() } else { 0 }).sum()
    }
}
