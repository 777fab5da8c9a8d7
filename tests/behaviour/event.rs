//! Section 2: `sync::Event`, as asyncio's `EventTests` have theirs.
//!
//! | case | why it is not here |
//! |---|---|
//! | repr | Python's text for an object |

use super::condition::single;
use runtime::{JoinHandle, spawn, sync::Event, yield_now};
use std::sync::{Arc, Mutex};

/// What passed, in the order in which it did.
type Results = Arc<Mutex<Vec<u32>>>;

fn wait(event: &Arc<Event>, number: u32, results: &Results) -> JoinHandle<()> {
    let (event, results) = (event.clone(), results.clone());
    spawn(async move {
        event.wait().await;
        results.lock().unwrap().push(number);
    })
}

#[test]
fn wait_in_turn() {
    single().block_on(async {
        let (event, results) = (Arc::new(Event::new()), Results::default());
        let tasks = [wait(&event, 1, &results), wait(&event, 2, &results)];
        yield_now().await;
        assert!(results.lock().unwrap().is_empty());
        let third = wait(&event, 3, &results);
        event.set();
        yield_now().await;
        assert_eq!(*results.lock().unwrap(), [3, 1, 2], "it never blocked; those who did run in their order");
        for task in tasks.into_iter().chain([third]) {
            task.await.unwrap();
        }
    });
}

#[test]
fn wait_on_set() {
    single().block_on(async {
        let event = Event::new();
        event.set();
        event.wait().await;
    });
}

#[test]
fn wait_cancel() {
    single().block_on(async {
        let (event, results) = (Arc::new(Event::new()), Results::default());
        let waits = wait(&event, 1, &results);
        yield_now().await;
        waits.abort();
        assert!(waits.await.unwrap_err().is_cancelled());
        assert_eq!(Arc::strong_count(&event), 1, "nothing of it is left");
        event.set();
        yield_now().await;
        assert!(results.lock().unwrap().is_empty());
    });
}

#[test]
fn clear() {
    let event = Event::new();
    assert!(!event.is_set());
    event.set();
    assert!(event.is_set());
    assert!(event.clear());
    assert!(!event.is_set());
}

#[test]
fn clear_with_waiters() {
    single().block_on(async {
        let (event, results) = (Arc::new(Event::new()), Results::default());
        let waits = wait(&event, 1, &results);
        yield_now().await;
        event.set();
        event.clear();
        assert!(!event.is_set());
        event.set();
        event.set();
        yield_now().await;
        assert_eq!(*results.lock().unwrap(), [1], "a set that is cleared still wakes whoever waited, once");
        assert!(waits.is_finished() && event.is_set());
    });
}
