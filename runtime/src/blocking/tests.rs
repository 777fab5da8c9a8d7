//! What only the pool itself can show: a system that starts no threads, and the list of what a shutdown leaves.

use super::*;
use crate::task::{JoinError, TaskId};
use std::{
    panic::Location,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
};

const FOR_EVER: Duration = Duration::MAX;

fn birth(number: u64, name: Option<&str>) -> Birth {
    Birth { id: TaskId(number), name: name.map(|name| Box::new(Arc::from(name))), place: Location::caller() }
}

fn settings(most: usize) -> Settings {
    Settings { most, idle: FOR_EVER, nudge: None }
}

fn output<T>(handle: JoinHandle<T>) -> Result<T, JoinError> {
    futures_lite::future::block_on(handle)
}

/// A pool on a system that starts `threads` threads and no more.
fn pool_with_threads(threads: usize) -> Arc<Pool> {
    let started = AtomicUsize::new(0);
    let start = move |life| {
        if started.fetch_add(1, Ordering::Relaxed) >= threads {
            return Err(io::Error::from(io::ErrorKind::WouldBlock));
        }
        thread::start("blocking", life)
    };
    Pool::with(settings(8), 8, Box::new(start))
}

#[test]
fn a_job_for_which_no_thread_can_be_started_is_cancelled() {
    let pool = pool_with_threads(0);
    let held = Arc::new(());
    let kept = held.clone();
    let job = pool.spawn(birth(1, None), move || drop(kept));
    assert_eq!(Arc::strong_count(&held), 1, "the job was kept");
    assert!(output(job).unwrap_err().is_cancelled());
    assert_eq!(pool.stats(), BlockingStats { queued: 0, running: 0, threads: 0, most: 8 });
    assert!(pool.shut_down(FOR_EVER).is_empty());
}

#[test]
fn jobs_wait_for_the_threads_there_are_if_no_more_can_be_started() {
    let pool = pool_with_threads(1);
    let (release, hold) = mpsc::channel::<()>();
    let first = pool.spawn(birth(1, None), move || hold.recv().is_ok());
    let others: Vec<_> = (2..10).map(|number| pool.spawn(birth(number, None), move || number)).collect();
    assert_eq!(pool.stats().threads, 1);
    release.send(()).unwrap();
    assert!(output(first).unwrap());
    let numbers: Vec<_> = others.into_iter().map(|job| output(job).unwrap()).collect();
    assert_eq!(numbers, Vec::from_iter(2..10));
    assert!(pool.shut_down(FOR_EVER).is_empty());
}

#[test]
fn a_shutdown_reports_the_jobs_that_it_leaves_running() {
    let pool = Pool::new(settings(8));
    let (release, hold) = mpsc::channel::<()>();
    let (tell, started) = mpsc::channel();
    let job = pool.spawn(birth(7, Some("stuck")), move || {
        tell.send(()).unwrap();
        hold.recv().is_ok()
    });
    started.recv().unwrap();
    let left = pool.shut_down(Duration::ZERO);
    let [birth] = &left[..] else { panic!("one job is left: {left:?}") };
    assert_eq!(
        (birth.id, birth.name.as_deref().map(|name| &**name), birth.place.file()),
        (TaskId(7), Some("stuck"), file!())
    );
    // It is left to itself, not ended.
    release.send(()).unwrap();
    assert!(output(job).unwrap());
    assert!(pool.shut_down(FOR_EVER).is_empty());
    assert_eq!(pool.stats().threads, 0);
}

#[test]
fn a_shutdown_cancels_what_is_queued() {
    let pool = Pool::new(settings(1));
    let (release, hold) = mpsc::channel::<()>();
    let (tell, started) = mpsc::channel();
    let running = pool.spawn(birth(1, None), move || {
        tell.send(()).unwrap();
        hold.recv().is_ok()
    });
    started.recv().unwrap();
    let queued = pool.spawn(birth(2, None), || ());
    assert_eq!(pool.stats(), BlockingStats { queued: 1, running: 1, threads: 1, most: 1 });
    let left = pool.shut_down(Duration::ZERO);
    assert_eq!(left.len(), 1);
    assert!(output(queued).unwrap_err().is_cancelled());
    let late = pool.spawn(birth(3, None), || ());
    assert!(output(late).unwrap_err().is_cancelled());
    release.send(()).unwrap();
    assert!(output(running).unwrap());
    assert!(pool.shut_down(FOR_EVER).is_empty());
}

