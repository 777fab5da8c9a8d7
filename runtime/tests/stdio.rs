//! The standard streams, in child processes whose streams are pipes.

use futures_lite::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use runtime::{
    Runtime,
    future::{Either, race},
    io,
    process::{Child, Command},
    stream::StreamExt,
    time::{sleep, timeout},
};
use std::{process::Stdio, time::Duration};

/// Marks a child of this test program: it does what the test looks at.
const CHILD: &str = "RUNTIME_TEST_CHILD";

fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// Starts `test` in a process of its own, with pipes.
fn child(test: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env(CHILD, "1").kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// What it says on its standard error output, when all of `input` was written and it has ended.
async fn said(mut child: Child, input: &[u8]) -> String {
    child.stdin.take().unwrap().write_all(input).await.unwrap();
    let output = child.wait_with_output().await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    said
}

#[test]
fn the_input_is_read_to_its_end_as_lines() {
    if is_child() {
        return runtime::block_on(async {
            let mut lines = io::lines(io::stdin().unwrap()).enumerate();
            while let Some((number, line)) = lines.next().await {
                eprintln!("{number}: {:?}", line.map_err(|error| error.to_string()));
            }
            // The end comes again.
            assert_eq!(io::stdin().unwrap().read(&mut [0; 8]).await.unwrap(), 0);
        });
    }
    let said = runtime::block_on(said(child("the_input_is_read_to_its_end_as_lines"), b"one\r\nt\xffo\nthree"));
    let not_text = "line 2 is not text: invalid utf-8 sequence of 1 bytes from index 1";
    assert_eq!(said, format!("0: Ok(\"one\")\n1: Err(\"{not_text}\")\n2: Ok(\"three\")\n"));
}

/// On each clock: time stands still only as long as something may come.
#[test]
fn what_is_read_ahead_is_there_for_the_next_reader() {
    if is_child() {
        for runtime in [Runtime::new().unwrap(), Runtime::builder().virtual_clock().build().unwrap()] {
            runtime.block_on(async {
                let mut line = String::new();
                io::stdin().unwrap().read_line(&mut line).await.unwrap();
                eprint!("{line}");
            });
        }
        return;
    }
    let said = runtime::block_on(said(child("what_is_read_ahead_is_there_for_the_next_reader"), b"one\ntwo\nthree\n"));
    assert_eq!(said, "one\ntwo\n");
}

#[test]
fn a_read_that_was_given_up_loses_nothing_and_holds_up_no_end() {
    if is_child() {
        runtime::block_on(async {
            let mut input = io::stdin().unwrap();
            assert!(timeout(Duration::from_millis(1), input.read(&mut [0; 8])).await.is_err());
            eprintln!("given up");
        });
        // That runtime has ended, though the thread still reads.
        eprintln!("ended");
        return runtime::block_on(async {
            let mut line = String::new();
            io::stdin().unwrap().read_to_string(&mut line).await.unwrap();
            eprintln!("read {line:?}");
        });
    }
    runtime::block_on(async {
        let mut child = child("a_read_that_was_given_up_loses_nothing_and_holds_up_no_end");
        let mut said = io::lines(futures_lite::io::BufReader::new(child.stderr.take().unwrap()));
        // Nothing is written before it has come so far.
        assert_eq!(said.next().await.unwrap().unwrap(), "given up");
        assert_eq!(said.next().await.unwrap().unwrap(), "ended");
        let mut input = child.stdin.take().unwrap();
        input.write_all(b"late").await.unwrap();
        drop(input);
        assert_eq!(said.next().await.unwrap().unwrap(), r#"read "late""#);
        assert!(child.wait().await.unwrap().success());
    });
}

/// A process may end while its thread waits for input that never comes.
#[test]
fn an_open_input_does_not_keep_the_process() {
    if is_child() {
        return runtime::block_on(async {
            let mut input = io::stdin().unwrap();
            let first = race(input.read(&mut [0; 8]), sleep(Duration::from_millis(1))).await;
            assert!(matches!(first, Either::Right(())));
        });
    }
    runtime::block_on(async {
        let mut child = child("an_open_input_does_not_keep_the_process");
        let _open = child.stdin.take().unwrap();
        let status = timeout(Duration::from_secs(60), child.wait()).await;
        assert!(status.expect("it does not end").unwrap().success());
    });
}

#[test]
fn the_outputs_get_all_that_is_written() {
    if is_child() {
        return runtime::block_on(async {
            let (mut out, mut err) = (io::stdout(), io::stderr());
            for number in 0..20_000 {
                out.write_all(format!("out {number}\n").as_bytes()).await.unwrap();
                if number % 100 == 0 {
                    err.write_all(format!("err {number}\n").as_bytes()).await.unwrap();
                    out.flush().await.unwrap();
                    println!("println {number}");
                }
            }
            out.close().await.unwrap();
            err.close().await.unwrap();
        });
    }
    let output = runtime::block_on(async {
        let child = child("the_outputs_get_all_that_is_written");
        child.wait_with_output().await.unwrap()
    });
    assert!(output.status.success());
    let lines = String::from_utf8(output.stdout).unwrap();
    // The harness says something before and after.
    let ours: Vec<_> = lines.lines().filter(|line| line.starts_with("out ") || line.starts_with("println ")).collect();
    let expected = (0..20_000).flat_map(|number| {
        let own = std::iter::once(format!("out {number}"));
        own.chain((number % 100 == 0).then(|| format!("println {number}")))
    });
    assert!(ours.iter().copied().eq(expected), "all, and in order with `println!`");
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.lines().eq((0..200).map(|hundred| format!("err {}", hundred * 100))));
}

#[test]
fn a_reader_that_has_gone_is_an_error() {
    if is_child() {
        return runtime::block_on(async {
            eprintln!("the harness has printed its first line");
            let mut input = String::new();
            io::stdin().unwrap().read_to_string(&mut input).await.unwrap();
            let mut out = io::stdout();
            out.write_all(b"to nobody\n").await.unwrap();
            eprintln!("{:?}", out.flush().await.unwrap_err().kind());
            // The harness itself would fail to print.
            std::process::exit(0);
        });
    }
    runtime::block_on(async {
        let mut child = child("a_reader_that_has_gone_is_an_error");
        let mut said = io::lines(futures_lite::io::BufReader::new(child.stderr.take().unwrap()));
        said.next().await.unwrap().unwrap();
        drop(child.stdout.take());
        drop(child.stdin.take());
        assert_eq!(said.next().await.unwrap().unwrap(), "BrokenPipe");
        assert!(child.wait().await.unwrap().success());
    });
}

#[test]
fn a_simulated_runtime_has_no_input_and_says_so() {
    let error = Runtime::simulated(1).block_on(async {
        let mut input = io::stdin().unwrap();
        input.read(&mut [0; 8]).await.unwrap_err()
    });
    assert!(
        error.to_string().starts_with("cannot read the standard input: a simulated runtime has no desc"),
        "{error}"
    );
}
