//! The example files that the project has promised to accept exactly as they are written.

use std::path::Path;
use std::time::Duration;

use crate::support::{compiled, files, folder, loaded};

#[test]
fn the_promised_files_are_accepted_as_written() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/contract");
    if !shared.is_dir() {
        // Beside the repository, not in it: a clone on its own has its equivalents in tests/right.
        eprintln!(
            "NOTE: {} is not there; only the equivalents in tests/right were checked",
            shared.display()
        );
        return;
    }
    let files = files(&shared);
    assert!(files.len() >= 4, "only {} files", files.len());
    let catalog = wellhead_catalog::Catalog::builtin().unwrap();
    for (name, text) in files {
        if let Err(errors) = wellhead_config::load(&name, &text, &wellhead_config::Fixed::default(), &catalog)
        {
            panic!("{name} is refused:\n{}", wellhead_config::render(&errors));
        }
    }
}

fn right(name: &str) -> String {
    std::fs::read_to_string(folder("right").join(name)).unwrap()
}

#[test]
fn one_provider_one_model_one_app_work_wholly() {
    let text = right("minimal.yaml");
    let (_, warnings) = loaded(&text);
    assert!(warnings.is_empty(), "{warnings:?}");
    let snapshot = compiled(&text);
    let target = &snapshot.models["chat"].targets[0];
    assert_eq!(&*target.id, "local/primary");
    let url = &target.provider.base_url;
    assert_eq!((url.tls, url.host.as_str(), url.port, url.path.as_str()), (false, "127.0.0.1", 8401, "/v1"));
    assert_eq!(target.provider.keys[0].secret.expose(), "sk-upstream");
    assert_eq!(snapshot.models["chat"].deadline, Duration::from_secs(600));
    let app = &snapshot.apps["dev"];
    let hasher = crate::support::hasher();
    assert!(app.keys[0].hash.matches(&hasher.hash(b"wh-dev-0123456789abcdef")));
    assert!(app.models.is_none(), "no list means all models");
    assert!(app.origin.starts_with("wellhead.yaml:"), "{}", app.origin);
    assert_eq!(snapshot.generation, 7);
}

#[test]
fn failover_works_with_a_tier_of_another_dialect() {
    let text = right("failover.yaml");
    let (_, warnings) = loaded(&text);
    assert!(warnings.is_empty(), "{warnings:?}");
    let snapshot = compiled(&text);
    assert_eq!(
        snapshot.providers.keys().map(|name| &**name).collect::<Vec<_>>(),
        ["claude", "first", "second"]
    );
    let targets: Vec<(&str, u32, u8)> =
        snapshot.models["chat"].targets.iter().map(|t| (&*t.id, t.weight, t.tier)).collect();
    let expected = [("first/primary", 3, 0), ("second/twin", 1, 0), ("claude/claude-haiku-4-5", 1, 1)];
    assert_eq!(targets, expected);
    assert_eq!(snapshot.providers["second"].keys.len(), 2);
}

#[test]
fn what_has_no_effect_yet_is_a_warning_with_its_line() {
    for (name, expected) in [
        ("api.yaml", vec!["apis.orders", "apis.status"]),
        (
            "apps.yaml",
            vec!["teams.research", "apps.notebook.team", "apps.notebook.budget", "apps.batch.team"],
        ),
    ] {
        let text = right(name);
        let (_, warnings) = loaded(&text);
        let paths: Vec<&str> = warnings.iter().map(|warning| warning.path.as_str()).collect();
        assert_eq!(paths, expected, "{name}");
        for warning in &warnings {
            let line = text.lines().nth(warning.line as usize - 1).unwrap();
            let field = warning.path.rsplit('.').next().unwrap();
            assert!(line.contains(&format!("{field}:")), "{name}: {warning} points at {line:?}");
        }
    }
}
