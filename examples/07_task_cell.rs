//! The life of a task as one word: each transition, what it makes of the word, and what is to be done then.
//!
//! ```console
//! cargo run --example 07_task_cell
//! cargo test --example 07_task_cell
//! ```

use stages::s07_task_cell::Word;

/// The states and the ways between them: the book draws its picture from it, a test reads it.
#[cfg(test)]
const TRANSITIONS: &str = include_str!("07_task_cell.states");

/// What can happen to a task.
#[derive(Clone, Copy)]
enum Event {
    Wake,
    Start,
    Pending,
    Ready,
}

impl Event {
    fn name(self) -> &'static str {
        match self {
            Event::Wake => "wake",
            Event::Start => "start",
            Event::Pending => "pending",
            Event::Ready => "ready",
        }
    }

    /// Lets it happen. What is to be done then?
    fn happen(self, word: &Word) -> &'static str {
        match self {
            Event::Wake if word.wake() => "push it",
            Event::Wake => "",
            Event::Start => {
                word.start();
                "poll it"
            }
            Event::Pending if word.suspend() => "push it",
            Event::Pending => "",
            Event::Ready => {
                word.complete();
                ""
            }
        }
    }
}

fn main() {
    examples::Arguments::parse(&[]);
    use Event::*;
    // ANCHOR: lives
    let lives: [(&str, &[Event]); 3] = [
        ("it waits once", &[Start, Pending, Wake, Wake, Start, Ready]),
        ("it is woken while it runs, twice", &[Start, Wake, Wake, Pending, Wake, Start, Ready]),
        ("it is woken in its last poll, and once more when it is over", &[Start, Wake, Ready, Wake]),
    ];
    for (name, events) in lives {
        println!("{name}:");
        let word = Word::new();
        for event in events {
            let before = word.name();
            let to_do = event.happen(&word);
            let arrow = format!("--{}-->", event.name());
            let line = format!("  {before:9} {arrow:12} {:10} {to_do}", word.name());
            println!("{}", line.trim_end());
        }
    }
    // ANCHOR_END: lives
}

#[cfg(test)]
mod tests {
    use super::{Event::*, *};
    use std::collections::BTreeSet;

    /// How to get there, and what can happen there.
    const STATES: [(&[Event], &[Event]); 5] = [
        (&[Start, Pending], &[Wake]),
        (&[], &[Wake, Start]),
        (&[Start], &[Wake, Pending, Ready]),
        (&[Start, Wake], &[Wake, Pending, Ready]),
        (&[Start, Ready], &[Wake]),
    ];

    #[test]
    fn the_word_walks_every_arrow_of_the_table_and_no_other() {
        let mut walked = BTreeSet::new();
        for (way, events) in STATES {
            for event in events {
                let word = Word::new();
                way.iter().for_each(|event| {
                    event.happen(&word);
                });
                let before = word.name();
                let to_do = event.happen(&word);
                walked.insert(format!("{before} --{}--> {} : {to_do}", event.name(), word.name()));
            }
        }
        let lines = TRANSITIONS.lines().filter(|line| !line.starts_with('#'));
        let table = lines.map(|line| {
            let (arrow, to_do) = line.split_once(" : ").unwrap_or((line, ""));
            let words: Vec<_> = arrow.split_whitespace().collect();
            format!("{} : {}", words.join(" "), to_do.trim())
        });
        assert_eq!(walked, table.collect());
    }

    #[test]
    #[should_panic(expected = "only what is scheduled")]
    fn a_task_that_runs_cannot_be_started() {
        let word = Word::new();
        word.start();
        word.start();
    }
}
