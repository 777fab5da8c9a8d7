//! Makes a crate for your own runtime: `just new ../my-runtime`.

use std::{env, fs, path::Path, process::ExitCode};

fn main() -> ExitCode {
    let Some(folder) = env::args().nth(1) else {
        eprintln!("where shall it be? Name a folder that is not there yet: just new ../my-runtime");
        return ExitCode::from(64);
    };
    match make(Path::new(&folder)) {
        Ok(()) => {
            println!("{folder} is there, and compiles. Chapter 5 writes its first function; then:\n");
            println!("    just check 05 --runtime {folder}");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("{folder}: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn make(folder: &Path) -> Result<(), String> {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let first = name.chars().next().is_some_and(|first| first.is_ascii_alphabetic());
    if !first || !name.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_')) {
        return Err("its last part names the crate: letters, digits, - and _, and a letter first".to_owned());
    }
    if folder.exists() {
        return Err("it is there already, and stays as it is".to_owned());
    }
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n\n[dependencies]\n\
         # The cases that judge it.\nstages = {{ path = \"{}\" }}\n\n# It belongs to no other workspace, wherever it is.\n[workspace]\n",
        env!("CARGO_MANIFEST_DIR")
    );
    let files = [
        ("Cargo.toml", manifest.as_str()),
        // What this repository was built with, so that there is nothing to fetch. Cargo takes out what is not needed.
        ("Cargo.lock", include_str!("../../Cargo.lock")),
        (".gitignore", "/target\n"),
        ("src/lib.rs", include_str!("../template/src/lib.rs")),
        ("src/check.rs", include_str!("../template/src/check.rs")),
    ];
    fs::create_dir_all(folder.join("src")).map_err(|error| error.to_string())?;
    for (file, text) in files {
        fs::write(folder.join(file), text).map_err(|error| format!("{file}: {error}"))?;
    }
    Ok(())
}
