//! Stage 13: several futures in one task. All of them, the first of them, and many of which only those that woke are polled.
//!
//! Nothing here knows the runtime: whoever polls the task polls them.

// ANCHOR: imports
use std::{
    future::{Future, poll_fn},
    hash::{BuildHasher, Hasher, RandomState},
    pin::{Pin, pin},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};
// ANCHOR_END: imports

// ANCHOR: join
/// The outputs of both, in their places, when both are over.
pub async fn join<A: Future, B: Future>(a: A, b: B) -> (A::Output, B::Output) {
    let (mut a, mut b) = (pin!(a), pin!(b));
    let (mut of_a, mut of_b) = (None, None);
    poll_fn(|context| {
        // One that is over must not be polled again.
        if of_a.is_none()
            && let Poll::Ready(output) = a.as_mut().poll(context)
        {
            of_a = Some(output);
        }
        if of_b.is_none()
            && let Poll::Ready(output) = b.as_mut().poll(context)
        {
            of_b = Some(output);
        }
        if of_a.is_some() && of_b.is_some() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    of_a.zip(of_b).expect("both are over")
}
// ANCHOR_END: join

// ANCHOR: race
/// The output of whichever is over first; the other is dropped where it stands.
/// If both are over, either may win.
pub async fn race<T>(a: impl Future<Output = T>, b: impl Future<Output = T>) -> T {
    let (mut a, mut b) = (pin!(a), pin!(b));
    let b_is_asked_first = coin();
    poll_fn(|context| {
        if b_is_asked_first && let Poll::Ready(output) = b.as_mut().poll(context) {
            return Poll::Ready(output);
        }
        if let Poll::Ready(output) = a.as_mut().poll(context) {
            return Poll::Ready(output);
        }
        if b_is_asked_first { Poll::Pending } else { b.as_mut().poll(context) }
    })
    .await
}

/// The standard library has no random numbers, but each of its `HashMap`s has a secret of its own.
/// This is how it gets it.
fn coin() -> bool {
    RandomState::new().build_hasher().finish().is_multiple_of(2)
}
// ANCHOR_END: race

// ANCHOR: child
/// The waker of one child: it leaves a note who it was, then wakes the task that all of them are in.
struct Note {
    woken: AtomicBool,
    parent: Arc<Mutex<Option<Waker>>>,
}

impl Wake for Note {
    fn wake(self: Arc<Self>) {
        // The note first: whoever is woken must find it.
        self.woken.store(true, Ordering::Release);
        let parent = self.parent.lock().unwrap().take();
        parent.into_iter().for_each(Waker::wake);
    }
}

struct Child<F: Future> {
    future: Pin<Box<F>>,
    note: Arc<Note>,
    output: Option<F::Output>,
}
// ANCHOR_END: child

// ANCHOR: join_all
/// The outputs of all, in the order of the futures. A child is polled at first, and then only when it has woken.
pub async fn join_all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let parent = Arc::new(Mutex::new(None));
    // Nobody has asked yet, so all of them are to be.
    let note = || Arc::new(Note { woken: AtomicBool::new(true), parent: parent.clone() });
    let children = futures.into_iter().map(|future| Child { future: Box::pin(future), note: note(), output: None });
    let mut children: Vec<_> = children.collect();
    let mut left = children.len();
    poll_fn(|context| {
        // Before the notes are read: a wake is seen below, or finds this waker.
        let waker = context.waker().clone();
        let stale = parent.lock().unwrap().replace(waker);
        drop(stale);
        for child in &mut children {
            if child.output.is_some() || !child.note.woken.swap(false, Ordering::AcqRel) {
                continue;
            }
            let waker = Waker::from(child.note.clone());
            if let Poll::Ready(output) = child.future.as_mut().poll(&mut Context::from_waker(&waker)) {
                child.output = Some(output);
                left -= 1;
            }
        }
        if left == 0 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    children.into_iter().map(|child| child.output.expect("all are over")).collect()
}
// ANCHOR_END: join_all
