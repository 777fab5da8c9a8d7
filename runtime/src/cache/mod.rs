//! A cache with a limit, a time to live, and one load at a time for each key.
//!
//! ```text
//!                       ┌── there, and young enough ──────────────────────────────> the value: a hit
//!   get_or_insert_with ─┼── nobody loads it ──> load it yourself ──> keep it ─────> the value: a miss
//!                       └── somebody loads it ──> wait ─────────────────────────────> the same value: coalesced
//!                                                  └── who loads it goes away ──> load it yourself
//! ```
//!
//! - A hundred tasks that want one key at the same time cost one load. Different keys are loaded side by side.
//! - Age is looked at when a value is asked for, with the runtime's clock: a value is never served when its time is over.
//! - Get, insert and evict are O(1): a map to places in a slab, linked from the latest used to the one that goes next.
//! - No lock is held while a loader runs, or a value is cloned or dropped. (The `Hash` and `Eq` of keys do run under it, and
//!   must not use the cache.)
//!
//! ```
//! use runtime::{cache::TtlLru, future::join_all, time::sleep};
//! use std::{cell::Cell, time::Duration};
//! let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
//! runtime.block_on(async {
//!     let cache = TtlLru::new(100).ttl(Duration::from_secs(60));
//!     let loads = Cell::new(0);
//!     let page = || {
//!         cache.get_or_insert_with("/", async || {
//!             loads.set(loads.get() + 1);
//!             sleep(Duration::from_secs(1)).await;
//!             "the page"
//!         })
//!     };
//!     assert_eq!(join_all([page(), page(), page()]).await, ["the page"; 3]);
//!     assert_eq!((loads.get(), cache.stats().misses, cache.stats().coalesced), (1, 1, 2));
//! });
//! ```

mod flight;
mod lru;

use flight::{Flight, Lead, Turn};
use lru::Lru;

use crate::{sync::oneshot, time::Instant};
use std::{
    borrow::Borrow,
    collections::HashMap,
    convert::Infallible,
    fmt,
    future::Future,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

/// A cache of at most so many values: the one that was not used for the longest time makes room for a new one. With a time to
/// live, a value that is older is not served.
///
/// A clone is another handle to the same cache.
///
/// - **No room** (`max_size` zero), or **no time** (`ttl` zero): nothing is ever served from the cache, but those who want the same
///   key at the same time still share one load.
/// - A value that is too old keeps its place until somebody asks for it or it is evicted.
/// - To keep the fact that there is no value, let the value be an `Option`.
///
/// # Panics
/// Every operation, when the `Hash` or `Eq` of a key has panicked in an earlier one.
///
/// ```
/// let cache = runtime::cache::TtlLru::new(2);
/// cache.insert("a", 1);
/// cache.insert("b", 2);
/// assert_eq!(cache.get("a"), Some(1)); // now "b" is the one that was not used for the longest time
/// cache.insert("c", 3);
/// assert_eq!((cache.get("a"), cache.get("b"), cache.get("c")), (Some(1), None, Some(3)));
/// ```
pub struct TtlLru<K: Eq + Hash, V> {
    shared: Arc<Shared<K, V>>,
    ttl: Option<Duration>,
}

struct Shared<K: Eq + Hash, V>(Mutex<State<K, V>>);

struct State<K: Eq + Hash, V> {
    kept: Lru<K, V>,
    /// The loads whose value will be kept. One for whose key a value was inserted or removed meanwhile is here no more.
    flights: HashMap<K, Arc<Flight<K, V>>>,
    stats: Stats,
}

/// What a cache has done so far.
///
/// ```
/// let cache = runtime::cache::TtlLru::new(1);
/// assert_eq!(cache.get("a"), None);
/// cache.insert("a", 1);
/// cache.get("a");
/// cache.insert("b", 2);
/// let stats = cache.stats();
/// assert_eq!((stats.hits, stats.misses, stats.evictions), (1, 1, 1));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Values that were there.
    pub hits: u64,
    /// Values that were not there, or too old: what [`get`](TtlLru::get) did not find, and the loads that were begun.
    pub misses: u64,
    /// Those who got the result, value or error, of somebody else's load.
    pub coalesced: u64,
    /// Values that made room for others.
    pub evictions: u64,
    /// Values that were asked for when their time was over.
    pub expirations: u64,
}

