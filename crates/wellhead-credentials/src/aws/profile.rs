//! The shared files of the AWS tools: `~/.aws/credentials` and `~/.aws/config`.

use super::{Aws, unending};
use crate::error::{FetchError, Trouble};
use crate::material::{AwsKeys, Fetched, Material};
use crate::surroundings::read;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use wellhead_types::Secret;

/// Profiles that lead from one to another.
const LINKS_MAX: usize = 4;
/// Settings that need a command or a browser.
const INTERACTIVE: [&str; 4] = ["credential_process", "sso_session", "sso_start_url", "login_session"];

type Settings = BTreeMap<String, String>;

impl Aws<'_> {
    /// The keys of a profile; `None`: the one that the environment names, or `default`.
    pub(super) async fn profile(&self, name: Option<&str>) -> Result<Fetched, FetchError> {
        let asked = name.map(str::to_owned).or_else(|| self.around.variable("AWS_PROFILE"));
        let mut name = asked.clone().unwrap_or_else(|| "default".to_owned());
        let profiles = self.profiles()?;
        let mut roles = Vec::new();
        let mut found = loop {
            let from = format!("AWS profile {name}");
            let Some(settings) = profiles.get(&name) else {
                let trouble =
                    if asked.is_none() && roles.is_empty() { Trouble::NoSource } else { Trouble::File };
                let detail = "the shared files have no such profile";
                return Err(FetchError::new(trouble, from, detail, "add it to ~/.aws/credentials"));
            };
            if let Some(keys) = keys_of(settings, &from)? {
                break unending(keys);
            }
            let Some(role) = settings.get("role_arn") else {
                return Err(unusable(settings, from, asked.is_none()));
            };
            if let Some(file) = settings.get("web_identity_token_file") {
                break self.web_identity(Some(Path::new(file)), Some(role)).await?;
            }
            roles.push(role.clone());
            if roles.len() > LINKS_MAX {
                let detail = format!("more than {LINKS_MAX} profiles lead from one to another");
                return Err(FetchError::new(Trouble::File, from, detail, "correct source_profile"));
            }
            match (settings.get("source_profile"), settings.get("credential_source").map(String::as_str)) {
                (Some(source), _) => name.clone_from(source),
                (None, Some("Environment")) => break self.environment()?,
                (None, Some("EcsContainer")) => break self.container().await?,
                (None, Some("Ec2InstanceMetadata")) => break self.imds(false).await?,
                _ => {
                    let detail =
                        "role_arn without source_profile, credential_source or web_identity_token_file";
                    return Err(FetchError::new(
                        Trouble::File,
                        from,
                        detail,
                        "add one of them to the profile",
                    ));
                }
            }
        };
        for role in roles.iter().rev() {
            let Material::Aws(keys) = &found.material else { break };
            found = self.assume_role(role, keys).await?;
        }
        Ok(found)
    }

    /// All profiles of both files.
    fn profiles(&self) -> Result<BTreeMap<String, Settings>, FetchError> {
        let mut profiles: BTreeMap<String, Settings> = BTreeMap::new();
        let places = [
            ("AWS_CONFIG_FILE", ".aws/config", true),
            ("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials", false),
        ];
        for (variable, usual, is_config) in places {
            let named = self.around.variable(variable).map(PathBuf::from);
            let is_named = named.is_some();
            let Some(path) = named.or_else(|| self.around.at_home(usual)) else { continue };
            if !is_named && !path.exists() {
                continue;
            }
            let text = read(&path, "AWS shared files")?;
            for (section, settings) in sections(&text) {
                let name = match section.strip_prefix("profile ") {
                    Some(name) => name.trim(),
                    None if !is_config || section == "default" => &section,
                    None => continue,
                };
                profiles.entry(name.to_owned()).or_default().extend(settings);
            }
        }
        Ok(profiles)
    }
}

fn keys_of(settings: &Settings, from: &str) -> Result<Option<AwsKeys>, FetchError> {
    match (settings.get("aws_access_key_id"), settings.get("aws_secret_access_key")) {
        (Some(id), Some(secret)) => Ok(Some(AwsKeys {
            access_key_id: id.clone(),
            secret_access_key: Secret::new(secret.as_str()),
            session_token: settings.get("aws_session_token").map(|token| Secret::new(token.as_str())),
        })),
        (None, None) => Ok(None),
        _ => {
            let detail = "only one of aws_access_key_id and aws_secret_access_key is there";
            Err(FetchError::new(Trouble::File, from, detail, "add the other one"))
        }
    }
}

/// A profile without keys and without a role.
fn unusable(settings: &Settings, from: String, may_be_passed: bool) -> FetchError {
    match INTERACTIVE.into_iter().find(|word| settings.contains_key(*word)) {
        Some(word) => {
            let detail = format!("it has {word}, which needs a person or runs a command");
            FetchError::new(Trouble::File, from, detail, "name a profile with keys or with a role")
        }
        None => {
            let trouble = if may_be_passed { Trouble::NoSource } else { Trouble::File };
            FetchError::new(trouble, from, "it has neither keys nor a role", "add them")
        }
    }
}

/// Sections of an INI file with their settings. Lines that belong to nothing are passed over, as the tools do.
fn sections(text: &str) -> Vec<(String, Settings)> {
    let mut sections: Vec<(String, Settings)> = Vec::new();
    for line in text.lines() {
        // Indented lines are settings within a setting.
        if line.starts_with([' ', '\t', '#', ';']) {
            continue;
        }
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            sections.push((name.trim().to_owned(), Settings::new()));
        } else if let (Some((name, value)), Some((_, settings))) = (line.split_once('='), sections.last_mut())
        {
            let value = value.split(" #").next().unwrap_or_default().trim();
            settings.insert(name.trim().to_ascii_lowercase(), value.to_owned());
        }
    }
    sections
}
