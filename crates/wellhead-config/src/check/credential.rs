//! Credentials that a cloud gives out: whether they fit their provider, and whether their fields fit each other.

use wellhead_catalog::{Auth, Kind};

use super::ReportAt;
use crate::compile::region_of;
use crate::diagnostic::Report;
use crate::read::Spanned;
use crate::snapshot::BaseUrl;
use crate::values::{
    AwsFields, AwsSourceChoice, AzureFields, AzureSourceChoice, GcpFields, GcpSourceChoice, ProviderKeyFields,
};

/// Checks one entry of `keys:`. `url`: where requests go, if that is known.
pub(super) fn check(
    fields: &ProviderKeyFields,
    kind: Option<&Kind>,
    url: Option<&BaseUrl>,
    report: &mut Report,
) {
    if let Some(aws) = &fields.aws {
        let fit = matches!(kind.map(|kind| &kind.auth), None | Some(Auth::AwsSigv4(_)));
        fits(aws, "aws", fit, kind, report);
        of_aws(aws, report);
        if let (None, Some(url)) = (&aws.region, url.filter(|url| fit && region_of(url).is_none())) {
            let message =
                format!("the host {} does not say its region, for which requests are signed", url.host);
            report.error_at(aws, message).expected("region: eu-central-1, or region: ${AWS_REGION}");
        }
    }
    if let Some(gcp) = &fields.gcp {
        fits(gcp, "gcp", matches!(kind.map(|kind| &kind.auth), None | Some(Auth::GcpOauth)), kind, report);
        of_gcp(gcp, report);
    }
    if let Some(azure) = &fields.azure {
        let fit = matches!(kind.map(|kind| &kind.auth), None | Some(Auth::AzureEntra));
        fits(azure, "azure", fit, kind, report);
        of_azure(azure, report);
    }
}

fn fits<T>(place: &Spanned<T>, word: &str, fit: bool, kind: Option<&Kind>, report: &mut Report) {
    if let Some(kind) = kind.filter(|_| !fit) {
        let message = format!("kind {:?} takes no credential of {word}", &*kind.name);
        report.error_at(place, message).expected("its key as text, or another kind");
    }
}

fn of_aws(aws: &Spanned<AwsFields>, report: &mut Report) {
    let AwsFields { source, access_key_id, secret_access_key, session_token, profile, token_file, .. } =
        &aws.value;
    match (access_key_id, secret_access_key) {
        (Some(id), None) => {
            report.error_at(id, "an access key without its secret").expected("secret_access_key beside it");
        }
        (None, Some(secret)) => {
            report
                .error_at(secret, "the secret of an access key without its id")
                .expected("access_key_id beside it");
        }
        _ => {}
    }
    if let (Some(token), None) = (session_token, access_key_id) {
        report
            .error_at(token, "a session token without its key")
            .expected("access_key_id and secret_access_key");
    }
    let chosen = source.as_ref().map_or(AwsSourceChoice::Auto, |source| source.value);
    if let (Some(source), Some(_)) = (source, access_key_id) {
        report.error_at(source, "a source, and a key that is written here").expected("one of them");
    }
    if let Some(profile) = profile
        && (!matches!(chosen, AwsSourceChoice::Auto | AwsSourceChoice::Profile) || access_key_id.is_some())
    {
        report.error_at(profile, "a profile, and another source").expected("source: profile, or no profile");
    }
    if let Some(file) = token_file
        && (!matches!(chosen, AwsSourceChoice::Auto | AwsSourceChoice::WebIdentity)
            || access_key_id.is_some()
            || profile.is_some())
    {
        report
            .error_at(file, "the file of a web identity, and another source")
            .expected("source: web-identity, or no token_file");
    }
    if let (Some(file), None) = (token_file, &aws.role_arn) {
        report.error_at(file, "a token stands for a role, and none is named").expected("role_arn beside it");
    }
}

fn of_gcp(gcp: &Spanned<GcpFields>, report: &mut Report) {
    if let (Some(source), Some(_)) = (&gcp.source, &gcp.file)
        && source.value == GcpSourceChoice::Metadata
    {
        report.error_at(source, "the metadata server, and a file").expected("one of them");
    }
}

fn of_azure(azure: &Spanned<AzureFields>, report: &mut Report) {
    if let (Some(secret), Some(_)) = (&azure.client_secret, &azure.token_file) {
        report.error_at(secret, "a secret, and a file with a token").expected("one of them");
    }
    let Some(source) = &azure.source else { return };
    if azure.client_secret.is_some()
        && !matches!(source.value, AzureSourceChoice::Auto | AzureSourceChoice::ClientSecret)
    {
        report.error_at(source, "a client_secret, and another source").expected("source: client-secret");
    }
    if azure.token_file.is_some()
        && !matches!(source.value, AzureSourceChoice::Auto | AzureSourceChoice::WorkloadIdentity)
    {
        report.error_at(source, "a token_file, and another source").expected("source: workload-identity");
    }
}
