//! A provider made ready: where it is, how it is spoken to, which keys it has.

use super::header_value;
use crate::state::{KeyState, Registry, Slots};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderName, HeaderValue, Uri};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use wellhead_catalog::{AZURE_KEY_HEADER, Auth, Dialect, Kind, Prefill};
use wellhead_config::snapshot::{self, BaseUrl, Cloud, Provider, Signing};
use wellhead_credentials::Credential;
use wellhead_net::{Endpoint, Protocol, TlsOptions};
use wellhead_resilience::Nanos;
use wellhead_types::{Name, Secret};
use wellhead_wire::openai::Endpoint as Api;

/// One provider.
#[derive(Debug)]
pub(crate) struct ProviderPlan {
    pub(crate) name: Name,
    pub(crate) kind: Arc<Kind>,
    pub(crate) otel_name: Name,
    pub(crate) region: Option<Name>,
    /// How it continues an answer that broke off elsewhere, if that was configured.
    prefill: Option<Prefill>,
    /// It serves the Responses API.
    pub(super) responses: bool,
    /// It honours `Idempotency-Key`.
    pub(crate) idempotency: bool,
    /// The header that carries the vendor's own request id.
    pub(crate) request_id_header: Option<HeaderName>,
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) host: HeaderValue,
    /// Configured headers and those of the kind.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) keys: Vec<KeyPlan>,
    /// The most requests in flight, where that is configured, and those that are.
    pub(crate) slots: Option<(u32, Arc<Slots>)>,
    next_key: AtomicUsize,
    base: BaseUrl,
    /// `api-version` of Azure's older surface, which has the deployment in the path.
    api_version: Option<String>,
    /// Query of the kind, with its `?`, or empty.
    query: String,
}

/// One credential, encoded.
#[derive(Debug)]
pub(crate) struct KeyPlan {
    pub(crate) id: Name,
    pub(crate) secret: Secret,
    /// Header and value that carry it; `None` where the kind takes none, or where a cloud gives it out.
    pub(crate) header: Option<(HeaderName, HeaderValue)>,
    /// Where a cloud gives it out.
    pub(crate) cloud: Option<Box<CloudKey>>,
    pub(crate) state: Arc<KeyState>,
}

impl KeyPlan {
    /// As people see it: `…a1`, or its id where there is no text of its own.
    pub(crate) fn shown(&self) -> String {
        if self.cloud.is_some() { self.id.to_string() } else { self.secret.masked() }
    }
}

/// A credential that is fetched, and put on each request by itself.
#[derive(Debug)]
pub(crate) struct CloudKey {
    pub(crate) credential: Arc<Credential>,
    /// What requests are signed for; `None`: they carry the credential.
    pub(crate) signing: Option<Signing>,
    /// It has been refused, and was fetched anew because of that.
    doubted: AtomicBool,
}

impl CloudKey {
    /// It was refused. Returns whether that is news: then it is fetched anew.
    pub(crate) fn doubt(&self) -> bool {
        let is_news = !self.doubted.swap(true, Ordering::Relaxed);
        if is_news {
            self.credential.doubt();
        }
        is_news
    }

    /// It was taken.
    pub(crate) fn trust(&self) {
        self.doubted.store(false, Ordering::Relaxed);
    }
}

/// Where one endpoint of the API is, for both protocol versions.
#[derive(Debug, Clone)]
pub(crate) struct Uris {
    /// Path and query: what HTTP/1.1 sends.
    pub(crate) origin: Uri,
    /// The whole URI: what HTTP/2 takes apart.
    pub(crate) absolute: Uri,
}

