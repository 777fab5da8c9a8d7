//! Just enough HTML to see what a page links to: its tags with their attributes.
//!
//! It reads pages that mdBook wrote, which are well formed; comments and the insides of scripts and styles are skipped.

use std::path::{Path, PathBuf};

/// An opening tag.
#[derive(Debug, PartialEq, Eq)]
pub struct Tag {
    /// Its name, in lower case.
    pub name: String,
    /// Its attributes, in order, their values decoded.
    pub attributes: Vec<(String, String)>,
}

impl Tag {
    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let (_, value) = self.attributes.iter().find(|(key, _)| key == name)?;
        Some(value)
    }
}

/// The tags of a page, in order.
pub fn tags(page: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
        } else if rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let (tag, after) = tag(rest);
            rest = after;
            if matches!(tag.name.as_str(), "script" | "style") {
                let end = format!("</{}", tag.name);
                rest = rest.find(&end).map_or("", |end| &rest[end..]);
            }
            tags.push(tag);
        }
    }
    tags
}

/// Reads one tag, from its name on.
fn tag(text: &str) -> (Tag, &str) {
    let ends_name = |c: char| c.is_whitespace() || c == '>' || c == '/';
    let (name, mut rest) = text.split_at(text.find(ends_name).unwrap_or(text.len()));
    let mut tag = Tag { name: name.to_lowercase(), attributes: Vec::new() };
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        if rest.is_empty() || rest.starts_with('>') {
            return (tag, rest);
        }
        let key_end = rest.find(|c: char| c.is_whitespace() || "=>/".contains(c)).unwrap_or(rest.len());
        // A stray `=` would be a key of no length: step over it.
        let (key, after) = rest.split_at(key_end.max(1).min(rest.len()));
        let (value, after) = match after.strip_prefix('=') {
            Some(value) => attribute_value(value),
            None => ("", after),
        };
        tag.attributes.push((key.to_lowercase(), decoded(value)));
        rest = after;
    }
}

fn attribute_value(text: &str) -> (&str, &str) {
    match text.chars().next() {
        Some(quote @ ('"' | '\'')) => text[1..].split_once(quote).unwrap_or((text, "")),
        _ => text.split_at(text.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(text.len())),
    }
}

fn decoded(value: &str) -> String {
    value.replace("&quot;", "\"").replace("&#39;", "'").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// All files below a folder, sorted. A folder that cannot be read has none.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files.extend(files_below(&entry.path())),
            _ => files.push(entry.path()),
        }
    }
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_seen_and_scripts_are_not() {
        let page = r#"<!-- <a href="no"> --><a class=x href="b.html?a&amp;b#c" hidden>t</a><script>"<img src=no>"</script><br/><IMG src='d'>"#;
        let seen: Vec<(String, Option<String>)> = tags(page)
            .into_iter()
            .map(|tag| (tag.name.clone(), tag.attribute("href").or(tag.attribute("src")).map(str::to_owned)))
            .collect();
        let address = |text: &str| Some(text.to_owned());
        assert_eq!(
            seen,
            [
                ("a".to_owned(), address("b.html?a&b#c")),
                ("script".to_owned(), None),
                ("br".to_owned(), None),
                ("img".to_owned(), address("d")),
            ]
        );
    }
}
