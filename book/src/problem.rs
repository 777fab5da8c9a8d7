//! What can be wrong, and how it is said: one line, the place first.
//!
//! Everything that fails in this crate ends as a [`Problem`], so that a reader at a terminal, a browser page that shows why the
//! rebuild failed and a test all see the same sentence.

use std::fmt;
use std::path::{Path, PathBuf};

/// One thing that is wrong: the file and line if it has one, and what to mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, relative to the root of the repository.
    pub file: Option<PathBuf>,
    /// The line in it, from 1.
    pub line: Option<usize>,
    /// What is wrong, in one line.
    pub message: String,
}

impl Problem {
    /// A problem of no particular file.
    pub fn new(message: impl Into<String>) -> Problem {
        Problem { file: None, line: None, message: message.into() }
    }

    /// A problem of a whole file.
    pub fn in_file(file: impl AsRef<Path>, message: impl Into<String>) -> Problem {
        Problem { file: Some(file.as_ref().to_owned()), ..Problem::new(message) }
    }

    /// A problem of one line.
    pub fn at(file: impl AsRef<Path>, line: usize, message: impl Into<String>) -> Problem {
        Problem { line: Some(line), ..Problem::in_file(file, message) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}:", file.display())?;
            if let Some(line) = self.line {
                write!(f, "{line}:")?;
            }
            f.write_str(" ")?;
        }
        // A message of several lines (an error of another tool) is still one line here.
        let mut words = self.message.split_whitespace();
        f.write_str(words.next().unwrap_or("something is wrong"))?;
        words.try_for_each(|word| write!(f, " {word}"))
    }
}

/// One problem or several, as an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

/// The result of what can fail in a way that a reader must be told.
pub type Result<T> = std::result::Result<T, Problems>;

impl Problems {
    /// `value` if there is no problem.
    pub fn or(problems: Vec<Problem>) -> Result<()> {
        if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
    }

    /// The first of them, and how many more there are: what fits on one line.
    pub fn in_one_line(&self) -> String {
        let first = self.0.first().map_or_else(String::new, Problem::to_string);
        match self.0.len() {
            0 | 1 => first,
            2 => format!("{first} (and one more: `handloom test` lists them)"),
            n => format!("{first} (and {} more: `handloom test` lists them)", n - 1),
        }
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Problems {
        Problems(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let line_break = if index == 0 { "" } else { "\n" };
            write!(f, "{line_break}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
