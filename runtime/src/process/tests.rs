//! The way of waiting for children that the system under the tests does not take.

use super::{by_signal::Ended, pid_of};
use crate::{future::join, runtime::block_on};
use std::process::{Command, Stdio};

#[test]
fn two_children_are_told_apart_by_signals() {
    block_on(async {
        let mut first = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let mut second = Command::new("sh").args(["-c", "exit 3"]).spawn().unwrap();
        let (first_ended, second_ended) =
            (Ended::of(pid_of(first.id())).unwrap(), Ended::of(pid_of(second.id())).unwrap());
        let input = first.stdin.take();
        let (first, second) = join(first_ended.wait(|| first.try_wait()), async {
            let status = second_ended.wait(|| second.try_wait()).await;
            drop(input);
            status
        })
        .await;
        assert!(first.unwrap().success());
        assert_eq!(second.unwrap().code(), Some(3));
    });
}
