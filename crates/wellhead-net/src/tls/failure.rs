//! What is behind a failure of TLS, told apart as far as it changes what a person has to do.

use super::witness::Refused;
use crate::SendError;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};
use rustls_pki_types::ServerName;
use std::error::Error as StdError;
use std::io;
use wellhead_types::{Cause, Stage};

/// Alerts about a certificate. Who gets one as a client has shown a certificate that is not good enough, or none
/// (RFC 8446 section 6.2).
const ABOUT_OUR_CERTIFICATE: [AlertDescription; 7] = [
    AlertDescription::CertificateRequired,
    AlertDescription::BadCertificate,
    AlertDescription::UnsupportedCertificate,
    AlertDescription::CertificateRevoked,
    AlertDescription::CertificateExpired,
    AlertDescription::CertificateUnknown,
    AlertDescription::UnknownCA,
];

/// Why a handshake with the peer that should be `name` failed.
pub(crate) fn of_handshake(error: &io::Error, name: &ServerName<'_>) -> SendError {
    if let Some(refused) = of_client_certificate(error) {
        return refused;
    }
    let (cause, detail) = match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::InvalidCertificate(why)) => refused(why, name),
        Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
            (Cause::TlsPlaintext, "what answers there speaks no TLS".to_owned())
        }
        Some(Error::AlertReceived(alert @ AlertDescription::UnrecognisedName)) => (
            Cause::TlsName,
            format!(
                "the server has no certificate for that name ({}); {}",
                alert_text(*alert),
                asked_for(name)
            ),
        ),
        Some(Error::AlertReceived(alert)) => {
            (Cause::TlsError, format!("the server refused ({})", alert_text(*alert)))
        }
        _ => (Cause::TlsError, error.to_string()),
    };
    SendError::new(Stage::Tls, cause, format!("TLS handshake: {detail}"))
}

/// The server wants a certificate of ours. With TLS 1.3 it says so only when the handshake is over for us, in answer
/// to the request, of which it has read nothing (RFC 8446 section 4.4.2).
pub(crate) fn of_client_certificate(error: &(dyn StdError + 'static)) -> Option<SendError> {
    let alert = received(error)?;
    let text = format!(
        "the server wants a client certificate, or another one ({}); this gateway presented none",
        alert_text(alert)
    );
    Some(SendError::new(Stage::Tls, Cause::TlsClientCertificate, text))
}

/// The alert about our certificate that is somewhere within an error.
fn received(error: &(dyn StdError + 'static)) -> Option<AlertDescription> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            return alert_in(io);
        }
        if let Some(h2) = error.downcast_ref::<h2::Error>().and_then(h2::Error::get_io) {
            return h2.get_ref().and_then(alert_in);
        }
        next = error.source();
    }
    None
}

/// HTTP/2 shares one error among all streams of a connection, and keeps only its text.
fn alert_in(inner: &(dyn StdError + Send + Sync + 'static)) -> Option<AlertDescription> {
    match inner.downcast_ref::<Error>() {
        Some(Error::AlertReceived(alert)) => ABOUT_OUR_CERTIFICATE.into_iter().find(|about| about == alert),
        Some(_) => None,
        None => {
            let text = inner.to_string();
            ABOUT_OUR_CERTIFICATE.into_iter().find(|about| Error::AlertReceived(*about).to_string() == text)
        }
    }
}

fn alert_text(alert: AlertDescription) -> String {
    format!("alert {}, {alert:?}", u8::from(alert))
}

/// The certificate is not good.
fn refused(why: &CertificateError, name: &ServerName<'_>) -> (Cause, String) {
    let evidence = match why {
        CertificateError::Other(other) => other.0.downcast_ref::<Refused>(),
        _ => None,
    };
    let why = evidence.map_or(why, |evidence| &evidence.why);
    let Some(facts) = evidence.and_then(|evidence| evidence.facts.as_ref()) else {
        return (Cause::TlsCertificate, format!("the certificate is refused: {why}; {}", asked_for(name)));
    };
    let (names, issuer) = (facts.names_text(), &facts.issuer);
    let (from, until) = (facts.not_before, facts.not_after);
    match why {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            let text = format!(
                "the certificate is for {names}; {}; signed by {issuer}, valid until {until}",
                asked_for(name)
            );
            (Cause::TlsName, text)
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            Cause::TlsCertificate,
            format!("the certificate has expired on {until}; it is for {names}, signed by {issuer}"),
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            Cause::TlsCertificate,
            format!(
                "the certificate is not valid before {from} (is this machine's clock right?); it is for {names}, signed by {issuer}"
            ),
        ),
        CertificateError::UnknownIssuer => (
            Cause::TlsCertificate,
            format!(
                "the certificate is signed by {issuer}, who is not trusted here; it is for {names}, valid until {until}"
            ),
        ),
        other => (
            Cause::TlsCertificate,
            format!(
                "the certificate is refused: {other}; it is for {names}, signed by {issuer}, valid until {until}"
            ),
        ),
    }
}

/// The name that was expected. Addresses are never sent as SNI (RFC 6066 section 3).
fn asked_for(name: &ServerName<'_>) -> String {
    match name {
        ServerName::DnsName(_) => format!("SNI sent: {}", name.to_str()),
        _ => format!("no SNI sent, expected was {}", name.to_str()),
    }
}
