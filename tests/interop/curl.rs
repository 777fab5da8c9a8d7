//! curl, our server's most usual guest.

use crate::{
    house::{House, large, upload},
    run,
};
use std::process::Command;

/// What it prints, and after that what it was asked to tell about itself.
struct Curl {
    printed: Vec<u8>,
    told: String,
}

/// Fetches `paths` in one call of curl; `None` where there is no curl. `tell` are variables of curl's `--write-out`.
fn curl(house: &House, arguments: &[&str], paths: &[&str], tell: &str) -> Option<Curl> {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--max-time", "20", "--noproxy", "*"]).args(arguments);
    command.args(["--write-out", &format!("%{{stderr}}{tell}\n")]);
    command.args(paths.iter().map(|path| house.url(path)));
    let output = run(&mut command)?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "curl {arguments:?} {paths:?}: {told}");
    Some(Curl { printed: output.stdout, told })
}

#[test]
fn curl_gets_what_it_asks_for() {
    let house = House::open();
    let code = "%{http_code} %{size_download}";
    let cases: &[(&[&str], &str, &[u8], &str)] = &[
        (&[], "/hello", b"hello", "200 5"),
        (&["--http1.0"], "/hello", b"hello", "200 5"),
        (&[], "/stream", b"one two three", "200 13"),
        (&["--http1.0"], "/stream", b"one two three", "200 13"),
        (&["--raw"], "/stream", b"4\r\none \r\n4\r\ntwo \r\n5\r\nthree\r\n0\r\n\r\n", "200 13"),
        (&[], "/empty", b"", "204 0"),
        (&["--location"], "/moved", b"hello", "200 5"),
        (&["--data", "a=b"], "/echo", b"a=b", "200 3"),
        (&["--data", "a=b", "--header", "Transfer-Encoding: chunked"], "/echo", b"a=b", "200 3"),
        (&["--data", "a=b", "--header", "Expect: 100-continue"], "/echo", b"a=b", "200 3"),
        (&["--data", "a=b", "--header", "Expect: 100-continue"], "/refused", b"no", "403 2"),
        (&["--request", "PUT", "--data", "a=b", "--http1.0"], "/echo", b"a=b", "200 3"),
        (&["--path-as-is"], "/files/../../../../etc/passwd", b"", ""),
    ];
    for (arguments, path, body, told) in cases {
        let Some(curl) = curl(&house, arguments, &[path], code) else { return };
        if told.is_empty() {
            assert!(curl.told.starts_with('4'), "{path}: {}", curl.told);
            continue;
        }
        let printed = String::from_utf8_lossy(&curl.printed);
        assert_eq!((printed.as_ref(), curl.told.trim()), (String::from_utf8_lossy(body).as_ref(), *told), "{path}");
    }
    let head = curl(&house, &["--head"], &["/hello"], "%{http_code}").unwrap();
    let head = String::from_utf8(head.printed).unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("content-length: 5\r\n"), "{head}");
    let large_one = curl(&house, &[], &["/large"], "%{http_code}").unwrap();
    assert!(large_one.printed == large(), "it came changed");
}

/// The file goes with a length, in chunks from standard input, and after leave was given.
#[test]
fn curl_uploads_a_file() {
    let house = House::open();
    let folder = tempfile::tempdir().unwrap();
    let file = upload(folder.path());
    let (path, at) = (file.to_str().unwrap(), format!("@{}", file.display()));
    for arguments in [
        &["--data-binary", &at][..],
        &["--data-binary", &at, "--header", "Expect: 100-continue"],
        &["--data-binary", &at, "--header", "Transfer-Encoding: chunked"],
        &["--data-binary", &at, "--header", "Transfer-Encoding: chunked", "--header", "Expect: 100-continue"],
        &["--upload-file", path],
        &["--upload-file", path, "--header", "Transfer-Encoding: chunked"],
    ] {
        let Some(curl) = curl(&house, arguments, &["/echo"], "%{http_code} %{size_upload}") else { return };
        assert!(curl.printed == large(), "{arguments:?}: it came back changed, {} bytes", curl.printed.len());
        assert!(curl.told.starts_with("200 "), "{arguments:?}: {}", curl.told);
    }
}

#[test]
fn curl_keeps_its_connection() {
    let house = House::open();
    let paths = ["/hello", "/stream", "/empty", "/hello", "/moved", "/large"];
    let arguments = ["--output", "/dev/null"].repeat(paths.len());
    let Some(curl) = curl(&house, &arguments, &paths, "%{num_connects}") else { return };
    let connects: Vec<&str> = curl.told.split_whitespace().collect();
    assert_eq!(connects, ["1", "0", "0", "0", "0", "0"]);
}

#[test]
fn curl_gets_a_part_of_a_file() {
    let house = House::open();
    let whole = large();
    for (range, bytes) in [("0-99", &whole[..100]), ("1000-", &whole[1000..]), ("-10", &whole[whole.len() - 10..])] {
        let Some(curl) = curl(&house, &["--range", range], &["/files/data.bin"], "%{http_code}") else { return };
        assert_eq!(curl.told.trim(), "206", "{range}");
        assert!(curl.printed == bytes, "{range}: {} bytes", curl.printed.len());
    }
    let beyond = curl(&house, &["--range", "9000000-"], &["/files/data.bin"], "%{http_code}").unwrap();
    assert_eq!(beyond.told.trim(), "416");
}
