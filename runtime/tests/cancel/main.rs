//! Ending tasks: what is asked, what is cleaned up, and in which order.

mod bracket;
mod every_poll;
mod handlers;
mod scope;
mod stress;
#[path = "../sync/support.rs"]
#[allow(dead_code, reason = "shared with the tests of the primitives, which need more of it")]
mod support;
mod token;
mod verbs;

use runtime::{Runtime, time::sleep};
use std::{
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};

const SECOND: Duration = Duration::from_secs(1);

/// Runs on the virtual clock.
fn run<T>(main: impl Future<Output = T>) -> T {
    Runtime::builder().virtual_clock().build().unwrap().block_on(main)
}

async fn seconds(seconds: f64) {
    sleep(Duration::from_secs_f64(seconds)).await;
}

/// What happened, in its order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn say(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn said(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// Says it when it is dropped.
    fn when_dropped(&self, what: &'static str) -> impl Drop + Send + use<> {
        struct Says(Log, &'static str);
        impl Drop for Says {
            fn drop(&mut self) {
                self.0.say(self.1);
            }
        }
        Says(self.clone(), what)
    }
}

/// Panics when it is dropped: what nothing should do, and anything may.
struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("dropped badly");
        }
    }
}
