//! Every Rust block that stands in a chapter, compiled and run.
//!
//! `rustdoc --test` does it, on a copy of the page in which each directive is an empty line: what a directive brings in is compiled
//! where it comes from, and the lines keep their numbers, so that a failure names the line that the author sees. Blocks that must
//! not compile go to the compiler one by one instead, because only so can the error's code be compared.

use crate::cargo;
use crate::chapter::{Chapter, Fence, Piece};
use crate::check;
use crate::house::House;
use crate::problem::{Problem, Result};
use std::path::Path;
use std::process::{Command, Output};

/// Compiles and runs the Rust blocks of all chapters.
///
/// # Errors
///
/// The book cannot be loaded, the crates do not build, or the compiler cannot be started.
pub fn run(house: &House) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    let chapters = check::chapters(house)?;
    let has_rust = |text: &str| Chapter::parse(Path::new(""), text).fences.iter().any(Fence::is_rust);
    if !chapters.iter().any(|(_, text)| has_rust(text)) {
        return Ok(problems);
    }
    let externs = cargo::extern_arguments(house)?;
    let folder = tempfile::tempdir().map_err(|error| Problem::new(format!("no temporary folder: {error}")))?;
    for (path, text) in chapters.iter().filter(|(_, text)| has_rust(text)) {
        let file = House::chapter_name(path);
        let chapter = Chapter::parse(&file, text);
        for fence in chapter.fences.iter().filter(|fence| fence.is_rust() && must_fail(fence)) {
            problems.extend(expect_failure(&file, fence, &externs, folder.path())?);
        }
        let page = folder.path().join(path.file_name().unwrap_or(path.as_os_str()));
        let tested = tested_text(text, &chapter);
        std::fs::write(&page, tested)
            .map_err(|error| Problem::new(format!("cannot write {}: {error}", page.display())))?;
        let output = call("rustdoc", &["--test".as_ref(), page.as_os_str()], &externs, folder.path())?;
        if !output.status.success() {
            problems.extend(failures(&file, &output));
        }
    }
    Ok(problems)
}

fn must_fail(fence: &Fence) -> bool {
    fence.words().any(|word| word == "compile_fail")
}

/// The page with its line numbers, but without what is not to be compiled here: directives, and blocks that must fail.
fn tested_text(text: &str, chapter: &Chapter) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    for piece in &chapter.pieces {
        if let Piece::Open { line, .. } | Piece::Close { line, .. } = piece {
            lines[line - 1] = "";
        }
    }
    for fence in chapter.fences.iter().filter(|fence| must_fail(fence)) {
        lines[fence.line - 1] = "```text";
    }
    lines.join("\n")
}

fn call(program: &str, arguments: &[&std::ffi::OsStr], externs: &[String], folder: &Path) -> Result<Output> {
    let output =
        Command::new(program).args(arguments).args(["--edition", "2024"]).args(externs).current_dir(folder).output();
    output.map_err(|error| Problem::new(format!("cannot start {program}: {error}")).into())
}

/// One problem for each block that rustdoc says failed: `---- PAGE.md - Title (line 12) stdout ----`, then why.
fn failures(file: &Path, output: &Output) -> Vec<Problem> {
    let said = String::from_utf8_lossy(&output.stdout);
    let mut problems: Vec<Problem> = Vec::new();
    for line in said.lines() {
        let heading = line.strip_prefix("---- ").and_then(|line| line.split_once("(line "));
        if let Some(number) = heading.and_then(|(_, rest)| rest.split_once(')')?.0.parse().ok()) {
            problems.push(Problem::at(file, number, ""));
        } else if let Some(problem) = problems.last_mut().filter(|problem| problem.message.is_empty()) {
            let tells = ["error", "thread ", "Test executable failed", "Test compiled successfully"];
            if tells.iter().any(|start| line.starts_with(start)) {
                problem.message = format!("this block fails: {line}");
            }
        } else if line.trim_start().starts_with("assertion") || line.starts_with("called `") {
            // The reason stands below the line that says where it panicked.
            if let Some(problem) = problems.last_mut() {
                problem.message.push_str(&format!(" {line}"));
            }
        }
    }
    if problems.is_empty() {
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        problems.push(Problem::in_file(file, format!("rustdoc failed: {why}")));
    }
    problems
}

/// Compiles a block that must not compile, and compares the error's code.
fn expect_failure(file: &Path, fence: &Fence, externs: &[String], folder: &Path) -> Result<Option<Problem>> {
    let body: Vec<&str> = fence.body.iter().map(|line| line.trim_start().strip_prefix("# ").unwrap_or(line)).collect();
    let body = body.join("\n");
    let source = if body.contains("fn main()") { body } else { format!("fn main() {{\n{body}\n}}") };
    let program = folder.join("must_fail.rs");
    std::fs::write(&program, source)
        .map_err(|error| Problem::new(format!("cannot write {}: {error}", program.display())))?;
    let arguments = ["--emit=metadata".as_ref(), "--color=never".as_ref(), program.as_os_str()];
    let output = call("rustc", &arguments, externs, folder)?;
    let said = String::from_utf8_lossy(&output.stderr);
    let code = fence.words().find(|word| word.starts_with('E'));
    let message = match code {
        None => "`compile_fail` names the error: `compile_fail,E0xxx`".to_owned(),
        Some(_) if output.status.success() => "this block must not compile, and does".to_owned(),
        Some(code) if said.contains(&format!("error[{code}]")) => return Ok(None),
        Some(code) => {
            let first = said.lines().find(|line| line.starts_with("error")).unwrap_or("nothing");
            format!("this block must fail with {code}, and fails with: {first}")
        }
    };
    Ok(Some(Problem::at(file, fence.line, message)))
}
