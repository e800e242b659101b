//! What is accepted and checked, but has no effect yet: published APIs, teams.

use super::app::Budget;
use crate::section::section;
use crate::values::{ApiAuth, HeaderName, Int, List, Named, QueryName, Switch, Text, Time, Url};

section! {
    /// An HTTP service that is published through the gateway.
    Api {
        /// Which requests belong to it.
        Must match_rule as "match": Match,
        /// Where it is served.
        Must targets: List<Url, 1, 64>,
        /// Who may call it.
        May auth: ApiAuth,
        /// How its targets are asked whether they work.
        May health_check: HealthCheck,
        /// Whether answers are kept.
        May cache: Cache,
        /// Limits of the API as a whole.
        May limits: ApiLimits,
    }
}

section! {
    /// Which requests belong to an API: all that is given has to fit.
    Match {
        /// Path, or beginning of the path up to a slash.
        May path: Text,
        /// Host names.
        May hosts: List<Text, 1, 64>,
        /// Methods.
        May methods: List<Text, 1, 16>,
        /// Headers with their values.
        May headers: Named<HeaderName, Text>,
        /// Query parameters with their values.
        May query: Named<QueryName, Text>,
    }
}

section! {
    /// How a target is asked whether it works.
    HealthCheck {
        /// Path to ask for.
        Must path: Text,
        /// Time between two questions.
        May interval: Time<100, 86_400_000>,
        /// Time to wait for the answer.
        May timeout: Time<10, 3_600_000>,
    }
}

section! {
    /// Whether answers are kept (RFC 9111).
    Cache {
        /// Whether they are.
        May enabled: Switch,
        /// How long a stale answer may stand in for an error (RFC 5861 section 4).
        May stale_if_error: Time<0, 2_592_000_000>,
    }
}

section! {
    /// Limits of an API.
    ApiLimits {
        /// Requests per minute.
        May rpm: Int<1, 1_000_000_000>,
        /// Requests in flight.
        May concurrency: Int<1, 1_000_000>,
    }
}

section! {
    /// A group of apps.
    Team {
        /// What its apps may spend together.
        May budget: Budget,
    }
}
