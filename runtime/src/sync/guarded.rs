//! A value that can be had only by one who has the permits for it: what the mutex and the read-write lock are made of.
//!
//! The value stays where it is, and a guard lends it out in place. Safe code has no way to do that with a guard that may be held
//! across an `await`, and so may be dropped on another thread: the guard of a `std::sync::Mutex` must stay on its own, and to
//! move the value into the guard and back copies it twice, changes its address under whoever remembers it, and cannot be done
//! with a `dyn Trait`. So here stands one `UnsafeCell`, and this file is all that touches it.
//!
//! Why that is sound:
//!
//! 1. A place is made with `ALL` permits, and none is ever added or forgotten: those of all [`Held`], those that are free and
//!    those on their way to a waiter are `ALL` together.
//! 2. A [`Held`] is made in this file alone, by one who took its permits from the place that it names. It has them until it is
//!    dropped; it cannot be cloned; one that is leaked never gives them back.
//! 3. An [`Exclusive`] has `ALL` of them: so while it lives there is no other. A [`Shared`] has at least one: so while it lives
//!    there is no exclusive one. What each lends is bound to a borrow of the guard, and so ends before its permits go back.
//! 4. Permits that go back release, and permits that are taken acquire (see `semaphore::permits`): what was done with one guard
//!    comes before what is done with the next.
//! 5. A [`Hold`] keeps its place alive and where it is. `get_mut` and `into_inner` need the place for themselves alone, and then
//!    no guard lives: it would borrow the place, or share its `Arc`.
#![expect(unsafe_code, reason = "a guard that lends a value in place; why that is sound stands above")]

use super::{
    mutex::Mutex,
    rwlock::RwLock,
    semaphore::{MAX, Permits},
};
use crate::std_or_loom::{UnsafeCell, const_fn};
use std::{
    marker::PhantomData,
    ops::{Deref, DerefMut},
    sync::Arc,
};

/// The permits of a mutex: one at a time.
pub(super) const ONE: usize = 1;
/// The permits of a read-write lock: more than there can be readers.
pub(super) const READERS: usize = MAX;

pub(super) struct Guarded<T: ?Sized> {
    permits: Permits,
    value: UnsafeCell<T>,
}

/// One who holds a place fast: by a reference, or as one of its owners.
///
/// # Safety
/// `guarded` names the same place for as long as the holder lives, also when the holder itself is moved; it was made with `ALL`
/// permits, and every holder of that place says the same of it.
pub(super) unsafe trait Hold<T: ?Sized> {
    const ALL: usize;
    const KIND: &'static str;

    fn guarded(&self) -> &Guarded<T>;
}

/// Dereferences to the value, and shows it as the value shows itself.
macro_rules! guard {
    ([$($generics:tt)*] $guard:ty) => {
        impl<$($generics)*> std::ops::Deref for $guard {
            type Target = T;

            #[inline]
            fn deref(&self) -> &T {
                &self.lent
            }
        }

        impl<$($generics)* + std::fmt::Debug> std::fmt::Debug for $guard {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                (**self).fmt(f)
            }
        }

        impl<$($generics)* + std::fmt::Display> std::fmt::Display for $guard {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                (**self).fmt(f)
            }
        }
    };
    ([$($generics:tt)*] mut $guard:ty) => {
        $crate::sync::guarded::guard!([$($generics)*] $guard);

        impl<$($generics)*> std::ops::DerefMut for $guard {
            #[inline]
            fn deref_mut(&mut self) -> &mut T {
                &mut self.lent
            }
        }
    };
}
pub(super) use guard;

/// Permits of a place.
pub(super) struct Held<H: Hold<T>, T: ?Sized> {
    hold: H,
    permits: usize,
    /// As to what may be sent, shared and moved, it is a box of the value.
    value: PhantomData<Box<T>>,
}

/// All the permits of a place: its value, alone.
#[must_use = "a lock that is not kept is given back at once"]
pub(super) struct Exclusive<H: Hold<T>, T: ?Sized>(Held<H, T>);

/// One permit of a place: its value, with others.
#[must_use = "a lock that is not kept is given back at once"]
pub(super) struct Shared<H: Hold<T>, T: ?Sized>(Held<H, T>);

