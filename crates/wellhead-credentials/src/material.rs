//! What a request needs of a credential.

use http::HeaderValue;
use std::time::Duration;
use wellhead_types::Secret;

use crate::error::{FetchError, Trouble};

/// Something that requests can be authorised with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Material {
    /// A token, which goes into `Authorization`.
    Token {
        /// The token itself.
        token: Secret,
        /// `Bearer TOKEN`.
        header: HeaderValue,
    },
    /// Keys with which requests are signed.
    Aws(AwsKeys),
}

/// Keys of AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsKeys {
    /// The public half.
    pub access_key_id: String,
    /// The secret half.
    pub secret_access_key: Secret,
    /// Goes along with temporary keys.
    pub session_token: Option<Secret>,
}

/// Something fetched, and how long it is good for; `None`: for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fetched {
    pub(crate) material: Material,
    pub(crate) lifetime: Option<Duration>,
}

impl Material {
    /// A token that goes into `Authorization`.
    pub(crate) fn token(text: &str, from: &str) -> Result<Self, FetchError> {
        let bad = || FetchError::new(Trouble::Malformed, from, "a token that cannot stand in a header", "");
        let mut header = HeaderValue::from_str(&format!("Bearer {text}")).map_err(|_| bad())?;
        header.set_sensitive(true);
        if text.is_empty() {
            return Err(bad());
        }
        Ok(Self::Token { token: Secret::new(text), header })
    }

    /// Every secret of it, to be taken out of what others say.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let (first, second) = match self {
            Self::Token { token, .. } => (token, None),
            Self::Aws(keys) => (&keys.secret_access_key, keys.session_token.as_ref()),
        };
        std::iter::once(first).chain(second)
    }
}
