//! The standard library's lock, held across an `.await`, in two futures on one thread; and ways to do without.
//!
//! ```console
//! cargo run --example 15_std_mutex
//! ```

use stages::{
    s09_timers::{block_on, yield_now},
    s13_join_select::join,
};
use std::{sync::mpsc::channel, thread, time::Duration};

mod holds {
    use super::yield_now;
    // ANCHOR: holds
    use std::sync::Mutex;

    #[expect(clippy::await_holding_lock, reason = "this is the mistake")]
    pub(super) async fn deposit(balance: &Mutex<u32>, amount: u32) {
        let mut balance = balance.lock().unwrap();
        yield_now().await; // ask the bank
        *balance += amount;
    }
    // ANCHOR_END: holds
}

mod waits {
    use super::yield_now;
    // ANCHOR: waits
    use stages::s15_permits::Mutex;

    pub(super) async fn deposit(balance: &Mutex<u32>, amount: u32) {
        let mut balance = balance.lock().await;
        yield_now().await; // ask the bank
        *balance += amount;
    }
    // ANCHOR_END: waits
}

mod lets_go {
    use super::yield_now;
    // ANCHOR: lets_go
    use std::sync::Mutex;

    pub(super) async fn deposit(balance: &Mutex<u32>, amount: u32) {
        yield_now().await; // ask the bank
        *balance.lock().unwrap() += amount;
    }
    // ANCHOR_END: lets_go
}

fn main() {
    examples::Arguments::parse(&[]);
    report("held across the await", || {
        let balance = std::sync::Mutex::new(0);
        block_on(join(holds::deposit(&balance, 1), holds::deposit(&balance, 2)));
        balance.into_inner().unwrap()
    });
    report("a mutex that waits", || {
        let balance = stages::s15_permits::Mutex::new(0);
        block_on(join(waits::deposit(&balance, 1), waits::deposit(&balance, 2)));
        *block_on(balance.lock())
    });
    report("let go before the await", || {
        let balance = std::sync::Mutex::new(0);
        block_on(join(lets_go::deposit(&balance, 1), lets_go::deposit(&balance, 2)));
        balance.into_inner().unwrap()
    });
}

/// Runs it on a thread of its own: what hangs shall not take us along.
fn report(name: &str, run: fn() -> u32) {
    let (send, balance) = channel();
    thread::spawn(move || send.send(run()));
    match balance.recv_timeout(Duration::from_millis(300)) {
        Ok(balance) => println!("{name:>23}: the balance is {balance}"),
        Err(_) => println!("{name:>23}: hangs"),
    }
}
