use super::*;

#[test]
fn a_dropped_child_leaves_nothing_behind() {
    let root = CancellationToken::new();
    for _ in 0..100 {
        let child = root.child_token();
        let below = child.child_token();
        drop(child);
        assert_eq!(root.children(), 1, "its child has it still");
        drop(below);
    }
    assert_eq!(root.children(), 0);
}

#[test]
fn a_cancelled_token_has_no_children() {
    let root = CancellationToken::new();
    let child = root.child_token();
    let weak = Arc::downgrade(&child.0);
    root.cancel();
    assert_eq!((root.children(), Arc::strong_count(&child.0)), (0, 1));
    drop(root.child_token());
    drop(child);
    assert!(weak.upgrade().is_none());
}

#[test]
fn nothing_keeps_a_tree_alive_but_its_tokens() {
    let root = CancellationToken::new();
    let node = Arc::downgrade(&root.0);
    let below = root.child_token().child_token();
    drop(root);
    assert!(node.upgrade().is_some(), "the way up");
    drop(below);
    assert!(node.upgrade().is_none());
}
