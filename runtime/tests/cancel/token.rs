//! Cancellation tokens. (That nothing is left behind in memory, the unit tests see.)

use crate::support::{Wakes, at_every_poll, by_hand, cut_after, poll, wakers_may_call_back};
use runtime::group::CancellationToken;
use std::{
    future::{Future, pending, ready},
    task::Context,
};

#[test]
fn a_child_goes_with_its_parent_and_never_the_other_way() {
    let root = CancellationToken::new();
    let (left, right) = (root.child_token(), root.child_token());
    let below = left.child_token();
    left.cancel();
    assert_eq!([&root, &left, &right, &below].map(|token| token.is_cancelled()), [false, true, false, true]);
    assert!(left.child_token().is_cancelled());
    root.cancel();
    assert!(right.is_cancelled());
}

#[test]
fn a_grandchild_hears_of_it_though_its_parent_is_dropped() {
    let root = CancellationToken::new();
    let below = root.child_token().child_token();
    root.cancel();
    assert!(below.is_cancelled());
}

#[test]
fn dropping_a_token_cancels_nothing() {
    let root = CancellationToken::new();
    let child = root.child_token();
    drop(root.clone());
    drop(root);
    assert!(!child.is_cancelled());
}

#[test]
fn everybody_is_marked_before_anybody_is_woken() {
    struct Looks(CancellationToken, CancellationToken);
    impl std::task::Wake for Looks {
        fn wake(self: std::sync::Arc<Self>) {
            assert!(self.0.is_cancelled() && self.1.is_cancelled());
        }
    }
    let root = CancellationToken::new();
    let (one, other) = (root.child_token(), root.child_token());
    let waker = std::task::Waker::from(std::sync::Arc::new(Looks(one.clone(), other.clone())));
    let mut waits = [&root, &one, &other].map(|token| Box::pin(token.cancelled()));
    for wait in &mut waits {
        assert!(wait.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    root.cancel();
    assert!(waits.iter_mut().all(|wait| poll(wait.as_mut()).is_ready()));
}

#[test]
fn each_who_waits_is_woken_once() {
    let token = CancellationToken::new();
    let (wakes, waker) = Wakes::waker();
    let mut waits: Vec<_> = (0..3).map(|_| Box::pin(token.cancelled())).collect();
    for wait in &mut waits {
        assert!(wait.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    drop(waits.pop());
    token.cancel();
    token.cancel();
    assert_eq!(wakes.count(), 2);
}

#[test]
fn a_waker_that_panics_keeps_nobody_from_being_woken() {
    struct Panics;
    impl std::task::Wake for Panics {
        fn wake(self: std::sync::Arc<Self>) {
            panic!("a bad waker");
        }
    }
    let root = CancellationToken::new();
    let child = root.child_token();
    let bad = std::task::Waker::from(std::sync::Arc::new(Panics));
    let mut first = Box::pin(root.cancelled());
    assert!(first.as_mut().poll(&mut Context::from_waker(&bad)).is_pending());
    let (wakes, waker) = Wakes::waker();
    let mut second = Box::pin(child.cancelled());
    assert!(second.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert!(std::panic::catch_unwind(|| root.cancel()).is_err());
    assert_eq!((wakes.count(), child.is_cancelled()), (1, true));
}

#[test]
fn wakers_may_call_back_into_it() {
    let token = std::cell::RefCell::new(CancellationToken::new());
    let root = token.borrow().clone();
    let back = root.clone();
    wakers_may_call_back(
        || {
            Box::pin({
                let token = root.clone();
                async move { token.cancelled().await }
            })
        },
        || root.cancel(),
        move || drop((back.child_token(), back.is_cancelled())),
    );
}

#[test]
fn what_is_ready_has_won_but_a_cancelled_token_lets_nothing_begin() {
    let token = CancellationToken::new();
    let cancels_itself = async {
        token.cancel();
        5
    };
    assert_eq!(by_hand(token.run_until_cancelled(cancels_itself)), Some(5));
    assert_eq!(by_hand(token.run_until_cancelled(async { unreachable!() })), None::<()>);
    assert_eq!(by_hand(CancellationToken::new().run_until_cancelled(ready(7))), Some(7));
}

#[test]
fn cut_at_any_poll_it_leaves_no_waiter() {
    at_every_poll(|polls| {
        let token = CancellationToken::new();
        let (wakes, waker) = Wakes::waker();
        let mut wait = Box::pin(cut_after(polls, token.run_until_cancelled(pending::<()>())));
        let cut = (0..3).any(|_| wait.as_mut().poll(&mut Context::from_waker(&waker)).is_ready());
        drop(wait);
        token.cancel();
        assert_eq!(wakes.count(), 0, "woken after it was gone");
        cut
    });
}

#[test]
fn the_guard_cancels_unless_it_is_disarmed() {
    let token = CancellationToken::new();
    drop(token.clone().drop_guard().disarm());
    assert!(!token.is_cancelled());
    let guarded = std::panic::catch_unwind({
        let token = token.clone();
        move || {
            let _guard = token.drop_guard();
            panic!("on the way out");
        }
    });
    assert!(guarded.is_err() && token.is_cancelled());
}

/// A walk that recursed would run out of stack.
#[test]
fn a_deep_tree_is_cancelled_and_dropped_without_recursion() {
    let depth = if cfg!(miri) { 100 } else { 200_000 };
    for cancelled in [true, false] {
        let root = CancellationToken::new();
        let mut chain = vec![root.child_token()];
        for _ in 0..depth {
            chain.push(chain.last().unwrap().child_token());
        }
        let last = chain.pop().unwrap();
        drop(chain);
        if cancelled {
            root.cancel();
        }
        assert_eq!(last.is_cancelled(), cancelled);
        drop(root);
        drop(last);
    }
}
