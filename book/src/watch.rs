//! Notices that a source of the book has changed, and costs nothing until then.
//!
//! The system tells (inotify); its descriptor is one more thing that the runtime's reactor waits for. Folders are watched, not
//! files: an editor that writes a new file and renames it over the old one is seen too.

use crate::house::House;
use runtime::AsyncFd;
use runtime::time::sleep;
use rustix::fs::inotify::{self, CreateFlags, Reader, WatchFlags};
use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Saving often takes several steps: all that happens within this time after the first is one change.
const SETTLE: Duration = Duration::from_millis(60);

/// Waits for changes anywhere in the repository but in `target` and hidden folders.
#[derive(Debug)]
pub struct Watch {
    inotify: AsyncFd<OwnedFd>,
    root: PathBuf,
}

impl Watch {
    /// Starts to watch.
    ///
    /// # Errors
    ///
    /// The system gives no more watches.
    pub fn new(house: &House) -> io::Result<Watch> {
        let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        let watch = Watch { inotify: AsyncFd::new(inotify), root: house.root().to_owned() };
        watch.add(&watch.root)?;
        Ok(watch)
    }

    /// Watches a folder and those in it. Watching one again changes nothing.
    fn add(&self, folder: &Path) -> io::Result<()> {
        let events = WatchFlags::CLOSE_WRITE | WatchFlags::MOVE | WatchFlags::CREATE | WatchFlags::DELETE;
        inotify::add_watch(self.inotify.get_ref(), folder, events | WatchFlags::ONLYDIR)?;
        for entry in std::fs::read_dir(folder)?.flatten() {
            let name = entry.file_name();
            let ours = entry.file_type().is_ok_and(|kind| kind.is_dir()) && name != "target" && !is_hidden(&name);
            if ours {
                self.add(&entry.path())?;
            }
        }
        Ok(())
    }

    /// Waits until something has changed.
    ///
    /// # Errors
    ///
    /// The system no longer tells.
    ///
    /// # Cancel safety
    ///
    /// A change that was seen but not yet reported is lost.
    pub async fn changed(&self) -> io::Result<()> {
        while !self.inotify.read_with(drain).await? {}
        sleep(SETTLE).await;
        match drain(self.inotify.get_ref()) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
            _ => {}
        }
        // There may be new folders now. One that is gone again already is no harm.
        match self.add(&self.root) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Takes all events that have arrived: whether one of them matters. Would block if there is none.
fn drain(inotify: &OwnedFd) -> io::Result<bool> {
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut reader = Reader::new(inotify, &mut buffer);
    let mut matters = reader.next().map(|event| event.file_name().is_none_or(is_source))?;
    loop {
        match reader.next() {
            Ok(event) => matters |= event.file_name().is_none_or(is_source),
            Err(rustix::io::Errno::AGAIN) => return Ok(matters),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether an event is about a file that can be part of the book: editors leave other things beside it.
fn is_source(name: &CStr) -> bool {
    let name = name.to_bytes();
    !name.starts_with(b".") && !name.ends_with(b"~") && name != b"target"
}

fn is_hidden(name: &std::ffi::OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_in_a_new_folder_is_seen_and_an_editor_s_backup_is_not() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("book")).expect("book/");
        std::fs::write(path("book/book.toml"), "").expect("book.toml");
        let house = House::at(folder.path()).expect("a house");
        let watch = Watch::new(&house).expect("a watch");
        std::fs::write(path("book/.page.md.swp"), "").expect("a hidden file");
        assert!(!drain(watch.inotify.get_ref()).expect("it was told"));
        runtime::block_on(async {
            std::fs::create_dir(path("book/new")).expect("a folder");
            watch.changed().await.expect("told of the folder");
            std::fs::write(path("book/new/page.md"), "text").expect("a page");
            watch.changed().await.expect("told of the page");
        });
    }
}
