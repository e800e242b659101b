//! A set of numbers that forgets the one that was touched longest ago. All memory is reserved as it fills, none is
//! allocated once it is full.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};

/// No neighbour.
const NONE: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
struct Node {
    key: u64,
    newer: u32,
    older: u32,
}

/// The set. The hasher has fixed keys (no randomness here); keys are mixed hashes already.
#[derive(Debug)]
pub(super) struct Lru {
    positions: HashMap<u64, u32, BuildHasherDefault<DefaultHasher>>,
    nodes: Vec<Node>,
    newest: u32,
    oldest: u32,
    entries_max: usize,
}

impl Lru {
    /// `entries_max`: 1 or more, below 2³² - 1.
    pub(super) fn new(entries_max: usize) -> Self {
        Self { positions: HashMap::default(), nodes: Vec::new(), newest: NONE, oldest: NONE, entries_max }
    }

    pub(super) fn contains(&self, key: u64) -> bool {
        self.positions.contains_key(&key)
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Makes the key the newest; the oldest is forgotten if there is no room.
    pub(super) fn touch(&mut self, key: u64) {
        if let Some(position) = self.positions.get(&key).copied() {
            self.unlink(position);
            self.link(position);
            return;
        }
        let position = if self.nodes.len() < self.entries_max {
            self.nodes.push(Node { key, newer: NONE, older: NONE });
            u32::try_from(self.nodes.len() - 1).unwrap_or(NONE)
        } else {
            let position = self.oldest;
            self.unlink(position);
            if let Some(node) = self.node(position) {
                let forgotten = std::mem::replace(&mut node.key, key);
                self.positions.remove(&forgotten);
            }
            position
        };
        self.positions.insert(key, position);
        self.link(position);
    }

    fn node(&mut self, position: u32) -> Option<&mut Node> {
        self.nodes.get_mut(position as usize)
    }

    fn unlink(&mut self, position: u32) {
        let Some(Node { newer, older, .. }) = self.node(position).copied() else { return };
        match self.node(newer) {
            Some(node) => node.older = older,
            None => self.newest = older,
        }
        match self.node(older) {
            Some(node) => node.newer = newer,
            None => self.oldest = newer,
        }
    }

    fn link(&mut self, position: u32) {
        let newest = self.newest;
        if let Some(node) = self.node(position) {
            node.newer = NONE;
            node.older = newest;
        }
        match self.node(newest) {
            Some(node) => node.newer = position,
            None => self.oldest = position,
        }
        self.newest = position;
    }
}

#[cfg(test)]
mod tests {
    use super::Lru;
    use crate::Rng;

    #[test]
    fn it_remembers_the_newest_and_forgets_the_oldest_like_a_plain_list() {
        for seed in 0..2_000 {
            let mut rng = Rng::new(seed);
            let entries_max = 1 + usize::try_from(rng.below(8)).unwrap_or(0);
            let (mut lru, mut list) = (Lru::new(entries_max), Vec::new());
            for _ in 0..100 {
                let key = rng.below(12);
                lru.touch(key);
                list.retain(|k| *k != key);
                list.push(key);
                if list.len() > entries_max {
                    list.remove(0);
                }
                assert_eq!(lru.len(), list.len(), "seed {seed}");
                for key in 0..12 {
                    assert_eq!(lru.contains(key), list.contains(&key), "seed {seed} key {key}");
                }
            }
        }
    }
}
