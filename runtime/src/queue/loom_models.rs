//! The ring under loom: the owner against thieves.
#![expect(unsafe_code, reason = "a number stands for a task")]

use super::ring::{Ring, WholeWord};
use crate::std_or_loom::model;
use loom::thread;
use std::{collections::BTreeSet, ptr::NonNull, sync::Arc};

/// A number in a word, off by one because a word is never null. Nothing to leak: loom's own bookkeeping is enough.
#[derive(Debug)]
struct Item(usize);

// SAFETY: the number comes back.
unsafe impl WholeWord for Item {
    fn into_word(self) -> NonNull<()> {
        NonNull::new(std::ptr::without_provenance_mut(self.0 + 1)).unwrap()
    }

    unsafe fn from_word(word: NonNull<()>) -> Self {
        Item(word.as_ptr().addr() - 1)
    }
}

type Four = Ring<Item, 4>;

fn pop_all(ring: &Four) -> Vec<usize> {
    std::iter::from_fn(|| ring.pop()).map(|item| item.0).collect()
}

/// Five items pass through four slots while a thief takes: each comes out once, for one of the two.
/// Broken by: `pop` storing `head + 1` instead of `claim`; or `push` not looking at `head`.
#[test]
fn a_thief_and_the_owner_share_without_loss() {
    model("ring, one thief", 3, || {
        let ring = Arc::new(Four::default());
        (0..2).for_each(|number| ring.push(Item(number)).unwrap());
        let thief = {
            let ring = ring.clone();
            thread::spawn(move || {
                let own = Four::default();
                let mut taken: Vec<usize> = ring.steal_into(&own).into_iter().map(|item| item.0).collect();
                taken.extend(pop_all(&own));
                taken
            })
        };
        let mut taken = Vec::new();
        for number in 2..5 {
            if let Err(item) = ring.push(Item(number)) {
                taken.extend(ring.take_half().map(|item| item.0));
                ring.push(item).unwrap();
            }
        }
        taken.extend(pop_all(&ring));
        taken.extend(thief.join().unwrap());
        assert_eq!(taken.len(), 5, "{taken:?}");
        assert_eq!(taken.into_iter().collect::<BTreeSet<_>>().len(), 5);
    });
}

/// Two thieves at once: neither takes what the other took.
/// Broken by: `claim` swapping unconditionally.
#[test]
fn two_thieves_take_different_items() {
    model("ring, two thieves", 2, || {
        let ring = Arc::new(Four::default());
        (0..3).for_each(|number| ring.push(Item(number)).unwrap());
        let thieves = [(); 2].map(|()| {
            let ring = ring.clone();
            thread::spawn(move || {
                let own = Four::default();
                let mut taken: Vec<usize> = ring.steal_into(&own).into_iter().map(|item| item.0).collect();
                taken.extend(pop_all(&own));
                taken
            })
        });
        let mut taken = pop_all(&ring);
        taken.extend(thieves.into_iter().flat_map(|thief| thief.join().unwrap()));
        assert_eq!(taken.len(), 3, "{taken:?}");
        assert_eq!(taken.into_iter().collect::<BTreeSet<_>>().len(), 3);
    });
}
