//! The drills: for each cause, ways to bring it about and nothing else.

use wellhead_types::Diagnosis;

use super::dns::Reply;
use super::servers::Wrong;

/// What is done to a model of one target, or two.
#[derive(Debug, Clone)]
pub(super) enum Inject {
    /// Each target is a simulator with this fault, in its text form.
    Faults(&'static [&'static str]),
    /// The simulator answers every request with this status, code and message.
    Says(u16, &'static str, &'static str),
    /// So many targets at ports on which nobody listens.
    Closed(usize),
    /// A name that leads to such a port.
    ClosedByName,
    /// A name that is answered so.
    Name(Reply),
    /// A name that was answered well, and then so.
    NameLater(Reply),
    /// A name with one address that refuses and one that answers.
    HalfClosed,
    /// A port that takes no more connections.
    Full,
    /// An address that the machine knows no way to.
    NoWay,
    /// TLS to a simulator that speaks none.
    TlsToPlainHttp,
    /// TLS to a server that says this, at once or when spoken to.
    TlsTo(&'static [u8], bool),
    /// TLS to a server that hangs up.
    TlsToNobody,
    /// TLS to a server that takes the connection and says nothing.
    TlsToSilence,
    /// TLS to a server with this fault.
    Tls(Wrong),
    /// A server that takes requests and says nothing; so many of them.
    Mute(usize),
    /// A simulator with this fault, and a caller who allows so many milliseconds.
    Hurried(&'static str, u32),
    /// Two simulators with these faults, asked until both are left alone.
    Opened(&'static str, &'static str),
    /// The vendor does not know the model.
    UnknownModel,
    /// The caller asks for a model by a name that is not quite right.
    Misspelt,
    /// The credential has to be fetched from this place first, which gives none.
    NoToken(&'static str),
    /// A limit that was met by a request before.
    StillLimited,
}

/// Which requests a drill is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Both,
    Streamed,
}

/// One way to bring a cause about.
#[derive(Debug, Clone)]
pub(super) struct Drill {
    pub(super) cause: Diagnosis,
    pub(super) inject: Inject,
    pub(super) form: Form,
}

/// `\x15\x03\x03`: an alert; fatal (2), handshake_failure (40) (RFC 8446 section 6).
const HANDSHAKE_FAILURE: &[u8] = &[0x15, 3, 3, 0, 2, 2, 40];

/// Every drill.
pub(super) fn all() -> Vec<Drill> {
    use Diagnosis as D;
    use Inject::*;
    let quota = "You exceeded your current quota, please check your plan and billing details.";
    let both = |cause, inject| Drill { cause, inject, form: Form::Both };
    vec![
        both(D::DnsFailedStaleKept, NameLater(Reply::ServFail)),
        both(D::DnsFailedStaleKept, NameLater(Reply::Refused)),
        both(D::DnsFailedStaleKept, NameLater(Reply::NoSuchName)),
        both(D::DnsFailedStaleKept, NameLater(Reply::Empty)),
        both(D::DnsFailed, Name(Reply::ServFail)),
        both(D::DnsFailed, Name(Reply::Refused)),
        both(D::DnsNxdomain, Name(Reply::NoSuchName)),
        both(D::DnsNoAddress, Name(Reply::Empty)),
        both(D::TlsPlaintextPort, TlsToPlainHttp),
        both(D::TlsPlaintextPort, TlsTo(b"SSH-2.0-OpenSSH_9.9\r\n", true)),
        both(D::TlsPlaintextPort, TlsTo(b"HTTP/1.1 400 Bad Request\r\n\r\n", false)),
        both(D::TlsName, Tls(Wrong::Name)),
        both(D::TlsUntrusted, Tls(Wrong::Stranger)),
        both(D::TlsUntrusted, Tls(Wrong::Expired)),
        both(D::TlsUntrusted, Tls(Wrong::Early)),
        both(D::TlsClientCert, Tls(Wrong::Client { old: true })),
        both(D::TlsClientCert, Tls(Wrong::Client { old: false })),
        both(D::TlsFailed, TlsTo(HANDSHAKE_FAILURE, false)),
        both(D::TlsFailed, TlsToNobody),
        both(D::PortRefused, Closed(1)),
        both(D::PortRefused, Closed(2)),
        both(D::PortRefused, ClosedByName),
        both(D::Unreachable, NoWay),
        both(D::ConnectTimeout, Full),
        both(D::ConnectTimeout, TlsToSilence),
        both(D::DualLocalhost, HalfClosed),
        both(D::AllOpenLastLight, Opened("status:500", "status:529")),
        both(D::AllOpenLastLight, Opened("status:529", "reset-before-headers")),
        both(D::Silent, Faults(&["silence"])),
        both(D::Silent, Mute(1)),
        both(D::Silent, Mute(2)),
        both(D::UpstreamErrors, Faults(&["status:500"])),
        both(D::UpstreamErrors, Faults(&["status:502", "status:503"])),
        both(D::UpstreamErrors, Faults(&["reset-before-headers"])),
        both(D::UpstreamErrors, Faults(&["error-in-200"])),
        both(D::UpstreamErrors, Faults(&["wrong-content-type"])),
        both(D::UpstreamErrors, Faults(&["empty-body"])),
        Drill { form: Form::Streamed, ..both(D::UpstreamErrors, Faults(&["cut-after:5"])) },
        both(D::KeyLimited, Faults(&["status:429,retry-after=30"])),
        both(D::KeyLimited, Faults(&["status:429,retry-after=20", "status:429,retry-after=40"])),
        both(D::KeyLimited, StillLimited),
        both(D::KeyRejected, Faults(&["status:401"])),
        both(D::KeyRejected, Faults(&["status:403", "status:401"])),
        both(D::KeyRejected, Says(400, "invalid_api_key", "Incorrect API key provided.")),
        both(D::CredentialUnavailable, NoToken("source: workload-identity, token_file: not-there")),
        both(D::CredentialUnavailable, NoToken("client_secret: s, authority: 'http://127.0.0.1:9'")),
        both(D::BudgetExhausted, Faults(&["status:402"])),
        both(D::BudgetExhausted, Says(429, "insufficient_quota", quota)),
        both(D::ModelUnknown, UnknownModel),
        both(D::ModelUnknown, Misspelt),
        both(D::ModelUnknown, Says(404, "model_not_found", "The model `m0` does not exist.")),
        both(D::Overloaded, Faults(&["status:529"])),
        both(D::Overloaded, Says(503, "overloaded_error", "Overloaded")),
        both(D::DeadlineTooShort, Hurried("slow-first-token:4000", 400)),
        both(D::DeadlineTooShort, Hurried("status:429,retry-after=3", 800)),
        both(
            D::RequestRefused,
            Says(200, "context_length_exceeded", "This model's maximum context length is 8192 tokens."),
        ),
    ]
}
