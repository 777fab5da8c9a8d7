//! Server-sent events.
//!
//! - A stream is read in the same way however its bytes come.
//! - Another reader, who has the whole at once and takes WHATWG HTML, 9.2.6 one step after the other, reads the same.
//! - What we write is read as what was to be written.

#![no_main]

use futures_lite::{StreamExt, future::block_on, stream};
use libfuzzer_sys::fuzz_target;
use netio::http::{
    Body,
    sse::{Event, EventStream},
};
use std::time::Duration;

#[derive(Debug, Default, PartialEq)]
struct Heard {
    events: Vec<Event>,
    last_id: String,
    retry: Option<Duration>,
}

fuzz_target!(|input: &[u8]| {
    let [cut, wire @ ..] = input else { return };
    let whole = read([wire]);
    let (first, second) = wire.split_at(usize::from(*cut).min(wire.len()));
    assert_eq!(whole, read([first, second]), "in two pieces");
    assert_eq!(whole, read(wire.chunks(1)), "byte by byte");
    assert_eq!(whole, naive(wire));

    let text = String::from_utf8_lossy(wire).into_owned();
    let event = Event {
        event: Some(text.clone()),
        id: Some(text.clone()),
        retry: Some(Duration::from_millis(7)),
        data: text.clone(),
    };
    let again = read([event.to_string().as_bytes()]);
    let line = text.replace(['\r', '\n', '\0'], "");
    let written = Event {
        event: Some(line.clone()).filter(|line| !line.is_empty()),
        id: Some(line),
        data: text.replace("\r\n", "\n").replace('\r', "\n"),
        ..event
    };
    assert_eq!(again.events, [written]);
});

fn read<'wire>(pieces: impl IntoIterator<Item = &'wire [u8]>) -> Heard {
    let pieces: Vec<_> = pieces.into_iter().map(|piece| Ok(piece.to_vec().into())).collect();
    let mut stream = EventStream::new(Body::stream(stream::iter(pieces)));
    let events = block_on((&mut stream).map(Result::unwrap).collect());
    Heard { events, last_id: stream.last_event_id().to_owned(), retry: stream.retry() }
}

fn naive(wire: &[u8]) -> Heard {
    let text = String::from_utf8_lossy(wire);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text).replace("\r\n", "\n").replace('\r', "\n");
    let mut lines: Vec<&str> = text.split('\n').collect();
    // What has no line end has not come.
    lines.pop();
    let (mut heard, mut event, mut data, mut id) = (Heard::default(), Event::default(), String::new(), String::new());
    for line in lines {
        if line.is_empty() {
            heard.last_id.clone_from(&id);
            if let Some(text) = data.strip_suffix('\n') {
                heard.events.push(Event { data: text.to_owned(), ..event });
            }
            (event, data) = (Event::default(), String::new());
            continue;
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "data" => data += &format!("{value}\n"),
            "event" => event.event = Some(value.to_owned()).filter(|kind| !kind.is_empty()),
            "id" if !value.contains('\0') => {
                id = value.to_owned();
                event.id = Some(id.clone());
            }
            "retry" if !value.is_empty() && value.chars().all(|digit| digit.is_ascii_digit()) => {
                event.retry = Some(Duration::from_millis(value.parse().unwrap_or(u64::MAX)));
                heard.retry = event.retry;
            }
            _ => {}
        }
    }
    heard
}
