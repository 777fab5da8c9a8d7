//! Pictures: hand-written SVG made at home in a page, the map, and state diagrams drawn from a table.
//!
//! A state diagram is drawn from the same file that a test reads, so the two cannot disagree:
//!
//! ```text
//!  ╭───────╮
//!  │ Start │   poll → Waiting              each box with what can happen in it, in words;
//!  ╰───┬───╯                               an arrow down to the next box,
//!  ╭───▼───╮                               a lane at the left to any other,
//! ┌│Waiting│ ↺ poll: not yet               a loop at the right to itself
//! │╰───┬───╯   poll: it rang → Done
//! ```

use crate::page::escaped;
use std::fmt::Write as _;

/// The opening map, *life of a request*.
pub const MAP: &str = "book/pictures/life-of-a-request.svg";

/// The map with all boxes greyed but those named; `all` greys none.
///
/// # Errors
///
/// The map has no such box.
pub fn map(drawing: &str, boxes: &[&str]) -> Result<String, String> {
    if boxes == ["all"] {
        return Ok(drawing.to_owned());
    }
    let mut greyed = drawing.replace("data-box=", r#"class="greyed" data-box="#);
    for name in boxes {
        let grey = format!(r#"class="greyed" data-box="{name}""#);
        if !greyed.contains(&grey) {
            return Err(format!("the map has no box `{name}`: {MAP} names them"));
        }
        greyed = greyed.replace(&grey, &format!(r#"class="built" data-box="{name}""#));
    }
    let built = format!("</title><desc>This chapter builds: {}. ", boxes.join(", "));
    Ok(greyed.replace("</title><desc>", &built))
}

/// The drawing without its XML prologue, its ids prefixed: several drawings then share a page without meaning each other's parts.
///
/// # Errors
///
/// It is not an SVG.
pub fn scoped(drawing: &str, prefix: &str) -> Result<String, String> {
    let start = drawing.find("<svg").ok_or("this picture is not an SVG")?;
    let mut svg = drawing[start..].to_owned();
    let ids: Vec<String> =
        svg.split(r#" id=""#).skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect();
    for id in &ids {
        let own = format!("{prefix}-{id}");
        svg = svg
            .replace(&format!(r#" id="{id}""#), &format!(r#" id="{own}""#))
            .replace(&format!("(#{id})"), &format!("(#{own})"))
            .replace(&format!(r##""#{id}""##), &format!(r##""#{own}""##));
    }
    let Some((before, labels)) = svg.split_once(r#"aria-labelledby=""#) else {
        return Ok(svg);
    };
    let Some((labels, after)) = labels.split_once('"') else {
        return Ok(svg);
    };
    let labels: Vec<String> = labels.split(' ').map(|id| format!("{prefix}-{id}")).collect();
    Ok(format!(r#"{before}aria-labelledby="{}"{after}"#, labels.join(" ")))
}

/// One line of a transition table.
#[derive(Debug, PartialEq, Eq)]
pub struct Transition<'a> {
    /// The state that it leaves.
    pub from: &'a str,
    /// What happens.
    pub event: &'a str,
    /// The state that it reaches.
    pub to: &'a str,
    /// What is done on the way, if the table says so.
    pub note: Option<&'a str>,
}

/// Reads `FROM --EVENT--> TO : NOTE` lines.
///
/// # Errors
///
/// A line is none of that, or there is no line.
pub fn transitions(table: &str) -> Result<Vec<Transition<'_>>, String> {
    let lines = table.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let transitions = lines
        .map(|line| {
            let (from, rest) = line.split_once("--")?;
            let (event, rest) = rest.split_once("-->")?;
            let (to, note) = match rest.split_once(" : ") {
                Some((to, note)) => (to, Some(note.trim())),
                None => (rest, None),
            };
            Some(Transition { from: from.trim(), event: event.trim(), to: to.trim(), note })
        })
        .zip(1..)
        .map(|(transition, number)| {
            transition.ok_or_else(|| format!("transition {number} is not `FROM --EVENT--> TO`"))
        })
        .collect::<Result<Vec<_>, _>>()?;
    if transitions.is_empty() { Err("a table without transitions".to_owned()) } else { Ok(transitions) }
}

const BOX_WIDTH: usize = 130;
const LINE: usize = 19;
const GAP: usize = 34;
const LANE: usize = 14;

/// Where a state is drawn.
struct Place {
    top: usize,
    height: usize,
}

/// The diagram of the table in `file`.
///
/// # Errors
///
/// The table cannot be read.
pub fn states(file: &str, table: &str) -> Result<String, String> {
    let transitions = transitions(table).map_err(|problem| format!("`{file}`: {problem}"))?;
    let mut states: Vec<&str> = Vec::new();
    for name in transitions.iter().flat_map(|transition| [transition.from, transition.to]) {
        if !states.contains(&name) {
            states.push(name);
        }
    }
    let index = |name: &str| states.iter().position(|state| *state == name).unwrap_or(0);
    let far = |t: &&Transition| index(t.to) != index(t.from) && index(t.to) != index(t.from) + 1;
    let lanes = transitions.iter().filter(far).count();
    let left = 10 + LANE * (lanes + 1);

    let mut places = Vec::new();
    let mut top = 12;
    for state in &states {
        let lines: usize = leaving(&transitions, state).map(|t| 1 + usize::from(t.note.is_some())).sum();
        let height = (lines * LINE + 6).max(38);
        places.push(Place { top, height });
        top += height + GAP;
    }
    let mut drawing = String::new();
    for (state, place) in states.iter().zip(&places) {
        draw_state(&mut drawing, state, place, left, &transitions);
    }
    for (number, pair) in places.windows(2).enumerate() {
        let neighbours = |t: &Transition| index(t.from) == number && index(t.to) == number + 1;
        if transitions.iter().any(neighbours) {
            let (x, from, to) = (left + BOX_WIDTH / 2, pair[0].top + pair[0].height, pair[1].top);
            let _ = writeln!(drawing, r##"<path class="edge" d="M{x} {from}V{}" marker-end="url(#arrow)"/>"##, to - 2);
        }
    }
    for (lane, transition) in transitions.iter().filter(far).enumerate() {
        let (from, to) = (&places[index(transition.from)], &places[index(transition.to)]);
        let x = left - LANE * (lane + 1);
        // Leaving below the middle and arriving above it keeps two edges between the same boxes apart.
        let (start, end) = (from.top + from.height - 10, to.top + 10);
        let _ = writeln!(
            drawing,
            r##"<path class="edge" d="M{left} {start}H{x}V{end}H{}" marker-end="url(#arrow)"/>"##,
            left - 2
        );
    }
    let longest =
        transitions.iter().map(|t| words(t).chars().count().max(t.note.map_or(0, |n| n.chars().count()))).max();
    let width = left + BOX_WIDTH + 40 + 8 * longest.unwrap_or(0);
    let height = top - GAP + 12;
    let told: Vec<String> = transitions.iter().map(|t| format!("{}: {}", t.from, words(t))).collect();
    Ok(format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" style="max-width:{width}px" role="img">
<title>States and transitions</title><desc>{}</desc>
<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>
{drawing}</svg>"#,
        escaped(&told.join(". "))
    ))
    .and_then(|svg| scoped(&svg, &file.replace(['/', '.'], "-")))
}

fn leaving<'a>(transitions: &'a [Transition<'a>], state: &str) -> impl Iterator<Item = &'a Transition<'a>> {
    transitions.iter().filter(move |transition| transition.from == state)
}

/// What stands beside a box: `poll: it rang → Done`.
fn words(transition: &Transition) -> String {
    if transition.from == transition.to {
        format!("{} ↺", transition.event)
    } else {
        format!("{} → {}", transition.event, transition.to)
    }
}

fn draw_state(drawing: &mut String, state: &str, place: &Place, left: usize, transitions: &[Transition]) {
    let Place { top, height } = place;
    let last = leaving(transitions, state).next().is_none();
    let _ =
        writeln!(drawing, r#"<rect class="state" x="{left}" y="{top}" width="{BOX_WIDTH}" height="{height}" rx="9"/>"#);
    if last {
        let (x, y, w, h) = (left + 4, top + 4, BOX_WIDTH - 8, height - 8);
        let _ = writeln!(drawing, r#"<rect class="state last" x="{x}" y="{y}" width="{w}" height="{h}" rx="6"/>"#);
    }
    let (x, y) = (left + BOX_WIDTH / 2, top + height / 2 + 5);
    let _ = writeln!(drawing, r#"<text class="name" x="{x}" y="{y}" text-anchor="middle">{}</text>"#, escaped(state));
    let right = left + BOX_WIDTH;
    let mut y = top + LINE;
    for transition in leaving(transitions, state) {
        if transition.from == transition.to {
            let start = y - 10;
            let _ = writeln!(
                drawing,
                r##"<path class="edge" d="M{right} {start}c18 -4 18 16 2 12" marker-end="url(#arrow)"/>"##
            );
        }
        let x = right + 24;
        let _ = writeln!(drawing, r#"<text x="{x}" y="{y}">{}</text>"#, escaped(&words(transition)));
        y += LINE;
        if let Some(note) = transition.note {
            let _ = writeln!(drawing, r#"<text class="note" x="{x}" y="{}">{}</text>"#, y - 3, escaped(note));
            y += LINE;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_line_by_line() {
        let table = "# a comment\nStart --poll--> Waiting : armed\nWaiting --poll: not yet--> Waiting\n";
        assert_eq!(
            transitions(table).expect("two transitions")[0],
            Transition { from: "Start", event: "poll", to: "Waiting", note: Some("armed") }
        );
        assert_eq!(transitions("Start -> Done"), Err("transition 1 is not `FROM --EVENT--> TO`".to_owned()));
        let drawing = states("a/b.txt", table).expect("a drawing");
        assert!(drawing.contains("poll: not yet ↺") && drawing.contains("url(#a-b-txt-arrow)"));
    }

    #[test]
    fn the_map_greys_all_but_the_named_boxes() {
        let drawing = r#"<svg><title>t</title><desc>d</desc><g data-box="task"/><g data-box="queue"/></svg>"#;
        let map = map(drawing, &["task"]).expect("the box is there");
        assert!(map.contains(r#"class="built" data-box="task""#));
        assert!(map.contains(r#"class="greyed" data-box="queue""#));
        assert!(super::map(drawing, &["tsak"]).is_err());
    }

    #[test]
    fn ids_become_the_page_s_own() {
        let svg = r##"<?xml version="1.0"?><svg aria-labelledby="t d"><title id="t"/><use href="#t"/></svg>"##;
        assert_eq!(
            scoped(svg, "p").expect("an SVG"),
            r##"<svg aria-labelledby="p-t p-d"><title id="p-t"/><use href="#p-t"/></svg>"##
        );
    }
}
