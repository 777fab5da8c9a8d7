//! A body without its codings.

use super::{
    Coding, CodingError,
    reader::{Pace, Pieces, is_of_source, of_source},
};
use crate::http::Body;
use async_compression::{
    futures::bufread::{BrotliDecoder, DeflateDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder},
    zstd::DParameter,
};
use futures_io::{AsyncBufRead, AsyncRead};
use futures_lite::io::BufReader;
use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// RFC 9659: 8 MiB. A decoder needs a window of the size that the sender chose.
const ZSTD_WINDOW: u32 = 23;

/// The body before the codings were applied, in that order (see [`applied`](super::applied)), and at most `limit` bytes of it.
///
/// It is decoded as it is read. An empty body stays empty. Of gzip and zstd, several members behind each other are one body,
/// as their standards say; anything else behind the end is an error, because who ignores it and who does not see two bodies.
///
/// Its trailers are those of `body`; its errors too, or a [`CodingError`] ([`of`](CodingError::of) finds it).
///
/// ```
/// # use netio::http::coding::{Coding, decode, encode};
/// # runtime::block_on(async {
/// let coded = encode("a body".into(), Coding::Gzip);
/// assert_eq!(decode(coded, &[Coding::Gzip], 6).bytes().await?, "a body");
/// # std::io::Result::Ok(()) }).unwrap();
/// ```
pub fn decode(mut body: Body, codings: &[Coding], limit: u64) -> Body {
    let Some((outermost, inner)) = codings.split_last() else { return body };
    let trailers = body.take_trailers();
    let mut stage = Stage::new(*outermost, limit, Box::pin(body.reader()));
    for coding in inner.iter().rev() {
        stage = Stage::new(*coding, limit, Box::pin(BufReader::new(stage)));
    }
    Body::stream(Pieces::new(stage)).put_trailers(trailers)
}

/// One coding taken off.
struct Stage {
    coding: Coding,
    limit: u64,
    given: u64,
    pace: Pace,
    state: State,
}

enum State {
    /// No byte has come yet.
    Start(Option<Source>),
    Decoding(Pin<Box<dyn AsyncRead + Send>>),
}

impl Stage {
    fn new(coding: Coding, limit: u64, source: Pin<Box<dyn AsyncBufRead + Send>>) -> Self {
        let state = State::Start(Some(Source { reader: source, ended: false }));
        Stage { coding, limit, given: 0, pace: Pace::default(), state }
    }
}

impl AsyncRead for Stage {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let State::Start(start) = &mut this.state {
            let Some(source) = start else { return Poll::Ready(Ok(0)) };
            let Some(&first) = ready!(Pin::new(source).poll_fill_buf(context))?.first() else {
                return Poll::Ready(Ok(0));
            };
            this.state = State::Decoding(decoder(this.coding, first, start.take().expect("it was looked into")));
        }
        let State::Decoding(decoder) = &mut this.state else { unreachable!("it has begun") };
        ready!(this.pace.poll_turn(context));
        let length = ready!(decoder.as_mut().poll_read(context, buffer))?;
        this.pace.did(length);
        this.given += length as u64;
        if this.given > this.limit {
            return Poll::Ready(Err(of_source(CodingError::TooLarge { limit: this.limit }.into())));
        }
        Poll::Ready(Ok(length))
    }
}

fn decoder(coding: Coding, first: u8, source: Source) -> Pin<Box<dyn AsyncRead + Send>> {
    match coding {
        Coding::Gzip => {
            let mut decoder = GzipDecoder::new(source);
            decoder.multiple_members(true);
            Box::pin(ToTheEnd { coding, decoder, source: GzipDecoder::get_mut })
        }
        // zlib begins with the number of its method, 8. Bare deflate never does: it would be padding that is not zero.
        Coding::Deflate if first & 0x0f == 8 => {
            Box::pin(ToTheEnd { coding, decoder: ZlibDecoder::new(source), source: ZlibDecoder::get_mut })
        }
        Coding::Deflate => {
            Box::pin(ToTheEnd { coding, decoder: DeflateDecoder::new(source), source: DeflateDecoder::get_mut })
        }
        Coding::Brotli => {
            Box::pin(ToTheEnd { coding, decoder: BrotliDecoder::new(source), source: BrotliDecoder::get_mut })
        }
        Coding::Zstd => {
            let mut decoder = ZstdDecoder::with_params(source, &[DParameter::window_log_max(ZSTD_WINDOW)]);
            decoder.multiple_members(true);
            Box::pin(ToTheEnd { coding, decoder, source: ZstdDecoder::get_mut })
        }
    }
}

/// What a decoder reads.
struct Source {
    reader: Pin<Box<dyn AsyncBufRead + Send>>,
    /// The decoder was told that nothing more comes.
    ended: bool,
}

impl AsyncBufRead for Source {
    fn poll_fill_buf(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        let bytes = ready!(this.reader.as_mut().poll_fill_buf(context)).map_err(of_source)?;
        this.ended = bytes.is_empty();
        Poll::Ready(Ok(bytes))
    }

    fn consume(mut self: Pin<&mut Self>, length: usize) {
        self.reader.as_mut().consume(length);
    }
}

impl AsyncRead for Source {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.reader.as_mut().poll_read(context, buffer)
    }
}

/// A decoder whose source ends where it ends.
struct ToTheEnd<D> {
    coding: Coding,
    decoder: D,
    source: fn(&mut D) -> &mut Source,
}

impl<D: AsyncRead + Unpin> AsyncRead for ToTheEnd<D> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let read = ready!(Pin::new(&mut this.decoder).poll_read(context, buffer));
        let coding = this.coding;
        let source = (this.source)(&mut this.decoder);
        let error = match read {
            Ok(0) if !buffer.is_empty() && !ready!(Pin::new(&mut *source).poll_fill_buf(context))?.is_empty() => {
                CodingError::Corrupt { coding, reason: "something comes behind the end".to_owned() }
            }
            Err(error) if is_of_source(&error) => return Poll::Ready(Err(error)),
            // What a decoder dislikes about the bytes, it says before it asks for more.
            Err(_) if source.ended => CodingError::Truncated { coding },
            Err(error) => CodingError::Corrupt { coding, reason: error.to_string() },
            Ok(length) => return Poll::Ready(Ok(length)),
        };
        Poll::Ready(Err(of_source(error.into())))
    }
}
