//! A body into a file: under another name until it is whole.

use super::{ClientResponse, Error};
use futures_lite::AsyncWriteExt;
use runtime::fs::{self, File};
use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

/// How far a download is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// So many bytes are in the file.
    pub bytes: u64,
    /// So many there will be, if that is known.
    pub length: Option<u64>,
}

impl ClientResponse {
    /// Saves the body as `path`, and says how many bytes that were. As long as it is not whole it is in `path.part`; then it is
    /// written to the disk, and renamed: whoever finds `path` finds all of it. No more than a chunk of it is in memory.
    ///
    /// # Errors
    /// As [`chunk`](ClientResponse::chunk), and [`Error::Save`]. In both cases `path` is as it was, and what came is in
    /// `path.part`, to be looked at or written over.
    ///
    /// # Cancel safety
    /// As with an error.
    pub async fn save(self, path: impl AsRef<Path>) -> Result<u64, Error> {
        self.save_with(path, |_| {}).await
    }

    /// [`save`](ClientResponse::save), and `progress` is told after each chunk. It runs in the task that saves, and should be
    /// quick.
    ///
    /// # Errors
    /// As [`save`](ClientResponse::save).
    ///
    /// # Cancel safety
    /// As [`save`](ClientResponse::save).
    pub async fn save_with(mut self, path: impl AsRef<Path>, mut progress: impl FnMut(Progress)) -> Result<u64, Error> {
        let path = path.as_ref();
        let part = part_of(path);
        let url = self.url().to_string();
        let failed = |cause: io::Error| Error::Save { url: url.clone(), path: path.to_owned(), cause };
        let length = self.content_length();
        let mut file = File::create(&part).await.map_err(failed)?;
        let mut bytes = 0;
        while let Some(chunk) = self.chunk().await? {
            file.write_all(&chunk).await.map_err(failed)?;
            bytes += chunk.len() as u64;
            progress(Progress { bytes, length });
        }
        file.flush().await.map_err(failed)?;
        file.sync_all().await.map_err(failed)?;
        drop(file);
        fs::rename(&part, path).await.map_err(failed)?;
        Ok(bytes)
    }
}

fn part_of(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".part");
    name.into()
}
