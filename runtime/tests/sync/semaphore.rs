//! The semaphore, seen from outside: order, giving up, closing, and numbers that do not come out even.

use super::support::{at_every_poll, by_hand, cut_after, poll, wakers_may_call_back};
use runtime::{
    Runtime, spawn,
    sync::{Closed, OwnedPermit, Permit, Semaphore, TryAcquireError},
    yield_now,
};
use std::{
    cell::RefCell,
    collections::VecDeque,
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    thread,
};

fn virtual_clock() -> Runtime {
    Runtime::builder().virtual_clock().build().unwrap()
}

fn panics(words: &str, act: impl FnOnce()) {
    let payload = catch_unwind(AssertUnwindSafe(act)).expect_err("it was to panic");
    let said = payload.downcast_ref::<String>().map(String::as_str);
    let said = said.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("a payload that is no text");
    assert!(said.contains(words), "`{said}` does not say `{words}`");
}

// Order ----------------------------------------------------------------------------------------------------------------

#[test]
fn who_asks_first_is_first_and_the_releaser_that_asks_again_is_last() {
    let semaphore = Semaphore::new(1);
    let mut held = Some(semaphore.try_acquire().unwrap());
    let mut waiting: VecDeque<_> = (0..3).map(|number| (number, Box::pin(semaphore.acquire()))).collect();
    waiting.iter_mut().for_each(|(_, acquire)| assert!(poll(acquire.as_mut()).is_pending()));
    for turn in 0..9 {
        drop(held.take());
        assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::NoPermits, "it is the next one's already");
        assert_eq!(semaphore.available_permits(), 0);
        let mut again = Box::pin(semaphore.acquire());
        assert!(poll(again.as_mut()).is_pending());
        for (_, acquire) in waiting.iter_mut().skip(1) {
            assert!(poll(acquire.as_mut()).is_pending(), "somebody else is first");
        }
        let (number, mut first) = waiting.pop_front().unwrap();
        assert_eq!(number, turn % 3);
        let Poll::Ready(permit) = poll(first.as_mut()) else { panic!("it was to be let in") };
        held = Some(permit.unwrap());
        waiting.push_back((number, again));
    }
}

#[test]
fn one_who_wants_many_is_not_overtaken() {
    let semaphore = Semaphore::new(3);
    let mut held: Vec<_> = (0..3).map(|_| semaphore.try_acquire().unwrap()).collect();
    let (mut many, mut one) = (pin!(semaphore.acquire_many(3)), pin!(semaphore.acquire()));
    assert!(poll(many.as_mut()).is_pending() && poll(one.as_mut()).is_pending());
    for free in 1..3 {
        held.pop();
        assert_eq!(semaphore.available_permits(), free);
        assert!(poll(one.as_mut()).is_pending(), "it overtakes one who wants many");
        assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::NoPermits, "it overtakes those in line");
    }
    held.pop();
    let Poll::Ready(Ok(three)) = poll(many.as_mut()) else { panic!("it was to be let in") };
    assert!(poll(one.as_mut()).is_pending());
    drop(three);
    assert!(poll(one.as_mut()).is_ready());
}

/// A release for several serves them in one go, in their order.
#[test]
fn permits_that_come_together_go_to_all_that_they_are_enough_for() {
    let semaphore = Semaphore::new(0);
    let mut waiting: Vec<_> = [2, 1, 3, 1].into_iter().map(|wants| Box::pin(semaphore.acquire_many(wants))).collect();
    waiting.iter_mut().for_each(|acquire| assert!(poll(acquire.as_mut()).is_pending()));
    semaphore.add_permits(5);
    assert_eq!(semaphore.available_permits(), 2, "the third wants three");
    let let_in =
        waiting.iter_mut().map(|acquire| poll(acquire.as_mut()).map(|permit| permit.unwrap().forget()).is_ready());
    assert_eq!(let_in.collect::<Vec<_>>(), [true, true, false, false]);
    semaphore.add_permits(2);
    assert_eq!(semaphore.available_permits(), 0);
}

/// Spends all that the current poll may.
pub(crate) async fn spend_the_budget() {
    let spare = Semaphore::new(1);
    poll_fn(|context| {
        while pin!(spare.acquire()).poll(context).is_ready() {}
        Poll::Ready(())
    })
    .await;
}

