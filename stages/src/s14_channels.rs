//! Stage 14: a oneshot and a bounded channel. Each is a place for values, and the wakers of those who wait at its ends.
//!
//! One short lock guards all of it. Wakers and values are anybody's code, so they leave the lock before they are woken or dropped.

// ANCHOR: imports
use std::{
    collections::VecDeque,
    future::{Future, poll_fn},
    mem,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker},
};
// ANCHOR_END: imports

// ANCHOR: oneshot
/// One value, from one task to another.
pub fn oneshot<T>() -> (OneSender<T>, OneReceiver<T>) {
    let slot = Arc::new(Mutex::new(Slot { value: None, waker: None, one_is_gone: false }));
    (OneSender(slot.clone()), OneReceiver(slot))
}

struct Slot<T> {
    value: Option<T>,
    /// The receiver's, while it waits.
    waker: Option<Waker>,
    one_is_gone: bool,
}

/// Sends it. Dropped, it tells the receiver that nothing will come.
pub struct OneSender<T>(Arc<Mutex<Slot<T>>>);

/// Ready with the value, or with `None` when nothing will come.
pub struct OneReceiver<T>(Arc<Mutex<Slot<T>>>);

impl<T> OneSender<T> {
    /// Never waits: the slot is there from the beginning. If nobody is left to receive, the value comes back.
    pub fn send(self, value: T) -> Result<(), T> {
        let mut slot = self.0.lock().unwrap();
        if slot.one_is_gone {
            return Err(value);
        }
        slot.value = Some(value);
        Ok(())
        // The lock is given back, then `self` is dropped: that wakes the receiver.
    }
}

impl<T> Drop for OneSender<T> {
    fn drop(&mut self) {
        let mut slot = self.0.lock().unwrap();
        slot.one_is_gone = true;
        let waker = slot.waker.take();
        drop(slot);
        waker.into_iter().for_each(Waker::wake);
    }
}

impl<T> Future for OneReceiver<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let waker = context.waker().clone();
        let mut slot = self.0.lock().unwrap();
        if slot.value.is_some() || slot.one_is_gone {
            return Poll::Ready(slot.value.take());
        }
        let stale = slot.waker.replace(waker);
        drop(slot);
        drop(stale);
        Poll::Pending
    }
}

impl<T> Drop for OneReceiver<T> {
    fn drop(&mut self) {
        let mut slot = self.0.lock().unwrap();
        slot.one_is_gone = true;
        let left = (slot.value.take(), slot.waker.take());
        drop(slot);
        drop(left);
    }
}
// ANCHOR_END: oneshot

// ANCHOR: channel
/// From many tasks to one, through so many slots.
///
/// # Panics
/// When `capacity` is zero.
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(capacity > 0, "a channel needs at least one slot");
    let channel = Arc::new(Channel(Mutex::new(State {
        items: VecDeque::new(),
        capacity,
        line: VecDeque::new(),
        came: 0,
        receiver: None,
        senders: 1,
        receiver_is_gone: false,
    })));
    (Sender(channel.clone()), Receiver(channel))
}

struct Channel<T>(Mutex<State<T>>);

/// While somebody is in line, all slots are full.
struct State<T> {
    items: VecDeque<T>,
    capacity: usize,
    /// The senders that wait, each with its value; who came first is in front.
    line: VecDeque<Waiting<T>>,
    /// How many ever came into the line: their names.
    came: u64,
    /// Its waker, while it waits.
    receiver: Option<Waker>,
    senders: usize,
    receiver_is_gone: bool,
}

struct Waiting<T> {
    name: u64,
    value: T,
    waker: Waker,
}

impl<T> Channel<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().expect("nothing that can panic runs under this lock")
    }
}
// ANCHOR_END: channel

// ANCHOR: send
/// Sends. There may be many; when the last of them is dropped the channel ends.
pub struct Sender<T>(Arc<Channel<T>>);

impl<T> Sender<T> {
    /// Waits for a slot. If the receiver is gone, the value comes back. Dropped while it waits, it takes its value along.
    pub fn send(&self, value: T) -> Sending<'_, T> {
        Sending { channel: &self.0, value: Some(value), name: None }
    }
}

