//! Credentials of AWS: the chain of its SDKs, without what would run commands or open a browser.

mod container;
mod imds;
mod profile;
mod sts;

use crate::client::{Answer, Client};
use crate::error::{FetchError, Trouble};
use crate::json::said;
use crate::material::{AwsKeys, Fetched, Material};
use crate::surroundings::Surroundings;
use crate::time;
use serde_json::Value;
use wellhead_config::snapshot::{AwsFrom, AwsSource};
use wellhead_types::Secret;

/// Who asks whom, and where.
pub(crate) struct Aws<'a> {
    pub(crate) source: &'a AwsSource,
    pub(crate) around: &'a Surroundings,
    pub(crate) client: &'a Client,
}

impl Aws<'_> {
    /// Fetches what the source says, and assumes the role if one is named.
    pub(crate) async fn fetch(&self) -> Result<Fetched, FetchError> {
        let found = match &self.source.from {
            AwsFrom::Auto => self.first().await?,
            AwsFrom::Environment => self.environment()?,
            AwsFrom::Profile(name) => self.profile(name.as_deref()).await?,
            AwsFrom::WebIdentity(file) => {
                return self.web_identity(file.as_deref(), self.source.role_arn.as_deref()).await;
            }
            AwsFrom::Container => self.container().await?,
            AwsFrom::Imds => self.imds(false).await?,
            AwsFrom::Fixed { access_key_id, secret_access_key, session_token } => unending(AwsKeys {
                access_key_id: access_key_id.clone(),
                secret_access_key: secret_access_key.clone(),
                session_token: session_token.clone(),
            }),
        };
        match (&self.source.role_arn, &found.material) {
            (Some(role), Material::Aws(keys)) => self.assume_role(role, keys).await,
            _ => Ok(found),
        }
    }

    /// The first place that has something. One that has something unusable ends the search: going on would use somebody
    /// else's identity in silence.
    async fn first(&self) -> Result<Fetched, FetchError> {
        let mut absent = Vec::new();
        let mut seen = |found: Result<Fetched, FetchError>| match found {
            Err(error) if error.is_absence() => {
                absent.push(format!("{}: {}", error.from, error.detail));
                None
            }
            found => Some(found),
        };
        if let Some(found) = seen(self.environment()) {
            return found;
        }
        if let Some(found) = seen(self.web_identity(None, None).await) {
            return found;
        }
        if let Some(found) = seen(self.profile(None).await) {
            return found;
        }
        if let Some(found) = seen(self.container().await) {
            return found;
        }
        if let Some(found) = seen(self.imds(true).await) {
            return found;
        }
        let fix = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_BEARER_TOKEN_BEDROCK, give this machine a \
                   role, or write the credential into `keys:`";
        Err(FetchError::new(Trouble::NoSource, "AWS credentials", absent.join("; "), fix))
    }

    fn environment(&self) -> Result<Fetched, FetchError> {
        let from = "environment variables";
        if let Some(token) = self.around.variable("AWS_BEARER_TOKEN_BEDROCK") {
            return Ok(Fetched { material: Material::token(&token, from)?, lifetime: None });
        }
        let variable = |name: &str| self.around.variable(name);
        match (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY")) {
            (Some(access_key_id), Some(secret)) => Ok(unending(AwsKeys {
                access_key_id,
                secret_access_key: Secret::new(secret),
                session_token: variable("AWS_SESSION_TOKEN").map(Secret::new),
            })),
            (None, None) => {
                Err(FetchError::new(Trouble::NoSource, from, "AWS_ACCESS_KEY_ID is not set", "set it"))
            }
            _ => {
                let detail = "only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set";
                Err(FetchError::new(Trouble::Malformed, from, detail, "set both or none"))
            }
        }
    }
}

fn unending(keys: AwsKeys) -> Fetched {
    Fetched { material: Material::Aws(keys), lifetime: None }
}

/// Keys as metadata services write them.
fn keys(answer: &Answer, from: &str, fix: &str) -> Result<Fetched, FetchError> {
    let value: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let member = |name: &str| value.as_ref().and_then(|value| value.get(name)).and_then(Value::as_str);
    let refused = member("Code").is_some_and(|code| code != "Success");
    if !(200..300).contains(&answer.status) || refused {
        return Err(FetchError::new(Trouble::Refused, from, said(answer, value.as_ref(), &[]), fix));
    }
    let missing = |name: &str| {
        FetchError::new(Trouble::Malformed, from, format!("the answer has no {name} that can be read"), "")
    };
    let text = |name: &str| member(name).ok_or_else(|| missing(name));
    let lifetime = match member("Expiration") {
        Some(end) => Some(time::until(end, time::wall_s()).ok_or_else(|| missing("Expiration"))?),
        None => None,
    };
    Ok(Fetched {
        material: Material::Aws(AwsKeys {
            access_key_id: text("AccessKeyId")?.to_owned(),
            secret_access_key: Secret::new(text("SecretAccessKey")?),
            session_token: member("Token").map(Secret::new),
        }),
        lifetime,
    })
}
