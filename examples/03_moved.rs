//! Why a future must stay where it is: a value that points into itself, moved in a toy memory, and then a real future, pinned.
//!
//! ```console
//! cargo run --example 03_moved
//! ```

use examples::Arguments;
use std::{
    cell::Cell,
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll, Waker},
};

// ANCHOR: toy
/// A memory of so many cells, each with a number, its address. Nothing in it is unsafe, so the accident can be looked at.
const CELLS: usize = 20;

/// In a cell is a letter, or a note. A value takes five: four letters, and behind them the *address* of the letter that is to be
/// read next.
struct Memory {
    letters: [char; CELLS],
    notes: [Option<usize>; CELLS],
}

impl Memory {
    fn place(&mut self, at: usize) {
        self.letters[at..at + 4].copy_from_slice(&['l', 'o', 'o', 'm']);
        self.notes[at + 4] = Some(at + 3);
    }

    /// What a move is: the bytes are copied, and the old place belongs to somebody else.
    fn move_value(&mut self, from: usize, to: usize) {
        self.letters.copy_within(from..from + 5, to);
        self.notes.copy_within(from..from + 5, to);
        self.letters[from..from + 5].fill('?');
        self.notes[from + 4] = None;
    }

    fn read_through_the_note(&self, at: usize) -> char {
        let address = self.notes[at + 4].expect("a value has its note");
        self.letters[address]
    }
}
// ANCHOR_END: toy

impl Memory {
    fn show(&self, what: &str, at: usize) {
        let letters: String = self.letters.iter().collect();
        let address = self.notes[at + 4].expect("a value has its note");
        println!("{what}  {letters}   the note says cell {address}: `{}`", self.read_through_the_note(at));
    }
}

// ANCHOR: borrows
/// `last` is a reference to a local variable, and lives across an await: both are fields of one future.
async fn read_page(noted: &Cell<usize>) -> u8 {
    let page = [3, 5, 7];
    let last = &page[2];
    noted.set(address(last));
    once_pending().await;
    *last
}
// ANCHOR_END: borrows

/// `Pending` once, and then ready.
fn once_pending() -> impl Future<Output = ()> {
    let mut first = true;
    poll_fn(move |_| if std::mem::take(&mut first) { Poll::Pending } else { Poll::Ready(()) })
}

/// Where a value is, as a number.
fn address<T: ?Sized>(value: &T) -> usize {
    (&raw const *value).cast::<u8>() as usize
}

fn main() {
    Arguments::parse(&[]);
    let mut memory = Memory { letters: ['.'; CELLS], notes: [None; CELLS] };
    println!("cells         0123456789....+....");
    memory.place(2);
    memory.show("placed at 2  ", 2);
    memory.move_value(2, 11);
    memory.show("moved to 11  ", 11);

    // ANCHOR: pinned
    let noted = Cell::new(0);
    let mut future: Pin<Box<_>> = Box::pin(read_page(&noted));
    let mut context = Context::from_waker(Waker::noop());
    assert!(future.as_mut().poll(&mut context).is_pending());

    let (start, size) = (address(&*future), size_of_val(&*future));
    let inside = (start..start + size).contains(&noted.get());
    println!("\na real future points into itself: {inside}");

    // The box moves into the vector. What is in the box does not.
    let mut list = Vec::from([future]);
    println!("the box was moved, and the future is where it was: {}", address(&*list[0]) == start);
    if let Poll::Ready(read) = list[0].as_mut().poll(&mut context) {
        println!("the second poll reads through the reference: {read}");
    }
    // ANCHOR_END: pinned
}
