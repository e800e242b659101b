//! Kinds, variables and files that the tests agree on.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use wellhead_catalog::{Auth, Dialect, Kind, Quirks};
use wellhead_config::{
    CompileContext, Diagnostic, Document, Fixed, Severity, Snapshot, StoreApp, compile, load, render,
};
use wellhead_policy::KeyHasher;

/// A small catalog: one kind for each way in which kinds differ.
pub(crate) fn kinds() -> Vec<Arc<Kind>> {
    vec![
        kind("openai", Dialect::Openai, Some("https://api.openai.com/v1"), Auth::Bearer, &["OPENAI_API_KEY"]),
        kind("azure-openai", Dialect::Openai, None, Auth::AzureEntra, &["AZURE_OPENAI_API_KEY"]),
        kind("bedrock-openai", Dialect::Openai, None, Auth::AwsSigv4("bedrock".into()), &[]),
        kind("vertex-openai", Dialect::Openai, None, Auth::GcpOauth, &[]),
        kind("openai-compatible", Dialect::Openai, None, Auth::OptionalBearer, &[]),
        kind("ollama", Dialect::Openai, Some("http://127.0.0.1:11434/v1"), Auth::None, &[]),
        kind(
            "anthropic",
            Dialect::Anthropic,
            Some("https://api.anthropic.com"),
            Auth::Bearer,
            &["ANTHROPIC_API_KEY"],
        ),
        kind("cohere", Dialect::Cohere, Some("https://api.cohere.com/v2"), Auth::Bearer, &[]),
    ]
}

fn kind(name: &str, dialect: Dialect, base_url: Option<&str>, auth: Auth, key_env: &[&str]) -> Arc<Kind> {
    Arc::new(Kind {
        name: name.into(),
        title: name.to_owned(),
        dialect,
        base_url: base_url.map(str::to_owned),
        auth,
        key_env: key_env.iter().map(|name| (*name).to_owned()).collect(),
        quirks: Quirks::default(),
        otel_name: name.to_owned(),
        models: Vec::new(),
        source: "unverified".to_owned(),
    })
}

/// The environment of the tests.
pub(crate) fn lookup() -> Fixed {
    let mut lookup = Fixed::default();
    for (name, value) in [
        ("RPM", "60"),
        ("EMPTY", ""),
        ("PROVIDER_KEY", "sk-from-environment"),
        ("APP_KEY", "wh-from-environment-0123"),
        ("YAML", "{ kind: openai }"),
        ("WORD", "canary-of-the-environment"),
    ] {
        lookup.variables.insert(name.to_owned(), value.to_owned());
    }
    lookup.files.insert("keys/provider".to_owned(), "sk-from-file\n".to_owned());
    lookup
}

pub(crate) fn try_load(text: &str) -> Result<(Document, Vec<Diagnostic>), Vec<Diagnostic>> {
    load("wellhead.yaml", text, &lookup(), &kinds())
}

/// Loads text that has to be right.
pub(crate) fn loaded(text: &str) -> (Document, Vec<Diagnostic>) {
    try_load(text).unwrap_or_else(|errors| panic!("refused:\n{}", render(&errors)))
}

/// Loads text that has to be wrong, and returns its errors without the warnings.
pub(crate) fn errors(text: &str) -> Vec<Diagnostic> {
    match try_load(text) {
        Ok(_) => panic!("accepted:\n{text}"),
        Err(all) => all.into_iter().filter(|d| d.severity == Severity::Error).collect(),
    }
}

pub(crate) fn compiled_with(text: &str, apps: &[StoreApp]) -> (Snapshot, Vec<Diagnostic>) {
    let (document, _) = loaded(text);
    let hasher = hasher();
    let context = CompileContext { generation: 7, hasher: &hasher, extra_apps: apps };
    compile(&document, &context).unwrap_or_else(|errors| panic!("not compiled:\n{}", render(&errors)))
}

pub(crate) fn compiled(text: &str) -> Snapshot {
    compiled_with(text, &[]).0
}

pub(crate) fn hasher() -> KeyHasher {
    KeyHasher::new(&[1; 32])
}

/// Every YAML and JSON file of a folder beside this one, by name.
pub(crate) fn files(folder: &Path) -> Vec<(String, String)> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "yaml" || e == "json"));
    paths.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        (path.file_name().unwrap().to_string_lossy().into_owned(), text)
    };
    paths.into_iter().map(read).collect()
}

pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}
