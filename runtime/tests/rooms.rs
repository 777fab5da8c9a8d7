//! The floors of the house: a room uses only those below it.

use std::{collections::BTreeSet, fs, path::Path};

/// Ground floor first.
const FLOORS: [&str; 23] = [
    "std_or_loom",
    "current",
    "budget",
    "awaits",
    "random",
    "trace",
    "task",
    "queue",
    "time",
    "network",
    "reactor",
    "blocking",
    "debug",
    "worker",
    "runtime",
    "process",
    "signal",
    "world",
    "io",
    "fs",
    "group",
    "cache",
    "lib",
];

/// Rooms that run on any executor: they use none of ours, beside each other and those that need no runtime.
const APART: [&str; 3] = ["sync", "future", "stream"];

/// What any room may use, because on a foreign executor it does nothing: the names for `std`'s own primitives, the budget, the
/// notes of what a task waits for, and chance.
const FOR_ALL: [&str; 4] = ["std_or_loom", "budget", "awaits", "random"];

/// What the crate's root hands on, and the room that it comes from.
const HANDED_ON: [(&str, &str); 2] = [("AsyncFd", "reactor"), ("JoinHandle", "task")];

/// The source of a room, its models and tests left out.
fn source(path: &Path) -> String {
    if path.is_dir() {
        let mut files: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        return files.iter().map(|file| source(file)).collect();
    }
    let name = path.file_name().unwrap().to_str().unwrap();
    if matches!(name, "tests.rs" | "loom_models.rs") {
        return String::new();
    }
    fs::read_to_string(path).unwrap().split("#[cfg(test)]\nmod tests").next().unwrap().to_owned()
}

/// The rooms named after `crate::`, also in braces.
fn rooms_used(source: &str) -> BTreeSet<String> {
    let code: String =
        source.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let name = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut used = BTreeSet::new();
    for (_, after) in code.match_indices("crate::").map(|(at, found)| code[at..].split_at(found.len())) {
        let Some(group) = after.strip_prefix('{') else {
            // `crate::name!` is a macro: what it uses is named where it is written.
            if !after[name(after).len()..].starts_with('!') {
                used.insert(name(after));
            }
            continue;
        };
        let mut depth = 0;
        let mut start = true;
        for (at, letter) in group.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => start = true,
                letter if start && letter.is_alphanumeric() => {
                    used.insert(name(&group[at..]));
                    start = false;
                }
                _ => {}
            }
        }
    }
    used
}

#[test]
fn a_room_uses_only_those_below_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let floor = |room: &str| FLOORS.iter().position(|name| *name == room);
    let mut seen = 0;
    for entry in fs::read_dir(&root).unwrap() {
        let path = entry.unwrap().path();
        let room = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let used = rooms_used(&source(&path));
        seen += 1;
        if APART.contains(&room.as_str()) {
            assert!(
                used.iter().all(|name| APART.contains(&name.as_str()) || FOR_ALL.contains(&name.as_str())),
                "{room} runs on any executor, and uses {used:?}"
            );
            continue;
        }
        let own = floor(&room).unwrap_or_else(|| panic!("{room} has no floor: give it one in this test"));
        for name in used {
            let below = HANDED_ON.iter().find(|(item, _)| *item == name).map_or(name.as_str(), |(_, room)| room);
            if APART.contains(&below) {
                continue;
            }
            let other = floor(below).unwrap_or_else(|| panic!("{room} uses {name}, which is no room"));
            assert!(other <= own, "{room} uses {below}, which is above it");
        }
    }
    assert_eq!(seen, FLOORS.len() + APART.len(), "a room of the list is gone");
}
