//! Prefix affinity: a prompt goes to the target that has read its beginning before and may still have it in its cache.
//! The prompt is cut into pieces of a fixed size, each piece is chained to the ones before it, and an index remembers
//! which target was sent which chains last.

mod lru;

use super::hash::{fold, mix};
use super::{View, below_bound, best_for_affinity, members};
use crate::ladder::TARGETS_MAX;
use lru::Lru;

/// Size of a piece: about 256 tokens of text.
const PIECE_BYTES: usize = 1024;
/// Pieces of one prompt that are looked at; what is longer than 256 KiB is told apart long before its end.
pub const PIECES_MAX: usize = 256;
/// Pieces that an index remembers: with 24 bytes and the table's own about 6 MiB.
pub const ENTRIES_MAX: usize = 100_000;

/// The chained pieces of one prompt. What is left after the last full piece does not count.
#[derive(Debug, Clone)]
pub struct Prefix {
    chain: u64,
    buffer: Vec<u8>,
    pieces: Vec<u64>,
}

impl Prefix {
    /// Starts a prompt. `salt` keeps apart what must not meet, such as models: their caches share nothing.
    pub fn new(salt: u64) -> Self {
        Self { chain: mix(salt, 1), buffer: Vec::new(), pieces: Vec::new() }
    }

    /// Appends text of the prompt; how it is cut into calls does not matter.
    pub fn push(&mut self, mut bytes: &[u8]) {
        if !self.buffer.is_empty() {
            let fits = bytes.len().min(PIECE_BYTES - self.buffer.len());
            self.buffer.extend_from_slice(&bytes[..fits]);
            bytes = &bytes[fits..];
            if self.buffer.len() < PIECE_BYTES {
                return;
            }
            let full = std::mem::take(&mut self.buffer);
            self.piece(&full);
        }
        let whole = bytes.chunks_exact(PIECE_BYTES);
        if self.pieces.len() < PIECES_MAX {
            self.buffer.extend_from_slice(whole.remainder());
        }
        whole.for_each(|piece| self.piece(piece));
    }

    fn piece(&mut self, piece: &[u8]) {
        if self.pieces.len() < PIECES_MAX {
            self.chain = fold(self.chain, piece);
            self.pieces.push(self.chain);
        }
    }

    /// Full pieces so far.
    pub fn pieces(&self) -> usize {
        self.pieces.len()
    }
}

/// How many of a prompt's pieces each target has been sent before.
#[derive(Debug, Clone, Copy)]
pub struct Matches([u16; TARGETS_MAX]);

impl Matches {
    /// Pieces that the target at this position of the slice knows.
    pub fn of(&self, target: usize) -> u16 {
        self.0.get(target).copied().unwrap_or(0)
    }
}

/// Which target was sent which beginnings. One per process behind a short mutex: a look-up takes a few microseconds.
#[derive(Debug)]
pub struct PrefixIndex {
    seen: Lru,
}

impl PrefixIndex {
    /// An empty index of at most `entries_max` pieces, itself at most [`ENTRIES_MAX`].
    pub fn new(entries_max: usize) -> Self {
        Self { seen: Lru::new(entries_max.clamp(1, ENTRIES_MAX)) }
    }

    /// How much of the prompt each target knows.
    pub fn matches(&self, prefix: &Prefix, views: &[View]) -> Matches {
        let mut matches = Matches([0; TARGETS_MAX]);
        for (known, view) in matches.0.iter_mut().zip(views) {
            // Who knows a piece knows all before it (see `insert`), so the end can be found by halving.
            let end = prefix.pieces.partition_point(|piece| self.seen.contains(entry(*piece, view.id)));
            *known = u16::try_from(end).unwrap_or(u16::MAX);
        }
        matches
    }

    /// The target has been sent the prompt.
    pub fn insert(&mut self, prefix: &Prefix, target: u64) {
        // From the end to the beginning: the beginning is the newest then, and the end is forgotten first.
        for piece in prefix.pieces.iter().rev() {
            self.seen.touch(entry(*piece, target));
        }
    }

    /// Pieces that are remembered.
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

const fn entry(piece: u64, target: u64) -> u64 {
    mix(piece, target)
}

/// Picks the target that knows most of the prompt among those that carry at most 5/4 of their share; of equals the one
/// with less to do. `None` if nobody of them knows any of it: then the load decides ([`super::p2c`]).
pub fn pick(matches: &Matches, views: &[View], excluded: u64) -> Option<usize> {
    members(below_bound(views, best_for_affinity(views, excluded)))
        .filter(|i| matches.of(*i) > 0)
        .max_by_key(|i| (matches.of(*i), std::cmp::Reverse(views[*i].in_flight)))
}
