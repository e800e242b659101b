//! Every field that a person can set reaches the data plane: set to something else, it changes the snapshot. The
//! fields come from the published schema, so a new field without a line in this table fails.

use std::collections::BTreeSet;

use serde_json::Value;
use wellhead_config::json_schema;

use crate::support::compiled;

const BASE: &str = "version: 1
listen: {LISTEN}
providers:
  p: { kind: openai-compatible, base_url: 'https://p.example/v1', PROVIDER }
  q: { kind: openai-compatible, base_url: 'https://q.example/v1', tls: {TLS}, timeouts: {CONNECT} }
  r: { kind: openai-compatible, base_url: 'https://r.example/v1', region: de }
  s: { kind: bedrock-openai, base_url: 'https://bedrock-runtime.eu-west-1.amazonaws.com/openai/v1', keys: [{ aws: {AWS} }] }
  t: { kind: vertex-openai, base_url: 'https://t.example/v1', keys: [{ gcp: {GCP} }] }
  u: { kind: azure-openai, base_url: 'https://u.example/v1', keys: [{ azure: {AZURE} }] }
models:
  m: { targets: [{ provider: p, model: a, TARGET }, { provider: q, model: b }, { provider: r, model: c }], timeouts: {TIMES}, defer: {DEFERS}, MODEL }
  n: { targets: [{ provider: p, model: a }] }
apps:
  a: { keys: [wh-dev-0123456789abcdef], limits: {RATES}, APP }
stream: {STREAM}
limits: {LIMITS}
defer: {DEFER}
dns: {DNS}
catalog: { models: { openai-compatible/a: {FACTS} } }
server: {SERVER}
telemetry: {TELEMETRY}
";

