//! What an answer costs: a pure function of what was used and what it is sold for.
//!
//! * Every token is in exactly one count of [`Metered`], so none is paid twice: what was cached, audio, a picture or
//!   reasoning is taken out of the count that it is part of.
//! * Whether a long request's tier counts is decided by all its input tokens, cached ones included; the tier then
//!   counts for the whole request. What a tier does not list is sold at the standard price.
//! * The sum is exact. It is rounded once, at its end, to whole nano-dollars, halves up.
//! * What was used and has no price makes the cost unknown. It is never taken as free.
//!
//! Only a missing discount is no missing price: cached tokens of a vendor that lists no price for them are input, tokens
//! written to its cache are input, reasoning is output, tokens of pictures are input or output. Audio has a price of its
//! own, and so has a cache for an hour where one for minutes has.

use std::fmt;

use wellhead_types::Usage;

use crate::model::{Prices, Rates, Unit};

/// Money in nano-dollars (10⁻⁹ US dollars).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct NanoDollars(pub u64);

impl fmt::Display for NanoDollars {
    /// Dollars with nine decimals: `0.000012500`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}", self.0 / 1_000_000_000, self.0 % 1_000_000_000)
    }
}

/// Something was used whose price is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the price of {} is unknown", .0.name())]
pub struct Unpriced(pub Unit);

/// What is known of the cost of an attempt or a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cost {
    /// Nothing is known to have been used.
    #[default]
    Nothing,
    /// Something was used, and its price or its amount is not known.
    Unknown,
    /// So much.
    Known(NanoDollars),
}

impl Cost {
    /// What an answer costs. An answer without any count of tokens has used something that nobody has counted.
    pub fn of(prices: Option<&Prices>, usage: &Usage) -> Self {
        match prices {
            Some(prices) if !usage.is_nothing() => {
                prices.cost(&prices.sold(usage)).map_or(Self::Unknown, Self::Known)
            }
            _ => Self::Unknown,
        }
    }

    /// Both together; unknown as soon as one of them is.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Nothing, cost) | (cost, Self::Nothing) => cost,
            (Self::Known(one), Self::Known(two)) => Self::Known(NanoDollars(one.0.saturating_add(two.0))),
        }
    }

    /// Nano-dollars, where they are known.
    pub const fn nanos(self) -> Option<u64> {
        match self {
            Self::Known(cost) => Some(cost.0),
            Self::Nothing | Self::Unknown => None,
        }
    }
}

/// What was used, each thing counted once, by unit. Time is in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Metered([u64; Unit::ALL.len()]);

impl Metered {
    /// Nothing but one request.
    pub const fn request() -> Self {
        let mut metered = Self([0; Unit::ALL.len()]);
        metered.0[Unit::Request as usize] = 1;
        metered
    }

    /// One request, its tokens, its time, its pictures and its searches. Sub-counts of a [`Usage`] are part of its totals; here they are taken out of them.
    /// Sub-counts that contradict their total are cut to it.
    pub const fn of(usage: &Usage) -> Self {
        let mut metered = Self::request();
        let (cached, rest) = take(usage.cached_input_tokens, usage.input_tokens);
        let (cached_audio, cached) = take(usage.cached_audio_tokens, cached);
        let (written_1h, rest) = take(usage.cache_write_1h_tokens, rest);
        // The total of what was written to the cache includes what was written for an hour.
        let (written, rest) = take(usage.cache_write_tokens.saturating_sub(written_1h), rest);
        let heard = usage.audio_tokens.saturating_sub(usage.audio_output_tokens).saturating_sub(cached_audio);
        let (audio_input, rest) = take(heard, rest);
        let (image_input, input) = take(usage.image_input_tokens, rest);
        let (audio_output, rest) = take(usage.audio_output_tokens, usage.output_tokens);
        let (image_output, rest) = take(usage.image_output_tokens, rest);
        let (reasoning, output) = take(usage.reasoning_tokens, rest);
        metered.0[Unit::AudioCacheRead as usize] = cached_audio;
        metered.0[Unit::ImageInput as usize] = image_input;
        metered.0[Unit::ImageOutput as usize] = image_output;
        metered.0[Unit::Hour as usize] = usage.audio_ms;
        metered.0[Unit::Image as usize] = usage.images;
        // Each search is paid like a request.
        metered.0[Unit::Request as usize] = if usage.searches > 0 { usage.searches } else { 1 };
        metered.0[Unit::CacheRead as usize] = cached;
        metered.0[Unit::CacheWrite1h as usize] = written_1h;
        metered.0[Unit::CacheWrite as usize] = written;
        metered.0[Unit::AudioInput as usize] = audio_input;
        metered.0[Unit::Input as usize] = input;
        metered.0[Unit::AudioOutput as usize] = audio_output;
        metered.0[Unit::Reasoning as usize] = reasoning;
        metered.0[Unit::Output as usize] = output;
        metered
    }

