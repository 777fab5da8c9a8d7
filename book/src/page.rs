//! A page in the making: each directive replaced by what it names.
//!
//! - A directive that finds nothing is an error: the sentence says what is missing, the caller knows the line.
//! - Only [`Page::code`] writes a Rust block that is not compiled with the page: its text is cut from a file that is compiled where
//!   it stands.

use crate::chapter::Piece;
use crate::listing::{self, Listing};
use crate::picture;
use crate::recording::Recording;
use crate::weave::Weaver;
use std::fmt::Write as _;
use std::path::PathBuf;

/// A block directive that waits for its closing line.
struct Block {
    line: usize,
    name: &'static str,
    /// Whether its folded half (`reveal`, `hint`) has begun.
    folded: bool,
    /// The exercise's name.
    argument: String,
}

/// A page in the making.
pub(crate) struct Page<'a> {
    weaver: &'a Weaver,
    title: &'a str,
    /// Shown under the first title, once.
    minutes: Option<u32>,
    text: String,
    open: Vec<Block>,
}

type Done = Result<(), String>;

impl<'a> Page<'a> {
    pub(crate) fn new(weaver: &'a Weaver, title: &'a str, minutes: Option<u32>) -> Page<'a> {
        Page { weaver, title, minutes, text: String::new(), open: Vec::new() }
    }

    /// Adds a piece of the chapter.
    ///
    /// # Errors
    ///
    /// The line, and what is wrong there.
    pub(crate) fn add(&mut self, piece: &Piece) -> Result<(), (usize, String)> {
        let (line, done) = match *piece {
            Piece::Line(text) => {
                self.line(text);
                return Ok(());
            }
            Piece::Open { line, name, arguments } => (line, self.directive(line, name, arguments)),
            Piece::Close { line, name } => (line, self.close(name)),
        };
        done.map_err(|message| (line, message))
    }

    /// The page, if every block is closed.
    ///
    /// # Errors
    ///
    /// The line of a block that is not.
    pub(crate) fn finish(self) -> Result<String, (usize, String)> {
        match self.open.first() {
            Some(block) => Err((block.line, format!("`{{{{#{}}}}}` is never closed", block.name))),
            None => Ok(self.text),
        }
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
        if line.starts_with("# ")
            && let Some(minutes) = self.minutes.take()
        {
            self.html(&format!(r#"<p class="minutes">about {minutes} minutes</p>"#));
        }
    }

    /// A block of HTML: Markdown ends it at the first empty line, so it has none.
    fn html(&mut self, html: &str) {
        self.text.push('\n');
        for line in html.lines().filter(|line| !line.trim().is_empty()) {
            self.text.push_str(line);
            self.text.push('\n');
        }
        self.text.push('\n');
    }

    fn directive(&mut self, line: usize, name: &str, arguments: &str) -> Done {
        let words: Vec<&str> = arguments.split_whitespace().collect();
        match (name, &words[..]) {
            ("listing", [what]) => self.listing(what),
            ("diff", [old, new]) => self.difference(old, new),
            ("output", [name]) => self.output(name),
            ("timeline", [name]) => self.timeline(name),
            ("steps", [name]) => self.steps(name),
            ("map", [_, ..]) => self.map(&words),
            ("states", [file]) => {
                let drawing = picture::states(file, &self.weaver.house.read(file)?)?;
                self.figure("states", &drawing)
            }
            ("picture", [file]) => {
                let drawing = picture::scoped(&self.weaver.house.read(file)?, &slug(file))?;
                self.figure("picture", &drawing)
            }
            ("run", [name]) => self.run_panel(name),
            ("predict", []) => self.begin(line, "predict", ""),
            ("reveal", []) => self.fold("predict", "reveal", "answer", "Think first, then open"),
            ("exercise", [name]) => self.begin(line, "exercise", name),
            ("hint", []) => self.fold("exercise", "hint", "hint", "Hint"),
            ("unwritten", [_, ..]) => {
                // The table of contents numbers its entries, a page does not repeat the number.
                let title = self.title.split_once(". ").map_or(self.title, |(_, title)| title);
                let sentence = format!("# {title}\n\nThis chapter is not written yet. It will show {arguments}\n");
                self.text.push_str(&sentence);
                Ok(())
            }
            ("listing" | "output" | "timeline" | "steps" | "states" | "picture" | "run" | "exercise", _) => {
                Err(format!("`{{{{#{name} …}}}}` takes one name, not `{arguments}`"))
            }
            ("diff", _) => Err(format!("`{{{{#diff OLD NEW}}}}` takes two names, not `{arguments}`")),
            ("map" | "unwritten", _) => Err(format!("`{{{{#{name} …}}}}` says nothing")),
            _ => Err(format!("there is no directive `{{{{#{name} {arguments}}}}}`: book/README.md lists them")),
        }
    }

    fn listing(&mut self, what: &str) -> Done {
        let listing = Listing::cut(&self.weaver.house, what)?;
        self.code(&caption(&listing), listing.language(), &listing.text);
        Ok(())
    }

    fn difference(&mut self, old: &str, new: &str) -> Done {
        let old = Listing::cut(&self.weaver.house, old)?;
        let new = Listing::cut(&self.weaver.house, new)?;
        let text = listing::difference(&old, &new)?;
        self.code(&format!("{} → {}", caption(&old), caption(&new)), "diff", &text);
        Ok(())
    }

    /// A caption and a block of code. Only this function makes a `rust` block that the compiler does not see again in the page:
    /// its text comes out of a file that is compiled where it stands.
    fn code(&mut self, caption: &str, language: &str, text: &str) {
        self.html(&format!(r#"<div class="listing"><div class="caption">{caption}</div>"#));
        let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(longest.max(2) + 1);
        let _ = writeln!(self.text, "{fence}{language}");
        for line in text.lines() {
            // mdBook hides the lines of a Rust block that start with `# `, and shows those that start with `## `.
            let hidden = language == "rust" && matches!(line.trim_start().as_bytes(), [b'#'] | [b'#', b' ', ..]);
            let _ = writeln!(self.text, "{}{line}", if hidden { "#" } else { "" });
        }
        let _ = writeln!(self.text, "{fence}");
        self.html("</div>");
    }

    fn output(&mut self, name: &str) -> Done {
        let recording = Recording::read(&self.weaver.house, name)?;
        let caption = match &recording.machine {
            Some(machine) => format!("<code>{}</code> printed, on {}", escaped(&recording.command), escaped(machine)),
            None => format!("<code>{}</code> prints", escaped(&recording.command)),
        };
        self.code(&caption, "text", &recording.output);
        Ok(())
    }

    fn timeline(&mut self, name: &str) -> Done {
        let house = &self.weaver.house;
        let drawing = picture::scoped(&house.read(&format!("book/recorded/{name}.svg"))?, &slug(name))?;
        let text = house.read(&format!("book/recorded/{name}.trace.txt"))?;
        self.figure("timeline", &drawing)?;
        self.html(r#"<details class="as-text"><summary>The same as text</summary>"#);
        let _ = writeln!(self.text, "````text\n{}\n````", text.trim_end());
        self.html("</details>");
        Ok(())
    }

    /// The panel is filled by a script, from the text below it; without the script the text stands open.
    fn steps(&mut self, name: &str) -> Done {
        let text = self.weaver.house.read(&format!("book/recorded/{name}.trace.txt"))?;
        self.html(
            r#"<div class="steps" hidden></div><details class="as-text" open><summary>The trace as text</summary>"#,
        );
        let _ = writeln!(self.text, "````text\n{}\n````", text.trim_end());
        self.html("</details>");
        Ok(())
    }

    fn figure(&mut self, class: &str, drawing: &str) -> Done {
        if !["<title", "aria-label="].iter().any(|words| drawing.contains(words)) {
            return Err("the picture has no <title>: say in words what it shows".to_owned());
        }
        self.html(&format!(r#"<figure class="{class}">{drawing}</figure>"#));
        Ok(())
    }

    fn map(&mut self, boxes: &[&str]) -> Done {
        let drawing = self.weaver.house.read(picture::MAP)?;
        let drawing = picture::scoped(&picture::map(&drawing, boxes)?, "map")?;
        self.figure("map", &drawing)
    }

    fn run_panel(&mut self, name: &str) -> Done {
        if !self.weaver.examples.contains(name) {
            return Err(format!("there is no example `{name}` in examples/Cargo.toml"));
        }
        let token = self.weaver.token.as_ref().map_or_else(String::new, |token| format!(r#" data-token="{token}""#));
        self.html(&format!(
            r#"<div class="run" data-run="{name}"{token}><div class="run-bar">
<button type="button" class="run-start" hidden>Run</button><button type="button" class="run-stop" hidden>Stop</button>
<code>cargo run --example {name}</code><span class="run-status" role="status"></span></div>
<pre class="run-output" hidden tabindex="0" aria-label="output of {name}"></pre><div class="run-timeline" hidden></div></div>"#
        ));
        Ok(())
    }

    fn begin(&mut self, line: usize, name: &'static str, argument: &str) -> Done {
        if let Some(outer) = self.open.last() {
            return Err(format!("`{{{{#{name}}}}}` cannot stand inside `{{{{#{}}}}}`", outer.name));
        }
        self.open.push(Block { line, name, folded: false, argument: argument.to_owned() });
        let heading = if name == "predict" { "Predict" } else { "Exercise" };
        self.html(&format!(r#"<div class="{name}"><div class="caption">{heading}</div>"#));
        Ok(())
    }

    /// The second half of a block, folded away. An exercise shows its starter first.
    fn fold(&mut self, block: &'static str, name: &str, class: &str, summary: &str) -> Done {
        let Some(open) = self.open.last_mut().filter(|open| open.name == block && !open.folded) else {
            return Err(format!("`{{{{#{name}}}}}` belongs once into `{{{{#{block}}}}}`"));
        };
        open.folded = true;
        let argument = open.argument.clone();
        if block == "exercise" {
            self.starter(&argument)?;
        }
        self.html(&format!(r#"<details class="{class}"><summary>{summary}</summary>"#));
        Ok(())
    }

    fn starter(&mut self, exercise: &str) -> Done {
        let judged = self.weaver.house.read("book/exercises/main.rs")?;
        if !judged.lines().any(|line| line.trim() == format!("mod {exercise};")) {
            return Err(format!("nothing judges `{exercise}`: `mod {exercise};` is missing in book/exercises/main.rs"));
        }
        self.listing(&format!("book/exercises/{exercise}.rs:starter"))?;
        let command = format!("cargo test --test exercises {exercise} -- --ignored");
        let _ =
            writeln!(self.text, "Edit it where it stands, then let the test judge it:\n\n```console\n{command}\n```\n");
        Ok(())
    }

    fn close(&mut self, name: &str) -> Done {
        let Some(block) = self.open.pop_if(|block| block.name == name) else {
            return Err(format!("`{{{{/{name}}}}}` closes nothing"));
        };
        if !block.folded {
            let missing = if block.name == "predict" { "reveal" } else { "hint" };
            return Err(format!("this `{{{{#{name}}}}}` has no `{{{{#{missing}}}}}`"));
        }
        self.html("</details>");
        if block.name == "exercise" {
            self.solution(&block.argument)?;
        }
        self.html("</div>");
        Ok(())
    }

    /// The solution of an exercise, folded away.
    ///
    /// # Errors
    ///
    /// There is none.
    pub(crate) fn solution(&mut self, exercise: &str) -> Done {
        self.html(&format!(r#"<details class="solution"><summary>Solution of {exercise}</summary>"#));
        self.listing(&format!("book/exercises/{exercise}.rs:solution"))?;
        self.html("</details>");
        Ok(())
    }
}

fn caption(listing: &Listing) -> String {
    let (first, last) = listing.lines;
    let file = escaped(&listing.file);
    match &listing.anchor {
        Some(anchor) => format!("<code>{file}</code> · {} · lines {first}–{last}", escaped(anchor)),
        None => format!("<code>{file}</code> · lines {first}–{last}"),
    }
}

/// Text as HTML.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A name that can stand in an `id`.
fn slug(name: &str) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    PathBuf::from(name).with_extension("").to_string_lossy().chars().map(keep).collect()
}