/// Field of the schema, the place in the text, and what to write there.
const FIELDS: &[(&str, &str, &str)] = &[
    ("listen.gateway", "{LISTEN}", "{ gateway: '127.0.0.1:5000' }"),
    ("listen.admin", "{LISTEN}", "{ admin: '127.0.0.1:5001' }"),
    ("providers.*.kind", "openai-compatible, base_url: 'https://q", "openai, key: k, base_url: 'https://q"),
    ("providers.*.base_url", "https://p.example/v1", "https://p.example/v2"),
    ("providers.*.keys", "PROVIDER", "keys: [one, two]"),
    ("providers.*.keys[].secret", "PROVIDER", "keys: [{ secret: one }]"),
    ("providers.*.keys[].id", "PROVIDER", "keys: [{ secret: one, id: mine }]"),
    ("providers.*.keys[].aws.source", "{AWS}", "{ source: imds }"),
    (
        "providers.*.keys[].aws.access_key_id",
        "{AWS}",
        "{ access_key_id: AKIDEXAMPLE, secret_access_key: one }",
    ),
    (
        "providers.*.keys[].aws.secret_access_key",
        "{AWS}",
        "{ access_key_id: AKIDEXAMPLE, secret_access_key: two }",
    ),
    (
        "providers.*.keys[].aws.session_token",
        "{AWS}",
        "{ access_key_id: AKIDEXAMPLE, secret_access_key: one, session_token: three }",
    ),
    ("providers.*.keys[].aws.profile", "{AWS}", "{ profile: work }"),
    ("providers.*.keys[].aws.role_arn", "{AWS}", "{ role_arn: 'arn:aws:iam::1:role/r' }"),
    (
        "providers.*.keys[].aws.token_file",
        "{AWS}",
        "{ role_arn: 'arn:aws:iam::1:role/r', token_file: token }",
    ),
    ("providers.*.keys[].aws.region", "{AWS}", "{ region: us-east-1 }"),
    ("providers.*.keys[].aws.sts_endpoint", "{AWS}", "{ sts_endpoint: 'https://sts.example' }"),
    ("providers.*.keys[].gcp.source", "{GCP}", "{ source: metadata }"),
    ("providers.*.keys[].gcp.file", "{GCP}", "{ file: key.json }"),
    ("providers.*.keys[].gcp.scope", "{GCP}", "{ scope: 'https://www.googleapis.com/auth/other' }"),
    ("providers.*.keys[].azure.source", "{AZURE}", "{ source: managed-identity }"),
    ("providers.*.keys[].azure.tenant_id", "{AZURE}", "{ tenant_id: t }"),
    ("providers.*.keys[].azure.client_id", "{AZURE}", "{ client_id: c }"),
    ("providers.*.keys[].azure.client_secret", "{AZURE}", "{ client_secret: one }"),
    ("providers.*.keys[].azure.token_file", "{AZURE}", "{ token_file: token }"),
    ("providers.*.keys[].azure.authority", "{AZURE}", "{ authority: 'https://login.example' }"),
    ("providers.*.keys[].azure.scope", "{AZURE}", "{ scope: 'https://ai.azure.com/.default' }"),
    ("providers.*.key", "PROVIDER", "key: one"),
    ("providers.*.region", "PROVIDER", "region: eu"),
    ("providers.*.prefill", "PROVIDER", "prefill: vllm"),
    ("providers.*.responses", "PROVIDER", "responses: true"),
    ("providers.*.headers", "PROVIDER", "headers: { x-a: b }"),
    ("providers.*.tls.ca_file", "{TLS}", "{ ca_file: roots.pem }"),
    ("providers.*.tls.server_name", "{TLS}", "{ server_name: x.example }"),
    ("providers.*.protocol", "PROVIDER", "protocol: http2"),
    ("providers.*.api_version", "PROVIDER", "api_version: v9"),
    ("providers.*.concurrency_max", "PROVIDER", "concurrency_max: 4"),
    ("providers.*.idempotency", "PROVIDER", "idempotency: true"),
    ("providers.*.timeouts.connect", "{CONNECT}", "{ connect: 9s }"),
    (
        "models.*.targets",
        "[{ provider: p, model: a }]",
        "[{ provider: p, model: a }, { provider: q, model: a }]",
    ),
    ("models.*.targets[].provider", "[{ provider: p, model: a }]", "[{ provider: q, model: a }]"),
    ("models.*.targets[].model", "[{ provider: p, model: a }]", "[{ provider: p, model: z }]"),
    ("models.*.targets[].weight", "TARGET", "weight: 7"),
    ("models.*.targets[].tier", "TARGET", "tier: 7"),
    ("models.*.timeouts.deadline", "{TIMES}", "{ deadline: 99s }"),
    ("models.*.timeouts.first_token", "{TIMES}", "{ first_token: 9s }"),
    ("models.*.timeouts.stream_idle", "{TIMES}", "{ stream_idle: 9s }"),
    ("models.*.timeouts.stream_max", "{TIMES}", "{ stream_max: 99s }"),
    ("models.*.timeouts.hold", "{TIMES}", "{ hold: 9s }"),
    ("models.*.attempts_max", "MODEL", "attempts_max: 9"),
    ("models.*.stream.rescue", "MODEL", "stream: { rescue: off }"),
    ("models.*.stream.mode", "MODEL", "stream: { mode: atomic }"),
    ("models.*.stream.hedge", "MODEL", "stream: { hedge: off }"),
    ("models.*.regions", "MODEL", "regions: [de]"),
    ("models.*.drop_unsupported", "MODEL", "drop_unsupported: [seed]"),
    ("models.*.fallback.after", "MODEL", "fallback: { text: x, after: 9s }"),
    ("models.*.fallback.model", "MODEL", "fallback: { model: n }"),
    ("models.*.fallback.larger_model", "MODEL", "fallback: { larger_model: n }"),
    ("models.*.fallback.text", "MODEL", "fallback: { text: Later. }"),
    ("models.*.fallback.cache.ttl", "MODEL", "fallback: { cache: { ttl: 9s } }"),
    ("models.*.fallback.cache.scope", "MODEL", "fallback: { cache: { scope: all } }"),
    ("models.*.fallback.cache.answer_bytes_max", "MODEL", "fallback: { cache: { answer_bytes_max: 9KiB } }"),
    ("models.*.defer.when", "{DEFERS}", "{ when: unavailable }"),
    ("models.*.defer.within", "{DEFERS}", "{ within: 9s }"),
    ("models.*.defer.unknown", "{DEFERS}", "{ unknown: resend }"),
    ("models.*.defer.concurrency", "{DEFERS}", "{ concurrency: 9 }"),
    ("stream.rescue", "{STREAM}", "{ rescue: best }"),
    ("stream.mode", "{STREAM}", "{ mode: atomic }"),
    ("stream.hedge", "{STREAM}", "{ hedge: off }"),
    ("apps.*.keys", "wh-dev-0123456789abcdef", "wh-dev-fedcba9876543210"),
    ("apps.*.keys[].secret", "wh-dev-0123456789abcdef", "{ secret: wh-dev-fedcba9876543210 }"),
    ("apps.*.keys[].id", "wh-dev-0123456789abcdef", "{ secret: wh-dev-0123456789abcdef, id: mine }"),
    ("apps.*.models", "APP", "models: [m]"),
    ("apps.*.regions", "APP", "regions: [de]"),
    ("apps.*.priority", "APP", "priority: bulk"),
    ("apps.*.webhook.url", "APP", HOOK_OTHER_URL),
    ("apps.*.webhook.secrets", "APP", HOOK),
    ("apps.*.limits.rpm", "{RATES}", "{ rpm: 9 }"),
    ("apps.*.limits.tpm", "{RATES}", "{ tpm: 9 }"),
    ("apps.*.limits.concurrency", "{RATES}", "{ concurrency: 9 }"),
    ("limits.body_bytes_max", "{LIMITS}", "{ body_bytes_max: 9KiB }"),
    ("limits.replay_bytes_max", "{LIMITS}", "{ replay_bytes_max: 9KiB }"),
    ("limits.inspect_bytes_max", "{LIMITS}", "{ inspect_bytes_max: 9KiB }"),
    ("limits.event_bytes_max", "{LIMITS}", "{ event_bytes_max: 9KiB }"),
    ("limits.cache_bytes_max", "{LIMITS}", "{ cache_bytes_max: 9KiB }"),
    ("limits.header_bytes_max", "{LIMITS}", "{ header_bytes_max: 9KiB }"),
    ("limits.connections_max", "{LIMITS}", "{ connections_max: 9 }"),
    ("limits.header_timeout", "{LIMITS}", "{ header_timeout: 9s }"),
    ("limits.body_idle_timeout", "{LIMITS}", "{ body_idle_timeout: 9s }"),
    ("defer.requests_max", "{DEFER}", "{ requests_max: 9 }"),
    ("defer.bytes_max", "{DEFER}", "{ bytes_max: 9KiB }"),
    ("defer.app_requests_max", "{DEFER}", "{ app_requests_max: 9 }"),
    ("defer.app_bytes_max", "{DEFER}", "{ app_bytes_max: 9KiB }"),
    ("defer.keep", "{DEFER}", "{ keep: 9s }"),
    ("dns.servers", "{DNS}", "{ servers: ['192.0.2.53:53'] }"),
    ("server.workers", "{SERVER}", "{ workers: 9 }"),
    ("server.shared_runtime", "{SERVER}", "{ shared_runtime: true }"),
    ("server.drain_min", "{SERVER}", "{ drain_min: 9s }"),
    ("server.drain_max", "{SERVER}", "{ drain_max: 9s }"),
    ("telemetry.otlp_endpoint", "{TELEMETRY}", "{ otlp_endpoint: 'http://127.0.0.1:4318' }"),
    ("telemetry.access_log", "{TELEMETRY}", "{ access_log: off }"),
    ("catalog.models.*.like", "{FACTS}", "{ like: openai/gpt-4o }"),
    ("catalog.models.*.mode", "{FACTS}", "{ mode: rerank }"),
    ("catalog.models.*.window", "{FACTS}", "{ window: 9 }"),
    ("catalog.models.*.output_max", "{FACTS}", "{ output_max: 9 }"),
    ("catalog.models.*.can", "{FACTS}", "{ can: [tools] }"),
    ("catalog.models.*.cannot", "{FACTS}", "{ cannot: [tools] }"),
    ("catalog.models.*.deprecated", "{FACTS}", "{ deprecated: '2031-01-31' }"),
    ("catalog.models.*.prices.input", "{FACTS}", "{ prices: { input: 9 } }"),
    ("catalog.models.*.prices.output", "{FACTS}", "{ prices: { output: 9 } }"),
    ("catalog.models.*.prices.cache_read", "{FACTS}", "{ prices: { cache_read: 9 } }"),
    ("catalog.models.*.prices.cache_write", "{FACTS}", "{ prices: { cache_write: 9 } }"),
    ("catalog.models.*.prices.cache_write_1h", "{FACTS}", "{ prices: { cache_write_1h: 9 } }"),
    ("catalog.models.*.prices.reasoning", "{FACTS}", "{ prices: { reasoning: 9 } }"),
    ("catalog.models.*.prices.audio_input", "{FACTS}", "{ prices: { audio_input: 9 } }"),
    ("catalog.models.*.prices.audio_output", "{FACTS}", "{ prices: { audio_output: 9 } }"),
    ("catalog.models.*.prices.audio_cache_read", "{FACTS}", "{ prices: { audio_cache_read: 9 } }"),
    ("catalog.models.*.prices.image_input", "{FACTS}", "{ prices: { image_input: 9 } }"),
    ("catalog.models.*.prices.image_output", "{FACTS}", "{ prices: { image_output: 9 } }"),
    ("catalog.models.*.prices.image", "{FACTS}", "{ prices: { image: 9 } }"),
    ("catalog.models.*.prices.hour", "{FACTS}", "{ prices: { hour: 9 } }"),
    ("catalog.models.*.prices.request", "{FACTS}", "{ prices: { request: 9 } }"),
    (
        "catalog.models.*.tiers[].above",
        "{FACTS}",
        "{ prices: { input: 1 }, tiers: [{ above: 7, prices: { input: 1 } }] }",
    ),
    (
        "catalog.models.*.tiers[].prices.input",
        "{FACTS}",
        "{ prices: {}, tiers: [{ above: 9, prices: { input: 9 } }] }",
    ),
    (
        "catalog.models.*.tiers[].prices.output",
        "{FACTS}",
        "{ prices: {}, tiers: [{ above: 9, prices: { output: 9 } }] }",
    ),
    (
        "catalog.models.*.tiers[].prices.cache_read",
        "{FACTS}",
        "{ prices: {}, tiers: [{ above: 9, prices: { cache_read: 9 } }] }",
    ),
    (
        "catalog.models.*.tiers[].prices.cache_write",
        "{FACTS}",
        "{ prices: {}, tiers: [{ above: 9, prices: { cache_write: 9 } }] }",
    ),
    (
        "catalog.models.*.tiers[].prices.cache_write_1h",
        "{FACTS}",
        "{ prices: {}, tiers: [{ above: 9, prices: { cache_write_1h: 9 } }] }",
    ),
    (
        "catalog.models.*.tiers[].prices.reasoning",
        "{FACTS}",
        "{ prices: {}, tiers: [{ above: 9, prices: { reasoning: 9 } }] }",
    ),
    (
        "catalog.models.*.tiers[].prices.audio_input",
        "{FACTS}",
        "{ prices: {}, tiers: [{ above: 9, prices: { audio_input: 9 } }] }",
    ),
    (
        "catalog.models.*.tiers[].prices.audio_output",
        "{FACTS}",
        "{ prices: {}, tiers: [{ above: 9, prices: { audio_output: 9 } }] }",
    ),
    (
        "catalog.models.*.tiers[].prices.audio_cache_read",
        "{FACTS}",
        "{ prices: {}, tiers: [{ above: 9, prices: { audio_cache_read: 9 } }] }",
    ),
    (
        "catalog.models.*.tiers[].prices.image_input",
        "{FACTS}",
        "{ prices: {}, tiers: [{ above: 9, prices: { image_input: 9 } }] }",
    ),
    (
        "catalog.models.*.tiers[].prices.image_output",
        "{FACTS}",
        "{ prices: {}, tiers: [{ above: 9, prices: { image_output: 9 } }] }",
    ),
    (
        "catalog.models.*.tiers[].prices.image",
        "{FACTS}",
        "{ prices: {}, tiers: [{ above: 9, prices: { image: 9 } }] }",
    ),
    (
        "catalog.models.*.tiers[].prices.hour",
        "{FACTS}",
        "{ prices: {}, tiers: [{ above: 9, prices: { hour: 9 } }] }",
    ),
    (
        "catalog.models.*.tiers[].prices.request",
        "{FACTS}",
        "{ prices: {}, tiers: [{ above: 9, prices: { request: 9 } }] }",
    ),
];

