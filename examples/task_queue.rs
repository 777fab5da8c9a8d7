//! A queue of jobs and three workers: who hands in a job gets a handle of its own, and the end drains what was handed in.
//!
//! ```console
//! cargo run --example task_queue
//! ```
//!
//! The mistakes that it avoids: to stop the workers by a flag before they have done what is queued; to wait for a result by
//! looking into a table every tenth of a second, for ever if the job failed; to call `task_done` by hand, and not to when a job
//! fails or is cancelled; to let a job that panics take its worker with it; to compute on the thread that everybody waits on.

use examples::seconds;
use runtime::{
    JoinHandle,
    future::join_all,
    spawn, spawn_blocking,
    sync::{
        oneshot,
        queue::{PutError, Queue},
    },
    time::{Instant, timeout},
};
use std::{future::Future, pin::Pin, time::Duration};

// ANCHOR: queue
/// A job on its way: what it comes to it tells its handle itself, so here all jobs are of one type.
type Job = Pin<Box<dyn Future<Output = ()> + Send>>;
/// What a job came to, once. A panic is told in words.
type JobHandle<T> = oneshot::Receiver<Result<T, String>>;

struct TaskQueue {
    jobs: Queue<Job>,
    workers: Vec<JoinHandle<u32>>,
}

impl TaskQueue {
    fn start(workers: usize) -> Self {
        let jobs = Queue::<Job>::bounded(100);
        let worker = |_| {
            let jobs = jobs.clone();
            spawn(async move {
                let mut done = 0;
                while let Ok(mut job) = jobs.get().await {
                    job.as_mut().await;
                    done += 1;
                } // the item is dropped: that is the `task_done`
                done
            })
        };
        println!("Started {workers} workers");
        Self { workers: (0..workers).map(worker).collect(), jobs }
    }

    /// A handle of the result; or the job again, if the queue is closed.
    async fn submit<T: Send + 'static>(
        &self,
        job: impl Future<Output = Result<T, String>> + Send + 'static,
    ) -> Result<JobHandle<T>, Job> {
        let (answer, handle) = oneshot::channel();
        let job: Job = Box::pin(async move {
            // A task of its own: a panic ends that, and not the worker.
            let result = spawn(job).await.unwrap_or_else(|error| Err(error.to_string()));
            let _ = answer.send(result); // nobody may want to know any more
        });
        self.jobs.put(job).await.map(|()| handle).map_err(|PutError(job)| job)
    }

    /// Takes no new jobs, does those that it has, and lets the workers go. To stop it again is no mistake.
    async fn shutdown(&mut self) {
        self.jobs.close();
        let done = join_all(self.workers.drain(..)).await;
        println!("Stopped: {} jobs by {} workers", done.iter().flatten().sum::<u32>(), done.len());
    }
}
// ANCHOR_END: queue

async fn io_job(length: f64) -> Result<String, String> {
    seconds(length).await;
    Ok(format!("waited {length} s"))
}

/// Work for a thread on which nobody waits.
async fn cpu_job(bound: u64) -> Result<u64, String> {
    spawn_blocking(move || (0..bound).map(|i| i * i).sum()).await.map_err(|error| error.to_string())
}

fn main() {
    examples::run(&[], async |_| {
        let start = Instant::now();
        let mut queue = TaskQueue::start(3);
        let (mut waits, mut sums) = (Vec::new(), Vec::new());
        for length in [0.5, 1.0, 1.5, 2.0, 0.8] {
            waits.extend(queue.submit(io_job(length)).await);
        }
        for bound in [10_000, 20_000, 50_000] {
            sums.extend(queue.submit(cpu_job(bound)).await);
        }
        let impatient = timeout(Duration::ZERO, &mut waits[0]).await;
        println!("The first one at once: {impatient:?}");
        queue.jobs.join().await;
        println!("All done after {:.2} seconds", start.elapsed().as_secs_f64());
        println!("Results: {:?}", join_all(waits).await.into_iter().flatten().flatten().collect::<Vec<_>>());
        println!("Results: {:?}", join_all(sums).await.into_iter().flatten().flatten().collect::<Vec<_>>());
        println!("\n== jobs that go wrong");
        let failing = queue.submit::<()>(async { Err("no such table".to_owned()) }).await;
        let panicking = queue.submit::<()>(async { panic!("out of cheese") }).await;
        for handle in [failing, panicking].into_iter().flatten() {
            println!("{:?}", handle.await.expect("it was told"));
        }
        println!("\n== ten jobs, and stop at once");
        for _ in 0..10 {
            drop(queue.submit(io_job(0.5)).await);
        }
        queue.shutdown().await;
        queue.shutdown().await;
        if let Err(job) = queue.submit(io_job(1.0)).await {
            job.await;
            println!("Too late for the queue: done by who has it");
        }
    });
}
