//! What is to be started, and how.

use super::{Child, orphan};
use rustix::process::getpgrp;
use std::{
    ffi::OsStr,
    io,
    os::unix::process::CommandExt,
    path::Path,
    process::{self, ExitStatus, Output, Stdio},
};

/// A program to be started: [`std::process::Command`], with children that can be awaited.
///
/// ```
/// use runtime::process::Command;
/// runtime::block_on(async {
///     let output = Command::new("echo").arg("hello").output().await?;
///     assert_eq!(output.stdout, b"hello\n");
///     std::io::Result::Ok(())
/// }).unwrap();
/// ```
#[derive(Debug)]
pub struct Command {
    inner: process::Command,
    process_group: bool,
    /// `inner` was told of a group, and cannot be told to forget it.
    told_of_group: bool,
    kill_on_drop: bool,
}

impl Command {
    /// Runs `program`, found as [`std::process::Command::new`] finds it.
    ///
    /// ```
    /// use runtime::process::Command;
    /// assert!(runtime::block_on(Command::new("true").output()).unwrap().status.success());
    /// let error = runtime::block_on(Command::new("no such program").output()).unwrap_err();
    /// assert!(error.to_string().starts_with("cannot start no such program: "));
    /// ```
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self { inner: process::Command::new(program), process_group: false, told_of_group: false, kill_on_drop: false }
    }

    /// Adds an argument.
    ///
    /// ```
    /// use runtime::process::Command;
    /// let output = runtime::block_on(Command::new("echo").arg("*").output()).unwrap(); // no shell looks at it
    /// assert_eq!(output.stdout, b"*\n");
    /// ```
    pub fn arg(&mut self, argument: impl AsRef<OsStr>) -> &mut Self {
        self.inner.arg(argument);
        self
    }

    /// Adds arguments.
    ///
    /// ```
    /// use runtime::process::Command;
    /// let output = runtime::block_on(Command::new("sh").args(["-c", "echo $((6 * 7))"]).output()).unwrap();
    /// assert_eq!(output.stdout, b"42\n");
    /// ```
    pub fn args(&mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> &mut Self {
        self.inner.args(arguments);
        self
    }

    /// Sets a variable of the child's environment.
    ///
    /// ```
    /// use runtime::process::Command;
    /// let mut greet = Command::new("sh");
    /// greet.args(["-c", "echo hello $NAME"]).env("NAME", "loom");
    /// assert_eq!(runtime::block_on(greet.output()).unwrap().stdout, b"hello loom\n");
    /// ```
    pub fn env(&mut self, key: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Self {
        self.inner.env(key, value);
        self
    }

    /// Takes a variable out of the child's environment.
    ///
    /// ```
    /// use runtime::process::Command;
    /// let mut show = Command::new("sh");
    /// show.args(["-c", "echo ${HOME-homeless}"]).env_remove("HOME");
    /// assert_eq!(runtime::block_on(show.output()).unwrap().stdout, b"homeless\n");
    /// ```
    pub fn env_remove(&mut self, key: impl AsRef<OsStr>) -> &mut Self {
        self.inner.env_remove(key);
        self
    }

    /// Where the child starts.
    ///
    /// ```
    /// use runtime::process::Command;
    /// let output = runtime::block_on(Command::new("pwd").current_dir("/").output()).unwrap();
    /// assert_eq!(output.stdout, b"/\n");
    /// ```
    pub fn current_dir(&mut self, folder: impl AsRef<Path>) -> &mut Self {
        self.inner.current_dir(folder);
        self
    }

    /// What the child reads; inherited by default.
    ///
    /// ```
    /// use runtime::process::Command;
    /// use std::process::Stdio;
    /// runtime::block_on(async {
    ///     let mut child = Command::new("cat").stdin(Stdio::null()).spawn()?;
    ///     assert!(child.stdin.is_none()); // there is no pipe; and `cat` has nothing to read
    ///     assert!(child.wait().await?.success());
    ///     std::io::Result::Ok(())
    /// }).unwrap();
    /// ```
    pub fn stdin(&mut self, from: impl Into<Stdio>) -> &mut Self {
        self.inner.stdin(from);
        self
    }

    /// Where the child's output goes; inherited by default.
    ///
    /// ```
    /// use futures_lite::AsyncReadExt;
    /// use runtime::process::Command;
    /// use std::process::Stdio;
    /// runtime::block_on(async {
    ///     let mut child = Command::new("echo").arg("hello").stdout(Stdio::piped()).spawn()?;
    ///     let mut text = String::new();
    ///     child.stdout.take().unwrap().read_to_string(&mut text).await?;
    ///     assert_eq!(text, "hello\n");
    ///     child.wait().await
    /// }).unwrap();
    /// ```
    pub fn stdout(&mut self, to: impl Into<Stdio>) -> &mut Self {
        self.inner.stdout(to);
        self
    }

    /// Where the child's error output goes; inherited by default.
    ///
    /// ```
    /// use futures_lite::AsyncReadExt;
    /// use runtime::process::Command;
    /// use std::process::Stdio;
    /// runtime::block_on(async {
    ///     let mut child = Command::new("sh").args(["-c", "echo oh no >&2"]).stderr(Stdio::piped()).spawn()?;
    ///     let mut text = String::new();
    ///     child.stderr.take().unwrap().read_to_string(&mut text).await?;
    ///     assert_eq!(text, "oh no\n");
    ///     child.wait().await
    /// }).unwrap();
    /// ```
    pub fn stderr(&mut self, to: impl Into<Stdio>) -> &mut Self {
        self.inner.stderr(to);
        self
    }

    /// Makes the child the head of a process group of its own: [`Child::kill`] then ends its children too, and a Ctrl-C in the
    /// terminal does not reach it.
    ///
    /// ```
    /// use futures_lite::AsyncReadExt;
    /// use runtime::process::Command;
    /// use std::process::Stdio;
    /// runtime::block_on(async {
    ///     let mut shell = Command::new("sh");
    ///     let mut child = shell.args(["-c", "sleep 60 & wait"]).stdout(Stdio::piped()).process_group(true).spawn()?;
    ///     child.kill()?;
    ///     // The end comes when nobody has the pipe open any more: neither `sh` nor its `sleep`.
    ///     assert_eq!(child.stdout.take().unwrap().read(&mut [0; 8]).await?, 0);
    ///     child.wait().await
    /// }).unwrap();
    /// ```
    pub fn process_group(&mut self, own: bool) -> &mut Self {
        self.process_group = own;
        self
    }

    /// Kills the child (and its group, if it has its own) when the [`Child`] is dropped before it was waited for.
    /// The drop collects it: it returns when the child is gone.
    ///
    /// ```
    /// use futures_lite::AsyncReadExt;
    /// use runtime::process::Command;
    /// use std::process::Stdio;
    /// runtime::block_on(async {
    ///     let mut child = Command::new("sleep").arg("60").stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    ///     let mut output = child.stdout.take().unwrap();
    ///     drop(child);
    ///     assert_eq!(output.read(&mut [0; 8]).await?, 0); // no minute later
    ///     std::io::Result::Ok(())
    /// }).unwrap();
    /// ```
    pub fn kill_on_drop(&mut self, kill: bool) -> &mut Self {
        self.kill_on_drop = kill;
        self
    }

    /// Starts the child.
    ///
    /// # Errors
    /// When the program cannot be started; the text names it.
    ///
    /// ```
    /// use runtime::process::Command;
    /// runtime::block_on(async {
    ///     let mut child = Command::new("sh").args(["-c", "exit 3"]).spawn()?;
    ///     assert_eq!(child.wait().await?.code(), Some(3));
    ///     std::io::Result::Ok(())
    /// }).unwrap();
    /// ```
    pub fn spawn(&mut self) -> io::Result<Child> {
        orphan::collect_ended();
        if self.process_group {
            self.inner.process_group(0);
            self.told_of_group = true;
        } else if self.told_of_group {
            // Ours: where it would be born anyway.
            self.inner.process_group(getpgrp().as_raw_nonzero().get());
        }
        let name = self.inner.get_program().to_owned();
        let child = self
            .inner
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("cannot start {}: {error}", name.display())))?;
        Child::new(child, self.process_group, self.kill_on_drop)
    }

    /// Starts the child with no input, and gives all that it writes, once it has ended.
    ///
    /// # Errors
    /// As [`spawn`](Command::spawn) and [`wait`](Child::wait), and when reading its output fails.
    ///
    /// # Cancel safety
    /// Dropping the future kills the child, if [`kill_on_drop`](Command::kill_on_drop) says so; what it wrote is lost.
    ///
    /// ```
    /// use runtime::process::Command;
    /// let output = runtime::block_on(Command::new("sh").args(["-c", "echo fine; echo oh no >&2; exit 3"]).output()).unwrap();
    /// assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (&b"fine\n"[..], &b"oh no\n"[..]));
    /// assert_eq!(output.status.code(), Some(3));
    /// ```
    pub async fn output(&mut self) -> io::Result<Output> {
        self.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?.wait_with_output().await
    }

    /// Starts the child, and waits until it has ended. What it reads and writes is inherited, if nothing else was said.
    ///
    /// # Errors
    /// As [`spawn`](Command::spawn) and [`wait`](Child::wait).
    ///
    /// # Cancel safety
    /// Dropping the future kills the child, if [`kill_on_drop`](Command::kill_on_drop) says so; if not, it runs on.
    ///
    /// ```
    /// use runtime::process::Command;
    /// assert_eq!(runtime::block_on(Command::new("sh").args(["-c", "exit 3"]).status()).unwrap().code(), Some(3));
    /// ```
    pub async fn status(&mut self) -> io::Result<ExitStatus> {
        self.spawn()?.wait().await
    }
}
