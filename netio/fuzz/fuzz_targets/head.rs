//! Heads of requests and responses.
//!
//! - A head is understood in the same way however its bytes come.
//! - What is accepted keeps the rules of RFC 9112 that can be seen with the naked eye.
//! - What we write of it is understood as the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use netio::http::fuzz::{FIELDS, Head, request, response};

const MOST: usize = 4096;

/// A head with more fields may have no room for the three that we write: date, length and connection.
const ROOM_FOR_OURS: usize = FIELDS - 3;

fuzz_target!(|input: &[u8]| {
    let [choice, wire @ ..] = input else { return };
    if choice & 1 == 0 { requests(wire, usize::from(*choice) / 2) } else { responses(wire, choice & 2 == 0) }
});

fn requests(wire: &[u8], cut: usize) {
    let whole = request([wire], MOST);
    let (first, second) = wire.split_at(cut.min(wire.len()));
    assert_eq!(whole, request([first, second], MOST), "in two pieces");
    assert_eq!(whole, request(wire.chunks(1), MOST), "byte by byte");
    let Ok(Some(head)) = whole else { return };
    keeps_the_rules(wire, &head);
    let hosts = head.fields.iter().filter(|(name, _)| name == "host").count();
    if head.version == "HTTP/1.1" {
        assert_eq!(hosts, 1);
    }
    // Ours is in HTTP/1.1, which always names a host; it says how long the body is, and nothing of other protocols.
    if hosts == 1 && head.fields.len() <= ROOM_FOR_OURS {
        let again = request([&head.written[..]], 2 * MOST).unwrap().unwrap();
        assert_same(&head, &again);
    }
}

fn responses(wire: &[u8], to_head: bool) {
    let Ok(Some(head)) = response(wire, to_head) else { return };
    keeps_the_rules(wire, &head);
    if head.framing == "UntilClose" {
        assert!(!head.keep_alive);
    }
    // A 1xx or 204 has no length, and says nothing of one.
    if !head.first[0].starts_with('1') && head.first[0] != "204" && head.fields.len() <= ROOM_FOR_OURS {
        let again = runtime::Runtime::builder()
            .virtual_clock()
            .build()
            .unwrap()
            .block_on(async { response(&response(wire, to_head).unwrap().unwrap().written, false) });
        let mut again = again.unwrap().unwrap();
        let dated = head.fields.iter().any(|(name, _)| name == "date");
        again.fields.retain(|(name, _)| dated || name != "date");
        assert_same(&head, &again);
    }
}

fn assert_same(head: &Head, again: &Head) {
    assert_eq!(head.first, again.first);
    assert_eq!((&head.framing, head.keep_alive, 0), (&again.framing, again.keep_alive, again.left));
    let but_for_ours = |head: &Head| {
        let ours = ["content-length", "transfer-encoding", "connection"];
        head.fields.iter().filter(|(name, _)| !ours.contains(&&**name)).cloned().collect::<Vec<_>>()
    };
    assert_eq!(but_for_ours(head), but_for_ours(again));
}

/// Another reader of heads: slow, and strict.
fn keeps_the_rules(wire: &[u8], head: &Head) {
    let length = wire.len() - head.left;
    let text = &wire[..length];
    assert!(text.ends_with(b"\r\n\r\n"));
    let text: String = text.iter().copied().map(char::from).collect();
    let mut lines = text.trim_start_matches("\r\n").strip_suffix("\r\n\r\n").unwrap().split("\r\n");
    let first = lines.next().unwrap();
    // Only a reason may have a tab: it is text for people. RFC 9112, 4.
    let words = if head.first.len() == 1 { first.splitn(3, ' ').take(2).collect() } else { first.to_owned() };
    assert!(!first.contains(['\r', '\n', '\0']) && !words.contains('\t') && !first.starts_with(' '), "{first:?}");
    let (mut lengths, mut codings, mut fields) = (0, 0, 0);
    for line in lines {
        fields += 1;
        let (name, value) = line.split_once(':').expect("a colon");
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        assert!(!name.is_empty() && name.chars().all(is_token), "{name:?}");
        assert!(!value.chars().any(|c| (c < ' ' && c != '\t') || c == '\x7f'), "{value:?}");
        lengths += usize::from(name.eq_ignore_ascii_case("content-length"));
        codings += usize::from(name.eq_ignore_ascii_case("transfer-encoding"));
        let value = value.trim_matches([' ', '\t']);
        if name.eq_ignore_ascii_case("content-length") {
            assert!(!value.is_empty() && value.chars().all(|c| c.is_ascii_digit()), "{value:?}");
        }
        if name.eq_ignore_ascii_case("transfer-encoding") {
            assert!(value.eq_ignore_ascii_case("chunked"), "{value:?}");
            assert_eq!(head.version, "HTTP/1.1");
        }
    }
    assert!(lengths + codings <= 1);
    // The host of an absolute target may have become one more.
    assert!(fields + 1 >= head.fields.len());
}
