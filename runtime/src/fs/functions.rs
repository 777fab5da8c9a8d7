//! Whole files, and the names of files.

use super::doing;
use std::{
    fs::{self, Metadata, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

fn owned(path: impl AsRef<Path>) -> PathBuf {
    path.as_ref().to_owned()
}

/// All bytes of a file.
///
/// # Errors
/// When it cannot be opened or read.
///
/// ```
/// # runtime::block_on(async {
/// # let folder = runtime::fs::TempDir::new().await?;
/// # let path = folder.path().join("file");
/// runtime::fs::write(&path, [1, 2, 3]).await?;
/// assert_eq!(runtime::fs::read(&path).await?, [1, 2, 3]);
/// # folder.close().await
/// # }).unwrap();
/// ```
pub async fn read(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let path = owned(path);
    doing(format!("read {}", path.display()), move || fs::read(path)).await
}

/// All text of a file.
///
/// # Errors
/// When it cannot be opened or read, or is not UTF-8 ([`InvalidData`](io::ErrorKind::InvalidData); it says where).
///
/// ```
/// # runtime::block_on(async {
/// let error = runtime::fs::read_to_string("no such file").await.unwrap_err();
/// assert!(error.to_string().starts_with("cannot read no such file: No such file or directory"));
/// # });
/// ```
pub async fn read_to_string(path: impl AsRef<Path>) -> io::Result<String> {
    let path = owned(path);
    doing(format!("read {}", path.display()), move || {
        String::from_utf8(fs::read(path)?)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("it is not text: {error}")))
    })
    .await
}

/// Makes `contents` all that the file holds; creates it if need be.
///
/// Whoever reads it meanwhile sees a part. To change a file at once, write another one beside it, and [`rename`] that.
///
/// # Errors
/// When it cannot be created or written. What it holds then is not certain.
///
/// ```
/// # runtime::block_on(async {
/// # let folder = runtime::fs::TempDir::new().await?;
/// # let path = folder.path().join("file");
/// runtime::fs::write(&path, "hello").await?;
/// runtime::fs::write(&path, "you").await?;
/// assert_eq!(runtime::fs::read_to_string(&path).await?, "you");
/// # folder.close().await
/// # }).unwrap();
/// ```
pub async fn write(path: impl AsRef<Path>, contents: impl Into<Vec<u8>>) -> io::Result<()> {
    let (path, contents) = (owned(path), contents.into());
    doing(format!("write {}", path.display()), move || fs::write(path, contents)).await
}

/// Adds `contents` at the end of the file; creates it if need be.
///
/// # Errors
/// When it cannot be opened or written. How much of it was written then is not certain.
///
/// ```
/// # runtime::block_on(async {
/// # let folder = runtime::fs::TempDir::new().await?;
/// # let path = folder.path().join("file");
/// runtime::fs::append(&path, "one\n").await?;
/// runtime::fs::append(&path, "two\n").await?;
/// assert_eq!(runtime::fs::read_to_string(&path).await?, "one\ntwo\n");
/// # folder.close().await
/// # }).unwrap();
/// ```
pub async fn append(path: impl AsRef<Path>, contents: impl Into<Vec<u8>>) -> io::Result<()> {
    let (path, contents) = (owned(path), contents.into());
    doing(format!("append to {}", path.display()), move || {
        OpenOptions::new().append(true).create(true).open(path)?.write_all(&contents)
    })
    .await
}

