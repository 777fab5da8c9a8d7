//! Answers on the wire, read by rules of their own, and strictly: RFC 9112, 6.3, from a client's side.

/// One answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// In small letters, with the status line and without the empty line.
    pub(super) head: String,
}

/// Takes the answers to these requests apart. `asked`: what the handler saw, in order; the answer to something that it did
/// not see is one of a `GET`.
///
/// # Errors
/// What a client could not read, or should not have been sent.
pub(super) fn read(mut wire: &[u8], asked: &[String]) -> Result<Vec<Answer>, String> {
    let mut answers = Vec::new();
    let mut asked = asked.iter();
    while !wire.is_empty() {
        let end = find(wire, b"\r\n\r\n").ok_or("a head without an end")?;
        let head = String::from_utf8(wire[..end].to_vec()).map_err(|_| "a head that is no text")?.to_ascii_lowercase();
        wire = &wire[end + 4..];
        let status = head.strip_prefix("http/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
        let status: u16 = status.ok_or_else(|| format!("no status line: {head}"))?;
        let interim = (100..200).contains(&status);
        let to_head = !interim && asked.next().is_some_and(|seen| seen.starts_with("HEAD "));
        let mut values = head.split("\r\n").skip(1).map(|line| line.split_once(": ").unwrap_or((line, "")));
        let values_of = |name| {
            head.split("\r\n").skip(1).filter_map(move |line| line.split_once(": ").filter(|field| field.0 == name))
        };
        let length: Vec<_> = values_of("content-length").map(|(_, value)| value.parse::<usize>()).collect();
        let chunked = values_of("transfer-encoding").count();
        let rules = [
            (values.all(|(name, _)| !name.is_empty() && !name.contains(' ')), "a malformed field"),
            (length.len() + chunked <= 1, "more than one length"),
            (!(interim || status == 204) || length.len() + chunked == 0, "a length where no body can be"),
            (interim || values_of("date").count() == 1, "not one date"),
            (values_of("connection").count() <= 1, "several Connection fields"),
        ];
        if let Some((_, broken)) = rules.iter().find(|(kept, _)| !kept) {
            return Err(format!("{broken}: {head}"));
        }
        let length = match length.first() {
            _ if interim || to_head || status == 204 || status == 304 => 0,
            _ if chunked > 0 => chunks(wire).ok_or("a malformed chunk")?,
            Some(Ok(length)) => *length,
            Some(Err(_)) => return Err(format!("no length: {head}")),
            None => wire.len(),
        };
        wire = wire.get(length..).ok_or("a body that is cut short")?;
        answers.push(Answer { status, head });
    }
    Ok(answers)
}

fn find(text: &[u8], mark: &[u8]) -> Option<usize> {
    text.windows(mark.len()).position(|window| window == mark)
}

/// The length of a body in chunks.
fn chunks(wire: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let line = find(wire.get(at..)?, b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&wire[at..at + line]).ok()?, 16).ok()?;
        at += line + 2 + size;
        if size == 0 {
            return Some(at + trailers(&wire[at..])?);
        }
        if wire.get(at..at + 2)? != b"\r\n" {
            return None;
        }
        at += 2;
    }
}

/// The length of the fields behind the last chunk, and of the empty line behind those.
fn trailers(wire: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let line = find(wire.get(at..)?, b"\r\n")?;
        let field = std::str::from_utf8(&wire[at..at + line]).ok()?;
        at += line + 2;
        match field.split_once(": ") {
            None if field.is_empty() => return Some(at),
            Some((name, _)) if !name.is_empty() && !name.contains(' ') => {}
            _ => return None,
        }
    }
}
