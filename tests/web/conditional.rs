//! Conditions and ranges of files: a table, each line with its section of RFC 9110, in simulated worlds and with real sockets.

use netio::http::{
    files::StaticFiles,
    server::{Limits, Router, Server},
};
use std::{
    fs::{self, File},
    net::SocketAddr,
    path::Path,
    time::{Duration, SystemTime},
};
use tests::wire::{Message, Peer, run};

/// Eight days before the virtual clock starts.
const CHANGED: &str = "Sat, 01 Sep 2001 00:00:00 GMT";
const BEFORE: &str = "Fri, 31 Aug 2001 23:59:59 GMT";
const AFTER: &str = "Sat, 01 Sep 2001 00:00:01 GMT";

/// What the tag of the file is: its length and the time of its change in nanoseconds.
const TAG: &str = "\"a-dde3c3cff320000\"";

struct Case {
    section: &'static str,
    method: &'static str,
    /// Lines; `TAG`, `CHANGED`, `BEFORE` and `AFTER` stand for what they say.
    fields: &'static str,
    status: u16,
    body: &'static str,
}

const fn get(section: &'static str, fields: &'static str, status: u16, body: &'static str) -> Case {
    Case { section, method: "GET", fields, status, body }
}

const fn head(section: &'static str, fields: &'static str, status: u16) -> Case {
    Case { section, method: "HEAD", fields, status, body: "" }
}

const ALL: &str = "0123456789";
const REFUSED: &str = "412 Precondition Failed: the file is not in that state\n";
const TOO_FAR: &str = "416 Range Not Satisfiable: the file is not that long\n";

