//! A server in a process of its own, so that its memory and its descriptors can be counted from outside.

use netio::http::{
    Body, Request, Response,
    server::{Limits, Server},
};
use rustix::process::{Resource, getrlimit, setrlimit};
use std::{
    future::ready,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    process::{Child, ChildStdin, Command, Stdio},
    time::Duration,
};

const MARK: &str = "NETIO_LOAD_SERVER";

/// The head must have come in so many milliseconds; also how long the server waits for everything else that is slow.
pub(crate) const HEAD_TIME: Duration = Duration::from_millis(3000);

/// The server's process. It ends when this is dropped, or when this process does.
pub(crate) struct Process {
    child: Child,
    _stdin: ChildStdin,
    pub(crate) address: SocketAddr,
}

impl Process {
    pub(crate) fn start() -> Process {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "process::serves_if_it_is_told_to", "--nocapture", "--test-threads=1"])
            .env(MARK, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let address = lines.find_map(|line| line.split_once("it is at ").map(|(_, text)| text.parse().unwrap()));
        Process { _stdin: child.stdin.take().unwrap(), child, address: address.expect("it says where it is") }
    }

    /// How many descriptors it has open.
    pub(crate) fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    /// How many bytes of memory it takes.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a process has memory");
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Asks until it has no more than so many descriptors. The server notices a caller's end in its own time.
    pub(crate) async fn returns_to(&self, descriptors: usize) {
        let mut asked = 0;
        while self.descriptors() > descriptors {
            asked += 1;
            assert!(asked < 1000, "{} descriptors are open, and {descriptors} were", self.descriptors());
            runtime::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// As many connections as this process and the server's may have, at most `wanted`.
pub(crate) fn connections(wanted: usize) -> usize {
    raise_limit();
    // A few are needed for other things.
    let most = getrlimit(Resource::Nofile).current.map_or(usize::MAX, |limit| limit as usize).saturating_sub(200);
    if most < wanted {
        println!("the limit of open files allows {most} connections instead of {wanted}");
    }
    wanted.min(most)
}

fn raise_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
}

/// This is the server, in its process. In the process of the tests there is nothing to do.
#[test]
fn serves_if_it_is_told_to() {
    if std::env::var_os(MARK).is_none() {
        return;
    }
    raise_limit();
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    runtime::block_on(async {
        let limits = Limits {
            connections: 100_000,
            head_time: HEAD_TIME,
            body_time: HEAD_TIME,
            write_time: HEAD_TIME,
            keep_alive_time: Duration::from_secs(600),
            ..Limits::default()
        };
        let server = Server::bind("127.0.0.1:0").unwrap().limits(limits);
        println!("it is at {}", server.local_addr());
        server.serve(|request: Request| ready(answer(&request))).await.unwrap();
    });
}

fn answer(request: &Request) -> Response {
    match request.uri().path() {
        "/" => Response::new("hello".into()),
        "/large" => Response::new(vec![b'x'; 4_000_000].into()),
        "/endless" => Response::new(Body::writer(async |mut body| {
            loop {
                body.write(vec![b'x'; 10_000]).await?;
            }
        })),
        _ => Response::new("what?".into()),
    }
}