/// Who asks first without a budget, and who asks second with one: in the order in which they were let in.
pub(crate) fn order_without_a_budget<L, A>(lock: Arc<L>, acquire: A) -> Vec<&'static str>
where
    L: Send + Sync + 'static,
    A: AsyncFn(&L, &dyn Fn()) + Clone + 'static,
{
    virtual_clock().block_on(async {
        let order = Rc::new(RefCell::new(Vec::new()));
        let ask = |name, spends: bool| {
            let (lock, acquire, order) = (lock.clone(), acquire.clone(), order.clone());
            runtime::spawn_local(async move {
                if spends {
                    spend_the_budget().await;
                }
                acquire(&lock, &|| order.borrow_mut().push(name)).await;
            })
        };
        acquire(&lock, &|| drop((ask("A", true), ask("B", false)))).await;
        while order.borrow().len() < 2 {
            yield_now().await;
        }
        order.take()
    })
}

/// R14, tokio #8365: whoever has no budget takes its place in line all the same.
#[test]
fn a_budget_that_is_spent_costs_nobody_its_place() {
    let ours = async |semaphore: &Semaphore, inside: &dyn Fn()| {
        let _permit = semaphore.acquire().await.unwrap();
        inside();
        yield_now().await;
    };
    assert_eq!(order_without_a_budget(Arc::new(Semaphore::new(1)), ours), ["A", "B"]);
    // The twin spends first, and only then takes its place.
    let spends_first = async |semaphore: &Semaphore, inside: &dyn Fn()| {
        drop(Semaphore::new(1).acquire().await);
        let _permit = semaphore.acquire().await.unwrap();
        inside();
        yield_now().await;
    };
    assert_eq!(order_without_a_budget(Arc::new(Semaphore::new(1)), spends_first), ["B", "A"], "it proves nothing");
}

/// It has its permit, though it says `Pending`: nobody else gets it, and if it goes the permit is free.
#[test]
fn one_without_a_budget_has_its_permit_before_it_says_so() {
    virtual_clock().block_on(async {
        let semaphore = Semaphore::new(1);
        spend_the_budget().await;
        let mut acquire = Box::pin(semaphore.acquire());
        assert!(poll(acquire.as_mut()).is_pending());
        assert_eq!(semaphore.available_permits(), 0);
        drop(acquire);
        assert_eq!(semaphore.available_permits(), 1);
        let mut acquire = Box::pin(semaphore.acquire());
        assert!(poll(acquire.as_mut()).is_pending());
        drop(acquire.await.unwrap());
    });
}

// Giving up ------------------------------------------------------------------------------------------------------------

/// What a semaphore must do here, so that a twin can be asked too.
trait Permits {
    fn acquire(&self, wants: usize) -> Pin<Box<dyn Future<Output = ()> + '_>>;
    fn add(&self, permits: usize);
}

impl Permits for Semaphore {
    fn acquire(&self, wants: usize) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        Box::pin(async move { self.acquire_many(wants).await.unwrap().forget() })
    }

    fn add(&self, permits: usize) {
        self.add_permits(permits);
    }
}

/// It looks after those in line when permits come, and not when one of those in line goes.
#[derive(Default)]
struct Twin(RefCell<TwinState>);

#[derive(Default)]
struct TwinState {
    free: usize,
    line: VecDeque<(usize, usize)>,
    chosen: Vec<usize>,
    came: usize,
}

struct TwinAcquire<'twin>(&'twin Twin, usize, Option<usize>);

impl Twin {
    fn choose(&self) {
        let state = &mut *self.0.borrow_mut();
        while let Some((number, wants)) = state.line.front().copied()
            && wants <= state.free
        {
            state.free -= wants;
            state.chosen.push(number);
            state.line.pop_front();
        }
    }
}

impl Future for TwinAcquire<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut std::task::Context<'_>) -> Poll<()> {
        let TwinAcquire(twin, wants, number) = &mut *self;
        if number.is_none() {
            let mut state = twin.0.borrow_mut();
            state.came += 1;
            *number = Some(state.came);
            let entry = (state.came, *wants);
            state.line.push_back(entry);
        }
        twin.choose();
        let mut state = twin.0.borrow_mut();
        let chosen = state.chosen.iter().position(|chosen| Some(*chosen) == *number);
        chosen.map_or(Poll::Pending, |at| {
            state.chosen.swap_remove(at);
            *number = None;
            Poll::Ready(())
        })
    }
}

