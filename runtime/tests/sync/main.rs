//! The primitives of `runtime::sync`, seen from outside: each in a file of its own.

mod barrier;
mod broadcast;
mod condvar;
mod differential;
mod event;
mod foreign;
mod mpsc;
mod mutex;
mod notify;
mod once_cell;
mod queue;
mod rwlock;
mod semaphore;
mod support;
mod watch;
