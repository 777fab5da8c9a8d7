//! `async with` in Rust: a function that lends, and takes back whatever happens inside.
//!
//! ```console
//! cargo run --example context_manager -- --fail yes
//! ```
//!
//! The mistakes that it avoids: to leave the release to those who use it (they return early with `?`); to release on success and
//! on errors only, so that a cancelled transaction is neither committed nor rolled back; to find out while it runs that nobody
//! has connected (here it does not compile); to await in a `Drop`.

use examples::seconds;
use runtime::{
    group::{Ended, with},
    spawn,
};
use std::{fs::File, future::pending, io, io::Write, path::Path};

type Result<T> = std::result::Result<T, String>;

// ANCHOR: states
/// Not connected. It has no `execute`: to call it is a mistake that the compiler finds.
struct Database(&'static str);

struct Connection(&'static str);

impl Database {
    async fn connect(self) -> Result<Connection> {
        println!("Connecting to {}...", self.0);
        seconds(0.5).await;
        println!("Connected to {}", self.0);
        Ok(Connection(self.0))
    }
}

impl Connection {
    async fn execute(&self, query: &str) -> Result<String> {
        println!("Executing: {query}");
        seconds(0.3).await;
        if query.contains("nothing") { Err("no such table".into()) } else { Ok(format!("Result of '{query}'")) }
    }

    /// By value: what is disconnected cannot be used any more.
    async fn disconnect(self) -> Result<()> {
        seconds(0.2).await;
        println!("Disconnected from {}", self.0);
        Ok(())
    }
}
// ANCHOR_END: states

// ANCHOR: lend
async fn with_connection<T>(name: &'static str, body: impl AsyncFnOnce(&Connection) -> T) -> Result<T> {
    let exit = async |connection: Connection, _ended: &mut Ended<T>| connection.disconnect().await;
    with(Database(name).connect(), async |connection| body(connection).await, exit).await
}

async fn with_transaction<T>(on: &Connection, body: impl AsyncFnOnce(&Connection) -> Result<T>) -> Result<T> {
    let begin = async {
        println!("Beginning a transaction");
        Ok(())
    };
    let exit = async |(), ended: &mut Ended<Result<T>>| {
        match ended {
            Ended::Done(Ok(_)) => println!("Committing"),
            Ended::Done(Err(reason)) => println!("Rolling back: {reason}"),
            other => println!("Rolling back: {other}"),
        }
        seconds(0.1).await;
        Ok(())
    };
    with(begin, async |()| body(on).await, exit).await.flatten()
}
// ANCHOR_END: lend

/// A file, open while `body` runs. (Small as it is, it is written and read where it stands.)
async fn with_file<T>(path: &Path, mode: &str, body: impl AsyncFnOnce(&mut File) -> io::Result<T>) -> io::Result<T> {
    let open = async {
        println!("Opening test.txt ({mode})");
        File::options().read(mode == "r").write(mode == "w").create(mode == "w").truncate(mode == "w").open(path)
    };
    let exit = async |_file: File, _ended: &mut Ended<io::Result<T>>| {
        println!("Closing test.txt");
        Ok(())
    };
    with(open, body, exit).await.flatten()
}

async fn files() -> io::Result<()> {
    let path = &std::env::temp_dir().join(format!("handloom-{}-test.txt", std::process::id()));
    with_file(path, "w", async |file| file.write_all(b"Hello, Async World!")).await?;
    println!("Read: {}", with_file(path, "r", async |file| io::read_to_string(file)).await?);
    std::fs::remove_file(path)
}

async fn queries(fail: bool) -> Result<()> {
    let nested = async |db: &Connection| {
        println!("{}", with_transaction(db, async |db| db.execute("SELECT * FROM users").await).await?);
        let query = if fail { "SELECT * FROM nothing" } else { "UPDATE users" };
        println!("{}", with_transaction(db, async |db| db.execute(query).await).await?);
        Ok(())
    };
    with_connection("main_db", nested).await.flatten()
}

fn main() {
    examples::run(&["--fail"], async |arguments| {
        let fail = arguments.get("--fail", "no".to_owned()) == "yes";
        println!("queries: {:?}\n", queries(fail).await);
        println!("files: {:?}\n", files().await);
        let mut task = spawn(with_connection("main_db", async |db| {
            with_transaction(db, async |_| pending::<Result<()>>().await).await
        }));
        seconds(1.0).await;
        println!("cancelled: {:?}", task.cancel().await);
    });
}
