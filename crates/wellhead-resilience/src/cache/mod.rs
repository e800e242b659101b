//! Answers that are kept for the time when nobody can give one: found again by the exact request, for a time that their
//! model declares, within a bound on memory. The least recently used goes first.

mod order;
#[cfg(test)]
mod tests;

use crate::Nanos;
use order::Order;
use std::collections::HashMap;
use wellhead_types::Name;
use wellhead_types::planted::{self, Planted};

/// Bytes that an entry takes besides its value: its key twice, its links, its place in the table.
pub const ENTRY_BYTES: u64 = 256;

/// Whose answers are shared. It is part of the key and compared like the rest of it, so that one app's answers are out of
/// another's reach even if two requests had the same digest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Those of this app only.
    App(Name),
    /// Those of all apps of a model that says so.
    All,
}

/// What an answer is found by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// Who may have it.
    pub scope: Scope,
    /// SHA-256 over endpoint, model and the whole canonical request.
    pub digest: [u8; 32],
}

/// What has happened so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Answers that were looked for and found.
    pub hits: u64,
    /// Answers that were looked for in vain.
    pub misses: u64,
    /// Answers that were kept.
    pub stored: u64,
    /// Answers that went to make room.
    pub evicted: u64,
    /// Answers whose time was over when they were found.
    pub expired: u64,
}

/// The cache. `V` is the answer; its size in bytes is said with it.
#[derive(Debug)]
pub struct Cache<V> {
    positions: HashMap<Key, usize>,
    entries: Vec<Option<Entry<V>>>,
    free: Vec<usize>,
    order: Order,
    bytes: u64,
    counts: Counts,
}

#[derive(Debug)]
struct Entry<V> {
    key: Key,
    value: V,
    bytes: u64,
    expires_at: Nanos,
}

impl<V> Default for Cache<V> {
    fn default() -> Self {
        Self {
            positions: HashMap::new(),
            entries: Vec::new(),
            free: Vec::new(),
            order: Order::default(),
            bytes: 0,
            counts: Counts::default(),
        }
    }
}

impl<V: Clone> Cache<V> {
    /// Bytes in use, by the sizes that were said and [`ENTRY_BYTES`] for each entry.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Answers that are kept, some of which may be over their time.
    pub fn len(&self) -> usize {
        self.positions.len()
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    /// What has happened so far.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Keeps an answer of `bytes` bytes until `expires_at`, in place of an earlier one to the same request. What has to
    /// go for it is given back, so that its memory can be freed when nobody holds the lock. An answer that is larger than
    /// `bytes_max` by itself is given back at once.
    pub fn insert(
        &mut self,
        key: Key,
        value: V,
        bytes: u64,
        expires_at: Nanos,
        now: Nanos,
        bytes_max: u64,
    ) -> Vec<V> {
        let bytes = bytes.saturating_add(ENTRY_BYTES);
        if bytes > bytes_max || expires_at <= now {
            return vec![value];
        }
        let mut gone: Vec<V> = self.remove(&key).into_iter().collect();
        gone.extend(self.shrink(bytes_max - bytes));
        let position = self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            self.entries.len() - 1
        });
        if let Some(place) = self.entries.get_mut(position) {
            *place = Some(Entry { key: key.clone(), value, bytes, expires_at });
        }
        self.positions.insert(key, position);
        self.order.add(position);
        self.bytes += bytes;
        self.counts.stored += 1;
        gone
    }

    /// The answer to this request and the time that it has left, if it is there and its time is not over.
    pub fn get(&mut self, key: &Key, now: Nanos) -> Option<(V, Nanos)> {
        let found = match planted::has(Planted::CacheForgetsTheApp) {
            true => self.positions.iter().find(|(kept, _)| kept.digest == key.digest).map(|(_, at)| *at),
            false => self.positions.get(key).copied(),
        };
        let entry = found.and_then(|position| self.entries.get(position)?.as_ref());
        match (found, entry) {
            (Some(position), Some(entry))
                if entry.expires_at > now || planted::has(Planted::CacheForgetsItsTime) =>
            {
                let answer = (entry.value.clone(), entry.expires_at.saturating_sub(now));
                self.order.touch(position);
                self.counts.hits += 1;
                Some(answer)
            }
            (found, _) => {
                if found.is_some() {
                    self.remove(key);
                    self.counts.expired += 1;
                }
                self.counts.misses += 1;
                None
            }
        }
    }

    /// Makes room until no more than `bytes_max` bytes are in use. What had to go is given back.
    pub fn shrink(&mut self, bytes_max: u64) -> Vec<V> {
        let mut gone = Vec::new();
        while self.bytes > bytes_max {
            let Some(key) = self.oldest().cloned() else { break };
            self.counts.evicted += 1;
            gone.extend(self.remove(&key));
        }
        gone
    }

    fn oldest(&self) -> Option<&Key> {
        let entry = self.entries.get(self.order.oldest()?)?.as_ref()?;
        Some(&entry.key)
    }

    fn remove(&mut self, key: &Key) -> Option<V> {
        let position = self.positions.remove(key)?;
        self.order.remove(position);
        let entry = self.entries.get_mut(position)?.take()?;
        self.free.push(position);
        self.bytes -= entry.bytes;
        Some(entry.value)
    }
}
