//! Access tokens of Microsoft Entra ID: for a secret of an application, for a token that stands for one, or for the
//! identity of the machine.

use crate::client::{Address, Client, Question};
use crate::error::{FetchError, Trouble};
use crate::json;
use crate::material::Fetched;
use crate::sigv4::encode;
use crate::surroundings::{Surroundings, read};
use std::path::PathBuf;
use std::time::Duration;
use wellhead_config::snapshot::{AzureFrom, AzureSource};
use wellhead_types::Secret;

const FROM: &str = "Entra ID";
const MACHINE: &str = "managed identity";
/// Where tokens are given out, unless something else is configured.
const AUTHORITY: &str = "https://login.microsoftonline.com";
/// The metadata service of the machine.
const IMDS: &str = "http://169.254.169.254";
/// It is on the machine itself; elsewhere nobody answers.
const IMDS_ANSWER_MAX: Duration = Duration::from_secs(5);
/// The kind of assertion of RFC 7523 section 2.2.
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Who asks whom, and where.
pub(crate) struct Azure<'a> {
    pub(crate) source: &'a AzureSource,
    pub(crate) around: &'a Surroundings,
    pub(crate) client: &'a Client,
}

impl Azure<'_> {
    pub(crate) async fn fetch(&self) -> Result<Fetched, FetchError> {
        match self.source.from {
            AzureFrom::ClientSecret => self.secret().await,
            AzureFrom::WorkloadIdentity => self.workload().await,
            AzureFrom::ManagedIdentity => self.machine().await,
            AzureFrom::Auto if self.client_secret().is_some() => self.secret().await,
            AzureFrom::Auto if self.token_file().is_some() => self.workload().await,
            AzureFrom::Auto => self.machine().await,
        }
    }

    fn client_secret(&self) -> Option<Secret> {
        let configured = self.source.client_secret.clone();
        configured.or_else(|| self.around.variable("AZURE_CLIENT_SECRET").map(Secret::new))
    }

    fn token_file(&self) -> Option<PathBuf> {
        let configured = self.source.token_file.clone();
        configured.or_else(|| self.around.variable("AZURE_FEDERATED_TOKEN_FILE").map(PathBuf::from))
    }

    fn client_id(&self) -> Option<String> {
        self.source.client_id.clone().or_else(|| self.around.variable("AZURE_CLIENT_ID"))
    }

    async fn secret(&self) -> Result<Fetched, FetchError> {
        let secret = self.client_secret();
        let secret = secret.ok_or_else(|| missing("client_secret", "AZURE_CLIENT_SECRET"))?;
        self.exchange(&[("client_secret", secret.expose())], &secret).await
    }

    async fn workload(&self) -> Result<Fetched, FetchError> {
        let file = self.token_file().ok_or_else(|| missing("token_file", "AZURE_FEDERATED_TOKEN_FILE"))?;
        // Read each time: it is exchanged for a newer one by whoever put it there.
        let token = Secret::new(read(&file, FROM)?.trim());
        let fields = [("client_assertion_type", ASSERTION), ("client_assertion", token.expose())];
        self.exchange(&fields, &token).await
    }

    /// The client credentials grant.
    async fn exchange(&self, proof: &[(&str, &str)], secret: &Secret) -> Result<Fetched, FetchError> {
        let tenant = self.source.tenant_id.clone().or_else(|| self.around.variable("AZURE_TENANT_ID"));
        let tenant = tenant.ok_or_else(|| missing("tenant_id", "AZURE_TENANT_ID"))?;
        let client_id = self.client_id().ok_or_else(|| missing("client_id", "AZURE_CLIENT_ID"))?;
        let path = format!("/{}/oauth2/v2.0/token", encode(&tenant));
        let address = match &self.source.authority {
            Some(configured) => Address::below(configured, &path),
            None => {
                let url =
                    self.around.variable("AZURE_AUTHORITY_HOST").unwrap_or_else(|| AUTHORITY.to_owned());
                let address = Address::parse(&url).filter(Address::is_private).ok_or_else(|| {
                    let detail = "AZURE_AUTHORITY_HOST is no URL with https";
                    FetchError::new(Trouble::Malformed, FROM, detail, "correct it")
                })?;
                address.with(&path)
            }
        };
        let mut fields = vec![
            ("grant_type", "client_credentials"),
            ("client_id", &client_id),
            ("scope", &self.source.scope),
        ];
        fields.extend_from_slice(proof);
        let answer = self.client.ask(FROM, Question::form(address, &fields)).await?;
        let fix = format!(
            "look at the application {client_id} in the directory {tenant}: its secrets and credentials"
        );
        json::token(&answer, FROM, &[secret], &fix)
    }

    /// App Service and Container Apps say where to ask; virtual machines and AKS have a metadata service.
    async fn machine(&self) -> Result<Fetched, FetchError> {
        let resource = encode(self.source.scope.trim_end_matches("/.default"));
        let client = self.client_id().map_or_else(String::new, |id| format!("&client_id={}", encode(&id)));
        let variable = |name: &str| self.around.variable(name);
        let bad = |name: &str| {
            FetchError::new(Trouble::Malformed, MACHINE, format!("{name} is no URL"), "correct it")
        };
        let question = if let (Some(url), Some(header)) =
            (variable("IDENTITY_ENDPOINT"), variable("IDENTITY_HEADER"))
        {
            let url = format!("{url}?api-version=2019-08-01&resource={resource}{client}");
            let address = Address::parse(&url).ok_or_else(|| bad("IDENTITY_ENDPOINT"))?;
            Question::get(address).header("x-identity-header", &header, MACHINE)?
        } else {
            let base = variable("AZURE_POD_IDENTITY_AUTHORITY_HOST").unwrap_or_else(|| IMDS.to_owned());
            let base = base.trim_end_matches('/');
            let path =
                format!("/metadata/identity/oauth2/token?api-version=2018-02-01&resource={resource}{client}");
            let address = Address::parse(&format!("{base}{path}"));
            let address = address.ok_or_else(|| bad("AZURE_POD_IDENTITY_AUTHORITY_HOST"))?;
            Question::get(address).header("metadata", "true", MACHINE)?
        };
        let answer =
            self.client.ask_within(MACHINE, question, IMDS_ANSWER_MAX).await.map_err(|error| FetchError {
                fix: "outside of Azure, write tenant_id, client_id and client_secret into `azure:`"
                    .to_owned(),
                ..error
            })?;
        json::token(&answer, MACHINE, &[], "give the machine an identity, or name the right one in client_id")
    }
}

fn missing(field: &str, variable: &str) -> FetchError {
    let detail = format!("{field} is not configured, and {variable} is not set");
    FetchError::new(Trouble::NoSource, FROM, detail, format!("write `{field}:` into `azure:`"))
}
