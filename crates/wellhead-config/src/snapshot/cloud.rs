//! Credentials that a cloud gives out: where they come from and how a request carries them. Fetching them is not done
//! here.

use std::path::PathBuf;

use wellhead_types::Secret;

use super::BaseUrl;

/// A credential that is fetched.
#[derive(Debug, Clone, PartialEq)]
pub struct Cloud {
    /// Where it comes from. Two with the same source are one credential.
    pub source: TokenSource,
    /// How requests are signed with it; `None`: it is a token, which they carry.
    pub signing: Option<Signing>,
}

/// What a signature of AWS is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signing {
    /// `bedrock`.
    pub service: String,
    /// `eu-central-1`.
    pub region: String,
}

/// Where a credential comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum TokenSource {
    /// AWS.
    Aws(AwsSource),
    /// Google Cloud.
    Gcp(GcpSource),
    /// Microsoft Entra ID.
    Azure(AzureSource),
}

/// Credentials of AWS.
#[derive(Debug, Clone, PartialEq)]
pub struct AwsSource {
    /// Where they are looked for.
    pub from: AwsFrom,
    /// Role to assume: with the token in a file where the source is one, with what was found elsewhere.
    pub role_arn: Option<String>,
    /// Region whose STS is asked.
    pub region: String,
    /// Another address of it.
    pub sts_endpoint: Option<BaseUrl>,
}

/// Places of AWS credentials.
#[derive(Debug, Clone, PartialEq)]
pub enum AwsFrom {
    /// All that follow, in this order.
    Auto,
    /// Environment variables.
    Environment,
    /// The shared files; `None`: the profile that the environment names, or `default`.
    Profile(Option<String>),
    /// A token in a file; `None`: the file that the environment names.
    WebIdentity(Option<PathBuf>),
    /// The endpoint of ECS and EKS.
    Container,
    /// The metadata service of EC2.
    Imds,
    /// Written in the configuration.
    Fixed {
        /// Its public half.
        access_key_id: String,
        /// Its secret half.
        secret_access_key: Secret,
        /// Goes along where the key is a temporary one.
        session_token: Option<Secret>,
    },
}

/// Access tokens of Google Cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GcpSource {
    /// Where they are looked for.
    pub from: GcpFrom,
    /// What the token is for.
    pub scope: String,
}

/// Places of Google Cloud's credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GcpFrom {
    /// A file if there is one, else the metadata server.
    Auto,
    /// A file; `None`: the one that the environment names, or gcloud's own.
    File(Option<PathBuf>),
    /// The metadata server.
    Metadata,
}

/// Access tokens of Microsoft Entra ID. What is `None` comes from the environment.
#[derive(Debug, Clone, PartialEq)]
pub struct AzureSource {
    /// Where they are looked for.
    pub from: AzureFrom,
    /// The directory.
    pub tenant_id: Option<String>,
    /// The application or the identity.
    pub client_id: Option<String>,
    /// A secret of the application.
    pub client_secret: Option<Secret>,
    /// File with the token that stands for the application.
    pub token_file: Option<PathBuf>,
    /// Where tokens are given out.
    pub authority: Option<BaseUrl>,
    /// What the token is for.
    pub scope: String,
}

/// Ways to a token of Entra ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AzureFrom {
    /// The first that is configured.
    Auto,
    /// A secret of an application.
    ClientSecret,
    /// A token in a file.
    WorkloadIdentity,
    /// The identity of the machine.
    ManagedIdentity,
}
