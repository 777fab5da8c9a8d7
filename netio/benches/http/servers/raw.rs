//! The floor: one loop around edge-triggered epoll, which answers every empty line with the same bytes.
//!
//! It does what any server must, and nothing else: a read for what has come, a search for the end of each head, one write
//! for all the answers. A read that does not fill the buffer has emptied the socket. It takes nothing but requests without a
//! body, looks at none of their words but `close`, and forgives nothing.

use super::body_of;
use crate::rows::Answer;
use rustix::{
    buffer::spare_capacity,
    event::epoll::{self, CreateFlags, EventData, EventFlags},
    fd::OwnedFd,
};
use std::{
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
};

const LISTENER: u64 = u64::MAX;

/// The answer, again and again.
struct Answers {
    bytes: Vec<u8>,
    /// That of one.
    length: usize,
}

struct Connection {
    stream: TcpStream,
    /// A head that has not come to its end.
    input: Vec<u8>,
    /// Bytes of answers that are owed.
    owed: usize,
    /// How much of the first of them has been written.
    written: usize,
    closes: bool,
}

pub(super) fn serve(listener: &TcpListener, answer: Answer) -> io::Result<()> {
    let body = body_of(answer);
    let mut response = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\nx-response-time: 0.000s\r\n\
         date: Sun, 09 Sep 2001 01:46:40 GMT\r\ncontent-length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    response.extend_from_slice(&body);
    // As many as may be asked for at once: they are written from here, and copied by the kernel alone.
    let answers = Answers { length: response.len(), bytes: response.repeat((64 * 1024 / response.len()).max(1)) };

    let poller = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&poller, listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
    let (mut connections, mut free) = (Vec::<Option<Connection>>::new(), Vec::new());
    let mut events = Vec::with_capacity(1_024);
    let mut buffer = vec![0; 16 * 1024];
    loop {
        epoll::wait(&poller, spare_capacity(&mut events), None)?;
        for event in events.drain(..) {
            if event.data.u64() == LISTENER {
                accept(listener, &poller, &mut connections, &mut free)?;
                continue;
            }
            let number = event.data.u64() as usize;
            let connection = connections[number].as_mut().expect("a connection that is open");
            if !connection.turn(&mut buffer, &answers) {
                connections[number] = None;
                free.push(number);
            }
        }
    }
}

fn accept(
    listener: &TcpListener,
    poller: &OwnedFd,
    connections: &mut Vec<Option<Connection>>,
    free: &mut Vec<usize>,
) -> io::Result<()> {
    loop {
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        let number = free.pop().unwrap_or_else(|| {
            connections.push(None);
            connections.len() - 1
        });
        let interest = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        epoll::add(poller, &stream, EventData::new_u64(number as u64), interest)?;
        connections[number] = Some(Connection { stream, input: Vec::new(), owed: 0, written: 0, closes: false });
    }
}

impl Connection {
    /// Does what can be done at once. False: it is over.
    fn turn(&mut self, buffer: &mut [u8], answers: &Answers) -> bool {
        loop {
            if !self.flush(answers) {
                return false;
            }
            // Whoever does not take its answers is not asked for more.
            if self.owed > 0 {
                return true;
            }
            let length = match self.stream.read(buffer) {
                Ok(0) => return false,
                Ok(length) => length,
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            };
            if self.input.is_empty() {
                let taken = self.answer(&buffer[..length], answers);
                self.input.extend_from_slice(&buffer[taken..length]);
            } else {
                let mut input = std::mem::take(&mut self.input);
                input.extend_from_slice(&buffer[..length]);
                let taken = self.answer(&input, answers);
                input.drain(..taken);
                self.input = input;
            }
            if length < buffer.len() {
                return self.flush(answers);
            }
        }
    }

    /// Answers the heads that are whole; tells how many bytes they had.
    fn answer(&mut self, input: &[u8], answers: &Answers) -> usize {
        let mut taken = 0;
        while let Some(length) = input[taken..].windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            let head = &input[taken..taken + length];
            self.closes |= head.ends_with(b"connection: close");
            self.owed += answers.length;
            taken += length + 4;
        }
        taken
    }

    /// Writes what the socket takes. False: it is over.
    fn flush(&mut self, answers: &Answers) -> bool {
        if self.owed == 0 {
            return true;
        }
        while self.owed > 0 {
            let end = answers.bytes.len().min(self.written + self.owed);
            match self.stream.write(&answers.bytes[self.written..end]) {
                Ok(length) => {
                    self.owed -= length;
                    self.written = (self.written + length) % answers.length;
                }
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            }
        }
        !self.closes
    }
}
