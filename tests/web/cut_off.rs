//! A file that changes while it is sent never breaks the framing.

use netio::http::{
    files::StaticFiles,
    server::{Router, Server},
};
use std::fs::{self, File};
use tests::wire::{Peer, in_worlds, run_outside};

/// The answer to two requests for a file of `length` bytes, which has `new_length` when the first head has come.
async fn answer(length: u64, new_length: u64) -> (String, u64) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    File::create(&path).unwrap().set_len(length).unwrap();
    let server = Server::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr();
    drop(runtime::spawn(server.serve(Router::new().files("/", StaticFiles::new(folder.path())))));
    let mut peer = Peer::connect(address).await;
    peer.send("GET /file HTTP/1.1\r\nHost: a\r\n\r\nGET /file HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    let head = peer.read_until("\r\n\r\n").await;
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(new_length).unwrap();
    (head, peer.rest().await.unwrap().len() as u64)
}

/// More than the sockets hold, of the system and of a world.
const LARGE: [u64; 2] = [32 << 20, 1 << 20];

async fn cut_off(length: u64) {
    let (head, sent) = answer(length, 1000).await;
    assert!(head.contains(&format!("content-length: {length}\r\n")), "{head}");
    assert!(sent < length, "{sent} bytes: the peer must see that this is not the whole");
}

async fn grown(length: u64) {
    let (_, sent) = answer(length, length + 1000).await;
    // The second answer has another head, and the file as it is then.
    let second = sent - length;
    assert!((length + 1000..length + 2000).contains(&second), "{second}");
}

#[test]
fn a_file_that_gets_shorter_ends_the_connection() {
    run_outside(cut_off(LARGE[0]));
    in_worlds(async || cut_off(LARGE[1]).await);
}

#[test]
fn of_a_file_that_grows_only_the_announced_part_is_sent() {
    run_outside(grown(LARGE[0]));
    in_worlds(async || grown(LARGE[1]).await);
}
