//! Values that come one after the other, each when it is ready: what an iterator is to a function, a stream is to a task.
//!
//! ```text
//!   sources     iter, once, empty, repeat, range, unfold, generate
//!   adaptors    map, then, filter, filter_async, take, merge, chunks, buffered, …      [`StreamExt`]
//!   ends        next, fold, for_each, collect, try_collect, count
//! ```
//!
//! - A stream is lazy: nothing happens until it is asked for its next value, and one that is dropped early does no more.
//! - An adaptor calls its function exactly once for each value.
//! - Giving up [`next`](StreamExt::next) loses nothing: what had begun for a value stays in the stream, and goes on when it is
//!   asked again. (What ends of streams lose is said at each.)
//! - What is made here may be asked again after its end, and says `None` for ever; another stream, if it is
//!   [fused](StreamExt::fuse). What a stream was made of is dropped when it ends.
//!
//! They run on any executor. With ours, a source that always has a value still gives way now and then, so that a loop over it
//! starves nobody.
//!
//! None of these streams has to be pinned before it is asked for its `next`, if those that it is made of need not be: what must
//! stay in its place is on the heap, one allocation for each stream.
//!
//! ```
//! use runtime::stream::{self, StreamExt};
//! runtime::block_on(async {
//!     let mut squares = stream::iter(0..10).filter(|n| n % 2 == 0).then(async |n: u32| n * n);
//!     while let Some(square) = squares.next().await {
//!         println!("{square}");
//!     }
//! });
//! ```

mod buffered;
mod chunks;
mod combine;
mod extension;
mod generate;
mod one_by_one;
mod sources;
mod unfold;

pub use extension::StreamExt;
pub use futures_core::Stream;
pub use generate::{Yielder, generate};
pub use sources::{Range, empty, iter, once, range, repeat};
pub use unfold::unfold;

use std::pin::Pin;

/// A stream on the heap, whatever it is made of: it has a name, and may stay in a field. From [`StreamExt::boxed`].
///
/// ```
/// use runtime::stream::{self, BoxStream, StreamExt};
/// fn numbers(down: bool) -> BoxStream<'static, i64> {
///     if down { stream::range(3, 0, -1).boxed() } else { stream::iter(1..=3).boxed() }
/// }
/// assert_eq!(runtime::block_on(numbers(true).collect::<Vec<_>>()), [3, 2, 1]);
/// assert_eq!(runtime::block_on(numbers(false).collect::<Vec<_>>()), [1, 2, 3]);
/// ```
pub type BoxStream<'a, T> = Pin<Box<dyn Stream<Item = T> + Send + 'a>>;
