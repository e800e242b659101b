//! Keys that are rejected, and models that are unknown to the vendor or closed to the account.

use crate::failure::means::Means;
use crate::failure::row::{At, For, Known, Row, Sign};
use crate::failure::vendor::Vendor;

/// Words for machines.
pub(super) const CODES: &[Row] = &[
    Row::new(Vendor::OpenAi, At::ANY, Sign::Code("invalid_api_key"), Means::KeyRejected, Known::Believed),
    Row::new(
        Vendor::Anthropic,
        At::ANY,
        Sign::Code("authentication_error"),
        Means::KeyRejected,
        Known::Believed,
    ),
    Row::new(Vendor::Google, At::ANY, Sign::Code("api_key_invalid"), Means::KeyRejected, Known::Believed),
    Row::new(Vendor::Google, At::ANY, Sign::Code("unauthenticated"), Means::KeyRejected, Known::Believed),
    Row::new(Vendor::Google, At::ANY, Sign::Code("consumer_suspended"), Means::KeyRejected, Known::Believed),
    Row::new(
        Vendor::Bedrock,
        At::ANY,
        Sign::Code("unrecognizedclientexception"),
        Means::KeyRejected,
        Known::Specified,
    ),
    Row::new(
        Vendor::Bedrock,
        At::ANY,
        Sign::Code("expiredtokenexception"),
        Means::KeyRejected,
        Known::Specified,
    ),
    Row::new(
        Vendor::Bedrock,
        At::ANY,
        Sign::Code("invalidsignatureexception"),
        Means::KeyRejected,
        Known::Specified,
    ),
    Row::new(
        Vendor::Moonshot,
        At::ANY,
        Sign::Code("invalid_authentication_error"),
        Means::KeyRejected,
        Known::Documented,
    ),
    Row::new(
        Vendor::Moonshot,
        At::ANY,
        Sign::Code("incorrect_api_key_error"),
        Means::KeyRejected,
        Known::Documented,
    ),
    Row::new(Vendor::Qwen, At::ANY, Sign::Code("invalidapikey"), Means::KeyRejected, Known::Documented),
    Row::new(Vendor::Baidu, At::ANY, Sign::Code("invalid_iam_token"), Means::KeyRejected, Known::Believed),
    Row::new(Vendor::Deepgram, At::ANY, Sign::Code("invalid_auth"), Means::KeyRejected, Known::Reported),
    Row::new(
        Vendor::ElevenLabs,
        At::ANY,
        Sign::Code("detected_unusual_activity"),
        Means::KeyRejected,
        Known::Believed,
    ),
    Row::new(Vendor::Zhipu, At::ANY, Sign::Code("1000"), Means::KeyRejected, Known::Documented)
        .of(For::Vendor),
    Row::new(Vendor::Zhipu, At::ANY, Sign::Code("1001"), Means::KeyRejected, Known::Documented)
        .of(For::Vendor),
    Row::new(Vendor::Zhipu, At::ANY, Sign::Code("1002"), Means::KeyRejected, Known::Documented)
        .of(For::Vendor),
    Row::new(Vendor::Zhipu, At::ANY, Sign::Code("1003"), Means::KeyRejected, Known::Documented)
        .of(For::Vendor),
    Row::new(Vendor::Zhipu, At::ANY, Sign::Code("1004"), Means::KeyRejected, Known::Documented)
        .of(For::Vendor),
    Row::new(Vendor::Zhipu, At::ANY, Sign::Code("1110"), Means::KeyRejected, Known::Documented)
        .of(For::Unknown),
    Row::new(Vendor::Zhipu, At::ANY, Sign::Code("1111"), Means::KeyRejected, Known::Documented)
        .of(For::Unknown),
    Row::new(Vendor::Zhipu, At::ANY, Sign::Code("1112"), Means::KeyRejected, Known::Documented)
        .of(For::Unknown),
    Row::new(Vendor::Zhipu, At::ANY, Sign::Code("1121"), Means::KeyRejected, Known::Documented)
        .of(For::Unknown),
    Row::new(Vendor::MiniMax, At::ANY, Sign::Code("base_resp:1004"), Means::KeyRejected, Known::Documented),
    Row::new(Vendor::MiniMax, At::ANY, Sign::Code("base_resp:2049"), Means::KeyRejected, Known::Believed),
    Row::new(
        Vendor::Everyone,
        At::ANY,
        Sign::Code("invalid_authentication"),
        Means::KeyRejected,
        Known::Believed,
    ),
    // Models.
    Row::new(Vendor::OpenAi, At::ANY, Sign::Code("model_not_found"), Means::ModelUnknown, Known::Believed),
    Row::new(Vendor::Azure, At::ANY, Sign::Code("deploymentnotfound"), Means::ModelUnknown, Known::Believed),
    Row::new(Vendor::Perplexity, At::ANY, Sign::Code("invalid_model"), Means::ModelUnknown, Known::Believed),
    Row::new(Vendor::Groq, At::ANY, Sign::Code("model_decommissioned"), Means::ModelUnknown, Known::Believed),
    Row::new(Vendor::Groq, At::ANY, Sign::Code("model_not_active"), Means::ModelUnknown, Known::Believed),
    Row::new(Vendor::Mistral, At::ANY, Sign::Code("unknown_model"), Means::ModelUnknown, Known::Documented),
    Row::new(Vendor::GitHub, At::ANY, Sign::Code("unavailable_model"), Means::ModelUnknown, Known::Believed),
    Row::new(Vendor::Qwen, At::ANY, Sign::Code("model_not_exist"), Means::ModelUnknown, Known::Believed),
    Row::new(Vendor::Qwen, At::ANY, Sign::Code("modelnotfound"), Means::ModelUnknown, Known::Believed),
    Row::new(Vendor::Qwen, At::ANY, Sign::Code("model.accessdenied"), Means::ModelUnknown, Known::Believed),
    Row::new(
        Vendor::Volcengine,
        At::ANY,
        Sign::CodeStart("invalidendpointormodel"),
        Means::ModelUnknown,
        Known::Documented,
    ),
    Row::new(
        Vendor::Databricks,
        At::ANY,
        Sign::Code("endpoint_not_found"),
        Means::ModelUnknown,
        Known::Believed,
    ),
    Row::new(Vendor::Zhipu, At::ANY, Sign::Code("1211"), Means::ModelUnknown, Known::Documented)
        .of(For::Unknown),
    Row::new(Vendor::Zhipu, At::ANY, Sign::Code("1220"), Means::ModelUnknown, Known::Documented)
        .of(For::Unknown),
    Row::new(Vendor::Zhipu, At::ANY, Sign::Code("1221"), Means::ModelUnknown, Known::Documented)
        .of(For::Unknown),
    Row::new(Vendor::Zhipu, At::ANY, Sign::Code("1222"), Means::ModelUnknown, Known::Documented)
        .of(For::Unknown),
    Row::new(Vendor::Zhipu, At::ANY, Sign::Code("1311"), Means::ModelUnknown, Known::Documented)
        .of(For::Unknown),
    Row::new(Vendor::MiniMax, At::ANY, Sign::Code("base_resp:2061"), Means::ModelUnknown, Known::Reported),
    Row::new(Vendor::Everyone, At::ANY, Sign::Code("not_found_model"), Means::ModelUnknown, Known::Believed),
    Row::new(
        Vendor::Bedrock,
        At::ANY,
        Sign::Code("resourcenotfoundexception"),
        Means::ModelUnknown,
        Known::Specified,
    ),
    Row::new(
        Vendor::Anthropic,
        At::ANY,
        Sign::CodeAndPhrase("not_found_error", "model: "),
        Means::ModelUnknown,
        Known::Believed,
    ),
    Row::new(
        Vendor::Volcengine,
        At::ANY,
        Sign::Code("authenticationerror"),
        Means::KeyRejected,
        Known::Documented,
    ),
    Row::new(Vendor::Volcengine, At::ANY, Sign::Code("modelnotopen"), Means::ModelUnknown, Known::Documented),
    Row::new(
        Vendor::Volcengine,
        At::ANY,
        Sign::CodeStart("invalidendpoint."),
        Means::ModelUnknown,
        Known::Documented,
    ),
    Row::new(Vendor::Cloudflare, At::ANY, Sign::Code("5007"), Means::ModelUnknown, Known::Documented)
        .of(For::Vendor),
    Row::new(Vendor::Cloudflare, At::ANY, Sign::Code("5018"), Means::ModelUnknown, Known::Documented)
        .of(For::Vendor),
    Row::new(Vendor::Cloudflare, At::ANY, Sign::Code("3041"), Means::ModelUnknown, Known::Documented)
        .of(For::Vendor),
    Row::new(Vendor::Cloudflare, At::ANY, Sign::Code("3042"), Means::ModelUnknown, Known::Documented)
        .of(For::Vendor),
    Row::new(Vendor::Cloudflare, At::ANY, Sign::Code("3023"), Means::KeyRejected, Known::Documented)
        .of(For::Vendor),
];

