//! A chapter's source, taken apart: front matter, directives, code fences, and the lines between them.
//!
//! ```text
//! ---                                  front matter: `minutes`
//! minutes: 25
//! ---
//! {{#listing runtime/src/task.rs}}     a directive, alone on its line
//! ```rust                              a fence: nothing in it is a directive
//! ```
//!
//! - Every piece knows its line, counted in the file that the author has open.
//! - What looks like a directive and is not one is a problem, so none is left over in a page.

use crate::problem::Problem;
use std::path::Path;

/// A piece of a chapter, in order.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A line of Markdown, a line of a fence included.
    Line(&'a str),
    /// `{{#NAME ARGUMENTS}}`
    Open {
        /// Where it stands.
        line: usize,
        /// Its name, without the `#`.
        name: &'a str,
        /// What follows the name.
        arguments: &'a str,
    },
    /// `{{/NAME}}`
    Close {
        /// Where it stands.
        line: usize,
        /// Its name, without the `/`.
        name: &'a str,
    },
}

/// A block of code that stands in the chapter itself.
#[derive(Debug, PartialEq, Eq)]
pub struct Fence<'a> {
    /// The line of the opening fence.
    pub line: usize,
    /// `rust,no_run`: what follows the opening fence.
    pub info: &'a str,
    /// Its lines.
    pub body: Vec<&'a str>,
}

/// A chapter, taken apart.
#[derive(Debug, Default)]
pub struct Chapter<'a> {
    /// How long a reader takes, if the front matter says so.
    pub minutes: Option<u32>,
    /// The text, without the front matter.
    pub pieces: Vec<Piece<'a>>,
    /// The code that stands in it.
    pub fences: Vec<Fence<'a>>,
    /// What is wrong with its form.
    pub problems: Vec<Problem>,
}

impl<'a> Chapter<'a> {
    /// Takes `source` apart; problems name `file`.
    pub fn parse(file: &Path, source: &'a str) -> Chapter<'a> {
        let mut chapter = Chapter::default();
        let mut lines = (1..).zip(source.lines()).peekable();
        if lines.next_if(|(_, line)| *line == "---").is_some() {
            let front = lines.by_ref().take_while(|(_, line)| *line != "---");
            for (number, line) in front {
                chapter.front_matter(file, number, line);
            }
        }
        let mut fence: Option<(&str, Fence)> = None;
        for (number, line) in lines {
            if let Some((sign, mut open)) = fence.take() {
                chapter.pieces.push(Piece::Line(line));
                if line.trim().starts_with(sign) && line.trim().chars().all(|c| sign.starts_with(c)) {
                    chapter.fences.push(open);
                } else {
                    open.body.push(line);
                    fence = Some((sign, open));
                }
                continue;
            }
            if let Some((sign, info)) = opening_fence(line) {
                let open = Fence { line: number, info, body: Vec::new() };
                fence = Some((sign, open));
                chapter.pieces.push(Piece::Line(line));
            } else {
                chapter.plain_line(file, number, line);
            }
        }
        if let Some((_, open)) = fence {
            chapter.problems.push(Problem::at(file, open.line, "this code fence is never closed"));
        }
        chapter
    }

    fn front_matter(&mut self, file: &Path, number: usize, line: &str) {
        match line.split_once(':').map(|(key, value)| (key.trim(), value.trim().parse())) {
            Some(("minutes", Ok(minutes))) => self.minutes = Some(minutes),
            _ => self.problems.push(Problem::at(
                file,
                number,
                format!("the front matter knows `minutes: NUMBER`, not `{line}`"),
            )),
        }
    }

    fn plain_line(&mut self, file: &Path, number: usize, line: &'a str) {
        let inner = line.trim_end().strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
        if let Some(open) = inner.and_then(|inner| inner.strip_prefix('#')) {
            let (name, arguments) = open.split_once(' ').unwrap_or((open, ""));
            self.pieces.push(Piece::Open { line: number, name, arguments: arguments.trim() });
        } else if let Some(name) = inner.and_then(|inner| inner.strip_prefix('/')) {
            self.pieces.push(Piece::Close { line: number, name });
        } else {
            if line.contains("{{#") || line.contains("{{/") {
                self.problems.push(Problem::at(
                    file,
                    number,
                    "a directive stands alone on its line, from the first column on",
                ));
            }
            self.pieces.push(Piece::Line(line));
        }
    }

    /// Whether it is one of the pages that only say what they will show.
    pub fn is_unwritten(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Open { name: "unwritten", .. }))
    }
}

/// The sign of a fence and what follows it, if `line` opens one.
fn opening_fence(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    let rest = line.trim_start_matches(['`', '~']);
    let sign = &line[..line.len() - rest.len()];
    (sign.len() >= 3 && (sign.chars().all(|c| c == '`') || sign.chars().all(|c| c == '~')))
        .then_some((sign, rest.trim()))
}

impl Fence<'_> {
    /// The language and the attributes behind it.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.info.split([',', ' ']).filter(|word| !word.is_empty())
    }

    /// Whether the compiler is to see it.
    pub fn is_rust(&self) -> bool {
        self.words().next() == Some("rust")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_knows_its_line() {
        let source = "---\nminutes: 25\n---\n# Title\n{{#output hello}}\n```rust\n{{#not one}}\n```\n{{/predict}}\n";
        let chapter = Chapter::parse(Path::new("a.md"), source);
        assert_eq!(chapter.minutes, Some(25));
        assert_eq!(chapter.pieces[1], Piece::Open { line: 5, name: "output", arguments: "hello" });
        assert_eq!(chapter.pieces[5], Piece::Close { line: 9, name: "predict" });
        assert_eq!(chapter.fences, [Fence { line: 6, info: "rust", body: vec!["{{#not one}}"] }]);
        assert_eq!(chapter.problems, []);
    }

    #[test]
    fn a_directive_inside_a_sentence_is_a_problem() {
        let chapter = Chapter::parse(Path::new("a.md"), "see {{#listing a.rs}}\n\n~~~text\n");
        let said: Vec<String> = chapter.problems.iter().map(Problem::to_string).collect();
        assert_eq!(
            said,
            [
                "a.md:1: a directive stands alone on its line, from the first column on",
                "a.md:3: this code fence is never closed",
            ]
        );
    }
}