impl Drop for TwinAcquire<'_> {
    fn drop(&mut self) {
        let mut state = self.0.0.borrow_mut();
        let number = self.2;
        state.line.retain(|(other, _)| Some(*other) != number);
        if let Some(at) = state.chosen.iter().position(|chosen| Some(*chosen) == number) {
            state.chosen.swap_remove(at);
            state.free += self.1;
        }
    }
}

impl Permits for Twin {
    fn acquire(&self, wants: usize) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        Box::pin(TwinAcquire(self, wants, None))
    }

    fn add(&self, permits: usize) {
        self.0.borrow_mut().free += permits;
        self.choose();
    }
}

/// The first in line wants five and goes, before or after it was let in: is the second, who wants one, told?
fn the_second_is_told(semaphore: &dyn Permits, let_in: bool) -> bool {
    use std::task::Context;
    let (wakes, waker) = super::support::Wakes::waker();
    let (mut first, mut second) = (semaphore.acquire(5), semaphore.acquire(1));
    assert!(poll(first.as_mut()).is_pending());
    assert!(second.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    semaphore.add(if let_in { 5 } else { 1 });
    drop(first);
    wakes.count() == 1 && poll(second.as_mut()).is_ready()
}

/// R13, tokio #904, embassy #6964: whoever goes lets those behind it try.
#[test]
fn the_first_in_line_goes_and_the_next_is_told() {
    for let_in in [false, true] {
        assert!(the_second_is_told(&Semaphore::new(0), let_in));
        assert!(!the_second_is_told(&Twin::default(), let_in), "the twin passes: it proves nothing");
    }
}

#[test]
fn a_waiter_that_is_cut_at_any_poll_loses_no_permit() {
    at_every_poll(|polls| {
        virtual_clock().block_on(async {
            let semaphore = Arc::new(Semaphore::new(2));
            let held = semaphore.clone().try_acquire_many_owned(2).unwrap();
            let cut = spawn(cut_after(polls, {
                let semaphore = semaphore.clone();
                async move {
                    let two = semaphore.acquire_many(2).await.unwrap();
                    yield_now().await;
                    drop(two);
                    let one = semaphore.acquire().await.unwrap();
                    yield_now().await;
                    drop(one);
                }
            }));
            let behind = spawn({
                let semaphore = semaphore.clone();
                async move { drop(semaphore.acquire_many_owned(2).await.unwrap()) }
            });
            yield_now().await;
            drop(held);
            let was_cut = cut.await.unwrap().is_none();
            behind.await.unwrap();
            assert_eq!(semaphore.try_acquire_many(2).map(Permit::forget), Ok(()), "cut after {polls} polls");
            was_cut
        })
    });
}

#[test]
fn one_in_the_middle_that_goes_disturbs_nobody() {
    let semaphore = Semaphore::new(0);
    let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(semaphore.acquire())).collect();
    waiting.iter_mut().for_each(|acquire| assert!(poll(acquire.as_mut()).is_pending()));
    drop(waiting.remove(1));
    semaphore.add_permits(2);
    assert_eq!(semaphore.available_permits(), 0);
    assert!(waiting.iter_mut().all(|acquire| poll(acquire.as_mut()).is_ready()));
}

#[test]
fn a_panic_and_an_abort_give_the_permit_back() {
    virtual_clock().block_on(async {
        let semaphore = Arc::new(Semaphore::new(2));
        let one = semaphore.clone().acquire_owned().await.unwrap();
        let panics = spawn(async move {
            let _one = one;
            panic!("on purpose");
        });
        let other = semaphore.clone().acquire_owned().await.unwrap();
        let aborted = spawn(async move {
            let _other = other;
            std::future::pending::<()>().await;
        });
        yield_now().await;
        aborted.abort();
        assert!(panics.await.is_err_and(|error: runtime::JoinError| error.is_panic()));
        assert!(aborted.await.is_err_and(|error| error.is_cancelled()));
        assert_eq!(semaphore.available_permits(), 2);
    });
}

// Closing --------------------------------------------------------------------------------------------------------------

