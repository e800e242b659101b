//! Right files, and the finer points of reading: substitution, anchors, JSON, defaults that give way.

use std::net::SocketAddr;
use std::time::Duration;

use wellhead_catalog::{Ability, Price, Unit};

use crate::support::{compiled, errors, files, folder, loaded};

#[test]
fn every_kind_of_the_catalog_can_be_configured() {
    let catalog = wellhead_catalog::Catalog::builtin().unwrap();
    let hasher = crate::support::hasher();
    for kind in catalog.kinds() {
        let base_url = if kind.base_url.is_none() { ", base_url: 'https://a.example/v1'" } else { "" };
        let key = if kind.auth == wellhead_catalog::Auth::None { "" } else { ", key: sk-one" };
        let text = format!("version: 1\nproviders: {{ a: {{ kind: {}{base_url}{key} }} }}\n", kind.name);
        let loaded = wellhead_config::load("a.yaml", &text, &wellhead_config::Fixed::default(), &catalog);
        let (document, _) =
            loaded.unwrap_or_else(|errors| panic!("{text}{}", wellhead_config::render(&errors)));
        let context = wellhead_config::CompileContext { generation: 1, hasher: &hasher, extra_apps: &[] };
        let (snapshot, _) = wellhead_config::compile(&document, &context).unwrap();
        assert_eq!(snapshot.providers.len(), 1, "{}", kind.name);
    }
}

#[test]
fn every_right_file_is_accepted_and_compiles() {
    let files = files(&folder("right"));
    assert!(files.len() >= 7, "only {} right files", files.len());
    for (_, text) in files {
        compiled(&text);
    }
}

#[test]
fn variables_and_files_are_substituted_anywhere_in_a_value() {
    let snapshot = compiled(
        "version: 1
providers:
  a:
    kind: openai-compatible
    base_url: http://${HOST:-a.example}:${PORT:-8080}/${EMPTY:-v1}
    keys: ['${PROVIDER_KEY}', '${file:keys/provider}', 'pre-${EMPTY}-post']
",
    );
    let provider = &snapshot.providers["a"];
    assert_eq!((provider.base_url.host.as_str(), provider.base_url.port), ("a.example", 8080));
    assert_eq!(provider.base_url.path, "/v1", "`:-` stands in for an empty variable too");
    let keys: Vec<&str> = provider.keys.iter().map(|key| key.secret.expose()).collect();
    assert_eq!(keys, ["sk-from-environment", "sk-from-file", "pre--post"]);
}

#[test]
fn substituted_text_is_never_read_as_structure() {
    let text = "version: 1\nproviders:\n  a: { kind: ollama, region: \"${YAML}\" }\n";
    assert_eq!(compiled(text).providers["a"].region.as_deref(), Some("{ kind: openai }"));
}

#[test]
fn a_doubled_dollar_is_a_literal_one() {
    let text = std::fs::read_to_string(folder("right").join("inherits.yaml")).unwrap();
    let headers = &compiled(&text).providers["b"].headers;
    assert_eq!(*headers, [("x-template".to_owned(), "literal ${NOT_A_VARIABLE} and $5".to_owned())]);
}

#[test]
fn a_default_gives_way_to_what_is_written_about_the_whole() {
    let text = "version: 1
providers: { a: { kind: ollama } }
models:
  m: { targets: [{ provider: a, model: m }], timeouts: { stream_max: 30s } }
";
    let model = &compiled(text).models["m"];
    assert_eq!(model.stream_idle_timeout, Duration::from_secs(30));
}

#[test]
fn nothing_written_means_the_documented_defaults() {
    let snapshot = compiled("version: 1");
    assert_eq!(snapshot.boot.gateway, "127.0.0.1:4000".parse::<SocketAddr>().unwrap());
    assert_eq!(snapshot.boot.admin, "127.0.0.1:4001".parse::<SocketAddr>().unwrap());
    assert_eq!(snapshot.boot.drain_min, None, "the caller knows whether this is a terminal");
    assert_eq!(snapshot.limits.body_bytes_max, 32 * 1024 * 1024);
    assert_eq!(snapshot.limits.replay_bytes_max, 512 * 1024 * 1024);
    assert_eq!(snapshot.limits.connections_max, 20_000);
    assert!(snapshot.providers.is_empty() && snapshot.models.is_empty() && snapshot.apps.is_empty());
}

