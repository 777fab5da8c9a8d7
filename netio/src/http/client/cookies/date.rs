//! Dates as cookies have them: whatever servers have ever written. RFC 6265, 5.1.1.

use std::time::{Duration, SystemTime};

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Finds a time, a day, a month and a year, in any order between anything. Before 1970 is 1970.
pub(super) fn parse(text: &str) -> Option<SystemTime> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in text.split(is_delimiter).filter(|token| !token.is_empty()) {
        // What is found is not looked for again.
        if time.is_none()
            && let Some(found) = clock(token)
        {
            time = Some(found);
        } else if day.is_none()
            && let Some(found) = number(token, 1..=2)
        {
            day = Some(found);
        } else if month.is_none()
            && let Some(found) = MONTHS.iter().position(|name| begins_with(token, name))
        {
            month = Some(found as u64 + 1);
        } else if year.is_none()
            && let Some(found) = number(token, 2..=4)
        {
            year = Some(found);
        }
    }
    let ((hour, minute, second), day, month) = (time?, day?, month?);
    let year = match year? {
        year @ 0..=69 => year + 2000,
        year @ 70..=99 => year + 1900,
        year => year,
    };
    if year < 1601 || hour > 23 || minute > 59 || second > 59 || !(1..=days_of(month, year)).contains(&day) {
        return None;
    }
    if year < 1970 {
        return Some(SystemTime::UNIX_EPOCH);
    }
    let days =
        days_before(year) - days_before(1970) + (1..month).map(|month| days_of(month, year)).sum::<u64>() + day - 1;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(days * 86_400 + hour * 3600 + minute * 60 + second))
}

fn is_delimiter(character: char) -> bool {
    matches!(character, '\t' | ' '..='/' | ';'..='@' | '['..='`' | '{'..='~')
}

/// Three numbers of one or two digits between colons; the last one may be followed by something else.
fn clock(token: &str) -> Option<(u64, u64, u64)> {
    let mut parts = token.splitn(3, ':');
    let mut next = || parts.next();
    let (hour, minute, second) = (next()?, next()?, next()?);
    let whole = |part: &str| {
        part.parse().ok().filter(|_| matches!(part.len(), 1 | 2) && part.bytes().all(|b| b.is_ascii_digit()))
    };
    Some((whole(hour)?, whole(minute)?, number(second, 1..=2)?))
}

/// A number of so many digits at the start; what follows is no digit.
fn number(token: &str, digits: std::ops::RangeInclusive<usize>) -> Option<u64> {
    let length = token.bytes().take_while(u8::is_ascii_digit).count();
    digits.contains(&length).then(|| token[..length].parse().ok())?
}

fn begins_with(token: &str, name: &str) -> bool {
    token.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of(month: u64, year: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// How many days there were from the year 1 to the start of this one.
fn days_before(year: u64) -> u64 {
    let past = year - 1;
    past * 365 + past / 4 - past / 100 + past / 400
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_in_whatever_order_it_stands() {
        let seconds = |text| parse(text).map(|time| time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs());
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "06 NOVEMBER 1994 08:49:37",
            "08:49:37 94 6 nov",
            "6-nov-1994 8:49:37pm",
        ] {
            // The digits that come first are the day.
            let expected = if text.starts_with("08:49:37 94") { None } else { Some(784_111_777) };
            assert_eq!(seconds(text), expected, "{text:?}");
        }
        assert_eq!(seconds("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(seconds("Tue, 29 Feb 2000 23:59:59 GMT"), Some(951_868_799));
        assert_eq!(seconds("Wed, 31 Dec 2069 00:00:00 GMT"), Some(3_155_673_600));
        assert_eq!(seconds("01 Jan 1601 00:00:00"), Some(0));
        for text in [
            "",
            "soon",
            "06 Nov 1994",
            "06 1994 08:49:37",
            "Nov 1994 08:49:37 x",
            "30 Feb 2000 00:00:00",
            "29 Feb 1900 00:00:00",
            "31 Nov 1994 08:49:37",
            "0 Nov 1994 08:49:37",
            "06 Nov 1600 08:49:37",
            "06 Nov 1994 24:00:00",
            "06 Nov 1994 08:60:00",
            "06 Nov 1994 08:49:60",
            "06 Nov 1994 08:49",
            "06 Nov 19945 08:49:37",
        ] {
            assert_eq!(seconds(text), None, "{text:?}");
        }
    }
}
