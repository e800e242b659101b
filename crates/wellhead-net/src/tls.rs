//! TLS towards upstreams: the platform's roots, or a bundle that replaces them. One client configuration per choice,
//! shared by all workers, so that session tickets are shared too.

mod certificate;
mod failure;
mod handshake;
mod witness;

pub use certificate::{CertificateFacts, Date as CertificateDate};
pub(crate) use failure::of_client_certificate;
pub(crate) use handshake::shake_hands;

use crate::endpoint::{Protocol, TlsOptions};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use wellhead_types::{Cause, Stage};
use witness::Witness;

use crate::SendError;

type Key = (Option<PathBuf>, Protocol);

/// Client configurations by trust anchor and protocol.
#[derive(Debug, Default)]
pub struct TlsRegistry(Mutex<HashMap<Key, Arc<ClientConfig>>>);

impl TlsRegistry {
    /// The configuration for these options; built at first use. A bundle is read once: replacing the file takes
    /// effect with [`TlsRegistry::forget`].
    pub fn config(&self, options: &TlsOptions, protocol: Protocol) -> io::Result<Arc<ClientConfig>> {
        let key = (options.ca_file.clone(), protocol);
        let mut configs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = configs.get(&key) {
            return Ok(config.clone());
        }
        let config = Arc::new(build(options.ca_file.as_deref(), protocol)?);
        configs.insert(key, config.clone());
        Ok(config)
    }

    /// Forgets every configuration, so that replaced bundles are read again. Called at each reload.
    pub fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn build(ca_file: Option<&Path>, protocol: Protocol) -> io::Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match ca_file {
        Some(path) => {
            let roots = Arc::new(read_roots(path)?);
            let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).build();
            verifier.map_err(io::Error::other)?
        }
        None => {
            let verifier = rustls_platform_verifier::Verifier::new(provider.clone());
            Arc::new(verifier.map_err(io::Error::other)?)
        }
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Witness(verifier)))
        .with_no_client_auth();
    config.alpn_protocols = match protocol {
        Protocol::Auto => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        Protocol::Http1 => vec![b"http/1.1".to_vec()],
        Protocol::Http2 => vec![b"h2".to_vec()],
    };
    Ok(config)
}

/// Reads a PEM bundle; a bundle without a certificate is an error, not an empty set of roots.
fn read_roots(path: &Path) -> io::Result<RootCertStore> {
    let bad =
        |what: String| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {what}", path.display()));
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|e| bad(e.to_string()))? {
        let certificate = certificate.map_err(|e| bad(e.to_string()))?;
        roots.add(certificate).map_err(|e| bad(e.to_string()))?;
    }
    if roots.is_empty() {
        return Err(bad("no certificate in it; expected a PEM bundle".to_owned()));
    }
    Ok(roots)
}

/// The name to expect in the certificate.
pub(crate) fn server_name(options: &TlsOptions, host: &str) -> Result<ServerName<'static>, SendError> {
    let name = options.server_name.as_deref().unwrap_or(host);
    ServerName::try_from(name.to_owned())
        .map_err(|e| SendError::new(Stage::Tls, Cause::TlsError, format!("server name {name:?}: {e}")))
}