#[test]
fn the_admin_address_may_be_exposed_with_consent_only() {
    let text = "version: 1\nlisten: { admin: \"0.0.0.0:4001\" }\n";
    assert_eq!(errors(text).len(), 1);
    let consented = format!("{text}server: {{ admin_exposed: true }}\n");
    assert_eq!(compiled(&consented).boot.admin.port(), 4001);
}

#[test]
fn key_ids_stay_when_keys_change_places_and_reveal_nothing() {
    let text = |keys: &str| format!("version: 1\nproviders:\n  a: {{ kind: openai, keys: [{keys}] }}\n");
    let ids = |keys: &str| -> Vec<String> {
        compiled(&text(keys)).providers["a"].keys.iter().map(|key| key.id.to_string()).collect()
    };
    let (forth, mut back) = (ids("sk-one, sk-two"), ids("sk-two, sk-one"));
    back.reverse();
    assert_eq!(forth, back);
    assert_ne!(forth[0], forth[1]);
    assert!(forth.iter().all(|id| id.starts_with("a#") && !id.contains("sk-") && !id.contains("one")));
    assert_eq!(ids("{ secret: sk-one, id: main }"), ["a#main"]);
}

#[test]
fn settings_without_effect_where_they_stand_are_named() {
    let text = "version: 1
listen: { gateway: \"127.0.0.1:0\" }
providers:
  a: { kind: ollama, key: sk-unused }
  b: { kind: openai-compatible, base_url: \"http://b.example\", tls: { ca_file: roots.pem } }
";
    let (_, warnings) = loaded(text);
    let paths: Vec<&str> = warnings.iter().map(|warning| warning.path.as_str()).collect();
    assert_eq!(paths, ["listen.gateway", "providers.a.key", "providers.b.tls"]);
    assert!(compiled(text).providers["a"].keys.is_empty(), "what is warned about is not half used");
}

#[test]
fn what_is_said_about_models_stands_before_the_catalogue_and_price_lists_do_not_mix() {
    let text = |facts: &str| {
        format!(
            "version: 1\nproviders: {{ p: {{ kind: openai, key: k }} }}\n\
             models: {{ m: {{ targets: [{{ provider: p, model: gpt-4o }}, {{ provider: p, model: ours }}] }} }}\n\
             catalog: {{ models: {{ {facts} }} }}\n"
        )
    };
    let facts = |written: &str, model: &str| {
        let snapshot = compiled(&text(written));
        let targets = &snapshot.models["m"].targets;
        targets.iter().find(|target| &*target.model == model).unwrap().facts.clone()
    };
    let built_in = facts("", "gpt-4o").unwrap();
    assert_eq!(built_in.prices.base.get(Unit::Input), Some(Price::from_pico_dollars(2_500_000)));
    assert!(facts("", "ours").is_none(), "unknown is unknown");
    let window = facts("openai/gpt-4o: { window: 7, cannot: [tools] }", "gpt-4o").unwrap();
    assert_eq!((window.window, &window.prices), (Some(7), &built_in.prices));
    assert_eq!(window.abilities.get(Ability::Tools), Some(false));
    assert_eq!(window.abilities.get(Ability::Vision), Some(true), "what is not said stays");
    let dear = facts("openai/gpt-4o: { prices: { input: 9 } }", "gpt-4o").unwrap();
    assert_eq!(dear.prices.base.iter().count(), 1, "{dear:?}");
    assert_eq!((dear.window, &*dear.overlay.clone().unwrap().place), (Some(128_000), "wellhead.yaml:4"));
    let ours = facts("openai/ours: { like: gpt-4o }", "ours").unwrap();
    assert_eq!((&*ours.id, ours.window, &ours.prices), ("ours", Some(128_000), &built_in.prices));
}
