//! Why nobody could answer, as people are told: the causes of an outage, each with a code that never changes.

/// What is behind a failure that the gateway had to make itself, or behind something that it has survived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Diagnosis {
    /// Names cannot be resolved now; the addresses of before are still used.
    DnsFailedStaleKept,
    /// No name server answers, and no address is known from before.
    DnsFailed,
    /// The name does not exist.
    DnsNxdomain,
    /// The name exists, but has no address.
    DnsNoAddress,
    /// A check fails while the traffic itself succeeds.
    HealthcheckContradicted,
    /// A check cannot connect.
    HealthcheckBlocked,
    /// TLS was spoken to a port that does not.
    TlsPlaintextPort,
    /// The certificate is for other names.
    TlsName,
    /// The certificate is expired, not yet valid, or signed by nobody who is trusted.
    TlsUntrusted,
    /// The server wants a certificate of the gateway's.
    TlsClientCert,
    /// The TLS handshake fails for another reason: no common version, an alert, rubbish.
    TlsFailed,
    /// Every address refuses connections on that port.
    PortRefused,
    /// The network knows no way there, or resets the connection while it is being made.
    Unreachable,
    /// No connection within the connect timeout, from any address.
    ConnectTimeout,
    /// Some addresses of one name refuse and others answer.
    DualLocalhost,
    /// Every target has been failing and rests; one request at a time finds out whether it is back.
    AllOpenLastLight,
    /// It accepts requests and answers nothing within the limits.
    Silent,
    /// It answers, with errors of its own (5xx, broken answers).
    UpstreamErrors,
    /// Rate limits of the vendor.
    KeyLimited,
    /// The vendor rejects the credentials.
    KeyRejected,
    /// A credential that a cloud gives out cannot be had.
    CredentialUnavailable,
    /// The account's credit is spent.
    BudgetExhausted,
    /// The vendor does not know the model.
    ModelUnknown,
    /// More is asked than the targets can carry.
    Overloaded,
    /// The caller's patience ends before the earliest recovery.
    DeadlineTooShort,
    /// A new configuration was refused, and the one of before is used.
    ConfigRejectedKeptOld,
    /// The upstream says that the request itself is at fault, and its answer could not be passed on as it came.
    RequestRefused,
    /// A step of the gateway's own failed.
    Internal,
}

impl Diagnosis {
    /// Every cause, in the order of the documentation.
    pub const ALL: [Self; 28] = [
        Self::DnsFailedStaleKept,
        Self::DnsFailed,
        Self::DnsNxdomain,
        Self::DnsNoAddress,
        Self::HealthcheckContradicted,
        Self::HealthcheckBlocked,
        Self::TlsPlaintextPort,
        Self::TlsName,
        Self::TlsUntrusted,
        Self::TlsClientCert,
        Self::TlsFailed,
        Self::PortRefused,
        Self::Unreachable,
        Self::ConnectTimeout,
        Self::DualLocalhost,
        Self::AllOpenLastLight,
        Self::Silent,
        Self::UpstreamErrors,
        Self::KeyLimited,
        Self::KeyRejected,
        Self::CredentialUnavailable,
        Self::BudgetExhausted,
        Self::ModelUnknown,
        Self::Overloaded,
        Self::DeadlineTooShort,
        Self::ConfigRejectedKeptOld,
        Self::RequestRefused,
        Self::Internal,
    ];

