//! Keys of apps. The text of a key is in the answer to its creation and nowhere else.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use wellhead_config::snapshot::{App, AppKey};
use wellhead_store::{KeyQueries, StoreError, StoredKey};

use super::apps::file_app;
use crate::KeyRequest;
use crate::clock::now_ms;
use crate::configurator::ORIGIN_STORE;
use crate::http::Shared;
use crate::http::fields::Fields;
use crate::http::problem::Problem;
use crate::http::reply::{JsonBody, Page, Parameters, Reply};

/// Longest name of a key: one line on a screen.
const NAME_CHARS_MAX: usize = 100;

/// Longest life of a key that has an end: ten years.
const EXPIRES_IN_S_MAX: u64 = 10 * 365 * 24 * 3600;

pub(in crate::http) async fn list(
    State(admin): Shared,
    Path(app): Path<String>,
    Query(parameters): Parameters,
) -> Result<Reply, Problem> {
    let page = Page::of(&parameters)?;
    let after = page.numeric_cursor()?.unwrap_or(0);
    if let Some(app) = file_app(&admin, &app) {
        let numbered = (1_u64..).zip(&app.keys).filter(|(number, _)| *number > after);
        return Ok(
            page.answer(numbered.map(|(number, key)| (number.to_string(), of_file(&app, key))).collect())
        );
    }
    let now = now_ms();
    let keys = admin.configurator.store().list_keys(&app, after, page.rows_wanted()).await?;
    Ok(page.answer(keys.iter().map(|key| (key.seq.to_string(), of_store(key, now))).collect()))
}

pub(in crate::http) async fn create(
    State(admin): Shared,
    Path(app): Path<String>,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Reply, Problem> {
    let JsonBody { bytes, value } = body;
    let operation = format!("POST /api/v1/apps/{app}/keys");
    let work = async {
        let mut fields = Fields::body(value)?;
        let name = fields.string("name");
        if name.as_ref().is_some_and(|name| {
            name.is_empty() || name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control)
        }) {
            let expected = format!("expected 1 to {NAME_CHARS_MAX} characters without control characters");
            fields.error("name", format!("this cannot be a key's name; {expected}"));
        }
        let expires_in_s = fields.number("expires_in_s", 1, EXPIRES_IN_S_MAX).flatten();
        fields.finish()?;
        let issued = admin.configurator.create_key(&app, &KeyRequest { name, expires_in_s }).await?;
        let mut answer = of_store(&issued.stored, now_ms());
        answer["key"] = issued.text.expose().into();
        let location = format!("/api/v1/apps/{app}/keys/{}", issued.stored.id);
        Ok(Reply::json(StatusCode::CREATED, answer).header(header::LOCATION, &location))
    };
    admin.idempotency.once(&headers, &operation, &bytes, work).await
}

pub(in crate::http) async fn read(
    State(admin): Shared,
    Path((app, id)): Path<(String, String)>,
) -> Result<Reply, Problem> {
    let key = match file_app(&admin, &app) {
        Some(app) => app.keys.iter().find(|key| *key.id == *id).map(|key| of_file(&app, key)),
        None => {
            let key = admin.configurator.store().get_key(&app, &id).await?;
            key.map(|key| of_store(&key, now_ms()))
        }
    };
    key.map(Reply::ok).ok_or_else(|| StoreError::KeyMissing { app, id }.into())
}

/// No `If-Match`: taking a leaked key out of service must not fail because somebody renamed something.
pub(in crate::http) async fn revoke(
    State(admin): Shared,
    Path((app, id)): Path<(String, String)>,
) -> Result<Reply, Problem> {
    let revoked = admin.configurator.revoke_key(&app, &id).await?;
    Ok(Reply::ok(of_store(&revoked, now_ms())))
}

fn of_store(key: &StoredKey, now: u64) -> Value {
    let state = match key {
        StoredKey { revoked_at_ms: Some(_), .. } => "revoked",
        key if !key.is_live(now) => "expired",
        _ => "live",
    };
    json!({
        "id": key.id,
        "app": key.app,
        "name": key.name,
        "tail": key.tail,
        "state": state,
        "created_at_ms": key.created_at_ms,
        "expires_at_ms": key.expires_at_ms,
        "revoked_at_ms": key.revoked_at_ms,
        "managed_by": ORIGIN_STORE,
    })
}

fn of_file(app: &App, key: &AppKey) -> Value {
    json!({
        "id": &*key.id,
        "app": &*app.name,
        "name": null,
        "tail": null,
        "state": "live",
        "created_at_ms": null,
        "expires_at_ms": null,
        "revoked_at_ms": null,
        "managed_by": app.origin,
    })
}
