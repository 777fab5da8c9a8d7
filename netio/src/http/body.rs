//! The body of a message: bytes that are there, or a stream of bytes that are still to come.
//!
//! It goes both ways. Whoever sends a stream polls it, and nobody else does: so it goes no faster than the peer reads, and when
//! the peer goes away it is dropped, with all that it owns: a body that reads a child process ends that process. Whoever
//! receives one polls the connection through it: what nobody reads stays with the peer.

use super::{
    framing::Framing,
    trailers::{Announced, Arrival, Trailers},
};
use ::http::{HeaderMap, HeaderName, HeaderValue};
use bytes::{Buf, Bytes, BytesMut};
use futures_core::Stream;
use futures_io::{AsyncBufRead, AsyncRead};
use std::{
    fmt,
    future::{Future, poll_fn},
    io::{self, ErrorKind},
    mem,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker, ready},
};

/// The body of a request or a response.
///
/// A body that was received fails with an error whose kind says what happened:
///
/// | kind | meaning | a server answers |
/// |---|---|---|
/// | `FileTooLarge` | more bytes than its [limit](Body::set_limit) | 413 |
/// | `TimedOut` | the peer was too slow | 408 |
/// | `InvalidData` | it cannot be understood for certain | 400 |
/// | `UnexpectedEof`, `ConnectionReset`, … | the peer is gone, and this is not the whole | – |
///
/// It is a [`Stream`] of its chunks, and [`reader`](Body::reader) makes an `AsyncRead` of it.
pub struct Body {
    content: Content,
    /// How many bytes a stream will give, if that is known.
    length: Option<u64>,
    /// How many more bytes may come.
    allowed: u64,
    limit: u64,
    trailers: Trailers,
}

enum Content {
    Whole(Bytes),
    /// The same, [small](SMALL) and not shared yet: to share it costs an allocation, and a copy behind a head does without.
    Owned(Vec<u8>),
    /// The mutex is never locked, only gone around: with it a body is `Sync`, and a future may hold a `&Request` while it waits.
    Stream(Mutex<Chunks>),
    /// It failed, or whoever read it gave up in the middle; and that was told, or not yet. Told once it is at its end, so that no
    /// loop over chunks goes on for ever; but it never passes for the whole.
    Lost {
        told: bool,
    },
}

/// So many bytes are rather copied than shared.
pub(crate) const SMALL: usize = 8 * 1024;

/// A body that is to be sent.
pub(crate) enum Outgoing {
    Whole(Bytes),
    Stream(Chunks),
}

/// The bytes of a body as they are made.
pub(crate) type Chunks = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

impl Body {
    const fn new(content: Content) -> Self {
        Body { content, length: None, allowed: u64::MAX, limit: u64::MAX, trailers: Trailers::None }
    }

    /// No bytes.
    pub const fn empty() -> Self {
        Body::new(Content::Whole(Bytes::new()))
    }

    /// Whatever the stream gives, sent as it comes. If an item is an error, the connection is closed in mid-body, so that
    /// the peer cannot take what it has for the whole.
    pub fn stream(chunks: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Self {
        Body::new(Content::Stream(Mutex::new(Box::pin(chunks))))
    }

    /// Whatever `write` writes. Its future runs inside the connection; the body ends when it does.
    ///
    /// ```
    /// use netio::http::Body;
    /// use std::time::Duration;
    ///
    /// let countdown = Body::writer(|mut body| async move {
    ///     for n in (0..3).rev() {
    ///         body.write(format!("{n}\n")).await?;
    ///         runtime::time::sleep(Duration::from_secs(1)).await;
    ///     }
    ///     Ok(())
    /// });
    /// ```
    pub fn writer<F>(write: impl FnOnce(BodyWriter) -> F) -> Self
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let desk = Arc::new(Mutex::new(Desk::default()));
        let writing = write(BodyWriter { desk: desk.clone() });
        Body::stream(Written { desk, writing: Some(Box::pin(writing)), failure: None })
    }

    /// Announces how many bytes the stream will give (`Content-Length` instead of chunks). One that gives fewer or more
    /// counts as failed. Bytes that are there know their length themselves.
    pub fn with_length(mut self, length: u64) -> Self {
        self.length = Some(length);
        self
    }

