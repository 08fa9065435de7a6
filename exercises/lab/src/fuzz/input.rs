//! Broken input for readers, and a measure of the memory that they take for it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use proptest::prelude::*;
use proptest::sample::Index;

/// Counts what each thread has allocated.
struct Counting;

thread_local! {
    static NOW: Cell<usize> = const { Cell::new(0) };
    static MOST: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: all calls go to the system's allocator, as they came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        NOW.set(NOW.get().saturating_add(layout.size()));
        MOST.set(MOST.get().max(NOW.get()));
        // SAFETY: the caller keeps the contract of this trait.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.set(NOW.get().saturating_sub(layout.size()));
        // SAFETY: the caller keeps the contract of this trait.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// How much memory this work had at most, beside what was there before.
pub(crate) fn memory_of<T>(work: impl FnOnce() -> T) -> usize {
    let before = NOW.get();
    MOST.set(before);
    drop(work());
    MOST.get().saturating_sub(before)
}

/// As much as a careful reader of so many bytes may take.
pub(crate) fn bound(length: usize) -> usize {
    64 * length + 64 * 1024
}

/// Texts that are nearly right: a line or a byte of a right one is changed, or its end is missing.
pub(crate) fn nearly(right: &'static [&'static str]) -> impl Strategy<Value = String> {
    (any::<Index>(), any::<Index>(), any::<Index>(), "\\PC{0,12}", 0..3u8).prop_map(
        |(which, from, to, put, how)| {
            let text = *which.get(right);
            let places: Vec<usize> = text.char_indices().map(|(place, _)| place).collect();
            let (from, to) = (*from.get(&places), *to.get(&places));
            let (from, to) = (from.min(to), from.max(to));
            match how {
                0 => text[..from].to_owned(),
                1 => format!("{}{put}{}", &text[..from], &text[from..]),
                _ => format!("{}{put}{}", &text[..from], &text[to..]),
            }
        },
    )
}
