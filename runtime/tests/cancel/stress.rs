//! Many tasks on several workers, asked from several threads at once: none is stuck, no clean-up is lost.

use runtime::{
    AbortHandle, Runtime,
    future::{Either, race},
    group::{CancelExt, CancellationToken, cancelled},
    spawn,
    sync::Event,
    time::sleep,
    yield_now,
};
use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

const TASKS: usize = if cfg!(miri) { 6 } else { 2_000 };

#[test]
fn every_task_that_heeds_cleans_up_and_ends() {
    for workers in [2, 4] {
        let runtime = Runtime::builder().workers(workers).build().unwrap();
        let (inner, outer) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        runtime.block_on(async {
            let ready = Arc::new(AtomicUsize::new(0));
            let all_there = Arc::new(Event::new());
            let tasks: Vec<_> = (0..TASKS)
                .map(|number| {
                    let (inner, outer, ready, there) = (inner.clone(), outer.clone(), ready.clone(), all_there.clone());
                    spawn(async move {
                        let body = async {
                            if ready.fetch_add(1, Ordering::SeqCst) + 1 == TASKS {
                                there.set();
                            }
                            loop {
                                // Busy or asleep, with handlers that come and go.
                                if number % 2 == 0 {
                                    yield_now().await;
                                } else {
                                    sleep(Duration::from_micros(50)).await;
                                }
                                yield_now().on_cancel(async {}).await;
                            }
                        };
                        let body = body.on_cancel(async {
                            yield_now().await;
                            inner.fetch_add(1, Ordering::SeqCst);
                        });
                        body.on_cancel(async {
                            outer.fetch_add(1, Ordering::SeqCst);
                        })
                        .await;
                    })
                })
                .collect();
            all_there.wait().await;
            let handles: Arc<[AbortHandle]> = tasks.iter().map(|task| task.abort_handle()).collect();
            let threads: Vec<_> = (0..3)
                .map(|_| {
                    let handles = handles.clone();
                    thread::spawn(move || handles.iter().for_each(AbortHandle::cancel))
                })
                .collect();
            for task in tasks {
                assert!(task.await.unwrap_err().is_cancelled());
            }
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        });
        assert_eq!((inner.load(Ordering::SeqCst), outer.load(Ordering::SeqCst)), (TASKS, TASKS));
    }
}

#[test]
fn a_loop_that_keeps_its_future_hears_every_first_request() {
    for workers in [2, 4] {
        let runtime = Runtime::builder().workers(workers).build().unwrap();
        runtime.block_on(async {
            for _ in 0..TASKS {
                let there = Arc::new(Event::new());
                let mut task = spawn({
                    let there = there.clone();
                    async move {
                        let (mut asked, mut rounds) = (pin!(cancelled()), 0_u64);
                        loop {
                            match race(asked.as_mut(), yield_now()).await {
                                Either::Left(()) => return rounds,
                                Either::Right(()) => rounds += 1,
                            }
                            there.set();
                        }
                    }
                });
                there.wait().await;
                assert!(task.cancel().await.unwrap() > 0);
            }
        });
    }
}

#[test]
fn a_token_stops_all_below_it_whoever_comes_and_goes() {
    let runtime = Runtime::builder().workers(4).build().unwrap();
    runtime.block_on(async {
        for _ in 0..TASKS / 20 + 1 {
            let root = CancellationToken::new();
            let tasks: Vec<_> = (0..20)
                .map(|_| {
                    let token = root.child_token();
                    spawn(async move {
                        drop(token.child_token());
                        let below = token.child_token().child_token();
                        below.cancelled().await;
                        token.is_cancelled()
                    })
                })
                .collect();
            root.cancel();
            for task in tasks {
                assert!(task.await.unwrap());
            }
        }
    });
}
