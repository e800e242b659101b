//! Every answer has the shape that the OpenAPI document promises: no member is missing, none is undocumented.

use serde_json::Value;

use crate::support::{Answer, CONFIG, Instance, config_file};

/// The part of JSON Schema that the document uses.
fn check(document: &Value, schema: &Value, value: &Value, place: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        return check(document, document.pointer(&reference[1..]).unwrap(), value, place);
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().map(|t| t.as_str().unwrap()).collect(),
        other => panic!("{place}: a schema without a type: {other}"),
    };
    let actual = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if n.is_u64() && types.contains(&"integer") => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(types.contains(&actual), "{place}: {value} is no {types:?}");
    if let Some(options) = schema["enum"].as_array() {
        assert!(options.contains(value), "{place}: {value} is none of {options:?}");
    }
    if let (Some(items), Some(list)) = (schema.get("items"), value.as_array()) {
        list.iter().enumerate().for_each(|(at, item)| check(document, items, item, &format!("{place}/{at}")));
    }
    let Some(object) = value.as_object() else { return };
    for required in schema["required"].as_array().into_iter().flatten() {
        assert!(object.contains_key(required.as_str().unwrap()), "{place}: {required} is missing in {value}");
    }
    for (name, member) in object {
        match schema["properties"].get(name) {
            Some(schema) => check(document, schema, member, &format!("{place}/{name}")),
            None => assert_ne!(schema["additionalProperties"], false, "{place}: {name} is undocumented"),
        }
    }
}

/// Calls an operation and checks its answer against what the document says about that status.
struct Caller {
    instance: Instance,
    document: Value,
}

impl Caller {
    async fn call(
        &self,
        method: &str,
        template: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let answer = self.instance.call(method, path, headers, body).await;
        let place = format!("{method} {path} {}", answer.status);
        let operation = &self.document["paths"][template][method.to_lowercase()];
        let response = operation["responses"]
            .get(answer.status.to_string())
            .unwrap_or_else(|| panic!("{place} is undocumented: {}", answer.text));
        let Some(content) = response.get("content") else {
            assert_eq!(answer.text, "", "{place}");
            return answer;
        };
        let media_type = answer.header("content-type").unwrap().split(';').next().unwrap();
        let schema = &content.get(media_type).unwrap_or_else(|| panic!("{place}: {media_type}"))["schema"];
        if media_type.ends_with("json") {
            check(&self.document, schema, &answer.json(), &place);
        }
        answer
    }
}

#[tokio::test]
async fn every_operation_answers_as_documented_when_it_works_and_when_it_does_not() {
    const APPS: &str = "/api/v1/apps";
    const APP: &str = "/api/v1/apps/{name}";
    const KEYS: &str = "/api/v1/apps/{name}/keys";
    const KEY: &str = "/api/v1/apps/{name}/keys/{id}";
    let dir = tempfile::tempdir().unwrap();
    let instance = Instance::start(dir.path(), CONFIG).await;
    let document = instance.get("/api/v1/openapi.json").await.expect(200);
    let caller = Caller { instance, document };
    let get = |template: &'static str, path: &'static str| caller.call("GET", template, path, &[], "");

    for path in
        ["/livez", "/healthz", "/readyz", "/status", "/metrics", "/api/v1/status", "/api/v1/openapi.json"]
    {
        assert_eq!(get(path, path).await.status, 200);
    }
    let accept = [("accept", "application/json")];
    assert_eq!(caller.call("GET", "/status", "/status", &accept, "").await.status, 200);
    assert_eq!(get("/status", "/status?format=xml").await.status, 400);

    const STORY: &str = "/api/v1/requests/{request_id}";
    assert_eq!(get(STORY, "/api/v1/requests/order%2F4711").await.status, 200);
    let unknown = get(STORY, "/api/v1/requests/nobody").await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.text.contains("at most 1000 or 4 MiB"), "it says what is kept: {}", unknown.text);

    let full = r#"{"name":"shop","models":["chat"],"limits":{"rpm":1,"tpm":2,"concurrency":3}}"#;
    let made = caller.call("POST", APPS, APPS, &[], full).await;
    assert_eq!(made.status, 201);
    let etag = made.header("etag").unwrap().to_owned();
    assert_eq!(caller.call("POST", APPS, APPS, &[], full).await.status, 409);
    assert_eq!(caller.call("POST", APPS, APPS, &[], "{}").await.status, 422);
    assert_eq!(caller.call("POST", APPS, APPS, &[], "{").await.status, 400);
    assert_eq!(get(APPS, "/api/v1/apps?limit=1").await.status, 200);
    assert_eq!(get(APPS, "/api/v1/apps?limit=0").await.status, 400);
    assert_eq!(get(APP, "/api/v1/apps/shop").await.status, 200);
    assert_eq!(get(APP, "/api/v1/apps/dev").await.status, 200);
    assert_eq!(get(APP, "/api/v1/apps/nobody").await.status, 404);

    let key =
        caller.call("POST", KEYS, "/api/v1/apps/shop/keys", &[], r#"{"name":"ci","expires_in_s":60}"#).await;
    assert_eq!(key.status, 201);
    let path = key.header("location").unwrap().to_owned();
    assert_eq!(caller.call("POST", KEYS, "/api/v1/apps/dev/keys", &[], "").await.status, 409);
    for app in ["/api/v1/apps/shop/keys", "/api/v1/apps/dev/keys"] {
        assert_eq!(get(KEYS, app).await.status, 200);
    }
    assert_eq!(caller.call("GET", KEY, &path, &[], "").await.status, 200);
    assert_eq!(caller.call("DELETE", KEY, &path, &[], "").await.status, 200);
    assert_eq!(get(KEY, "/api/v1/apps/shop/keys/none").await.status, 404);

    let patch = r#"{"limits":{"rpm":null}}"#;
    assert_eq!(caller.call("PATCH", APP, "/api/v1/apps/shop", &[], patch).await.status, 428);
    let changed = caller.call("PATCH", APP, "/api/v1/apps/shop", &[("if-match", &etag)], patch).await;
    assert_eq!(changed.status, 200);
    assert_eq!(caller.call("DELETE", APP, "/api/v1/apps/shop", &[("if-match", &etag)], "").await.status, 412);
    let newest = changed.header("etag").unwrap();
    assert_eq!(
        caller.call("DELETE", APP, "/api/v1/apps/shop", &[("if-match", newest)], "").await.status,
        204
    );

    assert_eq!(caller.call("POST", "/api/v1/reload", "/api/v1/reload", &[], "").await.status, 200);
    config_file(dir.path(), "version: 1\nmodls: {}\n");
    assert_eq!(caller.call("POST", "/api/v1/reload", "/api/v1/reload", &[], "").await.status, 422);
    assert_eq!(get("/api/v1/generations", "/api/v1/generations?limit=3").await.status, 200);
}
