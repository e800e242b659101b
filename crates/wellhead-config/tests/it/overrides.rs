//! Variables of the environment stand for single values: they win over the file, go through the same checks, and
//! messages name them.

use wellhead_config::{CompileContext, Fixed, Severity, Snapshot, compile, load, render};

use crate::support::{hasher, kinds, lookup};

const FILE: &str = "version: 1
listen: { gateway: 127.0.0.1:4000 }
providers:
  our-own.one: { kind: openai, keys: [sk-file] }
models:
  chat:
    targets: [{ provider: our-own.one, model: m, weight: 2 }]
apps: { dev: { keys: [wh-dev-0123456789abcdef] } }
";

fn with(variables: &[(&str, &str)]) -> Fixed {
    let mut lookup = lookup();
    lookup.variables.extend(variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())));
    lookup
}

fn right(variables: &[(&str, &str)]) -> Snapshot {
    let (document, warnings) = load("wellhead.yaml", FILE, &with(variables), &kinds())
        .unwrap_or_else(|errors| panic!("refused:\n{}", render(&errors)));
    assert!(warnings.is_empty(), "{}", render(&warnings));
    let hasher = hasher();
    let context = CompileContext { generation: 1, hasher: &hasher, extra_apps: &[] };
    compile(&document, &context).unwrap_or_else(|errors| panic!("not compiled:\n{}", render(&errors))).0
}

fn wrong(variables: &[(&str, &str)]) -> Vec<String> {
    match load("wellhead.yaml", FILE, &with(variables), &kinds()) {
        Ok(_) => panic!("accepted: {variables:?}"),
        Err(all) => {
            let errors = all.iter().filter(|d| d.severity == Severity::Error);
            errors.map(|error| error.render().trim_end().to_owned()).collect()
        }
    }
}

#[test]
fn a_variable_wins_over_the_file_and_fills_what_is_not_there() {
    let snapshot = right(&[
        ("WELLHEAD_LISTEN__GATEWAY", "127.0.0.1:5000"),
        ("WELLHEAD_LIMITS__BODY_BYTES_MAX", "1MiB"),
        ("WELLHEAD_PROVIDERS__OUR_OWN_ONE__KEYS", r#"["sk-a", "sk-b"]"#),
        ("WELLHEAD_MODELS__CHAT__TARGETS__0__WEIGHT", "7"),
        ("WELLHEAD_MODELS__CHAT__TIMEOUTS__DEADLINE", "9s"),
        ("WELLHEAD_APPS__SHOP__KEYS", "[wh-shop-0123456789abcdef]"),
        ("WELLHEAD_DATA_DIR", "no override: one underscore"),
    ]);
    assert_eq!(snapshot.boot.gateway.port(), 5000);
    assert_eq!(snapshot.limits.body_bytes_max, 1 << 20);
    assert_eq!(snapshot.providers["our-own.one"].keys[1].secret.expose(), "sk-b");
    assert_eq!(snapshot.models["chat"].targets[0].weight, 7);
    assert_eq!(snapshot.models["chat"].deadline.as_secs(), 9);
    assert_eq!(snapshot.apps["shop"].origin, "environment");
    assert_eq!(snapshot.apps["dev"].origin, "wellhead.yaml:8");
}

#[test]
fn text_is_never_structure_unless_it_begins_as_such() {
    let snapshot = right(&[("WELLHEAD_PROVIDERS__OUR_OWN_ONE__KEYS__0", "sk: ${PROVIDER_KEY} # no")]);
    assert_eq!(snapshot.providers["our-own.one"].keys[0].secret.expose(), "sk: ${PROVIDER_KEY} # no");
}

#[test]
fn what_is_wrong_is_said_with_the_name_of_the_variable() {
    for (name, text, message) in [
        (
            "WELLHEAD_LISTN__GATEWAY",
            "127.0.0.1:1",
            "$WELLHEAD_LISTN__GATEWAY:1:1: error: unknown key \"listn\"",
        ),
        (
            "WELLHEAD_LIMITS__BODY_BYTES_MAX",
            "much",
            "$WELLHEAD_LIMITS__BODY_BYTES_MAX:1:1: error: limits.body_bytes_max: ",
        ),
        (
            "WELLHEAD_MODELS__CHAT__TARGETS__1__WEIGHT",
            "1",
            "$WELLHEAD_MODELS__CHAT__TARGETS__1__WEIGHT:1:1: error: models.chat.targets: 1 is no place in a list of 1; \
             expected a number, counted from 0, or the whole list",
        ),
        (
            "WELLHEAD_VERSION__MORE",
            "1",
            "$WELLHEAD_VERSION__MORE:1:1: error: version: MORE would be below a single value; expected a name that ends here",
        ),
        (
            "WELLHEAD_LIMITS____X",
            "1",
            "$WELLHEAD_LIMITS____X:1:1: error: limits: the variable's name has an empty step",
        ),
        (
            "WELLHEAD_MODELS__CHAT__REGIONS",
            "[eu",
            "$WELLHEAD_MODELS__CHAT__REGIONS:1:1: error: models.chat.regions: the variable's text is not valid YAML",
        ),
    ] {
        let errors = wrong(&[(name, text)]);
        assert!(errors[0].starts_with(message), "{name}: {errors:#?}");
        assert!(!errors[0].contains('|'), "no line of the file is shown: {}", errors[0]);
    }
}

#[test]
fn a_secret_in_a_variable_is_never_shown() {
    let errors = wrong(&[
        ("WELLHEAD_PROVIDERS__OUR_OWN_ONE__BASE_URL", "canary-7"),
        ("WELLHEAD_APPS__DEV__KEYS__0", "canary"),
        ("WELLHEAD_LIMITS__HEADER_BYTES_MAX", "canary-9"),
    ]);
    assert_eq!(errors.len(), 3, "{errors:#?}");
    assert!(errors.iter().all(|error| !error.contains("canary")), "{errors:#?}");
}
