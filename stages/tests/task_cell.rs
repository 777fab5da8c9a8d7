//! The first task cell under the cases that the real one must pass too.

use stages::{
    cases::task_cell::{self, Ended},
    task_cell::{JoinError, JoinHandle, Queue as Stage},
};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};

#[derive(Clone, Default)]
struct Queue(Stage);

struct Handle<T>(JoinHandle<T>);

impl task_cell::Tasks for Queue {
    type Handle<T: Send + 'static> = Handle<T>;

    fn spawn<F>(&self, future: F) -> Handle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Handle(self.0.spawn(future))
    }

    fn run(&self, most: usize) -> usize {
        (0..most).take_while(|_| self.0.run_one()).count()
    }

    fn queued(&self) -> usize {
        self.0.queued()
    }

    fn cells(&self) -> usize {
        self.0.cells()
    }
}

impl<T: Send + 'static> task_cell::Handle<T> for Handle<T> {
    fn poll(&mut self, waker: &Waker) -> Poll<Result<T, Ended>> {
        let polled = Pin::new(&mut self.0).poll(&mut Context::from_waker(waker));
        polled.map_err(|error| match error {
            JoinError::Cancelled => Ended::Cancelled,
            JoinError::Panicked(payload) => {
                Ended::Panicked(payload.downcast::<&str>().map_or_else(|_| String::new(), |text| text.to_string()))
            }
        })
    }

    fn is_finished(&self) -> bool {
        self.0.is_finished()
    }

    fn abort_handle(&self) -> Box<dyn Fn() + Send> {
        Box::new(self.0.abort_handle())
    }
}

task_cell::test_all!(Queue::default);
