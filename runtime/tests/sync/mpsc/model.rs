//! The channel against a model of it that is obviously right: a `VecDeque`, a line, and who has a slot. Random steps,
//! thousands of seeds. (Bug bank, R16: tokio #8074, #8062, #7991.)

use crate::support::Wakes;
use runtime::{
    random::Generator,
    sync::mpsc::{Receiver, Sender, TryRecvError, TrySendError, bounded},
};
use std::{
    cell::Cell,
    collections::VecDeque,
    future::{Future, poll_fn},
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Waker},
};

/// A number, and a token of which all copies must be gone in the end.
type Value = (u32, Arc<()>);

/// What a future of a sender came to.
#[derive(Debug, PartialEq)]
enum Outcome {
    Sent,
    /// The number came back, or no slot was to be had.
    Refused,
}

/// What the model says of a future that is not over.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stands {
    InLine,
    /// It has a slot, and is told so at its next poll.
    Served,
    /// It waited when the channel was closed.
    Refused,
    /// It holds a permit, and waits for the word to use it.
    Permit,
}

struct Actor {
    name: u32,
    /// A reservation, which keeps its permit until it is told to send.
    reserves: Option<Rc<Cell<bool>>>,
    future: Pin<Box<dyn Future<Output = Outcome>>>,
    wakes: Arc<Wakes>,
    waker: Waker,
    /// How often it had been woken when it was polled last.
    seen: usize,
    stands: Stands,
}

struct Game {
    chance: Generator,
    token: Arc<()>,
    names: u32,
    senders: Vec<Sender<Value>>,
    receiver: Option<Receiver<Value>>,
    receiver_wakes: Arc<Wakes>,
    receiver_waker: Waker,
    /// The receiver waits since it was woken so often.
    receiver_waits: Option<usize>,
    actors: Vec<Actor>,

    // The model.
    items: VecDeque<u32>,
    line: VecDeque<u32>,
    free: usize,
    closed: bool,
}

impl Game {
    fn new(seed: u64) -> Self {
        let mut chance = Generator::new(seed);
        let capacity = 1 + chance.below(3) as usize;
        let (sender, receiver) = bounded(capacity);
        let (receiver_wakes, receiver_waker) = Wakes::waker();
        Self {
            chance,
            token: Arc::new(()),
            names: 0,
            senders: vec![sender],
            receiver: Some(receiver),
            receiver_wakes,
            receiver_waker,
            receiver_waits: None,
            actors: Vec::new(),
            items: VecDeque::new(),
            line: VecDeque::new(),
            free: capacity,
            closed: false,
        }
    }

    fn value(&mut self) -> Value {
        self.names += 1;
        (self.names, self.token.clone())
    }

    fn below(&mut self, bound: usize) -> usize {
        self.chance.below(bound as u64) as usize
    }

    /// A slot is free again, or the next in line has it.
    fn give(&mut self) {
        match self.line.pop_front() {
            Some(name) => self.actors.iter_mut().find(|actor| actor.name == name).unwrap().stands = Stands::Served,
            None => self.free += 1,
        }
    }

    fn owned(&self) -> usize {
        self.actors.iter().filter(|actor| matches!(actor.stands, Stands::Served | Stands::Permit)).count()
    }

    /// Nothing is there, and nothing will come. (Actors have senders of their own.)
    fn over(&self) -> bool {
        let no_sender = self.senders.is_empty() && self.actors.is_empty();
        self.items.is_empty() && (no_sender || self.closed && self.owned() == 0)
    }

    fn refuse_line(&mut self) {
        self.closed = true;
        self.line.clear();
        let waiting = self.actors.iter_mut().filter(|actor| actor.stands == Stands::InLine);
        waiting.for_each(|actor| actor.stands = Stands::Refused);
    }

    fn start(&mut self, reserves: bool) {
        let Some(sender) = self.senders.last().cloned() else { return };
        let value = self.value();
        let name = value.0;
        let word = Rc::new(Cell::new(false));
        let (wakes, waker) = Wakes::waker();
        let heard = word.clone();
        let future: Pin<Box<dyn Future<Output = Outcome>>> = if reserves {
            Box::pin(async move {
                let Ok(permit) = sender.reserve().await else { return Outcome::Refused };
                poll_fn(|_| if heard.get() { Poll::Ready(()) } else { Poll::Pending }).await;
                permit.send(value).map_or(Outcome::Refused, |()| Outcome::Sent)
            })
        } else {
            Box::pin(async move {
                let sent = sender.send(value).await;
                sent.map_or_else(|error| (assert_eq!(error.0.0, name), Outcome::Refused).1, |()| Outcome::Sent)
            })
        };
        let stands = if self.closed {
            Stands::Refused
        } else if self.free > 0 {
            self.free -= 1;
            Stands::Served
        } else {
            self.line.push_back(name);
            Stands::InLine
        };
        let reserves = reserves.then_some(word);
        self.actors.push(Actor { name, reserves, future, wakes, waker, seen: 0, stands });
        self.poll(self.actors.len() - 1);
    }