/// Copies a file with its permissions, and gives its length in bytes. What `to` held is lost.
///
/// # Errors
/// When `from` is no file or cannot be read, or `to` cannot be written.
///
/// ```
/// # runtime::block_on(async {
/// # let folder = runtime::fs::TempDir::new().await?;
/// # let (from, to) = (folder.path().join("from"), folder.path().join("to"));
/// runtime::fs::write(&from, "hello").await?;
/// assert_eq!(runtime::fs::copy(&from, &to).await?, 5);
/// # folder.close().await
/// # }).unwrap();
/// ```
pub async fn copy(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<u64> {
    let (from, to) = (owned(from), owned(to));
    doing(format!("copy {} to {}", from.display(), to.display()), move || fs::copy(from, to)).await
}

/// Gives a file or folder another name, on the same file system. A file that has that name already is replaced at once:
/// nobody sees a moment without it.
///
/// # Errors
/// When the system refuses.
///
/// ```
/// # runtime::block_on(async {
/// # let folder = runtime::fs::TempDir::new().await?;
/// # let (part, whole) = (folder.path().join("file.part"), folder.path().join("file"));
/// runtime::fs::write(&part, "all of it").await?;
/// runtime::fs::rename(&part, &whole).await?;
/// assert!(!runtime::fs::try_exists(&part).await?);
/// # folder.close().await
/// # }).unwrap();
/// ```
pub async fn rename(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<()> {
    let (from, to) = (owned(from), owned(to));
    doing(format!("rename {} to {}", from.display(), to.display()), move || fs::rename(from, to)).await
}

/// Length, times, permissions of a file or folder; of what a symbolic link points to.
///
/// # Errors
/// When there is nothing of that name, or it may not be seen.
///
/// ```
/// # runtime::block_on(async {
/// assert!(runtime::fs::metadata("/").await?.is_dir());
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
pub async fn metadata(path: impl AsRef<Path>) -> io::Result<Metadata> {
    let path = owned(path);
    doing(format!("look at {}", path.display()), move || fs::metadata(path)).await
}

/// Whether there is something of that name. (It may be gone by the time that you hear of it.)
///
/// # Errors
/// When that cannot be told: a folder on the way may not be entered, for example.
///
/// ```
/// # runtime::block_on(async {
/// assert!(runtime::fs::try_exists("/").await?);
/// assert!(!runtime::fs::try_exists("no such file").await?);
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
pub async fn try_exists(path: impl AsRef<Path>) -> io::Result<bool> {
    let path = owned(path);
    doing(format!("look for {}", path.display()), move || fs::exists(path)).await
}

/// The path from the root, without `.`, `..` and symbolic links.
///
/// # Errors
/// When there is nothing of that name.
///
/// ```
/// # runtime::block_on(async {
/// assert_eq!(runtime::fs::canonicalize("/./tmp/..").await?, std::path::Path::new("/"));
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
pub async fn canonicalize(path: impl AsRef<Path>) -> io::Result<PathBuf> {
    let path = owned(path);
    doing(format!("find the whole path of {}", path.display()), move || fs::canonicalize(path)).await
}

/// Removes a file, or a symbolic link. Whoever has it open keeps it.
///
/// # Errors
/// When there is none of that name, or it is a folder, or the system refuses.
///
/// ```
/// # runtime::block_on(async {
/// # let folder = runtime::fs::TempDir::new().await?;
/// # let path = folder.path().join("file");
/// runtime::fs::write(&path, "").await?;
/// runtime::fs::remove_file(&path).await?;
/// assert!(!runtime::fs::try_exists(&path).await?);
/// # folder.close().await
/// # }).unwrap();
/// ```
pub async fn remove_file(path: impl AsRef<Path>) -> io::Result<()> {
    let path = owned(path);
    doing(format!("remove {}", path.display()), move || fs::remove_file(path)).await
}

/// Creates a folder in one that is there.
///
/// # Errors
/// When there is something of that name already, or the system refuses.
///
/// ```
/// # runtime::block_on(async {
/// # let folder = runtime::fs::TempDir::new().await?;
/// runtime::fs::create_dir(folder.path().join("drafts")).await?;
/// # folder.close().await
/// # }).unwrap();
/// ```
pub async fn create_dir(path: impl AsRef<Path>) -> io::Result<()> {
    let path = owned(path);
    doing(format!("create the folder {}", path.display()), move || fs::create_dir(path)).await
}

/// Creates a folder, and those on the way to it that are missing. One that is there is no error.
///
/// # Errors
/// When there is a file of that name, or the system refuses.
///
/// ```
/// # runtime::block_on(async {
/// # let folder = runtime::fs::TempDir::new().await?;
/// runtime::fs::create_dir_all(folder.path().join("drafts/today")).await?;
/// # folder.close().await
/// # }).unwrap();
/// ```
pub async fn create_dir_all(path: impl AsRef<Path>) -> io::Result<()> {
    let path = owned(path);
    doing(format!("create the folder {}", path.display()), move || fs::create_dir_all(path)).await
}

/// Removes an empty folder.
///
/// # Errors
/// When it is not there, or not empty, or the system refuses.
///
/// ```
/// # runtime::block_on(async {
/// # let folder = runtime::fs::TempDir::new().await?;
/// # let drafts = folder.path().join("drafts");
/// runtime::fs::create_dir(&drafts).await?;
/// runtime::fs::remove_dir(&drafts).await?;
/// # folder.close().await
/// # }).unwrap();
/// ```
pub async fn remove_dir(path: impl AsRef<Path>) -> io::Result<()> {
    let path = owned(path);
    doing(format!("remove the folder {}", path.display()), move || fs::remove_dir(path)).await
}

/// Removes a folder with all that is in it. Symbolic links in it are removed, and not followed.
///
/// # Errors
/// When it is not there, or the system refuses. Some of it may be gone then.
///
/// ```
/// # runtime::block_on(async {
/// # let folder = runtime::fs::TempDir::new().await?;
/// # let drafts = folder.path().join("drafts");
/// runtime::fs::create_dir(&drafts).await?;
/// runtime::fs::write(drafts.join("file"), "text").await?;
/// runtime::fs::remove_dir_all(&drafts).await?;
/// # folder.close().await
/// # }).unwrap();
/// ```
pub async fn remove_dir_all(path: impl AsRef<Path>) -> io::Result<()> {
    let path = owned(path);
    doing(format!("remove the folder {} and what is in it", path.display()), move || fs::remove_dir_all(path)).await
}
