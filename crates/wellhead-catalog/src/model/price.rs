//! Prices as whole numbers. The unit is the pico-dollar (10⁻¹² US dollars): a list price of 0.003625 dollars for a
//! million tokens is 3,625 pico-dollars for one, so every listed price is exact and sums of tokens stay exact.

use std::fmt;

/// Pico-dollars in a dollar.
const DOLLAR: u128 = 1_000_000_000_000;
/// Decimals of a price in dollars per million tokens that still are whole pico-dollars per token.
const DECIMALS_MAX: usize = 6;
/// Highest price that is believed, in dollars per million tokens, image, hour or request. Sums of `u64` counts with it
/// stay below the range of `u128`, and a price in the wrong unit is noticed.
pub const PRICE_DOLLARS_MAX: u64 = 100_000;

/// What is charged for, and what it is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// Tokens read that nothing more special is said about.
    Input,
    /// Tokens written that nothing more special is said about.
    Output,
    /// Tokens read from the vendor's prompt cache.
    CacheRead,
    /// Tokens read and written to the vendor's prompt cache for its usual time (Anthropic: five minutes).
    CacheWrite,
    /// The same for an hour.
    CacheWrite1h,
    /// Tokens written while thinking.
    Reasoning,
    /// Tokens of audio read.
    AudioInput,
    /// Tokens of audio written.
    AudioOutput,
    /// Tokens of audio read from the vendor's prompt cache.
    AudioCacheRead,
    /// Tokens of images read.
    ImageInput,
    /// Tokens of images written.
    ImageOutput,
    /// Images made.
    Image,
    /// Time of audio or video, read or made; counted in milliseconds, priced by the hour.
    Hour,
    /// The request itself.
    Request,
}

impl Unit {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 14] = [
        Self::Input,
        Self::Output,
        Self::CacheRead,
        Self::CacheWrite,
        Self::CacheWrite1h,
        Self::Reasoning,
        Self::AudioInput,
        Self::AudioOutput,
        Self::AudioCacheRead,
        Self::ImageInput,
        Self::ImageOutput,
        Self::Image,
        Self::Hour,
        Self::Request,
    ];

    /// Its name in the catalogue, in configurations and in output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
            Self::CacheRead => "cache_read",
            Self::CacheWrite => "cache_write",
            Self::CacheWrite1h => "cache_write_1h",
            Self::Reasoning => "reasoning",
            Self::AudioInput => "audio_input",
            Self::AudioOutput => "audio_output",
            Self::AudioCacheRead => "audio_cache_read",
            Self::ImageInput => "image_input",
            Self::ImageOutput => "image_output",
            Self::Image => "image",
            Self::Hour => "hour",
            Self::Request => "request",
        }
    }

    /// The unit of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|unit| unit.name() == name)
    }

    /// What its price is for, for people: "1M tokens", "image", "hour", "request".
    pub const fn per(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Hour => "hour",
            Self::Request => "request",
            _ => "1M tokens",
        }
    }

    /// How many of what is counted a price in dollars is for.
    const fn priced_at_once(self) -> u128 {
        match self {
            Self::Image | Self::Hour | Self::Request => 1,
            _ => 1_000_000,
        }
    }
}

/// A price in pico-dollars for one token, image, hour or request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Price(u64);

impl Price {
    /// The price of so many pico-dollars.
    pub const fn from_pico_dollars(pico: u64) -> Self {
        Self(pico)
    }

    /// Pico-dollars.
    pub const fn pico_dollars(self) -> u64 {
        self.0
    }

    /// The price that is listed as so many millionths of a dollar for a million tokens, an image, an hour or a request.
    pub const fn listed(millionths: u64, unit: Unit) -> Self {
        match unit {
            Unit::Image | Unit::Hour | Unit::Request => Self(millionths.saturating_mul(1_000_000)),
            // A millionth of a dollar for a million tokens is a pico-dollar for one.
            _ => Self(millionths),
        }
    }

    /// Reads a price as vendors list it: dollars for a million tokens, an image, an hour or a request.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence: "is not an amount in dollars".
    pub fn parse(text: &str, unit: Unit) -> Result<Self, String> {
        Self::millionths(text).map(|millionths| Self::listed(millionths, unit))
    }

    /// Reads dollars as millionths of one.
    ///
    /// # Errors
    /// What is wrong with them, as the end of a sentence: "is not an amount in dollars".
    pub fn millionths(text: &str) -> Result<u64, String> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(part) || text.ends_with('.') {
            return Err("is not an amount in dollars, such as 2.5".to_owned());
        }
        if part.len() > DECIMALS_MAX {
            return Err(format!("has more than {DECIMALS_MAX} decimals, which no list price has"));
        }
        let whole: u64 = whole.parse().unwrap_or(u64::MAX);
        let part: u64 = format!("{part:0<6}").parse().unwrap_or(0);
        if whole > PRICE_DOLLARS_MAX || (whole == PRICE_DOLLARS_MAX && part > 0) {
            return Err(format!("is above {PRICE_DOLLARS_MAX} dollars"));
        }
        Ok(whole * 1_000_000 + part)
    }

    /// As vendors list it: dollars for a million tokens, an image, an hour or a request, without needless zeros.
    pub fn dollars(self, unit: Unit) -> Dollars {
        Dollars(u128::from(self.0) * unit.priced_at_once())
    }
}

/// An amount that displays as dollars with as many decimals as it needs: `2.5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dollars(u128);

impl fmt::Display for Dollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / DOLLAR, self.0 % DOLLAR);
        if part == 0 {
            return write!(f, "{whole}");
        }
        let part = format!("{part:012}");
        write!(f, "{whole}.{}", part.trim_end_matches('0'))
    }
}

/// The prices of one model or tier, by unit; what is not listed is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rates([Option<Price>; Unit::ALL.len()]);

impl Rates {
    /// The price of a unit.
    pub const fn get(&self, unit: Unit) -> Option<Price> {
        self.0[unit as usize]
    }

    /// Sets the price of a unit.
    pub const fn set(&mut self, unit: Unit, price: Price) {
        self.0[unit as usize] = Some(price);
    }

    /// Whether nothing is listed.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    /// Everything that is listed, in the order of [`Unit::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Unit, Price)> + '_ {
        Unit::ALL.into_iter().filter_map(|unit| Some((unit, self.get(unit)?)))
    }
}

/// What one model costs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prices {
    /// The standard prices.
    pub base: Rates,
    /// Prices of long requests, by rising size. The last tier that a request reaches counts, for all of it.
    pub tiers: Vec<Tier>,
}

/// Prices of requests above a size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tier {
    /// Requests with more input tokens than this, cached ones included.
    pub above: u64,
    /// What differs from the standard prices.
    pub rates: Rates,
}

/// Most tiers of one model: vendors' longest lists have four.
pub const TIERS_MAX: usize = 8;

impl Prices {
    /// Whether nothing is listed.
    pub fn is_empty(&self) -> bool {
        self.base.is_empty() && self.tiers.is_empty()
    }
}
