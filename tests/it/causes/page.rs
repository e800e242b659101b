//! The page `docs/reference/causes.md`.

use std::path::{Path, PathBuf};

use wellhead_types::Diagnosis;

use super::Matrix;

/// Each code: what it means, how it is found out, what to do.
const CAUSES: [(Diagnosis, &str, &str, &str); Diagnosis::ALL.len()] = [
    (
        Diagnosis::DnsFailedStaleKept,
        "The name cannot be looked up, and the addresses of before are still used. Requests are served.",
        "Look-ups fail, or contradict what worked, while addresses are known; the status says since when, and what \
         which server said.",
        "`dig NAME` at the servers of `dns.servers`, or of the system. Nothing is urgent as long as the addresses stay \
         right: they are kept for as long as it takes.",
    ),
    (
        Diagnosis::DnsFailed,
        "No name server answers, and no address is known from before.",
        "Every server was silent, refused, or failed (SERVFAIL) since the gateway started.",
        "`dig NAME`; correct `dns.servers`, or the name servers of the system.",
    ),
    (
        Diagnosis::DnsNxdomain,
        "The name does not exist.",
        "A server says NXDOMAIN. Addresses that worked are given up only when three answers over 30 s agree.",
        "Correct the host in `providers.NAME.base_url`, or make the name.",
    ),
    (
        Diagnosis::DnsNoAddress,
        "The name exists, but has no address.",
        "Servers answer without one, for IPv4 and for IPv6.",
        "Correct the host in `providers.NAME.base_url`, or give the name an A or AAAA record.",
    ),
    (
        Diagnosis::HealthcheckContradicted,
        "The check of a target fails while requests to it succeed. The check is ignored.",
        "Checks in a row fail, and live traffic succeeds meanwhile. There are no active checks yet.",
        "Correct path or expected status of the check.",
    ),
    (
        Diagnosis::HealthcheckBlocked,
        "The check of a target cannot connect, and no request says otherwise.",
        "Checks run into their connect timeout. There are no active checks yet.",
        "Look for a firewall between here and the target.",
    ),
    (
        Diagnosis::TlsPlaintextPort,
        "TLS was spoken to a port that does not speak it.",
        "The answer to the handshake is HTTP, SSH, or something else that is no TLS.",
        "Write `http://`, or the port of TLS, in `providers.NAME.base_url`.",
    ),
    (
        Diagnosis::TlsName,
        "The certificate is for other names.",
        "The certificate is good but for its names; the finding has the name that was asked for and those received.",
        "Write one of the names of the certificate into `providers.NAME.tls.server_name`, or correct the `base_url`.",
    ),
    (
        Diagnosis::TlsUntrusted,
        "The certificate is expired, not yet valid, or signed by nobody who is trusted here.",
        "Verification fails; the finding says which of the three, and who signed.",
        "Have it renewed, set the clock of this machine, or name the file of its authority in \
         `providers.NAME.tls.ca_file`.",
    ),
    (
        Diagnosis::TlsClientCert,
        "The server wants a certificate of the gateway's.",
        "An alert about our certificate: 116 (required), 42 (bad), or one of their kind.",
        "Name an entry in `providers.NAME.base_url` that asks for none: the gateway has no client certificates yet.",
    ),
    (
        Diagnosis::TlsFailed,
        "The TLS handshake fails for another reason.",
        "An alert that is not about certificates, no common version, or the server hangs up.",
        "`openssl s_client -connect HOST:PORT` shows the server's side of it.",
    ),
    (
        Diagnosis::PortRefused,
        "Nobody listens on that port.",
        "Every address that can be asked refuses the connection.",
        "Start the server, or correct the port in `providers.NAME.base_url`.",
    ),
    (
        Diagnosis::Unreachable,
        "There is no way to the address, or the connection is reset while it is being made.",
        "The system says so: no route, host unreachable.",
        "Look at the routes and firewalls between here and the address in the finding.",
    ),
    (
        Diagnosis::ConnectTimeout,
        "No connection within the connect timeout.",
        "An address neither accepts nor refuses, or accepts and does not answer the TLS handshake.",
        "Look for a firewall that drops packets, or a server that hangs; `providers.NAME.timeouts.connect` is how long \
         is waited.",
    ),
    (
        Diagnosis::DualLocalhost,
        "One address of a name refuses connections and another one answers. Requests are served.",
        "A connection came about only at the second address, within the last ten minutes. The classic is `localhost`, \
         which is both 127.0.0.1 and ::1.",
        "Name the address that answers in `providers.NAME.base_url`, or let the server listen on both.",
    ),
    (
        Diagnosis::AllOpenLastLight,
        "Every target has been failing, for reasons that differ, and is left alone; one request at a time finds out \
         whether that is over.",
        "All breakers are open, and no single cause explains it.",
        "The findings have the last error of each. Add a target of another provider to `models.NAME.targets`.",
    ),
    (
        Diagnosis::Silent,
        "Requests are accepted and not answered.",
        "Nothing came before the limit for the first content, or before the model's deadline.",
        "Add a target to `models.NAME.targets`; if it is only slow, raise `models.NAME.timeouts`.",
    ),
    (
        Diagnosis::UpstreamErrors,
        "The targets answer with errors of their own: 5xx, broken or empty answers, connections that break.",
        "The failures of this request, or those that lead to a target being left alone.",
        "The vendor's status page; a target of another provider in `models.NAME.targets`.",
    ),
    (
        Diagnosis::KeyLimited,
        "The vendor's rate limit is reached.",
        "429, and all keys for that model rest because of it.",
        "Add a key to `providers.NAME.keys` or a target to `models.NAME.targets`, or have the limit raised.",
    ),
    (
        Diagnosis::KeyRejected,
        "The vendor refuses the gateway's key.",
        "401, 403, or a body that says so under another status.",
        "Replace the key in `providers.NAME.keys`.",
    ),
    (
        Diagnosis::CredentialUnavailable,
        "The credential has to be fetched from a cloud first, and cannot be had.",
        "The newest try to fetch it failed, and the one of before has ended; the finding says where it was to come from, \
         and what was said there.",
        "Correct the credential in `providers.NAME.keys`, or what it is fetched from; `wellhead doctor NAME` fetches it \
         once. It is tried again every 30 s at most.",
    ),
    (
        Diagnosis::BudgetExhausted,
        "The account's credit is spent.",
        "402, or a body that says so: the same 429 can mean a limit or an empty account.",
        "Top up the account, or add another provider to `models.NAME.targets`.",
    ),
    (
        Diagnosis::ModelUnknown,
        "The vendor does not know the model; or no model of that name is configured here for that key \
         (`model_not_found`).",
        "404 from the vendor, or a body that says so.",
        "Correct the `model` of that target in `models.NAME.targets`; or the name in the request: the message has the \
         one that was probably meant.",
    ),
    (
        Diagnosis::Overloaded,
        "More is asked than can be carried: of the targets, or of the gateway itself.",
        "529, a body that says overloaded, or a limit of the gateway's own. A plain 503 says nothing of the kind and \
         counts as `UPSTREAM_ERRORS`.",
        "Add a target of another provider; for the gateway's own limits, raise the one that the message names.",
    ),
    (
        Diagnosis::DeadlineTooShort,
        "The caller allows less time than it takes, and with the time that the model allows it would have been \
         answered.",
        "The recovery is known and lies between the caller's deadline and the model's; or the caller's time was over \
         before a target had answered that is not known to be silent.",
        "Raise the timeout of the client. SDKs send it as `x-stainless-timeout`.",
    ),
    (
        Diagnosis::ConfigRejectedKeptOld,
        "A new configuration was refused, and the one of before is used. Requests are served.",
        "The newest attempt to load it failed; the finding has file, line and generation.",
        "`wellhead check FILE` shows every error. Saving the corrected file is enough.",
    ),
    (
        Diagnosis::RequestRefused,
        "The upstream says that the request itself is at fault, where its answer could not be passed on as it came.",
        "An error about the request within an answer that began as a success.",
        "Correct the request; `wellhead explain` has the vendor's words.",
    ),
    (
        Diagnosis::Internal,
        "A step of the gateway's own failed.",
        "A failure before anything was sent that no one else can be blamed for.",
        "Report it, with the log of that moment.",
    ),
];

