use super::fake::{Asked, Fake, fetch, nobody, token};
use crate::error::Trouble;
use crate::material::{AwsKeys, Material};
use crate::sigv4::{BodyHash, Parts, sign};
use crate::time;
use wellhead_config::snapshot::{AwsFrom, AwsSource, Signing, TokenSource};
use wellhead_types::Secret;

const IN_AN_HOUR: &str = "2099-01-01T00:00:00Z";

fn source(from: AwsFrom) -> TokenSource {
    TokenSource::Aws(AwsSource { from, role_arn: None, region: "eu-west-1".to_owned(), sts_endpoint: None })
}

fn keys(material: &Material) -> (String, String, Option<String>) {
    let Material::Aws(keys) = material else { panic!("a token instead of keys") };
    let session = keys.session_token.as_ref().map(|token| token.expose().to_owned());
    (keys.access_key_id.clone(), keys.secret_access_key.expose().to_owned(), session)
}

fn three(id: &str, secret: &str, session: &str) -> (String, String, Option<String>) {
    (id.to_owned(), secret.to_owned(), Some(session.to_owned()))
}

fn as_json(id: &str) -> String {
    format!(
        r#"{{"Code":"Success","AccessKeyId":"{id}","SecretAccessKey":"sec","Token":"tok","Expiration":"{IN_AN_HOUR}"}}"#
    )
}

fn as_xml(id: &str) -> String {
    format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
         <AccessKeyId>{id}</AccessKeyId><SecretAccessKey>sec</SecretAccessKey><SessionToken>t&amp;k</SessionToken>\
         <Expiration>{IN_AN_HOUR}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
    )
}

#[tokio::test]
async fn ec2_is_asked_within_a_session() {
    let answer = |asked: &Asked| match asked.line.as_str() {
        "PUT /latest/api/token" if asked.header("x-aws-ec2-metadata-token-ttl-seconds") == "300" => {
            (200, "session".to_owned())
        }
        _ if asked.header("x-aws-ec2-metadata-token") != "session" => (401, String::new()),
        "GET /latest/meta-data/iam/security-credentials/" => (200, "models\n".to_owned()),
        "GET /latest/meta-data/iam/security-credentials/models" => (200, as_json("ASIA1")),
        _ => (404, String::new()),
    };
    let fake = Fake::start(answer).await;
    let around = [("AWS_EC2_METADATA_SERVICE_ENDPOINT", fake.url())];
    let around = around.each_ref().map(|(name, value)| (*name, value.as_str()));
    let found = fetch(source(AwsFrom::Imds), &around).await.unwrap();
    assert_eq!(keys(&found), three("ASIA1", "sec", "tok"));
    assert_eq!(fake.seen().len(), 3);
    assert_eq!(keys(&fetch(source(AwsFrom::Auto), &around).await.unwrap()).0, "ASIA1", "the chain ends here");
    let none = Fake::start(|asked: &Asked| match asked.line.as_str() {
        "PUT /latest/api/token" => (200, "session".to_owned()),
        _ => (404, String::new()),
    })
    .await;
    let error = fetch(source(AwsFrom::Imds), &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &none.url())]).await;
    let error = error.unwrap_err();
    assert!(error.to_string().contains("no role") && error.fix.contains("instance profile"), "{error}");
}

#[tokio::test]
async fn a_container_shows_its_token_and_only_to_its_own_machine() {
    let fake = Fake::start(|_| (200, as_json("ASIA2"))).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "pod-token\n").unwrap();
    let url = format!("{}/v1/credentials", fake.url());
    let path = file.path().to_str().unwrap();
    let around = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.as_str()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", path),
    ];
    let found = fetch(source(AwsFrom::Container), &around).await.unwrap();
    assert_eq!(keys(&found).0, "ASIA2");
    assert_eq!(fake.seen()[0].header("authorization"), "pod-token");
    assert_eq!(fake.seen()[0].line, "GET /v1/credentials");
    for elsewhere in ["http://192.0.2.1/creds", "ftp://127.0.0.1/", "no url"] {
        let around = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", elsewhere)];
        let error = fetch(source(AwsFrom::Auto), &around).await.unwrap_err();
        assert_eq!(error.trouble, Trouble::Malformed, "{elsewhere}: {error}");
    }
}

