//! A credential of a provider: the key alone, the key with an id, or where a cloud's credential comes from.

use serde_json::{Value as Json, json};

use super::{AwsSourceChoice, AzureSourceChoice, GcpSourceChoice, SecretText, Text, Url};
use crate::read::{Element, Reader, Spanned};
use crate::section::section;
use crate::tree::{Node, Value};

section! {
    /// A credential with an id of one's own choice, or one that a cloud gives out: exactly one of secret, aws, gcp and
    /// azure.
    ProviderKeyFields {
        /// The key itself.
        May secret: SecretText,
        /// Name of the key in records and metrics. Default: part of a keyed hash.
        May id: Text,
        /// Credentials of AWS, with which requests are signed.
        May aws: AwsFields,
        /// Access tokens of Google Cloud.
        May gcp: GcpFields,
        /// Access tokens of Microsoft Entra ID.
        May azure: AzureFields,
    }
}

section! {
    /// Where credentials of AWS come from. Without any field: the usual chain.
    AwsFields {
        /// One place of the chain instead of all: auto, environment, profile, web-identity, container or imds.
        /// Default: auto, the first that has something.
        May source: AwsSourceChoice,
        /// Id of a long-lived key, instead of the chain.
        May access_key_id: Text,
        /// The secret of that key.
        May secret_access_key: SecretText,
        /// The session token, if the key has one.
        May session_token: SecretText,
        /// Profile of the shared files. Default: AWS_PROFILE, or default.
        May profile: Text,
        /// Role to assume with what was found.
        May role_arn: Text,
        /// File with the token that stands for the role (EKS and others). Default: AWS_WEB_IDENTITY_TOKEN_FILE.
        May token_file: Text,
        /// Region that requests are signed for. Default: the one in the host of base_url.
        May region: Text,
        /// Where roles are assumed. Default: sts.REGION.amazonaws.com.
        May sts_endpoint: Url,
    }
}

section! {
    /// Where access tokens of Google Cloud come from. Without any field: the application default credentials.
    GcpFields {
        /// auto, file or metadata. Default: auto, the file if one is named, in the environment or at gcloud's usual
        /// place, else the metadata server.
        May source: GcpSourceChoice,
        /// File with a service account or with the credentials of a user. Default: GOOGLE_APPLICATION_CREDENTIALS.
        May file: Text,
        /// What the token is for. Default: https://www.googleapis.com/auth/cloud-platform.
        May scope: Text,
    }
}

section! {
    /// Where access tokens of Microsoft Entra ID come from.
    AzureFields {
        /// auto, client-secret, workload-identity or managed-identity. Default: auto, the first that is configured here
        /// or in the environment, and the machine's managed identity last.
        May source: AzureSourceChoice,
        /// The directory. Default: AZURE_TENANT_ID.
        May tenant_id: Text,
        /// The application or the user-assigned identity. Default: AZURE_CLIENT_ID.
        May client_id: Text,
        /// A secret of the application. Default: AZURE_CLIENT_SECRET.
        May client_secret: SecretText,
        /// File with the token that stands for the application (AKS and others). Default: AZURE_FEDERATED_TOKEN_FILE.
        May token_file: Text,
        /// Where tokens are given out. Default: AZURE_AUTHORITY_HOST, or https://login.microsoftonline.com.
        May authority: Url,
        /// What the token is for. Default: https://cognitiveservices.azure.com/.default.
        May scope: Text,
    }
}

/// A credential of a provider.
#[derive(Debug, Clone, PartialEq)]
pub enum ProviderKeyEntry {
    /// The key alone.
    Plain(SecretText),
    /// Anything else.
    Fields(Box<ProviderKeyFields>),
}

impl ProviderKeyEntry {
    /// The key itself, where it is written.
    pub fn secret(&self) -> Option<&SecretText> {
        match self {
            Self::Plain(secret) => Some(secret),
            Self::Fields(fields) => fields.secret.as_ref().map(|secret| &secret.value),
        }
    }

    /// What is said beside the key alone.
    pub fn fields(&self) -> Option<&ProviderKeyFields> {
        match self {
            Self::Plain(_) => None,
            Self::Fields(fields) => Some(fields),
        }
    }

    /// The same without its id.
    pub(crate) fn without_id(&self) -> Self {
        match self {
            Self::Plain(secret) => Self::Plain(secret.clone()),
            Self::Fields(fields) => {
                Self::Fields(Box::new(ProviderKeyFields { id: None, ..(**fields).clone() }))
            }
        }
    }

    /// Its id, if it was given one.
    pub fn id(&self) -> Option<&Spanned<Text>> {
        self.fields().and_then(|fields| fields.id.as_ref())
    }
}

impl ProviderKeyFields {
    /// The words of those members that say what the credential is.
    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        let all = [
            ("secret", self.secret.is_some()),
            ("aws", self.aws.is_some()),
            ("gcp", self.gcp.is_some()),
            ("azure", self.azure.is_some()),
        ];
        all.into_iter().filter(|(_, is_there)| *is_there).map(|(word, _)| word).collect()
    }
}

impl Element for ProviderKeyEntry {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if !matches!(node.value, Value::Map(_)) {
            return SecretText::read(node, reader).map(Self::Plain);
        }
        // `keys: [{sk-…}]` makes the key itself a key of the mapping: nothing in here is repeated.
        let flaws = reader.flaws();
        let fields = reader.quietly(|reader| ProviderKeyFields::read(node, reader))?;
        if fields.kinds().len() != 1 && reader.flaws() == flaws {
            let message = match fields.kinds().as_slice() {
                [] => "says no credential".to_owned(),
                several => format!("says {} at once", several.join(" and ")),
            };
            reader.error(node.at, message).expected("exactly one of `secret`, `aws`, `gcp` and `azure`");
            return None;
        }
        Some(Self::Fields(Box::new(fields)))
    }

    fn write(&self) -> Json {
        match self {
            Self::Plain(secret) => secret.write(),
            Self::Fields(fields) => fields.write(),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [SecretText::schema(), ProviderKeyFields::schema()] })
    }
}
