//! Random trees of groups, in simulated runtimes: each child ends exactly once before its group returns, and all failures arrive.

use runtime::{
    group::{CancelExt, Failure, GroupError, TaskGroup, scope},
    random, spawn,
    time::sleep,
    world, yield_now,
};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

/// Failures, by number. A group inside that failed is the failure of the child that had it.
#[derive(Debug)]
enum Fault {
    Own(u32),
    Inside(Box<GroupError<Fault>>),
}

/// Of one tree.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u32>>>);

impl Log {
    fn note(&self, number: u32) {
        self.0.lock().unwrap().push(number);
    }

    fn sorted(&self) -> Vec<u32> {
        let mut log = self.0.lock().unwrap().clone();
        log.sort_unstable();
        log
    }
}

/// Notes when it is dropped.
struct NotesItsEnd(Log, u32);

impl Drop for NotesItsEnd {
    fn drop(&mut self) {
        self.0.note(self.1);
    }
}

#[derive(Clone, Default)]
struct Tree {
    /// Everybody who was spawned, and everybody who has ended.
    spawned: Log,
    ended: Log,
}

fn chance(percent: u64) -> bool {
    random::below(100) < percent
}

async fn pause() {
    match random::below(3) {
        0 => {}
        1 => yield_now().await,
        _ => sleep(Duration::from_millis(random::below(20))).await,
    }
}

impl Tree {
    fn next(&self) -> u32 {
        let mut spawned = self.spawned.0.lock().unwrap();
        let number = spawned.len() as u32;
        spawned.push(number);
        number
    }

    /// A group with children, some of which have groups of their own.
    fn group(self, depth: u64) -> std::pin::Pin<Box<dyn Future<Output = Result<(), GroupError<Fault>>> + Send>> {
        Box::pin(async move {
            // Those that have failed in this very group.
            let (failed, mine) = (Log::default(), Log::default());
            let result = scope(async |group: TaskGroup<Fault>| {
                for _ in 0..random::below(4) {
                    self.child(&group, depth, &failed, &mine);
                    pause().await;
                }
                if chance(5) {
                    let number = self.next();
                    self.ended.note(number);
                    failed.note(number);
                    return Err(Fault::Own(number));
                }
                Ok(())
            })
            .await;
            let told: BTreeSet<u32> = match &result {
                Ok(()) => BTreeSet::new(),
                Err(error) => error.iter().map(number_of).collect(),
            };
            assert_eq!(told, failed.sorted().into_iter().collect(), "failures were lost, or made up");
            let ended: BTreeSet<u32> = self.ended.sorted().into_iter().collect();
            assert!(mine.sorted().iter().all(|child| ended.contains(child)), "the group returned before its children");
            result
        })
    }

    fn child(&self, group: &TaskGroup<Fault>, depth: u64, failed: &Log, mine: &Log) {
        let number = self.next();
        mine.note(number);
        let end = NotesItsEnd(self.ended.clone(), number);
        let (tree, inside, failed, mine) = (self.clone(), group.clone(), failed.clone(), mine.clone());
        let child = group.spawn(async move {
            let _end = end;
            pause().await;
            if depth > 0 && chance(40) {
                tree.child(&inside, depth - 1, &failed, &mine);
            }
            if depth > 0 && chance(40) {
                let inner = tree.clone().group(depth - 1);
                let inner = if chance(20) {
                    // Some give up early: the drop of a scope.
                    let limit = Duration::from_millis(random::below(15));
                    runtime::time::timeout(limit, inner).await.unwrap_or(Ok(()))
                } else {
                    inner.await
                };
                if let Err(error) = inner {
                    failed.note(number_of_group(&error));
                    return Err(Fault::Inside(Box::new(error)));
                }
            }
            let cleans_up = async {
                yield_now().await;
                pause().await;
            };
            pause().on_cancel(cleans_up).await;
            if chance(10) {
                failed.note(number);
                return Err(Fault::Own(number));
            }
            Ok(())
        });
        match random::below(20) {
            0 => child.abort(),
            1 => child.cancel(),
            _ => {}
        }
    }
}

fn number_of(failure: &Failure<Fault>) -> u32 {
    match failure {
        Failure::Error(Fault::Own(number)) => *number,
        Failure::Error(Fault::Inside(error)) => number_of_group(error),
        Failure::Lost(error) => panic!("{error}"),
    }
}

/// A group is known by its first failure.
fn number_of_group(error: &GroupError<Fault>) -> u32 {
    number_of(&error.first)
}

#[test]
fn each_child_of_a_random_tree_ends_once_before_its_group_and_each_failure_is_told() {
    world::for_seeds(1000, async || {
        let tree = Tree::default();
        let _ = tree.clone().group(3).await;
        assert_eq!(tree.ended.sorted(), tree.spawned.sorted(), "somebody has not ended, or twice");
    });
}

#[test]
fn a_request_ends_a_random_tree_from_the_leaves_to_the_root() {
    world::for_seeds(1000, async || {
        let tree = Tree::default();
        let mut root = spawn(tree.clone().group(3));
        sleep(Duration::from_millis(random::below(30))).await;
        let _ = root.cancel().await;
        assert_eq!(tree.ended.sorted(), tree.spawned.sorted(), "somebody has not ended, or twice");
    });
}
