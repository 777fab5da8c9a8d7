//! A reader's own runtime: made, and judged, in the folder that the reader names, without a network.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    thread,
};

/// Chapter 5, whole.
const CHAPTER_5: &str = "
use stages::cases::Runtime;
use std::future::Future;

pub struct Mine;

impl Runtime for Mine {
    fn block_on<F: Future>(future: F) -> F::Output {
        stages::s05_block_on::block_on(future)
    }
}
";

/// Whatever cargo would ask of the network, it asks nobody. (Told that it is offline, it takes what it has, in any version.)
fn cargo(arguments: &[&str]) -> Output {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(arguments).current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    cargo.envs([("CARGO_HTTP_PROXY", "http://127.0.0.1:1"), ("CARGO_NET_RETRY", "0")]);
    cargo.output().expect("cargo is here")
}

/// An example of `stages`, as `just` runs it.
fn stages(example: &str, arguments: &[&str]) -> Output {
    cargo(&[&["run", "--quiet", "-p", "stages", "--example", example, "--"], arguments].concat())
}

fn assert_success(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The last line of a judge.
fn last_line(output: &Output) -> &str {
    let said = str::from_utf8(&output.stdout).unwrap().trim_end();
    said.lines().last().unwrap_or_else(|| panic!("it says nothing: {}", String::from_utf8_lossy(&output.stderr)))
}

/// In the target folder, so that the second time there is little to build.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name).join("my-runtime");
    let _ = fs::remove_dir_all(&folder);
    folder
}

/// Judged by one program, one of the two would be told what is true of the other.
#[test]
fn two_crates_of_one_name_each_have_a_judge_without_a_network() {
    let folders = ["one", "other"].map(folder);
    let [new, other] = folders.each_ref().map(|folder| folder.to_str().expect("a path of letters"));
    for folder in [new, other] {
        assert_success(&stages("new", &[folder]));
        // All that it depends on is known, and here.
        assert_success(&cargo(&["tree", "--manifest-path", &format!("{folder}/Cargo.toml")]));
    }
    fs::write(folders[1].join("src/check.rs"), CHAPTER_5).unwrap();
    // Both at once: neither may change what the other runs.
    thread::scope(|scope| {
        for (folder, passes) in [(new, false), (other, true)] {
            scope.spawn(move || {
                let judged = stages("check", &["05", "--runtime", folder]);
                let line = last_line(&judged);
                assert_eq!((judged.status.success(), line.starts_with("0 of ")), (passes, !passes), "{folder}: {line}");
            });
        }
    });
}
