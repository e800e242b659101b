//! Counters by a label whose values are fixed in the code but not known here: endpoint templates, result codes.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use wellhead_types::Name;

use super::OTHER;

/// Up to `N` values of a label, each with a `T`; further ones share the last. No lock, no allocation.
#[derive(Debug)]
pub(crate) struct ByLabel<T, const N: usize> {
    slots: [(OnceLock<&'static str>, T); N],
    other: T,
}

impl<T: Default, const N: usize> Default for ByLabel<T, N> {
    fn default() -> Self {
        Self { slots: std::array::from_fn(|_| (OnceLock::new(), T::default())), other: T::default() }
    }
}

impl<T, const N: usize> ByLabel<T, N> {
    pub(crate) fn get(&self, label: &'static str) -> &T {
        for (slot, value) in &self.slots {
            // Whoever loses the race for an empty slot compares with what the winner put there.
            if *slot.get_or_init(|| label) == label {
                return value;
            }
        }
        &self.other
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &T)> {
        let named = self.slots.iter().filter_map(|(slot, value)| slot.get().map(|label| (*label, value)));
        named.chain([(OTHER, &self.other)])
    }
}

/// Counters by names from the configuration, for at most `N` of them; further ones share the last. No lock.
#[derive(Debug)]
pub(crate) struct ByName<const N: usize> {
    slots: [(OnceLock<Name>, AtomicU64); N],
    other: AtomicU64,
}

impl<const N: usize> Default for ByName<N> {
    fn default() -> Self {
        let slots = std::array::from_fn(|_| (OnceLock::new(), AtomicU64::new(0)));
        Self { slots, other: AtomicU64::new(0) }
    }
}

impl<const N: usize> ByName<N> {
    pub(crate) fn get(&self, name: &Name) -> &AtomicU64 {
        for (slot, counter) in &self.slots {
            if *slot.get_or_init(|| name.clone()) == *name {
                return counter;
            }
        }
        &self.other
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &AtomicU64)> {
        let named = self.slots.iter().filter_map(|(slot, counter)| slot.get().map(|name| (&**name, counter)));
        named.chain([(OTHER, &self.other)])
    }
}

/// The counter of a label.
pub(crate) type Counters<const N: usize> = ByLabel<AtomicU64, N>;

/// Adds `counters` up into `totals`, by label, leaving zeros out.
pub(crate) fn add_up<'a, 'b>(
    totals: &mut std::collections::BTreeMap<&'a str, u64>,
    counters: impl Iterator<Item = (&'a str, &'b AtomicU64)>,
) {
    for (label, counter) in counters {
        let count = counter.load(Relaxed);
        if count > 0 {
            *totals.entry(label).or_default() += count;
        }
    }
}
