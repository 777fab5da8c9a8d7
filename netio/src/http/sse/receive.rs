//! Events as they come: bytes in any pieces, events out. (WHATWG HTML, 9.2.5 and 9.2.6.)

use super::Event;
use crate::http::Body;
use bytes::{Buf, Bytes};
use futures_core::Stream;
use futures_lite::StreamExt;
use std::{
    io::{self, ErrorKind},
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

/// The events of a body as they come: a [`Stream`], read as a browser's `EventSource` reads it.
///
/// Lines end with CR LF, LF or CR, wherever the bytes are cut. Bytes that are not UTF-8 become U+FFFD. An event without data is
/// none, and one whose empty line has not come is lost with the connection. To connect again, wait for
/// [`retry`](EventStream::retry), and send [`last_event_id`](EventStream::last_event_id) as `Last-Event-ID`.
///
/// ```
/// use netio::http::{Request, client::Client, server::Server, sse::{self, Event, EventStream}};
///
/// runtime::block_on(async {
///     let server = Server::bind("127.0.0.1:0")?;
///     let url = format!("http://{}/", server.local_addr());
///     runtime::spawn(server.serve(async |_: Request| {
///         sse::response(|mut events| async move { events.send(Event::data("tick").kind("clock")).await })
///     }));
///
///     let mut events = EventStream::new(Client::new().get(url).await?.into_body());
///     let event = events.next().await.unwrap()?;
///     assert_eq!((event.event.as_deref(), &*event.data), (Some("clock"), "tick"));
///     assert!(events.next().await.is_none());
///     Ok::<(), Box<dyn std::error::Error>>(())
/// })
/// .unwrap();
/// ```
#[derive(Debug)]
pub struct EventStream {
    body: Body,
    /// What has come and was not looked at.
    rest: Bytes,
    parser: Parser,
    failed: bool,
}

impl EventStream {
    /// The events of a body.
    pub fn new(body: Body) -> EventStream {
        EventStream { body, rest: Bytes::new(), parser: Parser::default(), failed: false }
    }

    /// Lets an event, with its field names, have so many bytes: 1 MiB unless this is called.
    pub fn limit(mut self, bytes: usize) -> EventStream {
        self.parser.limit = bytes;
        self
    }

    /// The next event; none when the body is over.
    ///
    /// # Errors
    /// Those of the body, and `FileTooLarge` for an event that is too large. An error is told once, and ends the stream.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn next(&mut self) -> Option<io::Result<Event>> {
        StreamExt::next(self).await
    }

    /// The last `id` that was said. It stays until another one is said; empty if there was none.
    pub fn last_event_id(&self) -> &str {
        &self.parser.last_id
    }

    /// How long to wait before connecting again, if the server has said so.
    pub fn retry(&self) -> Option<Duration> {
        self.parser.retry
    }
}

