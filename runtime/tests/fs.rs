//! Files: what they hold, what goes wrong, and what is left behind.

#[path = "sync/support.rs"]
#[allow(dead_code, reason = "the tests of the primitives share more than these need")]
mod support;

use futures_lite::{AsyncBufReadExt, AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use runtime::{
    Runtime,
    fs::{self, File, OpenOptions, TempDir, TempFile},
    future::join_all,
    stream::StreamExt,
    yield_now,
};
use std::{
    io::{ErrorKind, SeekFrom},
    path::{Path, PathBuf},
    pin::pin,
    time::Duration,
};
use support::{at_every_poll, by_hand, cut_after, poll};

/// The same on the real, the virtual and a simulated clock, each in a folder of its own.
fn everywhere(test: impl AsyncFn(&Path)) {
    let virtual_clock = Runtime::builder().virtual_clock().build().unwrap();
    for runtime in [Runtime::new().unwrap(), virtual_clock, Runtime::simulated(7)] {
        runtime.block_on(async {
            let folder = TempDir::new().await.unwrap();
            test(folder.path()).await;
            folder.close().await.unwrap();
        });
    }
}

async fn read_write(path: impl AsRef<Path>) -> File {
    File::open_with(path, OpenOptions::new().read(true).write(true).create(true)).await.unwrap()
}

/// Inventory C21 to C25.
#[test]
fn what_was_written_is_read_again() {
    everywhere(async |folder| {
        let path = folder.join("text");
        fs::write(&path, "Grüße\n").await.unwrap();
        assert_eq!(fs::read_to_string(&path).await.unwrap(), "Grüße\n");
        fs::append(&path, "more").await.unwrap();
        assert_eq!(fs::read(&path).await.unwrap(), "Grüße\nmore".as_bytes());
        assert_eq!(fs::metadata(&path).await.unwrap().len(), 12);
        let copy = folder.join("copy");
        assert_eq!(fs::copy(&path, &copy).await.unwrap(), 12);
        fs::rename(&copy, &path).await.unwrap();
        assert!(!fs::try_exists(&copy).await.unwrap() && fs::try_exists(&path).await.unwrap());
        fs::remove_file(&path).await.unwrap();

        let paths: Vec<PathBuf> = (1..=3).map(|n| folder.join(format!("file {n}"))).collect();
        let both = join_all(paths.iter().map(async |path| {
            fs::write(path, format!("I am {}", path.display())).await.unwrap();
            fs::read_to_string(path).await.unwrap()
        }));
        for (path, text) in paths.iter().zip(both.await) {
            assert_eq!(text, format!("I am {}", path.display()));
        }
    });
}

#[test]
fn an_error_says_what_to_which_file_and_why_and_keeps_its_kind() {
    runtime::block_on(async {
        let folder = TempDir::new().await.unwrap();
        let missing = folder.path().join("missing");
        let within = folder.path().display();
        let none = "No such file or directory (os error 2)";
        let is_folder = "Is a directory (os error 21)";
        let text = folder.path().join("text");
        fs::write(&text, b"ab\xffc").await.unwrap();
        for (error, kind, says) in [
            (
                fs::read(&missing).await.unwrap_err(),
                ErrorKind::NotFound,
                format!("cannot read {within}/missing: {none}"),
            ),
            (
                File::open(&missing).await.unwrap_err(),
                ErrorKind::NotFound,
                format!("cannot open {within}/missing for reading: {none}"),
            ),
            (
                File::append(missing.join("deep")).await.unwrap_err(),
                ErrorKind::NotFound,
                format!("cannot open {within}/missing/deep for appending: {none}"),
            ),
            (
                File::create(folder.path()).await.unwrap_err(),
                ErrorKind::IsADirectory,
                format!("cannot create {within}: {is_folder}"),
            ),
            (
                fs::read_to_string(folder.path()).await.unwrap_err(),
                ErrorKind::IsADirectory,
                format!("cannot read {within}: {is_folder}"),
            ),
            (
                fs::read_to_string(&text).await.unwrap_err(),
                ErrorKind::InvalidData,
                format!("cannot read {within}/text: it is not text: invalid utf-8 sequence of 1 bytes from index 2"),
            ),
            (
                fs::rename(&missing, folder.path().join("x")).await.unwrap_err(),
                ErrorKind::NotFound,
                format!("cannot rename {within}/missing to {within}/x: {none}"),
            ),
            (
                fs::read_dir(&text).await.unwrap_err(),
                ErrorKind::NotADirectory,
                format!("cannot read the folder {within}/text: Not a directory (os error 20)"),
            ),
            (
                File::open(folder.path()).await.unwrap().read(&mut [0; 8]).await.unwrap_err(),
                ErrorKind::IsADirectory,
                format!("cannot read {within}: {is_folder}"),
            ),
        ] {
            assert_eq!((error.kind(), error.to_string()), (kind, says));
        }
    });
}

#[test]
fn outside_a_runtime_there_is_an_error() {
    let error = by_hand(fs::read("file")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot read file: not inside a runtime, whose blocking threads would have to do this"
    );
    let mut file = runtime::block_on(File::open("/dev/zero")).unwrap();
    assert!(by_hand(file.read(&mut [0; 8])).unwrap_err().to_string().starts_with("cannot read /dev/zero: not inside"));
    // It is not lost: in a runtime it can still be read.
    assert_eq!(runtime::block_on(file.read(&mut [1; 8])).unwrap(), 8);
}

#[test]
fn a_full_disk_is_told_by_the_next_write_flush_or_close() {
    runtime::block_on(async {
        let full = async || File::open_with("/dev/full", OpenOptions::new().write(true)).await.unwrap();
        let says = "cannot write /dev/full: No space left on device (os error 28)";

        let mut file = full().await;
        assert_eq!(file.write(b"taken along").await.unwrap(), 11, "nobody knows yet");
        let error = file.write(b"more").await.unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::StorageFull, says));
        assert_eq!(file.write(b"again").await.unwrap(), 5, "it was said once");
        assert_eq!(file.flush().await.unwrap_err().to_string(), says);
        file.flush().await.unwrap();

        let mut file = full().await;
        file.write_all(b"x").await.unwrap();
        assert_eq!(file.close().await.unwrap_err().to_string(), says);

        let mut file = full().await;
        file.write_all(b"x").await.unwrap();
        assert_eq!(file.sync_all().await.unwrap_err().to_string(), says);
        assert_eq!(fs::write("/dev/full", "x").await.unwrap_err().to_string(), says);
    });
}