    /// The code in answers, logs and the documentation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DnsFailedStaleKept => "DNS_FAILED_STALE_KEPT",
            Self::DnsFailed => "DNS_FAILED",
            Self::DnsNxdomain => "DNS_NXDOMAIN",
            Self::DnsNoAddress => "DNS_NO_ADDRESS",
            Self::HealthcheckContradicted => "HEALTHCHECK_CONTRADICTED",
            Self::HealthcheckBlocked => "HEALTHCHECK_BLOCKED",
            Self::TlsPlaintextPort => "TLS_PLAINTEXT_PORT",
            Self::TlsName => "TLS_NAME",
            Self::TlsUntrusted => "TLS_UNTRUSTED",
            Self::TlsClientCert => "TLS_CLIENT_CERT",
            Self::TlsFailed => "TLS_FAILED",
            Self::PortRefused => "PORT_REFUSED",
            Self::Unreachable => "UNREACHABLE",
            Self::ConnectTimeout => "CONNECT_TIMEOUT",
            Self::DualLocalhost => "DUAL_LOCALHOST",
            Self::AllOpenLastLight => "ALL_OPEN_LAST_LIGHT",
            Self::Silent => "SILENT",
            Self::UpstreamErrors => "UPSTREAM_ERRORS",
            Self::KeyLimited => "KEY_LIMITED",
            Self::KeyRejected => "KEY_REJECTED",
            Self::CredentialUnavailable => "CREDENTIAL_UNAVAILABLE",
            Self::BudgetExhausted => "BUDGET_EXHAUSTED",
            Self::ModelUnknown => "MODEL_UNKNOWN",
            Self::Overloaded => "OVERLOADED",
            Self::DeadlineTooShort => "DEADLINE_TOO_SHORT",
            Self::ConfigRejectedKeptOld => "CONFIG_REJECTED_KEPT_OLD",
            Self::RequestRefused => "REQUEST_REFUSED",
            Self::Internal => "INTERNAL",
        }
    }

    /// Its place in [`Self::ALL`].
    pub fn index(self) -> usize {
        Self::ALL.iter().position(|one| *one == self).unwrap_or(0)
    }

    /// Something is wrong, and requests are served all the same: a finding, never the reason of a failure.
    pub const fn is_survived(self) -> bool {
        matches!(
            self,
            Self::DnsFailedStaleKept
                | Self::HealthcheckContradicted
                | Self::DualLocalhost
                | Self::ConfigRejectedKeptOld
        )
    }

    /// The RFC 9209 section 2.3 error token for `Proxy-Status`, as far as the cause alone tells it.
    pub const fn proxy_status(self) -> &'static str {
        match self {
            Self::DnsFailedStaleKept | Self::DnsFailed | Self::DnsNxdomain | Self::DnsNoAddress => {
                "dns_error"
            }
            Self::HealthcheckBlocked | Self::ConnectTimeout => "connection_timeout",
            Self::TlsPlaintextPort | Self::TlsFailed => "tls_protocol_error",
            Self::TlsName | Self::TlsUntrusted => "tls_certificate_error",
            Self::TlsClientCert => "tls_alert_received",
            Self::PortRefused => "connection_refused",
            Self::Unreachable => "destination_ip_unroutable",
            Self::Silent | Self::DeadlineTooShort => "http_response_timeout",
            Self::KeyLimited | Self::Overloaded => "connection_limit_reached",
            Self::ModelUnknown => "destination_not_found",
            Self::RequestRefused => "http_request_error",
            Self::Internal | Self::ConfigRejectedKeptOld => "proxy_internal_error",
            Self::HealthcheckContradicted
            | Self::DualLocalhost
            | Self::AllOpenLastLight
            | Self::UpstreamErrors
            | Self::KeyRejected
            | Self::CredentialUnavailable
            | Self::BudgetExhausted => "destination_unavailable",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Diagnosis;
    use std::collections::HashSet;

    #[test]
    fn codes_are_distinct_and_none_is_left_out() {
        let codes: HashSet<_> = Diagnosis::ALL.iter().map(|cause| cause.as_str()).collect();
        assert_eq!(codes.len(), Diagnosis::ALL.len());
        for (at, cause) in Diagnosis::ALL.into_iter().enumerate() {
            assert_eq!(cause.index(), at);
            let code = cause.as_str();
            assert!(!code.is_empty() && code.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'), "{code}");
        }
        // The declaration and the list have the same length: nothing can be declared and not listed.
        assert_eq!(Diagnosis::Internal as usize + 1, Diagnosis::ALL.len());
    }
}
