//! Cargo, as the book uses it: to build an example, and to find the libraries that a page's code links with.
//!
//! What is built goes where this program itself was built, in the same profile, and no package is named: Cargo then gives every
//! dependency the features that the whole workspace needs, as a bare `cargo run` does, and compiles nothing twice.

use crate::house::House;
use crate::problem::{Problem, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Makes Cargo say what it made, and leaves its warnings and errors readable.
const MESSAGES: &str = "--message-format=json-render-diagnostics";

/// The `cargo build` that fits this program: its arguments, without what is to be built.
pub fn build_arguments() -> Vec<String> {
    let mut arguments = vec!["build".to_owned(), "--quiet".to_owned()];
    // .../TARGET/PROFILE/handloom; a program that was copied elsewhere uses Cargo's defaults.
    let program = std::env::current_exe().unwrap_or_default();
    let profile_folder = program.ancestors().find(|folder| folder.join(".cargo-lock").exists());
    let Some((profile_folder, target)) = profile_folder.and_then(|folder| Some((folder, folder.parent()?))) else {
        return arguments;
    };
    match profile_folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => {}
        Some(profile) => arguments.extend(["--profile".to_owned(), profile.to_owned()]),
    }
    arguments.extend(["--target-dir".to_owned(), target.display().to_string()]);
    arguments
}

/// The program to call: the one that started us, if any did.
pub fn program() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// One thing that Cargo made.
struct Artifact {
    name: String,
    files: Vec<PathBuf>,
    executable: Option<PathBuf>,
}

/// Builds, and gives what Cargo said of what it made, one JSON object a line. Standard error of a failing build becomes the problem.
fn build(house: &House, what: &[&str]) -> Result<String> {
    let done = Command::new(program())
        .args(build_arguments())
        .args(what)
        .current_dir(house.root())
        .output()
        .map_err(|error| Problem::new(format!("cannot start cargo: {error}")))?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        return Err(Problem::new(format!("cargo {} failed: {said}", what.join(" "))).into());
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

fn artifact(message: &str) -> Option<Artifact> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    if message["reason"] != "compiler-artifact" {
        return None;
    }
    let files = message["filenames"].as_array()?.iter();
    Some(Artifact {
        name: message["target"]["name"].as_str()?.to_owned(),
        files: files.filter_map(|file| file.as_str().map(PathBuf::from)).collect(),
        executable: message["executable"].as_str().map(PathBuf::from),
    })
}

/// What to add to [`build_arguments`] for an example.
pub fn example_arguments(name: &str) -> [&str; 3] {
    ["--example", name, MESSAGES]
}

/// Where the program of an example is, from what Cargo said while it built it.
pub fn executable(messages: &str, name: &str) -> Option<PathBuf> {
    let mut artifacts = messages.lines().filter_map(artifact).filter(|artifact| artifact.name == name);
    artifacts.find_map(|artifact| artifact.executable)
}

/// Builds an example, and says where its program is.
///
/// # Errors
///
/// It does not build.
pub fn build_example(house: &House, name: &str) -> Result<PathBuf> {
    let messages = build(house, &example_arguments(name))?;
    executable(&messages, name)
        .ok_or_else(|| Problem::new(format!("cargo did not say where the example {name} is")).into())
}

/// The crates that the code of a page may use.
const CRATES: [&str; 8] = ["runtime", "netio", "stages", "examples", "futures_lite", "futures_io", "bytes", "http"];

/// Builds these crates, and gives the compiler's arguments that make them known: none in a house that is no workspace.
///
/// # Errors
///
/// They do not build.
pub fn extern_arguments(house: &House) -> Result<Vec<String>> {
    if !house.root().join("Cargo.toml").exists() {
        return Ok(Vec::new());
    }
    let made = build(house, &["--lib", MESSAGES])?;
    let mut arguments = Vec::new();
    for artifact in made.lines().filter_map(artifact) {
        let name = artifact.name.replace('-', "_");
        let Some(library) = artifact.files.iter().find(|file| file.extension().is_some_and(|e| e == "rlib")) else {
            continue;
        };
        let deps = library.parent().filter(|folder| folder.ends_with("deps"));
        if let Some(deps) = deps.map(Path::to_owned).or_else(|| Some(library.parent()?.join("deps"))) {
            let search = format!("dependency={}", deps.display());
            if !arguments.contains(&search) {
                arguments.extend(["-L".to_owned(), search]);
            }
        }
        if CRATES.contains(&name.as_str()) {
            arguments.extend(["--extern".to_owned(), format!("{name}={}", library.display())]);
        }
    }
    Ok(arguments)
}
