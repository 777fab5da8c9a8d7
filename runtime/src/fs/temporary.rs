//! Files and folders for a while: removed when their owner is dropped, however that comes about.

use super::{File, doing};
use crate::random;
use std::{
    env,
    fs::{self, DirBuilder, OpenOptions},
    io::{self, ErrorKind},
    mem,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process,
};

/// How often a name that is taken already is replaced by another.
const ATTEMPTS: usize = 100;

/// A new folder that nobody else may enter. Dropped, it is removed with all that is in it, whatever went wrong meanwhile.
///
/// The drop does so there and then, on the thread of the task; for a big folder, or to hear of errors, [`close`](TempDir::close)
/// it.
///
/// ```
/// use runtime::fs::{TempDir, write};
/// runtime::block_on(async {
///     let folder = TempDir::new().await?;
///     let path = folder.path().to_owned();
///     write(path.join("draft"), "text").await?;
///     drop(folder);
///     assert!(!path.exists());
///     std::io::Result::Ok(())
/// }).unwrap();
/// ```
#[derive(Debug)]
#[must_use = "it is removed when it is dropped"]
pub struct TempDir(Removed);

impl TempDir {
    /// Makes one in the system's folder for such things.
    ///
    /// # Errors
    /// When the system refuses.
    ///
    /// # Cancel safety
    /// Dropped, it leaves nothing behind.
    ///
    /// ```
    /// # runtime::block_on(async {
    /// let folder = runtime::fs::TempDir::new().await?;
    /// assert!(folder.path().starts_with(std::env::temp_dir()));
    /// # folder.close().await
    /// # }).unwrap();
    /// ```
    pub async fn new() -> io::Result<TempDir> {
        Self::new_in(env::temp_dir()).await
    }

    /// Makes one in `parent`.
    ///
    /// # Errors
    /// When the system refuses.
    ///
    /// # Cancel safety
    /// Dropped, it leaves nothing behind.
    ///
    /// ```
    /// # runtime::block_on(async {
    /// # let outer = runtime::fs::TempDir::new().await?;
    /// let inner = runtime::fs::TempDir::new_in(outer.path()).await?;
    /// assert_eq!(inner.path().parent(), Some(outer.path()));
    /// # outer.close().await
    /// # }).unwrap();
    /// ```
    pub async fn new_in(parent: impl AsRef<Path>) -> io::Result<TempDir> {
        let make = |path: &Path| DirBuilder::new().mode(0o700).create(path);
        let what = "create a temporary folder in";
        made(what, parent.as_ref(), make, |path| fs::remove_dir_all(path)).await.map(|((), folder)| TempDir(folder))
    }

    /// Where it is.
    ///
    /// ```
    /// # runtime::block_on(async {
    /// let folder = runtime::fs::TempDir::new().await?;
    /// assert!(runtime::fs::metadata(folder.path()).await?.is_dir());
    /// # folder.close().await
    /// # }).unwrap();
    /// ```
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Removes it, with all that is in it.
    ///
    /// # Errors
    /// When that fails: if somebody has removed it already, for example.
    ///
    /// # Cancel safety
    /// It is removed, whether or not anybody waits for it.
    ///
    /// ```
    /// # runtime::block_on(async {
    /// let folder = runtime::fs::TempDir::new().await?;
    /// runtime::fs::remove_dir(folder.path()).await?;
    /// assert!(folder.close().await.is_err());
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub async fn close(self) -> io::Result<()> {
        self.0.close().await
    }
}

/// A new file that nobody else may open, for reading and writing. Dropped, it is removed, whatever went wrong meanwhile.
///
/// ```
/// use futures_lite::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
/// use runtime::fs::TempFile;
/// runtime::block_on(async {
///     let mut temporary = TempFile::new().await?;
///     let file = temporary.file();
///     file.write_all(b"hello").await?;
///     file.seek(std::io::SeekFrom::Start(0)).await?;
///     let mut text = String::new();
///     file.read_to_string(&mut text).await?;
///     assert_eq!(text, "hello");
///     temporary.close().await
/// }).unwrap();
/// ```
#[derive(Debug)]
#[must_use = "it is removed when it is dropped"]
pub struct TempFile {
    file: File,
    name: Removed,
}

