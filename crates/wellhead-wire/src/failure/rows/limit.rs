//! Limits on requests and tokens: the key has to wait, for this model.

use crate::failure::means::Means;
use crate::failure::row::{At, For, Known, Row, Sign, Wait};
use crate::failure::vendor::Vendor;

/// More than a whole minute allows.
pub(super) const TOO_LARGE: &[Row] = &[Row::new(
    Vendor::Groq,
    At::ANY,
    Sign::Code("rate_limit_exceeded"),
    Means::TooLargeForLimit,
    Known::Believed,
)
.at(&[(413, 413)])];

/// Words for machines.
pub(super) const CODES: &[Row] = &[
    Row::new(Vendor::OpenAi, At::ANY, Sign::Code("slow_down"), Means::Limited, Known::Reported)
        .at(&[(429, 429)]),
    Row::new(Vendor::OpenAi, At::ANY, Sign::Code("rate_limit_exceeded"), Means::Limited, Known::Recorded),
    Row::new(Vendor::Anthropic, At::ANY, Sign::Code("rate_limit_error"), Means::Limited, Known::Recorded),
    Row::new(Vendor::Google, At::ANY, Sign::Code("resource_exhausted"), Means::Limited, Known::Recorded),
    Row::new(Vendor::Azure, At::ANY, Sign::Code("ratelimitreached"), Means::Limited, Known::Recorded),
    Row::new(Vendor::Everyone, At::ANY, Sign::Code("too_many_requests"), Means::Limited, Known::Believed),
    Row::new(Vendor::Bedrock, At::ANY, Sign::Code("throttlingexception"), Means::Limited, Known::Specified),
    Row::new(Vendor::Mistral, At::ANY, Sign::Code("rate_limited"), Means::Limited, Known::Believed),
    Row::new(
        Vendor::Moonshot,
        At::ANY,
        Sign::Code("rate_limit_reached_error"),
        Means::Limited,
        Known::Believed,
    ),
    Row::new(Vendor::Cerebras, At::ANY, Sign::Code("token_quota_exceeded"), Means::Limited, Known::Believed),
    Row::new(
        Vendor::Cerebras,
        At::ANY,
        Sign::Code("request_quota_exceeded"),
        Means::Limited,
        Known::Believed,
    ),
    Row::new(Vendor::Qwen, At::ANY, Sign::CodeStart("throttling"), Means::Limited, Known::Documented),
    Row::new(Vendor::Qwen, At::ANY, Sign::Code("limit_requests"), Means::Limited, Known::Believed),
    Row::new(Vendor::Qwen, At::ANY, Sign::Code("limit_burst_rate"), Means::Limited, Known::Believed),
    Row::new(Vendor::Baidu, At::ANY, Sign::Code("rpm_rate_limit_exceeded"), Means::Limited, Known::Believed),
    Row::new(Vendor::Baidu, At::ANY, Sign::Code("tpm_rate_limit_exceeded"), Means::Limited, Known::Believed),
    Row::new(
        Vendor::Databricks,
        At::ANY,
        Sign::Code("request_limit_exceeded"),
        Means::Limited,
        Known::Believed,
    ),
    Row::new(
        Vendor::Volcengine,
        At::ANY,
        Sign::CodeStart("ratelimitexceeded"),
        Means::Limited,
        Known::Believed,
    ),
    Row::new(
        Vendor::ElevenLabs,
        At::ANY,
        Sign::Code("too_many_concurrent_requests"),
        Means::Limited,
        Known::Reported,
    ),
    Row::new(Vendor::Zhipu, At::ANY, Sign::Code("1302"), Means::Limited, Known::Documented).of(For::Unknown),
    Row::new(Vendor::Zhipu, At::ANY, Sign::Code("1303"), Means::Limited, Known::Documented).of(For::Unknown),
    Row::new(Vendor::Zhipu, At::ANY, Sign::Code("1304"), Means::Limited, Known::Documented)
        .wait(Wait::Seconds(3600))
        .of(For::Unknown),
    Row::new(Vendor::Zhipu, At::ANY, Sign::Code("1308"), Means::Limited, Known::Documented)
        .wait(Wait::Said(8))
        .of(For::Unknown),
    Row::new(Vendor::Zhipu, At::ANY, Sign::Code("1310"), Means::Limited, Known::Documented)
        .wait(Wait::Said(8))
        .of(For::Unknown),
    Row::new(Vendor::Zhipu, At::ANY, Sign::Code("1313"), Means::Limited, Known::Documented).of(For::Unknown),
    Row::new(Vendor::MiniMax, At::ANY, Sign::Code("base_resp:1002"), Means::Limited, Known::Documented),
    Row::new(Vendor::MiniMax, At::ANY, Sign::Code("base_resp:1039"), Means::Limited, Known::Documented),
    Row::new(Vendor::MiniMax, At::ANY, Sign::Code("base_resp:2045"), Means::Limited, Known::Believed),
    Row::new(Vendor::MiniMax, At::ANY, Sign::Code("base_resp:2056"), Means::Limited, Known::Believed)
        .wait(Wait::Seconds(3600)),
];