const CASES: &[Case] = &[
    get("15.3.1", "", 200, ALL),
    head("9.3.2", "", 200),
    // If-None-Match: weak comparison, 304 for GET and HEAD.
    get("13.1.2", "If-None-Match: TAG", 304, ""),
    head("13.1.2", "If-None-Match: TAG", 304),
    get("13.1.2", "If-None-Match: W/TAG", 304, ""),
    get("13.1.2", "If-None-Match: *", 304, ""),
    get("13.1.2", "If-None-Match: \"x\", TAG", 304, ""),
    get("13.1.2", "If-None-Match: \"x\"\nIf-None-Match: TAG", 304, ""),
    get("13.1.2", "If-None-Match: \"x\",\t, W/TAG ,", 304, ""),
    get("13.1.2", "If-None-Match: \"x\"", 200, ALL),
    get("13.1.2", "If-None-Match: \"x,y\", \"z\"", 200, ALL),
    get("8.8.3", "If-None-Match: a-dde3c3cff320000", 200, ALL),
    get("8.8.3", "If-None-Match: w/TAG", 200, ALL),
    get("13.1.2", "If-None-Match: \"x\", *", 200, ALL),
    get("13.1.2", "If-None-Match: ", 200, ALL),
    // If-Modified-Since.
    get("13.1.3", "If-Modified-Since: CHANGED", 304, ""),
    head("13.1.3", "If-Modified-Since: CHANGED", 304),
    get("13.1.3", "If-Modified-Since: AFTER", 304, ""),
    get("13.1.3", "If-Modified-Since: BEFORE", 200, ALL),
    get("5.6.7", "If-Modified-Since: Saturday, 01-Sep-01 00:00:00 GMT", 304, ""),
    get("5.6.7", "If-Modified-Since: Sat Sep  1 00:00:00 2001", 304, ""),
    get("13.1.3", "If-Modified-Since: yesterday", 200, ALL),
    get("13.1.3", "If-Modified-Since: 2001-09-01T00:00:00Z", 200, ALL),
    get("13.1.3", "If-Modified-Since: CHANGED\nIf-Modified-Since: CHANGED", 200, ALL),
    // If-None-Match goes before it.
    get("13.1.3", "If-None-Match: \"x\"\nIf-Modified-Since: CHANGED", 200, ALL),
    get("13.1.3", "If-None-Match: TAG\nIf-Modified-Since: BEFORE", 304, ""),
    // If-Match: strong comparison, 412.
    get("13.1.1", "If-Match: TAG", 200, ALL),
    get("13.1.1", "If-Match: *", 200, ALL),
    get("13.1.1", "If-Match: \"x\", TAG", 200, ALL),
    get("13.1.1", "If-Match: W/TAG", 412, REFUSED),
    get("13.1.1", "If-Match: \"x\"", 412, REFUSED),
    head("13.1.1", "If-Match: \"x\"", 412),
    get("13.1.1", "If-Match: what", 412, REFUSED),
    // If-Unmodified-Since.
    get("13.1.4", "If-Unmodified-Since: CHANGED", 200, ALL),
    get("13.1.4", "If-Unmodified-Since: AFTER", 200, ALL),
    get("13.1.4", "If-Unmodified-Since: BEFORE", 412, REFUSED),
    get("13.1.4", "If-Unmodified-Since: yesterday", 200, ALL),
    get("13.1.4", "If-Match: TAG\nIf-Unmodified-Since: BEFORE", 200, ALL),
    get("13.1.4", "If-Match: \"x\"\nIf-Unmodified-Since: AFTER", 412, REFUSED),
    // The order of all.
    get("13.2.2", "If-Match: \"x\"\nIf-None-Match: TAG", 412, REFUSED),
    get("13.2.2", "If-Match: TAG\nIf-None-Match: TAG", 304, ""),
    get("13.2.2", "If-Match: TAG\nIf-None-Match: \"x\"\nRange: bytes=0-1", 206, "01"),
    get("13.2.2", "If-Unmodified-Since: BEFORE\nIf-Modified-Since: AFTER", 412, REFUSED),
    get("13.2.2", "If-None-Match: TAG\nRange: bytes=0-1", 304, ""),
    get("13.2.2", "If-Modified-Since: CHANGED\nRange: bytes=0-1", 304, ""),
    get("13.2.2", "If-Match: \"x\"\nRange: bytes=0-1", 412, REFUSED),
    // Range.
    get("14.2", "Range: bytes=0-0", 206, "0"),
    get("14.2", "Range: bytes=2-5", 206, "2345"),
    get("14.1.2", "Range: bytes=5-", 206, "56789"),
    get("14.1.2", "Range: bytes=0-", 206, ALL),
    get("14.1.2", "Range: bytes=-3", 206, "789"),
    get("14.1.2", "Range: bytes=-100", 206, ALL),
    get("14.1.2", "Range: bytes=8-100", 206, "89"),
    get("14.1.2", "Range: bytes=8-18446744073709551616", 206, "89"),
    get("14.1", "Range: Bytes=0-0", 206, "0"),
    head("14.2", "Range: bytes=2-5", 200),
    get("15.5.17", "Range: bytes=10-", 416, TOO_FAR),
    get("15.5.17", "Range: bytes=10-20", 416, TOO_FAR),
    get("15.5.17", "Range: bytes=-0", 416, TOO_FAR),
    get("15.5.17", "Range: bytes=18446744073709551616-", 416, TOO_FAR),
    get("14.2", "Range: bytes=5-2", 200, ALL),
    get("14.2", "Range: bytes=", 200, ALL),
    get("14.2", "Range: bytes=a-b", 200, ALL),
    get("14.2", "Range: bytes 0-1", 200, ALL),
    get("14.2", "Range: seconds=0-1", 200, ALL),
    get("14.2", "Range: bytes=0-1\nRange: bytes=2-3", 200, ALL),
    // Several ranges.
    get(
        "14.6",
        "Range: bytes=0-1,4-5",
        206,
        "\r\n--B\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 0-1/10\r\n\r\n01\r\n--B\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 4-5/10\r\n\r\n45\r\n--B--\r\n",
    ),
    get(
        "14.6",
        "Range: bytes=-1, 0-0",
        206,
        "\r\n--B\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 9-9/10\r\n\r\n9\r\n--B\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 0-0/10\r\n\r\n0\r\n--B--\r\n",
    ),
    get("15.3.7.2", "Range: bytes=0-1,20-", 206, "01"),
    get("14.2", "Range: bytes=0-9,0-9", 200, ALL),
    get("14.2", "Range: bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0", 200, ALL),
    // If-Range.
    get("13.1.5", "Range: bytes=0-1\nIf-Range: TAG", 206, "01"),
    get("13.1.5", "Range: bytes=0-1\nIf-Range: W/TAG", 200, ALL),
    get("13.1.5", "Range: bytes=0-1\nIf-Range: \"x\"", 200, ALL),
    get("13.1.5", "Range: bytes=0-1\nIf-Range: TAG, \"x\"", 200, ALL),
    get("13.1.5", "Range: bytes=0-1\nIf-Range: CHANGED", 206, "01"),
    get("13.1.5", "Range: bytes=0-1\nIf-Range: AFTER", 200, ALL),
    get("13.1.5", "Range: bytes=0-1\nIf-Range: BEFORE", 200, ALL),
    get("13.1.5", "Range: bytes=0-1\nIf-Range: what", 200, ALL),
    get("13.1.5", "If-Range: TAG", 200, ALL),
    get("13.1.5", "Range: bytes=20-\nIf-Range: TAG", 416, TOO_FAR),
    get("13.1.5", "Range: bytes=20-\nIf-Range: \"x\"", 200, ALL),
];

fn write(path: &Path, content: impl AsRef<[u8]>) {
    fs::write(path, content).unwrap();
    let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(999_302_400);
    File::options().write(true).open(path).unwrap().set_modified(changed).unwrap();
}

async fn exchange(address: SocketAddr, method: &str, path: &str, fields: &str) -> Message {
    let fields = [("TAG", TAG), ("CHANGED", CHANGED), ("BEFORE", BEFORE), ("AFTER", AFTER)]
        .iter()
        .fold(fields.replace('\n', "\r\n"), |fields, (name, value)| fields.replace(name, value));
    let end = if fields.is_empty() { "" } else { "\r\n" };
    let mut peer = Peer::connect(address).await;
    peer.send(format!("{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}{end}\r\n")).await;
    let wire = peer.rest().await.unwrap();
    if method == "HEAD" {
        let head = String::from_utf8(wire).unwrap();
        let status = head[9..12].parse().unwrap();
        let body = head.split_once("\r\n\r\n").unwrap().1.to_owned();
        return Message { status, head, body };
    }
    let mut messages = tests::wire::messages(&wire);
    assert_eq!(messages.len(), 1, "{fields}");
    messages.remove(0)
}