/// What is said to people.
pub(super) const PHRASES: &[Row] = &[
    Row::new(Vendor::Google, At::BAD, Sign::Phrase("api key not valid"), Means::KeyRejected, Known::Believed),
    Row::new(Vendor::Google, At::BAD, Sign::Phrase("api key expired"), Means::KeyRejected, Known::Believed),
    Row::new(
        Vendor::Google,
        At::BAD,
        Sign::Phrase("user location is not supported"),
        Means::KeyRejected,
        Known::Believed,
    ),
    Row::new(Vendor::Xai, At::BAD, Sign::Phrase("incorrect api key"), Means::KeyRejected, Known::Believed),
    Row::new(Vendor::Everyone, At::BAD, Sign::Phrase("invalid api key"), Means::KeyRejected, Known::Believed),
    Row::new(
        Vendor::Everyone,
        At::BAD,
        Sign::Phrase("api-key is invalid"),
        Means::KeyRejected,
        Known::Believed,
    ),
    // Models, where the status says that something is wrong or forbidden.
    Row::new(
        Vendor::Bedrock,
        At::BAD,
        Sign::Phrase("provided model identifier is invalid"),
        Means::ModelUnknown,
        Known::Believed,
    )
    .under(At::REFUSED),
    Row::new(
        Vendor::Bedrock,
        At::BAD,
        Sign::Phrase("on-demand throughput isn\u{2019}t supported"),
        Means::ModelUnknown,
        Known::Believed,
    )
    .under(At::REFUSED),
    Row::new(
        Vendor::Bedrock,
        At::BAD,
        Sign::Phrase("on-demand throughput isn't supported"),
        Means::ModelUnknown,
        Known::Believed,
    )
    .under(At::REFUSED),
    Row::new(
        Vendor::Bedrock,
        At::BAD,
        Sign::Phrase("access to the model with the specified model id"),
        Means::ModelUnknown,
        Known::Believed,
    )
    .under(At::REFUSED),
    Row::new(
        Vendor::OpenAi,
        At::BAD,
        Sign::Phrase("must be verified to"),
        Means::ModelUnknown,
        Known::Believed,
    )
    .under(At::REFUSED),
    Row::new(
        Vendor::OpenAi,
        At::BAD,
        Sign::Phrase("does not have access to model"),
        Means::ModelUnknown,
        Known::Believed,
    )
    .under(At::REFUSED),
    Row::new(
        Vendor::OpenRouter,
        At::BAD,
        Sign::Phrase("is not a valid model"),
        Means::ModelUnknown,
        Known::Believed,
    )
    .under(At::REFUSED),
    Row::new(
        Vendor::OpenRouter,
        At::BAD,
        Sign::Phrase("no endpoints found"),
        Means::ModelUnknown,
        Known::Believed,
    )
    .at(&[(400, 400), (403, 404), (422, 422)]),
    Row::new(
        Vendor::OpenRouter,
        At::BAD,
        Sign::Phrase("no allowed providers are available"),
        Means::ModelUnknown,
        Known::Believed,
    )
    .at(&[(400, 400), (403, 404), (422, 422)]),
    Row::new(
        Vendor::Groq,
        At::BAD,
        Sign::Phrase("model has been decommissioned"),
        Means::ModelUnknown,
        Known::Believed,
    )
    .under(At::REFUSED),
    Row::new(Vendor::Mistral, At::BAD, Sign::Phrase("invalid model"), Means::ModelUnknown, Known::Believed)
        .under(At::REFUSED),
    Row::new(
        Vendor::DeepSeek,
        At::BAD,
        Sign::Phrase("model not exist"),
        Means::ModelUnknown,
        Known::Believed,
    )
    .under(At::REFUSED),
    Row::new(
        Vendor::SiliconFlow,
        At::BAD,
        Sign::Phrase("model does not exist"),
        Means::ModelUnknown,
        Known::Believed,
    )
    .under(At::REFUSED),
    Row::new(Vendor::Snowflake, At::BAD, Sign::Phrase("unknown model"), Means::ModelUnknown, Known::Believed)
        .under(At::REFUSED),
    Row::new(
        Vendor::Cloudflare,
        At::BAD,
        Sign::Phrase("no such model"),
        Means::ModelUnknown,
        Known::Documented,
    )
    .under(At::REFUSED),
    Row::new(
        Vendor::Everyone,
        At::BAD,
        Sign::Phrase("model not found"),
        Means::ModelUnknown,
        Known::Believed,
    )
    .under(At::REFUSED),
    Row::new(
        Vendor::Everyone,
        At::BAD,
        Sign::Phrase("model_not_found"),
        Means::ModelUnknown,
        Known::Believed,
    )
    .under(At::REFUSED),
    Row::new(
        Vendor::Everyone,
        At::BAD,
        Sign::Phrase("unsupported model"),
        Means::ModelUnknown,
        Known::Believed,
    )
    .under(At::REFUSED),
    Row::new(
        Vendor::Everyone,
        At::BAD,
        Sign::Phrase("model has been deprecated"),
        Means::ModelUnknown,
        Known::Believed,
    )
    .under(At::REFUSED),
    Row::new(
        Vendor::Gateways,
        At::BAD,
        Sign::Phrase("no available channel"),
        Means::ModelUnknown,
        Known::Believed,
    )
    .at(&[(400, 599)]),
    // With a name in between, which is safe only where the status says "not found".
    Row::new(
        Vendor::Everyone,
        At::BAD,
        Sign::Words(
            &["model", "deployment"],
            &[
                "not found",
                "not exist",
                "unknown",
                "not supported",
                "no access",
                "not available",
                "have access",
                "not be found",
                "could not resolve",
                "not found the model",
            ],
        ),
        Means::ModelUnknown,
        Known::Believed,
    )
    .at(&[(404, 404)]),
];
