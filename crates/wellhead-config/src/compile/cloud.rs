//! Credentials that a cloud gives out, with what is known of their provider.

use std::path::PathBuf;

use wellhead_catalog::{Auth, Kind};

use crate::snapshot::{
    AwsFrom, AwsSource, AzureFrom, AzureSource, BaseUrl, Cloud, GcpFrom, GcpSource, Signing, TokenSource,
};
use crate::values::{
    AwsFields, AwsSourceChoice, AzureFields, AzureSourceChoice, GcpFields, GcpSourceChoice,
    ProviderKeyFields, Text, Url,
};

/// What a token of Google Cloud is for, unless something else is configured.
const GCP_SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// What a token of Entra ID is for, unless something else is configured.
const AZURE_SCOPE: &str = "https://cognitiveservices.azure.com/.default";
/// Labels of hosts behind which the region is named.
const BEFORE_REGION: [&str; 3] = ["bedrock-runtime", "bedrock-runtime-fips", "bedrock-mantle"];

/// The credential of an entry of `keys:`, unless it is a key as text.
pub(super) fn written(fields: &ProviderKeyFields, kind: &Kind, url: &BaseUrl) -> Option<Cloud> {
    if let Some(fields) = &fields.aws {
        return aws(fields, kind, url);
    }
    let gcp_of = fields.gcp.as_ref().map(|fields| gcp(fields));
    let azure_of = || fields.azure.as_ref().map(|fields| azure(fields));
    gcp_of.or_else(azure_of).map(|source| Cloud { source, signing: None })
}

/// The credential of a provider that has no `keys:`, if its kind has a usual one.
pub(super) fn usual(kind: &Kind, url: &BaseUrl) -> Option<Cloud> {
    match &kind.auth {
        Auth::AwsSigv4(_) => aws(&AwsFields::default(), kind, url),
        Auth::GcpOauth => Some(Cloud { source: gcp(&GcpFields::default()), signing: None }),
        _ => None,
    }
}

/// The region that the host of Bedrock's endpoints names: `bedrock-runtime.eu-central-1.amazonaws.com`, and the same
/// behind the name of a private endpoint.
pub(crate) fn region_of(url: &BaseUrl) -> Option<&str> {
    let mut labels = url.host.split('.');
    labels.find(|label| BEFORE_REGION.contains(label))?;
    labels.next().filter(|label| label.contains('-'))
}

fn aws(fields: &AwsFields, kind: &Kind, url: &BaseUrl) -> Option<Cloud> {
    let Auth::AwsSigv4(service) = &kind.auth else { return None };
    let region = fields.region.as_ref().map(|region| region.0.as_str()).or_else(|| region_of(url))?;
    let token_file = path(fields.token_file.as_deref());
    let profile = text(fields.profile.as_deref());
    let from = match (&fields.access_key_id, &fields.secret_access_key) {
        (Some(id), Some(secret)) => AwsFrom::Fixed {
            access_key_id: id.0.clone(),
            secret_access_key: secret.0.clone(),
            session_token: fields.session_token.as_ref().map(|token| token.0.clone()),
        },
        _ => match fields.source.as_ref().map_or(AwsSourceChoice::Auto, |source| source.value) {
            AwsSourceChoice::Auto if profile.is_some() => AwsFrom::Profile(profile),
            AwsSourceChoice::Auto if token_file.is_some() => AwsFrom::WebIdentity(token_file),
            AwsSourceChoice::Auto => AwsFrom::Auto,
            AwsSourceChoice::Environment => AwsFrom::Environment,
            AwsSourceChoice::Profile => AwsFrom::Profile(profile),
            AwsSourceChoice::WebIdentity => AwsFrom::WebIdentity(token_file),
            AwsSourceChoice::Container => AwsFrom::Container,
            AwsSourceChoice::Imds => AwsFrom::Imds,
        },
    };
    let source = AwsSource {
        from,
        role_arn: text(fields.role_arn.as_deref()),
        region: region.to_owned(),
        sts_endpoint: endpoint(fields.sts_endpoint.as_deref()),
    };
    let signing = Signing { service: service.clone(), region: region.to_owned() };
    Some(Cloud { source: TokenSource::Aws(source), signing: Some(signing) })
}

fn gcp(fields: &GcpFields) -> TokenSource {
    let file = path(fields.file.as_deref());
    let from = match fields.source.as_ref().map_or(GcpSourceChoice::Auto, |source| source.value) {
        GcpSourceChoice::Auto if file.is_none() => GcpFrom::Auto,
        GcpSourceChoice::Auto | GcpSourceChoice::File => GcpFrom::File(file),
        GcpSourceChoice::Metadata => GcpFrom::Metadata,
    };
    let scope = text(fields.scope.as_deref()).unwrap_or_else(|| GCP_SCOPE.to_owned());
    TokenSource::Gcp(GcpSource { from, scope })
}

fn azure(fields: &AzureFields) -> TokenSource {
    let from = match fields.source.as_ref().map_or(AzureSourceChoice::Auto, |source| source.value) {
        AzureSourceChoice::Auto if fields.client_secret.is_some() => AzureFrom::ClientSecret,
        AzureSourceChoice::Auto if fields.token_file.is_some() => AzureFrom::WorkloadIdentity,
        AzureSourceChoice::Auto => AzureFrom::Auto,
        AzureSourceChoice::ClientSecret => AzureFrom::ClientSecret,
        AzureSourceChoice::WorkloadIdentity => AzureFrom::WorkloadIdentity,
        AzureSourceChoice::ManagedIdentity => AzureFrom::ManagedIdentity,
    };
    TokenSource::Azure(AzureSource {
        from,
        tenant_id: text(fields.tenant_id.as_deref()),
        client_id: text(fields.client_id.as_deref()),
        client_secret: fields.client_secret.as_ref().map(|secret| secret.0.clone()),
        token_file: path(fields.token_file.as_deref()),
        authority: endpoint(fields.authority.as_deref()),
        scope: text(fields.scope.as_deref()).unwrap_or_else(|| AZURE_SCOPE.to_owned()),
    })
}

fn text(written: Option<&Text>) -> Option<String> {
    written.map(|text| text.0.clone())
}

fn path(written: Option<&Text>) -> Option<PathBuf> {
    written.map(|text| PathBuf::from(text.0.as_str()))
}

fn endpoint(written: Option<&Url>) -> Option<BaseUrl> {
    written.map(|url| url.0.clone())
}