#[tokio::test]
async fn a_token_in_a_file_stands_for_a_role() {
    let fake = Fake::start(|_| (200, as_xml("ASIA3"))).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "web.identity.token\n").unwrap();
    let url = fake.url();
    let around = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", file.path().to_str().unwrap()),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/of pods"),
        ("AWS_ENDPOINT_URL_STS", &url),
    ];
    let found = fetch(source(AwsFrom::Auto), &around).await.unwrap();
    assert_eq!(keys(&found), three("ASIA3", "sec", "t&k"));
    let asked = &fake.seen()[0];
    assert_eq!(asked.line, "POST /");
    assert_eq!(asked.field("Action").as_deref(), Some("AssumeRoleWithWebIdentity"));
    assert_eq!(asked.field("RoleArn").as_deref(), Some("arn:aws:iam::1:role/of pods"));
    assert_eq!(asked.field("WebIdentityToken").as_deref(), Some("web.identity.token"));
    assert_eq!(asked.header("authorization"), "");
}

#[tokio::test]
async fn a_role_is_assumed_with_a_signed_request() {
    let fake = Fake::start(|_| (200, as_xml("ASIA4"))).await;
    let fixed = AwsKeys {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: Secret::new("wJalrXUtnFEMI"),
        session_token: Some(Secret::new("session")),
    };
    let from = AwsFrom::Fixed {
        access_key_id: fixed.access_key_id.clone(),
        secret_access_key: fixed.secret_access_key.clone(),
        session_token: fixed.session_token.clone(),
    };
    let assumed = TokenSource::Aws(AwsSource {
        from,
        role_arn: Some("arn:aws:iam::2:role/models".to_owned()),
        region: "eu-west-1".to_owned(),
        sts_endpoint: Some(fake.base()),
    });
    assert_eq!(keys(&fetch(assumed, &[]).await.unwrap()).0, "ASIA4");
    let asked = &fake.seen()[0];
    assert_eq!(asked.field("Action").as_deref(), Some("AssumeRole"));
    let date = asked.header("x-amz-date");
    let moment = format!(
        "{}-{}-{}T{}:{}:{}Z",
        &date[..4],
        &date[4..6],
        &date[6..8],
        &date[9..11],
        &date[11..13],
        &date[13..15]
    );
    let parts = Parts {
        method: "POST",
        host: &fake.host(),
        path: "/",
        query: "",
        body: BodyHash::of(asked.body.as_bytes()),
    };
    let signing = Signing { service: "sts".to_owned(), region: "eu-west-1".to_owned() };
    let expected = sign(&parts, &fixed, &signing, time::unix_s(&moment).unwrap()).unwrap();
    for (name, value) in expected {
        assert_eq!(asked.header(name.as_str()), value.to_str().unwrap(), "{name}");
    }
}

#[tokio::test]
async fn a_refusal_is_told_without_the_secret() {
    let said = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no web.identity.token here</Message></Error>\
                </ErrorResponse>";
    let fake = Fake::start(move |_| (403, said.to_owned())).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "web.identity.token").unwrap();
    let around = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", file.path().to_str().unwrap()),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/pods"),
        ("AWS_ENDPOINT_URL_STS", &fake.url()),
    ];
    let error = fetch(source(AwsFrom::Auto), &around).await.unwrap_err();
    assert_eq!(error.trouble, Trouble::Refused);
    let text = format!("{error} {error:?}");
    assert!(text.contains("AccessDenied") && text.contains("role/pods"), "{text}");
    assert!(!text.contains("web.identity.token"), "{text}");
}

