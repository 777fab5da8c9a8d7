//! The server and the client against other people's: curl, Python's aiohttp and httpx, hyper, Chromium. Real sockets, real time.
//!
//! What is not installed is skipped, and said so in one line. `HANDLOOM_PYTHON` names a Python that has the packages:
//!
//! ```console
//! python3 -m venv target/venv && target/venv/bin/pip install aiohttp httpx uvicorn
//! HANDLOOM_PYTHON=target/venv/bin/python cargo test -p tests --test interop
//! ```

mod chromium;
mod curl;
mod house;
mod hyper;
mod python;

use std::process::{Command, Output};

/// What a program prints; `None` where there is none of that name.
fn run(command: &mut Command) -> Option<Output> {
    match command.output() {
        Ok(output) => Some(output),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!("skipped: there is no {} here", command.get_program().display());
            None
        }
        Err(error) => panic!("{command:?}: {error}"),
    }
}
