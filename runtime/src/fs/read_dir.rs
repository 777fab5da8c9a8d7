//! What is in a folder.

use super::{cannot, doing};
use crate::{
    io::run,
    stream::{self, BoxStream, Stream, StreamExt},
};
use std::{
    ffi::OsString,
    fmt,
    fs::{self, FileType, Metadata},
    io,
    path::{Path, PathBuf},
    pin::Pin,
    task::{Context, Poll},
};

/// How many names a blocking thread fetches at once.
const BATCH: usize = 64;

/// The entries of a folder, in no particular order; `.` and `..` are not among them.
///
/// # Errors
/// When it is not there, or is no folder, or may not be read.
///
/// ```
/// use runtime::{fs, stream::StreamExt};
/// # runtime::block_on(async {
/// # let folder = fs::TempDir::new().await?;
/// fs::write(folder.path().join("one"), "").await?;
/// fs::write(folder.path().join("two"), "").await?;
/// let names = fs::read_dir(folder.path()).await?.map(|entry| entry.unwrap().file_name());
/// let mut names: Vec<_> = names.collect().await;
/// names.sort();
/// assert_eq!(names, ["one", "two"]);
/// # folder.close().await
/// # }).unwrap();
/// ```
pub async fn read_dir(path: impl AsRef<Path>) -> io::Result<ReadDir> {
    let path = path.as_ref().to_owned();
    let what = format!("read the folder {}", path.display());
    let mut rest = doing(what.clone(), move || fs::read_dir(path)).await?;
    let entries = stream::generate(async move |out| {
        loop {
            let batch = run(move || {
                let batch: Vec<_> = rest.by_ref().take(BATCH).map(|entry| DirEntry::new(entry?)).collect();
                Ok((batch, rest))
            });
            let batch = match batch.await {
                Ok((batch, others)) => {
                    rest = others;
                    batch
                }
                Err(error) => return out.emit(Err(cannot(&what, &error))).await,
            };
            if batch.is_empty() {
                return;
            }
            for entry in batch {
                out.emit(entry.map_err(|error| cannot(&what, &error))).await;
            }
        }
    });
    Ok(ReadDir(entries.boxed()))
}

/// The stream of [`read_dir`].
///
/// # Cancel safety
/// Giving up its `next` loses nothing.
///
/// ```
/// use runtime::{fs::{self, ReadDir}, stream::StreamExt};
/// # runtime::block_on(async {
/// let mut root: ReadDir = fs::read_dir("/").await?;
/// assert!(root.next().await.is_some());
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
#[must_use = "a stream does nothing until it is asked for its values"]
pub struct ReadDir(BoxStream<'static, io::Result<DirEntry>>);

impl Stream for ReadDir {
    type Item = io::Result<DirEntry>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<DirEntry>>> {
        self.0.as_mut().poll_next(context)
    }
}

impl fmt::Debug for ReadDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadDir").finish_non_exhaustive()
    }
}

/// Something in a folder.
///
/// ```
/// use runtime::{fs, stream::StreamExt};
/// # runtime::block_on(async {
/// # let folder = fs::TempDir::new().await?;
/// fs::write(folder.path().join("one"), "1").await?;
/// let entry: fs::DirEntry = fs::read_dir(folder.path()).await?.next().await.unwrap()?;
/// assert_eq!((entry.file_name(), entry.path()), ("one".into(), folder.path().join("one")));
/// assert!(entry.file_type().is_file());
/// assert_eq!(entry.metadata().await?.len(), 1);
/// # folder.close().await
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct DirEntry {
    entry: fs::DirEntry,
    file_type: FileType,
}

impl DirEntry {
    /// On a blocking thread: some file systems have to be asked for the type.
    fn new(entry: fs::DirEntry) -> io::Result<Self> {
        Ok(Self { file_type: entry.file_type()?, entry })
    }

    /// Its name, without the folder's.
    ///
    /// See [`DirEntry`] for an example.
    pub fn file_name(&self) -> OsString {
        self.entry.file_name()
    }

    /// The folder's path as it was given, and its name.
    ///
    /// See [`DirEntry`] for an example.
    pub fn path(&self) -> PathBuf {
        self.entry.path()
    }

    /// Whether it is a file, a folder, or a symbolic link (which is not followed).
    ///
    /// See [`DirEntry`] for an example.
    pub fn file_type(&self) -> FileType {
        self.file_type
    }

    /// Length, times, permissions; of a symbolic link itself.
    ///
    /// # Errors
    /// When it is gone meanwhile, or may not be seen.
    ///
    /// See [`DirEntry`] for an example.
    pub async fn metadata(&self) -> io::Result<Metadata> {
        let path = self.path();
        doing(format!("look at {}", path.display()), move || fs::symlink_metadata(path)).await
    }
}