impl TempFile {
    /// Makes one in the system's folder for such things.
    ///
    /// # Errors
    /// When the system refuses.
    ///
    /// # Cancel safety
    /// Dropped, it leaves nothing behind.
    ///
    /// ```
    /// # runtime::block_on(async {
    /// let temporary = runtime::fs::TempFile::new().await?;
    /// let path = temporary.path().to_owned();
    /// drop(temporary);
    /// assert!(!path.exists());
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub async fn new() -> io::Result<TempFile> {
        Self::new_in(env::temp_dir()).await
    }

    /// Makes one in `parent`.
    ///
    /// # Errors
    /// When the system refuses.
    ///
    /// # Cancel safety
    /// Dropped, it leaves nothing behind.
    ///
    /// ```
    /// # runtime::block_on(async {
    /// let error = runtime::fs::TempFile::new_in("no such folder").await.unwrap_err();
    /// assert!(error.to_string().starts_with("cannot create a temporary file in no such folder: "));
    /// # });
    /// ```
    pub async fn new_in(parent: impl AsRef<Path>) -> io::Result<TempFile> {
        let make = |path: &Path| OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path);
        let what = "create a temporary file in";
        let (file, name) = made(what, parent.as_ref(), make, |path| fs::remove_file(path)).await?;
        Ok(TempFile { file: File::new(file, name.path.clone()), name })
    }

    /// Where it is.
    ///
    /// ```
    /// # runtime::block_on(async {
    /// let temporary = runtime::fs::TempFile::new().await?;
    /// assert_eq!(runtime::fs::metadata(temporary.path()).await?.len(), 0);
    /// # temporary.close().await
    /// # }).unwrap();
    /// ```
    pub fn path(&self) -> &Path {
        &self.name.path
    }

    /// The file itself.
    ///
    /// ```
    /// # runtime::block_on(async {
    /// let mut temporary = runtime::fs::TempFile::new().await?;
    /// temporary.file().set_len(100).await?;
    /// assert_eq!(runtime::fs::metadata(temporary.path()).await?.len(), 100);
    /// # temporary.close().await
    /// # }).unwrap();
    /// ```
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Removes it.
    ///
    /// # Errors
    /// When that fails: if somebody has removed or renamed it already, for example.
    ///
    /// # Cancel safety
    /// It is removed, whether or not anybody waits for it.
    ///
    /// ```
    /// # runtime::block_on(async {
    /// let temporary = runtime::fs::TempFile::new().await?;
    /// temporary.close().await
    /// # }).unwrap();
    /// ```
    pub async fn close(self) -> io::Result<()> {
        self.name.close().await
    }
}

/// Makes something under a name that nobody has.
async fn made<T: Send + 'static>(
    what: &str,
    parent: &Path,
    make: fn(&Path) -> io::Result<T>,
    remove: fn(&Path) -> io::Result<()>,
) -> io::Result<(T, Removed)> {
    let what = format!("{what} {}", parent.display());
    let parent = parent.to_owned();
    // Drawn here: from the seed, if there is one.
    let mut names = random::Generator::new(random::next_u64());
    doing(what, move || {
        for _ in 0..ATTEMPTS {
            let path = parent.join(format!(".tmp-{}-{:016x}", process::id(), names.next_u64()));
            match make(&path) {
                // Also if nobody waits for it any more: then it is dropped, and removed.
                Ok(made) => return Ok((made, Removed { path, remove })),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(ErrorKind::AlreadyExists.into())
    })
    .await
}

/// The name of something that is removed when this is dropped.
#[derive(Debug)]
struct Removed {
    path: PathBuf,
    remove: fn(&Path) -> io::Result<()>,
}

impl Removed {
    async fn close(mut self) -> io::Result<()> {
        let what = format!("remove {}", self.path.display());
        doing(what, move || {
            let path = mem::take(&mut self.path);
            (self.remove)(&path)
        })
        .await
    }
}

impl Drop for Removed {
    fn drop(&mut self) {
        // Taken: it is removed already, or that was tried.
        if !self.path.as_os_str().is_empty() {
            let _ = (self.remove)(&self.path);
        }
    }
}
