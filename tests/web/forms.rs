//! Forms with files: what is sent is received, however it is cut; what is wrong is told. RFC 7578 and RFC 2046, 5.1.

use super::{ask, body_of, headers, request};
use bytes::Bytes;
use futures_lite::stream;
use netio::http::{
    Body, HeaderValue, Method, Request,
    client::Client,
    header,
    multipart::{Form, FormPart, Limits, Multipart, MultipartError},
    server::{Router, Server},
};
use std::{
    fs, io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tests::wire::{in_worlds, run_outside};

const SMALL: Limits = Limits { parts: 3, head_bytes: 200, part_bytes: 10, total_bytes: 1000 };

/// Says what it received: `name(file name, type)=text`, separated by `|`.
async fn echo(form: Multipart) -> Result<String, MultipartError> {
    let mut form = form.limits(SMALL);
    let mut said = Vec::new();
    while let Some(part) = form.next().await? {
        let file = part.file_name().map(|name| format!("({name}, {})", part.content_type().unwrap_or("-")));
        let name = format!("{}{}", part.name(), file.unwrap_or_default());
        said.push(format!("{name}={}", part.text().await?));
    }
    Ok(said.join("|"))
}

const TYPE: &str = "content-type: multipart/form-data; boundary=b";

/// A body with one part, its head and its data.
fn part(head: &str, data: &str) -> String {
    format!("--b\r\n{head}\r\n\r\n{data}\r\n--b--\r\n")
}

fn named(data: &str) -> String {
    part("Content-Disposition: form-data; name=\"a\"", data)
}

#[test]
fn a_form_is_read_or_refused_with_the_reason() {
    let one = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n";
    let cases: Vec<(&str, &str, String, u16, &str)> = vec![
        ("7578 4.2", TYPE, named("one"), 200, "a=one"),
        ("7578 4.2", TYPE, named(""), 200, "a="),
        ("7578 4.3", TYPE, format!("{one}{one}--b--"), 200, "a=1|a=1"),
        ("7578 4.2", TYPE, part("Content-Disposition: form-data; name=a; filename=b.txt", "x"), 200, "a(b.txt, -)=x"),
        (
            "7578 4.4",
            TYPE,
            part("content-type: text/css\r\ncontent-disposition: form-data; name=\"a\"; filename=\"\"", "x"),
            200,
            "a(, text/css)=x",
        ),
        ("7578 4.2", TYPE, part("Content-Disposition: form-data; name=\"张\"; filename=\"é\"", "x"), 200, "张(é, -)=x"),
        (
            "7578 4.2",
            TYPE,
            part("Content-Disposition: form-data; name=\"a\"; filename=\"../../x\"", "x"),
            200,
            "a(../../x, -)=x",
        ),
        ("7578 4.2", TYPE, part("Content-Disposition: form-data; name=\"a\\\"b\"", "x"), 200, "a\"b=x"),
        (
            "7578 4.7",
            TYPE,
            part("Content-Transfer-Encoding: 8bit\r\nContent-Disposition: form-data; name=a", "x"),
            200,
            "a=x",
        ),
        ("2046 5.1.1", TYPE, format!("preamble\r\n{}epilogue", named("one")), 200, "a=one"),
        ("2046 5.1.1", TYPE, named("\r\n--\r\n-b"), 200, "a=\r\n--\r\n-b"),
        ("2046 5.1.1", TYPE, "--b--".into(), 200, ""),
        ("2045 5.1", "content-type: Multipart/Form-Data; charset=utf-8; BOUNDARY=\"b\"", named("x"), 200, "a=x"),
        (
            "2046 5.1.1",
            "content-type: multipart/form-data; boundary=\"a ?b\"",
            named("x").replace("--b", "--a ?b"),
            200,
            "a=x",
        ),
        // Of another type.
        ("9110 15.5.16", "content-type: text/plain", named("x"), 415, "text/plain"),
        ("9110 15.5.16", "content-type: multipart/mixed; boundary=b", named("x"), 415, "multipart/mixed"),
        ("9110 15.5.16", "", named("x"), 415, "no type"),
        (
            "9110 15.5.16",
            "content-type: multipart/form-data; boundary=b\ncontent-type: text/plain",
            named("x"),
            415,
            "no type",
        ),
        // Without a usable boundary.
        ("2046 5.1", "content-type: multipart/form-data", named("x"), 400, "boundary"),
        ("2046 5.1", "content-type: multipart/form-data; boundary=", named("x"), 400, "boundary"),
        ("2046 5.1.1", "content-type: multipart/form-data; boundary=\"b;\"", named("x"), 400, "boundary"),
        ("2046 5.1.1", "content-type: multipart/form-data; boundary=\"b \"", named("x"), 400, "boundary"),
        ("2045 5.1", "content-type: multipart/form-data; boundary=b; boundary=c", named("x"), 400, "boundary"),
        ("2045 5.1", "content-type: multipart/form-data; boundary=\"b", named("x"), 400, "boundary"),
        // Cut off.
        ("2046 5.1.1", TYPE, String::new(), 400, "before its last boundary"),
        ("2046 5.1.1", TYPE, one.into(), 400, "before its last boundary"),
        ("2046 5.1.1", TYPE, format!("{one}--b"), 400, "before its last boundary"),
        ("2046 5.1.1", TYPE, format!("{one}--b-"), 400, "before its last boundary"),
        ("2046 5.1.1", TYPE, format!("{one}--c--"), 400, "before its last boundary"),
        // Of two minds.
        ("2046 5.1.1", TYPE, named("x\r\n--bc\r\n"), 400, "goes on otherwise"),
        ("2046 5.1.1", TYPE, named("x").replace("--b\r\n", "--b\n"), 400, "goes on otherwise"),
        ("2046 5.1", TYPE, "--b\r\n\r\nx\r\n--b--".into(), 400, "no head"),
        ("5322 2.2", TYPE, part("Content-Disposition: form-data; name=a\nX: y", "x"), 400, "head of a part"),
        ("5322 2.2.3", TYPE, part("Content-Disposition: form-data;\r\n name=a", "x"), 400, "head of a part"),
        ("7578 4.2", TYPE, part("Content-Type: text/plain", "x"), 400, "does not say what it is"),
        ("7578 4.2", TYPE, part("Content-Disposition: form-data", "x"), 400, "no name"),
        ("7578 4.2", TYPE, part("Content-Disposition: attachment; name=a", "x"), 400, "no part of a form"),
        ("7578 4.2", TYPE, part("Content-Disposition: form-data; name=a; name=b", "x"), 400, "does not say"),
        ("7578 4.2", TYPE, part("Content-Disposition: form-data; name=\"a", "x"), 400, "does not say"),
        (
            "7578 4.2",
            TYPE,
            part("Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b", "x"),
            400,
            "twice",
        ),
        (
            "7578 4.7",
            TYPE,
            part("Content-Transfer-Encoding: base64\r\nContent-Disposition: form-data; name=a", "eA=="),
            400,
            "encoding of its own",
        ),
        // Beyond the limits.
        ("limit", TYPE, named("0123456789"), 200, "a=0123456789"),
        ("limit", TYPE, named("0123456789x"), 413, "the part `a` has more than 10 bytes"),
        ("limit", TYPE, format!("{one}{one}{one}--b--"), 200, "a=1|a=1|a=1"),
        ("limit", TYPE, format!("{one}{one}{one}{one}--b--"), 413, "more than 3 parts"),
        ("limit", TYPE, part(&format!("X: {}", "x".repeat(200)), "x"), 413, "head of more than 200 bytes"),
        ("limit", TYPE, "x".repeat(201), 413, "head of more than 200 bytes"),
        ("limit", TYPE, format!("{}{}", named("x"), "x".repeat(1000)), 413, "the form has more than 1000 bytes"),
    ];
    run_outside(async {
        let router = Router::new().post("/", echo);
        for (section, fields, body, status, told) in &cases {
            for step in [1, 2, 3, 5, 7, 64, 10_000] {
                let pieces: Vec<io::Result<Bytes>> =
                    body.as_bytes().chunks(step).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
                let response =
                    ask(&router, request(Method::POST, "/", fields, Body::stream(stream::iter(pieces)))).await;
                let case = format!("{section}: {body:?} in pieces of {step} with {fields:?}");
                assert_eq!(response.status(), *status, "{case}");
                let text = String::from_utf8(body_of(response).await.to_vec()).unwrap();
                let is_right = if *status == 200 { text == *told } else { text.contains(told) };
                assert!(is_right, "{case}: {text}");
            }
        }
        let not_text = ["--b\r\nContent-Disposition: form-data; name=a\r\n\r\n".as_bytes(), b"\xff\r\n--b--"].concat();
        let response = ask(&router, request(Method::POST, "/", TYPE, not_text)).await;
        assert_eq!(body_of(response).await, "400 Bad Request: the part `a` is not UTF-8\n");
    });
}

#[test]
fn what_a_form_holds_arrives() {
    in_worlds(async || {
        let server = Server::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", server.local_addr());
        drop(runtime::spawn(server.serve(Router::new().post("/", echo))));
        let streamed = || Body::stream(stream::iter(["01", "23"].map(|text| Ok(Bytes::from(text)))));
        let kind = HeaderValue::from_static("text/css");
        for (form, length_is_known, expected) in [
            (Form::new(), true, ""),
            (Form::new().text("a", "").text("", "b"), true, "a=|=b"),
            (Form::new().text("a\"b\r\nc", "d"), true, "a%22b%0D%0Ac=d"),
            (Form::new().text("é", "\r\n--\r\n"), true, "é=\r\n--\r\n"),
            (
                Form::new().part("f", FormPart::new("x").file_name("a\"\\.css").content_type(kind)),
                true,
                "f(a%22\\.css, text/css)=x",
            ),
            (Form::new().part("s", FormPart::new(streamed().with_length(4))), true, "s=0123"),
            (Form::new().part("s", FormPart::new(streamed())).text("a", "b"), false, "s=0123|a=b"),
            (Form::with_boundary("'()+_,-./:=? x").text("a", "b"), true, "a=b"),
        ] {
            let kind = form.content_type();
            let body = Body::from(form);
            assert_eq!(body.length().is_some(), length_is_known, "{expected}");
            let response = Client::new().post(&url).header(header::CONTENT_TYPE, kind).body(body).await.unwrap();
            assert_eq!(response.text().await.unwrap(), expected);
        }
    });
}

#[test]
fn whatever_a_form_holds_arrives_however_it_is_cut() {
    // The bytes of which boundaries are made, so that what is almost one comes often.
    const LETTERS: [&str; 7] = ["\r", "\n", "\r\n", "-", "--", "b", "\r\n--"];
    let mut almost = 0;
    for seed in 0..3000 {
        let mut chance = runtime::random::Generator::new(seed);
        let mut text =
            |most: u64| (0..chance.below(most)).map(|_| LETTERS[chance.below(7) as usize]).collect::<String>();
        let parts: Vec<String> = (0..4).map(|_| text(12)).collect();
        if parts.iter().any(|part| format!("\r\n{part}").contains("\r\n--b")) {
            continue;
        }
        almost += usize::from(parts.iter().any(|part| part.contains("\r\n--")));
        let form = parts.iter().fold(Form::with_boundary("b"), |form, part| form.text("p", part.as_str()));
        runtime::block_on(async {
            let headers = headers(TYPE);
            let whole = Body::from(form).bytes().await.unwrap();
            let (mut rest, mut pieces) = (whole, Vec::new());
            while !rest.is_empty() {
                let length = 1 + chance.below(rest.len().min(9) as u64) as usize;
                pieces.push(Ok(rest.split_to(length)));
            }
            let mut form = Multipart::new(&headers, Body::stream(stream::iter(pieces))).unwrap();
            let mut received = Vec::new();
            while let Some(part) = form.next().await.unwrap() {
                received.push(part.text().await.unwrap());
            }
            assert_eq!(received, parts, "seed {seed}");
        });
    }
    assert!(almost > 500, "only {almost} forms had almost a boundary in them");
}

#[test]
fn a_file_is_sent_as_it_was_when_it_was_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a b.css");
    run_outside(async {
        let send = async |meanwhile: &str| {
            fs::write(&path, "0123456789").unwrap();
            let part = FormPart::file(&path).await.unwrap();
            fs::write(&path, meanwhile).unwrap();
            let form = Form::new().part("file", part);
            let kind = form.content_type();
            let mut body = Body::from(form);
            let length = body.length();
            let mut request = Request::new(Body::from(body.bytes().await?));
            assert_eq!(request.body().length(), length);
            request.headers_mut().insert(header::CONTENT_TYPE, kind);
            *request.method_mut() = Method::POST;
            Ok(body_of(ask(&Router::new().post("/", echo), request).await).await)
        };
        assert_eq!(send("0123456789").await.unwrap(), "file(a b.css, text/css)=0123456789");
        assert_eq!(send("0123456789 and more").await.unwrap(), "file(a b.css, text/css)=0123456789");
        let error: io::Error = send("0123").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert!(FormPart::file(folder.path().join("missing")).await.is_err());
    });
}