impl Stream for EventStream {
    type Item = io::Result<Event>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        while !this.failed {
            match this.parser.parse(&mut this.rest) {
                Ok(Some(event)) => return Poll::Ready(Some(Ok(event))),
                Ok(None) => match ready!(Pin::new(&mut this.body).poll_next(context)) {
                    None => return Poll::Ready(None),
                    Some(Ok(bytes)) => this.rest = bytes,
                    Some(Err(error)) => {
                        this.failed = true;
                        return Poll::Ready(Some(Err(error)));
                    }
                },
                Err(error) => {
                    this.failed = true;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
        Poll::Ready(None)
    }
}

/// The lines of a stream of events, and what they say.
#[derive(Debug)]
struct Parser {
    limit: usize,
    /// The line that has begun.
    line: Vec<u8>,
    /// The last line ended with a carriage return: a line feed that follows belongs to that.
    after_return: bool,
    is_first_line: bool,
    event: Event,
    /// The event has a line of data, which may be empty.
    has_data: bool,
    /// The `id` of the events so far, which counts from the next empty line on.
    next_id: String,
    last_id: String,
    retry: Option<Duration>,
}

impl Default for Parser {
    fn default() -> Self {
        Parser {
            limit: 1 << 20,
            line: Vec::new(),
            after_return: false,
            is_first_line: true,
            event: Event::default(),
            has_data: false,
            next_id: String::new(),
            last_id: String::new(),
            retry: None,
        }
    }
}

impl Parser {
    /// Takes bytes up to the end of the next event.
    fn parse(&mut self, bytes: &mut Bytes) -> io::Result<Option<Event>> {
        while !bytes.is_empty() {
            if mem::take(&mut self.after_return) && bytes[0] == b'\n' {
                bytes.advance(1);
                continue;
            }
            let end = memchr::memchr2(b'\r', b'\n', bytes);
            self.line.extend_from_slice(&bytes[..end.unwrap_or(bytes.len())]);
            if self.line.len() + self.event.data.len() > self.limit {
                let reason = format!("an event has more than {} bytes", self.limit);
                return Err(io::Error::new(ErrorKind::FileTooLarge, reason));
            }
            let Some(end) = end else {
                bytes.clear();
                return Ok(None);
            };
            self.after_return = bytes[end] == b'\r';
            bytes.advance(end + 1);
            let line = mem::take(&mut self.line);
            let line = String::from_utf8_lossy(&line);
            let without_mark = line.strip_prefix('\u{feff}').filter(|_| self.is_first_line);
            self.is_first_line = false;
            if let Some(event) = self.take_line(without_mark.unwrap_or(&line)) {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    fn take_line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            self.last_id.clone_from(&self.next_id);
            let event = mem::take(&mut self.event);
            return mem::take(&mut self.has_data).then_some(event);
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "event" => self.event.event = Some(value.to_owned()).filter(|kind| !kind.is_empty()),
            "data" => {
                if mem::replace(&mut self.has_data, true) {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            "id" if !value.contains('\0') => {
                self.next_id = value.to_owned();
                self.event.id = Some(value.to_owned());
            }
            "retry" if !value.is_empty() && value.bytes().all(|digit| digit.is_ascii_digit()) => {
                let time = Duration::from_millis(value.parse().unwrap_or(u64::MAX));
                (self.retry, self.event.retry) = (Some(time), Some(time));
            }
            // A comment, or a field of tomorrow.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_lite::stream;

    /// The events of `wire` that comes in pieces of `step`.
    fn read(wire: &[u8], step: usize) -> (Vec<Event>, String, Option<Duration>) {
        let pieces: Vec<_> = wire.chunks(step).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let mut events = EventStream::new(Body::stream(stream::iter(pieces)));
        let all = runtime::block_on((&mut events).map(Result::unwrap).collect());
        (all, events.last_event_id().to_owned(), events.retry())
    }

    #[test]
    fn a_stream_is_read_as_a_browser_reads_it() {
        for (wire, expected, id) in [
            ("data: one\n\n", "one", ""),
            ("data:one\n\n", "one", ""),
            ("data:  one \n\n", " one ", ""),
            ("data: one\ndata: two\n\n", "one\ntwo", ""),
            ("data: one\r\ndata: two\r\n\r\n", "one\ntwo", ""),
            ("data: one\rdata: two\r\r", "one\ntwo", ""),
            ("data: one\r\ndata: two\rdata: three\n\n", "one\ntwo\nthree", ""),
            ("data: one\r\n\rdata: two\n\r\n", "one|two", ""),
            ("data: one\n\ndata: two\n\n", "one|two", ""),
            ("data\n\n", "", ""),
            ("data\ndata\n\n", "\n", ""),
            ("data:\n\ndata: x\n\n", "|x", ""),
            ("data: one", "-", ""),
            ("data: one\n", "-", ""),
            ("\n\n\n", "-", ""),
            (": comment\n\n:\n\ndata: x\n\n", "x", ""),
            ("event: only\n\ndata: x\n\n", "x", ""),
            ("event: add\ndata: 7\n\ndata: 8\n\n", "add=7|8", ""),
            ("event: add\nevent\ndata: 7\n\n", "7", ""),
            ("event:  add\ndata: 7\n\n", " add=7", ""),
            ("id: 1\ndata: x\n\ndata: y\n\n", "x#1|y", "1"),
            ("id: 1\n\n", "-", "1"),
            ("id: 1\ndata: x\n", "-", ""),
            ("id: 1\ndata: x\n\nid\ndata: y\n\n", "x#1|y#", ""),
            ("id: 1\0\ndata: x\n\n", "x", ""),
            ("retry: 1500\ndata: x\n\n", "x@1500", ""),
            ("retry: 1500ms\ndata: x\n\n", "x", ""),
            ("retry: -1\nretry:\nretry: +1\ndata: x\n\n", "x", ""),
            ("Data: x\ndata : y\nunknown: z\ndata: w\n\n", "w", ""),
            ("data: a: b:c\n\n", "a: b:c", ""),
            ("\u{feff}data: x\n\n", "x", ""),
            ("\u{feff}\u{feff}data: x\n\n", "-", ""),
            ("\n\u{feff}data: x\n\n", "-", ""),
            ("data: 张\n\n", "张", ""),
        ] {
            for step in 1..=wire.len() {
                let (events, last_id, _) = read(wire.as_bytes(), step);
                let said = events.iter().map(|Event { event, data, id, retry }| {
                    let event = event.as_ref().map(|event| format!("{event}=")).unwrap_or_default();
                    let id = id.as_ref().map(|id| format!("#{id}")).unwrap_or_default();
                    let retry = retry.map(|retry| format!("@{}", retry.as_millis())).unwrap_or_default();
                    format!("{event}{data}{id}{retry}")
                });
                let said = if events.is_empty() { "-".to_owned() } else { said.collect::<Vec<_>>().join("|") };
                assert_eq!((said.as_str(), last_id.as_str()), (expected, id), "{wire:?} in steps of {step}");
            }
        }
        assert_eq!(read(b"data: a\xff\xc3\n\n", 1).0, [Event::data("a\u{fffd}\u{fffd}")]);
        assert_eq!(read(b"retry: 99999999999999999999999\n\n", 1).2, Some(Duration::from_millis(u64::MAX)));
    }

    #[test]
    fn what_is_sent_is_received() {
        let events = [
            Event::data(""),
            Event::data("one\ntwo\n\nthree\n"),
            Event::data(" data: x").kind("kind of: event"),
            Event { id: Some("a b".into()), retry: Some(Duration::from_millis(7)), ..Event::data(":\u{feff}") },
            Event { id: Some(String::new()), ..Event::data("\u{2028}") },
        ];
        let wire: String = events.iter().map(Event::to_string).collect();
        for step in [1, 2, 3, 1000] {
            assert_eq!(read(wire.as_bytes(), step).0, events);
        }
    }

    #[test]
    fn an_event_has_a_limit() {
        runtime::block_on(async {
            for (wire, good) in
                [("data: 3456789\n\n", true), ("data: 34567890\n\n", false), ("data: 3\ndata: 5678901\n\n", false)]
            {
                let mut events = EventStream::new(wire.into()).limit(13);
                let first = events.next().await.unwrap();
                assert_eq!(first.as_ref().is_ok(), good, "{wire:?}: {first:?}");
                assert!(events.next().await.is_none());
            }
            let endless = stream::repeat_with(|| Ok(Bytes::from_static(b"xxxxxxxxxx")));
            let error = EventStream::new(Body::stream(endless)).next().await.unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        });
    }
}
