//! What we write, read by Python's standard library, and the other way round, where there is a Python.

use super::body_of;
use netio::http::{
    Body, HeaderValue, Response,
    coding::{Coding, decode, encode},
    files, header,
    multipart::{Form, FormPart},
};
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};
use tests::wire::run_outside;

/// What Python prints for a script, with the names of files as arguments; none without Python.
fn python(script: &str, files: &[&Path]) -> Option<String> {
    let output = Command::new("python3").arg("-c").arg(script).args(files).stderr(Stdio::inherit()).output();
    let Ok(output) = output else {
        println!("skipped: there is no python3");
        return None;
    };
    assert!(output.status.success(), "{script}");
    Some(String::from_utf8(output.stdout).unwrap())
}

/// Prints the parts of a multipart body that has its `Content-Type` in front.
const PARTS: &str = "
import email, email.policy, sys
message = email.message_from_binary_file(open(sys.argv[1], 'rb'), policy=email.policy.HTTP)
assert not message.defects and message.is_multipart(), message.defects
for part in message.iter_parts():
    assert not part.defects, part.defects
    name = part.get_param('name', header='content-disposition')
    print(name, part.get_filename(), part.get_content_type(), part['content-range'], len(part.get_payload(decode=True)))
";

fn with_type(kind: &HeaderValue, body: &[u8]) -> Vec<u8> {
    [b"Content-Type: ", kind.as_bytes(), b"\r\n\r\n", body].concat()
}

#[test]
fn python_takes_our_multipart_bodies_apart() {
    let folder = tempfile::tempdir().unwrap();
    let (file, written) = (folder.path().join("a.css"), folder.path().join("body"));
    fs::write(&file, "0123456789").unwrap();
    let form = run_outside(async {
        let css = FormPart::file(&file).await.unwrap();
        let form = Form::new().text("a", "one --two").part("file", css).part("b", FormPart::new(Body::empty()));
        with_type(&form.content_type(), &Body::from(form).bytes().await.unwrap())
    });
    fs::write(&written, form).unwrap();
    let expected = "a None text/plain None 9\nfile a.css text/css None 10\nb None text/plain None 0\n";
    let Some(said) = python(PARTS, &[&written]) else { return };
    assert_eq!(said, expected);

    let ranges = run_outside(async {
        let mut request = netio::http::Request::default();
        request.headers_mut().insert(header::RANGE, HeaderValue::from_static("bytes=2-4,9-"));
        let response: Response = files::send(&request, &file).await;
        let kind = response.headers()[header::CONTENT_TYPE].clone();
        with_type(&kind, &body_of(response).await)
    });
    fs::write(&written, ranges).unwrap();
    let expected = "None None text/css bytes 2-4/10 3\nNone None text/css bytes 9-9/10 1\n";
    let Some(said) = python(PARTS, &[&written]) else { return };
    assert_eq!(said, expected);
}

#[test]
fn python_and_we_read_each_others_codings() {
    const ROUND: &str = "
import gzip, sys, zlib
ours, theirs, coding = sys.argv[1:]
text = gzip.decompress(open(ours, 'rb').read()) if coding == 'gzip' else zlib.decompress(open(ours, 'rb').read())
if coding == 'gzip':
    # With a name in its head, and in two members.
    with gzip.GzipFile('named.txt', 'wb', fileobj=open(theirs, 'wb')) as out: out.write(text[:1000])
    open(theirs, 'ab').write(gzip.compress(text[1000:]))
elif coding == 'bare':
    coder = zlib.compressobj(wbits=-15)
    open(theirs, 'wb').write(coder.compress(text) + coder.flush())
else:
    open(theirs, 'wb').write(zlib.compress(text))
print(len(text))
";
    let folder = tempfile::tempdir().unwrap();
    let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
    let text = (0..2000).map(|n| format!("line {n}\n")).collect::<String>();
    for (coding, how) in [(Coding::Gzip, "gzip"), (Coding::Deflate, "zlib"), (Coding::Deflate, "bare")] {
        let coded = run_outside(async { encode(Body::from(text.clone()), coding).bytes().await.unwrap() });
        fs::write(&ours, coded).unwrap();
        let Some(said) = python(ROUND, &[&ours, &theirs, Path::new(how)]) else { return };
        assert_eq!(said.trim(), text.len().to_string());
        let body = Body::from(fs::read(&theirs).unwrap());
        let read = run_outside(async { decode(body, &[coding], 1 << 20).bytes().await.unwrap() });
        assert_eq!(read, text, "{how}");
    }
}
