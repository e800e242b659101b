//! Why nobody could answer, as people are told: the causes of an outage, each with a code that never changes.

/// What is behind a failure that the gateway had to make itself, or behind something that it has survived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Diagnosis {
    /// Names cannot be resolved now; the addresses of before are still used.
    DnsFailedStaleKept,
    /// The name does not exist.
    DnsNxdomain,
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
    /// Every address refuses connections on that port.
    PortRefused,
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
}

impl Diagnosis {
    /// Every cause, in the order of the documentation.
    pub const ALL: [Self; 21] = [
        Self::DnsFailedStaleKept,
        Self::DnsNxdomain,
        Self::HealthcheckContradicted,
        Self::HealthcheckBlocked,
        Self::TlsPlaintextPort,
        Self::TlsName,
        Self::TlsUntrusted,
        Self::TlsClientCert,
        Self::PortRefused,
        Self::ConnectTimeout,
        Self::DualLocalhost,
        Self::AllOpenLastLight,
        Self::Silent,
        Self::UpstreamErrors,
        Self::KeyLimited,
        Self::KeyRejected,
        Self::BudgetExhausted,
        Self::ModelUnknown,
        Self::Overloaded,
        Self::DeadlineTooShort,
        Self::ConfigRejectedKeptOld,
    ];

    /// The code in answers, logs and the documentation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DnsFailedStaleKept => "DNS_FAILED_STALE_KEPT",
            Self::DnsNxdomain => "DNS_NXDOMAIN",
            Self::HealthcheckContradicted => "HEALTHCHECK_CONTRADICTED",
            Self::HealthcheckBlocked => "HEALTHCHECK_BLOCKED",
            Self::TlsPlaintextPort => "TLS_PLAINTEXT_PORT",
            Self::TlsName => "TLS_NAME",
            Self::TlsUntrusted => "TLS_UNTRUSTED",
            Self::TlsClientCert => "TLS_CLIENT_CERT",
            Self::PortRefused => "PORT_REFUSED",
            Self::ConnectTimeout => "CONNECT_TIMEOUT",
            Self::DualLocalhost => "DUAL_LOCALHOST",
            Self::AllOpenLastLight => "ALL_OPEN_LAST_LIGHT",
            Self::Silent => "SILENT",
            Self::UpstreamErrors => "UPSTREAM_ERRORS",
            Self::KeyLimited => "KEY_LIMITED",
            Self::KeyRejected => "KEY_REJECTED",
            Self::BudgetExhausted => "BUDGET_EXHAUSTED",
            Self::ModelUnknown => "MODEL_UNKNOWN",
            Self::Overloaded => "OVERLOADED",
            Self::DeadlineTooShort => "DEADLINE_TOO_SHORT",
            Self::ConfigRejectedKeptOld => "CONFIG_REJECTED_KEPT_OLD",
        }
    }
}
