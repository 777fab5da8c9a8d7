//! Where files are found, and in which form.

use super::{ask, body_of, field, request};
use netio::http::{
    HeaderValue, Method, Request,
    coding::{Coding, encode},
    files::{self, StaticFiles},
    header,
    server::Router,
};
use std::{
    fs::{self, File},
    os::unix::fs::symlink,
    path::Path,
    time::{Duration, SystemTime},
};
use tests::wire::run_outside;

async fn get(router: &Router, path: &str, fields: &str) -> (u16, String) {
    let response = ask(router, request(Method::GET, path, fields, "")).await;
    let status = response.status().as_u16();
    let told = if status == 308 { field(&response, "location") } else { String::new() };
    let body = body_of(response).await;
    (status, if told.is_empty() { String::from_utf8(body.to_vec()).unwrap() } else { told })
}

#[test]
fn a_folder_is_served_below_a_path() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("a:b/c")).unwrap();
    for (name, text) in
        [("index.html", "home"), ("x y.txt", "blank"), ("a:b/index.html", "sub"), ("a:b/c/d.txt", "deep")]
    {
        fs::write(folder.path().join(name), text).unwrap();
    }
    symlink(folder.path().join("a:b"), folder.path().join("link")).unwrap();
    let files = || StaticFiles::new(folder.path());
    let inner = Router::new().files("/files", files());
    let router = Router::new()
        .get("/static/special", async || "a route of its own")
        .files("/static/", files())
        .nest("/users/{name}", inner)
        .get("/", async || "the root");
    run_outside(async {
        for (path, status, told) in [
            ("/", 200, "the root"),
            ("/static", 308, "static/"),
            ("/static?q=1", 308, "static/?q=1"),
            ("/static/", 200, "home"),
            ("/static/index.html", 200, "home"),
            ("/static/special", 200, "a route of its own"),
            ("/static/x%20y.txt", 200, "blank"),
            ("/static/a:b", 308, "a%3Ab/"),
            ("/static/a%3Ab", 308, "a%3Ab/"),
            ("/static/a:b/", 200, "sub"),
            ("/static/a:b/c/d.txt", 200, "deep"),
            ("/static/link", 308, "link/"),
            ("/static/link/", 200, "sub"),
            ("/static/link/c/d.txt", 200, "deep"),
            ("/static/a:b/c/", 404, ""),
            ("/static//index.html", 404, ""),
            ("/static/a:b//index.html", 404, ""),
            ("/static/a%2Fb", 404, ""),
            ("/static/a:b%2Findex.html", 404, ""),
            ("/static/../static/index.html", 404, ""),
            ("/static/%2e%2e/index.html", 404, ""),
            ("/static/..%5cindex.html", 404, ""),
            ("/static/x%00y", 404, ""),
            ("/static/%zz", 400, ""),
            ("/users/me/files", 308, "files/"),
            ("/users/me/files/", 200, "home"),
            ("/users/me/files/a:b/", 200, "sub"),
            ("/users/me/files/missing", 404, ""),
        ] {
            let (found, text) = get(&router, path, "").await;
            assert_eq!(found, status, "{path}: {text}");
            assert!(status >= 400 || text == told, "{path}: {text}");
        }
        for (method, status) in [(Method::HEAD, 200), (Method::POST, 405), (Method::OPTIONS, 204)] {
            let response = ask(&router, request(method, "/static/index.html", "", "")).await;
            assert_eq!(response.status(), status);
        }
        // Without a path in front, the root has a home.
        assert_eq!(get(&Router::new().files("/", files()), "/", "").await.1, "home");
        assert_eq!(get(&Router::new().files("/", files()), "/a:b/c/d.txt", "").await.1, "deep");
    });
}

#[test]
fn a_link_out_of_the_folder_is_followed_only_if_that_was_said() {
    let folder = tempfile::tempdir().unwrap();
    let (root, outside) = (folder.path().join("root"), folder.path().join("root-secret"));
    fs::create_dir(&root).unwrap();
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("key"), "secret").unwrap();
    symlink(&outside, root.join("out")).unwrap();
    symlink("../root-secret/key", root.join("key")).unwrap();
    let closed = Router::new().files("/", StaticFiles::new(&root));
    let open = Router::new().files("/", StaticFiles::new(&root).follow_links());
    run_outside(async {
        for path in ["/out/key", "/key", "/out", "/out/"] {
            assert_eq!(get(&closed, path, "").await.0, 404, "{path}");
        }
        assert_eq!(get(&open, "/out/key", "").await, (200, "secret".into()));
        assert_eq!(get(&open, "/key", "").await, (200, "secret".into()));
        assert_eq!(get(&open, "/../root-secret/key", "").await.0, 404);
    });
}

fn write(path: &Path, content: &[u8], seconds: u64) {
    fs::write(path, content).unwrap();
    let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(999_302_400 + seconds);
    File::options().write(true).open(path).unwrap().set_modified(changed).unwrap();
}

