//! The weaver: chapters in, pages out.
//!
//! mdBook renders; this preprocessor, the only one that runs, replaces each directive by what it names. `book/README.md` tells
//! authors what there is. All problems of all chapters are found in one run.

use crate::chapter::{Chapter, Piece};
use crate::house::House;
use crate::page::Page;
use crate::problem::{Problem, Problems, Result};
use mdbook_driver::MDBook;
use mdbook_preprocessor::book::Book;
use mdbook_preprocessor::config::Config;
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The name of the file that says that a folder of pages is ours to overwrite.
const MARK: &str = ".handloom";

/// The script that reloads a page, from the book's folder.
const LIVE_SCRIPT: &str = "theme/live.js";

/// What the pages are woven for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Woven {
    /// To be read from a folder or any server: nothing on them runs.
    ToKeep,
    /// For our own server: they reload when it has built again.
    ToServe {
        /// What their Run panels carry, if the server runs examples.
        token: Option<String>,
    },
}

/// Weaves the book into the folder `out`, which is made, or emptied if an earlier run made it.
///
/// # Errors
///
/// The problems of the chapters; or that `out` is somebody else's, or cannot be written.
pub fn build(house: &House, out: &Path, woven: &Woven) -> Result<()> {
    claim(out)?;
    let mut book = load(house)?;
    // mdBook reads the folder as relative to the book's: only an absolute path means what we mean.
    book.config.build.build_dir = std::path::absolute(out).unwrap_or_else(|_| out.to_owned());
    let mut token = None;
    if let Woven::ToServe { token: given } = woven {
        token.clone_from(given);
        let mut scripts = book.config.html_config().unwrap_or_default().additional_js;
        scripts.push(LIVE_SCRIPT.into());
        book.config.set("output.html.additional-js", scripts).map_err(from_mdbook)?;
    }
    let examples = house.examples()?.into_iter().collect();
    book.with_preprocessor(Weaver { house: house.clone(), examples, token });
    let warnings = Warnings::default();
    tracing::subscriber::with_default(warnings.clone(), || book.build()).map_err(from_mdbook)?;
    Problems::or(warnings.take())?;
    std::fs::write(out.join(MARK), "Made by handloom, which empties this folder before each build.\n")
        .map_err(|error| unwritable(out, &error))
}

/// The book as mdBook loads it, its chapters not yet woven.
///
/// # Errors
///
/// `book.toml`, `SUMMARY.md` or a chapter cannot be read.
pub fn load(house: &House) -> Result<MDBook> {
    let mut config = Config::from_disk(house.book().join("book.toml")).map_err(from_mdbook)?;
    // A page that is missing is an error, and ours is the only preprocessor: what it does not know is an error too.
    config.build.create_missing = false;
    config.build.use_default_preprocessors = false;
    MDBook::load_with_config(house.book(), config).map_err(from_mdbook)
}

/// Refuses a folder with somebody's files in it: mdBook empties the folder that it writes to.
fn claim(out: &Path) -> Result<()> {
    std::fs::create_dir_all(out).map_err(|error| unwritable(out, &error))?;
    let mut entries = std::fs::read_dir(out).map_err(|error| unwritable(out, &error))?;
    if entries.next().is_some() && !out.join(MARK).exists() {
        let message = format!("{} is not empty and was not made by handloom: choose another --out", out.display());
        return Err(Problem::new(message).into());
    }
    std::fs::write(out.join(MARK), "").map_err(|error| unwritable(out, &error))
}

fn unwritable(out: &Path, error: &std::io::Error) -> Problems {
    Problem::new(format!("cannot write to the folder {}: {error}", out.display())).into()
}

/// Our own problems travel through mdBook's error type; the others become one line.
fn from_mdbook(error: mdbook_preprocessor::errors::Error) -> Problems {
    match error.downcast::<Problems>() {
        Ok(problems) => problems,
        Err(error) => Problem::new(format!("{error:#}")).into(),
    }
}

/// The preprocessor, and what the directives draw on.
pub(crate) struct Weaver {
    pub(crate) house: House,
    pub(crate) examples: BTreeSet<String>,
    /// What the Run panels carry, if they may run anything.
    pub(crate) token: Option<String>,
}

impl Preprocessor for Weaver {
    fn name(&self) -> &str {
        "handloom"
    }

    fn run(&self, _: &PreprocessorContext, mut book: Book) -> mdbook_preprocessor::errors::Result<Book> {
        let mut problems = Vec::new();
        let sources = book.chapters().filter_map(|chapter| {
            Some(Source {
                path: chapter.source_path.clone()?,
                title: chapter.name.clone(),
                text: chapter.content.clone(),
            })
        });
        let sources: Vec<Source> = sources.collect();
        let mut pages = sources.iter().map(|source| self.weave(source, &sources, &mut problems));
        book.for_each_chapter_mut(|chapter| {
            if chapter.source_path.is_some() {
                chapter.content = pages.next().expect("a page for each source");
            }
        });
        drop(pages);
        Ok(Problems::or(problems).map(|()| book)?)
    }
}

/// A chapter as its author wrote it.
struct Source {
    path: PathBuf,
    title: String,
    text: String,
}

impl Weaver {
    /// One chapter, every directive replaced. `{{#answers}}` draws on all the others.
    fn weave(&self, source: &Source, all: &[Source], problems: &mut Vec<Problem>) -> String {
        let file = House::chapter_name(&source.path);
        let mut chapter = Chapter::parse(&file, &source.text);
        problems.append(&mut chapter.problems);
        let mut page = Page::new(self, &source.title, chapter.minutes);
        let mut wrong = |(line, message)| problems.push(Problem::at(&file, line, message));
        for piece in &chapter.pieces {
            if let Piece::Open { name: "answers", arguments: "", .. } = piece {
                all.iter().for_each(|source| answers(source, &mut page));
            } else {
                page.add(piece).unwrap_or_else(&mut wrong);
            }
        }
        page.finish().unwrap_or_else(|problem| {
            wrong(problem);
            String::new()
        })
    }
}

/// Every question of a chapter with its answer, and the solution of every exercise. What is wrong with one of them is said where it
/// stands.
fn answers(source: &Source, page: &mut Page) {
    let chapter = Chapter::parse(&source.path, &source.text);
    let heading = format!("## [{}]({})", source.title, source.path.display());
    let mut heading = Some(Piece::Line(&heading));
    let mut inside = false;
    for piece in &chapter.pieces {
        inside |= matches!(piece, Piece::Open { name: "predict", .. });
        let exercise = match piece {
            Piece::Open { name: "exercise", arguments, .. } => Some(*arguments),
            _ => None,
        };
        if (inside || exercise.is_some())
            && let Some(heading) = heading.take()
        {
            let _ = page.add(&heading);
        }
        if let Some(name) = exercise {
            let _ = page.solution(name);
        } else if inside {
            let _ = page.add(piece);
        }
        inside &= !matches!(piece, Piece::Close { name: "predict", .. });
    }
}

/// mdBook says some things only to its log (a tag that is never closed, a link definition that is missing): here they count.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<Problem>>>);

impl Warnings {
    fn take(&self) -> Vec<Problem> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() <= tracing::Level::WARN
    }

    fn event(&self, event: &tracing::Event<'_>) {
        let mut message = Message::default();
        event.record(&mut message);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Problem::new(message.0));
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

/// The text of a log event.
#[derive(Default)]
struct Message(String);

impl tracing::field::Visit for Message {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}
