//! Times as RFC 3339 writes them, to the second.

const DAY_S: u64 = 86_400;

/// Days before the first of each month of a year that begins in March, when leap days come last.
const MONTHS: [u64; 12] = [0, 31, 61, 92, 122, 153, 184, 214, 245, 275, 306, 337];

/// Days from 1 March of year 0 to 1 January 1970.
const EPOCH_DAYS: u64 = 719_468;

/// Seconds since 1970 as a time in UTC.
pub(super) fn write(seconds: u64) -> String {
    let (days, second) = (seconds / DAY_S + EPOCH_DAYS, seconds % DAY_S);
    // Four hundred years have 146,097 days.
    let (era, day) = (days / 146_097, days % 146_097);
    let of_era = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * of_era + of_era / 4 - of_era / 100);
    let month = MONTHS.iter().rposition(|start| *start <= of_year).unwrap_or(0);
    let of_month = of_year - MONTHS.get(month).copied().unwrap_or(0) + 1;
    let year = era * 400 + of_era + u64::from(month >= 10);
    let month = (month + 2) % 12 + 1;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{of_month:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Reads a time with `Z` or an offset; fractions are cut off. `None` if it is none, or before 1970.
pub(super) fn read(text: &str) -> Option<u64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // The year begins in March.
    let (year, place) = if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
    let leaps = year / 4 - year / 100 + year / 400;
    let start = MONTHS.get(usize::try_from(place).ok()?)?;
    let days = (365 * year + leaps + start + day - 1).checked_sub(EPOCH_DAYS)?;
    let local = days * DAY_S + hour * 3600 + minute * 60 + second;
    let zone = text.get(19..)?.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    match zone.split_at_checked(1)? {
        ("Z" | "z", "") => Some(local),
        (sign @ ("+" | "-"), offset) => {
            let (hours, minutes) = offset.split_once(':')?;
            let offset = hours.parse::<u64>().ok().filter(|h| *h < 24)? * 3600
                + minutes.parse::<u64>().ok().filter(|m| *m < 60)? * 60;
            if sign == "+" { local.checked_sub(offset) } else { local.checked_add(offset) }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::{read, write};

    #[test]
    fn times_are_those_of_the_calendar() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:00:01Z", 951_825_601),
            ("2026-11-22T23:10:00Z", 1_795_389_000),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
        ] {
            assert_eq!((write(seconds).as_str(), read(text)), (text, Some(seconds)));
        }
        assert_eq!(read("2026-11-23T00:10:00.123456789+01:00"), read("2026-11-22T23:10:00Z"));
        assert_eq!(read("2026-11-22T22:10:00-01:00"), read("2026-11-22T23:10:00Z"));
        for text in
            ["", "2026", "2026-13-01T00:00:00Z", "1969-12-31T23:59:59Z", "2026-11-22T23:10:00", "ü026-11"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn every_day_comes_back() {
        for day in 0..60_000 {
            let seconds = day * 86_400 + day % 86_400;
            assert_eq!(read(&write(seconds)), Some(seconds), "day {day}");
        }
    }
}
