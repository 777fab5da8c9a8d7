//! The cache: what is kept and for how long, and who loads.

#[path = "sync/support.rs"]
#[allow(dead_code)] // It is shared, and not all of it is needed here.
mod support;

use runtime::{
    Runtime,
    cache::{Stats, TtlLru},
    future::{FuturesUnordered, join, join_all, race},
    random, spawn,
    sync::Event,
    time::{Instant, sleep},
    yield_now,
};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::{Future, pending},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use support::{at_every_poll, by_hand, cut_after, poll};

const SECOND: Duration = Duration::from_secs(1);

fn virtual_clock() -> Runtime {
    Runtime::builder().virtual_clock().build().unwrap()
}

/// A loader that counts its loads, each of which takes a second.
fn counts(loads: &Cell<u32>) -> impl Future<Output = u32> {
    loads.set(loads.get() + 1);
    let load = loads.get();
    async move {
        sleep(SECOND).await;
        load
    }
}

#[test]
fn the_sixth_of_five_evicts_the_least_recently_used() {
    let cache = TtlLru::new(5);
    (1..=5).for_each(|number| cache.insert(number, number * 10));
    assert_eq!(cache.get(&1), Some(10));
    cache.insert(6, 60);
    let there: Vec<_> = (1..=6).filter(|key| cache.get(key).is_some()).collect();
    assert_eq!(there, [1, 3, 4, 5, 6]);
    // To store again is to use, too.
    cache.insert(1, 11);
    cache.insert(7, 70);
    assert_eq!((cache.get(&1), cache.get(&3), cache.len()), (Some(11), None, 5));
    assert_eq!(cache.stats(), Stats { hits: 7, misses: 2, evictions: 2, ..Stats::default() });
}

#[test]
fn a_value_is_served_until_its_time_is_over_and_not_a_nanosecond_longer() {
    virtual_clock().block_on(async {
        let cache = TtlLru::new(5).ttl(2 * SECOND);
        cache.insert("a", 1);
        sleep(2 * SECOND - Duration::from_nanos(1)).await;
        assert_eq!(cache.get("a"), Some(1));
        sleep(Duration::from_nanos(1)).await;
        assert_eq!((cache.get("a"), cache.len()), (None, 0), "to use a value does not make it younger");
        let expected = Stats { hits: 1, misses: 1, expirations: 1, ..Stats::default() };
        assert_eq!(cache.stats(), expected);
        // One that is over is not given back either.
        cache.insert("a", 2);
        sleep(2 * SECOND).await;
        assert_eq!((cache.remove("a"), cache.get("a")), (None, None));
        // A load's time starts when the value is there.
        assert_eq!(
            cache
                .get_or_insert_with("b", async || {
                    sleep(10 * SECOND).await;
                    3
                })
                .await,
            3
        );
        sleep(SECOND).await;
        assert_eq!(cache.get("b"), Some(3));
    });
}

#[test]
fn a_hundred_who_want_one_key_cost_one_load() {
    virtual_clock().block_on(async {
        let (cache, loads, start) = (TtlLru::new(5), Cell::new(0), Instant::now());
        let all = join_all((0..100).map(|_| cache.get_or_insert_with("a", || counts(&loads)))).await;
        assert_eq!((all, loads.get(), start.elapsed()), (vec![1; 100], 1, SECOND));
        assert_eq!(cache.stats(), Stats { misses: 1, coalesced: 99, ..Stats::default() });
        assert_eq!(cache.get_or_insert_with("a", async || unreachable!("it is there")).await, 1);
    });
}

#[test]
fn the_tasks_may_be_on_other_threads() {
    for workers in [1, 2] {
        let runtime = Runtime::builder().workers(workers).build().unwrap();
        let loads = Arc::new(AtomicUsize::new(0));
        runtime.block_on(async {
            for round in 0..50 {
                let (cache, gate) = (TtlLru::new(5), Arc::new(Event::new()));
                let tasks: Vec<_> = (0..20)
                    .map(|_| {
                        let (cache, loads, gate) = (cache.clone(), loads.clone(), gate.clone());
                        spawn(async move {
                            let load = async || {
                                yield_now().await;
                                loads.fetch_add(1, Ordering::SeqCst);
                                Ok::<_, String>(round)
                            };
                            gate.wait().await;
                            cache.get_or_try_insert_with(round, load).await
                        })
                    })
                    .collect();
                gate.set();
                assert!(join_all(tasks).await.into_iter().all(|got| got.unwrap() == Ok(round)));
            }
        });
        assert_eq!(loads.load(Ordering::SeqCst), 50);
    }
}