const HOOK: &str =
    "webhook: { url: 'https://h.example/', secrets: [whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw] }";
const HOOK_OTHER_URL: &str =
    "webhook: { url: 'https://i.example/', secrets: [whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw] }";

/// Fields that decide whether a document is accepted, and nothing else.
const CONSENT: &[&str] = &["version", "server.admin_exposed"];

fn snapshot(place: &str, written: &str) -> String {
    let mut text = BASE.to_owned();
    if !place.is_empty() {
        assert!(text.contains(place), "{place:?} is not in the base text");
        text = text.replacen(place, written, 1);
    }
    for rest in [
        "{LISTEN}",
        "{STREAM}",
        "{TLS}",
        "{CONNECT}",
        "{TIMES}",
        "{RATES}",
        "{LIMITS}",
        "{DEFERS}",
        "{DEFER}",
        "{DNS}",
        "{SERVER}",
        "{TELEMETRY}",
        "{FACTS}",
        "{AWS}",
        "{GCP}",
        "{AZURE}",
    ] {
        text = text.replace(rest, "{}");
    }
    for rest in [", PROVIDER", ", TARGET", ", MODEL", ", APP"] {
        text = text.replace(rest, "");
    }
    let mut snapshot = compiled(&text);
    // Where an app was declared is no setting.
    let apps = snapshot.apps.iter().map(|(name, app)| {
        let mut app = (**app).clone();
        app.origin.clear();
        (name.clone(), app.into())
    });
    snapshot.apps = std::sync::Arc::new(apps.collect());
    format!("{snapshot:?}")
}

