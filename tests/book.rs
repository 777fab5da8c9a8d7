//! The weaver and the checks: each failure is one line that names the place, and the real book has none.
//!
//! Each test writes a small book, runs `handloom` on it, and reads what an author would read.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;
use tests::{handloom, root};

/// A book of one page, `book/chapters/page.md`, with whatever files a test adds.
struct Book(TempDir);

impl Book {
    fn new(page: &str) -> Book {
        let book = Book(tempfile::tempdir().expect("a temporary folder"));
        book.with("book/book.toml", "[book]\nsrc = \"chapters\"\n")
            .with("book/chapters/SUMMARY.md", "# Summary\n\n- [Page](page.md)\n")
            .with("book/chapters/page.md", &format!("---\nminutes: 1\n---\n# Page\n\n{page}\n"))
            .with("examples/Cargo.toml", "[[example]]\nname = \"hello\"\n")
            .with("src/a.rs", "// ANCHOR: one\nfn one() {}\n// ANCHOR_END: one\n")
    }

    fn with(self, path: &str, text: &str) -> Book {
        let file = self.0.path().join(path);
        std::fs::create_dir_all(file.parent().expect("a file has a folder")).expect("the folder");
        std::fs::write(file, text).expect("the file");
        self
    }

    /// What `handloom ARGUMENTS` says on standard error, or the page if it succeeds.
    fn run(&self, arguments: &[&str]) -> Result<String, String> {
        let done = Command::new(handloom())
            .arg("--root")
            .arg(self.0.path())
            .args(arguments)
            .current_dir(self.0.path())
            .output()
            .expect("handloom starts");
        let said = String::from_utf8(done.stderr).expect("it says text");
        match done.status.code() {
            Some(0) => Ok(String::from_utf8(done.stdout).expect("it prints text")),
            Some(1) => Err(said.trim_end().to_owned()),
            other => panic!("exit code {other:?}: {said}"),
        }
    }

    fn page(&self) -> String {
        self.run(&["build", "--out", "pages"]).expect("the book builds");
        std::fs::read_to_string(self.0.path().join("pages/page.html")).expect("the page")
    }

    fn build_problem(&self) -> String {
        self.run(&["build", "--out", "pages"]).expect_err("the book does not build")
    }

    fn test_problem(&self) -> String {
        self.run(&["test"]).expect_err("the book does not hold")
    }
}

