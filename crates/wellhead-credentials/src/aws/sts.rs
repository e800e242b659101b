//! Roles: STS gives temporary keys for a token of somebody whom it trusts, or for keys.

use super::Aws;
use crate::client::{Address, Answer, Question};
use crate::error::{FetchError, Trouble};
use crate::json::discreet;
use crate::material::{AwsKeys, Fetched, Material};
use crate::sigv4::{BodyHash, Parts, sign};
use crate::surroundings::read;
use crate::time;
use std::path::{Path, PathBuf};
use wellhead_config::snapshot::Signing;
use wellhead_types::Secret;

const WEB: &str = "web identity";
const ROLE: &str = "assumed role";
/// What sessions are called in AWS' own records.
const SESSION: &str = "wellhead";
const VERSION: &str = "2011-06-15";

impl Aws<'_> {
    /// A role for the token in a file. What is not given comes from the environment.
    pub(super) async fn web_identity(
        &self,
        file: Option<&Path>,
        role: Option<&str>,
    ) -> Result<Fetched, FetchError> {
        let variable = |name: &str| self.around.variable(name);
        let file =
            file.map(Path::to_owned).or_else(|| variable("AWS_WEB_IDENTITY_TOKEN_FILE").map(PathBuf::from));
        let role = role.map(str::to_owned).or_else(|| variable("AWS_ROLE_ARN"));
        let (Some(file), Some(role)) = (file, role) else {
            let detail = "AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN are not set";
            return Err(FetchError::new(Trouble::NoSource, WEB, detail, "set both"));
        };
        // Read each time: it is exchanged for a newer one by whoever put it there.
        let token = Secret::new(read(&file, WEB)?.trim());
        let session = variable("AWS_ROLE_SESSION_NAME").unwrap_or_else(|| SESSION.to_owned());
        let fields = [
            ("Action", "AssumeRoleWithWebIdentity"),
            ("Version", VERSION),
            ("RoleArn", &role),
            ("RoleSessionName", &session),
            ("WebIdentityToken", token.expose()),
        ];
        let answer = self.client.ask(WEB, Question::form(self.sts()?, &fields)).await?;
        let fix = format!("let the role {role} trust the issuer of the token in {}", file.display());
        credentials(&answer, WEB, &[&token], &fix)
    }

    /// A role for keys.
    pub(super) async fn assume_role(&self, role: &str, keys: &AwsKeys) -> Result<Fetched, FetchError> {
        let fields =
            [("Action", "AssumeRole"), ("Version", VERSION), ("RoleArn", role), ("RoleSessionName", SESSION)];
        let mut question = Question::form(self.sts()?, &fields);
        let host = question.address.authority();
        let parts = Parts {
            method: "POST",
            host: &host,
            path: question.address.path(),
            query: "",
            body: BodyHash::of(&question.body),
        };
        let signing = Signing { service: "sts".to_owned(), region: self.source.region.clone() };
        let signed = sign(&parts, keys, &signing, time::wall_s());
        let signed =
            signed.map_err(|what| FetchError::new(Trouble::Malformed, ROLE, what, "correct the key"))?;
        question.headers.extend(signed);
        let answer = self.client.ask(ROLE, question).await?;
        let fix = format!("let the role {role} be assumed by {}", keys.access_key_id);
        let material = Material::Aws(keys.clone());
        let secrets: Vec<&Secret> = material.secrets().collect();
        credentials(&answer, ROLE, &secrets, &fix)
    }

    fn sts(&self) -> Result<Address, FetchError> {
        if let Some(configured) = &self.source.sts_endpoint {
            return Ok(Address::below(configured, "/"));
        }
        let usual = || {
            let region = &self.source.region;
            let end = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
            format!("https://sts.{region}.{end}/")
        };
        let url = self.around.variable("AWS_ENDPOINT_URL_STS").unwrap_or_else(usual);
        Address::parse(&url).filter(Address::is_private).ok_or_else(|| {
            let detail = format!("the address of STS is no URL with https: {url}");
            FetchError::new(Trouble::Malformed, "STS", detail, "correct AWS_ENDPOINT_URL_STS or the region")
        })
    }
}

/// Reads an answer of STS, which is XML of a fixed shape.
fn credentials(answer: &Answer, from: &str, secrets: &[&Secret], fix: &str) -> Result<Fetched, FetchError> {
    let text = String::from_utf8_lossy(&answer.body);
    if answer.status != 200 {
        let said: Vec<String> =
            ["Code", "Message"].into_iter().filter_map(|name| element(&text, name)).collect();
        let detail = discreet(&format!("status {}: {}", answer.status, said.join(": ")), secrets);
        return Err(FetchError::new(Trouble::Refused, from, detail, fix));
    }
    let missing = |name: &str| {
        FetchError::new(Trouble::Malformed, from, format!("the answer has no {name} that can be read"), "")
    };
    let member = |name: &str| element(&text, name).ok_or_else(|| missing(name));
    let end = member("Expiration")?;
    let lifetime = time::until(&end, time::wall_s()).ok_or_else(|| missing("Expiration"))?;
    let keys = AwsKeys {
        access_key_id: member("AccessKeyId")?,
        secret_access_key: Secret::new(member("SecretAccessKey")?),
        session_token: Some(Secret::new(member("SessionToken")?)),
    };
    Ok(Fetched { material: Material::Aws(keys), lifetime: Some(lifetime) })
}

/// The text of the first element of that name.
fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let plain = |text: &str| {
        text.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&apos;", "'")
            .replace("&amp;", "&")
    };
    Some(plain(text.trim())).filter(|text| !text.is_empty())
}
