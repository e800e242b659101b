//! What a person has to know of a certificate: for whom it is, who signed it, and until when it counts. Only for
//! messages; whether a certificate is good is decided elsewhere. Bytes from strangers: nothing panics, and every list
//! has an end.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Names that are shown. Large hosters have certificates with a hundred.
const NAMES_MAX: usize = 8;
/// Characters of one name that are shown: the length of a host name is limited to 253, in messages that is too much.
const NAME_CHARS_MAX: usize = 100;

/// Universal tags of X.690.
mod tag {
    pub(super) const BOOLEAN: u8 = 0x01;
    pub(super) const INTEGER: u8 = 0x02;
    pub(super) const OCTET_STRING: u8 = 0x04;
    pub(super) const OID: u8 = 0x06;
    pub(super) const UTC_TIME: u8 = 0x17;
    pub(super) const GENERALIZED_TIME: u8 = 0x18;
    pub(super) const SEQUENCE: u8 = 0x30;
    pub(super) const SET: u8 = 0x31;
    /// `[0] EXPLICIT` and `[3] EXPLICIT` of a certificate: its version and its extensions.
    pub(super) const VERSION: u8 = 0xa0;
    pub(super) const EXTENSIONS: u8 = 0xa3;
    /// `dNSName` and `iPAddress` of a general name (RFC 5280 section 4.2.1.6).
    pub(super) const DNS_NAME: u8 = 0x82;
    pub(super) const IP_ADDRESS: u8 = 0x87;
}

/// 2.5.4.3, 2.5.4.10 and 2.5.29.17.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ORGANISATION: &[u8] = &[0x55, 0x04, 0x0a];
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];

/// What a certificate says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// The names and addresses that it is for, the first few of them (subjectAltName).
    pub names: Vec<String>,
    /// How many more there are.
    pub names_left_out: usize,
    /// Common name or organisation of who signed it.
    pub issuer: String,
    /// It counts from then on.
    pub not_before: Date,
    /// It counts until then.
    pub not_after: Date,
}

/// A date in a certificate, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// Seconds since 1970; negative before.
    pub unix_s: i64,
    year: u16,
    month: u8,
    day: u8,
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl CertificateFacts {
    /// Reads a certificate (RFC 5280 section 4.1); `None` if it is none.
    pub fn read(der: &[u8]) -> Option<Self> {
        let mut certificate = Der(der).take(tag::SEQUENCE)?;
        let mut body = certificate.take(tag::SEQUENCE)?;
        body.skip_if(tag::VERSION)?;
        body.take(tag::INTEGER)?;
        body.take(tag::SEQUENCE)?;
        let issuer = body.take(tag::SEQUENCE)?;
        let mut validity = body.take(tag::SEQUENCE)?;
        let (not_before, not_after) = (instant(&mut validity)?, instant(&mut validity)?);
        body.take(tag::SEQUENCE)?;
        body.take(tag::SEQUENCE)?;
        let mut names = alternative_names(body).unwrap_or_default();
        let names_left_out = names.len().saturating_sub(NAMES_MAX);
        names.truncate(NAMES_MAX);
        let issuer = named(issuer, COMMON_NAME)
            .or_else(|| named(issuer, ORGANISATION))
            .unwrap_or_else(|| "nobody".into());
        Some(Self { names, names_left_out, issuer, not_before, not_after })
    }

    /// The names as a list for people.
    pub fn names_text(&self) -> String {
        match (self.names.as_slice(), self.names_left_out) {
            ([], _) => "no name at all".to_owned(),
            (names, 0) => names.join(", "),
            (names, more) => format!("{} and {more} more", names.join(", ")),
        }
    }
}

/// What is left of a DER encoding.
#[derive(Debug, Clone, Copy)]
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The next element, whatever it is.
    fn next(&mut self) -> Option<(u8, Der<'a>)> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let mut length = usize::from(first);
        if first & 0x80 != 0 {
            // The number of bytes of the length. No certificate needs more than three.
            let bytes = usize::from(first & 0x7f);
            let (digits, after) = rest.split_at_checked(bytes).filter(|_| (1..=3).contains(&bytes))?;
            length = digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit));
            rest = after;
        }
        let (content, after) = rest.split_at_checked(length)?;
        self.0 = after;
        Some((tag, Der(content)))
    }

    /// The next element, which has to be this one.
    fn take(&mut self, tag: u8) -> Option<Der<'a>> {
        self.next().filter(|(found, _)| *found == tag).map(|(_, content)| content)
    }

    /// Goes past the next element if it is this one.
    fn skip_if(&mut self, tag: u8) -> Option<()> {
        if self.0.first() == Some(&tag) {
            self.next()?;
        }
        Some(())
    }
}

/// The attribute of a distinguished name.
fn named(mut name: Der<'_>, attribute: &[u8]) -> Option<String> {
    while let Some(mut set) = name.take(tag::SET) {
        while let Some(mut pair) = set.take(tag::SEQUENCE) {
            if pair.take(tag::OID)?.0 == attribute {
                return pair.next().map(|(_, value)| shown(value.0));
            }
        }
    }
    None
}

