//! Wall-clock time as text, without a calendar library: UTC only, years 1970 to 2554.

use std::fmt;
use std::io::Write;

/// An instant as RFC 3339 in UTC with milliseconds: `2026-11-22T12:03:04.125Z`. `unix_ns` is nanoseconds since 1970.
pub fn rfc3339(unix_ns: u64) -> impl fmt::Display {
    fmt::from_fn(move |f| {
        let days = unix_ns / 86_400_000_000_000;
        let (year, month, day) = civil(days);
        write!(f, "{year:04}-{month:02}-{day:02}T{}Z", clock(unix_ns))
    })
}

/// `rfc3339` for many instants of the same second: only the milliseconds are written anew.
#[derive(Debug)]
pub(crate) struct Rfc3339 {
    unix_s: u64,
    text: [u8; 24],
}

impl Rfc3339 {
    pub(crate) const fn new() -> Self {
        Self { unix_s: 0, text: *b"1970-01-01T00:00:00.000Z" }
    }

    /// The text of `rfc3339(unix_ns)`.
    pub(crate) fn text(&mut self, unix_ns: u64) -> &[u8; 24] {
        let unix_s = unix_ns / 1_000_000_000;
        if unix_s != self.unix_s {
            // Cannot fail: until 2554 every instant has 24 characters.
            let _ = write!(&mut self.text[..], "{}", rfc3339(unix_ns));
            self.unix_s = unix_s;
        }
        let ms = unix_ns / 1_000_000 % 1_000;
        for (place, digit) in self.text[20..23].iter_mut().zip([ms / 100, ms / 10, ms]) {
            *place = b'0' + (digit % 10) as u8;
        }
        &self.text
    }
}

/// The time of day in UTC with milliseconds: `12:03:04.125`.
pub(crate) fn clock(unix_ns: u64) -> impl fmt::Display {
    fmt::from_fn(move |f| {
        let ms = unix_ns / 1_000_000 % 86_400_000;
        let s = ms / 1_000;
        write!(f, "{:02}:{:02}:{:02}.{:03}", s / 3_600, s / 60 % 60, s % 60, ms % 1_000)
    })
}

/// Year, month and day of a number of days since 1970. Counts from 1 March of year 0, so that the leap day is the
/// last of its year; 719,468 days lie between that day and 1970, 146,097 in 400 years.
fn civil(days_since_1970: u64) -> (u64, u64, u64) {
    let days = days_since_1970 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    // Leap days before this day within the 400 years: one in 1,460 days, none in 36,524, one in 146,096.
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Five months from March on have 153 days, and again.
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Rfc3339, civil, rfc3339};

    proptest! {
        /// In any order, in the same second and in others.
        #[test]
        fn remembering_the_second_changes_nothing(
            instants in prop::collection::vec(prop_oneof![any::<u64>(), 0..5_000_000_000_u64], 1..20),
        ) {
            let mut times = Rfc3339::new();
            for unix_ns in instants {
                let text = str::from_utf8(times.text(unix_ns)).map(str::to_owned);
                prop_assert_eq!(text, Ok(rfc3339(unix_ns).to_string()));
            }
        }
    }

    #[test]
    fn known_instants() {
        let table = [
            (0, "1970-01-01T00:00:00.000Z"),
            (784_111_777_000_000_000, "1994-11-06T08:49:37.000Z"),
            (951_782_399_999_999_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00.000Z"),
            (1_772_323_200_125_000_000, "2026-03-01T00:00:00.125Z"),
            (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000Z"),
            (u64::MAX, "2554-07-21T23:34:33.709Z"),
        ];
        for (unix_ns, text) in table {
            assert_eq!(rfc3339(unix_ns).to_string(), text);
        }
    }

    /// Walks every day for 584 years beside a calendar that counts month by month.
    #[test]
    fn every_day_follows_the_one_before() {
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for days in 0..213_503 {
            assert_eq!(civil(days), (year, month, day), "day {days}");
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = match month {
                2 => 28 + u64::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            (day, month) = if day == length { (1, month + 1) } else { (day + 1, month) };
            (month, year) = if month == 13 { (1, year + 1) } else { (month, year) };
        }
    }
}