const HEAD: &str = "\
# Causes

Every failure that the gateway has to make itself carries the code of its cause: `error.cause` in the body and
`Proxy-Status` for the client, with one sentence that names neither addresses nor keys. The evidence, target by target,
with the exact fix is for operators: one line in the log when the cause of a model's failures changes, `/status` and
`wellhead status`, `wellhead explain REQUEST_ID`, and `wellhead_diagnoses_total{cause}` in the metrics. Codes never
change their meaning.

When several causes are there, one that somebody has to mend counts before one that passes by itself, in the order of
`PRECEDENCE` in `wellhead-resilience/src/diagnose`; all are in the findings.

`wellhead explain` tells the newest 1,000 requests (4 MiB at most) since the start that failed, were rescued or were not
taken on. Half of the room is for those that failed. Requests that went straight are in the access records only.

The page is written by the tests (`tests/it/causes`):
`WELLHEAD_BLESS=1 cargo nextest run --package wellhead-it every_cause`.
";

const MATRIX: &str = "\
\n## Are they told apart?\n
Each cause that can arise by now is brought about by itself, over real sockets, in several ways, streamed and
unstreamed. What was injected, how often, and which code was printed:

| Injected | Runs | Printed |
| --- | --- | --- |
";

/// The page for these results.
fn render(matrix: &Matrix) -> String {
    let mut page = HEAD.to_owned();
    for (at, (cause, means, found, fix)) in CAUSES.iter().enumerate() {
        assert_eq!(*cause, Diagnosis::ALL[at], "the page has the codes in their order");
        let token = cause.proxy_status();
        let token = if cause.is_survived() { String::new() } else { format!(" `Proxy-Status`: `{token}`.") };
        page += &format!("\n## {}\n\n{means}\n\nFound by: {found}{token}\n\nFix: {fix}\n", cause.as_str());
    }
    page += MATRIX;
    let mut blank: Vec<_> = Diagnosis::ALL.iter().map(|cause| cause.as_str()).collect();
    for (injected, printed) in matrix {
        let told: Vec<_> = printed.iter().map(|(code, runs)| format!("`{code}` {runs}")).collect();
        page += &format!("| `{injected}` | {} | {} |\n", printed.values().sum::<usize>(), told.join(", "));
        blank.retain(|code| code != injected);
    }
    let blank: Vec<_> = blank.into_iter().map(|code| format!("`{code}`")).collect();
    page += &format!("\nNot brought about: {}.\n", blank.join(", "));
    wrapped(&page)
}