#[test]
fn reading_writing_and_seeking_share_one_position() {
    everywhere(async |folder| {
        let path = folder.join("file");
        let mut file = read_write(&path).await;
        file.write_all(b"0123456789").await.unwrap();
        assert_eq!(file.seek(SeekFrom::Start(2)).await.unwrap(), 2);
        let mut two = [0; 2];
        file.read_exact(&mut two).await.unwrap();
        assert_eq!(&two, b"23");
        // All was read ahead; the write comes where the reader is, nevertheless.
        file.write_all(b"ab").await.unwrap();
        file.read_exact(&mut two).await.unwrap();
        assert_eq!(&two, b"67");
        assert_eq!(file.seek(SeekFrom::Current(-2)).await.unwrap(), 6);
        assert_eq!(file.seek(SeekFrom::Current(1)).await.unwrap(), 7);
        file.read_exact(&mut two).await.unwrap();
        assert_eq!(&two, b"78");
        // What was read ahead is cut off.
        file.set_len(9).await.unwrap();
        assert_eq!(file.read(&mut two).await.unwrap(), 0);
        assert_eq!(file.metadata().await.unwrap().len(), 9);
        assert_eq!(file.seek(SeekFrom::End(-3)).await.unwrap(), 6);
        let error = file.seek(SeekFrom::Current(-100)).await.unwrap_err();
        assert_eq!(error.to_string(), format!("cannot seek in {}: Invalid argument (os error 22)", path.display()));
        assert_eq!(fs::read(&path).await.unwrap(), b"0123ab678");
    });
}

#[test]
fn a_file_may_be_larger_than_any_buffer() {
    everywhere(async |folder| {
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
        let path = folder.join("large");
        let mut file = File::create(&path).await.unwrap();
        file.write_all(&bytes).await.unwrap();
        file.close().await.unwrap();
        let mut again = Vec::new();
        File::open(&path).await.unwrap().read_to_end(&mut again).await.unwrap();
        assert!(again == bytes);
    });
}

#[test]
fn giving_up_a_read_at_any_poll_loses_no_byte() {
    let path = std::env::temp_dir().join(format!("runtime-fs-{}", std::process::id()));
    std::fs::write(&path, (0..100_000_u32).map(|n| (n % 251) as u8).collect::<Vec<_>>()).unwrap();
    let expected = std::fs::read(&path).unwrap();
    at_every_poll(|polls| {
        Runtime::simulated(1).block_on(async {
            let mut file = File::open(&path).await.unwrap();
            let mut bytes = Vec::new();
            let cut = cut_after(polls, async {
                let mut buffer = [0; 30_000];
                loop {
                    match file.read(&mut buffer).await.unwrap() {
                        0 => break,
                        length => bytes.extend_from_slice(&buffer[..length]),
                    }
                }
            });
            let cut = cut.await.is_none();
            file.read_to_end(&mut bytes).await.unwrap();
            assert!(bytes == expected, "cut after {polls} polls");
            cut
        })
    });
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn a_seek_that_was_given_up_is_not_taken_for_the_next() {
    // Simulated, each operation takes its time.
    Runtime::simulated(1).block_on(async {
        let mut temporary = TempFile::new().await.unwrap();
        let file = temporary.file();
        file.write_all(b"0123456789").await.unwrap();
        file.seek(SeekFrom::Start(0)).await.unwrap();
        assert!(poll(pin!(file.seek(SeekFrom::Start(9)))).is_pending());
        assert_eq!(file.seek(SeekFrom::Start(3)).await.unwrap(), 3);
        let mut rest = String::new();
        file.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "3456789");
    });
}

