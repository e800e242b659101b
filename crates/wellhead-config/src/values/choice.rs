//! One of a few words.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::{Leaf, Problem, text_json};
use crate::nearest::nearest;
use crate::read::Written;
use crate::snapshot::{self, AccessLog, Protocol};
use wellhead_catalog::Prefill;
use wellhead_types::Priority;

macro_rules! choice {
    ($(#[doc = $about:literal])* $name:ident { $( $(#[doc = $doc:literal])* $variant:ident = $word:literal, )* }) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $( $(#[doc = $doc])* $variant, )* }

        impl $name {
            const WORDS: &'static [&'static str] = &[$($word),*];

            /// The word in the document.
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $word, )* }
            }
        }

        impl Leaf for $name {
            const WRITTEN: Written = Written::Text;

            fn expected() -> String {
                format!("one of {}", Self::WORDS.join(", "))
            }

            fn parse(text: &str) -> Result<Self, Problem> {
                match text {
                    $( $word => Ok(Self::$variant), )*
                    _ => {
                        let near = nearest(text, Self::WORDS.iter().copied());
                        Err(Problem::new("is not known").suggest(near))
                    }
                }
            }

            fn to_json(&self) -> Json {
                json!(self.as_str())
            }

            fn schema() -> Json {
                json!({ "type": "string", "enum": Self::WORDS })
            }
        }
    };
}

choice! {
    /// HTTP version to a provider.
    ProtocolChoice {
        /// ALPN decides over TLS; HTTP/1.1 in clear text.
        Auto = "auto",
        /// HTTP/1.1 only.
        Http1 = "http1",
        /// HTTP/2 only.
        Http2 = "http2",
    }
}

impl ProtocolChoice {
    /// The same word of the snapshot.
    pub(crate) const fn meant(self) -> Protocol {
        match self {
            Self::Auto => Protocol::Auto,
            Self::Http1 => Protocol::Http1,
            Self::Http2 => Protocol::Http2,
        }
    }
}

choice! {
    /// Who may call a published API.
    ApiAuth {
        /// Everybody.
        None = "none",
        /// Apps with their keys.
        Key = "key",
        /// User and password.
        Basic = "basic",
        /// Bearers of a token.
        Jwt = "jwt",
        /// Holders of a client certificate.
        Mtls = "mtls",
    }
}

choice! {
    /// How a broken stream is continued.
    Rescue {
        /// Not at all.
        Off = "off",
        /// Only where the continuation is the same text.
        Exact = "exact",
        /// Also by asking another target to go on.
        Best = "best",
    }
}

impl Rescue {
    /// The same word of the snapshot.
    pub(crate) const fn meant(self) -> snapshot::Rescue {
        match self {
            Self::Off => snapshot::Rescue::Off,
            Self::Exact => snapshot::Rescue::Exact,
            Self::Best => snapshot::Rescue::Best,
        }
    }
}

choice! {
    /// Which requests may be answered later.
    DeferWhen {
        /// Those that ask for it.
        Asked = "asked",
        /// Also those that nobody can answer now.
        Unavailable = "unavailable",
    }
}

choice! {
    /// What becomes of a deferred request that may have been done.
    DeferUnknown {
        /// It ends.
        Fail = "fail",
        /// It is sent again.
        Resend = "resend",
    }
}

choice! {
    /// How streamed answers are delivered.
    StreamMode {
        /// As they come.
        Relay = "relay",
        /// Not before they are complete.
        Atomic = "atomic",
    }
}

choice! {
    /// Who may get an answer that is kept.
    CacheScopeChoice {
        /// The app that it was given to.
        App = "app",
        /// Every app that may use the model.
        All = "all",
    }
}

impl CacheScopeChoice {
    /// The same word of the snapshot.
    pub(crate) const fn meant(self) -> snapshot::CacheScope {
        match self {
            Self::App => snapshot::CacheScope::App,
            Self::All => snapshot::CacheScope::All,
        }
    }
}

choice! {
    /// Whether a second target is asked for a stream whose first content is late.
    HedgeChoice {
        /// Within a budget.
        On = "on",
        /// Never.
        Off = "off",
    }
}