/// One core, and a burst of jobs that are stuck: a thread comes for each, up to the limit and not beyond it.
#[test]
fn stuck_jobs_get_threads_up_to_the_limit() {
    const MOST: usize = 16;
    let pool = Pool::with(settings(MOST), 1, Box::new(|life| thread::start("blocking", life)));
    let barrier = Arc::new(std::sync::Barrier::new(MOST));
    let jobs: Vec<_> = (0..4 * MOST as u64)
        .map(|number| {
            let barrier = barrier.clone();
            pool.spawn(birth(number, None), move || barrier.wait().is_leader())
        })
        .collect();
    let leaders = jobs.into_iter().filter_map(|job| output(job).unwrap().then_some(())).count();
    assert_eq!(leaders, 4, "each time that all threads met");
    assert_eq!(pool.stats().threads, MOST);
    assert!(pool.shut_down(FOR_EVER).is_empty());
}

/// A crew whose threads are all here, and have nothing to do.
fn crew_of(threads: usize) -> Crew {
    let mut crew = Crew::new(1);
    for _ in 0..threads {
        crew.seat_called(thread::start("blocking", || ()).unwrap());
        assert!(!crew.may_grow(usize::MAX), "one is on its way");
        crew.arrive_first();
    }
    crew
}

/// So the others grow tired, however many jobs come one after the other.
#[test]
fn the_thread_that_sat_down_last_is_called_first() {
    let mut crew = crew_of(3);
    (0..3).for_each(|seat| assert!(!crew.sit_down(seat), "there is nothing to watch"));
    for _ in 0..10 {
        assert!(crew.call_idle().is_some());
        assert!(crew.is_seated(0) && crew.is_seated(1) && !crew.is_seated(2));
        crew.arrive();
        crew.sit_down(2);
    }
}

fn queue_a_job(crew: &mut Crew, number: u64) {
    let (task, handle) = task::new(birth(number, None), BornScheduled, Job(Some(|| ())));
    drop(handle);
    crew.queue.push_back(task);
}

fn run(task: Task) {
    assert!(matches!(task.run(), Ran::Done(..)));
}

/// A burst of short jobs is no reason for many threads: as long as some come back, the others hold back.
#[test]
fn beyond_the_cores_only_the_impatient_take_jobs() {
    let mut crew = crew_of(2);
    (0..4).for_each(|number| queue_a_job(&mut crew, number));
    run(crew.take_job(0, Came::Called).unwrap());
    assert!(crew.take_job(1, Came::Called).is_none(), "the only core has its thread");
    assert!(crew.sit_down(1), "it watches");
    assert!(crew.is_somebody_coming());
    crew.put_job_back(0);
    assert!(!crew.is_somebody_coming(), "the core is free: no reason to wait for the watcher's time");
    run(crew.take_job(0, Came::Back).unwrap());
    crew.get_up(1);
    run(crew.take_job(1, Came::Impatient).unwrap());
    crew.put_job_back(0);
    run(crew.take_job(0, Came::Back).unwrap());
}

/// A busy machine: the thread that was called for a job is long in coming, and another came back and took it.
#[test]
fn a_job_does_not_wait_for_a_thread_that_was_called_for_another() {
    let mut crew = crew_of(2);
    queue_a_job(&mut crew, 1);
    run(crew.take_job(0, Came::Called).unwrap());
    crew.sit_down(1);
    queue_a_job(&mut crew, 2);
    assert!(crew.call_idle().is_some());
    assert!(crew.is_somebody_coming());
    crew.put_job_back(0);
    run(crew.take_job(0, Came::Back).unwrap());
    crew.put_job_back(0);
    crew.sit_down(0);
    queue_a_job(&mut crew, 3);
    assert!(!crew.is_somebody_coming(), "thread 0 is seated, and nobody would call it");
    crew.queue.drain(..).for_each(run);
}

#[test]
fn the_more_are_stuck_the_sooner_the_next_one_comes() {
    let mut crew = crew_of(4);
    let mut waited = Vec::new();
    for seat in 0..4 {
        queue_a_job(&mut crew, seat as u64);
        waited.push(crew.patience(PATIENCE));
        run(crew.take_job(seat, Came::Impatient).unwrap());
    }
    assert_eq!(waited, [PATIENCE, PATIENCE, PATIENCE / 2, PATIENCE / 3]);
    crew.put_job_back(0);
    assert_eq!(crew.patience(PATIENCE), PATIENCE, "one came back");
}