fn value<'head>(head: &'head str, name: &str) -> Option<&'head str> {
    head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))
}

#[test]
fn files_are_answered_as_the_standard_says() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("a.txt"), ALL);
    assert!(CASES.len() >= 60, "{} cases", CASES.len());
    run(async || {
        let server = Server::bind("127.0.0.1:0").unwrap().limits(Limits::default());
        let address = server.local_addr();
        let router = Router::new().files("/static", StaticFiles::new(folder.path()));
        drop(runtime::spawn(server.serve(router)));
        for Case { section, method, fields, status, body } in CASES {
            let answer = exchange(address, method, "/static/a.txt", fields).await;
            let case = format!("{section}: {method} with {fields:?}: {answer:?}");
            let boundary = value(&answer.head, "content-type").and_then(|kind| kind.split_once("boundary="));
            let said = boundary.map_or(answer.body.clone(), |(_, boundary)| answer.body.replace(boundary, "B"));
            assert_eq!((answer.status, said.as_str()), (*status, *body), "{case}");
            let (tag, changed) = (value(&answer.head, "etag"), value(&answer.head, "last-modified"));
            let length = value(&answer.head, "content-length");
            let range = value(&answer.head, "content-range");
            match answer.status {
                200 => {
                    assert_eq!((tag, changed, range), (Some(TAG), Some(CHANGED), None), "{case}");
                    assert_eq!((length, value(&answer.head, "accept-ranges")), (Some("10"), Some("bytes")), "{case}");
                }
                // 15.4.5: no more than the fields that a cache needs.
                304 => assert_eq!((tag, changed, length, range), (Some(TAG), None, None, None), "{case}"),
                206 => {
                    assert_eq!((tag, changed), (Some(TAG), Some(CHANGED)), "{case}");
                    // 15.3.7.2: in a response of several parts, each part has its own.
                    assert_eq!(range.is_none(), boundary.is_some(), "{case}");
                }
                416 => assert_eq!(range, Some("bytes */10"), "{case}"),
                412 => assert_eq!((tag, range), (None, None), "{case}"),
                _ => panic!("{case}"),
            }
        }
    });
}

#[test]
fn a_range_of_what_is_empty_or_large() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("empty.txt"), "");
    let large: String = (0..200_000).map(|n| format!("{n:06}")).collect();
    write(&folder.path().join("large.txt"), &large);
    run(async || {
        let server = Server::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr();
        drop(runtime::spawn(server.serve(Router::new().files("/", StaticFiles::new(folder.path())))));
        for (path, range, status, content_range) in [
            // 14.1.2: the end of nothing can be had, but there is no way to say so but the whole.
            ("/empty.txt", "bytes=-1", 200, None),
            ("/empty.txt", "bytes=0-", 416, Some("bytes */0")),
            ("/empty.txt", "bytes=0-0", 416, Some("bytes */0")),
            ("/large.txt", "bytes=600000-600005", 206, Some("bytes 600000-600005/1200000")),
        ] {
            let answer = exchange(address, "GET", path, &format!("Range: {range}")).await;
            assert_eq!(
                (answer.status, value(&answer.head, "content-range")),
                (status, content_range),
                "{path}, {range}"
            );
        }
        // Larger than what is read at once: streamed.
        let answer = exchange(address, "GET", "/large.txt", "Range: bytes=1-1100000").await;
        assert_eq!(answer.body, large[1..=1_100_000]);
        let answer = exchange(address, "GET", "/large.txt", "Range: bytes=0-499999, 600000-1099999").await;
        assert!(answer.body.contains(&large[..500_000]) && answer.body.contains(&large[600_000..1_100_000]));
        assert_eq!(answer.body.matches("Content-Range: bytes ").count(), 2);
        assert_eq!(exchange(address, "GET", "/large.txt", "").await.body, large);
    });
}

#[test]
fn a_change_in_this_second_is_no_strong_date() {
    // 8.8.2.2: another change may hide behind the same date. And 8.8.2.1: what changes in the future has changed now.
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.txt"), ALL).unwrap();
    run(async || {
        let server = Server::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr();
        drop(runtime::spawn(server.serve(Router::new().files("/", StaticFiles::new(folder.path())))));
        let now = "Sun, 09 Sep 2001 01:46:40 GMT";
        let answer = exchange(address, "GET", "/a.txt", "").await;
        assert_eq!(value(&answer.head, "last-modified"), Some(now));
        let answer = exchange(address, "GET", "/a.txt", &format!("Range: bytes=0-0\nIf-Range: {now}")).await;
        assert_eq!(answer.status, 200);
    });
}
