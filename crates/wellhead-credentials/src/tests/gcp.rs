use super::fake::{Asked, Fake, fetch, token};
use crate::error::Trouble;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::path::PathBuf;
use wellhead_config::snapshot::{GcpFrom, GcpSource, TokenSource};

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

fn source(from: GcpFrom) -> TokenSource {
    TokenSource::Gcp(GcpSource { from, scope: SCOPE.to_owned() })
}

fn file(content: &Value) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), content.to_string()).unwrap();
    file
}

fn answer() -> String {
    json!({ "access_token": "ya29.token", "expires_in": 3599, "token_type": "Bearer" }).to_string()
}

fn service_account(key: &KeyPair, token_uri: &str) -> Value {
    let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = key.as_der().unwrap();
    let body = STANDARD.encode(der.as_ref());
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    json!({
        "type": "service_account",
        "client_email": "models@project.iam.gserviceaccount.com",
        "private_key_id": "key-1",
        "private_key": format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n")),
        "token_uri": token_uri,
    })
}

#[tokio::test]
async fn a_service_account_asks_with_a_signed_assertion() {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let fake = Fake::start(|_| (200, answer())).await;
    let uri = format!("{}/token", fake.url());
    let file = file(&service_account(&key, &uri));
    let found = fetch(source(GcpFrom::File(Some(file.path().to_owned()))), &[]).await.unwrap();
    assert_eq!(token(&found), "ya29.token");
    let asked = &fake.seen()[0];
    assert_eq!(asked.line, "POST /token");
    assert_eq!(asked.field("grant_type").as_deref(), Some("urn:ietf:params:oauth:grant-type:jwt-bearer"));
    let assertion = asked.field("assertion").unwrap();
    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref());
    public
        .verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
        .expect("the account's signature");
    let part =
        |text: &str| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap() };
    let (header, claims) = signed.split_once('.').unwrap();
    assert_eq!(part(header), json!({ "alg": "RS256", "typ": "JWT", "kid": "key-1" }));
    let claims = part(claims);
    assert_eq!(claims["iss"], "models@project.iam.gserviceaccount.com");
    assert_eq!((claims["scope"].as_str(), claims["aud"].as_str()), (Some(SCOPE), Some(uri.as_str())));
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 3600);
    // The environment names the same file.
    let path = file.path().to_str().unwrap();
    let found = fetch(source(GcpFrom::Auto), &[("GOOGLE_APPLICATION_CREDENTIALS", path)]).await.unwrap();
    assert_eq!(token(&found), "ya29.token");
}

#[tokio::test]
async fn a_user_asks_with_the_refresh_token_and_errors_do_not_repeat_it() {
    let fake = Fake::start(|asked: &Asked| match asked.field("client_secret").as_deref() {
        Some("right") => (200, answer()),
        _ => (
            400,
            json!({ "error": "invalid_grant", "error_description": "1//refresh was revoked" }).to_string(),
        ),
    })
    .await;
    let user = |secret: &str| {
        file(&json!({
            "type": "authorized_user", "client_id": "id", "client_secret": secret, "refresh_token": "1//refresh",
            "token_uri": fake.url(),
        }))
    };
    let right = user("right");
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(home.path().join(".config/gcloud")).unwrap();
    std::fs::copy(right.path(), home.path().join(".config/gcloud/application_default_credentials.json"))
        .unwrap();
    let found = fetch(source(GcpFrom::Auto), &[("HOME", home.path().to_str().unwrap())]).await.unwrap();
    assert_eq!(token(&found), "ya29.token", "what gcloud has left is found");
    assert_eq!(fake.seen()[0].field("refresh_token").as_deref(), Some("1//refresh"));
    let wrong = user("wrong");
    let error = fetch(source(GcpFrom::File(Some(wrong.path().to_owned()))), &[]).await.unwrap_err();
    assert_eq!(error.trouble, Trouble::Refused);
    assert!(error.to_string().contains("invalid_grant: *** was revoked"), "{error}");
}

#[tokio::test]
async fn the_metadata_server_is_asked_in_its_own_way() {
    let fake = Fake::start(|asked: &Asked| match asked.header("metadata-flavor") {
        "Google" => (200, answer()),
        _ => (403, String::new()),
    })
    .await;
    let found = fetch(source(GcpFrom::Auto), &[("GCE_METADATA_HOST", &fake.host())]).await.unwrap();
    assert_eq!(token(&found), "ya29.token");
    assert_eq!(fake.seen()[0].line, "GET /computeMetadata/v1/instance/service-accounts/default/token");
    let narrow = TokenSource::Gcp(GcpSource { from: GcpFrom::Metadata, scope: "https://x/y".to_owned() });
    fetch(narrow, &[("GCE_METADATA_HOST", &fake.host())]).await.unwrap();
    assert!(fake.seen()[1].line.ends_with("?scopes=https%3A%2F%2Fx%2Fy"), "{}", fake.seen()[1].line);
}

#[tokio::test]
async fn files_that_cannot_be_used_say_why() {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let mut no_key = service_account(&key, "https://oauth2.example/token");
    no_key["private_key"] = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n".into();
    for (content, words) in [
        (no_key, "no RSA key"),
        (service_account(&key, "http://oauth2.example/token"), "token_uri"),
        (json!({ "type": "external_account" }), "external_account"),
        (json!({ "type": "service_account", "client_email": "a" }), "no private_key"),
        (json!([]), "no type"),
    ] {
        let file = file(&content);
        let error = fetch(source(GcpFrom::File(Some(file.path().to_owned()))), &[]).await.unwrap_err();
        assert_eq!(error.trouble, Trouble::File, "{error}");
        assert!(error.to_string().contains(words) && !error.to_string().contains("c2Vj"), "{words}: {error}");
    }
    let missing = PathBuf::from("not-there.json");
    let error = fetch(source(GcpFrom::File(Some(missing))), &[]).await.unwrap_err();
    assert!(error.to_string().contains("not-there.json"), "{error}");
    let error = fetch(source(GcpFrom::File(None)), &[]).await.unwrap_err();
    assert_eq!(error.trouble, Trouble::NoSource);
}
