//! A transaction in three fates: it succeeds, it fails, it is dropped. The third is neither of the first two.
//!
//! ```console
//! cargo run --example 16_rollback
//! ```

use examples::{scaled, seconds};
use runtime::time::timeout;
use std::cell::Cell;

/// As much of a database as matters here: it has a transaction open, or not.
#[derive(Default)]
struct Database {
    open: Cell<bool>,
}

impl Database {
    fn begin(&self) {
        self.open.set(true);
    }

    fn end(&self, how: &str) {
        self.open.set(false);
        println!("  {how}");
    }
}

/// The work of the transaction.
async fn pay(fate: &str) -> Result<(), &'static str> {
    seconds(1.0).await;
    if fate == "it fails" { Err("no money") } else { Ok(()) }
}

mod by_result {
    use super::*;

    // ANCHOR: by_result
    pub(crate) async fn transfer(database: &Database, fate: &str) {
        database.begin();
        match pay(fate).await {
            Ok(()) => database.end("committed"),
            Err(_) => database.end("rolled back"),
        }
    }
    // ANCHOR_END: by_result
}

mod by_guard {
    use super::*;

    // ANCHOR: by_guard
    pub(crate) async fn transfer(database: &Database, fate: &str) {
        let transaction = Transaction::begin(database);
        match pay(fate).await {
            Ok(()) => transaction.commit(),
            Err(_) => drop(transaction),
        }
    }

    /// Rolls back, unless it was committed.
    struct Transaction<'a>(&'a Database);

    impl<'a> Transaction<'a> {
        fn begin(database: &'a Database) -> Self {
            database.begin();
            Transaction(database)
        }

        fn commit(self) {
            self.0.end("committed");
        }
    }

    impl Drop for Transaction<'_> {
        fn drop(&mut self) {
            if self.0.open.get() {
                self.0.end("rolled back");
            }
        }
    }
    // ANCHOR_END: by_guard
}

/// Each fate once. Half a second of patience is not enough.
async fn all_fates(transfer: impl AsyncFn(&Database, &str)) {
    for fate in ["it succeeds", "it fails", "it is dropped"] {
        println!("{fate}:");
        let database = Database::default();
        let patience = if fate == "it is dropped" { 0.5 } else { 2.0 };
        let _ = timeout(scaled(patience), transfer(&database, fate)).await;
        if database.open.get() {
            println!("  NEITHER: the transaction is still open");
        }
    }
}

fn main() {
    examples::run(&[], async |_| {
        println!("== commit and rollback by the result");
        all_fates(by_result::transfer).await;
        println!("\n== rollback by a guard");
        all_fates(by_guard::transfer).await;
    });
}
