//! Who holds which lock, and who waits for it.

use super::*;
use runtime::{
    Handle, TaskId,
    debug::{Dump, Holder, Wait},
    future::{Either, join, join_all, race},
    sync::{Mutex, RwLock, Semaphore},
    time::{sleep, timeout},
};
use std::{
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
};

const SECOND: Duration = Duration::from_secs(1);

fn named(name: &str) -> task::Builder {
    task::Builder::new().name(name)
}

type BoxedChild = Pin<Box<dyn Future<Output = ()> + Send>>;

fn dump() -> Dump {
    Handle::current().tasks()
}

/// Takes the one, and a second later the other.
async fn takes(one: Arc<Mutex<()>>, other: Arc<Mutex<()>>) {
    let _one = one.lock().await;
    sleep(SECOND).await;
    let _other = other.lock().await;
}

fn two_locks() -> (Arc<Mutex<()>>, Arc<Mutex<()>>) {
    Default::default()
}

#[test]
fn two_locks_in_the_wrong_order_are_a_deadlock_with_names() {
    debugged().block_on(async {
        let (red, blue) = two_locks();
        let alice = named("alice").spawn(takes(red.clone(), blue.clone()));
        let bob = named("bob").spawn(takes(blue, red));
        sleep(SECOND / 2).await;
        let before = dump();
        assert!(before.find_cycles().is_empty());
        assert_eq!(before.find(alice.id()).unwrap().holds.len(), 1);
        sleep(SECOND).await;
        let after = dump();
        let cycles = after.find_cycles();
        assert_eq!(cycles.len(), 1, "{after}");
        assert!(cycles[0].is_deadlock());
        assert_eq!(cycles[0].tasks(), [alice.id(), bob.id()]);
        assert_eq!(
            cycles[0].to_string(),
            "deadlock: task #1 \"alice\" waits for mutex 1, held by task #2 \"bob\", which waits for mutex 2, held by task #1 \"alice\""
        );
        let text = after.to_string();
        assert!(text.contains("waits for mutex 1 (held by task #2 \"bob\"), holds mutex 2"), "{text}");
        // Ending one of them ends it.
        alice.abort();
        bob.await.unwrap();
        assert!(dump().find_cycles().is_empty());
    });
}

#[test]
fn two_locks_in_the_same_order_are_none() {
    debugged().block_on(async {
        let (red, blue) = two_locks();
        let tasks: Vec<_> = (0..3).map(|_| spawn(takes(red.clone(), blue.clone()))).collect();
        for _ in 0..8 {
            sleep(SECOND / 2).await;
            let dump = dump();
            assert!(dump.find_cycles().is_empty() && dump.find_untaken().is_empty(), "{dump}");
        }
        for task in tasks {
            task.await.unwrap();
        }
        // Nobody holds anything any more.
        assert!(dump().tasks().iter().all(|task| task.holds.is_empty()));
    });
}

#[test]
fn a_task_that_waits_for_its_own_lock_is_a_deadlock_of_one() {
    debugged().block_on(async {
        let lock = Arc::new(Mutex::new(()));
        let task = spawn(async move {
            let _held = lock.lock().await;
            let _again = lock.lock().await;
        });
        yield_now().await;
        let cycles = dump().find_cycles();
        assert_eq!(cycles[0].to_string(), "deadlock: task #1 waits for mutex 1, held by task #1");
        task.abort();
    });
}

#[test]
fn a_lock_with_a_timeout_beside_it_is_no_deadlock() {
    debugged().block_on(async {
        let (red, blue) = two_locks();
        let patient = spawn(takes(red.clone(), blue.clone()));
        let other = spawn(async move {
            let _blue = blue.lock().await;
            sleep(SECOND).await;
            assert!(timeout(SECOND, red.lock()).await.is_err());
        });
        sleep(3 * SECOND / 2).await;
        let cycles = dump().find_cycles();
        assert_eq!(cycles.len(), 1);
        assert!(!cycles[0].is_deadlock(), "{}", cycles[0]);
        other.await.unwrap();
        patient.await.unwrap();
    });
}

#[test]
fn all_readers_hold_a_lock_and_one_of_them_may_be_stuck() {
    debugged().block_on(async {
        let lock = Arc::new(RwLock::new(()));
        let reads = |name: &str, length: Duration| {
            let lock = lock.clone();
            named(name).spawn(async move {
                let _reading = lock.read().await;
                sleep(length).await;
            })
        };
        let (_one, _other) = (reads("one", 2 * SECOND), reads("other", SECOND));
        let writer = lock.clone();
        let writer = named("writer").spawn(async move { drop(writer.write().await) });
        yield_now().await;
        let dump = dump();
        let Wait::Resource(waited) = dump.find(writer.id()).unwrap().waits_for[0] else { panic!("{dump}") };
        assert_eq!(waited.to_string(), "rwlock 1");
        let mut holders = dump.holders(waited).to_vec();
        holders.sort();
        assert_eq!(holders, [1, 2].map(|place: usize| Holder::Task(dump.tasks()[place].id)));
        assert!(dump.find_cycles().is_empty());
        writer.await.unwrap();
    });
}

