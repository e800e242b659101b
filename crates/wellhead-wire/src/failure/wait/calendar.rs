//! Dates, as far as waits need them: pure arithmetic on the Gregorian calendar, in Unix seconds.

const DAY: u64 = 86_400;

/// Days from 1970-01-01 to a date (Hinnant's `days_from_civil`). `None` for what is no date, or before 1970.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted / 400;
    let of_era = shifted % 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    (era * 146_097 + day_of_era).checked_sub(719_468)
}

/// Year and month of a day since 1970-01-01.
const fn year_and_month(days: u64) -> (u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let of_year = day_of_era - (365 * of_era + of_era / 4 - of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = of_era + era * 400;
    (if month <= 2 { year + 1 } else { year }, month)
}

/// Latest time that is calculated with: the end of the year 9999.
const UNIX_SECONDS_MAX: u64 = 253_402_300_799;

/// Seconds until the next month begins (UTC).
pub(super) fn until_next_month(now: u64) -> Option<u64> {
    let now = now.min(UNIX_SECONDS_MAX);
    let (year, month) = year_and_month(now / DAY);
    let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    (days(year, month, 1)? * DAY).checked_sub(now)
}

/// Seconds until midnight in California, where Google's days end. Summer time there lasts from 10:00 UTC on the second
/// Sunday of March to 9:00 UTC on the first Sunday of November (Energy Policy Act of 2005). On the two days on which it
/// changes, the answer may be an hour off.
pub(super) fn until_pacific_midnight(now: u64) -> Option<u64> {
    let now = now.min(UNIX_SECONDS_MAX);
    let (year, _) = year_and_month(now / DAY);
    let from = sunday(year, 3, 2)? * DAY + 10 * 3600;
    let to = sunday(year, 11, 1)? * DAY + 9 * 3600;
    let behind_utc = if (from..to).contains(&now) { 7 * 3600 } else { 8 * 3600 };
    let local = now.saturating_sub(behind_utc);
    Some(DAY - local % DAY)
}

/// The n-th Sunday of a month. 1970-01-01 was a Thursday.
fn sunday(year: u64, month: u64, nth: u64) -> Option<u64> {
    let first = days(year, month, 1)?;
    let weekday = (first + 4) % 7;
    Some(first + (7 - weekday) % 7 + 7 * (nth - 1))
}

/// A point in time as `2026-11-22T12:00:30Z` (RFC 3339), with any fraction and offset, or as vendors write it in
/// prose: `2026-12-01 at 00:00 UTC`, `2026-11-22 20:00:00`. Without an offset it is `ahead_of_utc` hours ahead.
/// What follows the time is not looked at.
pub(super) fn instant(text: &str, ahead_of_utc: i64) -> Option<u64> {
    let (year, rest) = number(text, 4)?;
    let (month, rest) = number(rest.strip_prefix('-')?, 2)?;
    let (day, rest) = number(rest.strip_prefix('-')?, 2)?;
    let rest = ["t", "T", " at ", " "].into_iter().find_map(|gap| rest.strip_prefix(gap))?;
    let (hour, rest) = number(rest, 2)?;
    let (minute, rest) = number(rest.strip_prefix(':')?, 2)?;
    let (second, rest) = rest.strip_prefix(':').map_or(Some((0, rest)), |rest| number(rest, 2))?;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let rest =
        rest.strip_prefix('.').map_or(rest, |rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
    let offset = offset(rest).unwrap_or(ahead_of_utc * 3600);
    let local = days(year, month, day)? * DAY + hour * 3600 + minute * 60 + second;
    local.checked_add_signed(-offset)
}

/// Seconds ahead of UTC: `Z`, `+08:00`, ` UTC`.
fn offset(text: &str) -> Option<i64> {
    if text.starts_with(['z', 'Z'])
        || text.trim_start().starts_with("utc")
        || text.trim_start().starts_with("UTC")
    {
        return Some(0);
    }
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let (hours, rest) = number(&text[1..], 2)?;
    let (minutes, _) = number(rest.strip_prefix(':').unwrap_or(rest), 2)?;
    i64::try_from(hours * 3600 + minutes * 60).ok().map(|seconds| sign * seconds)
}

/// A number of exactly so many digits, and what follows.
fn number(text: &str, digits: usize) -> Option<(u64, &str)> {
    let head = text.get(..digits).filter(|head| head.bytes().all(|b| b.is_ascii_digit()))?;
    Some((head.parse().ok()?, &text[digits..]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::{DAY, instant, until_next_month, until_pacific_midnight};

    #[test]
    fn instants_in_every_way_that_vendors_write_them() {
        // 2026-11-22 12:00:00 UTC.
        const NOON: u64 = 1_795_348_800;
        for (text, expected) in [
            ("2026-11-22T12:00:00Z", Some(NOON)),
            ("2026-11-22T12:00:00.123456Z", Some(NOON)),
            ("2026-11-22T20:00:00+08:00", Some(NOON)),
            ("2026-11-22T05:30:30-06:30", Some(NOON + 30)),
            ("2026-11-22 at 12:00 utc.", Some(NOON)),
            ("2026-11-22 12:00:00", Some(NOON)),
            ("2024-02-29T00:00:00Z", Some(1_709_164_800)),
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1970-01-01T00:00:00+01:00", None),
            ("1969-12-31T23:59:59Z", None),
            ("2026-13-01T00:00:00Z", None),
            ("2026-11-22T24:00:00Z", None),
            ("2026-11-22", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(instant(text, 0), expected, "{text}");
        }
        assert_eq!(instant("2026-11-22 20:00:00", 8), Some(NOON), "Beijing");
    }

    #[test]
    fn the_next_month_and_the_next_midnight_are_ahead() {
        let at = |text| instant(text, 0).unwrap();
        for (now, until) in [
            ("2026-11-22T12:00:00Z", "2026-12-01T00:00:00Z"),
            ("2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z"),
            ("2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"),
        ] {
            assert_eq!(until_next_month(at(now)), Some(at(until) - at(now)), "{now}");
        }
        for (now, until) in [
            // Winter, summer, and the minutes around both changes of 2026: 8 March and 1 November.
            ("2026-11-22T12:00:00Z", "2026-11-23T08:00:00Z"),
            ("2026-07-01T06:59:00Z", "2026-07-01T07:00:00Z"),
            ("2026-03-08T09:59:00Z", "2026-03-09T08:00:00Z"),
            ("2026-03-08T10:01:00Z", "2026-03-09T07:00:00Z"),
            ("2026-11-01T09:01:00Z", "2026-11-02T08:00:00Z"),
        ] {
            assert_eq!(until_pacific_midnight(at(now)), Some(at(until) - at(now)), "{now}");
        }
    }

    #[test]
    fn no_clock_is_too_far_off() {
        for now in [0, 1, 253_402_300_799, u64::MAX] {
            assert!(until_next_month(now).is_none_or(|wait| wait <= 31 * DAY), "{now}");
            assert!(until_pacific_midnight(now).is_none_or(|wait| (1..=DAY).contains(&wait)), "{now}");
        }
    }
}
