//! The system calls of one message there and back, on each poller: what one-shot readiness costs. Needs `strace`.
//!
//! ```console
//! cargo run --example 11_calls
//! ```

use examples::{Arguments, fail};
use runtime::{AsyncFd, Backend, Runtime};
use std::{
    env, fs,
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    process::Command,
    thread,
    time::Duration,
};

const BACKENDS: [(&str, Backend); 3] =
    [("mio", Backend::Mio), ("polling-edge", Backend::Polling), ("polling-one-shot", Backend::PollingOneShot)];
/// The message that is looked at: by then all is as it always is.
const LOOKED_AT: u32 = 7;

fn main() {
    let arguments = Arguments::parse(&["--backend"]);
    if let Some(name) = arguments.find::<String>("--backend") {
        let Some((_, backend)) = BACKENDS.iter().find(|(known, _)| **known == name) else {
            fail(2, format!("there is no backend `{name}`"));
        };
        return ask(*backend).unwrap_or_else(|error| fail(1, error));
    }
    if let Err(error) = Command::new("strace").arg("--version").output() {
        println!("Nothing was counted: this example needs the program strace ({error}).");
        return;
    }
    let columns = BACKENDS.map(|(name, _)| (name, calls(name).unwrap_or_else(|why| fail(1, why))));
    println!("{}", columns.each_ref().map(|(name, _)| format!("{name:26}")).concat().trim_end());
    let rows = columns.iter().map(|(_, calls)| calls.len()).max().unwrap_or_default();
    for row in 0..rows {
        let cells = columns.each_ref().map(|(_, calls)| calls.get(row).map_or("", String::as_str));
        println!("{}", cells.map(|call| format!("{call:26}")).concat().trim_end());
    }
    println!("{}", columns.map(|(_, calls)| format!("{:26}", format!("= {} calls", calls.len()))).concat().trim_end());
}

// ANCHOR: ask
/// Asks a thread, which answers, ten times. Only the calls of this thread are counted.
fn ask(backend: Backend) -> io::Result<()> {
    let (near, mut far) = UnixStream::pair()?;
    thread::spawn(move || {
        let mut buffer = [0; 64];
        while let Ok(length @ 1..) = far.read(&mut buffer) {
            // So that the one who asks really has to wait.
            thread::sleep(Duration::from_millis(20));
            far.write_all(&buffer[..length]).expect("the one who asks is there");
        }
    });
    near.set_nonblocking(true)?;
    let near = AsyncFd::new(near);
    Runtime::builder().poller(backend).build()?.block_on(async {
        for number in 0..10 {
            let message = format!("message {number}");
            near.write_with(|mut socket| socket.write(message.as_bytes())).await?;
            let mut buffer = [0; 64];
            std::future::poll_fn(|context| near.poll_read_bytes(context, &mut buffer)).await?;
        }
        Ok(())
    })
}
// ANCHOR_END: ask

/// The calls from one message to the next, as strace tells them.
fn calls(backend: &str) -> Result<Vec<String>, String> {
    let report = env::temp_dir().join(format!("11_calls-{}", std::process::id()));
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let mut strace = Command::new("strace");
    strace.arg("-o").arg(&report).arg(program).args(["--backend", backend]);
    let output = strace.output().map_err(|error| format!("strace: {error}"))?;
    let text = fs::read_to_string(&report).unwrap_or_default();
    let _ = fs::remove_file(&report);
    if !output.status.success() {
        return Err(format!("strace: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let written = |number: u32| format!("\"message {number}\"");
    let begins = |line: &&str, number| !line.contains(&written(number)) || !is_write(line);
    let lines = text.lines().skip_while(|line| begins(line, LOOKED_AT));
    Ok(lines.take_while(|line| begins(line, LOOKED_AT + 1)).map(short).collect())
}

fn is_write(line: &str) -> bool {
    ["write(", "sendto("].iter().any(|call| line.starts_with(call))
}

/// `epoll_wait(3, [{…}], 1024, -1) = 1` becomes `epoll_wait`; what is asked of epoll, and what blocks, is told.
fn short(line: &str) -> String {
    let name = line.split('(').next().unwrap_or_default();
    let asked = line.split(", ").nth(1).filter(|_| name == "epoll_ctl");
    let blocks = if line.contains("EAGAIN") { " WouldBlock" } else { "" };
    format!("{name}{}{blocks}", asked.map(|asked| format!(" {asked}")).unwrap_or_default())
}
