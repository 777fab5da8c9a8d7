//! What comes out of a coding went in, or there is an error.

use super::{Coding, CodingError, applied, decode, encode};
use crate::http::{Body, HeaderMap, HeaderValue, header};
use bytes::Bytes;
use futures_core::Stream;
use futures_lite::{FutureExt, StreamExt, stream};
use std::{
    future::poll_fn,
    io::{self, ErrorKind},
    pin::Pin,
    task::Poll,
};

fn read(mut body: Body) -> io::Result<Bytes> {
    runtime::block_on(body.bytes())
}

/// A body that comes in pieces of `size`.
fn in_pieces(bytes: &[u8], size: usize) -> Body {
    let pieces: Vec<io::Result<Bytes>> = bytes.chunks(size).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    Body::stream(stream::iter(pieces))
}

fn coded(text: &[u8], coding: Coding) -> Vec<u8> {
    read(encode(Body::from(text.to_vec()), coding)).unwrap().into()
}

fn error_of(body: Body) -> CodingError {
    let error = read(body).unwrap_err();
    CodingError::of(&error).unwrap_or_else(|| panic!("{error:?}")).clone()
}

/// Text that can be made smaller, but not to nothing.
fn text() -> Vec<u8> {
    (0..4000).flat_map(|n: u32| format!("{:x} and ", n.wrapping_mul(2_654_435_761)).into_bytes()).collect()
}

#[test]
fn what_is_encoded_is_decoded_in_pieces_of_any_size() {
    let text = text();
    for coding in Coding::ALL {
        let coded = coded(&text, coding);
        assert!(coded.len() < text.len(), "{coding}");
        for size in [1, 7, 1000, coded.len()] {
            let body = in_pieces(&coded, size);
            assert_eq!(read(decode(body, &[coding], text.len() as u64)).unwrap(), text, "{coding} in pieces of {size}");
        }
        let empty = self::coded(b"", coding);
        assert_eq!(read(decode(empty.into(), &[coding], 0)).unwrap(), "", "{coding} of nothing");
        assert_eq!(read(decode(Body::empty(), &[coding], 0)).unwrap(), "", "nothing at all, said to be {coding}");
    }
}

#[test]
fn a_body_that_is_cut_off_anywhere_is_an_error() {
    for coding in Coding::ALL {
        let coded = coded(b"hello, hello, hello and hello again", coding);
        for length in 1..coded.len() {
            let body = decode(in_pieces(&coded[..length], 3), &[coding], 1000);
            assert_eq!(error_of(body), CodingError::Truncated { coding }, "{length} bytes of {}", coded.len());
        }
    }
}

#[test]
fn what_comes_behind_the_end_is_an_error_unless_it_is_another_member() {
    for coding in Coding::ALL {
        let first = coded(b"first", coding);
        for size in [1, 1000] {
            let garbage = [&first[..], b"garbage"].concat();
            let error = error_of(decode(in_pieces(&garbage, size), &[coding], 1000));
            assert!(matches!(error, CodingError::Corrupt { .. } | CodingError::Truncated { .. }), "{coding}: {error}");

            let twice = [&first[..], &coded(b", second", coding)].concat();
            let whole = read(decode(in_pieces(&twice, size), &[coding], 1000));
            match coding {
                Coding::Gzip | Coding::Zstd => assert_eq!(whole.unwrap(), "first, second"),
                Coding::Deflate | Coding::Brotli => assert_eq!(whole.unwrap_err().kind(), ErrorKind::InvalidData),
            }
        }
    }
}

#[test]
fn a_byte_that_was_changed_is_found_where_there_is_a_checksum() {
    for coding in [Coding::Gzip, Coding::Deflate] {
        let good = coded(b"hello, hello, hello and hello again", coding);
        // The bytes 4 to 9 of gzip are its time and its system, which nobody checks.
        let checked = if coding == Coding::Gzip { 10 } else { 0 };
        for at in checked..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            match read(decode(bad.into(), &[coding], 1000)) {
                Ok(text) => panic!("{coding}, byte {at}: {}", String::from_utf8_lossy(&text)),
                Err(error) => assert!(CodingError::of(&error).is_some(), "{coding}, byte {at}: {error:?}"),
            }
        }
    }
}

#[test]
fn a_bomb_ends_at_the_limit() {
    let much = vec![0; 2_000_000];
    for coding in Coding::ALL {
        let bomb = coded(&much, coding);
        assert!(bomb.len() < much.len() / 500, "{coding}: {} bytes", bomb.len());
        let error = error_of(decode(bomb.clone().into(), &[coding], 1_999_999));
        assert_eq!(error, CodingError::TooLarge { limit: 1_999_999 });
        assert_eq!(read(decode(bomb.into(), &[coding], 2_000_000)).unwrap().len(), 2_000_000);
    }
}

#[test]
fn a_bomb_in_a_bomb_ends_at_the_limit_though_nothing_comes_out() {
    // Members of nothing: the innermost coding gives no byte, however long it takes.
    let nothing = coded(b"", Coding::Gzip).repeat(20_000);
    let bomb = coded(&nothing, Coding::Gzip);
    let codings = [Coding::Gzip, Coding::Gzip];
    assert_eq!(error_of(decode(bomb.clone().into(), &codings, 20_000)), CodingError::TooLarge { limit: 20_000 });
    assert_eq!(read(decode(bomb.into(), &codings, 10_000_000)).unwrap(), "");
}

