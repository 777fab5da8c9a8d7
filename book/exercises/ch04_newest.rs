//! Chapter 4: a future that leaves a waker with the one who will call it.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, atomic::AtomicU32, atomic::Ordering},
    task::{Context, Poll, Wake, Waker},
};

/// Between a future and the one who rings. `ring` is called from another thread.
pub(crate) trait Rings: Default + Clone {
    type Rung: Future<Output = ()> + Send + Unpin + 'static;

    fn rung(&self) -> Self::Rung;
    fn ring(&self);
}

// ANCHOR: shared
#[derive(Default)]
pub(crate) struct State {
    rung: bool,
    waker: Option<Waker>,
}
// ANCHOR_END: shared

mod starter {
    use super::*;

    // ANCHOR: starter
    #[derive(Clone, Default)]
    pub(crate) struct Bell(Arc<Mutex<State>>);

    impl Rings for Bell {
        type Rung = Bell;

        fn rung(&self) -> Bell {
            self.clone()
        }

        fn ring(&self) {
            self.0.lock().unwrap().rung = true;
            // TODO: somebody may be waiting.
        }
    }

    impl Future for Bell {
        type Output = ();

        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            let state = self.0.lock().unwrap();
            if state.rung {
                return Poll::Ready(());
            }
            // TODO: leave the waker: the newest, and no clone of one that is there already.
            let _ = cx;
            Poll::Pending
        }
    }
    // ANCHOR_END: starter

    pub(crate) fn bell() -> Bell {
        Bell::default()
    }
}

mod solution {
    use super::*;

    // ANCHOR: solution
    #[derive(Clone, Default)]
    pub(crate) struct Bell(Arc<Mutex<State>>);

    impl Rings for Bell {
        type Rung = Bell;

        fn rung(&self) -> Bell {
            self.clone()
        }

        fn ring(&self) {
            let waker = {
                let mut state = self.0.lock().unwrap();
                state.rung = true;
                // Taken out: who is over needs no waker, and whoever it belongs to may go.
                state.waker.take()
            };
            // Outside of the lock, for `wake` is anybody's code, and may poll us at once.
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    impl Future for Bell {
        type Output = ();

        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            let mut state = self.0.lock().unwrap();
            if state.rung {
                return Poll::Ready(());
            }
            if !state.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                let stale = state.waker.replace(cx.waker().clone());
                // Dropped outside of the lock, too.
                drop(state);
                drop(stale);
            }
            Poll::Pending
        }
    }
    // ANCHOR_END: solution

    pub(crate) fn bell() -> Bell {
        Bell::default()
    }
}

/// Counts its wakes; and at each of them does what it was told to.
struct Count {
    wakes: AtomicU32,
    at_wake: Box<dyn Fn() + Send + Sync>,
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.wakes.fetch_add(1, Ordering::Relaxed);
        (self.at_wake)();
    }
}

fn count(at_wake: impl Fn() + Send + Sync + 'static) -> Arc<Count> {
    Arc::new(Count { wakes: AtomicU32::new(0), at_wake: Box::new(at_wake) })
}

fn check<B: Rings + Send + Sync + 'static>(new: fn() -> B) {
    let poll = |rung: &mut B::Rung, count: &Arc<Count>| {
        let waker = Waker::from(count.clone());
        Pin::new(rung).poll(&mut Context::from_waker(&waker)).is_ready()
    };
    let bell = new();
    let (first, second) = (count(|| ()), count(|| ()));
    let mut rung = bell.rung();
    assert!(!poll(&mut rung, &first), "it is not rung yet");
    assert!(!poll(&mut rung, &first), "it is not rung yet");
    assert!(!poll(&mut rung, &second), "it is not rung yet");
    bell.ring();
    let wakes = [&first, &second].map(|count| count.wakes.load(Ordering::Relaxed));
    assert_ne!(wakes, [0, 0], "rung, and nobody was woken");
    assert_eq!(wakes, [0, 1], "wakes of the first and of the second task: the newest waker is the one to wake, once");
    assert!(poll(&mut rung, &second), "it was rung");
    let owners = [&first, &second].map(Arc::strong_count);
    assert_eq!(owners, [1, 1], "a waker was kept for nobody: as long as it lives, so does a whole task");

    // The waker polls at once, on the thread that rings.
    let bell = new();
    let rung = Arc::new(Mutex::new(bell.rung()));
    let again = rung.clone();
    let polls_at_once = count(move || {
        // It is free, unless the waker was called inside a lock of the bell's.
        let ready = Pin::new(&mut *again.lock().unwrap()).poll(&mut Context::from_waker(Waker::noop())).is_ready();
        assert!(ready, "woken before it was rung");
    });
    assert!(!poll(&mut rung.lock().unwrap(), &polls_at_once), "it is not rung yet");
    let (over, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        bell.ring();
        over.send(()).expect("somebody waits for it");
    });
    let returned = ended.recv_timeout(std::time::Duration::from_secs(2));
    assert!(returned.is_ok(), "`ring` did not return: it woke somebody while it held its lock");
}

crate::judge! { check(bell), the starter fails with "nobody was woken" }
