//! A waker taken apart: an owned callback that puts one name back on a list. Who owns it, and what each call does.
//!
//! ```console
//! cargo run --example 04_waker
//! ```

use examples::Arguments;
use std::{
    sync::{Arc, Mutex},
    task::{Wake, Waker},
};

// ANCHOR: note
/// The list of those who can go on.
type List = Arc<Mutex<Vec<&'static str>>>;

/// What is behind a waker: a name, and the list on which to put it.
struct Note {
    name: &'static str,
    list: List,
}

impl Wake for Note {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.list.lock().unwrap().push(self.name);
    }
}
// ANCHOR_END: note

fn main() {
    Arguments::parse(&[]);
    // ANCHOR: life
    let list = List::default();
    let note = Arc::new(Note { name: "tea", list: list.clone() });
    let say = |what: &str| println!("{what:<46}{}       {:?}", Arc::strong_count(&note), list.lock().unwrap());

    println!("{:<43}owners    list", "");
    say("a note");
    let waker = Waker::from(note.clone());
    say("a waker is made of it");
    let other = waker.clone();
    say("the waker is cloned: for a timer, say");
    waker.wake_by_ref();
    say("woken by reference: the waker stays");
    other.wake();
    say("woken by value: the clone is used up");
    waker.wake_by_ref();
    say("woken again: nobody asks whether it was");
    drop(waker);
    say("dropped");
    // ANCHOR_END: life

    // ANCHOR: same
    let one = Waker::from(note.clone());
    let same = one.clone();
    let another = Waker::from(Arc::new(Note { name: "tea", list: list.clone() }));
    println!("\none and its clone wake the same:        {}", one.will_wake(&same));
    println!("one and another note of the same name:  {}", one.will_wake(&another));
    // ANCHOR_END: same
}
