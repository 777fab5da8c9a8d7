//! Children that nobody has a handle of any more. They are not killed; but somebody has to collect what is left of them when
//! they end, or they stay in the system's table as zombies.

use super::Ended;
use crate::runtime::Handle;
use rustix::process::{Pid, WaitOptions, waitpid};
use std::{io, sync::Mutex};

/// Those that no task looks after.
static LEFT: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// One of ours that was not collected yet: so its number cannot be another's.
#[derive(Debug)]
pub(super) struct Orphan {
    pid: Pid,
    collected: bool,
}

impl Orphan {
    pub(super) fn new(pid: Pid) -> Self {
        Self { pid, collected: false }
    }

    /// Has a task wait for its end, if there is a runtime to wait in.
    pub(super) fn look_after(mut self) {
        if let (Some(handle), Ok(ended)) = (Handle::try_current(), Ended::of(self.pid)) {
            // If the runtime ends first, the task is dropped, and the orphan with it: on the list.
            drop(handle.spawn(async move { ended.wait(|| self.collect()).await }));
        }
    }

    fn collect(&mut self) -> io::Result<Option<()>> {
        self.collected = has_ended(self.pid);
        Ok(self.collected.then_some(()))
    }
}

impl Drop for Orphan {
    fn drop(&mut self) {
        if !self.collected {
            LEFT.lock().unwrap().push(self.pid);
        }
    }
}

/// Collects those that have ended meanwhile and that no task looks after.
pub(super) fn collect_ended() {
    LEFT.lock().unwrap().retain(|pid| !has_ended(*pid));
}

fn has_ended(pid: Pid) -> bool {
    // An error means that somebody else has collected it.
    !matches!(waitpid(Some(pid), WaitOptions::NOHANG), Ok(None))
}
