//! A reader in a loop beside a clock: each tick drops the reader, and what it has read by then.
//!
//! ```console
//! cargo run --example 16_cancel
//! ```

use examples::{scaled, seconds};
use futures_lite::{AsyncReadExt, AsyncWriteExt};
use netio::net::{DuplexStream, duplex};
use runtime::{select, spawn, time::interval};
use std::{io, mem, pin::pin};

/// Somebody types, three letters a second, or nearly so.
async fn type_slowly(mut keyboard: DuplexStream) -> io::Result<()> {
    for letter in b"to be\nor not\nto be\n" {
        seconds(0.35).await;
        keyboard.write_all(&[*letter]).await?;
    }
    keyboard.close().await
}

// ANCHOR: loses
/// What has come of the line is in the future. Whoever drops the future drops that too.
async fn read_line(from: &mut DuplexStream) -> io::Result<Option<String>> {
    let (mut line, mut letter) = (String::new(), [0]);
    while from.read(&mut letter).await? > 0 {
        match letter[0] {
            b'\n' => return Ok(Some(line)),
            other => line.push(other.into()),
        }
    }
    Ok(None)
}
// ANCHOR_END: loses

// ANCHOR: keeps
/// What has come of the line is here. A future of `next` holds nothing that is not asked for again.
struct LineReader {
    from: DuplexStream,
    line: String,
}

impl LineReader {
    async fn next(&mut self) -> io::Result<Option<String>> {
        let mut letter = [0];
        while self.from.read(&mut letter).await? > 0 {
            match letter[0] {
                b'\n' => return Ok(Some(mem::take(&mut self.line))),
                other => self.line.push(other.into()),
            }
        }
        Ok(None)
    }
}
// ANCHOR_END: keeps

fn keyboard() -> DuplexStream {
    let (typed, read) = duplex(16);
    drop(spawn(type_slowly(typed)));
    read
}

// ANCHOR: loop_loses
async fn a_new_future_each_round() -> io::Result<()> {
    let (mut keyboard, mut clock) = (keyboard(), interval(scaled(1.0)));
    loop {
        select! {
            _ = clock.tick() => print!("tick "),
            line = read_line(&mut keyboard) => match line? {
                Some(line) => print!("{line:?} "),
                None => return Ok(()),
            },
        }
    }
}
// ANCHOR_END: loop_loses

async fn the_line_is_in_the_reader() -> io::Result<()> {
    let (mut lines, mut clock) = (LineReader { from: keyboard(), line: String::new() }, interval(scaled(1.0)));
    loop {
        select! {
            _ = clock.tick() => print!("tick "),
            line = lines.next() => match line? {
                Some(line) => print!("{line:?} "),
                None => return Ok(()),
            },
        }
    }
}

// ANCHOR: loop_keeps
async fn the_future_is_kept() -> io::Result<()> {
    let (mut keyboard, mut clock) = (keyboard(), interval(scaled(1.0)));
    let mut all = pin!(async {
        while let Some(line) = read_line(&mut keyboard).await? {
            print!("{line:?} ");
        }
        Ok(())
    });
    loop {
        select! {
            _ = clock.tick() => print!("tick "),
            done = &mut all => return done,
        }
    }
}
// ANCHOR_END: loop_keeps

fn main() -> io::Result<()> {
    examples::run(&[], async |_| {
        println!("a new future in each round:");
        a_new_future_each_round().await?;
        println!("\nthe line is kept in the reader:");
        the_line_is_in_the_reader().await?;
        println!("\nthe future is kept outside of the loop:");
        the_future_is_kept().await?;
        println!();
        Ok(())
    })
}