/// The alternative names in what follows the public key. More than are shown are only counted.
fn alternative_names(mut body: Der<'_>) -> Option<Vec<String>> {
    let mut extensions = loop {
        match body.next()? {
            (tag::EXTENSIONS, mut content) => break content.take(tag::SEQUENCE)?,
            _ => continue,
        }
    };
    while let Some(mut extension) = extensions.take(tag::SEQUENCE) {
        if extension.take(tag::OID)?.0 != SUBJECT_ALT_NAME {
            continue;
        }
        extension.skip_if(tag::BOOLEAN)?;
        let mut list = extension.take(tag::OCTET_STRING)?.take(tag::SEQUENCE)?;
        let mut names = Vec::new();
        while let Some((kind, value)) = list.next() {
            match kind {
                tag::DNS_NAME => names.push(shown(value.0)),
                tag::IP_ADDRESS => names.extend(address(value.0).map(|address| address.to_string())),
                _ => {}
            }
        }
        return Some(names);
    }
    None
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(|octets| Ipv4Addr::from(octets).into()),
        16 => <[u8; 16]>::try_from(bytes).ok().map(|octets| Ipv6Addr::from(octets).into()),
        _ => None,
    }
}

/// Text of a stranger's, fit for a log.
fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect()
}

/// `UTCTime` or `GeneralizedTime`, both in UTC and to the second (RFC 5280 section 4.1.2.5).
fn instant(validity: &mut Der<'_>) -> Option<Date> {
    let (kind, content) = validity.next()?;
    let digits = content.0.strip_suffix(b"Z")?;
    let number = |range: std::ops::Range<usize>| -> Option<u16> {
        digits.get(range)?.iter().try_fold(0_u16, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + u16::from(digit - b'0'))
        })
    };
    let (year, at) = match (kind, digits.len()) {
        // Two digits mean 1950 to 2049.
        (tag::UTC_TIME, 12) => {
            (number(0..2).map(|year| if year < 50 { 2000 + year } else { 1900 + year })?, 2)
        }
        (tag::GENERALIZED_TIME, 14) => (number(0..4)?, 4),
        _ => return None,
    };
    let part = |i: usize| number(at + 2 * i..at + 2 * i + 2).and_then(|part| u8::try_from(part).ok());
    let (month, day, hour, minute, second) = (part(0)?, part(1)?, part(2)?, part(3)?, part(4)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let of_day = i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second);
    Some(Date { unix_s: days(year, month, day) * 86_400 + of_day, year, month, day })
}

/// Days since 1970-01-01 in the Gregorian calendar. Years begin in March here, so that the leap day is their last.
fn days(year: u16, month: u8, day: u8) -> i64 {
    let (year, month, day) = (i64::from(year), i64::from(month), i64::from(day));
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::Index;

    fn made(names: &[&str], change: impl FnOnce(&mut rcgen::CertificateParams)) -> Vec<u8> {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = rcgen::CertificateParams::new(names).unwrap();
        change(&mut params);
        params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn names_issuer_and_dates_are_read() {
        let der = made(&["api.example.com", "*.example.org", "192.0.2.7", "2001:db8::7"], |params| {
            params.distinguished_name.push(rcgen::DnType::CommonName, "Example CA\n2");
            params.not_before = rcgen::date_time_ymd(1970, 1, 1);
            params.not_after = rcgen::date_time_ymd(2031, 3, 1);
        });
        let facts = CertificateFacts::read(&der).unwrap();
        assert_eq!(facts.names_text(), "api.example.com, *.example.org, 192.0.2.7, 2001:db8::7");
        assert_eq!(facts.issuer, "Example CA2", "without control characters");
        assert_eq!((facts.not_before.to_string().as_str(), facts.not_before.unix_s), ("1970-01-01", 0));
        assert_eq!(
            (facts.not_after.to_string().as_str(), facts.not_after.unix_s),
            ("2031-03-01", 1_930_089_600)
        );
    }

    #[test]
    fn dates_beyond_2049_are_written_otherwise() {
        let der = made(&["a.example"], |params| params.not_after = rcgen::date_time_ymd(2100, 3, 1));
        let not_after = CertificateFacts::read(&der).unwrap().not_after;
        assert_eq!((not_after.to_string().as_str(), not_after.unix_s), ("2100-03-01", 4_107_542_400));
    }

    #[test]
    fn a_certificate_without_names_or_with_very_many() {
        let none = CertificateFacts::read(&made(&[], |_| ())).unwrap();
        assert_eq!(none.names_text(), "no name at all");
        let many: Vec<String> = (0..100).map(|n| format!("h{n}.example")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let facts = CertificateFacts::read(&made(&many, |_| ())).unwrap();
        assert!(facts.names_text().ends_with("h7.example and 92 more"), "{}", facts.names_text());
    }

    proptest! {
        #[test]
        fn nothing_panics_on_bytes_of_strangers(at: Index, byte: u8, keep: Index, noise: Vec<u8>) {
            drop(CertificateFacts::read(&noise));
            let der = made(&["api.example.com"], |_| ());
            let mut changed = der.clone();
            changed[at.index(der.len())] = byte;
            drop(CertificateFacts::read(&changed));
            prop_assert_eq!(CertificateFacts::read(&der[..keep.index(der.len())]), None);
        }
    }
}
