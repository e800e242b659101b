//! `wellhead key …`: keys of apps that live in the store.

use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::bail;
use http::Method;
use serde_json::{Map, Value, json};

use crate::admin::{Client, segment};
use crate::cli::KeyCommand;
use crate::ui;

/// Pages of a listing that are followed: 500,000 rows; a listing that goes on behind that goes round in circles.
const PAGES_MAX: usize = 1_000;

pub(super) async fn run(command: &KeyCommand) -> anyhow::Result<ExitCode> {
    match command {
        KeyCommand::Create { app, create_app, name, expires_in, admin } => {
            let client = Client::new(admin)?;
            create(&client, app, *create_app, name.as_deref(), *expires_in).await?;
        }
        KeyCommand::List { app, admin } => list(&Client::new(admin)?, app.as_deref()).await?,
        KeyCommand::Revoke { app, id, admin } => {
            let path = format!("/api/v1/apps/{}/keys/{}", segment(app), segment(id));
            Client::new(admin)?.call(Method::DELETE, &path, None).await?;
            ui::note(&format!("key {id} of app {app} is out of service"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(
    client: &Client,
    app: &str,
    create_app: bool,
    name: Option<&str>,
    expires_in: Option<Duration>,
) -> anyhow::Result<()> {
    if create_app {
        let made = client.try_call(Method::POST, "/api/v1/apps", Some(&json!({ "name": app }))).await?;
        match made {
            Ok(_) => ui::note(&format!("made app {app}: every model, no limits")),
            Err((code, _)) if code == "app-exists" => {}
            Err((_, message)) => bail!(message),
        }
    }
    let mut wishes = Map::new();
    if let Some(name) = name {
        wishes.insert("name".to_owned(), name.into());
    }
    if let Some(expires_in) = expires_in {
        wishes.insert("expires_in_s".to_owned(), expires_in.as_secs().into());
    }
    let path = format!("/api/v1/apps/{}/keys", segment(app));
    let key = match client.try_call(Method::POST, &path, Some(&Value::Object(wishes))).await? {
        Ok(key) => key,
        Err((code, message)) if code == "app-not-found" => {
            bail!("{message}; make it at the same time with --create-app")
        }
        Err((_, message)) => bail!(message),
    };
    // The key alone on stdout: KEY=$(wellhead key create shop).
    ui::out(&format!("{}\n", key["key"].as_str().unwrap_or_default()))?;
    ui::note(&format!(
        "key {} of app {app}; it is shown this once, and revoked with `wellhead key revoke {app} {}`",
        key["id"].as_str().unwrap_or_default(),
        key["id"].as_str().unwrap_or_default(),
    ));
    Ok(())
}

async fn list(client: &Client, app: Option<&str>) -> anyhow::Result<()> {
    let apps = match app {
        Some(app) => vec![app.to_owned()],
        None => names(&all(client, "/api/v1/apps").await?),
    };
    let mut rows: Vec<Vec<String>> =
        vec![["APP", "ID", "NAME", "KEY", "STATE", "EXPIRES", "DECLARED IN"].map(str::to_owned).to_vec()];
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    for app in &apps {
        let keys = all(client, &format!("/api/v1/apps/{}/keys", segment(app))).await?;
        rows.extend(keys.iter().map(|key| row(key, now)));
    }
    if rows.len() == 1 {
        ui::note("there are no keys yet; make one with `wellhead key create APP --create-app`");
        return Ok(());
    }
    ui::out(&ui::table(&rows))?;
    Ok(())
}

fn row(key: &Value, now: Duration) -> Vec<String> {
    let text = |field: &str| key[field].as_str().unwrap_or("-").to_owned();
    let tail = key["tail"].as_str().map_or_else(|| "-".to_owned(), |tail| format!("…{tail}"));
    let expires = match (key["expires_at_ms"].as_u64(), key["state"].as_str()) {
        (Some(at), Some("live")) => format!("in {}", rough(Duration::from_millis(at).saturating_sub(now))),
        _ => "-".to_owned(),
    };
    vec![text("app"), text("id"), text("name"), tail, text("state"), expires, text("managed_by")]
}

/// Every row of a listing, page by page.
async fn all(client: &Client, path: &str) -> anyhow::Result<Vec<Value>> {
    let mut rows = Vec::new();
    let mut cursor = String::new();
    for _ in 0..PAGES_MAX {
        let mut page = client.call(Method::GET, &format!("{path}?limit=500{cursor}"), None).await?;
        if let Value::Array(items) = page["items"].take() {
            rows.extend(items);
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={}", segment(next)),
            None => return Ok(rows),
        }
    }
    bail!("the listing {path} does not end")
}

fn names(apps: &[Value]) -> Vec<String> {
    apps.iter().filter_map(|app| app["name"].as_str()).map(str::to_owned).collect()
}

/// Rounded, in the largest unit that fits: `3d`, `5h`, `12m`, `40s`.
fn rough(time: Duration) -> String {
    let seconds = time.as_secs();
    let units = [(86_400, 'd'), (3_600, 'h'), (60, 'm')];
    let unit = units.into_iter().find(|(length, _)| seconds >= *length);
    unit.map_or_else(
        || format!("{seconds}s"),
        |(length, name)| format!("{}{name}", (seconds + length / 2) / length),
    )
}

#[cfg(test)]
mod tests {
    use super::rough;
    use std::time::Duration;

    #[test]
    fn times_are_told_in_their_largest_unit() {
        for (seconds, told) in [(0, "0s"), (59, "59s"), (60, "1m"), (7_300, "2h"), (86_400 * 90 - 1, "90d")] {
            assert_eq!(rough(Duration::from_secs(seconds)), told);
        }
    }
}
