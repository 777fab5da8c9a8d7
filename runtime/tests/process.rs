//! Child processes: what `runtime/tests/io.rs` does not show of them, and signals as streams.

use futures_lite::AsyncWriteExt;
use runtime::{Runtime, future::join, process::Command, signal, stream::StreamExt, time::timeout, yield_now};
use std::{
    os::unix::process::ExitStatusExt,
    process::Stdio,
    task::{Context, Waker},
    time::Duration,
};

fn sh(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

#[test]
fn status_waits_and_tells_how_it_ended() {
    runtime::block_on(async {
        assert!(sh("exit 0").status().await.unwrap().success());
        assert_eq!(sh("exit 3").status().await.unwrap().code(), Some(3));
        assert_eq!(sh("kill -9 $$").status().await.unwrap().signal(), Some(9));
        let error = Command::new("no such program").status().await.unwrap_err();
        assert_eq!(error.to_string(), "cannot start no such program: No such file or directory (os error 2)");
    });
}

/// Both pipes are read at once, and the input is closed: otherwise the one or the other would wait for ever.
#[test]
fn wait_with_output_reads_both_pipes_and_closes_the_input() {
    runtime::block_on(async {
        let script = "head -c 300000 /dev/zero >&2; cat; head -c 300000 /dev/zero; exit 5";
        let mut child = sh(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.as_mut().unwrap().write_all(b"hello").await.unwrap();
        let output = child.wait_with_output().await.unwrap();
        assert_eq!((output.stdout.len(), output.stderr.len(), output.status.code()), (300_005, 300_000, Some(5)));
        assert!(output.stdout.starts_with(b"hello"));
        // What is no pipe gives nothing.
        let output = sh("true").stdout(Stdio::null()).spawn().unwrap().wait_with_output().await.unwrap();
        assert!(output.status.success() && output.stdout.is_empty());
    });
}

#[test]
fn to_give_up_waiting_for_output_kills_the_child_if_that_was_asked_for() {
    runtime::block_on(async {
        let mut command = sh("sleep 1000");
        let child = command.stdout(Stdio::piped()).kill_on_drop(true).process_group(true).spawn().unwrap();
        let pid = child.id();
        let mut waiting = Box::pin(child.wait_with_output());
        assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(waiting);
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "it is gone, and no zombie");
    });
}

#[test]
fn a_child_that_is_gone_can_be_killed_and_waited_for_again() {
    runtime::block_on(async {
        let mut child = sh("exit 1").spawn().unwrap();
        assert_eq!(child.wait().await.unwrap().code(), Some(1));
        child.kill().unwrap();
        assert_eq!(child.wait().await.unwrap().code(), Some(1));
        let mut child = sh("exec sleep 1000").spawn().unwrap();
        let (waited, killed) =
            join(async { timeout(Duration::from_millis(1), child.wait()).await.is_err() }, async {}).await;
        assert_eq!((waited, killed), (true, ()));
        child.kill().unwrap();
        child.kill().unwrap();
        assert_eq!(child.wait().await.unwrap().signal(), Some(9));
    });
}

/// Time does not jump over a child: a virtual clock waits for it where nothing else is to come.
#[test]
fn a_virtual_clock_waits_for_a_child() {
    Runtime::builder().virtual_clock().build().unwrap().block_on(async {
        assert!(sh("sleep 0.05").status().await.unwrap().success());
    });
}

#[test]
fn a_signal_is_a_stream_that_goes_on() {
    runtime::block_on(async {
        let mut hang_up = signal::hang_up().unwrap();
        let kill = format!("kill -HUP {}", std::process::id());
        for _ in 0..3 {
            assert!(sh(&kill).status().await.unwrap().success());
            hang_up.next().await.unwrap().unwrap();
            // That was all there is.
            assert!(timeout(Duration::from_millis(1), hang_up.next()).await.is_err());
        }
        // One that came while nobody was waiting is kept.
        assert!(sh(&kill).status().await.unwrap().success());
        yield_now().await;
        let mut kept = hang_up.take(1);
        assert!(kept.next().await.unwrap().is_ok());
        assert!(kept.next().await.is_none());
    });
}
