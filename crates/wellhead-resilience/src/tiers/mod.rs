//! Which tier gets which share of the traffic while some of its targets are open, and what happens when all are.

pub mod last_light;
#[cfg(test)]
mod tests;

pub use last_light::LastLight;

use crate::Rng;
use crate::ladder::TARGETS_MAX;

/// Tiers per model: there is no more of them than targets.
pub const TIERS_MAX: usize = TARGETS_MAX;
/// All of the traffic, in shares. Not percent: a share below one percent is not nothing.
pub const WHOLE: u16 = 10_000;
/// A tier carries 1.4 times what its healthy part is worth: it spills only below 5/7 = 71.4 % (overprovisioning factor
/// of survival.md R5).
const OVERPROVISIONING: (u128, u128) = (14, 10);
/// Fixed point in which health is computed.
const UNIT: u128 = 1_000_000_000_000;

/// The weights of one tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tier {
    /// Of its targets that do not rest.
    pub healthy: u32,
    /// Of all its targets.
    pub total: u32,
}

/// Shares by tier that add up to [`WHOLE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shares([u16; TIERS_MAX]);

impl Shares {
    /// The share of a tier.
    pub fn of(&self, tier: usize) -> u16 {
        self.0.get(tier).copied().unwrap_or(0)
    }

    /// Draws a tier by its share.
    pub fn pick(&self, rng: &mut Rng) -> usize {
        let mut point = rng.below(u64::from(WHOLE));
        self.0
            .iter()
            .position(|share| {
                let here = point < u64::from(*share);
                point = point.saturating_sub(u64::from(*share));
                here
            })
            .unwrap_or(0)
    }
}

/// The shares of the tiers, the first one filled first. `None` when nobody is healthy in any: then the last light
/// counts. A tier that takes part gets at least 1/10,000, however small it is; tiers beyond [`TIERS_MAX`] get nothing.
pub fn shares(tiers: &[Tier]) -> Option<Shares> {
    let tiers = &tiers[..tiers.len().min(TIERS_MAX)];
    let mut loads = [0_u128; TIERS_MAX];
    let mut left = UNIT;
    for (load, tier) in loads.iter_mut().zip(tiers) {
        *load = health(*tier).min(left);
        left -= *load;
    }
    let sum = UNIT - left;
    if sum == 0 {
        return None;
    }
    // Largest remainder. When all tiers together are too small for the traffic, they are scaled up to it.
    let exact = |load: u128| load * u128::from(WHOLE);
    let mut shares = loads.map(|load| u16::try_from(exact(load) / sum).unwrap_or(WHOLE));
    let missing = WHOLE - shares.iter().sum::<u16>();
    let mut rounded_up = 0_u64;
    for _ in 0..missing {
        let next = (0..tiers.len())
            .filter(|i| rounded_up & (1 << i) == 0)
            .max_by_key(|i| (exact(loads[*i]) % sum, std::cmp::Reverse(*i)));
        if let Some(next) = next {
            rounded_up |= 1 << next;
            shares[next] += 1;
        }
    }
    for i in 0..tiers.len() {
        if loads[i] > 0 && shares[i] == 0 {
            if let Some(largest) = (0..tiers.len()).max_by_key(|j| shares[*j]) {
                shares[largest] -= 1;
            }
            shares[i] = 1;
        }
    }
    Some(Shares(shares))
}

/// What the tier can carry of the whole traffic.
fn health(tier: Tier) -> u128 {
    if tier.healthy == 0 || tier.total == 0 {
        return 0;
    }
    let (up, down) = OVERPROVISIONING;
    (UNIT * up * u128::from(tier.healthy) / (down * u128::from(tier.total))).clamp(1, UNIT)
}
