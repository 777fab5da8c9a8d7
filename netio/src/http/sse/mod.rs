//! Server-sent events: a stream of small texts that a browser's `EventSource` reads as they come, or an [`EventStream`].
//! (WHATWG HTML, 9.2.)

mod keep_alive;
mod receive;

pub use keep_alive::response_with_keep_alive;
pub use receive::EventStream;

use super::{
    Body, BodyWriter, HeaderValue, Request, Response, StatusCode, header, reply,
    server::{Endless, FromRequest},
};
use std::{convert::Infallible, fmt::Write, future::Future, io, time::Duration};

/// An event. What is `None` is not said.
///
/// ```
/// use netio::http::sse::Event;
/// let event = Event { event: Some("line".into()), ..Event::data("one\ntwo") };
/// assert_eq!(event.to_string(), "event: line\ndata: one\ndata: two\n\n");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Its kind; without one, a browser calls `onmessage`. Line ends in it are left out.
    pub event: Option<String>,
    /// Its text, of any number of lines. Every kind of line end arrives as a line feed.
    pub data: String,
    /// What the browser sends as `Last-Event-ID` when it connects again. Line ends in it are left out.
    pub id: Option<String>,
    /// How long the browser should wait before it connects again.
    pub retry: Option<Duration>,
}

impl Event {
    /// An event with a text and nothing else.
    pub fn data(text: impl Into<String>) -> Event {
        Event { data: text.into(), ..Event::default() }
    }

    /// The same with a kind.
    pub fn kind(mut self, kind: impl Into<String>) -> Event {
        self.event = Some(kind.into());
        self
    }
}

/// As it stands on the wire.
impl std::fmt::Display for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (name, value) in [("event", &self.event), ("id", &self.id)] {
            if let Some(value) = value {
                writeln!(f, "{name}: {}", value.replace(['\r', '\n', '\0'], ""))?;
            }
        }
        if let Some(retry) = self.retry {
            writeln!(f, "retry: {}", retry.as_millis())?;
        }
        for line in self.data.replace("\r\n", "\n").split(['\r', '\n']) {
            writeln!(f, "data: {line}")?;
        }
        f.write_char('\n')
    }
}

/// Where events are sent. From [`response`].
#[derive(Debug)]
pub struct EventWriter(BodyWriter);

impl EventWriter {
    /// Sends an event; waits while the one before it has not been taken.
    ///
    /// # Errors
    /// When nobody reads any more; return it.
    ///
    /// # Cancel safety
    /// Dropped while it waits, the event was not sent.
    pub async fn send(&mut self, event: Event) -> io::Result<()> {
        self.0.write(event.to_string()).await
    }

    /// Sends a line that the browser ignores: it keeps a silent connection open through proxies.
    /// [`response_with_keep_alive`] does so by itself.
    ///
    /// # Errors
    /// When nobody reads any more; return it.
    ///
    /// # Cancel safety
    /// Dropped while it waits, the line was not sent.
    pub async fn keep_alive(&mut self) -> io::Result<()> {
        self.0.write(KEEP_ALIVE).await
    }
}

/// A comment, and the empty line behind it.
const KEEP_ALIVE: &str = ":\n\n";

/// The `id` of the last event that a browser has seen, when it connects again: an [extractor](FromRequest).
///
/// ```
/// use netio::http::{server::Router, sse::{self, Event, LastEventId}};
///
/// let router = Router::new().get("/count", async |LastEventId(last): LastEventId| {
///     let next = last.and_then(|last| last.parse().ok()).map_or(0, |last: u64| last + 1);
///     sse::response(move |mut events| async move {
///         for n in next..10 {
///             events.send(Event { id: Some(n.to_string()), ..Event::data("…") }).await?;
///         }
///         Ok(())
///     })
/// });
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastEventId(pub Option<String>);

impl FromRequest for LastEventId {
    type Rejection = Infallible;

    async fn from_request(request: &mut Request) -> Result<Self, Infallible> {
        let id = request.headers().get("last-event-id");
        Ok(LastEventId(id.map(|id| String::from_utf8_lossy(id.as_bytes()).into_owned())))
    }
}

/// A response that sends what `send` sends. Its future runs inside the connection, and is dropped when the browser leaves.
///
/// ```
/// use netio::http::sse;
/// let response = sse::response(|mut events| async move {
///     events.send(sse::Event::data("tick")).await?;
///     events.send(sse::Event::data("tock").kind("last")).await
/// });
/// assert_eq!(response.headers()["content-type"], "text/event-stream");
/// ```
pub fn response<F>(send: impl FnOnce(EventWriter) -> F) -> Response
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    of_body(Body::writer(|body| send(EventWriter(body))))
}

fn of_body(body: Body) -> Response {
    let mut response = reply(StatusCode::OK, "text/event-stream", body);
    response.set_header(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response.extensions_mut().insert(Endless);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_break_out_of_its_event() {
        let event = Event {
            event: Some("a\nb".into()),
            data: "one\r\ntwo\rthree\n".into(),
            id: Some("7\r\n\r\ndata: forged".into()),
            retry: Some(Duration::from_millis(1500)),
        };
        let expected = "event: ab\nid: 7data: forged\nretry: 1500\ndata: one\ndata: two\ndata: three\ndata: \n\n";
        assert_eq!(event.to_string(), expected);
        assert_eq!(Event::default().to_string(), "data: \n\n");
    }
}
