//! Apps: keys that are long enough and belong to one app only; models and teams that exist.

use std::collections::{HashMap, HashSet};

use wellhead_policy::WebhookKey;

use super::ReportAt;
use crate::diagnostic::Report;
use crate::document::{App, Root};
use crate::read::Spanned;
use crate::values::KeyEntry;

/// Shortest key of an app in characters. Keys made here have 256 random bits; 16 characters is where guessing one
/// over the network stops being practical, if they are random.
const KEY_CHARS_MIN: usize = 16;

pub(super) fn check(root: &Root, report: &mut Report) {
    let Some(apps) = &root.apps else { return };
    let models: HashSet<&str> = root.models.iter().flat_map(|models| models.names()).collect();
    let teams: HashSet<&str> = root.teams.iter().flat_map(|teams| teams.names()).collect();
    let mut owners: HashMap<&str, (&str, u32)> = HashMap::new();
    for (name, app) in apps.iter() {
        let mut ids: HashSet<&str> = HashSet::new();
        for key in app.keys.iter().flat_map(|keys| &keys.0) {
            check_key(name, key, &mut owners, report);
            if let Some(id) = &key.id
                && !ids.insert(&id.0)
            {
                report
                    .error_at(id, "two keys of one app have this id")
                    .expected("an id of its own for each key");
            }
        }
        references(app, &models, &teams, report);
        for secret in app.webhook.iter().filter_map(|webhook| webhook.secrets.as_ref()).flat_map(|all| &all.0)
        {
            if let Err(problem) = WebhookKey::parse(secret.0.expose()) {
                report.error_at(secret, format!("this secret of a webhook {problem}")).expected(
                    "whsec_ and base64 of 24 to 64 random bytes: echo whsec_$(openssl rand -base64 32)",
                );
            }
        }
    }
}

fn check_key<'d>(
    app: &'d Spanned<String>,
    key: &'d Spanned<KeyEntry>,
    owners: &mut HashMap<&'d str, (&'d str, u32)>,
    report: &mut Report,
) {
    let text = key.secret.0.expose();
    let length = text.chars().count();
    if length < KEY_CHARS_MIN {
        report.error_at(key, format!("this key has {length} characters and could be guessed")).expected(
            format!("at least {KEY_CHARS_MIN} random characters; `wellhead key create` makes good ones"),
        );
    }
    if text.contains(' ') {
        let problem = "this key contains a blank, so no client could send it as a bearer token";
        report.error_at(key, problem).expected("a key without blanks");
    }
    if let Some((owner, line)) = owners.insert(text, (app, key.line())) {
        let message = if owner == app.as_str() {
            format!("the same key was given in line {line}")
        } else {
            format!(
                "this key belongs to the app {owner:?} already (line {line}), so its owner would be unclear"
            )
        };
        report.error_at(key, message).expected("a key of its own for each app");
    }
}

fn references(app: &App, models: &HashSet<&str>, teams: &HashSet<&str>, report: &mut Report) {
    let mut seen: HashSet<&str> = HashSet::new();
    for model in app.models.iter().flat_map(|models| &models.0) {
        if !models.contains(&*model.0) && !report.is_unreadable("models") {
            let near = report.nearest(model, models.iter().copied());
            report
                .error_at(model, format!("no model {:?}", &*model.0))
                .expected("the name of a model of this file")
                .suggest(near);
        } else if !seen.insert(model) {
            report.warning_at(model, "this model is listed twice");
        }
    }
    if let Some(team) =
        app.team.as_ref().filter(|team| !teams.contains(&*team.0) && !report.is_unreadable("teams"))
    {
        let near = report.nearest(team, teams.iter().copied());
        report
            .error_at(team, format!("no team {:?}", &*team.0))
            .expected("the name of a team of this file")
            .suggest(near);
    }
}