#[test]
fn the_real_book_holds() {
    let done = Command::new(handloom()).arg("test").current_dir(root()).output().expect("handloom starts");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn every_recording_on_the_virtual_clock_is_what_its_example_prints_now() {
    let done = Command::new(handloom()).args(["record", "--compare"]).current_dir(root()).output();
    let done = done.expect("handloom starts");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn every_python_program_is_recorded_and_those_that_measure_end_well() {
    let recorded = |name: &str| std::fs::read_to_string(root().join(format!("book/recorded/{name}.txt")));
    let python = std::env::var("HANDLOOM_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let here = Command::new(&python).arg("--version").output().is_ok_and(|done| done.status.success());
    if !here {
        println!("SKIPPED: no python3 here, so its measuring programs were not run");
    }
    for file in std::fs::read_dir(root().join("examples/python")).expect("the folder") {
        let name = file.expect("an entry").file_name().into_string().expect("a name in ASCII");
        if !name.ends_with(".py") || name == "clock.py" {
            continue;
        }
        let recording = recorded(&name).unwrap_or_else(|_| panic!("`cargo run -- record {name}` was never run"));
        // The others are compared with what they print, by `record --compare`.
        if here && recording.contains("\n# machine:") {
            let program = format!("examples/python/{name}");
            let done = Command::new(&python).args(["-B", &program]).current_dir(root()).output().expect("it starts");
            assert!(done.status.success(), "{name}: {}", String::from_utf8_lossy(&done.stderr));
        }
    }
}

/// The sentences of a chapter: no code, no directives, no addresses, no tags.
fn prose(chapter: &str) -> String {
    let mut sentences = String::new();
    let mut fence = None;
    for line in chapter.lines() {
        let sign = line.trim_start().get(..3).filter(|sign| ["```", "~~~"].contains(sign));
        match (fence, sign) {
            (None, Some(sign)) => fence = Some(sign),
            (Some(open), Some(sign)) if open == sign => fence = None,
            (None, None) if !line.starts_with("{{") => {
                // `code`, [text](address), <tag>: every second part of what the signs cut is left out.
                let plain: String = line.split('`').step_by(2).collect::<Vec<_>>().join(" ");
                let plain: Vec<&str> =
                    plain.split("](").map(|part| part.split_once(')').map_or(part, |(_, rest)| rest)).collect();
                let plain = plain.join(" ");
                let words = plain.split_whitespace().filter(|word| !word.contains("://"));
                words.for_each(|word| sentences.extend([word, " "]));
            }
            _ => {}
        }
    }
    sentences
}

#[test]
fn every_word_is_spelt() {
    let known = std::fs::read_to_string(root().join("book/words.txt")).expect("the list of our own words");
    let known: Vec<&str> = known.lines().collect();
    let sorted = known.is_sorted_by(|one, next| one.to_lowercase() < next.to_lowercase());
    assert!(sorted, "book/words.txt is in the order of the alphabet, each word once");
    let files = std::fs::read_dir(root().join("book/chapters")).expect("the chapters");
    for file in files.map(|file| file.expect("an entry").path()) {
        let mut checker = Command::new("aspell");
        checker.args(["--lang=en_GB", "--encoding=utf-8", "list"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let Ok(mut checker) = checker.spawn() else {
            return println!("SKIPPED: no aspell here, so the spelling was not checked");
        };
        let text = prose(&std::fs::read_to_string(&file).expect("a chapter"));
        let mut pipe = checker.stdin.take().expect("it is piped");
        // From a thread of its own: it answers while it reads.
        let writer = std::thread::spawn(move || pipe.write_all(text.as_bytes()));
        let said = checker.wait_with_output().expect("it ends");
        writer.join().expect("it only writes").expect("it reads");
        assert!(said.status.success(), "aspell has no British dictionary: apt-get install aspell-en");
        let said = String::from_utf8(said.stdout).expect("it is text");
        let mut unknown: Vec<&str> = said.lines().map(|word| word.strip_suffix("'s").unwrap_or(word)).collect();
        unknown.retain(|word| !known.iter().any(|known| known.eq_ignore_ascii_case(word)));
        unknown.dedup();
        assert!(unknown.is_empty(), "{}: {unknown:?}: mend them, or add them to book/words.txt", file.display());
    }
}

#[test]
fn every_chapter_has_what_the_book_promises() {
    let parts = [
        ("an example to run", "{{#run "),
        ("the map", "{{#map "),
        ("a prediction", "{{#predict}}"),
        ("an exercise", "{{#exercise "),
        ("a trap", "\n## What can go wrong"),
        ("a checkpoint", "\n## Checkpoint"),
        ("the same elsewhere", "\n## The same in asyncio, tokio and smol"),
        ("further reading", "\n## Further reading"),
    ];
    let mut written = 0;
    for file in std::fs::read_dir(root().join("book/chapters")).expect("the chapters") {
        let name = file.expect("an entry").file_name().into_string().expect("a name in ASCII");
        let text = std::fs::read_to_string(root().join("book/chapters").join(&name)).expect("a chapter");
        // The map has the form of its own that it explains.
        let is_chapter = name.starts_with(|c: char| c.is_ascii_digit()) && !name.starts_with("00-");
        if !is_chapter || text.contains("{{#unwritten ") {
            continue;
        }
        written += 1;
        for (part, sign) in parts {
            assert!(text.contains(sign), "{name} has not {part}");
        }
    }
    assert!(written >= 25, "only {written} chapters");
}

/// The Rust files below a folder, as paths from the root.
fn rust_files(folder: &str) -> Vec<String> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(root().join(folder)).expect("the folder") {
        let name = entry.expect("an entry").file_name().into_string().expect("a name in ASCII");
        let path = format!("{folder}/{name}");
        match root().join(&path).is_dir() {
            true => files.extend(rust_files(&path)),
            false if name.ends_with(".rs") => files.push(path),
            false => {}
        }
    }
    files
}

#[test]
fn every_atomic_of_the_runtime_stands_in_the_appendix_and_every_model_there_exists() {
    let appendix = std::fs::read_to_string(root().join("book/chapters/c-memory-orderings.md")).expect("the appendix");
    let read = |path: &str| std::fs::read_to_string(root().join(path)).expect("a source");
    let (models, sources): (Vec<String>, Vec<String>) =
        rust_files("runtime/src").into_iter().partition(|path| path.ends_with("loom_models.rs"));
    let mut names_an_ordering = 0;
    for path in sources.iter().filter(|path| !path.ends_with("tests.rs")) {
        let text = read(path);
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or(&text).lines();
        let mut code = code.filter(|line| !line.trim_start().starts_with("//"));
        let called = ["(Ordering::", ", Ordering::", "Relaxed)", "Acquire)", "Release)", "AcqRel)", "SeqCst)"];
        if code.any(|line| called.iter().any(|call| line.contains(call)) && !line.contains("cmp::")) {
            names_an_ordering += 1;
            assert!(appendix.contains(path), "appendix C does not name {path}");
        }
    }
    assert!(names_an_ordering > 20, "only {names_an_ordering} files: does this test still read them?");
    let models: String = models.iter().map(|path| read(path)).collect();
    let named = appendix
        .split('`')
        .filter(|word| word.starts_with("a_") || word.starts_with("the_") || word.starts_with("two_"));
    for name in named.filter(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '_')) {
        assert!(models.contains(&format!("fn {name}")), "there is no model `{name}`");
    }
}

#[test]
fn a_listing_shows_its_file_its_lines_and_no_marker() {
    let page = Book::new("{{#listing src/a.rs:one}}").page();
    assert!(page.contains("<code>src/a.rs</code> · one · lines 2–2"));
    assert!(page.contains("fn one() {}") && !page.contains("ANCHOR"));
    assert!(page.contains("about 1 minutes"));
}

#[test]
fn what_a_directive_does_not_find_stops_the_build_at_its_line() {
    for (page, problem) in [
        ("{{#listing src/a.rs:two}}", "book/chapters/page.md:6: `src/a.rs` has no anchor `two`"),
        (
            "{{#listing src/b.rs}}",
            "book/chapters/page.md:6: cannot read `src/b.rs`: No such file or directory (os error 2)",
        ),
        ("{{#diff src/a.rs src/a.rs}}", "book/chapters/page.md:6: `src/a.rs` and `src/a.rs` do not differ"),
        ("{{#run helo}}", "book/chapters/page.md:6: there is no example `helo` in examples/Cargo.toml"),
        (
            "{{#output hello}}",
            "book/chapters/page.md:6: cannot read `book/recorded/hello.txt`: No such file or directory (os error 2); \
             `cargo run -- record hello` makes it",
        ),
        ("{{#listen x}}", "book/chapters/page.md:6: there is no directive `{{#listen x}}`: book/README.md lists them"),
        ("{{#predict}}\nWhat?\n{{/predict}}", "book/chapters/page.md:8: this `{{#predict}}` has no `{{#reveal}}`"),
        ("{{#exercise x}}\nDo.\n{{/exercise}}", "book/chapters/page.md:8: this `{{#exercise}}` has no `{{#hint}}`"),
        ("{{#predict}}\nWhat?\n{{#reveal}}", "book/chapters/page.md:6: `{{#predict}}` is never closed"),
        (
            "see {{#run hello}}",
            "book/chapters/page.md:6: a directive stands alone on its line, from the first column on",
        ),
    ] {
        assert_eq!(Book::new(page).build_problem(), problem);
    }
}

#[test]
fn a_build_that_fails_in_several_places_says_one_line() {
    let problem = Book::new("{{#run a}}\n{{#run b}}\n{{#run c}}").build_problem();
    assert_eq!(
        problem,
        "book/chapters/page.md:6: there is no example `a` in examples/Cargo.toml (and 2 more: `handloom test` lists them)"
    );
}

#[test]
fn an_exercise_shows_starter_hint_and_solution_from_one_file() {
    let exercise = "// ANCHOR: starter\nfn a() {}\n// ANCHOR_END: starter\n\
                    // ANCHOR: solution\nfn b() {}\n// ANCHOR_END: solution\n";
    let page = Book::new("{{#exercise ch01_x}}\nDo it.\n{{#hint}}\nThink.\n{{/exercise}}")
        .with("book/exercises/ch01_x.rs", exercise)
        .with("book/exercises/main.rs", "mod ch01_x;\n")
        .page();
    for part in ["fn a() {}", "Think.", "fn b() {}", "cargo test --test exercises ch01_x -- --ignored"] {
        assert!(page.contains(part), "{part} is missing");
    }
}

#[test]
fn the_answers_are_those_of_the_chapters() {
    let exercise = "// ANCHOR: starter\nfn a() {}\n// ANCHOR_END: starter\n\
                    // ANCHOR: solution\nfn b() {}\n// ANCHOR_END: solution\n";
    let page = "{{#predict}}\nHow many?\n{{#reveal}}\nSeven.\n{{/predict}}\n\nBetween.\n\n\
                {{#exercise ch01_x}}\nDo it.\n{{#hint}}\nThink.\n{{/exercise}}";
    let book = Book::new(page)
        .with("book/exercises/ch01_x.rs", exercise)
        .with("book/exercises/main.rs", "mod ch01_x;\n")
        .with("book/chapters/SUMMARY.md", "# Summary\n\n- [Page](page.md)\n- [Answers](answers.md)\n")
        .with("book/chapters/answers.md", "---\nminutes: 1\n---\n# Answers\n\n{{#answers}}\n");
    book.page();
    let answers = std::fs::read_to_string(book.0.path().join("pages/answers.html")).expect("the page of answers");
    let answers = answers.split_once("<main>").expect("it has a text").1;
    for part in ["href=\"page.html\"", "How many?", "Seven.", "fn b() {}"] {
        assert!(answers.contains(part), "{part} is missing");
    }
    for part in ["Between.", "Do it.", "Think.", "fn a() {}"] {
        assert!(!answers.contains(part), "{part} is no answer");
    }
}

#[test]
fn the_steps_of_a_trace_stand_as_text_where_there_is_no_script() {
    let trace = "      0.000 ms  poll     main\n";
    let page = Book::new("{{#steps x}}").with("book/recorded/x.trace.txt", trace).page();
    assert!(page.contains(r#"<div class="steps" hidden"#) && page.contains("0.000 ms  poll     main"));
    let missing = Book::new("{{#steps y}}").build_problem();
    assert!(missing.starts_with("book/chapters/page.md:6: cannot read `book/recorded/y.trace.txt`"), "{missing}");
}

#[test]
fn each_check_fires() {
    for (page, problem) in [
        ("[x](other.md)", "book/chapters/page.md:6: the link `other.html` leads to no page"),
        ("[x](#nowhere)", "book/chapters/page.md:6: `page.html` has no `#nowhere`"),
        (
            "![x](https://example.org/a.png)",
            "book/chapters/page.md:6: <img> fetches https://example.org/a.png: everything comes from this server",
        ),
        ("```text\n```", "book/chapters/page.md:6: this code fence is empty"),
        ("```\na\n```", "book/chapters/page.md:6: this code fence does not name its language (`text` is one)"),
        (
            "```text,rust\na\n```",
            "book/chapters/page.md:6: `rust` comes first in a fence, or the compiler does not see the block",
        ),
        (
            "```rust,ignore\na\n```",
            "book/chapters/page.md:6: `ignore` hides code from the compiler: use `no_run`, `compile_fail,E0xxx`, or `text`",
        ),
        ("<pre>fn a</pre>", "book/chapters/page.md:6: code stands in a fence, so that the compiler sees it"),
    ] {
        let said = Book::new(page).test_problem();
        assert!(said.lines().any(|line| line == problem), "expected: {problem}\nsaid: {said}");
    }
}

#[test]
fn every_rust_block_is_compiled_and_run() {
    let fails = |page: &str| Book::new(page).test_problem();
    assert!(
        fails("```rust\nlet a: u8 = \"\";\n```").starts_with("book/chapters/page.md:6: this block fails: error[E0308]")
    );
    assert!(fails("```rust\nassert_eq!(1, 2);\n```").starts_with("book/chapters/page.md:6: this block fails: "));
    assert_eq!(
        fails("```rust,compile_fail,E0382\nlet a = 1;\n```"),
        "book/chapters/page.md:6: this block must not compile, and does"
    );
    assert!(
        fails("```rust,compile_fail,E0382\nlet a: u8 = \"\";\n```")
            .contains("must fail with E0382, and fails with: error[E0308]")
    );
    let good = "{{#listing src/a.rs}}\n\n```rust\nassert_eq!(1 + 1, 2);\n```\n\n\
                ```rust,compile_fail,E0382\nlet a = String::new();\ndrop(a);\ndrop(a);\n```";
    assert_eq!(Book::new(good).run(&["test"]), Ok("The book holds\n".to_owned()));
}

#[test]
fn a_chapter_says_how_long_it_takes_and_is_not_too_long_and_something_leads_to_it() {
    let long = Book::new(&"line\n".repeat(300)).test_problem();
    assert_eq!(long, "book/chapters/page.md:301: 306 lines: a chapter has 300 at most");
    let orphan = Book::new("text").with("book/chapters/orphan.md", "# Orphan\n").test_problem();
    assert_eq!(orphan, "book/chapters/orphan.md: SUMMARY.md does not name this page");
    let untimed = Book::new("").with("book/chapters/page.md", "# Page\n").test_problem();
    assert_eq!(untimed, "book/chapters/page.md:1: the front matter does not say `minutes: NUMBER`");
}

#[test]
fn a_folder_with_other_files_is_never_emptied() {
    let book = Book::new("text").with("mine/letter.txt", "dear");
    let said = book.run(&["build", "--out", "mine"]).expect_err("it is not ours");
    assert!(said.ends_with("mine is not empty and was not made by handloom: choose another --out"), "{said}");
    assert!(book.0.path().join("mine/letter.txt").exists());
    let unwritable = book.run(&["build", "--out", "mine/letter.txt/pages"]).expect_err("a file is no folder");
    assert!(unwritable.starts_with("cannot write to the folder "), "{unwritable}");
    assert_eq!(unwritable.lines().count(), 1);
}

#[test]
fn a_summary_that_names_no_page_is_one_line() {
    let said = Book::new("").with("book/chapters/SUMMARY.md", "# Summary\n\n- [Page](gone.md)\n").build_problem();
    assert!(said.contains("gone.md") && said.lines().count() == 1, "{said}");
    assert!(!Path::new("gone.md").exists());
}
