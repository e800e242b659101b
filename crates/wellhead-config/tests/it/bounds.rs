//! Limits on counts, and the speed that large files are promised.

use std::fmt::Write;

use crate::support::{compiled, errors};

fn file(providers: usize, models: usize, apps: usize) -> String {
    let mut text = "version: 1\nproviders:\n".to_owned();
    for n in 0..providers {
        writeln!(text, "  p{n}: {{ kind: ollama }}").unwrap();
    }
    text.push_str("models:\n");
    for n in 0..models {
        let target = |n: usize| format!("{{ provider: p{}, model: m{n} }}", n % providers);
        writeln!(text, "  m{n}: {{ targets: [{}, {}] }}", target(n), target(n + 1)).unwrap();
    }
    text.push_str("apps:\n");
    for n in 0..apps {
        writeln!(text, "  a{n}: {{ keys: [wh-{n:013}-key], models: [m{}] }}", n % models).unwrap();
    }
    text
}

#[test]
fn the_largest_allowed_file_loads() {
    let snapshot = compiled(&file(1_000, 10_000, 10_000));
    assert_eq!(
        (snapshot.providers.len(), snapshot.models.len(), snapshot.apps.len()),
        (1_000, 10_000, 10_000)
    );
}

#[test]
fn one_more_than_allowed_is_refused() {
    for (text, path) in
        [(file(1_001, 1, 1), "providers"), (file(1, 10_001, 1), "models"), (file(1, 1, 10_001), "apps")]
    {
        let errors = errors(&text);
        assert_eq!((errors.len(), errors[0].path.as_str()), (1, path), "{}", errors[0]);
    }
    let keys: Vec<String> = (0..17).map(|n| format!("wh-0123456789abc-{n:02}")).collect();
    let many = errors(&format!("version: 1\napps: {{ a: {{ keys: [{}] }} }}\n", keys.join(", ")));
    assert_eq!((many.len(), many[0].path.as_str()), (1, "apps.a.keys"));
    let targets: Vec<String> = (0..65).map(|n| format!("{{ provider: p, model: m{n} }}")).collect();
    let providers = "version: 1\nproviders: { p: { kind: ollama } }\n";
    let many = errors(&format!("{providers}models: {{ m: {{ targets: [{}] }} }}\n", targets.join(", ")));
    assert_eq!((many.len(), many[0].path.as_str()), (1, "models.m.targets"));
}

#[test]
fn a_flood_of_errors_is_cut_and_counted() {
    let mut text = "version: 1\nserver:\n".to_owned();
    for n in 0..1_500 {
        writeln!(text, "  wrong{n}: 1").unwrap();
    }
    let errors = errors(&text);
    assert_eq!(errors.len(), 1_001);
    assert!(errors[1_000].message.contains("and 500 more"), "{}", errors[1_000]);
}

#[test]
fn warnings_never_crowd_out_the_error_that_refuses_the_file() {
    let mut text = "version: 1\nteams:\n".to_owned();
    for n in 0..1_500 {
        writeln!(text, "  t{n}: {{}}").unwrap();
    }
    text.push_str("listen: { gateway: nowhere }\n");
    let errors = errors(&text);
    assert!(errors.iter().any(|error| error.path == "listen.gateway"));
}