/// The table of `Semaphore::close`, row by row.
#[test]
fn a_closed_semaphore_answers_as_its_table_says() {
    let semaphore = Arc::new(Semaphore::new(3));
    let held = semaphore.try_acquire().unwrap();
    let kept = semaphore.try_acquire().unwrap();
    let mut given = pin!(semaphore.acquire_many(2));
    let mut waits = pin!(semaphore.acquire_many(5));
    let mut behind = pin!(semaphore.acquire());
    assert!(poll(given.as_mut()).is_pending() && poll(waits.as_mut()).is_pending());
    assert!(poll(behind.as_mut()).is_pending());
    drop(kept); // which is one of the two that `given` is given
    assert!(!semaphore.is_closed());
    semaphore.close();
    semaphore.close();
    assert!(semaphore.is_closed());

    assert!(matches!(poll(waits), Poll::Ready(Err(Closed))));
    assert!(matches!(poll(behind), Poll::Ready(Err(Closed))));
    let Poll::Ready(Ok(given)) = poll(given) else { panic!("it had its permits when it was closed") };
    assert_eq!(semaphore.available_permits(), 0);
    drop(given);
    drop(held);
    assert_eq!(semaphore.available_permits(), 3);
    for wants in [0, 1, 3, 4] {
        assert_eq!(semaphore.try_acquire_many(wants).unwrap_err(), TryAcquireError::Closed);
        assert_eq!(by_hand(semaphore.acquire_many(wants)).unwrap_err(), Closed);
        assert_eq!(semaphore.clone().try_acquire_many_owned(wants).unwrap_err(), TryAcquireError::Closed);
        assert_eq!(by_hand(semaphore.clone().acquire_many_owned(wants)).unwrap_err(), Closed);
    }
    semaphore.add_permits(2);
    assert_eq!(semaphore.forget_permits(1), 1);
    assert_eq!(semaphore.available_permits(), 4);
    assert_eq!(format!("{semaphore:?}"), "Semaphore { available_permits: 4, closed: true }");
    assert_eq!(Closed.to_string(), TryAcquireError::Closed.to_string());
}

#[test]
fn one_that_was_refused_and_goes_gives_nothing_back() {
    let semaphore = Semaphore::new(0);
    let mut refused = Box::pin(semaphore.acquire());
    assert!(poll(refused.as_mut()).is_pending());
    semaphore.close();
    drop(refused);
    assert_eq!(semaphore.available_permits(), 0, "it gave back what it never had");
}

// Numbers --------------------------------------------------------------------------------------------------------------

#[test]
fn none_of_zero_has_to_be_waited_for() {
    let semaphore = Semaphore::new(0);
    let mut waits = pin!(semaphore.acquire());
    assert!(poll(waits.as_mut()).is_pending());
    assert!(matches!(poll(pin!(semaphore.acquire_many(0))), Poll::Ready(Ok(_))), "also with others in line");
    assert_eq!(semaphore.try_acquire_many(0).unwrap().num_permits(), 0);
    semaphore.add_permits(0);
    assert!(poll(waits.as_mut()).is_pending());
}

#[test]
fn too_many_permits_are_a_panic_and_change_nothing() {
    const MOST: usize = Semaphore::MAX_PERMITS;
    let semaphore = Semaphore::new(MOST);
    panics("at most `Semaphore::MAX_PERMITS`", || semaphore.add_permits(1));
    panics("at most `Semaphore::MAX_PERMITS`", || semaphore.add_permits(usize::MAX));
    panics("at most `Semaphore::MAX_PERMITS`", || drop(Semaphore::new(MOST + 1)));
    panics("can never be had", || drop(semaphore.try_acquire_many(MOST + 1)));
    panics("can never be had", || drop(by_hand(semaphore.acquire_many(usize::MAX))));
    assert_eq!(semaphore.available_permits(), MOST);
    // Also with somebody in line, where they are counted with the lock held: it is not poisoned.
    let all = semaphore.try_acquire_many(MOST).unwrap();
    semaphore.add_permits(1);
    let mut waits = pin!(semaphore.acquire_many(2));
    assert!(poll(waits.as_mut()).is_pending());
    panics("at most `Semaphore::MAX_PERMITS`", || semaphore.add_permits(MOST));
    assert_eq!(semaphore.available_permits(), 1);
    all.forget();
    semaphore.add_permits(1);
    assert!(poll(waits.as_mut()).is_ready());
}

#[test]
fn permits_are_split_and_merged_and_none_is_lost() {
    let semaphore = Arc::new(Semaphore::new(10));
    let mut permit = semaphore.try_acquire_many(6).unwrap();
    let two = permit.split(2).unwrap();
    assert!(permit.split(5).is_none());
    assert_eq!((permit.num_permits(), two.num_permits()), (4, 2));
    drop(permit);
    assert_eq!(semaphore.available_permits(), 8);
    let mut owned = semaphore.clone().try_acquire_many_owned(3).unwrap();
    owned.merge(semaphore.clone().try_acquire_owned().unwrap());
    assert_eq!((owned.num_permits(), semaphore.available_permits()), (4, 4));
    owned.split(1).unwrap().forget();
    drop(owned);
    drop(two);
    assert_eq!(semaphore.available_permits(), 9);

    let other = Semaphore::new(1);
    let mut permit = semaphore.try_acquire().unwrap();
    panics("two semaphores", || permit.merge(other.try_acquire().unwrap()));
    assert_eq!(other.available_permits(), 1, "it was dropped, and gave its permit back");
}