/// Ready when the value is in the channel. From [`Sender::send`].
pub struct Sending<'sender, T> {
    channel: &'sender Channel<T>,
    /// Until the first poll.
    value: Option<T>,
    /// From then on, if it had to wait.
    name: Option<u64>,
}

/// It only carries its value, which may be moved out of it in a poll, whatever `T` is.
impl<T> Unpin for Sending<'_, T> {}

impl<T> Future for Sending<'_, T> {
    type Output = Result<(), T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), T>> {
        let waker = context.waker().clone();
        let channel = self.channel;
        let mut state = channel.lock();
        if let Some(value) = self.value.take() {
            if state.receiver_is_gone {
                return Poll::Ready(Err(value));
            }
            if state.items.len() < state.capacity {
                state.items.push_back(value);
                let receiver = state.receiver.take();
                drop(state);
                receiver.into_iter().for_each(Waker::wake);
                return Poll::Ready(Ok(()));
            }
            state.came += 1;
            self.name = Some(state.came);
            let name = state.came;
            state.line.push_back(Waiting { name, value, waker });
            return Poll::Pending;
        }
        let receiver_is_gone = state.receiver_is_gone;
        match state.line.iter_mut().position(|waiting| Some(waiting.name) == self.name) {
            // The receiver has taken a value, and put ours into the slot.
            None => Poll::Ready(Ok(())),
            Some(place) if receiver_is_gone => {
                let left = state.line.remove(place).expect("it is there");
                drop(state);
                Poll::Ready(Err(left.value))
            }
            Some(place) => {
                let stale = mem::replace(&mut state.line[place].waker, waker);
                drop(state);
                drop(stale);
                Poll::Pending
            }
        }
    }
}

impl<T> Drop for Sending<'_, T> {
    fn drop(&mut self) {
        let Some(name) = self.name else { return };
        let mut state = self.channel.lock();
        let place = state.line.iter().position(|waiting| waiting.name == name);
        let left = place.and_then(|place| state.line.remove(place));
        drop(state);
        drop(left);
    }
}
// ANCHOR_END: send

// ANCHOR: count
impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.lock().senders += 1;
        Sender(self.0.clone())
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.senders -= 1;
        let receiver = if state.senders == 0 { state.receiver.take() } else { None };
        drop(state);
        receiver.into_iter().for_each(Waker::wake);
    }
}

// ANCHOR_END: count

// ANCHOR: recv
/// Receives.
pub struct Receiver<T>(Arc<Channel<T>>);

impl<T> Receiver<T> {
    /// The oldest value; or `None` when all senders are gone and nothing is left. Dropped while it waits, it has taken nothing.
    pub async fn recv(&mut self) -> Option<T> {
        poll_fn(|context| self.poll_recv(context)).await
    }

    /// One poll of [`recv`](Receiver::recv).
    pub fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Option<T>> {
        let waker = context.waker().clone();
        let mut state = self.0.lock();
        if let Some(value) = state.items.pop_front() {
            // The slot is not left free: it is handed to whoever has waited longest.
            let sender = state.line.pop_front().map(|Waiting { value, waker, .. }| {
                state.items.push_back(value);
                waker
            });
            drop(state);
            sender.into_iter().for_each(Waker::wake);
            return Poll::Ready(Some(value));
        }
        if state.senders == 0 {
            return Poll::Ready(None);
        }
        let stale = state.receiver.replace(waker);
        drop(state);
        drop(stale);
        Poll::Pending
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.receiver_is_gone = true;
        let left = (mem::take(&mut state.items), state.receiver.take());
        // They stay in line with their values, which each of them takes back.
        let wakers = state.line.iter_mut().map(|waiting| mem::replace(&mut waiting.waker, Waker::noop().clone()));
        let wakers: Vec<_> = wakers.collect();
        drop(state);
        drop(left);
        wakers.into_iter().for_each(Waker::wake);
    }
}
// ANCHOR_END: recv
