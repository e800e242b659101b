//! A question to a provider that costs no tokens, asked as requests are: the same address, headers, form of the
//! credential and TLS. For whoever examines a provider.

use super::provider::{ProviderPlan, Uris};
use crate::state::Registry;
use http::header::{ACCEPT, AUTHORIZATION, HOST, HeaderMap, HeaderValue};
use http::{Method, Request, Version};
use std::sync::Arc;
use wellhead_config::snapshot::{Cloud, Provider, ProviderKey};
use wellhead_credentials::Material;
use wellhead_credentials::sigv4::{BodyHash, Parts, sign};
use wellhead_net::{Endpoint, OutBody};

/// `GET` of something below a provider's base URL.
#[derive(Debug, Clone)]
pub struct Question {
    endpoint: Arc<Endpoint>,
    uris: Uris,
    headers: HeaderMap,
}

impl Question {
    /// Asks for `path` (`models`) with this key of the provider, or with none.
    ///
    /// # Errors
    /// What of the provider cannot be put into a request, without its secrets.
    pub fn get(provider: &Provider, key: Option<&ProviderKey>, path: &str) -> Result<Self, String> {
        let mut provider = Provider { keys: key.cloned().into_iter().collect(), ..provider.clone() };
        let mut path = path.to_owned();
        // The older surface of Azure has deployments in its paths, but what concerns no deployment is beside them.
        if let Some(version) = provider.api_version.take() {
            let base = provider.base_url.path.trim_end_matches("/openai/v1").trim_end_matches("/openai");
            provider.base_url.path = format!("{base}/openai");
            path = format!("{path}?api-version={version}");
        }
        let plan = ProviderPlan::compile(&provider, &Registry::default())?;
        let mut headers = HeaderMap::new();
        headers.insert(HOST, plan.host.clone());
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.extend(plan.headers.iter().cloned());
        headers.extend(plan.keys.iter().filter_map(|key| key.header.clone()));
        Ok(Self { uris: plan.uris(&path, "")?, endpoint: plan.endpoint, headers })
    }

    /// Puts a fetched credential on it, if the key has one. `unix_s`: seconds since 1970.
    ///
    /// # Errors
    /// What of the credential cannot be put into a request, without its secrets.
    pub fn authorize(&mut self, cloud: &Cloud, material: &Material, unix_s: u64) -> Result<(), String> {
        let signed = match (material, &cloud.signing) {
            (Material::Token { header, .. }, _) => vec![(AUTHORIZATION, header.clone())],
            (Material::Aws(keys), Some(signing)) => {
                let host = self.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
                let parts = Parts {
                    method: "GET",
                    host,
                    path: self.uris.origin.path(),
                    query: self.uris.origin.query().unwrap_or_default(),
                    body: BodyHash::of(b""),
                };
                sign(&parts, keys, signing, unix_s)?
            }
            (Material::Aws(_), None) => return Err("keys of AWS for requests that are not signed".to_owned()),
        };
        for (name, value) in signed {
            self.headers.insert(name, value);
        }
        Ok(())
    }

    /// Where the provider is.
    pub const fn endpoint(&self) -> &Arc<Endpoint> {
        &self.endpoint
    }

    /// The whole address that is asked for.
    pub fn url(&self) -> String {
        self.uris.absolute.to_string()
    }

    /// The request, for a connection of this version.
    pub fn build(&self, version: Version) -> Request<OutBody> {
        let mut request = Request::new(OutBody::empty());
        *request.method_mut() = Method::GET;
        *request.headers_mut() = self.headers.clone();
        *request.uri_mut() = if version == Version::HTTP_2 {
            // The authority of the URI says it there.
            request.headers_mut().remove(HOST);
            self.uris.absolute.clone()
        } else {
            self.uris.origin.clone()
        };
        request
    }
}
