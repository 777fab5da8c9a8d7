//! The queue in its three orders against a model of it that is obviously right: a sorted `Vec`, two lines, and who has a turn.
//! Random steps, thousands of seeds. (Bug bank, R16.)

use crate::support::Wakes;
use runtime::{
    random::Generator,
    sync::queue::{Closed, Fifo, Item, LeastFirst, Lifo, Order, TryGetError, TryPutError, WorkQueue},
};
use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

/// What an order says of its values. The values are made of a number and of a priority, which only one order looks at.
trait Judged: Order + 'static {
    fn value(priority: u8, number: u32, token: Arc<()>) -> Self::Value;

    fn number(value: &Self::Value) -> u32;

    /// Where in the model's `Vec`, the first to go in front, a new one belongs.
    fn place(held: &[(u8, u32)], priority: u8) -> usize;
}

impl Judged for Fifo<(u32, Arc<()>)> {
    fn value(_: u8, number: u32, token: Arc<()>) -> Self::Value {
        (number, token)
    }

    fn number(value: &Self::Value) -> u32 {
        value.0
    }

    fn place(held: &[(u8, u32)], _: u8) -> usize {
        held.len()
    }
}

impl Judged for Lifo<(u32, Arc<()>)> {
    fn value(_: u8, number: u32, token: Arc<()>) -> Self::Value {
        (number, token)
    }

    fn number(value: &Self::Value) -> u32 {
        value.0
    }

    fn place(_: &[(u8, u32)], _: u8) -> usize {
        0
    }
}

/// `(u32, Arc)` has an order too; that the values' is not asked is seen in the outcome.
impl Judged for LeastFirst<u8, (u32, Arc<()>)> {
    fn value(priority: u8, number: u32, token: Arc<()>) -> Self::Value {
        (priority, (u32::MAX - number, token))
    }

    fn number(value: &Self::Value) -> u32 {
        u32::MAX - value.1.0
    }

    fn place(held: &[(u8, u32)], priority: u8) -> usize {
        held.iter().filter(|(other, _)| *other <= priority).count()
    }
}

