//! Access tokens of Google Cloud: for a service account, for a user, or from the metadata server.

mod jwt;

use crate::client::{Address, Client, Question};
use crate::error::{FetchError, Trouble};
use crate::json;
use crate::material::Fetched;
use crate::sigv4::encode;
use crate::surroundings::{Surroundings, read};
use crate::time;
use serde_json::Value;
use std::path::{Path, PathBuf};
use wellhead_config::snapshot::{GcpFrom, GcpSource};
use wellhead_types::Secret;

/// Where tokens are given out, unless a file says otherwise.
const TOKENS: &str = "https://oauth2.googleapis.com/token";
/// The metadata server by its address: a name would need a name server of Google's.
const METADATA: &str = "169.254.169.254";
const METADATA_FROM: &str = "Google metadata server";
/// What every token of the metadata server is for.
const USUAL_SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// The grant of RFC 7523 section 2.1.
const JWT_GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Who asks whom, and where.
pub(crate) struct Gcp<'a> {
    pub(crate) source: &'a GcpSource,
    pub(crate) around: &'a Surroundings,
    pub(crate) client: &'a Client,
}

impl Gcp<'_> {
    pub(crate) async fn fetch(&self) -> Result<Fetched, FetchError> {
        match &self.source.from {
            GcpFrom::Metadata => self.metadata().await,
            GcpFrom::File(Some(path)) => self.file(path).await,
            GcpFrom::File(None) => match self.usual_file() {
                Some(path) => self.file(&path).await,
                None => Err(FetchError::new(
                    Trouble::NoSource,
                    "Google credentials file",
                    "GOOGLE_APPLICATION_CREDENTIALS is not set, and gcloud has none",
                    "write `file:` into the credential",
                )),
            },
            GcpFrom::Auto => match self.usual_file() {
                Some(path) => self.file(&path).await,
                None => self.metadata().await,
            },
        }
    }

    /// The file that the environment names, or gcloud's own if it is there.
    fn usual_file(&self) -> Option<PathBuf> {
        const NAME: &str = "application_default_credentials.json";
        let named = self.around.variable("GOOGLE_APPLICATION_CREDENTIALS").map(PathBuf::from);
        named.or_else(|| {
            let folder = self.around.variable("CLOUDSDK_CONFIG").map(PathBuf::from);
            let folder = folder.or_else(|| self.around.at_home(".config/gcloud"))?;
            Some(folder.join(NAME)).filter(|path| path.exists())
        })
    }

    async fn file(&self, path: &Path) -> Result<Fetched, FetchError> {
        let from = format!("Google credentials {}", path.display());
        let wrong = |detail: String| {
            FetchError::new(
                Trouble::File,
                &from,
                detail,
                "use the JSON key of a service account, as Google made it",
            )
        };
        // Read each time, so that a new key is taken up without a reload.
        let value: Value =
            serde_json::from_str(&read(path, &from)?).map_err(|_| wrong("it is no JSON".to_owned()))?;
        let text = |name: &str| {
            let found = value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            found.ok_or_else(|| wrong(format!("it has no {name}")))
        };
        let address = Address::parse(text("token_uri").unwrap_or(TOKENS)).filter(Address::is_private);
        let address = address.ok_or_else(|| wrong("its token_uri is no URL with https".to_owned()))?;
        let (question, secret) = match text("type")? {
            "service_account" => {
                let claims = jwt::Claims {
                    key_id: value.get("private_key_id").and_then(Value::as_str),
                    issuer: text("client_email")?,
                    scope: &self.source.scope,
                    audience: text("token_uri").unwrap_or(TOKENS),
                    now_s: time::wall_s(),
                };
                let assertion =
                    jwt::signed(&claims, text("private_key")?).map_err(|what| wrong(what.to_owned()))?;
                let fields = [("grant_type", JWT_GRANT), ("assertion", assertion.as_str())];
                (Question::form(address, &fields), Secret::new(assertion))
            }
            "authorized_user" => {
                let secret = Secret::new(text("refresh_token")?);
                let fields = [
                    ("grant_type", "refresh_token"),
                    ("client_id", text("client_id")?),
                    ("client_secret", text("client_secret")?),
                    ("refresh_token", secret.expose()),
                ];
                (Question::form(address, &fields), secret)
            }
            other => {
                return Err(wrong(format!(
                    "its type is {other:?}, and only service_account and authorized_user are known"
                )));
            }
        };
        let answer = self.client.ask(&from, question).await?;
        let fix = "look whether the key still exists and this machine's clock is right; then make a new key";
        json::token(&answer, &from, &[&secret], fix)
    }

    async fn metadata(&self) -> Result<Fetched, FetchError> {
        let host = self.around.variable("GCE_METADATA_HOST").unwrap_or_else(|| METADATA.to_owned());
        let scopes = match self.source.scope.as_str() {
            USUAL_SCOPE => String::new(),
            other => format!("?scopes={}", encode(other)),
        };
        let url = format!("http://{host}/computeMetadata/v1/instance/service-accounts/default/token{scopes}");
        let address = Address::parse(&url).ok_or_else(|| {
            FetchError::new(Trouble::Malformed, METADATA_FROM, "GCE_METADATA_HOST is no host", "correct it")
        })?;
        let question = Question::get(address).header("metadata-flavor", "Google", METADATA_FROM)?;
        let answer = self.client.ask(METADATA_FROM, question).await.map_err(|error| FetchError {
            fix: "outside of Google Cloud, name the key of a service account in `file:` or in \
                  GOOGLE_APPLICATION_CREDENTIALS"
                .to_owned(),
            ..error
        })?;
        json::token(&answer, METADATA_FROM, &[], "give the machine or the workload a service account")
    }
}