#[test]
fn different_keys_are_loaded_side_by_side() {
    virtual_clock().block_on(async {
        let (cache, loads, start) = (TtlLru::new(5), Cell::new(0), Instant::now());
        join_all(["a", "b", "c", "a"].map(|key| cache.get_or_insert_with(key, || counts(&loads)))).await;
        assert_eq!((loads.get(), start.elapsed(), cache.len()), (3, SECOND, 3));
    });
}

#[test]
fn an_error_is_told_to_all_who_wait_and_not_kept() {
    virtual_clock().block_on(async {
        let (cache, loads) = (TtlLru::<&str, u32>::new(5), Cell::new(0));
        let failing = || async { Err::<u32, u32>(counts(&loads).await) };
        let all = join_all((0..10).map(|_| cache.get_or_try_insert_with("a", failing))).await;
        assert_eq!((all, loads.get(), cache.len()), (vec![Err(1); 10], 1, 0));
        assert_eq!(cache.stats(), Stats { misses: 1, coalesced: 9, ..Stats::default() });
        assert_eq!(cache.get_or_try_insert_with("a", failing).await, Err(2));
        assert_eq!(cache.get_or_insert_with("a", || counts(&loads)).await, 3);
    });
}

#[test]
fn who_has_another_type_of_error_loads_again() {
    virtual_clock().block_on(async {
        let (cache, loads) = (TtlLru::<&str, u32>::new(5), Cell::new(0));
        let numbers = cache.get_or_try_insert_with("a", || async { Err::<u32, u32>(counts(&loads).await) });
        let texts =
            cache.get_or_try_insert_with("a", || async { Err::<u32, String>(counts(&loads).await.to_string()) });
        assert_eq!(join(numbers, texts).await, (Err(1), Err("2".to_owned())));
    });
}

/// Where the one who loads is cut, and where the one who waits behind it is: somebody loads it, and all others get it.
#[test]
fn wherever_one_who_loads_is_cancelled_the_next_takes_over() {
    at_every_poll(|first| {
        at_every_poll(|second| {
            virtual_clock().block_on(async {
                let (cache, loads) = (TtlLru::new(5), Cell::new(0));
                let get = || {
                    cache.get_or_insert_with("a", async || {
                        loads.set(loads.get() + 1);
                        for _ in 0..3 {
                            yield_now().await;
                        }
                        loads.get()
                    })
                };
                let cut = join(cut_after(first, get()), cut_after(second, get()));
                let (cut, others) = join(cut, join_all((0..5).map(|_| get()))).await;
                assert!(others.iter().all(|value| *value == loads.get()), "{others:?} of {} loads", loads.get());
                let most = 1 + u32::from(cut.0.is_none()) + u32::from(cut.1.is_none());
                assert!(loads.get() <= most, "{} loads", loads.get());
                assert_eq!(cache.get("a"), Some(loads.get()));
                assert_eq!(u64::from(loads.get()), cache.stats().misses);
                cut.1.is_none()
            })
        });
        // Alone, to know whether there was something to cut.
        by_hand(async {
            let cache = TtlLru::new(5);
            let load = async || {
                for _ in 0..3 {
                    yield_now().await;
                }
            };
            let cut = cut_after(first, cache.get_or_insert_with("a", load)).await;
            assert_eq!(cut.is_some(), cache.get("a").is_some());
            cut.is_none()
        })
    });
}

#[test]
fn who_takes_over_is_the_first_who_still_waits() {
    virtual_clock().block_on(async {
        let cache = TtlLru::<&str, &str>::new(5);
        let get = |name: &'static str| cache.get_or_insert_with("a", move || async move { name });
        let mut loading = Box::pin(cache.get_or_insert_with("a", pending));
        assert!(poll(loading.as_mut()).is_pending());
        let mut waiting: VecDeque<_> = ["first", "second", "third"].map(|name| Box::pin(get(name))).into();
        waiting.iter_mut().for_each(|wait| assert!(poll(wait.as_mut()).is_pending()));
        drop(waiting.pop_front());
        drop(loading);
        // The second one is chosen, and goes before it knows.
        drop(waiting.pop_front());
        assert_eq!(waiting.pop_front().unwrap().await, "third");
        assert_eq!(cache.get("a"), Some("third"));
    });
}

