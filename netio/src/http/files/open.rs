//! From names in the file system to an open file.

use crate::http::{
    HeaderMap,
    coding::{Coding, accepted},
};
use rustix::fs::{CWD, Mode, OFlags, openat};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind},
    os::{fd::AsRawFd, unix::fs::OpenOptionsExt},
    path::{Path, PathBuf},
    time::SystemTime,
};

/// A regular file, open for reading. What is known of it is known of this very file, whatever its name means by now.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) file: File,
    pub(super) length: u64,
    pub(super) modified: SystemTime,
    /// The name by which it was asked for, not where a symlink led.
    pub(super) path: PathBuf,
    /// Where it must be.
    inside: Option<Bounds>,
}

/// A folder that nothing leads out of.
#[derive(Clone, Debug)]
pub(super) struct Bounds {
    /// With no symlink in it.
    pub(super) root: PathBuf,
    /// Where an open file is now, if the system can tell.
    pub(super) place_of: fn(&File) -> Option<PathBuf>,
}

/// What a path leads to.
pub(super) enum Found {
    File(Opened),
    /// A folder whose name was given without `/` at its end.
    Folder,
}

/// Follows symlinks, and looks where they led.
pub(super) fn find(root: &Path, below: &Path, is_folder: bool, any_link: bool) -> io::Result<Found> {
    Bounds::of(root)?.find(below, is_folder, any_link)
}

impl Bounds {
    pub(super) fn of(root: &Path) -> io::Result<Bounds> {
        Ok(Bounds { root: root.canonicalize()?, place_of })
    }

    pub(super) fn find(&self, below: &Path, is_folder: bool, any_link: bool) -> io::Result<Found> {
        let inside = (!any_link).then_some(self);
        let mut path = self.root.join(below);
        let place = located(&path, inside)?;
        match (place.metadata()?.is_dir(), is_folder) {
            (true, true) => {
                path.push("index.html");
                open(&path, inside).map(Found::File)
            }
            (true, false) => Ok(Found::Folder),
            (false, true) => Err(ErrorKind::NotFound.into()),
            (false, false) => open_at(&place, path, inside).map(Found::File),
        }
    }

    /// Opens what is at a place in here that was found, step by step. There was no symlink on the way: if there is one now, this
    /// fails, and does not follow it.
    pub(super) fn open(&self, place: &Path) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let below = place.strip_prefix(&self.root).map_err(|_| ErrorKind::NotFound)?;
        let mut at = openat(CWD, &self.root, flags, Mode::empty())?;
        for name in below {
            at = openat(&at, name, flags, Mode::empty())?;
        }
        Ok(at.into())
    }
}

/// Opens a file that must be `inside`, wherever its name leads.
pub(super) fn open(path: &Path, inside: Option<&Bounds>) -> io::Result<Opened> {
    open_at(&located(path, inside)?, path.to_owned(), inside)
}

fn open_at(place: &Path, path: PathBuf, inside: Option<&Bounds>) -> io::Result<Opened> {
    let not_found = || io::Error::from(ErrorKind::NotFound);
    // Looked at before, because opening some things does something; and after, because another may have come into its place.
    // Opening a pipe must not wait for its writer.
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).expect("it is a small bit");
    place.metadata()?.is_file().then_some(()).ok_or_else(not_found)?;
    let mut file = OpenOptions::new().read(true).custom_flags(flags).open(place)?;
    // A folder on the way may have become a symlink since we looked: what counts is where the file is that was opened.
    if let Some(inside) = inside {
        match (inside.place_of)(&file) {
            Some(now) => now.starts_with(&inside.root).then_some(()).ok_or_else(not_found)?,
            None => file = inside.open(place)?,
        }
    }
    let metadata = file.metadata()?;
    metadata.is_file().then_some(()).ok_or_else(not_found)?;
    let inside = inside.cloned();
    Ok(Opened { file, length: metadata.len(), modified: metadata.modified()?, path, inside })
}

/// Linux can tell, unless there is no `/proc` here.
fn place_of(file: &File) -> Option<PathBuf> {
    let link = format!("/proc/self/fd/{}", file.as_raw_fd());
    if cfg!(target_os = "linux") { fs::read_link(link).ok() } else { None }
}

fn located(path: &Path, inside: Option<&Bounds>) -> io::Result<PathBuf> {
    let place = path.canonicalize()?;
    let is_inside = inside.is_none_or(|inside| place.starts_with(&inside.root));
    is_inside.then_some(place).ok_or_else(|| ErrorKind::NotFound.into())
}

/// The sibling that the client likes best, if there is one that is no older.
pub(super) fn precompressed(plain: &Opened, headers: &HeaderMap) -> Option<(Opened, Coding)> {
    let mut offered = vec![(Coding::Zstd, ".zst"), (Coding::Brotli, ".br"), (Coding::Gzip, ".gz")];
    loop {
        let codings: Vec<Coding> = offered.iter().map(|(coding, _)| *coding).collect();
        let best = accepted(headers, &codings)?;
        let at = codings.iter().position(|coding| *coding == best)?;
        let (_, ending) = offered.remove(at);
        let mut name = plain.path.clone().into_os_string();
        name.push(ending);
        match open(Path::new(&name), plain.inside.as_ref()) {
            Ok(sibling) if sibling.modified >= plain.modified => return Some((sibling, best)),
            _ => {}
        }
    }
}
