//! A reader and a writer wait for one socket: what becomes of them when it keeps one waker, and when it keeps one each way.
//!
//! ```console
//! cargo run --example 10_one_waker
//! ```
//!
//! There is no socket here and no system: only the note that a reactor keeps of each, and the events, made by hand.

use std::{
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};

#[derive(Clone, Copy)]
enum Direction {
    Read,
    Write,
}

mod one {
    use super::*;

    // ANCHOR: one
    /// What the reactor knows of a socket.
    #[derive(Default)]
    pub(crate) struct Source {
        ready: [bool; 2],
        waker: Option<Waker>,
    }

    impl Source {
        pub(crate) fn poll_ready(&mut self, direction: Direction, context: &mut Context<'_>) -> Poll<()> {
            if self.ready[direction as usize] {
                return Poll::Ready(());
            }
            self.waker = Some(context.waker().clone());
            Poll::Pending
        }

        pub(crate) fn event(&mut self, direction: Direction) {
            self.ready[direction as usize] = true;
            let waker = self.waker.take();
            waker.into_iter().for_each(Waker::wake);
        }
    }
    // ANCHOR_END: one
}

mod two {
    use super::*;

    // ANCHOR: two
    /// What the reactor knows of a socket.
    #[derive(Default)]
    pub(crate) struct Source {
        ready: [bool; 2],
        wakers: [Option<Waker>; 2],
    }

    impl Source {
        pub(crate) fn poll_ready(&mut self, direction: Direction, context: &mut Context<'_>) -> Poll<()> {
            if self.ready[direction as usize] {
                return Poll::Ready(());
            }
            self.wakers[direction as usize] = Some(context.waker().clone());
            Poll::Pending
        }

        pub(crate) fn event(&mut self, direction: Direction) {
            self.ready[direction as usize] = true;
            let waker = self.wakers[direction as usize].take();
            waker.into_iter().for_each(Waker::wake);
        }
    }
    // ANCHOR_END: two
}

/// A task that says when it is woken.
struct Named(&'static str);

impl Wake for Named {
    fn wake(self: Arc<Self>) {
        println!("    {} is woken", self.0);
    }
}

fn main() {
    examples::Arguments::parse(&[]);
    let [reader, writer] = ["the reader", "the writer"].map(|name| Waker::from(Arc::new(Named(name))));
    let (mut reader, mut writer) = (Context::from_waker(&reader), Context::from_waker(&writer));

    // ANCHOR: run
    println!("one waker for the socket:");
    let mut source = one::Source::default();
    assert!(source.poll_ready(Direction::Read, &mut reader).is_pending());
    assert!(source.poll_ready(Direction::Write, &mut writer).is_pending());
    println!("  bytes have come:");
    source.event(Direction::Read);
    println!("  there is room to write:");
    source.event(Direction::Write);
    // ANCHOR_END: run

    println!("one waker for each direction:");
    let mut source = two::Source::default();
    assert!(source.poll_ready(Direction::Read, &mut reader).is_pending());
    assert!(source.poll_ready(Direction::Write, &mut writer).is_pending());
    println!("  bytes have come:");
    source.event(Direction::Read);
    println!("  there is room to write:");
    source.event(Direction::Write);
}
