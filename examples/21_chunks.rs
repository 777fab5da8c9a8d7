//! A body in chunks, read by a state machine that can stop after any byte.
//!
//! ```console
//! cargo run --example 21_chunks
//! ```

/// The states of [`Chunks`] and the ways between them: the book draws its picture from it, a test reads it.
const TRANSITIONS: &str = include_str!("21_chunks.states");

/// A chunk that says it is longer is refused.
const MOST: usize = 1 << 20;

// ANCHOR: machine
/// Where we are, and what must be remembered there.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Chunks {
    /// In the hexadecimal digits of a size.
    Size {
        so_far: Option<usize>,
    },
    /// Behind the CR of that line. An LF must come.
    SizeEnd {
        size: usize,
    },
    Data {
        left: usize,
    },
    /// Behind the data: CR, then LF.
    DataEnd {
        cr: bool,
        last: bool,
    },
    Done,
}

impl Chunks {
    /// Takes one byte. What belongs to the body goes there.
    fn step(self, byte: u8, body: &mut Vec<u8>) -> Result<Chunks, &'static str> {
        Ok(match (self, byte) {
            (Chunks::Size { so_far }, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = char::from(byte).to_digit(16).expect("it is one") as usize;
                let size = so_far.unwrap_or(0) * 16 + digit;
                if size > MOST {
                    return Err("a chunk is too long");
                }
                Chunks::Size { so_far: Some(size) }
            }
            (Chunks::Size { so_far: Some(size) }, b'\r') => Chunks::SizeEnd { size },
            (Chunks::SizeEnd { size: 0 }, b'\n') => Chunks::DataEnd { cr: false, last: true },
            (Chunks::SizeEnd { size }, b'\n') => Chunks::Data { left: size },
            (Chunks::Data { left }, _) => {
                body.push(byte);
                if left == 1 { Chunks::DataEnd { cr: false, last: false } } else { Chunks::Data { left: left - 1 } }
            }
            (Chunks::DataEnd { cr: false, last }, b'\r') => Chunks::DataEnd { cr: true, last },
            (Chunks::DataEnd { cr: true, last: false }, b'\n') => Chunks::Size { so_far: None },
            (Chunks::DataEnd { cr: true, last: true }, b'\n') => Chunks::Done,
            _ => return Err("this byte cannot stand here"),
        })
    }
}
// ANCHOR_END: machine

/// Feeds the pieces, and tells where the machine stands after each.
fn feed(pieces: &[&str]) {
    let (mut at, mut body) = (Chunks::Size { so_far: None }, Vec::new());
    for piece in pieces {
        for byte in piece.bytes() {
            match at.step(byte, &mut body) {
                Ok(next) => at = next,
                Err(error) => return println!("  {:<14} refused: {error}", format!("{piece:?}")),
            }
        }
        println!("  {:<14} {at:?}, body {:?}", format!("{piece:?}"), String::from_utf8_lossy(&body));
    }
}

fn main() {
    examples::Arguments::parse(&[]);
    println!("as it happens to come:");
    feed(&["4\r\nWi", "ki\r", "\n", "5", "\r\npedia\r\n0\r\n", "\r\n"]);
    println!("what must not come:");
    for wire in ["+4\r\nWiki", "4\nWiki", "4\r\nWikipedia", "ffffffffffffffffff\r\n"] {
        feed(&[wire]);
    }
    print!("\n{TRANSITIONS}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    impl Chunks {
        fn name(self) -> &'static str {
            match self {
                Chunks::Size { .. } => "Size",
                Chunks::SizeEnd { .. } => "SizeEnd",
                Chunks::Data { .. } => "Data",
                Chunks::DataEnd { .. } => "DataEnd",
                Chunks::Done => "Done",
            }
        }
    }

    #[test]
    fn the_machine_walks_every_arrow_of_the_table_and_no_other() {
        let table: BTreeSet<_> = TRANSITIONS.lines().filter(|line| !line.starts_with('#')).map(arrow).collect();
        let (mut at, mut walked) = (Chunks::Size { so_far: None }, BTreeSet::new());
        for byte in *b"4\r\nWiki\r\n0\r\n\r\n" {
            let next = at.step(byte, &mut Vec::new()).unwrap();
            walked.insert((at.name(), next.name()));
            at = next;
        }
        assert_eq!((at, walked), (Chunks::Done, table));
    }

    fn arrow(line: &'static str) -> (&'static str, &'static str) {
        let (from, rest) = line.split_once(" --").unwrap();
        (from.trim(), rest.split_once("--> ").unwrap().1.split(" :").next().unwrap().trim())
    }
}