    /// Adds fields that are known only when the body is at its end: a digest, how long it took, how it went. `make` gives them
    /// then. Their names are announced in the `Trailer` field of the head; what was not announced is not sent.
    ///
    /// They are sent only behind chunks: behind a stream whose length is not known, in HTTP/1.1. A server sends them only to a
    /// client that said `TE: trailers`; to others, and behind other bodies, `make` is not called.
    ///
    /// ```
    /// use netio::http::{Body, HeaderMap, HeaderName, HeaderValue};
    /// use std::sync::{Arc, atomic::{AtomicU64, Ordering::Relaxed}};
    ///
    /// let lines = Arc::new(AtomicU64::new(0));
    /// let count = lines.clone();
    /// let body = Body::writer(|mut body| async move {
    ///     for line in ["one\n", "two\n"] {
    ///         body.write(line).await?;
    ///         count.fetch_add(1, Relaxed);
    ///     }
    ///     Ok(())
    /// });
    /// let name = HeaderName::from_static("x-lines");
    /// let body = body.with_trailers([name.clone()], move || {
    ///     HeaderMap::from_iter([(name, HeaderValue::from(lines.load(Relaxed)))])
    /// });
    /// ```
    ///
    /// # Panics
    /// When a name is one of those that must not stand behind a body (RFC 9110, 6.5.1): whatever says how the message is to be
    /// read, routed, answered or kept, or who sends it.
    #[track_caller]
    pub fn with_trailers(
        mut self,
        names: impl IntoIterator<Item = HeaderName>,
        make: impl FnOnce() -> HeaderMap + Send + Sync + 'static,
    ) -> Self {
        self.trailers = Trailers::ToSend(Announced::new(names.into_iter().collect(), Box::new(make)));
        self
    }

    /// The fields that came behind the last chunk of a body that was received. `None` until its end has been read, and if there
    /// were none. They stand here and nowhere else: fields of a head are not changed by them.
    ///
    /// Those that are too late there (RFC 9110, 6.5.1: the length, the host, credentials, …) are not among them, and what is too
    /// long or too many fails the body. When the body is sent on, they are not: whoever passes it on says which, as above.
    ///
    /// ```
    /// use netio::http::{Body, server::Router};
    /// let router = Router::new().post("/log", async |mut body: Body| {
    ///     let length = body.bytes().await?.len();
    ///     let digest = body.trailers().and_then(|fields| fields.get("x-digest"));
    ///     Ok::<_, netio::http::server::BodyRejection>(format!("{length} bytes, digest {digest:?}\n"))
    /// });
    /// ```
    pub fn trailers(&self) -> Option<&HeaderMap> {
        match &self.trailers {
            Trailers::Coming(arrival) => arrival.get(),
            Trailers::None | Trailers::ToSend(_) => None,
        }
    }

    /// The trailers of this body go to another that is made of it, or away.
    pub(crate) fn take_trailers(&mut self) -> Trailers {
        mem::take(&mut self.trailers)
    }

    pub(crate) fn put_trailers(self, trailers: Trailers) -> Self {
        Body { trailers, ..self }
    }

    /// A body that comes, in this framing; its trailers will be put there.
    pub(crate) fn framed(self, framing: Framing, arrival: Option<Arrival>) -> Self {
        let body = self.put_trailers(arrival.map_or(Trailers::None, Trailers::Coming));
        if let Framing::Length(length) = framing { body.with_length(length) } else { body }
    }

    /// The names of what is to be sent behind it.
    pub(crate) fn trailer_names(&self) -> Option<HeaderValue> {
        if let Trailers::ToSend(announced) = &self.trailers { announced.field() } else { None }
    }

    /// What is to be sent behind it, if it goes out in chunks.
    pub(crate) fn take_announced(&mut self) -> Option<Box<Announced>> {
        match self.take_trailers() {
            Trailers::ToSend(announced) => Some(announced),
            Trailers::None | Trailers::Coming(_) => None,
        }
    }

    /// How many bytes there are, if that is known.
    pub fn length(&self) -> Option<u64> {
        match &self.content {
            Content::Whole(bytes) => Some(bytes.len() as u64),
            Content::Owned(bytes) => Some(bytes.len() as u64),
            Content::Stream(_) | Content::Lost { .. } => self.length,
        }
    }

