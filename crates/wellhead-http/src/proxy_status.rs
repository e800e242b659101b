//! `Proxy-Status` (RFC 9209): why this gateway, and not a target, wrote the answer.

use std::fmt::Write;

use http::header::HeaderValue;
use wellhead_types::Failure;

/// The name under which the gateway speaks.
const NAME: &str = "wellhead";

/// Longest `details`, in bytes; for people, so a sentence is enough.
const DETAILS_BYTES_MAX: usize = 256;

/// A `Proxy-Status` value in the making. It names no hosts and no addresses: those are nobody's business outside.
#[derive(Debug, Clone)]
pub struct ProxyStatus {
    text: String,
}

impl ProxyStatus {
    /// Begins with the error type, a token of RFC 9209 section 2.3 such as `destination_unavailable`.
    pub fn new(error: &'static str) -> Self {
        Self { text: format!("{NAME}; error={error}") }
    }

    /// What a failure may say in public: its error type, the status that was received, and its code. Its `detail`
    /// stays inside.
    pub fn from_failure(failure: &Failure) -> Self {
        let status = Self::new(failure.cause.proxy_status());
        let status = match failure.status {
            Some(received) => status.received_status(received),
            None => status,
        };
        status.details(failure.cause.as_str())
    }

    /// The status that was received from the target.
    pub fn received_status(mut self, status: u16) -> Self {
        // Writing to a String cannot fail.
        let _ = write!(self.text, "; received-status={status}");
        self
    }

    /// The answer of the name server, for `dns_error`: `NXDOMAIN`.
    pub fn rcode(mut self, rcode: &'static str) -> Self {
        let _ = write!(self.text, "; rcode=\"{rcode}\"");
        self
    }

    /// A sentence for people. Cut at 256 bytes; what a structured-field string cannot hold (RFC 9651 section 3.3.3:
    /// anything but printable ASCII) becomes `?`. The caller leaves addresses and keys out.
    pub fn details(mut self, details: &str) -> Self {
        self.text.push_str("; details=\"");
        for c in details.chars().take(DETAILS_BYTES_MAX) {
            match c {
                '"' | '\\' => self.text.extend(['\\', c]),
                ' '..='~' => self.text.push(c),
                _ => self.text.push('?'),
            }
        }
        self.text.push('"');
        self
    }

    /// The header's value.
    pub fn to_value(&self) -> HeaderValue {
        // Tokens, digits and printable ASCII are always a valid value.
        HeaderValue::from_str(&self.text).unwrap_or_else(|_| HeaderValue::from_static(NAME))
    }
}

#[cfg(test)]
mod tests {
    use super::ProxyStatus;
    use wellhead_types::{Cause, Failure, Stage};

    #[test]
    fn a_full_value_is_a_structured_field_item() {
        let value =
            ProxyStatus::new("http_protocol_error").received_status(502).details("said \"no\" \\ gr\u{fc}n");
        let expected =
            r#"wellhead; error=http_protocol_error; received-status=502; details="said \"no\" \\ gr?n""#;
        assert_eq!(value.to_value(), expected);
    }

    #[test]
    fn line_breaks_cannot_end_the_header_and_details_are_bounded() {
        let value = ProxyStatus::new("dns_error").details(&"a\r\nb".repeat(1_000)).to_value();
        assert!(value.as_bytes().iter().all(|b| (0x20..0x7f).contains(b)));
        assert!(value.len() < 300, "{}", value.len());
    }

    #[test]
    fn what_is_only_for_our_own_log_stays_inside() {
        let failure = Failure::endpoint(Stage::Connect, Cause::ConnectionRefused, "10.1.2.3:443 refused");
        let value = ProxyStatus::from_failure(&failure).to_value();
        assert_eq!(value, r#"wellhead; error=connection_refused; details="connection_refused""#);
        let answered = Failure { status: Some(503), cause: Cause::Status5xx, ..failure };
        let value = ProxyStatus::from_failure(&answered).to_value();
        assert_eq!(
            value,
            r#"wellhead; error=destination_unavailable; received-status=503; details="server_error""#
        );
    }
}