#[test]
fn a_load_that_panics_is_taken_over_and_the_panic_stays_where_it_was() {
    virtual_clock().block_on(async {
        let cache = TtlLru::new(5);
        let tasks: Vec<_> = (0..5)
            .map(|number| {
                let cache = cache.clone();
                spawn(async move {
                    let load = async || {
                        yield_now().await;
                        assert!(number > 1, "the first two fail");
                        number
                    };
                    cache.get_or_insert_with("a", load).await
                })
            })
            .collect();
        let ends = join_all(tasks).await;
        assert!(ends[..2].iter().all(|end| end.as_ref().is_err_and(|error| error.is_panic())));
        assert!(ends[2..].iter().all(|end| matches!(end, Ok(2))));
    });
}

#[test]
fn an_old_load_does_not_replace_what_came_after_it_began() {
    virtual_clock().block_on(async {
        let changes: [fn(&TtlLru<&str, u32>); 3] =
            [|cache| cache.insert("a", 100), |cache| _ = cache.remove("a"), |cache| cache.clear()];
        for (number, change) in changes.into_iter().enumerate() {
            let (cache, loads) = (TtlLru::new(5), Cell::new(0));
            let get = || cache.get_or_insert_with("a", || counts(&loads));
            let later = async {
                sleep(SECOND / 2).await;
                change(&cache);
                get().await
            };
            let ((first, with_it), later) = join(join(get(), get()), later).await;
            assert_eq!((first, with_it), (1, 1), "those who wait for a load get its result");
            let expected = if number == 0 { 100 } else { 2 };
            assert_eq!(later, expected, "who comes after the change gets what is newer");
            assert_eq!(cache.get("a"), Some(expected));
        }
    });
}

#[test]
fn an_old_load_that_is_given_up_is_not_taken_over() {
    virtual_clock().block_on(async {
        let cache = TtlLru::new(5);
        let mut loading = Box::pin(cache.get_or_insert_with("a", pending));
        assert!(poll(loading.as_mut()).is_pending());
        let mut waits = pin!(cache.get_or_insert_with("a", async || unreachable!("there is one by now")));
        assert!(poll(waits.as_mut()).is_pending());
        cache.insert("a", 7);
        drop(loading);
        assert_eq!(waits.await, 7);
    });
}

#[test]
fn without_room_or_time_loads_are_still_shared() {
    virtual_clock().block_on(async {
        for cache in [TtlLru::new(0), TtlLru::new(5).ttl(Duration::ZERO), TtlLru::new(0).ttl(SECOND)] {
            let loads = Cell::new(0);
            let get = || cache.get_or_insert_with("a", || counts(&loads));
            assert_eq!(join(get(), get()).await, (1, 1));
            assert_eq!(join(get(), get()).await, (2, 2));
            cache.insert("a", 7);
            assert_eq!(cache.get("a"), None);
            assert_eq!(cache.stats().hits, 0);
        }
        let for_ever = TtlLru::new(1).ttl(Duration::MAX);
        for_ever.insert("a", 7);
        sleep(1_000_000 * SECOND).await;
        assert_eq!(for_ever.get("a"), Some(7));
    });
}

#[test]
fn what_is_cloned_and_dropped_may_use_the_cache() {
    struct Nosy(TtlLru<u32, Nosy>, Arc<AtomicUsize>);
    impl Nosy {
        fn look(&self) {
            // It would wait for ever if the cache were locked.
            self.0.len();
            self.1.fetch_add(1, Ordering::SeqCst);
        }
    }
    impl Clone for Nosy {
        fn clone(&self) -> Self {
            self.look();
            Nosy(self.0.clone(), self.1.clone())
        }
    }
    impl Drop for Nosy {
        fn drop(&mut self) {
            self.look();
        }
    }
    virtual_clock().block_on(async {
        let (cache, looks) = (TtlLru::new(2).ttl(SECOND), Arc::new(AtomicUsize::new(0)));
        let value = || Nosy(cache.clone(), looks.clone());
        (0..3).for_each(|key| cache.insert(key, value())); // one is evicted
        cache.insert(2, value()); // one is replaced
        drop(cache.get(&2));
        sleep(SECOND).await;
        assert!(cache.get(&2).is_none()); // one is too old
        drop(cache.get_or_insert_with(5, async || value()).await);
        cache.remove(&5);
        cache.clear();
        assert!(cache.is_empty() && looks.load(Ordering::SeqCst) >= 8);
    });
}