    /// The same body once more, if its bytes are all there; `None` if it is a stream.
    ///
    /// ```
    /// # use netio::http::Body;
    /// assert_eq!(Body::from("hello").try_clone().unwrap().length(), Some(5));
    /// assert!(Body::stream(futures_lite::stream::empty()).try_clone().is_none());
    /// ```
    pub fn try_clone(&self) -> Option<Body> {
        let bytes = match &self.content {
            Content::Whole(bytes) => bytes.clone(),
            Content::Owned(bytes) => Bytes::copy_from_slice(bytes),
            Content::Stream(_) | Content::Lost { .. } => return None,
        };
        Some(Body { limit: self.limit, allowed: self.allowed, ..Body::from(bytes) })
    }

    /// Allows so many bytes from now on; one more, and reading fails with `FileTooLarge`. One whose length is known, and is
    /// more, fails before anything is read. It may be raised as well as lowered.
    pub fn set_limit(&mut self, bytes: u64) {
        (self.limit, self.allowed) = (bytes, bytes);
    }

    /// The next bytes, as they come; `None` at the end.
    ///
    /// # Errors
    /// See [`Body`]. An error is told once; after it, nothing more comes.
    ///
    /// # Cancel safety
    /// Nothing is lost: what has come is given by the next call.
    pub async fn chunk(&mut self) -> io::Result<Option<Bytes>> {
        poll_fn(|context| self.poll_chunk(context)).await.transpose()
    }

    /// The whole body. It is kept: the next call gives it again.
    ///
    /// # Errors
    /// See [`Body`].
    ///
    /// # Cancel safety
    /// Dropped in the middle of a stream, the body is lost, and whoever reads on is told so.
    ///
    /// ```
    /// # use netio::http::Body;
    /// # runtime::block_on(async {
    /// let mut body = Body::from("hello");
    /// assert_eq!(body.bytes().await?, "hello");
    /// assert_eq!(body.bytes().await?, "hello");
    /// # std::io::Result::Ok(()) }).unwrap();
    /// ```
    pub async fn bytes(&mut self) -> io::Result<Bytes> {
        self.share();
        // Bytes that are there and allowed cost nothing.
        if let Content::Whole(bytes) = &self.content
            && bytes.len() as u64 <= self.allowed
        {
            return Ok(bytes.clone());
        }
        if let Content::Lost { .. } = self.content {
            return Err(lost());
        }
        let (limit, length) = (self.limit, self.length);
        let mut taken = mem::replace(self, Body { length, ..Body::new(Content::Lost { told: false }) });
        let first = taken.chunk().await?.unwrap_or_default();
        let whole = match taken.chunk().await? {
            None => first,
            Some(second) => {
                let mut whole = BytesMut::with_capacity(first.len() + second.len());
                whole.extend_from_slice(&first);
                whole.extend_from_slice(&second);
                while let Some(more) = taken.chunk().await? {
                    whole.extend_from_slice(&more);
                }
                whole.freeze()
            }
        };
        *self = Body { limit, allowed: limit, trailers: taken.trailers, ..Body::from(whole.clone()) };
        Ok(whole)
    }

    /// The body as something to read from: for parsers, decoders, and files to copy it into.
    pub fn reader(self) -> BodyReader {
        BodyReader { body: self, chunk: Bytes::new() }
    }

    /// What is to be sent: nothing of a body that was lost, or is longer than it may be, passes for the whole.
    pub(crate) fn into_outgoing(mut self) -> Outgoing {
        self.share();
        match self.content {
            Content::Whole(bytes) if bytes.len() as u64 <= self.allowed => Outgoing::Whole(bytes),
            Content::Stream(chunks) if self.allowed == u64::MAX => Outgoing::Stream(unlocked(chunks.into_inner())),
            Content::Lost { .. } => Outgoing::Stream(Box::pin(Body::new(Content::Lost { told: false }))),
            _ => Outgoing::Stream(Box::pin(self)),
        }
    }