/// Inventory S19: a job that has begun cannot be stopped. So what a write took is written.
#[test]
fn a_file_that_is_dropped_in_mid_write_writes_on() {
    let runtime = Runtime::new().unwrap();
    let path = std::env::temp_dir().join(format!("runtime-fs-dropped-{}", std::process::id()));
    runtime.block_on(async {
        let mut file = File::create(&path).await.unwrap();
        file.write_all(&[7; 1 << 20]).await.unwrap();
        drop(file);
        let written = async |length: u64| {
            while fs::metadata(&path).await.unwrap().len() < length {
                yield_now().await;
            }
        };
        written(1 << 20).await;
        // The future of a function waits for what is done, and does not do it.
        let _ = poll(pin!(fs::append(&path, "!")));
        written((1 << 20) + 1).await;
    });
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn a_file_whose_runtime_ended_can_be_used_in_another_or_says_that_it_is_lost() {
    let one = Runtime::builder().blocking_threads(1).build().unwrap();
    let (mut idle, mut busy) = one.block_on(async {
        let (idle, mut busy) = (File::open("/dev/zero").await.unwrap(), File::open("/dev/zero").await.unwrap());
        let (stuck, release) = std::sync::mpsc::channel::<()>();
        drop(runtime::spawn_blocking(move || release.recv()));
        assert!(poll(pin!(busy.read(&mut [0; 8]))).is_pending());
        drop(runtime::spawn(async move {
            // Dropped with the runtime: only then is the one thread free.
            let _stuck = stuck;
            std::future::pending::<()>().await;
        }));
        yield_now().await;
        (idle, busy)
    });
    drop(one);
    runtime::block_on(async {
        assert_eq!(idle.read(&mut [1; 8]).await.unwrap(), 8);
        match busy.read(&mut [1; 8]).await {
            Ok(length) => assert_eq!(length, 8, "its job had begun in time"),
            Err(error) => {
                assert!(error.to_string().starts_with("cannot read /dev/zero: a blocking thread did not"), "{error}")
            }
        }
    });
}

/// Inventory C23 and C44.
#[test]
fn chunks_together_are_the_file() {
    everywhere(async |folder| {
        let path = folder.join("file");
        for (length, size, sizes) in [
            (10_000, 1_000, vec![1_000; 10]),
            (10_000, 4_096, vec![4_096, 4_096, 1_808]),
            (40_000, 39_999, vec![39_999, 1]),
            (0, 1_000, vec![]),
        ] {
            let bytes: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            fs::write(&path, bytes.clone()).await.unwrap();
            let chunks: Vec<_> = File::open(&path).await.unwrap().chunks(size).try_collect().await.unwrap();
            assert_eq!(chunks.iter().map(Vec::len).collect::<Vec<_>>(), sizes);
            assert!(chunks.concat() == bytes);
        }
        let mut none = File::open(folder).await.unwrap().chunks(8);
        assert_eq!(none.next().await.unwrap().unwrap_err().kind(), ErrorKind::IsADirectory);
        assert!(none.next().await.is_none(), "an error ends it");
    });
}

/// Does this process have `path` open?
fn is_open(path: &Path) -> bool {
    let open = std::fs::read_dir("/proc/self/fd").unwrap();
    open.flatten().any(|fd| std::fs::read_link(fd.path()).is_ok_and(|target| target == path))
}

#[test]
fn a_stream_of_chunks_that_is_dropped_early_closes_its_file() {
    runtime::block_on(async {
        let folder = TempDir::new().await.unwrap();
        let path = fs::canonicalize(folder.path()).await.unwrap().join("file");
        fs::write(&path, [0; 100]).await.unwrap();
        let mut chunks = File::open(&path).await.unwrap().chunks(10);
        chunks.next().await.unwrap().unwrap();
        assert!(is_open(&path));
        drop(chunks);
        assert!(!is_open(&path));
    });
}

/// Inventory C45.
#[test]
fn lines_keep_the_last_and_name_the_one_that_is_no_text() {
    everywhere(async |folder| {
        let path = folder.join("lines");
        fs::write(&path, b"Line 1\nLine 2\r\n\nL\xffne 4\nLine 5".as_slice()).await.unwrap();
        let mut lines = File::open(&path).await.unwrap().lines();
        assert_eq!(lines.next().await.unwrap().unwrap(), "Line 1");
        assert_eq!(lines.next().await.unwrap().unwrap(), "Line 2");
        assert_eq!(lines.next().await.unwrap().unwrap(), "");
        let error = lines.next().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        let says = "is not text: invalid utf-8 sequence of 1 bytes from index 1";
        assert_eq!(error.to_string(), format!("line 4 of {} {says}", path.display()));
        assert_eq!(lines.next().await.unwrap().unwrap(), "Line 5");
        assert!(lines.next().await.is_none());
        // Longer than what is read at once.
        let long = "x".repeat(100_000);
        fs::write(&path, format!("{long}\n{long}")).await.unwrap();
        let lines: Vec<_> = File::open(&path).await.unwrap().lines().try_collect().await.unwrap();
        assert!(lines == [long.as_str(), &long]);
        // The traits of others fit, too.
        assert_eq!(AsyncBufReadExt::lines(File::open(&path).await.unwrap()).count().await, 2);
        assert_eq!(File::open("/dev/null").await.unwrap().lines().count().await, 0);
    });
}

#[test]
fn a_folder_of_many_is_read_to_its_end() {
    everywhere(async |folder| {
        fs::create_dir_all(folder.join("deep/deeper")).await.unwrap();
        for n in 0..200 {
            std::fs::write(folder.join(format!("{n:03}")), "x").unwrap();
        }
        let mut entries = fs::read_dir(folder).await.unwrap();
        let (mut names, mut folders) = (Vec::new(), 0);
        while let Some(entry) = entries.next().await {
            let entry = entry.unwrap();
            match entry.file_type().is_dir() {
                true => folders += 1,
                false => {
                    assert_eq!(entry.metadata().await.unwrap().len(), 1);
                    names.push(entry.file_name().into_string().unwrap());
                }
            }
        }
        names.sort();
        assert!(names.iter().map(|name| name.parse::<u32>().unwrap()).eq(0..200));
        assert_eq!(folders, 1);
        assert_eq!(fs::remove_dir(folder.join("deep")).await.unwrap_err().kind(), ErrorKind::DirectoryNotEmpty);
        fs::remove_dir_all(folder.join("deep")).await.unwrap();
    });
}

/// Inventory C25: the system's folder for temporary things, made visible: all are made in one of our own.
#[test]
fn temporary_things_are_gone_however_their_task_ends() {
    let outer = std::env::temp_dir().join(format!("runtime-fs-outer-{}", std::process::id()));
    std::fs::create_dir(&outer).unwrap();
    let left = || std::fs::read_dir(&outer).unwrap().count();
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let work = async |outer: PathBuf| {
            let folder = TempDir::new_in(&outer).await.unwrap();
            let mut file = TempFile::new_in(&outer).await.unwrap();
            fs::write(folder.path().join("file"), "x").await.unwrap();
            file.file().write_all(b"x").await.unwrap();
            assert!(left() >= 2);
            (folder, file)
        };
        // It returns early, with an error; it panics; it is aborted.
        let fails = async {
            let _both = work(outer.clone()).await;
            Err::<(), _>("oh no")
        };
        assert!(fails.await.is_err());
        assert_eq!(left(), 0);
        let path = outer.clone();
        let panics = runtime::spawn(async move {
            let _folder = TempDir::new_in(path).await.unwrap();
            panic!("oh no")
        });
        assert!(panics.await.unwrap_err().is_panic());
        assert_eq!(left(), 0);
        let path = outer.clone();
        let aborted = runtime::spawn(async move {
            let _folder = TempDir::new_in(path).await.unwrap();
            std::future::pending::<()>().await;
        });
        while left() == 0 {
            yield_now().await;
        }
        aborted.abort();
        assert!(aborted.await.is_err());
        assert_eq!(left(), 0);

        let (folder, file) = work(outer.clone()).await;
        folder.close().await.unwrap();
        file.close().await.unwrap();
        assert_eq!(left(), 0);
    });
    // Given up before they were there: whenever they come, they go.
    at_every_poll(|polls| {
        let runtime = Runtime::new().unwrap();
        let cut = runtime.block_on(async { cut_after(polls, TempDir::new_in(&outer)).await.is_none() });
        drop(runtime.shutdown(Duration::from_secs(10)));
        assert_eq!(left(), 0, "cut after {polls} polls");
        cut
    });
    std::fs::remove_dir(&outer).unwrap();
}

/// Two that draw the same names do not get the same file.
#[test]
fn a_temporary_name_is_never_given_twice() {
    let make = || Runtime::simulated(3).block_on(async { TempDir::new().await.unwrap() });
    let (one, other) = (make(), make());
    assert_ne!(one.path(), other.path());
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(one.path()).unwrap().permissions().mode() & 0o777, 0o700, "nobody else may enter");
}