choice! {
    /// How a server is handed the beginning of its own answer.
    PrefillChoice {
        /// Not at all.
        None = "none",
        /// As an assistant message at the end.
        Trailing = "trailing",
        /// With continue_final_message, as vLLM and SGLang take it.
        Vllm = "vllm",
        /// With prefix, as Mistral takes it.
        Mistral = "mistral",
        /// With prefix and below /beta, as DeepSeek takes it.
        Deepseek = "deepseek",
        /// With partial, as Moonshot and Qwen take it.
        Partial = "partial",
    }
}

impl PrefillChoice {
    /// The same word of the catalog.
    pub(crate) const fn meant(self) -> Prefill {
        match self {
            Self::None => Prefill::None,
            Self::Trailing => Prefill::Trailing,
            Self::Vllm => Prefill::Vllm,
            Self::Mistral => Prefill::Mistral,
            Self::Deepseek => Prefill::Deepseek,
            Self::Partial => Prefill::Partial,
        }
    }
}

choice! {
    /// How important the requests of an app are.
    PriorityChoice {
        /// Somebody waits for them, and they must not fail.
        Critical = "critical",
        /// Nothing was said.
        Default = "default",
        /// They may fail.
        BestEffort = "best-effort",
        /// Nobody waits for them.
        Bulk = "bulk",
    }
}

impl PriorityChoice {
    /// The same word of the vocabulary.
    pub(crate) const fn meant(self) -> Priority {
        match self {
            Self::Critical => Priority::Critical,
            Self::Default => Priority::Default,
            Self::BestEffort => Priority::BestEffort,
            Self::Bulk => Priority::Bulk,
        }
    }
}

choice! {
    /// Where credentials of AWS come from.
    AwsSourceChoice {
        /// The first place that has something.
        Auto = "auto",
        /// Environment variables.
        Environment = "environment",
        /// The shared files of the AWS tools.
        Profile = "profile",
        /// A role, for a token in a file.
        WebIdentity = "web-identity",
        /// The endpoint that ECS and EKS give to a container.
        Container = "container",
        /// The metadata service of EC2.
        Imds = "imds",
    }
}

choice! {
    /// Where access tokens of Google Cloud come from.
    GcpSourceChoice {
        /// A file if there is one, else the metadata server.
        Auto = "auto",
        /// A file.
        File = "file",
        /// The metadata server.
        Metadata = "metadata",
    }
}

choice! {
    /// Where access tokens of Microsoft Entra ID come from.
    AzureSourceChoice {
        /// The first that is configured.
        Auto = "auto",
        /// A secret of an application.
        ClientSecret = "client-secret",
        /// A token in a file that stands for an application.
        WorkloadIdentity = "workload-identity",
        /// The identity of the machine.
        ManagedIdentity = "managed-identity",
    }
}

/// Where access records go: `stdout`, `off`, or a path with at least one slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessLogChoice(pub AccessLog);

impl Leaf for AccessLogChoice {
    const WRITTEN: Written = Written::Text;

    fn expected() -> String {
        "stdout, off, or a path with a slash, such as ./access.log".to_owned()
    }

    fn hint(text: &str) -> Option<String> {
        (text == "false").then(|| "off".to_owned())
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        super::text::check(text, 4 * 1024)?;
        match text {
            "stdout" => Ok(Self(AccessLog::Stdout)),
            "off" => Ok(Self(AccessLog::Off)),
            path if path.ends_with(['/', '\\']) => {
                Err(Problem::new("is a directory").expected("a file in it"))
            }
            path if path.contains(['/', '\\']) => Ok(Self(AccessLog::File(PathBuf::from(path)))),
            // A slip such as `stdot` must not become a file of that name.
            word => {
                let suggestion = nearest(word, ["stdout", "off"]).unwrap_or_else(|| format!("./{word}"));
                Err(Problem::new("is neither stdout nor off, and as a path it has no slash")
                    .suggest(Some(suggestion)))
            }
        }
    }

    fn to_json(&self) -> Json {
        match &self.0 {
            AccessLog::Stdout => json!("stdout"),
            AccessLog::Off => json!("off"),
            AccessLog::File(path) => text_json(&path.to_string_lossy()),
        }
    }

    fn schema() -> Json {
        json!({ "type": "string", "minLength": 1, "examples": ["stdout", "off", "./access.log"] })
    }
}
