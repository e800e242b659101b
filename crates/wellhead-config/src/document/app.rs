//! `apps:`.

use crate::section::section;
use crate::values::{Dollars, Int, KeyEntry, List, Named, PriorityChoice, SecretText, TagName, Text, Url};

section! {
    /// A consumer.
    App {
        /// Its keys, at least 16 characters each; as text or as {secret, id}.
        Must keys: List<KeyEntry, 1, 16>,
        /// The models that it may use. Default: all.
        May models: List<Text, 1, 10_000>,
        /// Regions of providers that may see its requests. Default: all.
        May regions: List<Text, 1, 64>,
        /// Its limits. Default: none.
        May limits: AppLimits,
        /// How important its requests are when there is more to do than targets can take: critical, default, best-effort
        /// or bulk. Lower ones wait longer and are refused first. Default: default.
        May priority: PriorityChoice,
        /// Where it is told that a deferred request has ended. Default: nowhere.
        May webhook: Webhook,
        /// The team that it belongs to.
        Later team: Text,
        /// What it may spend.
        Later budget: Budget,
        /// Words to sort it by in reports.
        Later tags: Named<TagName, Text>,
    }
}

section! {
    /// Limits of an app.
    AppLimits {
        /// Requests per minute.
        May rpm: Int<1, 1_000_000_000>,
        /// Tokens per minute, read and written.
        May tpm: Int<1, 1_000_000_000_000>,
        /// Requests in flight.
        May concurrency: Int<1, 1_000_000>,
    }
}

section! {
    /// A receiver of Standard Webhooks.
    Webhook {
        /// Its address.
        Must url: Url,
        /// Secrets that messages are signed with, each as whsec_ and base64 of 24 to 64 bytes; several while they are
        /// being changed.
        Must secrets: List<SecretText, 1, 4>,
    }
}

section! {
    /// Money that may be spent.
    Budget {
        /// US dollars per day.
        May usd_per_day: Dollars,
        /// US dollars per month.
        May usd_per_month: Dollars,
    }
}