    /// The bytes that are to be sent, if they are all there, and few.
    pub(crate) fn small(&self) -> Option<&[u8]> {
        let bytes = match &self.content {
            Content::Whole(bytes) => &bytes[..],
            Content::Owned(bytes) => bytes,
            Content::Stream(_) | Content::Lost { .. } => return None,
        };
        (bytes.len() <= SMALL && bytes.len() as u64 <= self.allowed).then_some(bytes)
    }

    /// Bytes that are owned become bytes that are shared.
    fn share(&mut self) {
        if let Content::Owned(bytes) = &mut self.content {
            self.content = Content::Whole(mem::take(bytes).into());
        }
    }

    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let item = match &mut self.content {
            Content::Owned(bytes) if bytes.is_empty() => None,
            Content::Owned(bytes) => Some(Ok(mem::take(bytes).into())),
            Content::Whole(bytes) if bytes.is_empty() => None,
            Content::Whole(bytes) => Some(Ok(mem::take(bytes))),
            Content::Stream(_) if self.length.is_some_and(|length| length > self.allowed) => {
                Some(Err(self.too_large()))
            }
            Content::Stream(chunks) => ready!(unlocked(chunks.get_mut()).as_mut().poll_next(context)),
            Content::Lost { told: true } => None,
            Content::Lost { told: false } => Some(Err(lost())),
        };
        let item = match item {
            Some(Ok(chunk)) if chunk.len() as u64 > self.allowed => Some(Err(self.too_large())),
            item => item,
        };
        match &item {
            Some(Ok(chunk)) => {
                self.allowed -= chunk.len() as u64;
                self.length = self.length.map(|length| length.saturating_sub(chunk.len() as u64));
            }
            Some(Err(_)) => self.content = Content::Lost { told: true },
            None if matches!(self.content, Content::Lost { .. }) => {}
            None => self.content = Content::Whole(Bytes::new()),
        }
        Poll::Ready(item)
    }

    fn too_large(&self) -> io::Error {
        io::Error::new(ErrorKind::FileTooLarge, format!("the body has more than the {} bytes allowed", self.limit))
    }
}

fn lost() -> io::Error {
    io::Error::other("the rest of the body is lost: it failed, or was not read on")
}

/// Nobody has ever locked it, so nobody has ever poisoned it.
fn unlocked<T>(inner: Result<T, PoisonError<T>>) -> T {
    inner.unwrap_or_else(PoisonError::into_inner)
}

impl Stream for Body {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_chunk(context)
    }
}

/// A [`Body`] to read from. From [`Body::reader`].
#[derive(Debug)]
pub struct BodyReader {
    body: Body,
    /// What was taken from the body and not read yet.
    chunk: Bytes,
}

impl AsyncBufRead for BodyReader {
    fn poll_fill_buf(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        while this.chunk.is_empty() {
            match ready!(this.body.poll_chunk(context)) {
                Some(chunk) => this.chunk = chunk?,
                None => break,
            }
        }
        Poll::Ready(Ok(&this.chunk))
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        self.chunk.advance(amount);
    }
}

impl AsyncRead for BodyReader {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let there = ready!(self.as_mut().poll_fill_buf(context))?;
        let length = there.len().min(buffer.len());
        buffer[..length].copy_from_slice(&there[..length]);
        self.consume(length);
        Poll::Ready(Ok(length))
    }
}