#[test]
fn every_field_changes_the_snapshot() {
    let default = snapshot("", "");
    for (field, place, written) in FIELDS {
        assert_ne!(snapshot(place, written), default, "{field}: {written} is accepted and dropped");
    }
}

#[test]
fn every_field_of_the_schema_is_in_the_table() {
    let mut fields = BTreeSet::new();
    leaves(&json_schema(), String::new(), &mut fields);
    let known: BTreeSet<String> =
        FIELDS.iter().map(|(field, _, _)| *field).chain(CONSENT.iter().copied()).map(str::to_owned).collect();
    // A list of objects is both a field and the objects' fields.
    let containers: BTreeSet<String> =
        ["providers.*.keys", "models.*.targets", "apps.*.keys", "providers.*.headers"]
            .map(str::to_owned)
            .into();
    assert_eq!(&fields | &containers, known);
}

/// Paths of everything that can be set, but for what says of itself that it has no effect yet.
fn leaves(schema: &Value, path: String, into: &mut BTreeSet<String>) {
    if schema["description"].as_str().is_some_and(|about| about.contains("no effect yet")) {
        return;
    }
    if let Some(properties) = schema["properties"].as_object() {
        for (name, inner) in properties {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            leaves(inner, path, into);
        }
        return;
    }
    if schema["additionalProperties"]["type"] == "object" {
        return leaves(&schema["additionalProperties"], format!("{path}.*"), into);
    }
    let choices =
        std::iter::once(&schema["items"]).chain(schema["items"]["anyOf"].as_array().into_iter().flatten());
    let mut found = false;
    for object in choices.filter(|choice| choice["type"] == "object") {
        leaves(object, format!("{path}[]"), into);
        found = true;
    }
    if !found {
        into.insert(path);
    }
}
