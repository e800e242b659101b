//! What a person has to know of a certificate: for whom it is, who signed it, and until when it counts. Only for
//! messages; whether a certificate is good is decided elsewhere. Bytes from strangers: nothing panics, and every list
//! has an end.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;
use x509_parser::x509::X509Name;

/// Names that are shown. Large hosters have certificates with a hundred.
const NAMES_MAX: usize = 8;
/// Characters of one name that are shown: the length of a host name is limited to 253, in messages that is too much.
const NAME_CHARS_MAX: usize = 100;

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
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let alternative = certificate.subject_alternative_name().ok().flatten();
        let all = alternative.map_or(&[][..], |extension| &extension.value.general_names);
        let mut names = all.iter().filter_map(name).fuse();
        let shown: Vec<String> = names.by_ref().take(NAMES_MAX).collect();
        let validity = certificate.validity();
        Some(Self {
            names: shown,
            names_left_out: names.count(),
            issuer: issuer(certificate.issuer()),
            not_before: Date::from(validity.not_before),
            not_after: Date::from(validity.not_after),
        })
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

impl From<ASN1Time> for Date {
    fn from(time: ASN1Time) -> Self {
        let date = time.to_datetime();
        Self {
            unix_s: time.timestamp(),
            year: u16::try_from(date.year()).unwrap_or_default(),
            month: date.month().into(),
            day: date.day(),
        }
    }
}

/// Common name or organisation.
fn issuer(of: &X509Name<'_>) -> String {
    let found = of.iter_common_name().chain(of.iter_organization()).next();
    found.map_or_else(|| "nobody".to_owned(), |attribute| shown(attribute.as_slice()))
}

/// The name, if it is one that a server is known by.
fn name(general: &GeneralName<'_>) -> Option<String> {
    match general {
        GeneralName::DNSName(name) => Some(shown(name.as_bytes())),
        GeneralName::IPAddress(bytes) => address(bytes).map(|address| address.to_string()),
        _ => None,
    }
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
