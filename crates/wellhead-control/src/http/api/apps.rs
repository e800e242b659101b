//! Apps: those of the store can be changed, those of the file are shown.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use wellhead_config::snapshot::App;
use wellhead_store::{AppQueries, AppSettings, StoreError, StoredApp};

use crate::ChangeError;
use crate::configurator::ORIGIN_STORE;
use crate::http::fields::Fields;
use crate::http::problem::Problem;
use crate::http::reply::{JsonBody, Page, Parameters, Reply, if_match};
use crate::http::{Admin, Shared};

/// Model names in one allow-list: as many as a configuration file may hold.
const MODELS_MAX: usize = 10_000;

/// Highest limit: anything above means "unlimited" and should say so with null.
const LIMIT_MAX: u64 = 1_000_000_000_000;

pub(in crate::http) async fn list(
    State(admin): Shared,
    Query(parameters): Parameters,
) -> Result<Reply, Problem> {
    let page = Page::of(&parameters)?;
    let cursor = page.cursor.as_deref();
    let stored = admin.configurator.store().list_apps(cursor, page.rows_wanted()).await?;
    // With more stored apps than fit, those of the file beyond the last one seen belong to a later page.
    let more = stored.len() > page.limit as usize;
    let horizon = stored.last().filter(|_| more).map(|app| app.name.clone());
    let mut rows: Vec<(String, Value)> = file_apps(&admin, cursor)
        .iter()
        .filter(|app| horizon.as_deref().is_none_or(|horizon| &*app.name <= horizon))
        .map(|app| (app.name.to_string(), of_file(app)))
        .collect();
    let shown = stored.iter().filter(|app| admin.configurator.file_origin(&app.name).is_none());
    rows.extend(shown.map(|app| (app.name.clone(), of_store(app))));
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(page.answer_up_to(rows, horizon))
}

pub(in crate::http) async fn create(
    State(admin): Shared,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Reply, Problem> {
    let JsonBody { bytes, value } = body;
    let work = async {
        let mut fields = Fields::body(value)?;
        let name = fields.required_string("name");
        if let Some(name) = &name
            && !name_is_usable(name)
        {
            let expected = "1 to 64 letters, digits, '.', '_' and '-', beginning with a letter or digit";
            fields.error("name", format!("{name:?} cannot be an app's name; expected {expected}"));
        }
        let settings = read_settings(&mut fields, AppSettings::default());
        fields.finish()?;
        let app = admin.configurator.create_app(&name.unwrap_or_default(), &settings).await?;
        let location = format!("/api/v1/apps/{}", app.name);
        let reply = Reply::json(StatusCode::CREATED, of_store(&app));
        Ok(reply.header(header::LOCATION, &location).header(header::ETAG, &etag(&app)))
    };
    admin.idempotency.once(&headers, "POST /api/v1/apps", &bytes, work).await
}

pub(in crate::http) async fn read(State(admin): Shared, Path(name): Path<String>) -> Result<Reply, Problem> {
    if let Some(app) = file_app(&admin, &name) {
        return Ok(Reply::ok(of_file(&app)));
    }
    let app = stored(&admin, &name).await?;
    Ok(Reply::ok(of_store(&app)).header(header::ETAG, &etag(&app)))
}

/// RFC 7396 merge patch: what is not named stays, null takes a restriction away.
pub(in crate::http) async fn update(
    State(admin): Shared,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Reply, Problem> {
    if let Some(origin) = admin.configurator.file_origin(&name) {
        return Err(ChangeError::ManagedByFile { app: name, origin }.into());
    }
    let current = stored(&admin, &name).await?;
    let version = if_match(&headers)?;
    let mut fields = Fields::body(body.value)?;
    // Read on top of the current settings; if those are not the ones that the caller saw, the version refuses it.
    let settings = read_settings(&mut fields, current.settings);
    fields.finish()?;
    let app = admin.configurator.update_app(&name, &settings, version).await?;
    Ok(Reply::ok(of_store(&app)).header(header::ETAG, &etag(&app)))
}

pub(in crate::http) async fn remove(
    State(admin): Shared,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Reply, Problem> {
    if admin.configurator.store().get_app(&name).await?.is_none() {
        if let Some(origin) = admin.configurator.file_origin(&name) {
            return Err(ChangeError::ManagedByFile { app: name, origin }.into());
        }
        return Err(StoreError::AppMissing(name).into());
    }
    let version = if_match(&headers)?;
    admin.configurator.delete_app(&name, version).await?;
    Ok(Reply::no_content())
}

/// An app of the file, if the file declares it.
pub(super) fn file_app(admin: &Admin, name: &str) -> Option<Arc<App>> {
    let snapshot = admin.configurator.snapshot()?;
    snapshot.apps.get(name).filter(|app| app.origin != ORIGIN_STORE).cloned()
}

fn file_apps(admin: &Admin, after: Option<&str>) -> Vec<Arc<App>> {
    let Some(snapshot) = admin.configurator.snapshot() else { return Vec::new() };
    let apps = snapshot.apps.values().filter(|app| app.origin != ORIGIN_STORE);
    apps.filter(|app| after.is_none_or(|after| &*app.name > after)).cloned().collect()
}

async fn stored(admin: &Admin, name: &str) -> Result<StoredApp, Problem> {
    let app = admin.configurator.store().get_app(name).await?;
    app.ok_or_else(|| StoreError::AppMissing(name.to_owned()).into())
}

fn etag(app: &StoredApp) -> String {
    format!("\"v{}\"", app.version)
}

fn of_store(app: &StoredApp) -> Value {
    let AppSettings { models, rpm, tpm, concurrency } = &app.settings;
    json!({
        "name": app.name,
        "models": models,
        "limits": { "rpm": rpm, "tpm": tpm, "concurrency": concurrency },
        "managed_by": ORIGIN_STORE,
        "created_at_ms": app.created_at_ms,
        "updated_at_ms": app.updated_at_ms,
    })
}

fn of_file(app: &App) -> Value {
    json!({
        "name": &*app.name,
        "models": app.models.as_ref().map(|models| models.iter().map(|m| &**m).collect::<Vec<_>>()),
        "limits": { "rpm": app.limits.rpm, "tpm": app.limits.tpm, "concurrency": app.limits.concurrency },
        "managed_by": app.origin,
        "created_at_ms": null,
        "updated_at_ms": null,
    })
}

/// The same rule as for apps in the file: the name becomes a metric label and part of a path.
fn name_is_usable(name: &str) -> bool {
    name.len() <= 64
        && name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

fn read_settings(fields: &mut Fields, before: AppSettings) -> AppSettings {
    let AppSettings { models, rpm, tpm, concurrency } = before;
    let models = fields.strings("models", MODELS_MAX).unwrap_or(models);
    let before = (rpm, tpm, concurrency);
    let limits = fields.nested("limits", |limits, cleared| {
        let before = if cleared { (None, None, None) } else { before };
        let mut limit = |name, before| limits.number(name, 1, LIMIT_MAX).unwrap_or(before);
        (limit("rpm", before.0), limit("tpm", before.1), limit("concurrency", before.2))
    });
    let (rpm, tpm, concurrency) = limits.unwrap_or(before);
    AppSettings { models, rpm, tpm, concurrency }
}
