//! Counts what the allocator hands out, while somebody wants to know. Otherwise it costs a load and a branch.
#![expect(
    unsafe_code,
    reason = "an allocator is unsafe by its trait; this one only counts, and hands on to the system's"
)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    fs,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

static COUNTING: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static ALLOCATED: AtomicU64 = AtomicU64::new(0);
static FREED: AtomicU64 = AtomicU64::new(0);

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: the system's allocator does it all; the layouts and pointers go to it as they came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size(), 0);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size(), 0);
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, 0, layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(1, size, layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

fn count(allocations: u64, allocated: usize, freed: usize) {
    if COUNTING.load(Ordering::Relaxed) {
        ALLOCATIONS.fetch_add(allocations, Ordering::Relaxed);
        ALLOCATED.fetch_add(allocated as u64, Ordering::Relaxed);
        FREED.fetch_add(freed as u64, Ordering::Relaxed);
    }
}

/// From now on, counts or does not.
pub(crate) fn set_counting(on: bool) {
    COUNTING.store(on, Ordering::Relaxed);
}

/// How many allocations were made while counting; `None` while nobody counts.
pub(crate) fn allocations() -> Option<u64> {
    COUNTING.load(Ordering::Relaxed).then(|| ALLOCATIONS.load(Ordering::Relaxed))
}

/// Bytes in use on the heap, since counting began.
pub(crate) fn heap_bytes() -> f64 {
    ALLOCATED.load(Ordering::Relaxed) as f64 - FREED.load(Ordering::Relaxed) as f64
}

/// Bytes of memory that the system has given this process.
pub(crate) fn resident_bytes() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux tells how a process is");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory too");
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse().expect("in kB");
    kibibytes * 1024.0
}
