//! Forms with files.
//!
//! - A form is read in the same way however its bytes come.
//! - Another reader, who has the whole at once and cuts it at its boundaries, finds the same parts.
//! - What we write is read as what was to be written.

#![no_main]

use futures_lite::{future::block_on, stream};
use libfuzzer_sys::fuzz_target;
use netio::http::{
    Body, HeaderMap, HeaderValue, header,
    multipart::{Form, FormPart, Multipart, MultipartError},
};

const BOUNDARY: &str = "b-b";

/// Name, name of the file, content.
type Part = (String, Option<String>, Vec<u8>);

fuzz_target!(|input: &[u8]| {
    let [cut, wire @ ..] = input else { return };
    let whole = read([wire]);
    let (first, second) = wire.split_at(usize::from(*cut).min(wire.len()));
    assert_eq!(whole, read([first, second]), "in two pieces");
    assert_eq!(whole, read(wire.chunks(1)), "byte by byte");
    if let (parts, None) = &whole {
        assert_eq!(*parts, naive(wire));
    }

    if has(wire, format!("--{BOUNDARY}").as_bytes()) {
        return;
    }
    // Control characters stand in a head as they are, and nobody reads them there. A backslash may stand for what follows it, or
    // for itself: browsers and curl do not agree.
    let may_be = |c: &char| !c.is_control() && *c != '\\' || "\r\n".contains(*c);
    let name: String = String::from_utf8_lossy(&wire[..wire.len().min(20)]).chars().filter(may_be).collect();
    let mut form = Form::with_boundary(BOUNDARY);
    for piece in wire.chunks(usize::from(*cut) + 1).take(9) {
        form = form.part(&name, FormPart::new(piece.to_vec()).file_name(&name));
    }
    let written = block_on(Body::from(form).bytes()).unwrap();
    let (parts, error) = read([&written[..]]);
    assert_eq!(error, None);
    let contents: Vec<&[u8]> = parts.iter().map(|(_, _, content)| &content[..]).collect();
    assert_eq!(contents, wire.chunks(usize::from(*cut) + 1).take(9).collect::<Vec<_>>());
    let escaped = name.replace('\r', "%0D").replace('\n', "%0A").replace('"', "%22");
    assert!(parts.iter().all(|(name, file, _)| *name == escaped && file.as_deref() == Some(&*escaped)), "{parts:?}");
});

/// The parts that are whole, and why there are no more, if that is a mistake.
fn read<'wire>(pieces: impl IntoIterator<Item = &'wire [u8]>) -> (Vec<Part>, Option<MultipartError>) {
    let pieces: Vec<_> = pieces.into_iter().map(|piece| Ok(piece.to_vec().into())).collect();
    let kind = HeaderValue::from_str(&format!("multipart/form-data; boundary={BOUNDARY}")).unwrap();
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind)]);
    let mut parts = Vec::new();
    let error = block_on(async {
        let mut form = Multipart::new(&headers, Body::stream(stream::iter(pieces)))?;
        while let Some(part) = form.next().await? {
            let (name, file) = (part.name().to_owned(), part.file_name().map(str::to_owned));
            parts.push((name, file, part.bytes().await?.to_vec()));
        }
        Ok(())
    });
    (parts, error.err())
}

/// The parts of a form that is well formed. Of their names only that they are there: the grammar of quotes is not said twice.
fn naive(wire: &[u8]) -> Vec<Part> {
    let text = [b"\r\n", wire].concat();
    let delimiter = format!("\r\n--{BOUNDARY}").into_bytes();
    let (mut parts, mut rest) = (Vec::new(), &text[..]);
    rest = &rest[find(rest, &delimiter).expect("a boundary") + delimiter.len()..];
    while !rest.starts_with(b"--") {
        let head = find(rest, b"\r\n").expect("a line end") + 2;
        assert!(rest[..head - 2].iter().all(|byte| b" \t".contains(byte)));
        rest = &rest[head..];
        let end = find(rest, b"\r\n\r\n").expect("a head");
        let (fields, content) = (&rest[..end], &rest[end + 4..]);
        // A part without content: the line end of its head is that of the boundary.
        let length = if rest[end + 2..].starts_with(&delimiter) { None } else { find(content, &delimiter) };
        let after = length.map_or(end + 2, |length| end + 4 + length);
        let content = length.map_or(&[][..], |length| &content[..length]);
        let (parsed, error) = read([&[b"--b-b\r\n", fields, b"\r\n\r\n\r\n--b-b--"].concat()[..]]);
        assert_eq!((parsed.len(), error), (1, None), "a head alone");
        let (name, file, _) = parsed.into_iter().next().unwrap();
        parts.push((name, file, content.to_vec()));
        rest = &rest[after + delimiter.len()..];
    }
    parts
}

fn find(text: &[u8], mark: &[u8]) -> Option<usize> {
    text.windows(mark.len()).position(|window| window == mark)
}

fn has(text: &[u8], mark: &[u8]) -> bool {
    find(text, mark).is_some()
}