impl ProviderPlan {
    pub(super) fn compile(provider: &Provider, registry: &Registry) -> Result<Self, String> {
        let base = provider.base_url.clone();
        let tls = base.tls.then(|| TlsOptions {
            ca_file: provider.tls.ca_file.clone(),
            server_name: provider.tls.server_name.clone(),
        });
        let protocol = match provider.protocol {
            snapshot::Protocol::Auto => Protocol::Auto,
            snapshot::Protocol::Http1 => Protocol::Http1,
            snapshot::Protocol::Http2 => Protocol::Http2,
        };
        let keys = provider.keys.iter().map(|key| {
            Ok(KeyPlan {
                id: key.id.clone(),
                secret: key.secret.clone(),
                header: match key.cloud {
                    Some(_) => None,
                    None => credential(&provider.kind.auth, key.secret.expose())?,
                },
                cloud: key.cloud.as_ref().map(|cloud| cloud_key(cloud, registry)),
                state: registry.key(&provider.name, &key.id),
            })
        });
        Ok(Self {
            name: provider.name.clone(),
            kind: provider.kind.clone(),
            otel_name: provider.kind.otel_name.as_str().into(),
            region: provider.region.clone(),
            prefill: provider.prefill,
            responses: provider.responses,
            idempotency: provider.idempotency,
            request_id_header: HeaderName::try_from(provider.kind.quirks.request_id_header.as_str()).ok(),
            endpoint: Arc::new(Endpoint {
                host: base.host.clone(),
                port: base.port,
                tls,
                protocol,
                connect_timeout: provider.connect_timeout,
            }),
            host: header_value(&authority(&base), "base_url")?,
            headers: headers(provider)?,
            keys: keys.collect::<Result<_, String>>()?,
            slots: provider.concurrency_max.map(|max| (max, registry.slots(&provider.name))),
            next_key: AtomicUsize::new(0),
            api_version: provider.api_version.clone(),
            query: query(&provider.kind),
            base,
        })
    }

    /// Whether a key is free for the model, and if not, when. Keyless providers are always free.
    pub(crate) fn key_free_at(&self, model: &Name, now: Nanos) -> Option<Nanos> {
        let mut earliest = None;
        for key in &self.keys {
            let rests = key.state.rests_until(model, now)?;
            earliest = Some(earliest.map_or(rests, |e: Nanos| e.min(rests)));
        }
        earliest
    }

    /// Whether all that keeps its keys from being used are rate limits.
    pub(crate) fn is_limited(&self, now: Nanos) -> bool {
        !self.keys.is_empty() && self.keys.iter().all(|key| key.state.is_limited(now))
    }

    /// The number of the next free key in turn. `Err` when all rest; `Ok(None)` for a keyless provider.
    pub(crate) fn take_key(&self, model: &Name, now: Nanos) -> Result<Option<usize>, ()> {
        if self.keys.is_empty() {
            return Ok(None);
        }
        let first = self.next_key.fetch_add(1, Ordering::Relaxed);
        (0..self.keys.len())
            .map(|i| first.wrapping_add(i) % self.keys.len())
            .find(|i| self.keys[*i].state.rests_until(model, now).is_none())
            .map(Some)
            .ok_or(())
    }

    /// Whether the vendor has the endpoint at all, as far as is known.
    pub(crate) fn serves(&self, endpoint: Api) -> bool {
        let upstream_path = endpoint.upstream_path();
        if self.kind.dialect != Dialect::Openai {
            return endpoint == Api::ChatCompletions || super::aside::form(&self.kind, endpoint).is_some();
        }
        if upstream_path == Api::Responses.upstream_path() {
            return self.responses;
        }
        let known = &self.kind.quirks.endpoints;
        known.is_empty() || known.iter().any(|endpoint| endpoint == upstream_path)
    }

    /// How one of its models continues an answer that broke off elsewhere.
    pub(crate) fn prefill_of(&self, model: &str) -> Prefill {
        let quirks = &self.kind.quirks;
        let of_model =
            quirks.prefill_models.iter().find(|(pattern, _)| wellhead_catalog::fits(pattern, model));
        self.prefill.unwrap_or_else(|| of_model.map_or(quirks.prefill, |(_, form)| *form))
    }

