//! Several things entered one after the other, and left the other way round, also when entering the third fails.
//!
//! ```console
//! cargo run --example exit_stack
//! ```
//!
//! The mistakes that it avoids: to close in the order of opening; to leave the first two open because the third could not be
//! opened; to stop closing at the first that fails to close, or to tell only of that one; to leave all open because the task was
//! cancelled.

use examples::seconds;
use runtime::{group::ExitStack, spawn, time::Instant};
use std::{future::pending, sync::Arc};

// ANCHOR: enter
struct Database {
    name: &'static str,
}

impl Database {
    /// Connects; gives the connection, and the exit that goes with it.
    async fn open(name: &'static str) -> Result<(Arc<Self>, impl Future<Output = Result<(), String>>), String> {
        seconds(0.5).await;
        if name == "broken" {
            return Err("broken refused the connection".into());
        }
        println!("{name} connected");
        let database = Arc::new(Self { name });
        Ok((database.clone(), async move { database.close().await }))
    }

    async fn close(&self) -> Result<(), String> {
        seconds(0.2).await;
        if self.name == "stubborn" {
            println!("{} does not want to go", self.name);
            return Err(format!("{} failed to close", self.name));
        }
        println!("{} disconnected", self.name);
        Ok(())
    }
}
// ANCHOR_END: enter

// ANCHOR: all
/// Opens all of them, and uses them; they are closed whatever happens.
async fn with_all(names: &[&'static str]) -> Result<String, String> {
    let body = async |stack: &ExitStack<String>| {
        let mut open = Vec::new();
        for name in names {
            open.push(stack.enter(Database::open(name)).await?);
        }
        let names: Vec<_> = open.iter().map(|database| database.name).collect();
        println!("working with {}", names.join(" and "));
        Ok(names.join(", "))
    };
    ExitStack::with(body).await.map_err(|errors| errors.to_string())
}
// ANCHOR_END: all

// ANCHOR: keep
/// All or none: what was opened stays open when all went well, for whoever gets the stack.
async fn open_both() -> Result<ExitStack<String>, String> {
    let opened = ExitStack::with(async |stack| {
        stack.enter(Database::open("db1")).await?;
        stack.enter(Database::open("db2")).await?;
        Ok(stack.pop_all())
    });
    opened.await.map_err(|errors| errors.to_string())
}
// ANCHOR_END: keep

async fn cancelled() {
    let mut task = spawn(async {
        let body = async |stack: &ExitStack<String>| {
            stack.enter(Database::open("db1")).await?;
            stack.enter(Database::open("db2")).await?;
            pending::<Result<(), String>>().await
        };
        ExitStack::with(body).await
    });
    seconds(1.5).await;
    println!("{}", task.cancel().await.map_or_else(|error| error.to_string(), |ended| format!("{ended:?}")));
}

fn main() {
    examples::run(&[], async |_| {
        let start = Instant::now();
        println!("== two, closed in reverse");
        println!("{:?}\n", with_all(&["db1", "db2"]).await);
        println!("== the third cannot be entered");
        println!("{:?}\n", with_all(&["a", "b", "broken"]).await);
        println!("== one fails to close");
        println!("{:?}\n", with_all(&["a", "stubborn"]).await);
        println!("== opened together, closed later");
        match open_both().await {
            Ok(stack) => {
                println!("{} are open", stack.len());
                println!("{:?}\n", stack.close().await);
            }
            Err(error) => println!("{error}"),
        }
        println!("== cancelled in the middle");
        cancelled().await;
        println!("\nafter {:.2} seconds", start.elapsed().as_secs_f64());
    });
}