impl Default for Body {
    fn default() -> Self {
        Body::empty()
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Body::new(Content::Whole(bytes))
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl From<&'static [u8]> for Body {
    fn from(bytes: &'static [u8]) -> Self {
        Bytes::from_static(bytes).into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Body::new(if bytes.len() <= SMALL { Content::Owned(bytes) } else { Content::Whole(bytes.into()) })
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("length", &self.length()).finish_non_exhaustive()
    }
}

/// Where a body is written. From [`Body::writer`].
#[derive(Debug)]
pub struct BodyWriter {
    desk: Arc<Mutex<Desk>>,
}

/// What writer and connection share: room for one chunk. Wakers are cloned, called and dropped outside its lock.
#[derive(Debug, Default)]
struct Desk {
    chunk: Option<Bytes>,
    /// Nobody will take a chunk any more.
    over: bool,
    writer: Option<Waker>,
    taker: Option<Waker>,
}

impl BodyWriter {
    /// Hands over a chunk; waits while the one before it has not been taken. An empty chunk is nothing.
    ///
    /// # Errors
    /// `BrokenPipe` when the body is over. (Seen only by a writer that was moved to another task: the body's own future is
    /// dropped when the peer goes away.)
    ///
    /// # Cancel safety
    /// Dropped while it waits, the chunk was not sent.
    pub async fn write(&mut self, chunk: impl Into<Bytes>) -> io::Result<()> {
        let chunk = chunk.into();
        if chunk.is_empty() {
            return Ok(());
        }
        let mut chunk = Some(chunk);
        poll_fn(|context| {
            let waker = context.waker().clone();
            let mut desk = self.desk.lock().unwrap();
            let stale = if desk.over {
                return Poll::Ready(Err(io::Error::new(ErrorKind::BrokenPipe, "the body is over: nobody reads it")));
            } else if desk.chunk.is_none() {
                desk.chunk = chunk.take();
                let taker = desk.taker.take();
                drop(desk);
                taker.into_iter().for_each(Waker::wake);
                return Poll::Ready(Ok(()));
            } else {
                desk.writer.replace(waker)
            };
            drop(desk);
            drop(stale);
            Poll::Pending
        })
        .await
    }
}

/// The stream side of a [`BodyWriter`].
struct Written {
    desk: Arc<Mutex<Desk>>,
    writing: Option<Pin<Box<dyn Future<Output = io::Result<()>> + Send>>>,
    /// How the future ended, told after the chunk that it left on the desk.
    failure: Option<io::Error>,
}

impl Written {
    /// The chunk on the desk; if there is none, whoever brings one wakes us.
    fn take(&self, context: &Context<'_>) -> Option<Bytes> {
        let waker = context.waker().clone();
        let (chunk, writer) = {
            let mut desk = self.desk.lock().unwrap();
            let Some(chunk) = desk.chunk.take() else {
                desk.taker = Some(waker);
                return None;
            };
            (chunk, desk.writer.take())
        };
        // If the one who waits for room is our own future, it is polled next anyway.
        if let Some(writer) = writer
            && !(self.writing.is_some() && writer.will_wake(&waker))
        {
            writer.wake();
        }
        Some(chunk)
    }
}

impl Stream for Written {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        // Away with the old waker: our own future need not wake the task that is polling it.
        let stale = this.desk.lock().unwrap().taker.take();
        drop(stale);
        if let Some(writing) = &mut this.writing
            && let Poll::Ready(end) = writing.as_mut().poll(context)
        {
            this.writing = None;
            this.failure = end.err();
        }
        match this.take(context) {
            Some(chunk) => Poll::Ready(Some(Ok(chunk))),
            None if this.writing.is_some() => Poll::Pending,
            None => Poll::Ready(this.failure.take().map(Err)),
        }
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        let (writer, taker) = {
            let mut desk = self.desk.lock().unwrap();
            desk.over = true;
            (desk.writer.take(), desk.taker.take())
        };
        writer.into_iter().for_each(Waker::wake);
        drop(taker);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_lite::StreamExt;
    use std::time::Duration;

    async fn collect(body: Body) -> Vec<Result<Bytes, String>> {
        match body.into_outgoing() {
            Outgoing::Whole(bytes) => vec![Ok(bytes)],
            Outgoing::Stream(chunks) => chunks.map(|item| item.map_err(|error| error.to_string())).collect().await,
        }
    }

    #[test]
    fn what_is_large_is_shared_and_what_is_small_is_there() {
        for (length, small) in [(SMALL, true), (SMALL + 1, false)] {
            let body = Body::from(vec![7; length]);
            assert_eq!((body.length(), body.small().is_some()), (Some(length as u64), small));
            let addresses = [body.try_clone().unwrap(), body].map(|body| match body.into_outgoing() {
                Outgoing::Whole(bytes) => bytes.as_ptr().addr(),
                Outgoing::Stream(_) => panic!("it is there"),
            });
            assert_eq!(addresses[0] == addresses[1], !small, "{length} bytes");
        }
    }

    #[test]
    fn a_writer_gives_its_chunks_and_then_its_failure() {
        let body = Body::writer(|mut body| async move {
            body.write("one").await?;
            body.write("").await?;
            body.write("two").await?;
            Err(io::Error::other("three is too many"))
        });
        let items = runtime::block_on(collect(body));
        assert_eq!(items, [Ok("one".into()), Ok("two".into()), Err("three is too many".to_owned())]);
    }

