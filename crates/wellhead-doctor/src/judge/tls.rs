//! Does the handshake succeed, and how long will it?

use super::{Context, ms};
use crate::evidence::Evidence;
use crate::finding::{Finding, Layer, Level};
use crate::subject::{Subject, url_text};
use wellhead_net::{CertificateFacts, SendError, TlsFacts};
use wellhead_types::{Cause, Diagnosis};

/// Days of validity from which on a certificate should have been renewed: automatic renewal happens at 30 days, and at
/// 14 it has failed several times.
const DAYS_LEFT_MIN: i64 = 14;
const DAY_S: i64 = 86_400;

pub(super) fn judge(subject: &Subject, evidence: &Evidence, context: &Context) -> Option<Finding> {
    if !subject.provider.base_url.tls {
        return None;
    }
    let Some(tls) = &evidence.network.tls else {
        return Some(Finding::new(Layer::Tls, Level::Skipped, "not checked: nothing connects"));
    };
    Some(match &tls.value {
        Ok(facts) => good(subject, facts, &ms(tls.took), context),
        Err(error) => failed(subject, error),
    })
}

/// Whether a handshake came as far as certificates, so that the port does speak TLS.
pub(crate) const fn is_about_certificates(cause: Cause) -> bool {
    matches!(cause, Cause::TlsCertificate | Cause::TlsName | Cause::TlsClientCertificate)
}

fn good(subject: &Subject, facts: &TlsFacts, took: &str, context: &Context) -> Finding {
    let alpn = facts.alpn.as_deref().unwrap_or("no protocol agreed");
    let agreed = format!("{}, {alpn}, in {took}", facts.version);
    let Some(certificate) = &facts.certificate else {
        return Finding::new(Layer::Tls, Level::Ok, agreed);
    };
    let days = days_left(certificate, context);
    let text = format!(
        "{agreed}; the certificate is for {}, signed by {}, valid until {} ({days} day{})",
        certificate.names_text(),
        certificate.issuer,
        certificate.not_after,
        if days == 1 { "" } else { "s" }
    );
    if days >= DAYS_LEFT_MIN {
        return Finding::new(Layer::Tls, Level::Ok, text);
    }
    let host = &subject.provider.base_url.host;
    Finding::new(Layer::Tls, Level::Warn, text).fix(format!(
        "renew the certificate of {host}; every request fails from {} on",
        certificate.not_after
    ))
}

fn days_left(certificate: &CertificateFacts, context: &Context) -> i64 {
    let now = i64::try_from(context.now_unix_s).unwrap_or(i64::MAX);
    certificate.not_after.unix_s.saturating_sub(now).div_euclid(DAY_S)
}

/// A handshake that failed, now or (client certificates of TLS 1.3) with the first request.
pub(super) fn failed(subject: &Subject, error: &SendError) -> Finding {
    let provider = &subject.provider;
    let host = &provider.base_url.host;
    let finding =
        |code: Diagnosis| Finding::new(Layer::Tls, Level::Fail, error.detail.clone()).code(code.as_str());
    match error.cause {
        Cause::TlsPlaintext => {
            let mut plain = provider.base_url.clone();
            plain.tls = false;
            let place = subject.places.base_url();
            let fix = format!("{place}: write {}, or the port that speaks TLS", url_text(&plain));
            finding(Diagnosis::TlsPlaintextPort).fix(fix).at(&place)
        }
        Cause::TlsName => {
            let place = subject.places.field("tls.server_name");
            let fix = match &provider.tls.server_name {
                Some(_) => format!("{place}: write a name that the certificate is for, or remove the setting"),
                None => format!(
                    "write the host that the certificate is for into {}, or expect its name: {place}",
                    subject.places.base_url()
                ),
            };
            finding(Diagnosis::TlsName).fix(fix).at(&place)
        }
        Cause::TlsCertificate if error.detail.contains("has expired") => {
            finding(Diagnosis::TlsUntrusted).fix(format!("renew the certificate of {host}"))
        }
        Cause::TlsCertificate => {
            let place = subject.places.field("tls.ca_file");
            let fix = match &provider.tls.ca_file {
                Some(file) => format!(
                    "{} replaces the roots of the system and does not hold that issuer; add it there, or remove {place}",
                    file.display()
                ),
                None => format!("if you trust that issuer, save its certificate as PEM and name the file: {place}"),
            };
            finding(Diagnosis::TlsUntrusted).fix(fix).at(&place)
        }
        Cause::TlsClientCertificate => finding(Diagnosis::TlsClientCert).fix(format!(
            "Wellhead has no client certificates: let {host} accept this machine without one, or put a proxy between \
             that presents it"
        )),
        Cause::ConnectTimeout => finding(Diagnosis::ConnectTimeout).fix(format!(
            "{host} accepts connections and does not answer: look at the server, or at what is between that inspects TLS"
        )),
        _ => Finding::new(Layer::Tls, Level::Fail, error.detail.clone()).fix(format!(
            "look at the log of {host}; try: openssl s_client -connect {host}:{}",
            provider.base_url.port
        )),
    }
}
