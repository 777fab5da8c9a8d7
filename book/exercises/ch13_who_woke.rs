//! Chapter 13: many futures in one task, of which only those that woke are polled.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

mod starter {
    use super::*;

    // ANCHOR: starter
    pub(crate) async fn join_all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
        let mut children: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
        poll_fn(|context| {
            // TODO: give each child a waker of its own, and poll only those that have woken.
            for (future, output) in children.iter_mut().filter(|(_, output)| output.is_none()) {
                if let Poll::Ready(value) = future.as_mut().poll(context) {
                    *output = Some(value);
                }
            }
            if children.iter().all(|(_, output)| output.is_some()) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        children.into_iter().filter_map(|(_, output)| output).collect()
    }
    // ANCHOR_END: starter

    pub(crate) fn boxed(futures: Vec<super::Told>) -> Pin<Box<dyn Future<Output = Vec<usize>>>> {
        Box::pin(join_all(futures))
    }
}

mod solution {
    use super::*;

    // ANCHOR: solution
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

    pub(crate) async fn join_all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
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
        children.into_iter().filter_map(|child| child.output).collect()
    }
    // ANCHOR_END: solution

    pub(crate) fn boxed(futures: Vec<super::Told>) -> Pin<Box<dyn Future<Output = Vec<usize>>>> {
        Box::pin(join_all(futures))
    }
}

/// Ready when it was told. It counts its polls, and keeps the waker of the last one.
#[derive(Clone, Default)]
pub(crate) struct Told(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    number: usize,
    told: bool,
    polls: usize,
    waker: Option<Waker>,
}

impl Told {
    fn tell(&self) {
        let waker = {
            let mut state = self.0.lock().unwrap();
            state.told = true;
            state.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }
}

impl Future for Told {
    type Output = usize;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<usize> {
        let mut state = self.0.lock().unwrap();
        state.polls += 1;
        if state.told {
            return Poll::Ready(state.number);
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

/// A task that only counts its wakes.
#[derive(Default)]
struct Task(AtomicUsize);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

type Join = fn(Vec<Told>) -> Pin<Box<dyn Future<Output = Vec<usize>>>>;

/// Ten children, told one by one from the last to the first; after each, the task has been woken and polls once.
fn check(join: Join) {
    const CHILDREN: usize = 10;
    let children: Vec<_> = (0..CHILDREN).map(|_| Told::default()).collect();
    for (number, child) in children.iter().enumerate() {
        child.0.lock().unwrap().number = number;
    }
    let mut all = pin!(join(children.clone()));
    let task = Arc::new(Task::default());
    let waker = Waker::from(task.clone());
    let mut context = Context::from_waker(&waker);
    // The first poll is by another task, which will never ask again.
    assert!(all.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert!(all.as_mut().poll(&mut context).is_pending());
    for child in children.iter().rev() {
        let before = task.0.load(Ordering::SeqCst);
        child.tell();
        assert_eq!(task.0.load(Ordering::SeqCst), before + 1, "a child woke, and the task must be woken once");
        if let Poll::Ready(outputs) = all.as_mut().poll(&mut context) {
            assert_eq!(outputs, (0..CHILDREN).collect::<Vec<_>>(), "outputs stand in the order of the futures");
            let polls: usize = children.iter().map(|child| child.0.lock().unwrap().polls).sum();
            assert!(polls <= 2 * CHILDREN, "{CHILDREN} children need two polls each; these were polled {polls} times");
            return;
        }
    }
    panic!("all children are over, and the join is not");
}

crate::judge! { check(boxed), the starter fails with "two polls each" }
