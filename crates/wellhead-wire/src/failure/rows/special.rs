//! What one vendor means otherwise than the others, or says in a way of its own. Looked for before everything else.

use crate::failure::means::Means;
use crate::failure::row::{At, For, Known, Row, Sign, Wait};
use crate::failure::vendor::Vendor;

/// A quota per day is asked about again after this at the latest: vendors do not agree on where their days begin.
const DAILY_SECONDS: u64 = 3600;

pub(super) const ROWS: &[Row] = &[
    // Cloudflare and AWS put a page for browsers in front of an API that they protect: not the key's fault.
    Row::new(
        Vendor::Cloudflare,
        At::ANY,
        Sign::Header("cf-mitigated", "challenge"),
        Means::NotTheApi,
        Known::Believed,
    ),
    Row::new(
        Vendor::Bedrock,
        At::ANY,
        Sign::Header("x-amzn-waf-action", ""),
        Means::NotTheApi,
        Known::Believed,
    ),
    // A budget for what is under way, which frees itself, and the money itself, which Google calls RESOURCE_EXHAUSTED too.
    Row::new(
        Vendor::OpenRouter,
        At::ANY,
        Sign::Code("openrouter_in_flight_budget"),
        Means::Limited,
        Known::Documented,
    )
    .at(&[(402, 402)]),
    Row::new(Vendor::Google, At::ANY, Sign::Code("resource_exhausted"), Means::Spent, Known::Reported)
        .at(&[(402, 402)]),
    // Together forbids what is too long.
    Row::new(
        Vendor::Together,
        At::ANY,
        Sign::Phrase("less than the context length"),
        Means::TooLong,
        Known::Documented,
    )
    .at(&[(400, 400), (403, 403), (422, 422)]),
    // Google says RESOURCE_EXHAUSTED for a minute, a day, no money, and a tier that has no access at all.
    Row::new(
        Vendor::Google,
        At::ANY,
        Sign::CodeAndPhrase("resource_exhausted", "prepayment credits"),
        Means::Spent,
        Known::Believed,
    ),
    Row::new(
        Vendor::Google,
        At::ANY,
        Sign::CodeAndPhrase("resource_exhausted", ", limit: 0"),
        Means::ModelSpent,
        Known::Reported,
    )
    .wait(Wait::PacificMidnight),
    Row::new(
        Vendor::Google,
        At::ANY,
        Sign::CodeStart("generaterequestsperday"),
        Means::Limited,
        Known::Reported,
    )
    .wait(Wait::PacificMidnight),
    Row::new(
        Vendor::Google,
        At::ANY,
        Sign::CodeStart("generatecontentinputtokensperday"),
        Means::Limited,
        Known::Believed,
    )
    .wait(Wait::PacificMidnight),
    Row::new(Vendor::Google, At::ANY, Sign::Code("quota_exceeded"), Means::Limited, Known::Reported)
        .at(&[(429, 429)])
        .of(For::Vendor)
        .wait(Wait::PacificMidnight),
    // DashScope's OpenAI surface calls tokens per minute `insufficient_quota`; money is `Arrearage` there.
    Row::new(Vendor::Qwen, At::ANY, Sign::Code("insufficient_quota"), Means::Limited, Known::Believed)
        .at(&[(429, 429)])
        .of(For::Vendor),
    // A request that is too long is refused by Cerebras without a word.
    Row::new(Vendor::Cerebras, At::ANY, Sign::NoBody, Means::TooLong, Known::Reported)
        .at(&[(400, 400), (413, 413)])
        .of(For::Vendor),
    // Limits per day that name no time.
    Row::new(
        Vendor::Bedrock,
        At::ANY,
        Sign::Phrase("too many tokens per day"),
        Means::Limited,
        Known::Believed,
    )
    .at(&[(429, 429)])
    .wait(Wait::Seconds(DAILY_SECONDS)),
    Row::new(Vendor::Cohere, At::ANY, Sign::Phrase("api calls / month"), Means::Spent, Known::Believed)
        .at(&[(429, 429)])
        .wait(Wait::NextMonth),
    // The request does not fit into the minute: the same code as for a minute that is used up.
    Row::new(
        Vendor::OpenAi,
        At::ANY,
        Sign::Phrase("request too large for"),
        Means::TooLargeForLimit,
        Known::Believed,
    )
    .at(&[(429, 429)]),
    // Azure is short of room, not the key of quota.
    Row::new(Vendor::Azure, At::ANY, Sign::Phrase("experiencing high demand"), Means::Busy, Known::Reported)
        .at(&[(429, 429)]),
    // The model wrote a tool call or JSON that its server could not read; another try may do better.
    Row::new(Vendor::Groq, At::ANY, Sign::Code("tool_use_failed"), Means::ModelFailed, Known::Recorded),
    Row::new(Vendor::Groq, At::ANY, Sign::Code("json_validate_failed"), Means::ModelFailed, Known::Believed),
    Row::new(Vendor::Groq, At::ANY, Sign::Status, Means::Busy, Known::Documented)
        .at(&[(498, 498)])
        .of(For::Vendor),
    Row::new(Vendor::Cohere, At::ANY, Sign::Status, Means::KeyRejected, Known::Believed)
        .at(&[(498, 498)])
        .of(For::Vendor),
    // An account that is suspended, mostly for its bills.
    Row::new(Vendor::Fireworks, At::ANY, Sign::Status, Means::Spent, Known::Believed)
        .at(&[(412, 412)])
        .of(For::Vendor),
    Row::new(Vendor::Xiaomi, At::ANY, Sign::Status, Means::Filtered, Known::Documented)
        .at(&[(421, 421)])
        .of(For::Vendor),
    Row::new(
        Vendor::OpenRouter,
        At::ANY,
        Sign::Phrase("requires moderation"),
        Means::Filtered,
        Known::Believed,
    )
    .at(&[(403, 403)]),
];
