//! Listings: pieces of files, cut out by name.
//!
//! ```text
//! // ANCHOR: wake
//! fn wake(&self) { … }          {{#listing runtime/src/task.rs:wake}}
//! // ANCHOR_END: wake
//! ```
//!
//! - An anchor that is not there, not closed, there twice or empty is an error, never an empty block.
//! - Anchors may nest and overlap: each cut drops the marker lines of all.
//! - A cut knows its lines in the file, so that a reader can open it there.

use crate::house::House;

/// A piece of a file.
#[derive(Debug, PartialEq, Eq)]
pub struct Listing {
    /// The file, from the root of the repository.
    pub file: String,
    /// The anchor, unless it is the whole file.
    pub anchor: Option<String>,
    /// First and last line in the file, from 1.
    pub lines: (usize, usize),
    /// The text, dedented, ending in a line break.
    pub text: String,
}

/// Whether a line is a marker, and of which anchor.
enum Marker<'a> {
    Open(&'a str),
    Close(&'a str),
}

impl<'a> Marker<'a> {
    fn of(line: &'a str) -> Option<Marker<'a>> {
        let line = line.trim();
        let comment = ["//", "#", "--"].iter().find_map(|sign| line.strip_prefix(sign))?;
        let comment = comment.trim_start();
        if let Some(name) = comment.strip_prefix("ANCHOR:") {
            return Some(Marker::Open(name.trim()));
        }
        comment.strip_prefix("ANCHOR_END:").map(|name| Marker::Close(name.trim()))
    }
}

impl Listing {
    /// Cuts `FILE` or `FILE:ANCHOR`.
    ///
    /// # Errors
    ///
    /// The sentence that says what is missing.
    pub fn cut(house: &House, what: &str) -> Result<Listing, String> {
        let (file, anchor) = match what.split_once(':') {
            Some((file, anchor)) => (file, Some(anchor)),
            None => (what, None),
        };
        let source = house.read(file)?;
        let (first, last) = match anchor {
            Some(anchor) => between_markers(&source, file, anchor)?,
            None => (1, source.lines().count()),
        };
        let lines: Vec<(usize, &str)> = (1..)
            .zip(source.lines())
            .filter(|(number, line)| (first..=last).contains(number) && Marker::of(line).is_none())
            .collect();
        let filled = |(_, line): &&(usize, &str)| !line.trim().is_empty();
        let (Some(from), Some(to)) = (lines.iter().find(filled), lines.iter().rev().find(filled)) else {
            return Err(format!("`{what}` is empty"));
        };
        let range = from.0..=to.0;
        let kept = lines.iter().filter(|(number, _)| range.contains(number));
        Ok(Listing {
            file: file.to_owned(),
            anchor: anchor.map(str::to_owned),
            lines: (*range.start(), *range.end()),
            text: dedented(kept.map(|(_, line)| *line)),
        })
    }

    /// The name of the language, for the fence.
    pub fn language(&self) -> &str {
        match self.file.rsplit_once('.').map(|(_, extension)| extension) {
            Some("rs") => "rust",
            Some("py") => "python",
            Some(known @ ("toml" | "json" | "css" | "js")) => known,
            _ => "text",
        }
    }
}

/// The lines strictly between the markers of `anchor`.
fn between_markers(source: &str, file: &str, anchor: &str) -> Result<(usize, usize), String> {
    let mut open = None;
    let mut found = None;
    for (number, line) in (1..).zip(source.lines()) {
        match Marker::of(line) {
            Some(Marker::Open(name)) if name == anchor && open.replace(number).is_some() => {
                return Err(format!("`{file}` opens the anchor `{anchor}` twice (line {number})"));
            }
            Some(Marker::Close(name)) if name == anchor => match open {
                Some(start) if found.is_none() => found = Some((start + 1, number - 1)),
                _ => return Err(format!("`{file}`:{number} closes `{anchor}`, which is not open")),
            },
            _ => {}
        }
    }
    match (open, found) {
        (_, Some(lines)) => Ok(lines),
        (Some(number), None) => Err(format!("`{file}`:{number} opens `{anchor}`, and nothing closes it")),
        (None, None) => Err(format!("`{file}` has no anchor `{anchor}`")),
    }
}

fn dedented<'a>(lines: impl Iterator<Item = &'a str> + Clone) -> String {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let least = lines.clone().filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or(0);
    lines.flat_map(|line| [line.get(least..).unwrap_or(""), "\n"]).collect()
}

/// The `-`/`+` difference of two stages; the parts that are equal in both are left out, but for three lines around each change.
///
/// # Errors
///
/// There is no difference: then the page wants another pair.
pub fn difference(old: &Listing, new: &Listing) -> Result<String, String> {
    let diff = similar::TextDiff::from_lines(&old.text, &new.text);
    let mut text = String::new();
    for group in diff.grouped_ops(3) {
        if !text.is_empty() {
            text.push_str(" ⋮\n");
        }
        for change in group.iter().flat_map(|operation| diff.iter_changes(operation)) {
            text.push_str(&format!("{}{}", change.tag(), change.value()));
        }
    }
    if text.is_empty() {
        return Err(format!("`{}` and `{}` do not differ", old.file, new.file));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn house_with(text: &str) -> (tempfile::TempDir, House) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir(folder.path().join("book")).expect("book/");
        std::fs::write(folder.path().join("book/book.toml"), "").expect("book.toml");
        std::fs::write(folder.path().join("a.rs"), text).expect("a.rs");
        let house = House::at(folder.path()).expect("a house");
        (folder, house)
    }

    const NESTED: &str = "mod m {\n    // ANCHOR: outer\n    fn a() {\n        // ANCHOR: inner\n        b();\n\
                          \x20       // ANCHOR_END: inner\n    }\n    // ANCHOR_END: outer\n}\n// ANCHOR: open\n";

    #[test]
    fn a_cut_is_dedented_and_drops_the_markers_of_others() {
        let (_folder, house) = house_with(NESTED);
        let listing = Listing::cut(&house, "a.rs:outer").expect("the anchor is there");
        assert_eq!(listing.text, "fn a() {\n    b();\n}\n");
        assert_eq!(listing.lines, (3, 7));
        assert_eq!(Listing::cut(&house, "a.rs:inner").expect("inner").text, "b();\n");
    }

    #[test]
    fn what_is_missing_is_said() {
        let (_folder, house) = house_with(NESTED);
        let cut = |what| Listing::cut(&house, what).expect_err("nothing to cut");
        assert_eq!(cut("a.rs:other"), "`a.rs` has no anchor `other`");
        assert_eq!(cut("a.rs:open"), "`a.rs`:10 opens `open`, and nothing closes it");
        assert!(cut("b.rs").starts_with("cannot read `b.rs`"));
        assert!(cut("../b.rs").contains("not a path from the root"));
    }

    #[test]
    fn a_difference_shows_both_stages() {
        let (_folder, house) =
            house_with("// ANCHOR: one\na\nb\n// ANCHOR_END: one\n// ANCHOR: two\na\nc\n// ANCHOR_END: two\n");
        let one = Listing::cut(&house, "a.rs:one").expect("one");
        let two = Listing::cut(&house, "a.rs:two").expect("two");
        assert_eq!(difference(&one, &two), Ok(" a\n-b\n+c\n".to_owned()));
        assert!(difference(&one, &one).is_err());
    }
}
