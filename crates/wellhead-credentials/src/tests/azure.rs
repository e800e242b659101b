use super::fake::{Asked, Fake, fetch, nobody, token};
use crate::error::Trouble;
use serde_json::json;
use std::path::PathBuf;
use wellhead_config::snapshot::{AzureFrom, AzureSource, TokenSource};
use wellhead_types::Secret;

const SCOPE: &str = "https://cognitiveservices.azure.com/.default";

fn blank(from: AzureFrom) -> AzureSource {
    AzureSource {
        from,
        tenant_id: None,
        client_id: None,
        client_secret: None,
        token_file: None,
        authority: None,
        scope: SCOPE.to_owned(),
    }
}

fn answer() -> String {
    // Some of Azure's endpoints write the number as a text.
    json!({ "access_token": "eyJ.token", "expires_in": "3599", "token_type": "Bearer" }).to_string()
}

#[tokio::test]
async fn an_application_asks_with_its_secret() {
    let fake = Fake::start(|_| (200, answer())).await;
    let configured = AzureSource {
        tenant_id: Some("tenant one".to_owned()),
        client_id: Some("app".to_owned()),
        client_secret: Some(Secret::new("s&cret")),
        authority: Some(fake.base()),
        ..blank(AzureFrom::ClientSecret)
    };
    assert_eq!(token(&fetch(TokenSource::Azure(configured), &[]).await.unwrap()), "eyJ.token");
    let asked = &fake.seen()[0];
    assert_eq!(asked.line, "POST /tenant%20one/oauth2/v2.0/token");
    for (name, value) in [
        ("grant_type", "client_credentials"),
        ("client_id", "app"),
        ("client_secret", "s&cret"),
        ("scope", SCOPE),
    ] {
        assert_eq!(asked.field(name).as_deref(), Some(value));
    }
    let url = fake.url();
    let around = [
        ("AZURE_TENANT_ID", "t"),
        ("AZURE_CLIENT_ID", "c"),
        ("AZURE_CLIENT_SECRET", "from-environment"),
        ("AZURE_AUTHORITY_HOST", url.as_str()),
    ];
    fetch(TokenSource::Azure(blank(AzureFrom::Auto)), &around).await.unwrap();
    assert_eq!(fake.seen()[1].field("client_secret").as_deref(), Some("from-environment"));
}

#[tokio::test]
async fn a_token_in_a_file_stands_for_an_application() {
    let fake = Fake::start(|_| (200, answer())).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "federated.token\n").unwrap();
    let url = fake.url();
    let around = [
        ("AZURE_TENANT_ID", "t"),
        ("AZURE_CLIENT_ID", "c"),
        ("AZURE_FEDERATED_TOKEN_FILE", file.path().to_str().unwrap()),
        ("AZURE_AUTHORITY_HOST", &url),
    ];
    let found = fetch(TokenSource::Azure(blank(AzureFrom::Auto)), &around).await.unwrap();
    assert_eq!(token(&found), "eyJ.token");
    let asked = &fake.seen()[0];
    assert_eq!(asked.field("client_assertion").as_deref(), Some("federated.token"));
    assert!(asked.field("client_assertion_type").unwrap().ends_with(":jwt-bearer"));
    assert_eq!(asked.field("client_secret"), None);
}

#[tokio::test]
async fn the_machines_identity_is_asked_for_in_both_ways() {
    let fake = Fake::start(|asked: &Asked| {
        let right = asked.header("metadata") == "true" || asked.header("x-identity-header") == "code";
        if right { (200, answer()) } else { (403, String::new()) }
    })
    .await;
    let url = fake.url();
    let of_machine = || {
        TokenSource::Azure(AzureSource {
            client_id: Some("user-assigned".to_owned()),
            ..blank(AzureFrom::ManagedIdentity)
        })
    };
    let found = fetch(of_machine(), &[("AZURE_POD_IDENTITY_AUTHORITY_HOST", &url)]).await.unwrap();
    assert_eq!(token(&found), "eyJ.token");
    let endpoint = format!("{url}/msi/token");
    fetch(of_machine(), &[("IDENTITY_ENDPOINT", &endpoint), ("IDENTITY_HEADER", "code")]).await.unwrap();
    let resource = "resource=https%3A%2F%2Fcognitiveservices.azure.com&client_id=user-assigned";
    let seen = fake.seen();
    assert_eq!(
        seen[0].line,
        format!("GET /metadata/identity/oauth2/token?api-version=2018-02-01&{resource}")
    );
    assert_eq!(seen[1].line, format!("GET /msi/token?api-version=2019-08-01&{resource}"));
}

#[tokio::test]
async fn a_refusal_names_its_code_and_not_the_secret() {
    let said = json!({ "error": "invalid_client", "error_description": "AADSTS7000215: Invalid secret 'top-secret'." });
    let fake = Fake::start(move |_| (401, said.to_string())).await;
    let configured = AzureSource {
        tenant_id: Some("t".to_owned()),
        client_id: Some("app".to_owned()),
        client_secret: Some(Secret::new("top-secret")),
        authority: Some(fake.base()),
        ..blank(AzureFrom::Auto)
    };
    let source = TokenSource::Azure(configured);
    let error = fetch(source.clone(), &[]).await.unwrap_err();
    assert_eq!(error.trouble, Trouble::Refused);
    let text = format!("{error} {error:?} {source:?}");
    assert!(text.contains("AADSTS7000215") && text.contains("application app"), "{text}");
    assert!(!text.contains("top-secret"), "{text}");
}

#[tokio::test]
async fn what_is_missing_is_named_with_its_variable() {
    for (from, field) in [
        (AzureFrom::ClientSecret, "AZURE_CLIENT_SECRET"),
        (AzureFrom::WorkloadIdentity, "AZURE_FEDERATED_TOKEN_FILE"),
    ] {
        let error = fetch(TokenSource::Azure(blank(from)), &[]).await.unwrap_err();
        assert!(error.trouble == Trouble::NoSource && error.to_string().contains(field), "{error}");
    }
    let secret = AzureSource { client_secret: Some(Secret::new("s")), ..blank(AzureFrom::Auto) };
    let error = fetch(TokenSource::Azure(secret), &[]).await.unwrap_err();
    assert!(error.to_string().contains("AZURE_TENANT_ID"), "{error}");
    let file = AzureSource { token_file: Some(PathBuf::from("not-there")), ..blank(AzureFrom::Auto) };
    assert_eq!(fetch(TokenSource::Azure(file), &[]).await.unwrap_err().trouble, Trouble::File);
    let url = nobody().await;
    let around = [("AZURE_POD_IDENTITY_AUTHORITY_HOST", url.as_str())];
    let error = fetch(TokenSource::Azure(blank(AzureFrom::Auto)), &around).await.unwrap_err();
    assert!(error.trouble == Trouble::Unreachable && error.fix.contains("client_secret"), "{error}");
}