    fn poll(&mut self, index: usize) {
        let actor = &mut self.actors[index];
        actor.seen = actor.wakes.count();
        let polled = actor.future.as_mut().poll(&mut Context::from_waker(&actor.waker));
        let may_send = actor.reserves.as_ref().is_none_or(|word| word.get());
        let expected = match actor.stands {
            Stands::InLine => Poll::Pending,
            Stands::Refused => Poll::Ready(Outcome::Refused),
            Stands::Served | Stands::Permit if !may_send => {
                actor.stands = Stands::Permit;
                Poll::Pending
            }
            Stands::Served | Stands::Permit if self.receiver.is_none() => Poll::Ready(Outcome::Refused),
            Stands::Served | Stands::Permit => Poll::Ready(Outcome::Sent),
        };
        assert_eq!(polled, expected, "{:?}", actor.stands);
        if polled.is_ready() {
            let name = actor.name;
            drop(self.actors.swap_remove(index));
            if polled == Poll::Ready(Outcome::Sent) {
                self.items.push_back(name);
            }
        }
    }

    fn drop_actor(&mut self, index: usize) {
        let Actor { name, stands, .. } = self.actors.swap_remove(index);
        self.line.retain(|waiting| *waiting != name);
        if matches!(stands, Stands::Served | Stands::Permit) {
            self.give();
        }
    }

    fn try_send(&mut self) {
        if self.senders.is_empty() {
            return;
        }
        let value = self.value();
        let name = value.0;
        let sent = self.senders[0].try_send(value);
        if self.closed {
            assert!(matches!(sent, Err(TrySendError::Closed((same, _))) if same == name));
        } else if self.free == 0 {
            assert!(matches!(sent, Err(TrySendError::Full((same, _))) if same == name));
        } else {
            assert!(sent.is_ok());
            self.free -= 1;
            self.items.push_back(name);
        }
    }

    fn receive(&mut self, how: usize) {
        let Some(receiver) = &mut self.receiver else { return };
        let mut context = Context::from_waker(&self.receiver_waker);
        self.receiver_waits = None;
        let received = match how {
            0 => match receiver.try_recv() {
                Ok((number, _)) => Some(vec![number]),
                Err(TryRecvError::Closed) => Some(Vec::new()),
                Err(TryRecvError::Empty) => None,
            },
            1 => match receiver.poll_recv(&mut context) {
                Poll::Ready(value) => Some(value.map(|(number, _)| number).into_iter().collect()),
                Poll::Pending => None,
            },
            limit => {
                let mut values = Vec::new();
                match receiver.poll_recv_many(&mut context, &mut values, limit) {
                    Poll::Ready(count) => {
                        assert_eq!(values.len(), count);
                        Some(values.into_iter().map(|(number, _)| number).collect())
                    }
                    Poll::Pending => None,
                }
            }
        };
        let there = self.items.len().min(how.max(1));
        let expected: Vec<_> = self.items.drain(..there).collect();
        (0..there).for_each(|_| self.give());
        if there > 0 {
            assert_eq!(received, Some(expected));
        } else if self.over() {
            assert_eq!(received, Some(Vec::new()));
        } else {
            assert_eq!(received, None);
            self.receiver_waits = (how > 0).then(|| self.receiver_wakes.count());
        }
    }

    fn step(&mut self) {
        let some = (!self.actors.is_empty()).then(|| self.below(self.actors.len()));
        match (self.below(40), some) {
            (0..=5, _) => self.start(false),
            (6..=9, _) => self.start(true),
            (10..=14, _) => self.try_send(),
            (15..=19, Some(index)) => self.poll(index),
            (20..=22, Some(index)) => self.drop_actor(index),
            (23..=25, Some(index)) => {
                if let Some(word) = &self.actors[index].reserves {
                    word.set(true);
                }
                self.poll(index);
            }
            (26..=35, _) => {
                let how = self.below(4);
                self.receive(how);
            }
            (36, _) if self.senders.len() < 3 => self.senders.extend(self.senders.first().cloned()),
            (37, _) => drop(self.senders.pop()),
            (38, _) if self.chance.chance(0.3) => {
                if let Some(receiver) = &mut self.receiver {
                    receiver.close();
                    self.refuse_line();
                }
            }
            (39, _) if self.chance.chance(0.2) && self.receiver.take().is_some() => {
                self.refuse_line();
                self.items.clear();
                self.receiver_waits = None;
            }
            _ => {}
        }
    }

    /// Both agree, and whoever could go on has been woken.
    fn check(&self) {
        if let Some(receiver) = &self.receiver {
            assert_eq!(receiver.len(), self.items.len());
        }
        for sender in &self.senders {
            assert_eq!((sender.is_closed(), sender.len()), (self.closed, self.items.len()));
        }
        for actor in &self.actors {
            let told = actor.wakes.count() > actor.seen;
            match actor.stands {
                Stands::InLine => assert!(!told, "{} was woken and has no slot", actor.name),
                Stands::Served | Stands::Refused => assert!(told, "{} could go on, and was not told", actor.name),
                Stands::Permit => {}
            }
        }
        if let Some(seen) = self.receiver_waits {
            let could = !self.items.is_empty() || self.over();
            assert!(!could || self.receiver_wakes.count() > seen, "the receiver could go on, and was not told");
        }
    }
}

/// Says which seed it was that failed.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("with the seed {}", self.0);
        }
    }
}

#[test]
fn the_channel_does_what_a_queue_and_a_line_do() {
    for seed in 0..6_000 {
        let _seed = Seed(seed);
        let mut game = Game::new(seed);
        for _ in 0..60 {
            game.step();
            game.check();
        }
        let token = game.token.clone();
        drop(game);
        assert_eq!(Arc::strong_count(&token), 1, "seed {seed}: a value was leaked");
    }
}
