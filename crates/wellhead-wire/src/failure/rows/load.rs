//! Vendors and servers that are busy. No key is at fault, and another target may have room.

use crate::failure::means::Means;
use crate::failure::row::{At, For, Known, Row, Sign};
use crate::failure::vendor::Vendor;

/// Words for machines.
pub(super) const CODES: &[Row] = &[
    Row::new(
        Vendor::Anthropic,
        At::ANY,
        Sign::Code("overloaded_error"),
        Means::ProviderOverloaded,
        Known::Recorded,
    ),
    Row::new(
        Vendor::Moonshot,
        At::ANY,
        Sign::Code("engine_overloaded_error"),
        Means::ProviderOverloaded,
        Known::Believed,
    ),
    Row::new(
        Vendor::OpenAi,
        At::ANY,
        Sign::Code("engine_overloaded"),
        Means::ProviderOverloaded,
        Known::Believed,
    ),
    Row::new(Vendor::Everyone, At::ANY, Sign::Status, Means::ProviderOverloaded, Known::Documented)
        .at(&[(529, 529)]),
    // Capacity that is short for this model or this class of service, whatever the status.
    Row::new(Vendor::OpenAi, At::ANY, Sign::Code("resource_unavailable"), Means::Busy, Known::Believed),
    Row::new(Vendor::OpenAi, At::SERVER, Sign::Code("slow_down"), Means::Busy, Known::Reported),
    Row::new(Vendor::Cerebras, At::ANY, Sign::Code("queue_exceeded"), Means::Busy, Known::Believed),
    Row::new(
        Vendor::Mistral,
        At::ANY,
        Sign::Code("service_tier_capacity_exceeded"),
        Means::Busy,
        Known::Believed,
    ),
    Row::new(Vendor::Groq, At::ANY, Sign::Code("capacity_exceeded"), Means::Busy, Known::Documented),
    Row::new(Vendor::HuggingFace, At::ANY, Sign::Code("overloaded"), Means::Busy, Known::Believed)
        .at(&[(429, 429)]),
    Row::new(Vendor::ElevenLabs, At::ANY, Sign::Code("system_busy"), Means::Busy, Known::Reported),
    Row::new(Vendor::Volcengine, At::ANY, Sign::Code("serveroverloaded"), Means::Busy, Known::Believed),
    Row::new(Vendor::Bedrock, At::ANY, Sign::Code("modelnotreadyexception"), Means::Busy, Known::Specified),
    Row::new(
        Vendor::Bedrock,
        At::ANY,
        Sign::Code("serviceunavailableexception"),
        Means::Busy,
        Known::Specified,
    ),
    Row::new(Vendor::Zhipu, At::ANY, Sign::Code("1312"), Means::Busy, Known::Documented).of(For::Unknown),
    Row::new(Vendor::Zhipu, At::ANY, Sign::Code("1305"), Means::Busy, Known::Documented).of(For::Unknown),
    Row::new(
        Vendor::Databricks,
        At::ANY,
        Sign::Code("temporarily_unavailable"),
        Means::Busy,
        Known::Believed,
    ),
    Row::new(Vendor::MiniMax, At::ANY, Sign::Code("base_resp:1041"), Means::Busy, Known::Documented),
    // AWS and Google name the failure of their servers in words.
    Row::new(
        Vendor::Bedrock,
        At::ANY,
        Sign::Code("internalserverexception"),
        Means::ServerError,
        Known::Specified,
    ),
    Row::new(
        Vendor::Bedrock,
        At::ANY,
        Sign::Code("modelerrorexception"),
        Means::ServerError,
        Known::Specified,
    ),
    Row::new(
        Vendor::Bedrock,
        At::ANY,
        Sign::Code("modelstreamerrorexception"),
        Means::ServerError,
        Known::Specified,
    ),
    Row::new(
        Vendor::Bedrock,
        At::ANY,
        Sign::Code("modeltimeoutexception"),
        Means::TimedOut,
        Known::Specified,
    ),
    Row::new(Vendor::MiniMax, At::ANY, Sign::Code("base_resp:1000"), Means::ServerError, Known::Documented),
    Row::new(Vendor::MiniMax, At::ANY, Sign::Code("base_resp:1001"), Means::TimedOut, Known::Documented),
    Row::new(Vendor::MiniMax, At::ANY, Sign::Code("base_resp:1024"), Means::ServerError, Known::Documented),
    Row::new(Vendor::MiniMax, At::ANY, Sign::Code("base_resp:1033"), Means::ServerError, Known::Documented),
    Row::new(
        Vendor::Google,
        At::ANY,
        Sign::CodeAndPhrase("cancelled", "cancelled"),
        Means::ServerError,
        Known::Believed,
    )
    .at(&[(499, 499)]),
    Row::new(
        Vendor::OpenAi,
        At::ANY,
        Sign::Code("server_is_overloaded"),
        Means::ProviderOverloaded,
        Known::Reported,
    ),
    Row::new(Vendor::Cloudflare, At::ANY, Sign::Code("3040"), Means::Busy, Known::Documented).of(For::Vendor),
];