/// What there is for who asks.
enum Found<K: Eq + Hash, V> {
    Value(Arc<V>),
    /// Nobody loads it: it is for you to do.
    Nothing(Lead<K, V>),
    /// Somebody does.
    Loading(oneshot::Receiver<Turn<K, V>>),
}

impl<K: Clone + Eq + Hash, V> TtlLru<K, V> {
    /// An empty cache of at most so many values, without a time to live.
    ///
    /// ```
    /// let cache = runtime::cache::TtlLru::<String, u8>::new(100);
    /// assert!(cache.is_empty());
    /// ```
    pub fn new(max_size: usize) -> Self {
        let state = State { kept: Lru::new(max_size), flights: HashMap::new(), stats: Stats::default() };
        Self { shared: Arc::new(Shared(Mutex::new(state))), ttl: None }
    }

    /// Gives the values that this handle (and its later clones) stores this long to live.
    ///
    /// ```
    /// use runtime::{cache::TtlLru, time::sleep};
    /// use std::time::Duration;
    /// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
    /// runtime.block_on(async {
    ///     let cache = TtlLru::new(100).ttl(Duration::from_secs(2));
    ///     cache.insert("a", 1);
    ///     sleep(Duration::from_millis(1_999)).await;
    ///     assert_eq!(cache.get("a"), Some(1));
    ///     sleep(Duration::from_millis(1)).await;
    ///     assert_eq!(cache.get("a"), None);
    /// });
    /// ```
    pub fn ttl(self, ttl: Duration) -> Self {
        Self { ttl: Some(ttl), ..self }
    }

    /// The value, if it is there and not too old. It is the latest used then.
    ///
    /// It does not wait for a load that is under way.
    ///
    /// ```
    /// let cache = runtime::cache::TtlLru::new(100);
    /// cache.insert("a".to_owned(), 1);
    /// assert_eq!(cache.get("a"), Some(1));
    /// ```
    pub fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
        V: Clone,
    {
        let now = Instant::now();
        let mut state = self.shared.lock();
        let (found, stale) = state.look(key, now);
        state.stats.misses += u64::from(found.is_none());
        drop(state);
        drop(stale);
        found.map(|value| V::clone(&value))
    }

    /// Keeps a value, in the place of one that is there. A load of this key that is under way will not replace it; those who
    /// wait for that load already still get its result.
    ///
    /// ```
    /// let cache = runtime::cache::TtlLru::new(100);
    /// cache.insert("a", 1);
    /// cache.insert("a", 2);
    /// assert_eq!((cache.get("a"), cache.len()), (Some(2), 1));
    /// ```
    pub fn insert(&self, key: K, value: V) {
        let (value, expires, again) = (Arc::new(value), self.expires(), key.clone());
        let mut state = self.shared.lock();
        let outdated = state.flights.remove_entry(&key);
        let stale = state.keep(key, again, value, expires);
        drop(state);
        drop((outdated, stale));
    }

    /// Takes a value out: `None` if it was not there, or too old. A load of this key that is under way will not be kept, and
    /// who asks from now on does not wait for it.
    ///
    /// ```
    /// let cache = runtime::cache::TtlLru::new(100);
    /// cache.insert("a", 1);
    /// assert_eq!((cache.remove("a"), cache.remove("a")), (Some(1), None));
    /// ```
    pub fn remove<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
        V: Clone,
    {
        let now = Instant::now();
        let mut state = self.shared.lock();
        let outdated = state.flights.remove_entry(key);
        let removed = state.kept.remove(key);
        drop(state);
        drop(outdated);
        let (_, entry) = removed?;
        (!entry.is_over(now)).then(|| Arc::unwrap_or_clone(entry.value))
    }

