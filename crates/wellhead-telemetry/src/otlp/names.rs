//! Names of the OpenTelemetry attributes, in one place because they still move. `None`: not sent under these
//! conventions.

/// Which edition of the GenAI semantic conventions the spans follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Conventions {
    /// Names that backends know today: `gen_ai.system` beside its successor `gen_ai.provider.name`.
    #[default]
    Established,
    /// The newest experimental names only; chosen by `OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental`.
    Latest,
}

impl Conventions {
    /// Reads the value of `OTEL_SEMCONV_STABILITY_OPT_IN`, a comma-separated list; the caller reads the environment.
    pub fn from_opt_in(value: &str) -> Self {
        match value.split(',').any(|item| item.trim() == "gen_ai_latest_experimental") {
            true => Self::Latest,
            false => Self::Established,
        }
    }

    pub(super) const fn names(self) -> &'static Names {
        match self {
            Self::Established => &ESTABLISHED,
            Self::Latest => &LATEST,
        }
    }
}

/// One edition's names.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) operation: &'static str,
    pub(super) provider: &'static str,
    pub(super) system: Option<&'static str>,
    pub(super) request_model: &'static str,
    pub(super) input_tokens: &'static str,
    pub(super) output_tokens: &'static str,
    pub(super) cached_tokens: Option<&'static str>,
    pub(super) reasoning_tokens: Option<&'static str>,
    pub(super) stream: Option<&'static str>,
    pub(super) first_chunk_s: Option<&'static str>,
}

const LATEST: Names = Names {
    operation: "gen_ai.operation.name",
    provider: "gen_ai.provider.name",
    system: None,
    request_model: "gen_ai.request.model",
    input_tokens: "gen_ai.usage.input_tokens",
    output_tokens: "gen_ai.usage.output_tokens",
    cached_tokens: Some("gen_ai.usage.cache_read.input_tokens"),
    reasoning_tokens: Some("gen_ai.usage.reasoning.output_tokens"),
    stream: Some("gen_ai.request.stream"),
    first_chunk_s: Some("gen_ai.response.time_to_first_chunk"),
};

const ESTABLISHED: Names = Names {
    system: Some("gen_ai.system"),
    cached_tokens: None,
    reasoning_tokens: None,
    stream: None,
    first_chunk_s: None,
    ..LATEST
};

// Stable in the HTTP conventions.
pub(super) const HTTP_METHOD: &str = "http.request.method";
pub(super) const HTTP_ROUTE: &str = "http.route";
pub(super) const HTTP_STATUS: &str = "http.response.status_code";
pub(super) const ERROR_TYPE: &str = "error.type";

// Ours.
pub(super) const APP: &str = "wellhead.app";
pub(super) const ROUTE: &str = "wellhead.route";
pub(super) const RUNG: &str = "wellhead.rung";
pub(super) const OUTCOME: &str = "wellhead.outcome";
pub(super) const REQUEST_ID: &str = "wellhead.request_id";
pub(super) const ATTEMPTS: &str = "wellhead.attempts";
pub(super) const ATTEMPT: &str = "wellhead.attempt";
pub(super) const TARGET: &str = "wellhead.target";
pub(super) const REPLAY: &str = "wellhead.replay";
pub(super) const USAGE_ESTIMATED: &str = "wellhead.usage_estimated";
