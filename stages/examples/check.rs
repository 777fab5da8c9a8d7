//! Runs the cases of the chapters on your own runtime: `just check 05 --runtime ../my-runtime`.
//!
//! Your crate exports a `Mine` that implements `stages::cases::Runtime`. A small program that calls the cases with it is made in
//! the target folder of this workspace, built, and run.

use std::{
    env, fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

/// What this repository was built with: the program takes the same, so there is nothing to fetch.
const LOCK: &str = include_str!("../../Cargo.lock");

const USAGE: &str = "usage: just check CHAPTER --runtime FOLDER, as in: just check 05 --runtime ../my-runtime";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (chapter, folder) = match arguments[..] {
        [chapter, "--runtime", folder] | ["--runtime", folder, chapter] => (chapter, folder),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(64);
        }
    };
    match check(chapter, Path::new(folder)) {
        Ok(all_pass) => ExitCode::from(u8::from(!all_pass)),
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::from(2)
        }
    }
}

/// Do all cases pass?
fn check(chapter: &str, folder: &Path) -> Result<bool, String> {
    let folder = folder.canonicalize().map_err(|error| format!("{}: {error}", folder.display()))?;
    let name = name_of(&folder.join("Cargo.toml"))?;
    let program =
        make_program(&name, &folder).map_err(|error| format!("cannot make the program that checks: {error}"))?;
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["run", "--quiet", "--manifest-path"]).arg(program.join("Cargo.toml")).arg("--").arg(chapter);
    let status = command.status().map_err(|error| format!("cannot run cargo: {error}"))?;
    Ok(status.success())
}

/// The name of a package, without a parser: the first `name = "…"` of its `[package]`.
fn name_of(manifest: &Path) -> Result<String, String> {
    let text = fs::read_to_string(manifest).map_err(|error| format!("{}: {error}", manifest.display()))?;
    let lines = text.lines().map(str::trim).skip_while(|line| *line != "[package]").skip(1);
    let mut lines = lines.take_while(|line| !line.starts_with('['));
    let name = lines.find_map(|line| line.strip_prefix("name")?.trim_start().strip_prefix('='));
    let name = name.map(|name| name.trim().trim_matches('"').to_owned());
    name.ok_or_else(|| format!("{}: it names no package", manifest.display()))
}

fn make_program(name: &str, folder: &Path) -> std::io::Result<PathBuf> {
    let stages = Path::new(env!("CARGO_MANIFEST_DIR"));
    // Two folders may have crates of one name, and then each has a judge of its own.
    let mut hasher = DefaultHasher::new();
    folder.hash(&mut hasher);
    let own_name = format!("check-{name}-{:08x}", hasher.finish() >> 32);
    let program = stages.join("../target/check").join(&own_name);
    fs::create_dir_all(program.join("src"))?;
    let manifest = format!(
        "[package]\nname = \"{own_name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n\
         {name} = {{ path = {folder:?} }}\nstages = {{ path = {stages:?} }}\n\n[workspace]\n"
    );
    let main = format!(
        "fn main() -> std::process::ExitCode {{\n    stages::cases::main::<{}::Mine>()\n}}\n",
        name.replace('-', "_")
    );
    for (file, text) in [("Cargo.toml", manifest), ("src/main.rs", main)] {
        let file = program.join(file);
        // Untouched if it is right already: cargo looks at the time of a file.
        if fs::read_to_string(&file).ok().as_deref() != Some(&text) {
            fs::write(file, text)?;
        }
    }
    let lock = program.join("Cargo.lock");
    // Once: from then on it is cargo's, which takes out what is not needed here.
    if !lock.exists() {
        fs::write(lock, LOCK)?;
    }
    Ok(program)
}