/// As an adaptive limit does it: more are added, fewer are forgotten, now or by those who have them.
#[test]
fn a_semaphore_grows_and_shrinks() {
    let semaphore = Semaphore::new(2);
    semaphore.add_permits(1);
    let held = semaphore.try_acquire_many(2).unwrap();
    assert_eq!(semaphore.forget_permits(3), 1);
    held.forget();
    assert_eq!(semaphore.available_permits(), 0);
    let mut waits = pin!(semaphore.acquire_many(2));
    assert!(poll(waits.as_mut()).is_pending());
    semaphore.add_permits(1);
    assert_eq!(semaphore.forget_permits(5), 1, "also what is kept for one in line");
    semaphore.add_permits(2);
    assert!(poll(waits.as_mut()).is_ready());
}

// Everything -----------------------------------------------------------------------------------------------------------

/// R11: wakers are anybody's code, and may ask the semaphore that wakes them.
#[test]
fn wakers_may_call_back_into_the_semaphore() {
    let semaphore = Arc::new(Semaphore::new(0));
    let (waits, happens, called) = (semaphore.clone(), semaphore.clone(), semaphore.clone());
    wakers_may_call_back(
        || waits.clone().acquire_owned(),
        || happens.add_permits(1),
        move || {
            drop(called.try_acquire());
            called.add_permits(0);
            called.forget_permits(0);
        },
    );
    let (waits, closes, called) = (Semaphore::new(0), semaphore.clone(), semaphore);
    let waits = Arc::new(waits);
    let closed = waits.clone();
    wakers_may_call_back(
        || waits.clone().acquire_owned(),
        || closed.close(),
        move || {
            drop(called.try_acquire());
            drop(poll(pin!(closes.acquire())));
        },
    );
}

/// R47.
#[test]
fn a_permit_may_go_to_another_thread() {
    fn sent_and_shared<T: Send + Sync>() {}
    fn sent<T: Send>(_: T) {}
    sent_and_shared::<Semaphore>();
    sent_and_shared::<Permit<'_>>();
    sent_and_shared::<OwnedPermit>();
    sent(Semaphore::new(1).acquire());
    sent(Arc::new(Semaphore::new(1)).acquire_owned());
}

/// It needs no runtime: threads that park wait as well as tasks do.
#[test]
fn threads_are_let_in_so_many_at_once() {
    const AT_ONCE: usize = 3;
    let (semaphore, inside, most) = (Semaphore::new(AT_ONCE), AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for wants in 1..=4 {
            let (semaphore, inside, most) = (&semaphore, &inside, &most);
            scope.spawn(move || {
                let wants = wants.min(AT_ONCE);
                for round in 0..500 {
                    by_hand(async {
                        if round % 3 == 0 {
                            // One that is begun and given up.
                            drop(cut_after(1, semaphore.acquire_many(wants)).await);
                        }
                        let _permits = semaphore.acquire_many(wants).await.unwrap();
                        let now = inside.fetch_add(wants, Ordering::SeqCst) + wants;
                        most.fetch_max(now, Ordering::SeqCst);
                        thread::yield_now();
                        inside.fetch_sub(wants, Ordering::SeqCst);
                    });
                }
            });
        }
    });
    assert!(most.load(Ordering::SeqCst) <= AT_ONCE);
    assert_eq!(semaphore.available_permits(), AT_ONCE);
}

/// The same, on two workers, with tasks that are aborted at any moment.
#[test]
fn aborts_at_any_moment_lose_no_permit() {
    let runtime = Runtime::builder().workers(2).build().unwrap();
    runtime.block_on(async {
        let semaphore = Arc::new(Semaphore::new(2));
        let done = Arc::new(Mutex::new(0));
        for round in 0..200 {
            let tasks: Vec<_> = (0..6)
                .map(|number| {
                    let (semaphore, done) = (semaphore.clone(), done.clone());
                    spawn(async move {
                        let _permits = semaphore.acquire_many(1 + number % 2).await.unwrap();
                        yield_now().await;
                        *done.lock().unwrap() += 1;
                    })
                })
                .collect();
            tasks.iter().skip(round % 6).step_by(2).for_each(|task| task.abort());
            for task in tasks {
                drop(task.await);
            }
            assert_eq!(semaphore.available_permits(), 2, "in round {round}");
        }
        assert!(*done.lock().unwrap() > 0);
    });
}

