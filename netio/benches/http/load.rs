//! The load on a server: connections that each send a batch of requests and wait for the answers, from one loop around epoll.
//!
//! It reads every answer to its end by its `content-length`, and looks at the first of each connection closely. What it costs
//! is nobody's figure: it runs in a process of its own.

use mio::{Events, Interest, Poll, Token, unix::SourceFd};
use std::{
    io::{self, BufRead, Read, Write},
    net::{SocketAddr, TcpStream},
    os::fd::AsRawFd,
};

/// What is asked for, and how.
pub(crate) struct Plan {
    pub(crate) address: SocketAddr,
    pub(crate) path: String,
    /// The length of the body that must come.
    pub(crate) length: usize,
    pub(crate) connections: usize,
    /// How many requests are sent at once.
    pub(crate) batch: usize,
    /// Each request has a connection of its own.
    pub(crate) closes: bool,
    pub(crate) warm: usize,
    pub(crate) requests: usize,
}

impl Plan {
    pub(crate) fn arguments(&self) -> [String; 8] {
        let Plan { address, path, length, connections, batch, closes, warm, requests } = self;
        let numbers = [length, connections, batch, &usize::from(*closes), warm, requests].map(usize::to_string);
        let [length, connections, batch, closes, warm, requests] = numbers;
        [address.to_string(), path.clone(), length, connections, batch, closes, warm, requests]
    }

    pub(crate) fn parse(arguments: &[&str]) -> Self {
        let number = |text: &str| text.parse().expect("a number");
        let [address, path, length, connections, batch, closes, warm, requests] = arguments else {
            panic!("a load is told {arguments:?}")
        };
        Plan {
            address: address.parse().expect("an address"),
            path: (*path).to_owned(),
            length: number(length),
            connections: number(connections),
            batch: number(batch),
            closes: number(closes) > 0,
            warm: number(warm),
            requests: number(requests),
        }
    }

    fn request(&self) -> Vec<u8> {
        let Plan { address, path, .. } = self;
        let farewell = if self.closes { "connection: close\r\n" } else { "" };
        format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{farewell}\r\n").into()
    }
}

/// Warms the server up and says `ready`; when it is told to go, sends the requests and says `done`. The connections stay open
/// until nobody listens any more.
pub(crate) fn run(plan: &Plan) -> io::Result<()> {
    let mut load = Load::new(plan)?;
    load.run(plan.connections.max(plan.warm))?;
    if told_to_go()? {
        load.run(plan.requests)?;
        done()?;
    }
    Ok(())
}

/// Says that all is ready, and waits for what the one that measures says: whether to go on.
pub(crate) fn told_to_go() -> io::Result<bool> {
    println!("ready");
    Ok(io::stdin().lock().lines().next().transpose()?.is_some())
}

/// Says that it is done, and waits until that is no longer of interest.
pub(crate) fn done() -> io::Result<()> {
    println!("done");
    io::stdin().lock().lines().next().transpose().map(drop)
}

struct Load<'plan> {
    plan: &'plan Plan,
    /// A batch of requests, and the length of one.
    wire: (Vec<u8>, usize),
    poll: Poll,
    clients: Vec<Client>,
    /// How many are to be sent yet.
    left: usize,
}

impl<'plan> Load<'plan> {
    fn new(plan: &'plan Plan) -> io::Result<Self> {
        let request = plan.request();
        let wire = (request.repeat(plan.batch), request.len());
        let mut load = Load { plan, wire, poll: Poll::new()?, clients: Vec::new(), left: 0 };
        for number in 0..plan.connections {
            let client = load.connect(number)?;
            load.clients.push(client);
        }
        Ok(load)
    }

