//! Chapter 18: a count that may be sent to another thread.

use stages::{
    s08_join::joinable,
    s18_shared_queue::{block_on_workers, spawn, yield_now},
};
use std::{
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};

/// Counts the words of one text.
pub(crate) type Work = Arc<dyn Fn(&str) -> usize + Send + Sync>;

mod starter {
    use super::*;

    // ANCHOR: starter
    use std::{cell::Cell, rc::Rc};

    /// How many words there are in all texts.
    pub(crate) fn words(texts: Vec<String>, work: Work) -> usize {
        block_on_workers(2, async {
            let total = Rc::new(Cell::new(0));
            // TODO: a task for each text, so that two workers count at the same time. What does the compiler say to `total`?
            for text in texts {
                let words = work(&text);
                yield_now().await;
                total.set(total.get() + words);
            }
            total.get()
        })
    }
    // ANCHOR_END: starter
}

mod solution {
    use super::*;

    // ANCHOR: solution
    /// How many words there are in all texts.
    pub(crate) fn words(texts: Vec<String>, work: Work) -> usize {
        block_on_workers(2, async {
            let total = Arc::new(Mutex::new(0));
            let mut handles = Vec::new();
            for text in texts {
                let (work, total) = (work.clone(), total.clone());
                let (task, handle) = joinable(async move {
                    let words = work(&text);
                    yield_now().await;
                    // Locked for one statement: a guard that lived across an `.await` could not be sent either.
                    *total.lock().unwrap() += words;
                });
                spawn(task);
                handles.push(handle);
            }
            for handle in handles {
                handle.await.expect("a count does not panic");
            }
            *total.lock().unwrap()
        })
    }
    // ANCHOR_END: solution
}

/// Two counts must be seen at the same time, and their sum must be right.
fn check(words: fn(Vec<String>, Work) -> usize) {
    let (inside, met) = (Arc::new((Mutex::new(0), Condvar::new())), Arc::new(Mutex::new(false)));
    let seen = met.clone();
    let work: Work = Arc::new(move |text| {
        let (count, came) = &*inside;
        let mut here = count.lock().unwrap();
        *here += 1;
        came.notify_all();
        // Long enough for another worker to come, and short enough for one that is alone.
        let alone = |here: &mut usize| *here < 2 && !*seen.lock().unwrap();
        here = came.wait_timeout_while(here, Duration::from_millis(200), alone).unwrap().0;
        if *here >= 2 {
            *seen.lock().unwrap() = true;
        }
        *here -= 1;
        text.split_whitespace().count()
    });
    let texts = ["one", "two words", "and three words", "one"].map(str::to_owned).to_vec();
    assert_eq!(words(texts, work), 7, "the words of all texts");
    assert!(*met.lock().unwrap(), "no two texts were counted at the same time");
}

crate::judge! { check(words), the starter fails with "no two texts were counted at the same time" }
