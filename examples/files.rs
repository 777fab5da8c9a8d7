//! Files, on the blocking threads of the runtime: written, read whole and in pieces, several at once, and removed in the end.
//!
//! ```console
//! cargo run --example files
//! ```
//!
//! The mistakes that it avoids: to read a file on the thread that runs all tasks; to take characters for bytes; to read a large
//! file whole in order to look at it piece by piece; to tidy up only if all went well; to say "not found" without saying what.

use examples::seconds;
use runtime::{
    fs::{self, File, TempDir},
    future::join_all,
    stream::StreamExt,
    time::Instant,
};
use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

fn name(path: &Path) -> std::path::Display<'_> {
    Path::new(path.file_name().unwrap_or_default()).display()
}

// ANCHOR: read
/// Prints the text of a file. A missing one is no mistake here, everything else is.
async fn show(path: &Path) -> io::Result<()> {
    match fs::read_to_string(path).await {
        Ok(text) => println!("{} holds: {text}", name(path)),
        Err(error) if error.kind() == ErrorKind::NotFound => println!("File {} not found", name(path)),
        Err(error) => return Err(error),
    }
    Ok(())
}

async fn write(path: &Path, text: &str) -> io::Result<()> {
    fs::write(path, text).await?;
    println!("Wrote {} bytes, {} characters, to {}", text.len(), text.chars().count(), name(path));
    Ok(())
}
// ANCHOR_END: read

// ANCHOR: chunks
/// No more than one piece is in memory.
async fn process_large_file(path: &Path, size: usize) -> io::Result<()> {
    let mut chunks = File::open(path).await?.chunks(size);
    let mut count = 0;
    while let Some(chunk) = chunks.next().await {
        count += 1;
        println!("Chunk {count}: {} bytes", chunk?.len());
        seconds(0.01).await; // somebody works on it
    }
    println!("Finished processing {count} chunks");
    Ok(())
}
// ANCHOR_END: chunks

// ANCHOR: parallel
/// Each is written and read again, all at the same time.
async fn several(paths: &[PathBuf]) -> io::Result<()> {
    let texts = join_all(paths.iter().map(async |path| {
        fs::write(path, format!("This is the content of {}", name(path))).await?;
        fs::read_to_string(path).await
    }));
    for (path, text) in paths.iter().zip(texts.await) {
        let start: String = text?.chars().take(20).collect();
        println!("{}: {start}...", name(path));
    }
    Ok(())
}
// ANCHOR_END: parallel

// ANCHOR: errors
/// What an error says: what was being done, to which file, and why it failed.
async fn errors(folder: &Path) -> io::Result<()> {
    fs::write(folder.join("damaged.txt"), b"Gr\xfc\xdfe").await?;
    let errors = [
        File::open("/no/such/folder/notes.txt").await.err(),
        fs::read_to_string("/").await.err(),
        fs::read_to_string(folder.join("damaged.txt")).await.err(),
    ];
    for error in errors.into_iter().flatten() {
        let text = error.to_string().replace(&folder.display().to_string(), "..."); // it has another name each time
        println!("{:?}: {text}", error.kind());
    }
    Ok(())
}
// ANCHOR_END: errors

async fn all_in(folder: &Path) -> io::Result<()> {
    println!("== read and write");
    let greeting = folder.join("greeting.txt");
    show(&greeting).await?;
    write(&greeting, "Hello, asynchronous world! Grüße!").await?;
    show(&greeting).await?;

    println!("\n== a large file");
    let (large, start) = (folder.join("large.bin"), Instant::now());
    fs::write(&large, vec![b'x'; 10_000]).await?;
    process_large_file(&large, 1000).await?;
    println!("Total time: {:.2} seconds", start.elapsed().as_secs_f64());

    println!("\n== three at once");
    several(&[1, 2, 3].map(|number| folder.join(format!("file{number}.txt")))).await?;
    println!("\n== errors");
    errors(folder).await
}

fn main() -> io::Result<()> {
    examples::run(&[], async |_| {
        let folder = TempDir::new().await?;
        let path = folder.path().to_owned();
        let result = all_in(&path).await;
        drop(folder); // as it would be if that had returned early, or panicked
        println!("\nLeft behind: {}", if fs::try_exists(&path).await? { "files" } else { "nothing" });
        result
    })
}