/// At random, against a list that says what must be.
#[test]
fn it_does_what_a_plain_list_does() {
    struct Asks<'semaphore> {
        future: Pin<Box<dyn Future<Output = Result<Permit<'semaphore>, Closed>> + 'semaphore>>,
        wants: usize,
        number: usize,
    }
    for seed in 1..=40_u64 {
        let mut random = seed;
        let mut chance = |below: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) as usize % below
        };
        let semaphore = Semaphore::new(2);
        let (mut free, mut came) = (2, 0);
        let mut line: VecDeque<(usize, usize)> = VecDeque::new();
        let mut asking: Vec<Asks> = Vec::new();
        let mut held: Vec<Permit> = Vec::new();
        for _ in 0..500 {
            match chance(6) {
                0 => {
                    let wants = chance(4);
                    let mut future = Box::pin(semaphore.acquire_many(wants));
                    let at_once = wants == 0 || (line.is_empty() && wants <= free);
                    match poll(future.as_mut()) {
                        Poll::Ready(permit) => {
                            assert!(at_once);
                            free -= wants;
                            held.push(permit.unwrap());
                        }
                        Poll::Pending => {
                            assert!(!at_once);
                            came += 1;
                            line.push_back((came, wants));
                            asking.push(Asks { future, wants, number: came });
                        }
                    }
                }
                1 if !asking.is_empty() => {
                    let mut asks = asking.swap_remove(chance(asking.len()));
                    let chosen = !line.iter().any(|(number, _)| *number == asks.number);
                    match poll(asks.future.as_mut()) {
                        Poll::Ready(permit) => {
                            assert!(chosen);
                            held.push(permit.unwrap());
                        }
                        Poll::Pending => {
                            assert!(!chosen);
                            asking.push(asks);
                        }
                    }
                }
                2 if !asking.is_empty() => {
                    let Asks { wants, number, .. } = asking.swap_remove(chance(asking.len()));
                    match line.iter().position(|(other, _)| *other == number) {
                        Some(at) => drop(line.remove(at)),
                        None => free += wants,
                    }
                }
                3 if !held.is_empty() => free += held.swap_remove(chance(held.len())).num_permits(),
                4 => {
                    let more = chance(3);
                    semaphore.add_permits(more);
                    free += more;
                }
                5 => {
                    let fewer = chance(3).min(free);
                    assert_eq!(semaphore.forget_permits(fewer), fewer);
                    free -= fewer;
                }
                _ => {}
            }
            while let Some((_, wants)) = line.front().copied()
                && wants <= free
            {
                free -= wants;
                line.pop_front();
            }
            assert_eq!(semaphore.available_permits(), free);
            assert_eq!(semaphore.try_acquire().is_ok(), line.is_empty() && free > 0);
        }
    }
}

#[test]
fn those_who_give_up_bring_back_no_more_than_there_can_be() {
    let most = Semaphore::MAX_PERMITS;
    let semaphore = Semaphore::new(most);
    semaphore.try_acquire_many(most).unwrap().forget();
    let mut waiting: Vec<_> = (0..4).map(|_| Box::pin(semaphore.acquire_many(most))).collect();
    waiting.iter_mut().for_each(|future| assert!(poll(future.as_mut()).is_pending()));
    // Each is given all that there can be, and then there are as many once more.
    (0..5).for_each(|_| semaphore.add_permits(most));
    drop(waiting);
    assert_eq!(semaphore.available_permits(), most);
    assert_eq!(semaphore.try_acquire_many(most).unwrap().num_permits(), most);
}

#[test]
fn a_permit_that_finds_the_semaphore_full_is_dropped_without_a_panic() {
    let most = Semaphore::MAX_PERMITS;
    let semaphore = Semaphore::new(most);
    let mut permit = semaphore.try_acquire_many(most).unwrap();
    for _ in 0..10 {
        semaphore.add_permits(most);
        permit.merge(semaphore.try_acquire_many(most).unwrap());
    }
    semaphore.add_permits(1);
    drop(permit);
    assert_eq!(semaphore.available_permits(), most);
}
