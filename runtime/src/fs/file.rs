//! A file that is open.

use super::{cannot, doing};
use crate::{
    io::{Lines, OnPool},
    stream::{self, Stream},
};
use futures_io::{AsyncBufRead, AsyncRead, AsyncSeek, AsyncWrite};
use std::{
    fs::{self, Metadata, OpenOptions},
    future::poll_fn,
    io::{self, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

/// A file that is open: to be read, written and moved about in with the traits of `futures-io`.
///
/// - **Reading** runs ahead by some kilobytes, so small reads cost little, and no `BufReader` is needed.
/// - **Writing** returns when the bytes are copied and on their way; the next operation waits for them. If they could not be
///   written, the next write, flush or close says so. So [flush](AsyncWrite::poll_flush) at the end: an error that nobody asks
///   for is lost, and so is a write that is still on its way when the runtime ends. (And each write is a trip to another
///   thread: collect small ones in a `BufWriter`.)
/// - **Dropping** it closes it, when the operation that is under way has ended. It does not wait for that.
///
/// # Cancel safety
/// Dropping a read loses nothing: what it brings is there for the next read. Dropping a write, or a flush, takes nothing back.
/// Dropping a seek may leave the position in either place.
///
/// ```
/// use futures_lite::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
/// use runtime::fs::{File, OpenOptions};
/// use std::io::SeekFrom;
/// runtime::block_on(async {
///     # let folder = runtime::fs::TempDir::new().await?;
///     # let path = folder.path().join("file");
///     let mut file = File::open_with(&path, OpenOptions::new().read(true).write(true).create(true)).await?;
///     file.write_all(b"hello").await?;
///     file.seek(SeekFrom::Start(1)).await?;
///     let mut text = String::new();
///     file.read_to_string(&mut text).await?;
///     assert_eq!(text, "ello");
///     # folder.close().await
/// }).unwrap();
/// ```
#[derive(Debug)]
pub struct File {
    file: Arc<fs::File>,
    on_pool: OnPool<Arc<fs::File>>,
    path: PathBuf,
}

impl File {
    /// Opens a file to be read.
    ///
    /// # Errors
    /// When it is not there, or may not be read. (A folder can be opened; to read from it fails.)
    ///
    /// ```
    /// let error = runtime::block_on(runtime::fs::File::open("no such file")).unwrap_err();
    /// assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    /// assert!(error.to_string().starts_with("cannot open no such file for reading: "));
    /// ```
    pub async fn open(path: impl AsRef<Path>) -> io::Result<File> {
        Self::open_as("open", " for reading", path.as_ref(), OpenOptions::new().read(true)).await
    }

    /// Opens a file to be written, from its beginning. What it held is lost; if it was not there, it is created.
    ///
    /// # Errors
    /// When it may not be written or created.
    ///
    /// ```
    /// use futures_lite::AsyncWriteExt;
    /// # runtime::block_on(async {
    /// # let folder = runtime::fs::TempDir::new().await?;
    /// # let path = folder.path().join("file");
    /// let mut file = runtime::fs::File::create(&path).await?;
    /// file.write_all(b"hello").await?;
    /// file.close().await?; // now it is written, or we would know
    /// assert_eq!(runtime::fs::read(&path).await?, b"hello");
    /// # folder.close().await
    /// # }).unwrap();
    /// ```
    pub async fn create(path: impl AsRef<Path>) -> io::Result<File> {
        let options = &mut OpenOptions::new();
        Self::open_as("create", "", path.as_ref(), options.write(true).create(true).truncate(true)).await
    }

    /// Opens a file to be written at its end, wherever that is at each write. If it was not there, it is created.
    ///
    /// # Errors
    /// When it may not be written or created.
    ///
    /// ```
    /// use futures_lite::AsyncWriteExt;
    /// # runtime::block_on(async {
    /// # let folder = runtime::fs::TempDir::new().await?;
    /// # let path = folder.path().join("file");
    /// for line in ["one\n", "two\n"] {
    ///     let mut log = runtime::fs::File::append(&path).await?;
    ///     log.write_all(line.as_bytes()).await?;
    ///     log.close().await?;
    /// }
    /// assert_eq!(runtime::fs::read_to_string(&path).await?, "one\ntwo\n");
    /// # folder.close().await
    /// # }).unwrap();
    /// ```
    pub async fn append(path: impl AsRef<Path>) -> io::Result<File> {
        Self::open_as("open", " for appending", path.as_ref(), OpenOptions::new().append(true).create(true)).await
    }

    /// Opens a file as `options` say.
    ///
    /// # Errors
    /// When the system refuses.
    ///
    /// ```
    /// use runtime::fs::{File, OpenOptions};
    /// # runtime::block_on(async {
    /// # let folder = runtime::fs::TempDir::new().await?;
    /// # let path = folder.path().join("file");
    /// let mut new = OpenOptions::new();
    /// new.write(true).create_new(true);
    /// File::open_with(&path, &new).await?;
    /// let error = File::open_with(&path, &new).await.unwrap_err();
    /// assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
    /// # folder.close().await
    /// # }).unwrap();
    /// ```
    pub async fn open_with(path: impl AsRef<Path>, options: &OpenOptions) -> io::Result<File> {
        Self::open_as("open", "", path.as_ref(), options).await
    }

    async fn open_as(how: &str, what_for: &str, path: &Path, options: &OpenOptions) -> io::Result<File> {
        let (to_open, options) = (path.to_owned(), options.clone());
        let what = format!("{how} {}{what_for}", path.display());
        let file = doing(what, move || options.open(to_open)).await?;
        Ok(Self::new(file, path.to_owned()))
    }

    pub(super) fn new(file: fs::File, path: PathBuf) -> File {
        let file = Arc::new(file);
        File { on_pool: OnPool::new(file.clone()), file, path }
    }

    /// The path under which it was opened.
    ///
    /// ```
    /// let null = runtime::block_on(runtime::fs::File::open("/dev/null")).unwrap();
    /// assert_eq!(null.path(), std::path::Path::new("/dev/null"));
    /// ```
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Length, times, permissions of the file; with all that was written.
    ///
    /// # Errors
    /// When a write before it failed, or the system refuses.
    ///
    /// ```
    /// use futures_lite::AsyncWriteExt;
    /// # runtime::block_on(async {
    /// # let folder = runtime::fs::TempDir::new().await?;
    /// let mut file = runtime::fs::File::create(folder.path().join("file")).await?;
    /// file.write_all(b"hello").await?;
    /// assert_eq!(file.metadata().await?.len(), 5);
    /// # folder.close().await
    /// # }).unwrap();
    /// ```
    pub async fn metadata(&mut self) -> io::Result<Metadata> {
        self.when_written("look at", fs::File::metadata).await
    }

    /// Waits until all that was written, and what is known of the file (its length, its times), has reached the disk.
    ///
    /// # Errors
    /// When a write before it failed, or the disk did not take it.
    ///
    /// ```
    /// use futures_lite::AsyncWriteExt;
    /// # runtime::block_on(async {
    /// # let folder = runtime::fs::TempDir::new().await?;
    /// let mut file = runtime::fs::File::create(folder.path().join("file")).await?;
    /// file.write_all(b"not to be lost").await?;
    /// file.sync_all().await?; // the power may fail now
    /// # folder.close().await
    /// # }).unwrap();
    /// ```
    pub async fn sync_all(&mut self) -> io::Result<()> {
        self.when_written("sync", fs::File::sync_all).await
    }

    /// [`sync_all`](File::sync_all), but only of what is needed to read the contents again.
    ///
    /// # Errors
    /// As [`sync_all`](File::sync_all).
    ///
    /// ```
    /// use futures_lite::AsyncWriteExt;
    /// # runtime::block_on(async {
    /// # let folder = runtime::fs::TempDir::new().await?;
    /// let mut log = runtime::fs::File::append(folder.path().join("log")).await?;
    /// log.write_all(b"it happened\n").await?;
    /// log.sync_data().await?;
    /// # folder.close().await
    /// # }).unwrap();
    /// ```
    pub async fn sync_data(&mut self) -> io::Result<()> {
        self.when_written("sync", fs::File::sync_data).await
    }

    /// Cuts the file off, or adds zeros, so that it is `length` bytes long. The position stays where it is.
    ///
    /// # Errors
    /// When a write before it failed, or the file cannot be written.
    ///
    /// ```
    /// use futures_lite::AsyncWriteExt;
    /// # runtime::block_on(async {
    /// # let folder = runtime::fs::TempDir::new().await?;
    /// # let path = folder.path().join("file");
    /// let mut file = runtime::fs::File::create(&path).await?;
    /// file.write_all(b"hello").await?;
    /// file.set_len(2).await?;
    /// assert_eq!(runtime::fs::read(&path).await?, b"he");
    /// # folder.close().await
    /// # }).unwrap();
    /// ```
    pub async fn set_len(&mut self, length: u64) -> io::Result<()> {
        if !self.on_pool.unread().is_empty() {
            // What was read ahead may not be true any more.
            poll_fn(|context| Pin::new(&mut *self).poll_seek(context, SeekFrom::Current(0))).await?;
        }
        self.when_written("set the length of", move |file| file.set_len(length)).await
    }

    async fn when_written<T: Send + 'static>(
        &mut self,
        what: &str,
        job: impl FnOnce(&fs::File) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        poll_fn(|context| Pin::new(&mut *self).poll_flush(context)).await?;
        let file = self.file.clone();
        doing(format!("{what} {}", self.path.display()), move || job(&file)).await
    }

    /// The bytes of the file from here on, in pieces of `size`; the last one may be shorter. None, if there are none. An error
    /// comes after what was read before it, and ends the stream. Dropping the stream closes the file.
    ///
    /// # Panics
    /// When `size` is zero.
    ///
    /// # Cancel safety
    /// Nothing is lost: the part of a piece that is there stays in the stream.
    ///
    /// ```
    /// use runtime::{fs::{self, File}, stream::StreamExt};
    /// # runtime::block_on(async {
    /// # let folder = fs::TempDir::new().await?;
    /// # let path = folder.path().join("file");
    /// fs::write(&path, [7; 10_000]).await?;
    /// let pieces = File::open(&path).await?.chunks(4096).map(|piece| piece.unwrap().len());
    /// assert_eq!(pieces.collect::<Vec<_>>().await, [4096, 4096, 1808]);
    /// # folder.close().await
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn chunks(mut self, size: usize) -> impl Stream<Item = io::Result<Vec<u8>>> + Send + Unpin {
        assert!(size > 0, "a chunk of no bytes would never be full");
        stream::generate(async move |out| {
            let mut chunk = Vec::new();
            loop {
                // Whatever comes, up to what is missing.
                let read = poll_fn(|context| {
                    ready!(self.on_pool.poll_fill(context, size))?;
                    let bytes = self.on_pool.unread();
                    let count = bytes.len().min(size - chunk.len());
                    chunk.extend_from_slice(&bytes[..count]);
                    self.on_pool.consume(count);
                    Poll::Ready(io::Result::Ok(count))
                });
                let read = read.await.map_err(|error| self.cannot("read", &error));
                let over = !matches!(read, Ok(1..));
                if chunk.len() == size || (over && !chunk.is_empty()) {
                    out.emit(Ok(std::mem::take(&mut chunk))).await;
                }
                match read {
                    Ok(0) => return,
                    Ok(_) => {}
                    Err(error) => return out.emit(Err(error)).await,
                }
            }
        })
    }

    /// The lines of the file from here on: see [`io::lines`](crate::io::lines). Errors name the file.
    ///
    /// ```
    /// use runtime::{fs::{self, File}, stream::StreamExt};
    /// # runtime::block_on(async {
    /// # let folder = fs::TempDir::new().await?;
    /// # let path = folder.path().join("file");
    /// fs::write(&path, "one\r\ntwo").await?;
    /// assert_eq!(File::open(&path).await?.lines().try_collect::<_, _, Vec<_>>().await?, ["one", "two"]);
    /// # folder.close().await
    /// # }).unwrap();
    /// ```
    pub fn lines(self) -> Lines<File> {
        let of = format!(" of {}", self.path.display());
        Lines::of(self, of)
    }

    fn cannot(&self, what: &str, error: &io::Error) -> io::Error {
        cannot(format_args!("{what} {}", self.path.display()), error)
    }
}

impl AsyncRead for File {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.on_pool.poll_read(context, buffer).map_err(|error| self.cannot("read", &error))
    }
}

impl AsyncBufRead for File {
    fn poll_fill_buf(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        ready!(self.on_pool.poll_fill(context, 0)).map_err(|error| self.cannot("read", &error))?;
        Poll::Ready(Ok(self.into_ref().get_ref().on_pool.unread()))
    }

    fn consume(mut self: Pin<&mut Self>, count: usize) {
        self.on_pool.consume(count);
    }
}

/// Writes where the reader is.
fn write(file: &mut Arc<fs::File>, ahead: u64, bytes: &[u8]) -> io::Result<()> {
    if ahead > 0 {
        file.seek(SeekFrom::Current(-(ahead as i64)))?;
    }
    file.write_all(bytes)
}

impl AsyncWrite for File {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.on_pool.poll_write(context, bytes, write).map_err(|error| self.cannot("write", &error))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.on_pool.poll_flush(context).map_err(|error| self.cannot("write", &error))
    }

    /// Flushes. The file itself is closed when it is dropped.
    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}

impl AsyncSeek for File {
    fn poll_seek(mut self: Pin<&mut Self>, context: &mut Context<'_>, to: SeekFrom) -> Poll<io::Result<u64>> {
        self.on_pool.poll_seek(context, to).map_err(|error| self.cannot("seek in", &error))
    }
}