/// Lines of at most 120 characters, tables excepted.
fn wrapped(page: &str) -> String {
    const COLUMNS_MAX: usize = 120;
    let mut out = String::new();
    for line in page.lines() {
        let mut column = 0;
        if !line.starts_with('|') && line.len() > COLUMNS_MAX {
            for word in line.split(' ') {
                if column > 0 && column + 1 + word.len() > COLUMNS_MAX {
                    out.push('\n');
                    column = 0;
                } else if column > 0 {
                    out.push(' ');
                    column += 1;
                }
                out.push_str(word);
                column += word.len();
            }
        } else {
            out.push_str(line);
        }
        out.push('\n');
    }
    out
}

/// The same number of runs, all told rightly.
fn perfect(matrix: &Matrix) -> Matrix {
    let all = |printed: &std::collections::BTreeMap<String, usize>| printed.values().sum();
    matrix
        .iter()
        .map(|(injected, printed)| (*injected, [((*injected).to_owned(), all(printed))].into()))
        .collect()
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/causes.md")
}

/// Writes the page if that is asked for, and fails when the one that is checked in is out of date. A run in which a few
/// were confused is no reason to change it.
pub(super) fn check(matrix: &Matrix) {
    if std::env::var_os("WELLHEAD_BLESS").is_some() {
        std::fs::write(path(), render(matrix)).unwrap();
    }
    let page = std::fs::read_to_string(path()).unwrap_or_default();
    let fits = [matrix, &perfect(matrix)].into_iter().any(|matrix| render(matrix) == page);
    assert!(
        fits,
        "docs/reference/causes.md is not what these tests have found; if that is right, run them with \
         WELLHEAD_BLESS=1. It would be:\n{}",
        render(matrix)
    );
}
