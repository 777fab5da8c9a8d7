//! The tree under loom: two threads and main.

use super::*;
use crate::std_or_loom::model;
use loom::thread;

/// A child that is made while its parent is cancelled is cancelled too: born so, or found.
/// Broken by: `child_token` looking at the mark before it has the lock, and not after.
#[test]
fn a_child_made_meanwhile_is_cancelled() {
    model("a_child_made_meanwhile", 3, || {
        let root = CancellationToken::new();
        let parent = root.child_token();
        let cancels = root.clone();
        let cancelling = thread::spawn(move || cancels.cancel());
        let child = parent.child_token();
        cancelling.join().unwrap();
        assert!(child.is_cancelled());
    });
}

/// A child that is dropped while its parent is cancelled finds its entry or does not, and leaves nothing behind.
/// Broken by: `leave_parent` taking for granted that the entry is there (`remove`).
#[test]
fn a_child_dropped_meanwhile_leaves_nothing() {
    model("a_child_dropped_meanwhile", 3, || {
        let root = CancellationToken::new();
        let (one, other) = (root.child_token(), root.child_token());
        let cancels = root.clone();
        let cancelling = thread::spawn(move || cancels.cancel());
        drop(one);
        cancelling.join().unwrap();
        assert!(other.is_cancelled());
        assert_eq!(root.children(), 0);
    });
}
