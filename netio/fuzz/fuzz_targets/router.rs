//! The router beside a naive one: of all patterns that fit, the one that is spelled out furthest answers.

#![no_main]

use futures_lite::future::{block_on, poll_once};
use libfuzzer_sys::{
    arbitrary::{self, Arbitrary},
    fuzz_target,
};
use netio::http::{
    Method, Request, StatusCode,
    server::{Handler, Path, Router, Service},
};
use std::{
    panic::{self, AssertUnwindSafe},
    sync::Once,
};

/// A part of a pattern between two slashes.
#[derive(Arbitrary, Clone, Debug, PartialEq)]
enum Segment {
    Text(Word),
    /// `before{name}`
    Parameter {
        before: Option<Word>,
    },
}

#[derive(Arbitrary, Clone, Copy, Debug, PartialEq)]
enum Word {
    A,
    B,
    Ab,
    Abc,
    Umlaut,
    Slash,
    Percent,
    Dot,
    Nothing,
}

impl Word {
    /// Decoded, as in a pattern; and as it is asked for.
    fn texts(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Word::A => ("a", &["a", "%61"]),
            Word::B => ("b", &["b", "%62"]),
            Word::Ab => ("ab", &["ab", "a%62"]),
            Word::Abc => ("abc", &["abc", "%61%62%63"]),
            Word::Umlaut => ("ü", &["%C3%BC", "%c3%bc"]),
            Word::Slash => ("a/b", &["a%2Fb", "a%2fb"]),
            Word::Percent => ("%", &["%25"]),
            Word::Dot => (".", &[".", "%2E"]),
            Word::Nothing => ("", &[""]),
        }
    }

    /// What a pattern can spell out.
    fn spelled(self) -> &'static str {
        match self {
            Word::Slash | Word::Percent | Word::Nothing => "c",
            word => word.texts().0,
        }
    }
}

#[derive(Arbitrary, Clone, Debug)]
struct Pattern {
    segments: Vec<Segment>,
    /// `{*rest}` at the end.
    rest: bool,
}

#[derive(Arbitrary, Debug)]
struct Input {
    patterns: Vec<Pattern>,
    /// The path: words of each segment, and the way in which they are encoded.
    path: Vec<Vec<(Word, bool)>>,
}

fuzz_target!(|input: Input| {
    let (mut patterns, mut router) = (Vec::<(String, Pattern)>::new(), Router::new());
    for pattern in input.patterns.into_iter().take(12) {
        let text = text(&pattern);
        let number = patterns.len();
        // The answer in a header: there it can be seen without reading a body.
        let handler = move |values: Option<Path<Vec<String>>>| async move {
            let values = values.map_or_else(Vec::new, |Path(values)| values);
            let values = values.iter().map(|value| hex(value)).collect::<Vec<_>>().join(",");
            ([("x-found", format!("{number} {values}"))], ())
        };
        if let Some(more) = with(&router, &text, handler) {
            router = more;
            patterns.push((text, pattern));
        }
    }
    let path: Vec<Vec<(Word, bool)>> =
        input.path.into_iter().take(6).map(|words| words.into_iter().take(3).collect()).collect();
    let encoded = |&(word, other): &(Word, bool)| {
        let ways = word.texts().1;
        ways[usize::from(other).min(ways.len() - 1)]
    };
    let asked: String =
        path.iter().map(|words| format!("/{}", words.iter().map(encoded).collect::<String>())).collect();
    let asked = if asked.is_empty() { "/".to_owned() } else { asked };
    let decoded: Vec<String> = if path.is_empty() {
        vec![String::new()]
    } else {
        path.iter().map(|words| words.iter().map(|(word, _)| word.texts().0).collect()).collect()
    };

    let mut request = Request::default();
    *request.method_mut() = Method::GET;
    *request.uri_mut() = asked.parse().unwrap();
    let response = block_on(poll_once(router.answer(request))).expect("at once");

    let fits = patterns
        .iter()
        .enumerate()
        .filter_map(|(number, (_, pattern))| fit(pattern, &decoded).map(|(rank, values)| (rank, number, values)));
    match fits.max_by(|one, other| one.0.cmp(&other.0)) {
        None => assert_eq!(response.status(), StatusCode::NOT_FOUND, "{asked} of {patterns:?}"),
        Some((_, number, values)) => {
            assert_eq!(response.status(), StatusCode::OK, "{asked} of {patterns:?}");
            let values = values.iter().map(|value| hex(value)).collect::<Vec<_>>().join(",");
            assert_eq!(response.headers()["x-found"], format!("{number} {values}"), "{asked} of {patterns:?}");
        }
    }
});

/// The router with one route more; `None` if it refuses that. It says so by a panic, which would end the fuzzer.
fn with<A>(router: &Router, pattern: &str, handler: impl Handler<A>) -> Option<Router> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let fuzzers = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let refused = info.payload_as_str().is_some_and(|reason| reason.starts_with("the route `"));
            if !refused {
                fuzzers(info);
            }
        }));
    });
    panic::catch_unwind(AssertUnwindSafe(|| router.clone().get(pattern, handler))).ok()
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn text(pattern: &Pattern) -> String {
    let mut text = String::new();
    for (number, segment) in pattern.segments.iter().take(5).enumerate() {
        match segment {
            Segment::Text(word) => text += &format!("/{}", word.spelled()),
            Segment::Parameter { before } => {
                text += &format!("/{}{{p{number}}}", before.map_or("", |word| word.spelled()));
            }
        }
    }
    if pattern.rest || text.is_empty() {
        text += if pattern.rest { "/{*rest}" } else { "/" };
    }
    text
}

/// How far each segment is spelled out, and the values of the parameters, if the path fits.
fn fit(pattern: &Pattern, path: &[String]) -> Option<(Vec<usize>, Vec<String>)> {
    const WHOLE: usize = 1000;
    let segments = &pattern.segments[..pattern.segments.len().min(5)];
    let (mut rank, mut values, mut path) = (Vec::new(), Vec::new(), path.iter());
    if segments.is_empty() && !pattern.rest {
        return (path.len() == 1 && path.next().unwrap().is_empty()).then_some((vec![WHOLE], values));
    }
    for segment in segments {
        let asked = path.next()?;
        match segment {
            Segment::Text(word) if word.spelled() == asked => rank.push(WHOLE),
            Segment::Text(_) => return None,
            Segment::Parameter { before } => {
                let before = before.map_or("", Word::spelled);
                let value = asked.strip_prefix(before).filter(|value| !value.is_empty())?;
                rank.push(1 + before.len());
                values.push(value.to_owned());
            }
        }
    }
    if pattern.rest {
        let rest = path.map(String::as_str).collect::<Vec<_>>();
        rank.push(0);
        let rest = if rest.is_empty() { return None } else { rest.join("/") };
        values.push(rest.clone());
        return (!rest.is_empty()).then_some((rank, values));
    }
    path.next().is_none().then_some((rank, values))
}
