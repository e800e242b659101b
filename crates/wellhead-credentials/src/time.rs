//! Dates as clouds write them, and the wall clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY_S: u64 = 86_400;

/// Seconds since 1970, by the machine's clock.
pub(crate) fn wall_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// How long until a moment in RFC 3339 (`2026-11-22T23:59:59Z`), seen from `now_s`.
pub(crate) fn until(text: &str, now_s: u64) -> Option<Duration> {
    Some(Duration::from_secs(unix_s(text)?.saturating_sub(now_s)))
}

/// Seconds since 1970 of a moment in RFC 3339, in UTC or with an offset. Fractions are left out.
pub(crate) fn unix_s(text: &str) -> Option<u64> {
    let number = |range: std::ops::Range<usize>| {
        text.get(range).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?.parse::<u64>().ok()
    };
    let [year, month, day] = [number(0..4)?, number(5..7)?, number(8..10)?];
    let [hour, minute, second] = [number(11..13)?, number(14..16)?, number(17..19)?];
    if !(1..=12).contains(&month)
        || !(1..=31).contains(&day)
        || hour > 23
        || minute > 59
        || second > 60
        || year < 1970
    {
        return None;
    }
    let rest = text.get(19..)?.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let offset_s = match rest.as_bytes().first()? {
        b'Z' | b'z' => 0,
        sign @ (b'+' | b'-') => {
            let at = text.len() - rest.len();
            let seconds =
                i64::try_from(number(at + 1..at + 3)? * 3600 + number(at + 4..at + 6)? * 60).ok()?;
            if *sign == b'+' { -seconds } else { seconds }
        }
        _ => return None,
    };
    let local = days(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second;
    local.checked_add_signed(offset_s)
}

/// Days from 1970-01-01 to a date, counting years from March so that the leap day is a year's last.
const fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let of_year = (153 * month + 2) / 5 + day - 1;
    // 719,468 days lie between 0000-03-01 and 1970-01-01.
    year * 365 + year / 4 - year / 100 + year / 400 + of_year - 719_468
}

/// Year, month and day of so many days after 1970-01-01.
const fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year_of_era + later, month, day)
}

/// `20261122T235959Z`.
pub(crate) fn basic(unix_s: u64) -> String {
    let ((year, month, day), of_day) = (date(unix_s / DAY_S), unix_s % DAY_S);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::{basic, unix_s};

    #[test]
    fn dates_are_read_as_date_prints_them() {
        let table = [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2015-08-30T12:36:00Z", Some(1_440_938_160)),
            ("2026-11-22T23:59:59Z", Some(1_795_391_999)),
            ("2024-02-29T00:00:00.123456Z", Some(1_709_164_800)),
            ("2026-11-22T23:59:59+01:30", Some(1_795_386_599)),
            ("2026-11-22T23:59:59-00:30", Some(1_795_393_799)),
            ("2026-13-22T23:59:59Z", None),
            ("2026-11-22T23:59:59", None),
            ("2026-11-22", None),
            ("", None),
            ("ä026-11-22T23:59:59Z", None),
        ];
        for (text, expected) in table {
            assert_eq!(unix_s(text), expected, "{text}");
        }
    }

    #[test]
    fn every_day_of_four_centuries_comes_back() {
        for day in 0..146_097_u64 {
            let text = basic(day * 86_400 + 86_399);
            let spaced = format!(
                "{}-{}-{}T{}:{}:{}Z",
                &text[..4],
                &text[4..6],
                &text[6..8],
                &text[9..11],
                &text[11..13],
                &text[13..15]
            );
            assert_eq!(unix_s(&spaced), Some(day * 86_400 + 86_399), "{spaced}");
        }
    }
}
