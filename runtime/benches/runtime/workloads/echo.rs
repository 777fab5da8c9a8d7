//! TCP echo: a server on the side that is measured, and a load from another process, which is a bare loop around epoll.
//!
//! ```text
//!   this process:   the server (measured) ── a thread that tells the load when to go, and holds the meter
//!                          │ connections                │ lines on stdin and stdout
//!   the load:       ───────┴────────────────────────────┴──  ready, go, done
//! ```

use crate::side_by_side::{
    Kind, Role, child,
    meter::{Meter, Sample},
    sides::{Listener, Name, Ours, Side, Smol, Stream, Tokio},
};
use mio::{Events, Interest, Poll, Token, unix::SourceFd};
use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::fd::AsRawFd,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread,
};

const MESSAGE: usize = 64;

/// The role of a child that is the load, and what it does.
pub(crate) const LOAD: Role = ("load", |arguments| {
    let [address, connections, round_trips] = arguments else { panic!("a load is told {arguments:?}") };
    let number = |text: &str| text.parse().expect("a number");
    let address = address.parse().expect("an address");
    load(address, number(connections), number(round_trips)).expect("loopback does not fail");
});

/// The workload with so many connections.
pub(super) const fn kind<const CONNECTIONS: usize>() -> Kind {
    Kind::Served(
        |name, workers, warm, operations| {
            let sample = match name {
                Name::Ours => sample::<Ours>,
                Name::Tokio => sample::<Tokio>,
                Name::Smol => sample::<Smol>,
            };
            sample(workers, CONNECTIONS, warm, operations)
        },
        |name, workers| match name {
            Name::Ours => serve_alone::<Ours>(workers, CONNECTIONS),
            Name::Tokio => serve_alone::<Tokio>(workers, CONNECTIONS),
            Name::Smol => serve_alone::<Smol>(workers, CONNECTIONS),
        },
        |server, load, operations| drive(server, load, CONNECTIONS, operations),
    )
}

fn sample<S: Side>(workers: usize, connections: usize, warm: usize, operations: usize) -> Sample {
    let side = S::new(workers);
    if warm > 0 {
        measure(&side, connections, warm);
    }
    measure(&side, connections, operations)
}

fn bind() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port to listen on");
    let address = listener.local_addr().expect("a bound listener has an address");
    (listener, address)
}

/// Answers so many connections until each is closed; gives the number of bytes.
async fn serve<S: Side>(listener: TcpListener, connections: usize) -> usize {
    let listener = S::listen(listener).expect("a listener becomes non-blocking");
    let mut tasks = Vec::with_capacity(connections);
    for _ in 0..connections {
        let mut stream = listener.accept().await.expect("a connection comes");
        tasks.push(S::spawn(async move { answer(&mut stream).await.expect("loopback does not fail") }));
    }
    let mut answered = 0;
    for task in tasks {
        answered += task.await;
    }
    answered
}

async fn answer(stream: &mut impl Stream) -> io::Result<usize> {
    let mut buffer = [0; 1_024];
    let mut answered = 0;
    loop {
        let length = stream.read(&mut buffer).await?;
        if length == 0 {
            return Ok(answered);
        }
        let mut written = 0;
        while written < length {
            written += stream.write(&buffer[written..length]).await?;
        }
        answered += length;
    }
}

/// What a round trip costs the server.
fn measure<S: Side>(side: &S, connections: usize, round_trips: usize) -> Sample {
    let (listener, address) = bind();
    let control = thread::spawn(move || {
        let mut load = Load::start(&child::command, address, connections, round_trips);
        load.wait_for("ready");
        let meter = Meter::start();
        load.go();
        load.wait_for("done");
        let sample = meter.spent(round_trips);
        load.end();
        sample
    });
    let answered = side.block_on(async { S::spawn(serve::<S>(listener, connections)).await });
    // Each connection was tried once before the start.
    assert_eq!(answered, (connections + round_trips) * MESSAGE);
    control.join().expect("the load did what it was told")
}

/// A child process that only serves: it prints its address, and ends when all connections are closed.
fn serve_alone<S: Side>(workers: usize, connections: usize) {
    let side = S::new(workers);
    let (listener, address) = bind();
    println!("{address}");
    side.block_on(async { S::spawn(serve::<S>(listener, connections)).await });
}

/// Puts a load on such a child.
fn drive(server: &mut Child, load: &dyn Fn(&[String]) -> Command, connections: usize, round_trips: usize) {
    let mut address = String::new();
    let output = server.stdout.as_mut().expect("the server's output is piped");
    BufReader::new(output).read_line(&mut address).expect("the server says where it is");
    let address = address.trim().parse().expect("the server printed an address");
    let mut load = Load::start(load, address, connections, round_trips);
    load.wait_for("ready");
    load.go();
    load.wait_for("done");
    load.end();
}

/// The other process, held by its two pipes.
struct Load {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Load {
    fn start(
        command: &dyn Fn(&[String]) -> Command,
        address: SocketAddr,
        connections: usize,
        round_trips: usize,
    ) -> Self {
        let arguments = ["load".to_owned(), address.to_string(), connections.to_string(), round_trips.to_string()];
        let mut child = command(&arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("this program starts once more");
        let input = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, input, output }
    }

    fn wait_for(&mut self, word: &str) {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the load's output can be read");
        assert_eq!(line.trim(), word, "the load says something else");
    }

    fn go(&mut self) {
        self.input.write_all(b"go\n").expect("the load listens");
    }

    fn end(mut self) {
        drop(self.input);
        assert!(self.child.wait().expect("the load ends").success());
    }
}

/// The load itself.
fn load(address: SocketAddr, connections: usize, round_trips: usize) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut clients = Vec::with_capacity(connections);
    for number in 0..connections {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let mut answer = [0; MESSAGE];
        stream.write_all(&[7; MESSAGE])?;
        stream.read_exact(&mut answer)?;
        assert_eq!(answer, [7; MESSAGE]);
        stream.set_nonblocking(true)?;
        poll.registry().register(&mut SourceFd(&stream.as_raw_fd()), Token(number), Interest::READABLE)?;
        clients.push(Client { stream, got: 0 });
    }
    println!("ready");
    let mut lines = io::stdin().lines();
    assert_eq!(lines.next().transpose()?.as_deref(), Some("go"));

    let mut started = 0;
    for client in clients.iter_mut().take(round_trips) {
        client.send()?;
        started += 1;
    }
    let mut done = 0;
    let mut events = Events::with_capacity(1_024);
    while done < round_trips {
        poll.poll(&mut events, None)?;
        for event in &events {
            let client = &mut clients[event.token().0];
            if client.receive()? {
                done += 1;
                if started < round_trips {
                    client.send()?;
                    started += 1;
                }
            }
        }
    }
    println!("done");
    // The connections stay until the other side has read its meter.
    assert!(lines.next().is_none());
    Ok(())
}

struct Client {
    stream: TcpStream,
    got: usize,
}

impl Client {
    fn send(&mut self) -> io::Result<()> {
        // One message at a time is on its way: there is room for it.
        self.stream.write_all(&[7; MESSAGE])
    }

    /// Is the answer complete?
    fn receive(&mut self) -> io::Result<bool> {
        let mut answer = [0; MESSAGE];
        while self.got < MESSAGE {
            match self.stream.read(&mut answer[self.got..]) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(length) => self.got += length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        self.got = 0;
        Ok(true)
    }
}