#[test]
fn a_compressed_sibling_is_sent_to_whoever_accepts_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let coded = |coding| runtime::block_on(async { encode("body { }".into(), coding).bytes().await }).unwrap();
    let (gzip, brotli) = (coded(Coding::Gzip), coded(Coding::Brotli));
    write(&path("a.css"), b"body { }", 10);
    write(&path("a.css.gz"), &gzip, 10);
    write(&path("a.css.br"), &brotli, 11);
    write(&path("b.css"), b"body { }", 10);
    write(&path("b.css.gz"), &gzip, 9);
    symlink("/etc/hostname", path("b.css.br")).unwrap();
    let router = Router::new().files("/", StaticFiles::new(folder.path()).precompressed());
    run_outside(async {
        for (name, accept, coding, body) in [
            ("/a.css", "", "-", &b"body { }"[..]),
            ("/a.css", "Accept-Encoding: gzip", "gzip", &gzip),
            ("/a.css", "Accept-Encoding: gzip, br", "br", &brotli),
            ("/a.css", "Accept-Encoding: gzip, br;q=0.5", "gzip", &gzip),
            ("/a.css", "Accept-Encoding: zstd, gzip;q=0.1", "gzip", &gzip),
            ("/a.css", "Accept-Encoding: zstd", "-", b"body { }"),
            ("/a.css", "Accept-Encoding: gzip;q=0", "-", b"body { }"),
            // Older than the file itself, and outside of the folder.
            ("/b.css", "Accept-Encoding: gzip, br", "-", b"body { }"),
        ] {
            let response = ask(&router, request(Method::GET, name, accept, "")).await;
            assert_eq!(field(&response, "content-encoding"), coding, "{name}, {accept}");
            assert_eq!(field(&response, "vary"), "accept-encoding", "{name}, {accept}");
            assert_eq!(field(&response, "content-type"), "text/css; charset=utf-8", "{name}, {accept}");
            assert_eq!(body_of(response).await, body, "{name}, {accept}");
        }
        // Each form has a tag of its own.
        let ask = async |fields: &str| ask(&router, request(Method::GET, "/a.css", fields, "")).await;
        let plain = field(&ask("").await, "etag");
        let tag = field(&ask("Accept-Encoding: gzip").await, "etag");
        assert!(tag != plain && tag.ends_with("-gzip\""), "{tag}");
        let known = ask(&format!("Accept-Encoding: gzip\nIf-None-Match: {tag}")).await;
        assert_eq!((known.status().as_u16(), field(&known, "vary").as_str()), (304, "accept-encoding"));
        assert_eq!(ask(&format!("If-None-Match: {tag}")).await.status(), 200);
        let part = ask("Accept-Encoding: gzip\nRange: bytes=0-1").await;
        assert_eq!(field(&part, "content-range"), format!("bytes 0-1/{}", gzip.len()));
        assert_eq!(body_of(part).await, gzip[..2]);
    });
}

#[test]
fn a_file_is_sent_by_its_path_with_the_name_it_is_to_have() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("3.pdf");
    write(&path, b"0123456789", 0);
    let missing = folder.path().join("4.pdf");
    let send = |path: std::path::PathBuf| {
        move |request: Request| {
            let path = path.clone();
            async move {
                ([(header::CONTENT_DISPOSITION, files::attachment("März.pdf"))], files::send(&request, path).await)
            }
        }
    };
    let router = Router::new().get("/3", send(path)).any("/any", send(folder.path().into())).get("/4", send(missing));
    run_outside(async {
        let whole = ask(&router, request(Method::GET, "/3", "", "")).await;
        assert_eq!(
            field(&whole, "content-disposition"),
            "attachment; filename=\"M_rz.pdf\"; filename*=UTF-8''M%C3%A4rz.pdf"
        );
        assert_eq!(field(&whole, "content-type"), "application/pdf");
        let part = ask(&router, request(Method::GET, "/3", "Range: bytes=3-", "")).await;
        assert_eq!((part.status().as_u16(), body_of(part).await), (206, "3456789".into()));
        assert_eq!(ask(&router, request(Method::GET, "/4", "", "")).await.status(), 404);
        // A folder is no file, and a file can only be read.
        assert_eq!(ask(&router, request(Method::GET, "/any", "", "")).await.status(), 404);
        assert_eq!(ask(&router, request(Method::POST, "/any", "", "")).await.status(), 405);
    });
}

#[test]
fn a_file_is_kept_as_long_as_the_program_says() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("a.js"), b"1", 0);
    let long = HeaderValue::from_static("public, max-age=31536000, immutable");
    for (files, expected) in [
        (StaticFiles::new(folder.path()), "no-cache"),
        (StaticFiles::new(folder.path()).cache_control(long), "public, max-age=31536000, immutable"),
    ] {
        let router = Router::new().files("/", files);
        run_outside(async {
            let response = ask(&router, request(Method::GET, "/a.js", "", "")).await;
            assert_eq!(field(&response, "cache-control"), expected);
            let known = format!("If-None-Match: {}", field(&response, "etag"));
            let response = ask(&router, request(Method::GET, "/a.js", &known, "")).await;
            assert_eq!((response.status().as_u16(), field(&response, "cache-control").as_str()), (304, expected));
        });
    }
}
