//! Files and folders, on the blocking threads of the runtime: the system has no readiness for them.
//!
//! - Every error says what was being done, to which path, and why it failed: `cannot open notes.txt for reading: No such file or
//!   directory (os error 2)`. Its [kind](std::io::Error::kind) is the system's.
//! - What has begun on a blocking thread cannot be stopped. Dropping the future of a function here does not undo anything: the
//!   operation still happens, or, if the runtime ends before its turn comes, does not. Nothing happens by halves, but what
//!   consists of several steps ([`write()`], [`copy`], [`remove_dir_all`]) may fail between two of them.
//! - Outside a runtime, everything here fails.
//! - Under a virtual clock, time stands still meanwhile; a simulated runtime gives each operation up to two milliseconds. The
//!   files are the system's in both.
//!
//! ```
//! use runtime::{fs, stream::StreamExt};
//! runtime::block_on(async {
//!     let folder = fs::TempDir::new().await?;
//!     let path = folder.path().join("notes.txt");
//!     fs::write(&path, "one\ntwo\n").await?;
//!     let mut lines = fs::File::open(&path).await?.lines();
//!     assert_eq!(lines.next().await.unwrap()?, "one");
//!     folder.close().await
//! }).unwrap();
//! ```

mod file;
mod functions;
mod read_dir;
mod temporary;

pub use file::File;
pub use functions::{
    append, canonicalize, copy, create_dir, create_dir_all, metadata, read, read_to_string, remove_dir, remove_dir_all,
    remove_file, rename, try_exists, write,
};
pub use read_dir::{DirEntry, ReadDir, read_dir};
pub use std::fs::{FileType, Metadata, OpenOptions, Permissions};
pub use temporary::{TempDir, TempFile};

use crate::io::run;
use std::{fmt, io};

/// Does `job` on a blocking thread. If it fails, the error says that it could not `doing`.
async fn doing<T: Send + 'static>(
    doing: impl fmt::Display + Send + 'static,
    job: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    match run(job).await {
        Ok(done) => Ok(done),
        Err(error) => Err(cannot(doing, &error)),
    }
}

/// `error`, with what could not be done.
fn cannot(doing: impl fmt::Display, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot {doing}: {error}"))
}