    /// Takes all values out. Loads that are under way will not be kept, and who asks from now on does not wait for them.
    ///
    /// ```
    /// let cache = runtime::cache::TtlLru::new(100);
    /// cache.insert("a", 1);
    /// cache.clear();
    /// assert!(cache.is_empty());
    /// ```
    pub fn clear(&self) {
        let mut state = self.shared.lock();
        let outdated = std::mem::take(&mut state.flights);
        let stale = state.kept.clear();
        drop(state);
        drop((outdated, stale));
    }

    /// The value, or what `load` gives: [`get_or_try_insert_with`](Self::get_or_try_insert_with) for a loader that cannot fail.
    ///
    /// ```
    /// let cache = runtime::cache::TtlLru::new(100);
    /// runtime::block_on(async {
    ///     assert_eq!(cache.get_or_insert_with("a", async || 1).await, 1);
    ///     assert_eq!(cache.get_or_insert_with("a", async || unreachable!("it is there")).await, 1);
    /// });
    /// ```
    pub async fn get_or_insert_with<F>(&self, key: K, load: impl FnOnce() -> F) -> V
    where
        F: Future<Output = V>,
        V: Clone,
    {
        let load = async || Ok::<V, Infallible>(load().await);
        match self.get_or_try_insert_with(key, load).await {
            Ok(value) => value,
            Err(never) => match never {},
        }
    }

    /// The value, if it is there and not too old. Else it is loaded, by `load` or by somebody else who wants it now: then this
    /// waits for their result.
    ///
    /// - The value is kept from the moment at which it is there, unless the key was inserted, removed or cleared meanwhile.
    /// - If who loads it goes away (cancelled, or with a panic, which stays theirs), the next one who waits loads it.
    /// - A loader that asks for its own key waits for itself, for ever.
    ///
    /// # Errors
    /// That of the loader. It is not kept: all who wait get it (that is why it must be `Clone`; an [`Arc`] makes it so), and who
    /// asks after them loads again. (Who waits for an error of another type than it has been loaded with loads again, too.)
    ///
    /// # Cancel safety
    /// The load is dropped where it stands if it is this one's, and taken over by the next one who waits.
    ///
    /// ```
    /// use runtime::{cache::TtlLru, future::join};
    /// let cache = TtlLru::<&str, u8>::new(100);
    /// runtime::block_on(async {
    ///     let load = async || {
    ///         runtime::yield_now().await;
    ///         Err("no answer")
    ///     };
    ///     let (one, other) = join(cache.get_or_try_insert_with("a", load), cache.get_or_try_insert_with("a", load)).await;
    ///     assert_eq!((one, other), (Err("no answer"), Err("no answer")));
    ///     assert_eq!((cache.stats().misses, cache.stats().coalesced), (1, 1));
    ///     assert_eq!(cache.get_or_try_insert_with("a", async || Ok::<_, &str>(1)).await, Ok(1));
    /// });
    /// ```
    pub async fn get_or_try_insert_with<E, F>(&self, key: K, load: impl FnOnce() -> F) -> Result<V, E>
    where
        F: Future<Output = Result<V, E>>,
        V: Clone,
        E: Clone + Send + 'static,
    {
        let lead = loop {
            let turn = match self.find(&key) {
                Found::Value(value) => return Ok(V::clone(&value)),
                Found::Nothing(lead) => break lead,
                Found::Loading(turn) => turn.await,
            };
            match turn {
                Ok(Turn::Value(value)) => {
                    self.shared.lock().stats.coalesced += 1;
                    return Ok(V::clone(&value));
                }
                Ok(Turn::Failed(error)) => {
                    if let Ok(error) = error.downcast::<E>() {
                        self.shared.lock().stats.coalesced += 1;
                        return Err(*error);
                    }
                }
                Ok(Turn::Lead(lead)) if lead.is_wanted() => break lead,
                // What they loaded is wanted no more, or could not be passed on: look again.
                Ok(Turn::Lead(_)) | Err(oneshot::Closed) => {}
            }
        };
        self.shared.lock().stats.misses += 1;
        match load().await {
            Ok(value) => {
                let value = Arc::new(value);
                lead.loaded(value.clone(), self.expires());
                Ok(V::clone(&value))
            }
            Err(error) => {
                lead.failed(&error);
                Err(error)
            }
        }
    }

