//! Jobs that can only block: files, and the system's resolver.

use std::io;

/// Runs `job` on the blocking pool. If it panics, that is its error.
pub(crate) async fn blocking<T: Send + 'static>(job: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    runtime::spawn_blocking(job).await.map_err(|error| io::Error::other(error.to_string()))?
}
