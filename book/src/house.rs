//! Where things stand: the repository that the book is part of.
//!
//! Every path that a chapter names starts at the root; every path that a message shows does too.

use crate::problem::{Problem, Problems, Result};
use std::path::{Path, PathBuf};

/// The root of the repository, and the places in it that the book knows.
#[derive(Clone, Debug)]
pub struct House {
    root: PathBuf,
}

impl House {
    /// The house at `root`.
    ///
    /// # Errors
    ///
    /// There is no `book/book.toml` in it.
    pub fn at(root: &Path) -> Result<House> {
        let root = root
            .canonicalize()
            .map_err(|error| Problem::new(format!("cannot open the folder {}: {error}", root.display())))?;
        let house = House { root };
        if house.book().join("book.toml").is_file() {
            Ok(house)
        } else {
            Err(Problem::new(format!("{} has no book/book.toml", house.root.display())).into())
        }
    }

    /// The house around the current folder; if there is none, the one that this program was built in.
    ///
    /// # Errors
    ///
    /// There is neither.
    pub fn find() -> Result<House> {
        let here = std::env::current_dir().unwrap_or_default();
        let built_in = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
        here.ancestors()
            .chain(built_in)
            .find_map(|folder| House::at(folder).ok())
            .ok_or_else(|| Problem::new("no book/book.toml in this folder or above it: say where with --root").into())
    }

    /// The root of the repository.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder that holds `book.toml`.
    pub fn book(&self) -> PathBuf {
        self.root.join("book")
    }

    /// The chapters.
    pub fn chapters(&self) -> PathBuf {
        self.book().join("chapters")
    }

    /// A chapter as messages name it.
    pub fn chapter_name(chapter: &Path) -> PathBuf {
        Path::new("book/chapters").join(chapter)
    }

    /// What the examples printed, and their timelines.
    pub fn recorded(&self, file_name: &str) -> PathBuf {
        self.book().join("recorded").join(file_name)
    }

    /// `path` without the root, for messages.
    pub fn shown<'a>(&self, path: &'a Path) -> &'a Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }

    /// The text of a file that a chapter names.
    ///
    /// # Errors
    ///
    /// The path leaves the repository, or the file cannot be read. The problem has no place: the caller knows the line.
    pub fn read(&self, path: &str) -> std::result::Result<String, String> {
        let leaves = Path::new(path).components().any(|part| !matches!(part, std::path::Component::Normal(_)));
        if path.is_empty() || leaves {
            return Err(format!("`{path}` is not a path from the root of the repository"));
        }
        std::fs::read_to_string(self.root.join(path)).map_err(|error| format!("cannot read `{path}`: {error}"))
    }

    /// The names of the examples, from `examples/Cargo.toml`: the only programs that the book runs.
    ///
    /// # Errors
    ///
    /// The manifest is there but cannot be understood. A house without examples has none.
    pub fn examples(&self) -> Result<Vec<String>> {
        let manifest = self.root.join("examples/Cargo.toml");
        let Ok(text) = std::fs::read_to_string(&manifest) else {
            return Ok(Vec::new());
        };
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            Problems::from(Problem::in_file(self.shown(&manifest), error.message()))
        })?;
        let examples = table.get("example").and_then(toml::Value::as_array);
        Ok(examples
            .into_iter()
            .flatten()
            .filter_map(|example| Some(example.get("name")?.as_str()?.to_owned()))
            .collect())
    }
}
