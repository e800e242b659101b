//! What an examination says.

use serde::Serialize;
use std::fmt;
use wellhead_config::Document;

/// Everything that was found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The providers that were examined, in the order of their names.
    pub providers: Vec<Examined>,
}

/// What was found about one provider.
#[derive(Debug, Clone, Serialize)]
pub struct Examined {
    /// Its name.
    pub provider: String,
    /// Its base URL.
    pub base_url: String,
    /// In the order of the layers.
    pub findings: Vec<Finding>,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Where on the way to an answer.
    pub layer: Layer,
    /// What it is about, if not the provider as a whole: a key (`…a1`), a target (`chat → m1`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Good or bad.
    pub level: Level,
    /// A stable code for programs, where there is one: `TLS_NAME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// One sentence with the evidence.
    pub text: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// Where in the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// The steps on the way to an answer, each of which needs the ones before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// The name has addresses.
    Dns,
    /// The addresses connect.
    Tcp,
    /// The handshake succeeds and the certificate is for the name.
    Tls,
    /// Something answers that speaks the API.
    Http,
    /// The key is accepted.
    Credential,
    /// There is room within the vendor's limits.
    Quota,
    /// The vendor knows the model.
    Model,
}

impl Layer {
    /// Every layer, from the bottom.
    pub const ALL: [Self; 7] =
        [Self::Dns, Self::Tcp, Self::Tls, Self::Http, Self::Credential, Self::Quota, Self::Model];

    /// The word for people and programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Http => "http",
            Self::Credential => "credential",
            Self::Quota => "quota",
            Self::Model => "model",
        }
    }
}

/// How good or bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Not checked, and why.
    Skipped,
    /// As it should be.
    Ok,
    /// Works, but will not for long, or not for everybody.
    Warn,
    /// Requests fail here.
    Fail,
}

/// A place in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The field: `providers.a.base_url`.
    pub path: String,
    /// The file, as it was named, or `environment`.
    pub file: String,
    /// The line that the field is written at, or that it belongs to; 0 for what comes from the environment.
    pub line: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{} ({})", self.path, self.file),
            line => write!(f, "{} ({}:{line})", self.path, self.file),
        }
    }
}

impl Place {
    /// Line 0 is what the environment says instead of the file.
    pub(crate) fn new(document: &Document, path: String, line: u32) -> Self {
        let file = if line == 0 { "environment" } else { &document.file };
        Self { path, file: file.to_owned(), line }
    }
}

impl Report {
    /// How many findings are of a level.
    pub fn count(&self, level: Level) -> usize {
        self.providers.iter().flat_map(|examined| &examined.findings).filter(|f| f.level == level).count()
    }
}

impl Finding {
    pub(crate) fn new(layer: Layer, level: Level, text: impl Into<String>) -> Self {
        Self { layer, about: None, level, code: None, text: text.into(), fix: None, place: None }
    }

    pub(crate) fn about(mut self, about: impl Into<String>) -> Self {
        self.about = Some(about.into());
        self
    }

    pub(crate) const fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    pub(crate) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    pub(crate) fn at(mut self, place: &Place) -> Self {
        self.place = Some(place.clone());
        self
    }
}
