//! Paths that no honest client sends: none leads out of the folder that is served. (What is wrong with messages themselves is
//! in the conformance table.)

use netio::http::{files::StaticFiles, server::Limits};
use tests::wire::{Peer, run, serve};

#[test]
fn no_path_leads_out_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("site");
    std::fs::create_dir(&root).unwrap();
    for (file, text) in [("site/index.html", "home"), ("site/.env", "secret"), ("secret.txt", "secret")] {
        std::fs::write(folder.path().join(file), text).unwrap();
    }
    let outside = folder.path().join("secret.txt");
    let absolute = outside.to_str().unwrap();
    let paths = [
        "/../secret.txt",
        "/..%2fsecret.txt",
        "/..%2Fsecret.txt",
        "/%2e%2e/secret.txt",
        "/%2E%2E/secret.txt",
        "/.%2e/secret.txt",
        "/%2e./secret.txt",
        "/..%5csecret.txt",
        "/..\\secret.txt",
        "/%252e%252e/secret.txt",
        "/..%252fsecret.txt",
        "/..%c0%afsecret.txt",
        "/%c0%ae%c0%ae/secret.txt",
        "/x/../../secret.txt",
        "/index.html/../../secret.txt",
        "/./../secret.txt",
        "/...//../secret.txt",
        "//../secret.txt",
        "/%00/../secret.txt",
        "/index.html%00.png",
        "/..;/secret.txt",
        "/.env",
        "/%2eenv",
        absolute,
        &format!("/{absolute}"),
        &format!("/{}", absolute.replace('/', "%2f")),
        &format!("http://a/..{absolute}"),
        "/index.html/",
        "/secret.txt",
    ];
    run(async || {
        let files = StaticFiles::new(&root);
        let address = serve(Limits::default(), move |request| {
            let files = files.clone();
            async move { files.respond(&request).await }
        });
        let get = async |path: &str| {
            let mut peer = Peer::connect(address).await;
            peer.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).await;
            peer.messages().await.remove(0)
        };
        for path in paths {
            let answer = get(path).await;
            assert!([400, 404].contains(&answer.status), "{path}: {answer:?}");
            assert!(!answer.body.contains("secret"), "{path}: {answer:?}");
        }
        assert_eq!(get("/").await.body, "home");
        assert_eq!(get("/index.html?/../../secret.txt").await.body, "home");
    });
}