    fn connect(&self, number: usize) -> io::Result<Client> {
        let stream = TcpStream::connect(self.plan.address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        self.poll.registry().register(&mut SourceFd(&stream.as_raw_fd()), Token(number), Interest::READABLE)?;
        Ok(Client { stream, head: Vec::new(), body_left: 0, waits_for: 0, seen_one: false })
    }

    fn run(&mut self, requests: usize) -> io::Result<()> {
        self.left = requests;
        let mut done = 0;
        for number in 0..self.clients.len() {
            if self.plan.closes {
                self.clients[number] = self.connect(number)?;
            }
            self.send(number)?;
        }
        let mut events = Events::with_capacity(1_024);
        let mut buffer = vec![0; 256 * 1024];
        while done < requests {
            self.poll.poll(&mut events, None)?;
            for event in &events {
                let number = event.token().0;
                done += self.receive(number, &mut buffer)?;
            }
        }
        Ok(())
    }

    /// Sends the next batch, if there is one. It is small: there is room for it.
    fn send(&mut self, number: usize) -> io::Result<()> {
        let requests = self.plan.batch.min(self.left);
        self.left -= requests;
        let client = &mut self.clients[number];
        client.waits_for = requests;
        if requests == 0 { Ok(()) } else { client.stream.write_all(&self.wire.0[..requests * self.wire.1]) }
    }

    /// Reads what there is; gives the number of answers that have come to their end.
    fn receive(&mut self, number: usize, buffer: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        loop {
            let client = &mut self.clients[number];
            let length = match client.stream.read(buffer) {
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(done),
                Err(error) => return Err(error),
            };
            let answers = client.take(&buffer[..length], self.plan)?;
            let over = length == 0;
            assert!(!over || (self.plan.closes && client.waits_for == 0), "the server hung up");
            done += answers;
            if over {
                // It was counted when its answer was whole; only now its connection is over.
                if self.left == 0 {
                    return Ok(done);
                }
                self.clients[number] = self.connect(number)?;
                self.send(number)?;
                return Ok(done);
            }
            if client.waits_for == 0 && !self.plan.closes && self.left > 0 {
                self.send(number)?;
            }
            if length < buffer.len() && !self.plan.closes {
                return Ok(done);
            }
        }
    }
}

struct Client {
    stream: TcpStream,
    /// A head that has not come to its end.
    head: Vec<u8>,
    body_left: usize,
    waits_for: usize,
    seen_one: bool,
}

impl Client {
    fn take(&mut self, mut bytes: &[u8], plan: &Plan) -> io::Result<usize> {
        let mut done = 0;
        while !bytes.is_empty() {
            if self.body_left == 0 {
                bytes = self.take_head(bytes, plan);
                continue;
            }
            let length = self.body_left.min(bytes.len());
            self.body_left -= length;
            bytes = &bytes[length..];
            if self.body_left == 0 {
                self.waits_for = self.waits_for.checked_sub(1).expect("nobody asked for this answer");
                done += 1;
            }
        }
        Ok(done)
    }

    /// Gives what is behind the head.
    fn take_head<'b>(&mut self, bytes: &'b [u8], plan: &Plan) -> &'b [u8] {
        const END: &[u8] = b"\r\n\r\n";
        let before = self.head.len();
        // A head in one piece, as nearly all are, is not copied.
        if before == 0
            && let Some(end) = bytes.windows(4).position(|window| window == END)
        {
            self.body_left = self.body_length(&bytes[..end + 4], plan);
            return &bytes[end + 4..];
        }
        self.head.extend_from_slice(bytes);
        let Some(end) = self.head.windows(4).position(|window| window == END) else { return &[] };
        let head = std::mem::take(&mut self.head);
        self.body_left = self.body_length(&head[..end + 4], plan);
        &bytes[end + 4 - before..]
    }

    fn body_length(&mut self, head: &[u8], plan: &Plan) -> usize {
        // All the answers of a connection are the same: one is looked at.
        if !self.seen_one {
            self.seen_one = true;
            let text = String::from_utf8_lossy(head).to_ascii_lowercase();
            let length = format!("\r\ncontent-length: {}\r\n", plan.length);
            assert!(text.starts_with("http/1.1 200 ") && text.contains(&length), "the server answered {text}");
        }
        plan.length
    }
}
