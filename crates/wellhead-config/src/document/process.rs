//! `listen:`, `limits:`, `dns:`, `server:` and `telemetry:`: what concerns the process as a whole.

use crate::section::section;
use crate::values::{AccessLogChoice, Address, Bytes, Int, List, Switch, Time, Url};

section! {
    /// Where to listen.
    Listen {
        /// Where applications connect. Default: 127.0.0.1:4000.
        May gateway: Address,
        /// Management API, health and metrics. Default: 127.0.0.1:4001.
        May admin: Address,
    }
}

section! {
    /// Limits that are not tied to one object.
    Limits {
        /// Largest request body. Default: 32MiB.
        May body_bytes_max: Bytes<1024, 1_073_741_824>,
        /// Memory for bodies that are kept for another attempt, over all requests. Default: 512MiB.
        May replay_bytes_max: Bytes<0, 1_099_511_627_776>,
        /// Largest unstreamed answer that is inspected for usage. Default: 8MiB.
        May inspect_bytes_max: Bytes<1024, 1_073_741_824>,
        /// Largest single event of a stream. Default: 4MiB.
        May event_bytes_max: Bytes<1024, 268_435_456>,
        /// Memory for answers that models keep (`fallback.cache`), over all of them; 0B keeps none. Default: 64MiB.
        May cache_bytes_max: Bytes<0, 1_099_511_627_776>,
        /// Largest request head. Default: 64KiB.
        May header_bytes_max: Bytes<1024, 1_048_576>,
        /// Client connections of the process. Default: 20000.
        May connections_max: Int<1, 10_000_000>,
        /// Time for a client to send its request head. Default: 15s.
        May header_timeout: Time<100, 3_600_000>,
        /// Longest silence within a request body. Default: 30s.
        May body_idle_timeout: Time<100, 3_600_000>,
    }
}

section! {
    /// What is kept of deferred requests. What is over a limit is refused when it comes; nothing is dropped later.
    Defer {
        /// Requests that wait and results that are kept, together. Default: 20000.
        May requests_max: Int<1, 1_000_000>,
        /// Their bodies, on disk. Default: 1GiB.
        May bytes_max: Bytes<1024, 1_099_511_627_776>,
        /// Requests and results of one app. Default: 5000, or requests_max if that is smaller.
        May app_requests_max: Int<1, 1_000_000>,
        /// Their bodies. Default: 256MiB, or bytes_max if that is smaller.
        May app_bytes_max: Bytes<1024, 1_099_511_627_776>,
        /// How long a result, and the idempotency key of its request, are kept. Default: 24h.
        May keep: Time<1000, 2_592_000_000>,
    }
}

section! {
    /// How host names become addresses. Addresses that worked are never given up because a server fails.
    Dns {
        /// Servers to ask instead of the system's, as address and port, such as 192.0.2.53:53. Names are asked for as
        /// they are written, without search domains. With two or more, a name is believed to be gone only when two of
        /// them say so. Default: the system's.
        May servers: List<Address, 1, 16>,
    }
}

section! {
    /// How the process runs. Read once at start.
    Server {
        /// Worker threads; 0 means one per core, at most 8. Default: 0.
        May workers: Int<0, 1024>,
        /// One runtime with many threads instead of one single-threaded runtime per worker. Default: false.
        May shared_runtime: Switch,
        /// How long a stop signal keeps accepting requests. Default: 0s in a terminal, otherwise 30s.
        May drain_min: Time<0, 86_400_000>,
        /// How long streams may take to end after a stop signal. Default: 1h.
        May drain_max: Time<0, 604_800_000>,
        /// Consent to an admin address that other machines can reach. Default: false.
        May admin_exposed: Switch,
    }
}

section! {
    /// Where records and traces go. Read once at start.
    Telemetry {
        /// OTLP/HTTP endpoint for traces, such as http://127.0.0.1:4318. Default: none.
        May otlp_endpoint: Url,
        /// Access records: stdout, off, or a path with a slash. Default: stdout.
        May access_log: AccessLogChoice,
    }
}
