//! Text, line by line.

use crate::stream::Stream;
use futures_io::AsyncBufRead;
use pin_project_lite::pin_project;
use std::{
    io, mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// The lines of `reader`, without their ends (`\n`, or `\r\n`). The last line counts also if it has no end.
///
/// A line of any length is kept in memory whole: from somebody who is not trusted, read no more than so many bytes (the `take`
/// of `futures-lite`).
///
/// ```
/// use runtime::{io, stream::StreamExt};
/// runtime::block_on(async {
///     let text: &[u8] = b"one\r\ntwo\n\nfour";
///     let lines: Vec<_> = io::lines(text).try_collect().await?;
///     assert_eq!(lines, ["one", "two", "", "four"]);
///     std::io::Result::Ok(())
/// }).unwrap();
/// ```
pub fn lines<R: AsyncBufRead>(reader: R) -> Lines<R> {
    Lines::of(reader, String::new())
}

pin_project! {
    /// The stream of [`lines`].
    ///
    /// A line that is not text is an error of its own, which names it by its number (from one); the next line comes after it. An
    /// error of the reader ends the stream; what was read of the line before it is dropped.
    ///
    /// # Cancel safety
    /// Nothing is lost: the part of a line that is there stays in the stream.
    ///
    /// ```
    /// use runtime::{io, stream::StreamExt};
    /// let mut lines: io::Lines<&[u8]> = io::lines(b"one\nt\xffo\nthree".as_slice());
    /// runtime::block_on(async {
    ///     assert_eq!(lines.next().await.unwrap().unwrap(), "one");
    ///     let error = lines.next().await.unwrap().unwrap_err();
    ///     assert!(error.to_string().starts_with("line 2 is not text: invalid utf-8"), "{error}");
    ///     assert_eq!(lines.next().await.unwrap().unwrap(), "three");
    /// });
    /// ```
    #[derive(Debug)]
    #[must_use = "a stream does nothing until it is asked for its values"]
    pub struct Lines<R> {
        #[pin]
        reader: R,
        line: Vec<u8>,
        number: u64,
        ended: bool,
        // For errors: where the line is, beginning with a space.
        of: String,
    }
}

impl<R> Lines<R> {
    pub(crate) fn of(reader: R, of: String) -> Self {
        Self { reader, line: Vec::new(), number: 0, ended: false, of }
    }
}

impl<R: AsyncBufRead> Stream for Lines<R> {
    type Item = io::Result<String>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<String>>> {
        let mut this = self.project();
        while !*this.ended {
            let bytes = match ready!(this.reader.as_mut().poll_fill_buf(context)) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    *this.ended = true;
                    return Poll::Ready(Some(Err(error)));
                }
            };
            *this.ended = bytes.is_empty();
            let end = bytes.iter().position(|&byte| byte == b'\n');
            let length = end.map_or(bytes.len(), |end| end + 1);
            this.line.extend_from_slice(&bytes[..length]);
            this.reader.as_mut().consume(length);
            if end.is_some() || (*this.ended && !this.line.is_empty()) {
                *this.number += 1;
                let line = text(mem::take(this.line))
                    .map_err(|error| format!("line {}{} is not text: {error}", this.number, this.of));
                return Poll::Ready(Some(line.map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why))));
            }
        }
        Poll::Ready(None)
    }
}

fn text(mut line: Vec<u8>) -> Result<String, std::str::Utf8Error> {
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    }
    String::from_utf8(line).map_err(|error| error.utf8_error())
}
