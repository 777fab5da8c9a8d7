//! Ten jobs, of which three may run at once: which of them starts when.
//!
//! ```console
//! cargo run --example 15_permits
//! cargo run --example 15_permits -- --jobs 3 --permits 1
//! ```

use examples::seconds;
use runtime::{future::join_all, task::Builder, time::Instant};
use stages::s15_permits::Semaphore;

// ANCHOR: job
async fn job(number: u32, permits: Semaphore, start: Instant) {
    let now = || start.elapsed().as_secs_f64();
    let _permit = permits.acquire().await;
    println!("{:>3.0} s  job {number} starts", now());
    seconds(f64::from(1 + number % 3)).await;
    println!("{:>3.0} s  job {number} ends", now());
    // Here the permit is dropped: whoever has waited longest has it.
}
// ANCHOR_END: job

fn main() {
    examples::run(&["--jobs", "--permits"], async |arguments| {
        let (permits, start) = (Semaphore::new(arguments.get("--permits", 3)), Instant::now());
        let jobs = (1..=arguments.get("--jobs", 10)).map(|number| {
            let job = job(number, permits.clone(), start);
            Builder::new().name(format!("job {number}")).spawn(job)
        });
        let jobs: Vec<_> = jobs.collect();
        join_all(jobs).await.into_iter().for_each(|job| job.expect("it does not panic"));
    });
}

#[cfg(test)]
mod tests {
    use stages::s15_permits::{Permit, Semaphore};
    use std::{
        future::Future,
        pin::Pin,
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering::SeqCst},
        },
        task::{Context, Poll, Wake},
    };

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, SeqCst);
        }
    }

    type Acquire = Pin<Box<dyn Future<Output = Permit>>>;

    fn acquire(one: &Semaphore) -> Acquire {
        let one = one.clone();
        Box::pin(async move { one.acquire().await })
    }

    /// What becomes of a waiter that is in this state, as far as one can see from outside.
    fn after(state: &str, action: &str) -> &'static str {
        let (one, woken) = (Semaphore::new(1), Arc::new(Woken::default()));
        let waker = woken.clone().into();
        let poll = |acquire: &mut Acquire| acquire.as_mut().poll(&mut Context::from_waker(&waker));
        let Poll::Ready(other) = poll(&mut acquire(&one)) else { panic!("it is free") };
        let (mut other, mut waiter, mut own) = (Some(other), Some(acquire(&one)), None);
        let way: &[&str] = match state {
            "New" => &[],
            "Waits" => &["poll"],
            "Chosen" => &["poll", "give"],
            "Holds" => &["poll", "give", "poll"],
            _ => panic!("no state: {state}"),
        };
        for step in way.iter().copied().chain([action]) {
            woken.0.store(false, SeqCst);
            if ["poll: one is free", "give"].contains(&step) {
                drop(other.take());
            }
            match step {
                "give" => {}
                "drop" => drop((waiter.take(), own.take())),
                _ => {
                    if let Poll::Ready(permit) = poll(waiter.as_mut().expect("it is not gone")) {
                        (waiter, own) = (None, Some(permit));
                    }
                }
            }
        }
        let (is_woken, holds) = (woken.0.load(SeqCst), own.is_some());
        drop(other);
        let others_can_have_it = poll(&mut acquire(&one)).is_ready();
        match (waiter.is_some(), holds, is_woken) {
            (false, false, _) if others_can_have_it => "Gone",
            (false, true, _) if !others_can_have_it => "Holds",
            (true, false, true) => "Chosen",
            (true, false, false) => "Waits",
            _ => "a permit is lost, or there are two",
        }
    }

    #[test]
    fn a_waiter_goes_the_ways_of_the_table() {
        let lines = include_str!("15_waiter.states").lines().filter(|line| !line.starts_with('#'));
        for line in lines {
            let (from, rest) = line.split_once("--").expect("FROM --WHAT--> TO");
            let (action, rest) = rest.split_once("--> ").expect("FROM --WHAT--> TO");
            let to = rest.split(':').next().unwrap_or_default().trim();
            assert_eq!(after(from.trim(), action), to, "{line}");
        }
    }
}
