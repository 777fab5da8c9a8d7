//! Tasks that only wait: what they weigh.

use crate::side_by_side::{
    memory,
    meter::{HEAP, Meter, RESIDENT, Sample},
    sides::Side,
};
use std::{
    future::Future,
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll},
};

/// Counts its first poll, and waits for ever.
struct Idle {
    polled: &'static AtomicUsize,
}

impl Future for Idle {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        self.polled.fetch_add(1, Ordering::Relaxed);
        Poll::Pending
    }
}

/// Counts allocations from now on, and for good: in a process of its own.
pub(super) async fn idle_tasks<S: Side>(operations: usize) -> Sample {
    static POLLED: AtomicUsize = AtomicUsize::new(0);
    memory::set_counting(true);
    let (heap, resident) = (memory::heap_bytes(), memory::resident_bytes());
    let meter = Meter::start();
    // In batches, as connections come: the run queue stays short, and what is counted is tasks.
    for batch in (0..operations).step_by(100) {
        let until = (batch + 100).min(operations);
        (batch..until).for_each(|_| S::detach(S::spawn(Idle { polled: &POLLED })));
        while POLLED.load(Ordering::Relaxed) < until {
            S::yield_now().await;
        }
    }
    let mut sample = meter.spent(operations);
    let beyond = |before: f64, now: f64| (now - before) / operations as f64 - size_of::<Idle>() as f64;
    sample.push((HEAP, beyond(heap, memory::heap_bytes())));
    sample.push((RESIDENT, beyond(resident, memory::resident_bytes())));
    assert_eq!(POLLED.load(Ordering::Relaxed), operations);
    sample
}