#[tokio::test]
async fn the_environment_comes_first_and_half_of_it_is_an_error() {
    let both =
        [("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "sec"), ("AWS_SESSION_TOKEN", "tok")];
    assert_eq!(keys(&fetch(source(AwsFrom::Auto), &both).await.unwrap()), three("AKID", "sec", "tok"));
    let error = fetch(source(AwsFrom::Auto), &both[..1]).await.unwrap_err();
    assert_eq!(error.trouble, Trouble::Malformed, "{error}");
    let bearer = [both[0], both[1], ("AWS_BEARER_TOKEN_BEDROCK", "bedrock-api-key")];
    assert_eq!(token(&fetch(source(AwsFrom::Auto), &bearer).await.unwrap()), "bedrock-api-key");
}

#[tokio::test]
async fn profiles_are_read_from_both_files() {
    let folder = tempfile::tempdir().unwrap();
    let aws = folder.path().join(".aws");
    std::fs::create_dir(&aws).unwrap();
    std::fs::write(
        aws.join("credentials"),
        "[default]\naws_access_key_id = AKDEFAULT\naws_secret_access_key=sec\n; a remark\n[work]\n\
         aws_access_key_id=AKWORK\naws_secret_access_key = s=ec # a remark\naws_session_token = tok\n",
    )
    .unwrap();
    std::fs::write(
        aws.join("config"),
        "[default]\nregion = eu-west-1\n[profile role]\nrole_arn = arn:aws:iam::3:role/r\nsource_profile = work\n\
         s3 =\n  max_concurrent_requests = 20\n[profile browser]\nsso_session = company\n[profile loop]\n\
         role_arn = arn:aws:iam::3:role/r\nsource_profile = loop\n[profile empty]\nregion = x\n",
    )
    .unwrap();
    let fake = Fake::start(|_| (200, as_xml("ASIA5"))).await;
    let url = fake.url();
    let home = folder.path().to_str().unwrap();
    let around = [("HOME", home), ("AWS_ENDPOINT_URL_STS", url.as_str())];
    let profile = |name: &str| source(AwsFrom::Profile(Some(name.to_owned())));
    assert_eq!(keys(&fetch(source(AwsFrom::Auto), &around).await.unwrap()).0, "AKDEFAULT");
    assert_eq!(keys(&fetch(profile("work"), &around).await.unwrap()), three("AKWORK", "s=ec", "tok"));
    assert_eq!(keys(&fetch(profile("role"), &around).await.unwrap()).0, "ASIA5");
    let named = [around[0], around[1], ("AWS_PROFILE", "work")];
    assert_eq!(keys(&fetch(source(AwsFrom::Auto), &named).await.unwrap()).0, "AKWORK");
    for (name, words) in [
        ("browser", "sso_session"),
        ("loop", "lead from one to another"),
        ("empty", "neither keys nor a role"),
        ("nobody", "no such profile"),
    ] {
        let error = fetch(profile(name), &around).await.unwrap_err();
        assert!(error.trouble == Trouble::File && error.to_string().contains(words), "{name}: {error}");
    }
}

#[tokio::test]
async fn a_chain_that_finds_nothing_says_where_it_has_looked() {
    let url = nobody().await;
    let error =
        fetch(source(AwsFrom::Auto), &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &url)]).await.unwrap_err();
    assert_eq!(error.trouble, Trouble::NoSource);
    for place in ["AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "profile", "container", "EC2 metadata"]
    {
        assert!(error.detail.contains(place), "{place}: {error}");
    }
    let error =
        fetch(source(AwsFrom::Imds), &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &url)]).await.unwrap_err();
    assert_eq!(error.trouble, Trouble::Unreachable, "who asks for EC2 means EC2");
    let off = [("AWS_EC2_METADATA_DISABLED", "true")];
    assert_eq!(fetch(source(AwsFrom::Auto), &off).await.unwrap_err().trouble, Trouble::NoSource);
}

#[tokio::test]
async fn answers_that_are_no_keys_are_named() {
    for (body, words) in [
        ("no json".to_owned(), "AccessKeyId"),
        (r#"{"AccessKeyId":"A","SecretAccessKey":"s","Expiration":"soon"}"#.to_owned(), "Expiration"),
        (
            r#"{"Code":"AssumeRoleUnauthorizedAccess","Message":"EC2 cannot assume it"}"#.to_owned(),
            "cannot assume",
        ),
    ] {
        let fake = Fake::start(move |_| (200, body.clone())).await;
        let url = fake.url();
        let error = fetch(source(AwsFrom::Container), &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url)]).await;
        let error = error.unwrap_err();
        assert!(error.to_string().contains(words), "{words}: {error}");
    }
}
