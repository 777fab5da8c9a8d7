//! What mdBook lets pass in silence, and we do not.
//!
//! The sources: fences without a language or without content, code that would escape the compiler, chapters that are too long or
//! do not say how long they take, pages that nothing leads to. The pages made from them: links and fragments that lead nowhere,
//! and anything that a browser would fetch from elsewhere.

use crate::chapter::{Chapter, Fence, Piece};
use crate::doctest;
use crate::house::House;
use crate::html::{self, Tag};
use crate::problem::{Problem, Problems, Result};
use crate::weave::{self, Woven};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

/// A chapter that is longer is two.
const LONGEST_CHAPTER: usize = 300;

/// Every check: weaves into a folder of its own, looks at sources and pages, compiles and runs every Rust block.
///
/// # Errors
///
/// All that is wrong, in the order of the chapters.
pub fn everything(house: &House) -> Result<()> {
    let folder = tempfile::tempdir().map_err(|error| Problem::new(format!("no temporary folder: {error}")))?;
    let pages = folder.path().join("pages");
    weave::build(house, &pages, &Woven::ToKeep)?;
    let mut problems = sources(house)?;
    problems.extend(self::pages(house, &pages)?);
    problems.extend(doctest::run(house)?);
    Problems::or(problems)
}

/// The chapters in the order of the book: the path below `chapters/`, and the text of the file.
///
/// # Errors
///
/// The book cannot be loaded.
pub fn chapters(house: &House) -> Result<Vec<(PathBuf, String)>> {
    let book = weave::load(house)?;
    let chapters = book.book.chapters();
    Ok(chapters.filter_map(|chapter| Some((chapter.source_path.clone()?, chapter.content.clone()))).collect())
}

/// What is wrong with the chapters as they are written.
///
/// # Errors
///
/// The book cannot be loaded.
pub fn sources(house: &House) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    let chapters = chapters(house)?;
    for (path, text) in &chapters {
        let file = House::chapter_name(path);
        let chapter = Chapter::parse(&file, text);
        if !chapter.is_unwritten() {
            form(&file, text, &chapter, &mut problems);
        }
        problems.extend(chapter.fences.iter().filter_map(|fence| fence_problem(&file, fence)));
        raw_code(&file, text, &chapter, &mut problems);
    }
    let known: BTreeSet<&Path> = chapters.iter().map(|(path, _)| path.as_path()).collect();
    for page in html::files_below(&house.chapters()) {
        let inside = page.strip_prefix(house.chapters()).unwrap_or(&page);
        let is_page = inside.extension().is_some_and(|extension| extension == "md");
        if is_page && inside != Path::new("SUMMARY.md") && !known.contains(inside) {
            problems.push(Problem::in_file(House::chapter_name(inside), "SUMMARY.md does not name this page"));
        }
    }
    Ok(problems)
}

fn form(file: &Path, text: &str, chapter: &Chapter, problems: &mut Vec<Problem>) {
    if chapter.minutes.is_none() {
        problems.push(Problem::at(file, 1, "the front matter does not say `minutes: NUMBER`"));
    }
    let lines = text.lines().count();
    if lines > LONGEST_CHAPTER {
        let message = format!("{lines} lines: a chapter has {LONGEST_CHAPTER} at most");
        problems.push(Problem::at(file, LONGEST_CHAPTER + 1, message));
    }
    if !chapter.pieces.iter().any(|piece| matches!(piece, Piece::Line(line) if line.starts_with("# "))) {
        problems.push(Problem::at(file, 1, "the page has no title (`# …`)"));
    }
}

fn fence_problem(file: &Path, fence: &Fence) -> Option<Problem> {
    let attributes = ["no_run", "should_panic", "compile_fail"];
    let error_code =
        |word: &str| word.len() == 5 && word.starts_with('E') && word[1..].bytes().all(|b| b.is_ascii_digit());
    let message = if fence.body.iter().all(|line| line.trim().is_empty()) {
        "this code fence is empty".to_owned()
    } else if fence.info.is_empty() {
        "this code fence does not name its language (`text` is one)".to_owned()
    } else if fence.words().any(|word| word == "ignore") {
        "`ignore` hides code from the compiler: use `no_run`, `compile_fail,E0xxx`, or `text`".to_owned()
    } else if fence.is_rust() {
        let unknown = fence.words().skip(1).find(|word| !attributes.contains(word) && !error_code(word))?;
        format!("a rust block knows {}, and an error's code, not `{unknown}`", attributes.join(", "))
    } else if fence.words().any(|word| word == "rust") {
        "`rust` comes first in a fence, or the compiler does not see the block".to_owned()
    } else {
        return None;
    };
    Some(Problem::at(file, fence.line, message))
}

/// Code that is written as HTML is code that nothing compiles; so is an indented block.
fn raw_code(file: &Path, text: &str, chapter: &Chapter, problems: &mut Vec<Problem>) {
    let fenced = |number: usize| {
        chapter.fences.iter().any(|fence| (fence.line..=fence.line + fence.body.len() + 1).contains(&number))
    };
    let (mut blank_before, mut in_list) = (false, false);
    for (number, line) in (1..).zip(text.lines()) {
        if line.starts_with(|c: char| !c.is_whitespace()) {
            in_list = line.starts_with(|c: char| "-*+".contains(c) || c.is_ascii_digit());
        }
        let indented_block = blank_before && !in_list && line.starts_with("    ");
        if !fenced(number) && (line.contains("<pre") || line.contains("<code") || indented_block) {
            problems.push(Problem::at(file, number, "code stands in a fence, so that the compiler sees it"));
        }
        blank_before = line.trim().is_empty();
    }
}