    /// The count of a unit.
    pub const fn get(&self, unit: Unit) -> u64 {
        self.0[unit as usize]
    }

    /// Sets the count of a unit.
    #[must_use]
    pub const fn with(mut self, unit: Unit, count: u64) -> Self {
        self.0[unit as usize] = count;
        self
    }

    /// All tokens that were read.
    fn input_tokens(&self) -> u64 {
        const READ: [Unit; 7] = [
            Unit::Input,
            Unit::CacheRead,
            Unit::CacheWrite,
            Unit::CacheWrite1h,
            Unit::AudioInput,
            Unit::AudioCacheRead,
            Unit::ImageInput,
        ];
        READ.iter().fold(0, |sum, unit| sum.saturating_add(self.get(*unit)))
    }
}

/// As much of `part` as there is in `whole`, and what is left.
const fn take(part: u64, whole: u64) -> (u64, u64) {
    let part = if part < whole { part } else { whole };
    (part, whole - part)
}

/// Milliseconds of the hour that time is priced by.
const HOUR_MS: u128 = 3_600_000;
/// Pico-dollars in a nano-dollar.
const NANO: u128 = 1_000;

/// What is counted in tokens.
const TOKENS: [Unit; 11] = [
    Unit::Input,
    Unit::Output,
    Unit::CacheRead,
    Unit::CacheWrite,
    Unit::CacheWrite1h,
    Unit::Reasoning,
    Unit::AudioInput,
    Unit::AudioOutput,
    Unit::AudioCacheRead,
    Unit::ImageInput,
    Unit::ImageOutput,
];

impl Prices {
    /// What of an answer is sold. Vendors count some things twice, in tokens and by time, pictures or searches, and sell
    /// them once: by whichever of the two has a price.
    fn sold(&self, usage: &Usage) -> Metered {
        let mut used = Metered::of(usage);
        if usage.total() == 0 {
            return used;
        }
        let listed = |unit: Unit| self.base.get(unit).is_some();
        let by_tokens = TOKENS.into_iter().any(listed);
        let others =
            [(Unit::Hour, usage.audio_ms), (Unit::Image, usage.images), (Unit::Request, usage.searches)];
        let otherwise = others.into_iter().any(|(unit, count)| count > 0 && listed(unit));
        if otherwise && !by_tokens {
            used = TOKENS.into_iter().fold(used, |used, unit| used.with(unit, 0));
        }
        for unit in [Unit::Hour, Unit::Image] {
            if by_tokens && !listed(unit) {
                used = used.with(unit, 0);
            }
        }
        used
    }

    /// What this much costs.
    ///
    /// # Errors
    /// The first thing that was used and has no price.
    pub fn cost(&self, used: &Metered) -> Result<NanoDollars, Unpriced> {
        let long = used.input_tokens();
        let tier = self.tiers.iter().rev().find(|tier| long > tier.above).map(|tier| &tier.rates);
        // In pico-dollars times milliseconds of an hour, so that time is exact as well. The largest count times the
        // highest price is below 2^64 × 2^57, times 3,600,000 below 2^143: it saturates, and so does the result.
        let mut sum: u128 = 0;
        for unit in Unit::ALL {
            let count = used.get(unit);
            if count == 0 {
                continue;
            }
            let Some(price) = price_of(unit, &self.base, tier) else {
                // Hardly anybody takes money for the request itself.
                if unit == Unit::Request {
                    continue;
                }
                return Err(Unpriced(unit));
            };
            let times = if unit == Unit::Hour { 1 } else { HOUR_MS };
            sum = sum.saturating_add((u128::from(count) * u128::from(price)).saturating_mul(times));
        }
        let nanos = sum.saturating_add(HOUR_MS * NANO / 2) / (HOUR_MS * NANO);
        Ok(NanoDollars(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }
}

/// The price of a unit in pico-dollars: the tier's, else the standard one, else that of what it is a kind of.
fn price_of(unit: Unit, base: &Rates, tier: Option<&Rates>) -> Option<u64> {
    let listed = |unit: Unit| tier.and_then(|tier| tier.get(unit)).or_else(|| base.get(unit));
    let plain = match unit {
        Unit::CacheRead | Unit::CacheWrite | Unit::ImageInput => Some(Unit::Input),
        // A vendor that asks more for minutes asks more still for an hour.
        Unit::CacheWrite1h if listed(Unit::CacheWrite).is_none() => Some(Unit::Input),
        Unit::AudioCacheRead => Some(Unit::AudioInput),
        Unit::Reasoning | Unit::ImageOutput => Some(Unit::Output),
        _ => None,
    };
    listed(unit).or_else(|| plain.and_then(listed)).map(|price| price.pico_dollars())
}

#[cfg(test)]
mod tests;
