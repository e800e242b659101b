//! A receiver of webhooks made ready.

use super::header_value;
use super::provider::{Uris, authority, uris};
use http::HeaderValue;
use std::sync::Arc;
use std::time::Duration;
use wellhead_config::snapshot::Webhook;
use wellhead_net::{Endpoint, Protocol, TlsOptions};
use wellhead_policy::WebhookKey;

/// Time to connect.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// Where an app is told that a deferred request has ended.
#[derive(Debug)]
pub(crate) struct WebhookPlan {
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) host: HeaderValue,
    pub(crate) uris: Uris,
    /// Signs with each of them, while secrets are being changed.
    pub(crate) keys: Vec<WebhookKey>,
}

impl WebhookPlan {
    pub(super) fn compile(webhook: &Webhook) -> Result<Self, String> {
        let Webhook { url, secrets } = webhook;
        let path = if url.path.is_empty() { "/" } else { &url.path };
        Ok(Self {
            endpoint: Arc::new(Endpoint {
                host: url.host.clone(),
                port: url.port,
                tls: url.tls.then(TlsOptions::default),
                protocol: Protocol::Auto,
                connect_timeout: CONNECT_MAX,
            }),
            host: header_value(&authority(url), "a webhook's url")?,
            uris: uris(url, path)?,
            keys: secrets
                .iter()
                .map(|secret| WebhookKey::parse(secret.expose()))
                .collect::<Result<_, _>>()?,
        })
    }
}
