//! The body of a response: bytes that are there, or a stream of bytes that are still to be made.
//!
//! A stream is polled by the connection that sends it, and by nobody else. So it goes no faster than the peer reads, and
//! when the peer goes away it is dropped, with all that it owns: a body that reads a child process ends that process.

use bytes::Bytes;
use futures_core::Stream;
use std::{
    fmt,
    future::{Future, poll_fn},
    io::{self, ErrorKind},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

/// The body of a response.
pub struct Body {
    pub(crate) content: Content,
    /// How many bytes a stream will give, if that is known.
    pub(crate) length: Option<u64>,
}

pub(crate) enum Content {
    Whole(Bytes),
    Stream(Chunks),
}

/// The bytes of a body as they are made.
pub(crate) type Chunks = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

impl Body {
    /// No bytes.
    pub fn empty() -> Self {
        Bytes::new().into()
    }

    /// Whatever the stream gives, sent as it comes. If an item is an error, the connection is closed in mid-body, so that
    /// the peer cannot take what it has for the whole.
    pub fn stream(chunks: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Self {
        Body { content: Content::Stream(Box::pin(chunks)), length: None }
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

    /// How many bytes there are, if that is known.
    pub fn length(&self) -> Option<u64> {
        match &self.content {
            Content::Whole(bytes) => Some(bytes.len() as u64),
            Content::Stream(_) => self.length,
        }
    }
}

impl Default for Body {
    fn default() -> Self {
        Body::empty()
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Body { content: Content::Whole(bytes), length: None }
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
        Bytes::from(text).into()
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
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
        match body.content {
            Content::Whole(bytes) => vec![Ok(bytes)],
            Content::Stream(chunks) => chunks.map(|item| item.map_err(|error| error.to_string())).collect().await,
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
            let Content::Stream(mut chunks) = Body::writer(|mut body| async move {
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
            .content
            else {
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
            let Content::Stream(mut chunks) = Body::writer(|mut body| async move {
                loop {
                    body.write("x").await?;
                    *count.lock().unwrap() += 1;
                }
            })
            .content
            else {
                panic!("not a stream")
            };
            chunks.next().await.unwrap().unwrap();
            runtime::time::sleep(Duration::from_secs(1)).await;
            assert_eq!(*written.lock().unwrap(), 1, "one on the desk, and the next waits for room");
        });
    }
}