    /// The path of its base URL, without a slash at its end.
    pub(super) fn base_path(&self) -> &str {
        self.base.path.trim_end_matches('/')
    }

    /// Where an endpoint (`chat/completions`) is for a vendor's model.
    pub(crate) fn uris(&self, upstream_path: &str, model: &str) -> Result<Uris, String> {
        self.uris_below(&self.base.path, upstream_path, model)
    }

    /// The same below another path than the base URL's own.
    pub(crate) fn uris_below(
        &self,
        base_path: &str,
        upstream_path: &str,
        model: &str,
    ) -> Result<Uris, String> {
        let path = match &self.api_version {
            Some(version) => {
                let base = base_path.trim_end_matches("/openai/v1").trim_end_matches("/openai");
                format!("{base}/openai/deployments/{model}/{upstream_path}?api-version={version}")
            }
            None => {
                let query = match &*self.query {
                    "" => String::new(),
                    more if upstream_path.contains('?') => format!("&{}", &more[1..]),
                    only => only.to_owned(),
                };
                format!("{base_path}/{upstream_path}{query}")
            }
        };
        uris(&self.base, &path)
    }
}

/// A path at the host of a base URL.
pub(super) fn uris(base: &BaseUrl, path: &str) -> Result<Uris, String> {
    let path = PathAndQuery::try_from(path).map_err(|e| format!("path {path:?}: {e}"))?;
    let scheme = if base.tls { Scheme::HTTPS } else { Scheme::HTTP };
    let authority = Authority::try_from(authority(base)).map_err(|e| format!("base_url: {e}"))?;
    let absolute = Uri::builder().scheme(scheme).authority(authority).path_and_query(path.clone());
    Ok(Uris { origin: Uri::from(path), absolute: absolute.build().map_err(|e| format!("base_url: {e}"))? })
}

/// `Host` of the base URL: the port only where it is not the scheme's own, brackets around IPv6.
pub(super) fn authority(base: &BaseUrl) -> String {
    let host = if base.host.contains(':') { format!("[{}]", base.host) } else { base.host.clone() };
    match (base.tls, base.port) {
        (true, 443) | (false, 80) => host,
        (_, port) => format!("{host}:{port}"),
    }
}

fn cloud_key(cloud: &Cloud, registry: &Registry) -> Box<CloudKey> {
    Box::new(CloudKey {
        credential: registry.credential(&cloud.source),
        signing: cloud.signing.clone(),
        doubted: AtomicBool::new(false),
    })
}

fn credential(auth: &Auth, secret: &str) -> Result<Option<(HeaderName, HeaderValue)>, String> {
    let (name, text) = match auth {
        Auth::None => return Ok(None),
        Auth::Header(name) => (
            HeaderName::try_from(name.as_str()).map_err(|_| "auth header name".to_owned())?,
            secret.to_owned(),
        ),
        Auth::AzureEntra => (HeaderName::from_static(AZURE_KEY_HEADER), secret.to_owned()),
        Auth::Bearer | Auth::OptionalBearer | Auth::AwsSigv4(_) | Auth::GcpOauth => {
            (http::header::AUTHORIZATION, format!("Bearer {secret}"))
        }
    };
    let mut value = header_value(&text, "a key")?;
    value.set_sensitive(true);
    Ok(Some((name, value)))
}

fn headers(provider: &Provider) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    let of_kind = provider.kind.quirks.headers.iter().map(|(n, v)| (n, v));
    let configured = provider.headers.iter().map(|(n, v)| (n, v));
    of_kind
        .chain(configured)
        .map(|(name, value)| {
            let name = HeaderName::try_from(name.as_str()).map_err(|_| format!("header name {name:?}"))?;
            Ok((name, header_value(value, "a header")?))
        })
        .collect()
}

fn query(kind: &Kind) -> String {
    let pairs: Vec<_> = kind.quirks.query.iter().map(|(n, v)| format!("{n}={v}")).collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}
