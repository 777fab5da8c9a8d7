//! Downloads that are larger than memory should be, and disks that are full.

use super::serve;
use bytes::Bytes;
use netio::http::{
    Body, Response,
    client::{Client, Error},
    header,
};
use std::{io, os::unix::fs::symlink, path::Path};
use tests::wire::{alone, descriptors};

const CHUNK: usize = 1 << 20;
const CHUNKS: usize = 1100;

/// A gigabyte and more, made while it is sent: no more than a few pieces of it are in memory at a time.
#[test]
fn a_gigabyte_passes_through_without_staying() {
    if !alone("large::a_gigabyte_passes_through_without_staying") {
        return;
    }
    runtime::block_on(async {
        let url = serve(async |_| {
            let chunk = Bytes::from(vec![b'x'; CHUNK]);
            let chunks = futures_lite::stream::iter((0..CHUNKS).map(move |_| io::Result::Ok(chunk.clone())));
            Response::new(Body::stream(chunks).with_length((CHUNK * CHUNKS) as u64))
        });
        let client = Client::builder().body_bytes(u64::MAX).build();
        let before = resident();
        let mut response = client.get(&url).await.unwrap();
        assert_eq!(response.headers()[header::CONTENT_LENGTH], "1153433600");
        let (mut bytes, mut most) = (0, 0);
        while let Some(chunk) = response.chunk().await.unwrap() {
            bytes += chunk.len();
            if bytes / CHUNK > (bytes - chunk.len()) / CHUNK {
                most = most.max(resident());
            }
        }
        assert_eq!(bytes, CHUNK * CHUNKS);
        println!("{bytes} bytes, and {} KiB of memory more at most", most.saturating_sub(before));
        assert!(most < before + 64 * 1024, "{before} KiB before, and {most} KiB at most");
        assert_eq!((client.pool_stats().idle, client.pool_stats().in_use), (1, 0), "the connection is kept");
    });
}

/// KiB of memory that this process has; nothing where the system does not tell.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok()).unwrap_or_default()
}

#[test]
fn a_full_disk_is_an_error_that_says_so_and_leaves_nothing() {
    if !Path::new("/dev/full").exists() {
        return println!("skipped: there is no /dev/full");
    }
    if !alone("large::a_full_disk_is_an_error_that_says_so_and_leaves_nothing") {
        return;
    }
    runtime::block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        symlink("/dev/full", folder.path().join("file.part")).unwrap();
        let url = serve(async |_| Response::new(vec![b'x'; 300_000].into()));
        let client = Client::new();
        client.get(&url).await.unwrap().bytes().await.unwrap();
        let before = descriptors();
        for _ in 0..3 {
            let error = client.get(&url).await.unwrap().save(&path).await.unwrap_err();
            let Error::Save { cause, path: told, .. } = &error else { panic!("{error}") };
            assert_eq!((cause.kind(), told), (io::ErrorKind::StorageFull, &path), "{error}");
            assert!(error.to_string().contains("No space left on device"), "{error}");
            assert!(!path.exists(), "what is not whole does not have the name");
            assert_eq!((client.pool_stats().in_use, client.pool_stats().waiting), (0, 0));
        }
        // The one that was not read to its end is closed, and the server needs a moment to see that.
        client.get(&url).await.unwrap().bytes().await.unwrap();
        while descriptors() > before {
            runtime::yield_now().await;
        }
    });
}