    #[test]
    fn a_writer_in_another_task_is_woken_and_told_the_end() {
        runtime::block_on(async {
            let (send, receive) = std::sync::mpsc::channel();
            let Outgoing::Stream(mut chunks) = Body::writer(|mut body| async move {
                send.send(runtime::spawn(async move {
                    for n in 0.. {
                        if let Err(error) = body.write(format!("{n}")).await {
                            return (n, error.kind());
                        }
                    }
                    unreachable!("the numbers do not run out")
                }))
                .unwrap();
                std::future::pending().await
            })
            .into_outgoing() else {
                panic!("not a stream")
            };
            for n in 0..5 {
                assert_eq!(chunks.next().await.unwrap().unwrap(), format!("{n}"));
            }
            drop(chunks);
            assert_eq!(receive.recv().unwrap().await.unwrap(), (5, ErrorKind::BrokenPipe));
        });
    }

    #[test]
    fn the_future_goes_no_further_than_it_is_read() {
        runtime::Runtime::builder().virtual_clock().build().unwrap().block_on(async {
            let written = Arc::new(Mutex::new(0));
            let count = written.clone();
            let Outgoing::Stream(mut chunks) = Body::writer(|mut body| async move {
                loop {
                    body.write("x").await?;
                    *count.lock().unwrap() += 1;
                }
            })
            .into_outgoing() else {
                panic!("not a stream")
            };
            chunks.next().await.unwrap().unwrap();
            runtime::time::sleep(Duration::from_secs(1)).await;
            assert_eq!(*written.lock().unwrap(), 1, "one on the desk, and the next waits for room");
        });
    }

    #[test]
    fn a_body_is_read_whole_or_not_at_all() {
        runtime::block_on(async {
            let halves = || futures_lite::stream::iter([Ok(Bytes::from("one ")), Ok("two".into())]);
            let mut body = Body::stream(halves());
            assert_eq!(
                (body.bytes().await.unwrap(), body.bytes().await.unwrap()),
                ("one two".into(), "one two".into())
            );
            assert_eq!(body.length(), Some(7));

            let mut cut = Body::stream(halves().chain(futures_lite::stream::pending()));
            assert!(futures_lite::future::poll_once(cut.bytes()).await.is_none());
            assert!(cut.bytes().await.is_err());
            assert!(cut.chunk().await.is_err());
            assert!(cut.chunk().await.unwrap().is_none(), "told once, it is over");
            assert!(cut.bytes().await.is_err(), "but it does not pass for the whole");
            assert!(matches!(collect(cut).await[..], [Err(_)]), "nor when it is sent");
        });
    }

    #[test]
    fn one_byte_more_than_allowed_is_too_many() {
        runtime::block_on(async {
            let stream =
                |length| Body::stream(futures_lite::stream::iter([Ok(Bytes::from("four"))])).with_length(length);
            for (most, fits) in [(4, true), (3, false)] {
                for mut body in [stream(4), stream(0), Body::from("four")] {
                    body.set_limit(most);
                    let kind = body.bytes().await.map_err(|error| error.kind());
                    assert_eq!(kind, if fits { Ok("four".into()) } else { Err(ErrorKind::FileTooLarge) });
                }
                let mut sent = stream(4);
                sent.set_limit(most);
                assert_eq!(collect(sent).await[0].is_ok(), fits);
            }
            let mut announced = Body::stream(futures_lite::stream::pending()).with_length(4);
            announced.set_limit(3);
            assert_eq!(announced.bytes().await.unwrap_err().kind(), ErrorKind::FileTooLarge, "before anything comes");
        });
    }

    #[test]
    fn a_reader_gives_what_the_chunks_hold() {
        use futures_lite::AsyncReadExt;
        runtime::block_on(async {
            let chunks = ["", "abc", "d"].map(|chunk| Ok(Bytes::from(chunk)));
            let mut text = String::new();
            Body::stream(futures_lite::stream::iter(chunks)).reader().read_to_string(&mut text).await.unwrap();
            assert_eq!(text, "abcd");
        });
    }
}