enum Outcome<T> {
    Got(Item<T>),
    /// Put, or all is done.
    Done,
    Refused,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Wish {
    Put(u8),
    Get,
    Join,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stands {
    InLine,
    Served,
    Refused,
}

struct Actor<T> {
    name: u32,
    wants: Wish,
    future: Pin<Box<dyn Future<Output = Outcome<T>>>>,
    wakes: Arc<Wakes>,
    waker: Waker,
    seen: usize,
    stands: Stands,
}

struct Game<O: Judged> {
    chance: Generator,
    token: Arc<()>,
    names: u32,
    queue: WorkQueue<O>,
    actors: Vec<Actor<O::Value>>,
    in_hand: Vec<Item<O::Value>>,

    // The model.
    held: Vec<(u8, u32)>,
    slots: usize,
    putters: VecDeque<u32>,
    promised: usize,
    getters: VecDeque<u32>,
    unfinished: usize,
    closed: bool,
}

impl<O: Judged> Game<O> {
    fn new(seed: u64) -> Self {
        let mut chance = Generator::new(seed);
        let capacity = 1 + chance.below(3) as usize;
        Self {
            chance,
            token: Arc::new(()),
            names: 0,
            queue: WorkQueue::bounded(capacity),
            actors: Vec::new(),
            in_hand: Vec::new(),
            held: Vec::new(),
            slots: capacity,
            putters: VecDeque::new(),
            promised: 0,
            getters: VecDeque::new(),
            unfinished: 0,
            closed: false,
        }
    }

    fn below(&mut self, bound: usize) -> usize {
        self.chance.below(bound as u64) as usize
    }

    fn stands(&mut self, name: u32, stands: Stands) {
        self.actors.iter_mut().find(|actor| actor.name == name).unwrap().stands = stands;
    }

    fn give_slot(&mut self) {
        match self.putters.pop_front() {
            Some(name) => self.stands(name, Stands::Served),
            None => self.slots += 1,
        }
    }

    /// An item is nobody's: the first in line is promised one.
    fn promise(&mut self) {
        if self.promised < self.held.len()
            && let Some(name) = self.getters.pop_front()
        {
            self.promised += 1;
            self.stands(name, Stands::Served);
        }
    }

    fn put(&mut self, priority: u8, number: u32) {
        self.held.insert(O::place(&self.held, priority), (priority, number));
        self.unfinished += 1;
        self.promise();
    }

    fn done(&mut self, count: usize) {
        self.unfinished -= count;
        if count > 0 && self.unfinished == 0 {
            let joining = self.actors.iter_mut().filter(|actor| actor.wants == Wish::Join);
            joining.for_each(|actor| actor.stands = Stands::Served);
        }
    }

    fn close(&mut self) {
        self.closed = true;
        for name in std::mem::take(&mut self.putters).into_iter().chain(std::mem::take(&mut self.getters)) {
            self.stands(name, Stands::Refused);
        }
    }

    fn start(&mut self, wants: Wish) {
        self.names += 1;
        let (name, queue) = (self.names, self.queue.clone());
        let token = self.token.clone();
        let future: Pin<Box<dyn Future<Output = Outcome<O::Value>>>> = match wants {
            Wish::Put(priority) => Box::pin(async move {
                match queue.put(O::value(priority, name, token)).await {
                    Ok(()) => Outcome::Done,
                    Err(error) => (assert_eq!(O::number(&error.0), name), Outcome::Refused).1,
                }
            }),
            Wish::Get => {
                Box::pin(async move { queue.get().await.map_or_else(|Closed| Outcome::Refused, Outcome::Got) })
            }
            Wish::Join => Box::pin(async move { (queue.join().await, Outcome::Done).1 }),
        };
        let stands = match wants {
            Wish::Put(_) if self.closed => Stands::Refused,
            Wish::Put(_) if self.slots > 0 => {
                self.slots -= 1;
                Stands::Served
            }
            Wish::Put(_) => (self.putters.push_back(name), Stands::InLine).1,
            Wish::Get if self.held.len() > self.promised => {
                self.promised += 1;
                Stands::Served
            }
            Wish::Get if self.closed => Stands::Refused,
            Wish::Get => (self.getters.push_back(name), Stands::InLine).1,
            Wish::Join if self.unfinished == 0 => Stands::Served,
            Wish::Join => Stands::InLine,
        };
        let (wakes, waker) = Wakes::waker();
        self.actors.push(Actor { name, wants, future, wakes, waker, seen: 0, stands });
        self.poll(self.actors.len() - 1);
    }

    fn poll(&mut self, index: usize) {
        let actor = &mut self.actors[index];
        actor.seen = actor.wakes.count();
        let polled = actor.future.as_mut().poll(&mut Context::from_waker(&actor.waker));
        let (name, wants, stands) = (actor.name, actor.wants, actor.stands);
        let Poll::Ready(outcome) = polled else {
            assert_eq!(stands, Stands::InLine, "{wants:?} waits");
            return;
        };
        assert_ne!(stands, Stands::InLine, "{wants:?} does not wait");
        drop(self.actors.swap_remove(index));
        match (wants, outcome) {
            (Wish::Put(priority), Outcome::Done) => {
                assert!(stands == Stands::Served && !self.closed);
                self.put(priority, name);
            }
            (Wish::Put(_), Outcome::Refused) => assert!(self.closed),
            (Wish::Get, Outcome::Got(item)) if stands == Stands::Served => {
                self.promised -= 1;
                self.got(item);
            }
            // Somebody was promised it, and went.
            (Wish::Get, Outcome::Got(item)) => {
                assert!(self.held.len() > self.promised);
                self.got(item);
            }
            (Wish::Get, Outcome::Refused) => {
                assert!(self.closed && self.held.len() == self.promised);
                // What it was promised, `close_now` took out.
                assert!(stands == Stands::Refused || self.held.is_empty());
            }
            (Wish::Join, Outcome::Done) => assert_eq!(stands, Stands::Served),
            (wants, _) => panic!("{wants:?} came to something else"),
        }
    }

    fn got(&mut self, item: Item<O::Value>) {
        assert_eq!(self.held.remove(0).1, O::number(&item), "in the wrong order");
        self.in_hand.push(item);
        self.give_slot();
    }

    fn drop_actor(&mut self, index: usize) {
        let Actor { name, wants, stands, .. } = self.actors.swap_remove(index);
        self.putters.retain(|waiting| *waiting != name);
        self.getters.retain(|waiting| *waiting != name);
        match wants {
            Wish::Put(_) if stands == Stands::Served => self.give_slot(),
            // (After `close_now` the promise is of nothing.)
            Wish::Get if stands == Stands::Served && self.promised > 0 => {
                self.promised -= 1;
                self.promise();
            }
            _ => {}
        }
    }

    fn step(&mut self) {
        let some = (!self.actors.is_empty()).then(|| self.below(self.actors.len()));
        let priority = self.below(3) as u8;
        match (self.below(40), some) {
            (0..=6, _) => self.start(Wish::Put(priority)),
            (7..=13, _) => self.start(Wish::Get),
            (14, _) => self.start(Wish::Join),
            (15..=18, _) => {
                self.names += 1;
                let name = self.names;
                match self.queue.try_put(O::value(priority, name, self.token.clone())) {
                    Ok(()) => {
                        assert!(self.slots > 0 && !self.closed);
                        self.slots -= 1;
                        self.put(priority, name);
                    }
                    Err(TryPutError::Closed(value)) => assert!(self.closed && O::number(&value) == name),
                    Err(TryPutError::Full(value)) => {
                        assert!(self.slots == 0 && !self.closed && O::number(&value) == name);
                    }
                }
            }
            (19..=22, _) => match self.queue.try_get() {
                Ok(item) => {
                    assert!(self.held.len() > self.promised, "it was promised to somebody in line");
                    self.got(item);
                }
                Err(error) => {
                    assert_eq!(self.held.len(), self.promised);
                    assert_eq!(error, if self.closed { TryGetError::Closed } else { TryGetError::Empty });
                }
            },
            (23..=28, Some(index)) => self.poll(index),
            (29..=31, Some(index)) => self.drop_actor(index),
            (32..=37, _) if !self.in_hand.is_empty() => {
                let index = self.below(self.in_hand.len());
                drop(self.in_hand.swap_remove(index));
                self.done(1);
            }
            (38, _) if self.chance.chance(0.3) => {
                self.queue.close();
                self.close();
            }
            (39, _) if self.chance.chance(0.2) => {
                let left = self.queue.close_now();
                let expected: Vec<_> = self.held.drain(..).map(|(_, number)| number).collect();
                assert_eq!(left.iter().map(O::number).collect::<Vec<_>>(), expected);
                self.promised = 0;
                self.close();
                self.done(left.len());
            }
            _ => {}
        }
    }

    /// Both agree, and whoever could go on has been woken.
    fn check(&self) {
        assert_eq!(self.queue.len(), self.held.len());
        assert_eq!(self.queue.is_closed(), self.closed);
        assert_eq!(self.queue.unfinished(), self.unfinished);
        for actor in &self.actors {
            let told = actor.wakes.count() > actor.seen;
            assert_eq!(told, actor.stands != Stands::InLine, "{:?} is {:?}", actor.wants, actor.stands);
        }
    }
}

fn play<O: Judged>() {
    for seed in 0..3_000 {
        let mut game = Game::<O>::new(seed);
        for step in 0..80 {
            game.step();
            game.check();
            assert!(game.promised <= game.held.len(), "seed {seed}, step {step}");
        }
        let token = game.token.clone();
        drop(game);
        assert_eq!(Arc::strong_count(&token), 1, "seed {seed}: a value was leaked");
    }
}

#[test]
fn a_queue_does_what_its_model_does() {
    play::<Fifo<(u32, Arc<()>)>>();
}

#[test]
fn a_stack_does_what_its_model_does() {
    play::<Lifo<(u32, Arc<()>)>>();
}

#[test]
fn a_priority_queue_does_what_its_model_does() {
    play::<LeastFirst<u8, (u32, Arc<()>)>>();
}
