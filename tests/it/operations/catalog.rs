//! `wellhead catalog`, from outside: what it finds, shows and refuses, with and without a configuration.

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::support::binary;

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("no JSON: {}{}", self.out, self.err))
    }
}

async fn catalog(arguments: &[&str]) -> Ran {
    let ran = Command::new(binary()).arg("catalog").args(arguments).env_clear().output().await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: ran.status.code().unwrap(), out: text(ran.stdout), err: text(ran.stderr) }
}

#[tokio::test]
async fn models_are_found_by_words_provider_ability_and_price() {
    let found = catalog(&["search", "CLAUDE", "haiku", "--provider", "anthropic", "--json"]).await.json();
    let models = found["models"].as_array().unwrap();
    assert!(!models.is_empty());
    for model in models {
        let name = model["model"].as_str().unwrap();
        assert!(name.contains("claude") && name.contains("haiku"), "{name}");
        assert_eq!(model["kind"], "anthropic");
    }
    let cheap =
        ["search", "--can", "tools", "--can", "vision", "--price-max", "0.1", "--limit", "9999", "--json"];
    let found = catalog(&cheap).await.json();
    let models = found["models"].as_array().unwrap();
    assert_eq!(found["found"], models.len());
    assert!(!models.is_empty());
    for model in models {
        assert_eq!(
            (&model["abilities"]["tools"], &model["abilities"]["vision"]),
            (&true.into(), &true.into())
        );
        let pico = model["prices"]["input"]["pico_dollars"].as_u64().unwrap();
        assert!(pico <= 100_000, "{model}");
    }
    let all = catalog(&["search", "--limit", "0"]).await;
    assert!(all.err.contains(" more; --limit "), "{}", all.err);
    let count: u64 = all.err.split_ascii_whitespace().next().unwrap().parse().unwrap();
    assert!(count >= 1_500, "{count}");
}

#[tokio::test]
async fn a_page_says_every_fact_with_its_source_and_unknown_prices_plainly() {
    let page = catalog(&["show", "anthropic/claude-haiku-4-5"]).await;
    assert_eq!(page.code, 0, "{}", page.err);
    for words in
        ["200000 tokens", "price input", "$1 / 1M tokens", "price cache write 1h", "models.dev, litellm"]
    {
        assert!(page.out.contains(words), "{words:?}: {}", page.out);
    }
    let page = catalog(&["show", "openai/gpt-4o-2031-01-31"]).await;
    assert!(page.out.contains("those of gpt-4o") && page.out.contains("price unknown"), "{}", page.out);
    let kinds = catalog(&["kinds", "--json"]).await.json();
    assert!(kinds["kinds"].as_array().unwrap().len() >= 60);
}

#[tokio::test]
async fn what_a_configuration_says_is_shown_with_its_line() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("wellhead.yaml");
    std::fs::write(
        &file,
        "version: 1\ncatalog:\n  models:\n    azure-openai/ours: { like: gpt-4o, prices: { input: 2 } }\n",
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let shown = catalog(&["show", "azure-openai/ours", "--config", file, "--json"]).await.json();
    let model = &shown["models"][0];
    assert_eq!(model["window"], 128_000, "as the model that it is like");
    assert_eq!(model["prices"]["input"]["dollars"], 2);
    assert_eq!(model["prices"]["output"], Value::Null, "price lists do not mix");
    assert!(model["configured"]["at"].as_str().unwrap().ends_with("wellhead.yaml:4"), "{model}");
    let found = catalog(&["search", "ours", "--config", file, "--json"]).await.json();
    assert_eq!(found["found"], 1);
    std::fs::write(dir.path().join("wellhead.yaml"), "version: 1\ncatalog: { models: { gpt: {} } }\n")
        .unwrap();
    let refused = catalog(&["show", "openai/gpt-4o", "--config", file]).await;
    assert_eq!(refused.code, 3);
    assert!(refused.err.contains("KIND/MODEL"), "{}", refused.err);
}

#[tokio::test]
async fn what_is_not_there_is_answered_with_what_was_probably_meant() {
    for (arguments, words) in [
        (&["show", "openai/gpt-4oo"][..], "did you mean \"openai/gpt-4o\"?"),
        (&["search", "x", "--provider", "opena"], "did you mean \"openai\"?"),
        (&["search", "--can", "tool"], "did you mean \"tools\"?"),
        (&["search", "--price-max", "cheap"], "--price-max \"cheap\" is not an amount in dollars"),
        (&["search", "no-model-has-this-name"], "no model has all of that"),
    ] {
        let ran = catalog(arguments).await;
        assert_eq!(ran.code, 1, "{arguments:?}");
        assert!(ran.err.contains(words), "{arguments:?}: {}", ran.err);
    }
    assert_eq!(catalog(&["search", "--mode", "chats"]).await.code, 2);
}