#[test]
fn boundaries_come_from_the_chance_of_the_runtime() {
    let draw = |seed| {
        runtime::Runtime::simulated(seed).block_on(async { [Form::new(), Form::new()].map(|form| form.content_type()) })
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
    assert_ne!(draw(1)[0], draw(1)[1]);
}

#[test]
fn what_is_not_read_of_a_part_is_passed_over() {
    run_outside(async {
        let form = Form::new().text("a", "0123456789".repeat(100)).text("b", "x").text("c", "y");
        let headers = headers(&format!("content-type: {}", form.content_type().to_str().unwrap()));
        let mut form = Multipart::new(&headers, form.into()).unwrap();
        let mut first = form.next().await.unwrap().unwrap();
        assert!(first.chunk().await.unwrap().is_some());
        assert_eq!(form.next().await.unwrap().unwrap().name(), "b");
        let mut last = form.next().await.unwrap().unwrap();
        assert_eq!(last.name(), "c");
        assert_eq!(last.chunk().await, Ok(Some("y".into())));
        assert_eq!((last.chunk().await, last.chunk().await), (Ok(None), Ok(None)));
        assert!(form.next().await.unwrap().is_none());
        assert!(form.next().await.unwrap().is_none());
    });
}

#[test]
fn an_error_is_told_once_and_nothing_more_is_read() {
    run_outside(async {
        let body = format!("--b\r\nContent-Disposition: form-data; name=a\r\n\r\n{}\r\n--b--", "x".repeat(20));
        let mut form = Multipart::new(&headers(TYPE), body.into()).unwrap().limits(SMALL);
        let mut part = form.next().await.unwrap().unwrap();
        assert_eq!(part.chunk().await, Err(MultipartError::PartTooLarge { name: "a".into(), limit: 10 }));
        assert_eq!(part.chunk().await, Err(MultipartError::Lost));
        assert_eq!(form.next().await.map(|part| part.is_some()), Err(MultipartError::Lost));

        let lost = stream::iter([Ok(Bytes::from("--b\r\n")), Err(io::ErrorKind::ConnectionReset.into())]);
        let mut form = Multipart::new(&headers(TYPE), Body::stream(lost)).unwrap();
        let Err(MultipartError::Body(error)) = form.next().await.map(|_| ()) else { panic!("it was lost") };
        assert_eq!(error.kind, io::ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_part_is_read_as_it_comes_and_no_faster() {
    run_outside(async {
        let sent = Arc::new(AtomicUsize::new(0));
        let count = sent.clone();
        let file = Body::writer(move |mut body| async move {
            for _ in 0..1000 {
                body.write(vec![b'x'; 1000]).await?;
                count.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        });
        let form = Form::new().part("file", FormPart::new(file));
        let headers = headers(&format!("content-type: {}", form.content_type().to_str().unwrap()));
        let mut form = Multipart::new(&headers, form.into()).unwrap();
        let mut part = form.next().await.unwrap().unwrap();
        let first = part.chunk().await.unwrap().unwrap();
        runtime::time::sleep(Duration::from_secs(1)).await;
        assert!(sent.load(Ordering::Relaxed) <= 3, "{} chunks were made", sent.load(Ordering::Relaxed));
        // A reader that gives up waiting loses nothing.
        let mut length = first.len();
        loop {
            let Ok(chunk) = runtime::time::timeout(Duration::ZERO, part.chunk()).await else { continue };
            let Some(chunk) = chunk.unwrap() else { break };
            length += chunk.len();
        }
        assert_eq!(length, 1_000_000);
    });
}
