//! The same with a client that is not ours, on real time: curl, where there is one.

use netio::http::{
    files::StaticFiles,
    multipart::{Multipart, MultipartError},
    server::{
        Router, Server,
        middleware::{Compression, compress, decompress},
    },
    sse,
};
use std::{fs, io, path::Path, process::Command};

/// What curl prints. It runs on the blocking pool, while the server serves.
async fn curl(arguments: &[&str]) -> String {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--max-time", "20"]).args(arguments);
    let output = runtime::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Names, and lengths or texts.
async fn upload(mut form: Multipart) -> Result<String, MultipartError> {
    let mut said = String::new();
    while let Some(part) = form.next().await? {
        let what = format!("{} {:?} {:?}", part.name(), part.file_name(), part.content_type());
        said += &format!("{what}: {} bytes\n", part.bytes().await?.len());
    }
    Ok(said)
}

fn router(folder: &Path) -> Router {
    Router::new()
        .files("/static", StaticFiles::new(folder))
        .post("/upload", upload)
        .post("/echo", async |text: String| text)
        .get("/page", async || "hello ".repeat(1000))
        .get("/events", async || {
            sse::response(|mut events| async move { events.send(sse::Event::data("one\ntwo").kind("k")).await })
        })
        .layer(compress(Compression::default()))
        .layer(decompress(1_000_000))
}

#[test]
fn curl_gets_what_it_asks_for() {
    if let Err(error) = Command::new("curl").arg("--version").output() {
        println!("skipped: there is no curl ({error})");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let digits = "0123456789".repeat(100_000);
    fs::write(folder.path().join("digits.bin"), &digits).unwrap();
    let here = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    runtime::block_on(async {
        let server = Server::bind("127.0.0.1:0")?;
        let url = format!("http://{}", server.local_addr());
        drop(runtime::spawn(server.serve(router(folder.path()))));
        let file = format!("{url}/static/digits.bin");

        // Parts, and a download that goes on where it stopped.
        assert_eq!(curl(&["--range", "10-14", &file]).await, "01234");
        assert_eq!(curl(&["--range", "-3", &file]).await, "789");
        assert_eq!(curl(&["--range", "0-1,5-6", &file]).await.matches("Content-Range: bytes ").count(), 2);
        let part = here("part");
        fs::write(&part, &digits[..123_456])?;
        curl(&["--continue-at", "-", "--output", &part, &file]).await;
        assert_eq!(fs::read_to_string(&part)?, digits);

        // What is there already.
        let (tag, status) = (here("tag"), ["--output", "/dev/null", "--write-out", "%{http_code} %{size_download}"]);
        curl(&["--etag-save", &tag, "--output", "/dev/null", &file]).await;
        assert_eq!(curl(&[&["--etag-compare", &tag, &file], &status[..]].concat()).await, "304 0");
        assert_eq!(curl(&[&["--time-cond", &part, &file], &status[..]].concat()).await, "304 0");

        // A folder.
        let sub = folder.path().join("sub");
        fs::create_dir(&sub)?;
        fs::write(sub.join("index.html"), "home")?;
        assert_eq!(curl(&["--location", &format!("{url}/static/sub")]).await, "home");

        // Bodies that are smaller on their way.
        let page = format!("{url}/page");
        let compressed = curl(&[&["--compressed", &page], &status[..]].concat()).await;
        assert!(compressed.starts_with("200 ") && compressed[4..].parse::<u64>().unwrap() < 200, "{compressed}");
        assert_eq!(curl(&["--compressed", &page]).await, "hello ".repeat(1000));
        let log = here("log");
        fs::write(&log, "line\n".repeat(1000))?;
        let gzip = runtime::spawn_blocking(move || Command::new("gzip").arg(log).status()).await.unwrap();
        match gzip {
            Ok(status) if status.success() => {
                let data = format!("@{}", here("log.gz"));
                let echo = format!("{url}/echo");
                let text = curl(&["--header", "Content-Encoding: gzip", "--data-binary", &data, &echo]).await;
                assert_eq!(text, "line\n".repeat(1000));
            }
            _ => println!("skipped: the upload that gzip compresses, for there is no gzip"),
        }

        // A form with files.
        let (file, upload) = (format!("file=@{}", here("digits.bin")), format!("{url}/upload"));
        let said = curl(&["--form", "text=a b", "--form", &file, "--form", "n=\"x\";type=text/css", &upload]).await;
        assert_eq!(
            said,
            "text None None: 3 bytes\n\
             file Some(\"digits.bin\") Some(\"application/octet-stream\"): 1000000 bytes\n\
             n None Some(\"text/css\"): 1 bytes\n"
        );

        assert_eq!(curl(&["--compressed", &format!("{url}/events")]).await, "event: k\ndata: one\ndata: two\n\n");
        io::Result::Ok(())
    })
    .unwrap();
}