#[test]
fn those_who_come_and_go_while_a_load_hangs_leave_nothing_behind() {
    let cache = TtlLru::<&str, Arc<()>>::new(5);
    let value = Arc::new(());
    let mut loading = Box::pin(cache.get_or_insert_with("a", pending));
    assert!(poll(loading.as_mut()).is_pending());
    for _ in 0..1_000 {
        let value = value.clone();
        assert!(poll(pin!(cache.get_or_insert_with("a", async move || value))).is_pending());
    }
    assert_eq!(Arc::strong_count(&value), 1);
    drop(loading);
    assert!(Arc::ptr_eq(&by_hand(cache.get_or_insert_with("a", async || value.clone())), &value));
}

/// Inserts, gets, removals and waits as a seed says; a list that is searched from one end says what has to come.
#[test]
fn it_keeps_what_a_plain_list_keeps() {
    for seed in 0..200 {
        Runtime::simulated(seed).block_on(async {
            let (size, ttl) = (random::below(6) as usize, SECOND * random::below(8) as u32);
            let cache = TtlLru::new(size).ttl(ttl);
            let mut list: Vec<(u64, u64, Instant)> = Vec::new();
            for number in 0..200 {
                let key = random::below(8);
                let there = list.iter().position(|(other, ..)| *other == key);
                match random::below(8) {
                    0..3 => {
                        cache.insert(key, number);
                        there.map(|place| list.remove(place));
                        list.push((key, number, Instant::now() + ttl));
                        if list.len() > size {
                            list.remove(0);
                        }
                    }
                    3..6 => {
                        let entry = there.map(|place| list.remove(place)).filter(|entry| entry.2 > Instant::now());
                        assert_eq!(cache.get(&key), entry.map(|entry| entry.1));
                        list.extend(entry);
                    }
                    6 => {
                        let entry = there.map(|place| list.remove(place)).filter(|entry| entry.2 > Instant::now());
                        assert_eq!(cache.remove(&key), entry.map(|entry| entry.1));
                    }
                    _ => sleep(SECOND).await,
                }
                assert_eq!(cache.len(), list.len());
            }
        });
    }
}

/// Many tasks, few keys, loads that fail, hang and are given up: nobody waits for ever, and nobody sees a value that is too old.
#[test]
fn in_any_order_of_events_a_value_is_young_and_everybody_is_answered() {
    for seed in 0..200 {
        Runtime::simulated(seed).block_on(async {
            let cache = TtlLru::new(2).ttl(3 * SECOND);
            let loading = RefCell::new(Vec::new());
            let one = async || {
                for _ in 0..10 {
                    let key = random::below(3);
                    let load = async || {
                        loading.borrow_mut().push(key);
                        sleep(SECOND * random::below(3) as u32).await;
                        if random::chance(0.2) { Err("no luck") } else { Ok(Instant::now()) }
                    };
                    let get = cache.get_or_try_insert_with(key, load);
                    if random::chance(0.3) {
                        race(get, sleep(SECOND)).await;
                        continue;
                    }
                    if let Ok(born) = get.await {
                        assert!(born.elapsed() < 3 * SECOND, "a stale value");
                    }
                    sleep(SECOND / 2).await;
                }
            };
            let mut tasks: FuturesUnordered<_> = (0..5).map(|_| one()).collect();
            while tasks.next().await.is_some() {}
            let stats = cache.stats();
            assert_eq!(stats.misses, loading.borrow().len() as u64);
            assert!(stats.coalesced > 0 && stats.hits > 0, "{stats:?}");
        });
    }
}

#[test]
fn it_can_be_shared_when_its_keys_and_values_can() {
    fn shared<T: Send + Sync>() {}
    shared::<TtlLru<String, Vec<u8>>>();
    fn send<T: Send>(_: &T) {}
    let cache = TtlLru::<String, Vec<u8>>::new(5);
    send(&cache.get_or_insert_with("a".to_owned(), async || vec![1]));
}