#[test]
fn codings_are_taken_off_in_the_order_opposite_to_their_list() {
    let codings = [Coding::Gzip, Coding::Zstd, Coding::Deflate];
    let body = codings.iter().fold(Body::from(text()), |body, coding| encode(body, *coding));
    let whole = read(body).unwrap();
    assert_eq!(read(decode(whole.clone().into(), &codings, 1_000_000)).unwrap(), text());
    let wrong = [Coding::Deflate, Coding::Zstd, Coding::Gzip];
    assert!(matches!(
        error_of(decode(whole.into(), &wrong, 1_000_000)),
        CodingError::Corrupt { coding: Coding::Gzip, .. }
    ));
}

#[test]
fn bare_deflate_is_understood() {
    // RFC 1951: one stored block, and one with Huffman codes. Made by hand, as some servers send them.
    for bare in [&b"\x01\x05\x00\xfa\xffhello"[..], b"\xcb\x48\xcd\xc9\xc9\x07\x00"] {
        for size in [1, 100] {
            assert_eq!(read(decode(in_pieces(bare, size), &[Coding::Deflate], 5)).unwrap(), "hello");
        }
    }
}

#[test]
fn a_window_larger_than_the_standard_allows_is_refused() {
    // RFC 8878, 3.1.1.1.2: a frame whose window is 16 MiB, and one of 8 MiB, with an empty raw block.
    let frame = |exponent: u8| vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, (exponent - 10) << 3, 0x01, 0x00, 0x00];
    assert_eq!(read(decode(frame(23).into(), &[Coding::Zstd], 1000)).unwrap(), "");
    let error = error_of(decode(frame(24).into(), &[Coding::Zstd], 1000));
    assert!(matches!(error, CodingError::Corrupt { .. }), "{error}");
}

#[test]
fn an_error_of_the_body_is_passed_on_as_it_is() {
    for coding in Coding::ALL {
        let start = coded(b"hello, hello, hello", coding)[..8].to_vec();
        let broken = || {
            let lost = io::Error::new(ErrorKind::UnexpectedEof, "the cable is cut");
            Body::stream(stream::iter([Ok(Bytes::from(start.clone())), Err(lost)]))
        };
        for body in [decode(broken(), &[coding, coding], 1000), encode(broken(), coding)] {
            let error = read(body).unwrap_err();
            assert_eq!((error.kind(), error.to_string()), (ErrorKind::UnexpectedEof, "the cable is cut".to_owned()));
        }
    }
}

#[test]
fn nothing_is_held_back_while_the_body_waits() {
    runtime::block_on(async {
        for coding in Coding::ALL {
            let first = stream::once(Ok(Bytes::from_static(b"tick")));
            let mut body = decode(encode(Body::stream(first.chain(stream::pending())), coding), &[coding], 1000);
            assert_eq!(body.next().await.unwrap().unwrap(), "tick", "{coding}");
            let waits = async { Some(body.next().await) }.or(async { None }).await;
            assert!(waits.is_none(), "{coding}");
        }
    });
}

#[test]
fn the_codings_of_a_message_are_known_or_it_is_refused() {
    use Coding::{Brotli, Deflate, Gzip, Zstd};
    let unknown = |name: &str| Err(CodingError::Unknown { name: name.to_owned() });
    for (fields, expected) in [
        (&[][..], Ok(vec![])),
        (&[""], Ok(vec![])),
        (&["identity"], Ok(vec![])),
        (&["gzip"], Ok(vec![Gzip])),
        (&["x-gzip"], Ok(vec![Gzip])),
        (&["BR"], Ok(vec![Brotli])),
        (&["gzip, identity , zstd"], Ok(vec![Gzip, Zstd])),
        (&["gzip", "deflate"], Ok(vec![Gzip, Deflate])),
        (&["gzip,gzip,gzip,gzip"], Err(CodingError::TooMany { limit: 3 })),
        (&["compress"], unknown("compress")),
        (&["gzip;q=1"], unknown("gzip;q=1")),
        (&["gzip", "*"], unknown("*")),
        (&["gz\u{e9}"], unknown("gz\u{e9}")),
    ] {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(header::CONTENT_ENCODING, HeaderValue::from_bytes(field.as_bytes()).unwrap());
        }
        assert_eq!(applied(&headers, 3), expected, "{fields:?}");
    }
}

#[test]
fn others_have_a_turn_while_much_is_coded() {
    let much = vec![0; 2_000_000];
    for coding in Coding::ALL {
        let turns = |mut body: Body| {
            let mut turns = 0;
            runtime::block_on(poll_fn(|context| {
                loop {
                    match Pin::new(&mut body).poll_next(context) {
                        Poll::Ready(Some(chunk)) => drop(chunk.unwrap()),
                        Poll::Ready(None) => return Poll::Ready(()),
                        Poll::Pending => {
                            turns += 1;
                            return Poll::Pending;
                        }
                    }
                }
            }));
            turns
        };
        let bomb = coded(&much, coding);
        assert!(turns(encode(much.clone().into(), coding)) >= 5, "{coding}");
        assert!(turns(decode(bomb.into(), &[coding], 2_000_000)) >= 5, "{coding}");
        // Also when all of it stays inside.
        let nothing = coded(b"", Coding::Gzip).repeat(40_000);
        let hidden = coded(&nothing, coding);
        assert!(turns(decode(hidden.into(), &[Coding::Gzip, coding], 2_000_000)) >= 2, "{coding}");
    }
}