    /// How many values are kept; those among them that are too old count too.
    ///
    /// ```
    /// let cache = runtime::cache::TtlLru::new(100);
    /// cache.insert("a", 1);
    /// assert_eq!(cache.len(), 1);
    /// ```
    pub fn len(&self) -> usize {
        self.shared.lock().kept.len()
    }

    /// Are none kept?
    ///
    /// ```
    /// assert!(runtime::cache::TtlLru::<u8, u8>::new(100).is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What it has done so far, through all handles.
    ///
    /// ```
    /// let cache = runtime::cache::TtlLru::<u8, u8>::new(100);
    /// cache.get(&1);
    /// assert_eq!(cache.stats().misses, 1);
    /// ```
    pub fn stats(&self) -> Stats {
        self.shared.lock().stats
    }

    fn find(&self, key: &K) -> Found<K, V> {
        let mut fresh: Option<[K; 2]> = None;
        loop {
            let now = Instant::now();
            let mut state = self.shared.lock();
            let (found, stale) = state.look(key, now);
            let found = match (found, state.flights.get(key)) {
                (Some(value), _) => Some(Found::Value(value)),
                (None, Some(flight)) => Some(Found::Loading(flight.join())),
                (None, None) => fresh.take().map(|[mine, key]| {
                    let flight = Arc::<Flight<K, V>>::default();
                    state.flights.insert(key, flight.clone());
                    Found::Nothing(Lead::new(self.shared.clone(), mine, flight))
                }),
            };
            drop(state);
            drop(stale);
            if let Some(found) = found {
                return found;
            }
            // Cloned without the lock, and not for a value that is there.
            fresh = Some([key.clone(), key.clone()]);
        }
    }

    /// When what is stored now will be too old.
    fn expires(&self) -> Option<Instant> {
        self.ttl.map(|ttl| Instant::now() + ttl)
    }
}

impl<K: Eq + Hash, V> Shared<K, V> {
    fn lock(&self) -> MutexGuard<'_, State<K, V>> {
        self.0.lock().unwrap()
    }
}

impl<K: Eq + Hash, V> State<K, V> {
    /// The value; or one that is over, to be dropped without the lock.
    fn look<Q>(&mut self, key: &Q, now: Instant) -> (Option<Arc<V>>, Option<lru::Removed<K, V>>)
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        match self.kept.touch(key) {
            Some(entry) if entry.is_over(now) => {
                self.stats.expirations += 1;
                (None, self.kept.remove(key))
            }
            Some(entry) => {
                self.stats.hits += 1;
                (Some(entry.value.clone()), None)
            }
            None => (None, None),
        }
    }

    /// Keeps it. What goes for it is to be dropped without the lock.
    fn keep(&mut self, key: K, again: K, value: Arc<V>, expires: Option<Instant>) -> impl Sized + use<K, V> {
        let replaced = self.kept.remove(&key);
        let evicted = self.kept.insert(key, again, value, expires);
        self.stats.evictions += u64::from(evicted.is_some());
        (replaced, evicted)
    }
}

impl<K: Eq + Hash, V> Clone for TtlLru<K, V> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone(), ttl: self.ttl }
    }
}

impl<K: Eq + Hash, V> fmt::Debug for TtlLru<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("TtlLru");
        if let Ok(state) = self.shared.0.try_lock() {
            debug.field("len", &state.kept.len()).field("stats", &state.stats);
        }
        debug.finish_non_exhaustive()
    }
}