/// What is wrong with the pages in `folder`, as a browser sees them.
///
/// # Errors
///
/// The book cannot be loaded.
pub fn pages(house: &House, folder: &Path) -> Result<Vec<Problem>> {
    let sources: BTreeMap<PathBuf, String> =
        chapters(house)?.into_iter().map(|(path, text)| (path.with_extension("html"), text)).collect();
    let mut site: BTreeMap<PathBuf, Vec<Tag>> = BTreeMap::new();
    let mut problems = Vec::new();
    for file in html::files_below(folder) {
        let name = file.strip_prefix(folder).unwrap_or(&file).to_owned();
        match name.extension().and_then(|extension| extension.to_str()) {
            Some("html") => {
                site.insert(name, html::tags(&std::fs::read_to_string(&file).unwrap_or_default()));
            }
            Some("css") => {
                let text = std::fs::read_to_string(&file).unwrap_or_default();
                let fetched = ["url(http", "url(\"http", "url('http", "url(//", "@import \"http"];
                if fetched.iter().any(|call| text.contains(call)) {
                    problems.push(Problem::in_file(&name, "this style sheet fetches from elsewhere"));
                }
            }
            _ => {}
        }
    }
    for (page, tags) in &site {
        // `index.html` and `print.html` repeat chapters, at other places: their problems are those of the chapters.
        let repeated = ["index.html", "print.html"].iter().any(|name| page == Path::new(name));
        let base = if page == Path::new("404.html") { Path::new("") } else { page.parent().unwrap_or(Path::new("")) };
        for (tag, target, fetched) in tags.iter().flat_map(links) {
            let message = if outside(target) {
                fetched.then(|| format!("<{}> fetches {target}: everything comes from this server", tag.name))
            } else if repeated {
                None
            } else {
                dead(folder, &site, page, base, target)
            };
            if let Some(message) = message {
                problems.push(in_source(&sources, page, target, message));
            }
        }
    }
    Ok(problems)
}

/// Every address that a tag names, and whether the browser fetches it by itself.
fn links(tag: &Tag) -> Vec<(&Tag, &str, bool)> {
    let address = |key| tag.attribute(key);
    let found = match tag.name.as_str() {
        "a" | "area" => (address("href"), false),
        "link" | "use" | "image" => (address("href").or(address("xlink:href")), true),
        "object" => (address("data"), true),
        _ => (address("src"), true),
    };
    let srcset =
        address("srcset").into_iter().flat_map(|set| set.split(',')).filter_map(|one| one.split_whitespace().next());
    let one = found.0.map(|target| (tag, target, found.1));
    one.into_iter().chain(srcset.map(|target| (tag, target, true))).collect()
}

fn outside(target: &str) -> bool {
    target.starts_with("//") || ["http:", "https:", "mailto:", "ftp:"].iter().any(|scheme| target.starts_with(scheme))
}

/// Why a link within the book leads nowhere, if it does.
fn dead(folder: &Path, site: &BTreeMap<PathBuf, Vec<Tag>>, page: &Path, base: &Path, target: &str) -> Option<String> {
    if target.starts_with("data:") {
        return None;
    }
    let (path, fragment) = target.split_once('#').unwrap_or((target, ""));
    let path = path.split('?').next().unwrap_or(path);
    let named = if path.is_empty() { page.to_owned() } else { resolved(base, path)? };
    let named = if folder.join(&named).is_dir() { named.join("index.html") } else { named };
    if !folder.join(&named).is_file() {
        return Some(format!("the link `{target}` leads to no page"));
    }
    let fragment = percent_encoding::percent_decode_str(fragment).decode_utf8_lossy();
    let tags = site.get(&named)?;
    let there = fragment.is_empty()
        || tags.iter().any(|tag| [tag.attribute("id"), tag.attribute("name")].contains(&Some(&fragment)));
    (!there).then(|| format!("`{}` has no `#{fragment}`", named.display()))
}

/// `path` as seen from the folder `base`, without `..`.
fn resolved(base: &Path, path: &str) -> Option<PathBuf> {
    let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    let joined = if let Some(absolute) = path.strip_prefix('/') { PathBuf::from(absolute) } else { base.join(&*path) };
    let mut plain = PathBuf::new();
    for part in joined.components() {
        match part {
            Component::ParentDir if !plain.pop() => return Some(joined),
            Component::Normal(name) => plain.push(name),
            _ => {}
        }
    }
    Some(plain)
}

/// The problem, at the line of the chapter that names `target`.
fn in_source(sources: &BTreeMap<PathBuf, String>, page: &Path, target: &str, message: String) -> Problem {
    let Some(text) = sources.get(page) else {
        return Problem::in_file(page, message);
    };
    let file = House::chapter_name(&page.with_extension("md"));
    let written = target.replace(".html", ".md");
    let line = text.lines().position(|line| line.contains(target) || line.contains(&written));
    match line {
        Some(index) => Problem::at(file, index + 1, message),
        None => Problem::in_file(file, message),
    }
}