impl<T> Guarded<T> {
    const_fn! {
        /// A place with `all` permits.
        pub(super) fn new(value: T, all: usize) -> Self {
            Self { permits: Permits::new(all), value: UnsafeCell::new(value) }
        }
    }

    pub(super) fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> Guarded<T> {
    pub(super) fn get_mut(&mut self) -> &mut T {
        // SAFETY: the place is borrowed as a whole (5).
        self.value.with_mut(|value| unsafe { &mut *value })
    }
}

impl<H: Hold<T>, T: ?Sized> Held<H, T> {
    async fn acquire(hold: H, permits: usize) -> Self {
        hold.guarded().permits.acquire(permits, H::KIND).await.expect("a lock is never closed");
        Self { hold, permits, value: PhantomData }
    }

    fn try_acquire(hold: H, permits: usize) -> Option<Self> {
        hold.guarded().permits.try_take(permits, H::KIND).ok()?;
        Some(Self { hold, permits, value: PhantomData })
    }
}

impl<H: Hold<T>, T: ?Sized> Drop for Held<H, T> {
    #[inline]
    fn drop(&mut self) {
        self.hold.guarded().permits.give_back(self.permits);
    }
}

impl<H: Hold<T>, T: ?Sized> Exclusive<H, T> {
    pub(super) async fn lock(hold: H) -> Self {
        Self(Held::acquire(hold, H::ALL).await)
    }

    pub(super) fn try_lock(hold: H) -> Option<Self> {
        Held::try_acquire(hold, H::ALL).map(Self)
    }

    pub(super) fn hold(&self) -> &H {
        &self.0.hold
    }

    /// Keeps one permit, and lets those in who want one too.
    pub(super) fn downgrade(self) -> Shared<H, T> {
        let mut held = self.0;
        let others = held.permits - 1;
        held.permits = 1;
        held.hold.guarded().permits.add(others);
        Shared(held)
    }
}

impl<H: Hold<T>, T: ?Sized> Deref for Exclusive<H, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: it has all permits (3), and whoever writes through it borrows it alone.
        self.0.hold.guarded().value.with(|value| unsafe { &*value })
    }
}

impl<H: Hold<T>, T: ?Sized> DerefMut for Exclusive<H, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: it has all permits (3), and is borrowed alone.
        self.0.hold.guarded().value.with_mut(|value| unsafe { &mut *value })
    }
}

impl<H: Hold<T>, T: ?Sized> Shared<H, T> {
    pub(super) async fn lock(hold: H) -> Self {
        Self(Held::acquire(hold, 1).await)
    }

    pub(super) fn try_lock(hold: H) -> Option<Self> {
        Held::try_acquire(hold, 1).map(Self)
    }
}

impl<H: Hold<T>, T: ?Sized> Deref for Shared<H, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: it has a permit, so nobody has all of them (3): nobody writes.
        self.0.hold.guarded().value.with(|value| unsafe { &*value })
    }
}

// SAFETY: a mutex shared by threads gives its value to one after the other, to each alone: it goes from thread to thread.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

// SAFETY: a lock shared by threads gives its value to one after the other, and also to several at once.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}

// SAFETY: what is borrowed stays where it is for that long.
unsafe impl<T: ?Sized> Hold<T> for &Mutex<T> {
    const ALL: usize = ONE;
    const KIND: &'static str = "mutex";

    fn guarded(&self) -> &Guarded<T> {
        &self.0
    }
}

// SAFETY: what is in an `Arc` stays where it is while one of its owners lives.
unsafe impl<T: ?Sized> Hold<T> for Arc<Mutex<T>> {
    const ALL: usize = ONE;
    const KIND: &'static str = "mutex";

    fn guarded(&self) -> &Guarded<T> {
        &self.0
    }
}

// SAFETY: what is borrowed stays where it is for that long.
unsafe impl<T: ?Sized> Hold<T> for &RwLock<T> {
    const ALL: usize = READERS;
    const KIND: &'static str = "rwlock";

    fn guarded(&self) -> &Guarded<T> {
        &self.0
    }
}

// SAFETY: what is in an `Arc` stays where it is while one of its owners lives.
unsafe impl<T: ?Sized> Hold<T> for Arc<RwLock<T>> {
    const ALL: usize = READERS;
    const KIND: &'static str = "rwlock";

    fn guarded(&self) -> &Guarded<T> {
        &self.0
    }
}
