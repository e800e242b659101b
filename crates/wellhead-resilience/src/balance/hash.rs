//! Consistent hashing with bounded load: weighted rendezvous hashing, so that there is no table to build, a target that
//! leaves moves only its own keys, and what overflows goes to the key's next one instead of to a neighbour of all.

use super::{View, below_bound, best_for_affinity, members};

/// Picks the target that the key belongs to among those that carry at most 5/4 of their share; `None` if everything is
/// excluded.
pub fn pick(key: u64, views: &[View], excluded: u64) -> Option<usize> {
    let set = below_bound(views, best_for_affinity(views, excluded));
    members(set)
        .map(|i| (score(key, &views[i]), i))
        .max_by(|(a, i), (b, j)| a.total_cmp(b).then(views[*j].id.cmp(&views[*i].id)))
        .map(|(_, i)| i)
}

/// A number for bytes that a key is made of (an app, a session, a header).
pub fn key(bytes: &[u8]) -> u64 {
    fold(0x2545_f491_4f6c_dd1d, bytes)
}

/// The highest of `weight / -ln(u)` falls to each target as often as its weight says (rendezvous hashing with weights).
fn score(key: u64, view: &View) -> f64 {
    let u = ((mix(key, view.id) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
    view.weight() as f64 / -u.ln()
}

/// Mixes two numbers so that every bit of both changes about half of the result's.
pub(super) const fn mix(a: u64, b: u64) -> u64 {
    let mut z = a ^ b.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Chains bytes to a number, eight at a time. Not a cryptographic hash: who makes two keys collide shares a target.
pub(super) fn fold(seed: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let chained = words.iter().fold(seed, |h, word| mix(h, u64::from_le_bytes(*word)));
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    mix(mix(chained, u64::from_le_bytes(last)), bytes.len() as u64)
}