/// Anybody can add permits: a circle through a semaphore is one, but nobody can say that nothing will come.
#[test]
fn a_circle_through_a_semaphore_is_told_as_what_it_is() {
    debugged().block_on(async {
        let semaphore = Arc::new(Semaphore::new(1));
        let waits = semaphore.clone();
        let task = spawn(async move {
            let _permit = waits.acquire().await;
            let _second = waits.acquire().await;
        });
        yield_now().await;
        let cycles = dump().find_cycles();
        assert!(cycles.len() == 1 && !cycles[0].is_deadlock());
        semaphore.add_permits(1);
        task.await.unwrap();
        assert!(dump().find_cycles().is_empty());
    });
}

/// async-lock #91, tokio #7892: a fair lock hands its turn to a future that nobody polls, and everybody waits for ever.
#[test]
fn a_lock_handed_to_a_future_that_nobody_polls_is_told() {
    debugged().block_on(async {
        let lock = Arc::new(Mutex::new(()));
        let (holds, waits) = (lock.clone(), lock.clone());
        let holder = named("holder").spawn(async move {
            let _held = holds.lock().await;
            sleep(SECOND).await;
        });
        let futurelock = named("futurelock").spawn(async move {
            yield_now().await;
            let mut first = pin!(waits.lock());
            // It lines up, and loses the race to a timer.
            assert!(matches!(race(first.as_mut(), sleep(SECOND / 2)).await, Either::Right(())));
            // `first` is there still, first in line, and nobody polls it.
            drop(waits.lock().await);
        });
        sleep(3 * SECOND / 4).await;
        let waiting = dump();
        assert!(waiting.find_untaken().is_empty(), "somebody holds it: {waiting}");
        holder.await.unwrap();
        yield_now().await;
        let stuck = dump();
        let untaken = stuck.find_untaken();
        assert_eq!(untaken.len(), 1, "{stuck}");
        assert_eq!(untaken[0].waiting, [futurelock.id()]);
        assert_eq!(untaken[0].resource.kind(), "mutex");
        assert!(stuck.to_string().contains("granted, not taken: nobody holds mutex 1, and task #2 waits for it"));
        futurelock.abort();
        assert!(futurelock.await.unwrap_err().is_cancelled());
        drop(lock.lock().await);
        assert!(dump().find_untaken().is_empty());
    });
}

/// The same hand-over, to one who is polled: between its wake and its poll nothing is amiss.
#[test]
fn a_lock_that_is_just_being_handed_over_is_not_told() {
    debugged().block_on(async {
        let lock = Arc::new(Mutex::new(()));
        let held = lock.lock().await;
        let next = lock.clone();
        let next = spawn(async move { drop(next.lock().await) });
        yield_now().await;
        drop(held);
        let dump = dump();
        assert_eq!(dump.find(next.id()).unwrap().state, TaskState::Scheduled);
        assert!(dump.find_untaken().is_empty(), "{dump}");
        next.await.unwrap();
    });
}

/// In a set only the child that woke is polled: what the others wait for is not forgotten.
#[test]
fn what_the_other_children_of_a_set_wait_for_is_still_known() {
    async fn naps() {
        for _ in 0..10 {
            sleep(SECOND).await;
        }
    }
    let sets: [fn(BoxedChild, BoxedChild) -> BoxedChild; 2] = [
        |one, other| Box::pin(async { _ = join(one, other).await }),
        |one, other| Box::pin(async { drop(join_all([one, other]).await) }),
    ];
    for set in sets {
        debugged().block_on(async {
            let lock = Arc::new(Mutex::new(()));
            let held = lock.lock().await;
            let waits = lock.clone();
            let both = spawn(set(Box::pin(async move { drop(waits.lock().await) }), Box::pin(naps())));
            for _ in 0..6 {
                sleep(SECOND).await;
                let dump = dump();
                let waits: Vec<_> = dump.find(both.id()).unwrap().waits_for.iter().map(ToString::to_string).collect();
                assert!(waits.len() == 2 && waits.contains(&"mutex 1".to_owned()), "{waits:?}");
            }
            drop(held);
            yield_now().await;
            yield_now().await;
            assert_eq!(dump().find(both.id()).unwrap().waits_for.len(), 1);
            both.await.unwrap();
        });
    }
}

/// A guard that has left its task counts as that task's until it is dropped, wherever that is.
#[test]
fn a_guard_that_went_to_another_task_is_given_back_there() {
    debugged().block_on(async {
        let lock = Arc::new(Mutex::new(()));
        let takes = lock.clone();
        let guard = spawn(async move { takes.lock_owned().await }).await.unwrap();
        let waits = lock.clone();
        let waits = named("waits").spawn(async move { drop(waits.lock().await) });
        yield_now().await;
        let text = dump().to_string();
        assert!(text.contains("waits for mutex 1 (held by task #1, which is over)"), "{text}");
        assert!(dump().find_cycles().is_empty());
        drop(guard);
        waits.await.unwrap();
        assert!(dump().tasks().iter().all(|task| task.id == TaskId::MAIN && task.holds.is_empty()));
    });
}