/// What is said to people; under 503 it is what 503 says anyway.
pub(super) const PHRASES: &[Row] = &[
    Row::new(
        Vendor::Everyone,
        At::FAULT,
        Sign::Phrase("overloaded"),
        Means::ProviderOverloaded,
        Known::Believed,
    ),
    Row::new(
        Vendor::Everyone,
        At::FAULT,
        Sign::Phrase("at capacity"),
        Means::ProviderOverloaded,
        Known::Believed,
    ),
    Row::new(
        Vendor::Everyone,
        At::FAULT,
        Sign::Phrase("over capacity"),
        Means::ProviderOverloaded,
        Known::Believed,
    ),
    Row::new(
        Vendor::Everyone,
        At::FAULT,
        Sign::Phrase("capacity_exceeded"),
        Means::ProviderOverloaded,
        Known::Documented,
    ),
    Row::new(
        Vendor::HuggingFace,
        At::FAULT,
        Sign::Phrase("model too busy"),
        Means::ProviderOverloaded,
        Known::Believed,
    ),
    Row::new(
        Vendor::HuggingFace,
        At::FAULT,
        Sign::Phrase("model is too busy"),
        Means::ProviderOverloaded,
        Known::Believed,
    ),
    Row::new(
        Vendor::Ollama,
        At::FAULT,
        Sign::Phrase("server is busy"),
        Means::ProviderOverloaded,
        Known::Believed,
    ),
    Row::new(
        Vendor::Ollama,
        At::FAULT,
        Sign::Phrase("server busy"),
        Means::ProviderOverloaded,
        Known::Believed,
    ),
    Row::new(
        Vendor::SiliconFlow,
        At::FAULT,
        Sign::Phrase("system is too busy"),
        Means::ProviderOverloaded,
        Known::Believed,
    ),
    Row::new(
        Vendor::Everyone,
        At::FAULT,
        Sign::Code("unavailable"),
        Means::ProviderOverloaded,
        Known::Believed,
    ),
    // Under 429, where it is no limit of the key.
    Row::new(
        Vendor::Cloudflare,
        At::FAULT,
        Sign::Phrase("capacity temporarily exceeded"),
        Means::Busy,
        Known::Believed,
    )
    .at(&[(429, 429)]),
    Row::new(
        Vendor::Mistral,
        At::FAULT,
        Sign::Phrase("service tier capacity exceeded"),
        Means::Busy,
        Known::Believed,
    )
    .at(&[(429, 429)]),
    Row::new(
        Vendor::HuggingFace,
        At::FAULT,
        Sign::Phrase("model is overloaded"),
        Means::Busy,
        Known::Believed,
    )
    .at(&[(429, 429)]),
];
