//! Requests that a vendor's filter stopped. Another vendor's filter is not asked to let them through.

use crate::failure::means::Means;
use crate::failure::row::{At, For, Known, Row, Sign};
use crate::failure::vendor::Vendor;

/// Words for machines.
pub(super) const CODES: &[Row] = &[
    Row::new(Vendor::Azure, At::ANY, Sign::Code("content_filter"), Means::Filtered, Known::Believed),
    Row::new(
        Vendor::Azure,
        At::ANY,
        Sign::Code("responsibleaipolicyviolation"),
        Means::Filtered,
        Known::Believed,
    ),
    Row::new(
        Vendor::OpenAi,
        At::ANY,
        Sign::Code("content_policy_violation"),
        Means::Filtered,
        Known::Believed,
    ),
    Row::new(Vendor::OpenAi, At::ANY, Sign::Code("moderation_blocked"), Means::Filtered, Known::Believed),
    Row::new(Vendor::Qwen, At::ANY, Sign::Code("data_inspection_failed"), Means::Filtered, Known::Believed),
    Row::new(Vendor::Qwen, At::ANY, Sign::Code("datainspectionfailed"), Means::Filtered, Known::Documented),
    Row::new(
        Vendor::Volcengine,
        At::ANY,
        Sign::CodeStart("sensitivecontentdetected"),
        Means::Filtered,
        Known::Believed,
    ),
    Row::new(
        Vendor::Volcengine,
        At::ANY,
        Sign::CodeStart("inputtextsensitivecontentdetected"),
        Means::Filtered,
        Known::Believed,
    ),
    Row::new(Vendor::Zhipu, At::ANY, Sign::Code("1301"), Means::Filtered, Known::Documented).of(For::Unknown),
    Row::new(Vendor::Baidu, At::ANY, Sign::Code("unsafe_request"), Means::Filtered, Known::Documented),
    Row::new(Vendor::MiniMax, At::ANY, Sign::Code("base_resp:1026"), Means::Filtered, Known::Documented),
    Row::new(Vendor::MiniMax, At::ANY, Sign::Code("base_resp:1027"), Means::Filtered, Known::Documented),
    // Gemini blocks a prompt with a success and a reason.
    Row::new(Vendor::Google, At::ANY, Sign::Code("prohibited_content"), Means::Filtered, Known::Specified),
    Row::new(Vendor::Google, At::ANY, Sign::Code("safety"), Means::Filtered, Known::Specified),
    Row::new(Vendor::Google, At::ANY, Sign::Code("blocklist"), Means::Filtered, Known::Specified),
    Row::new(Vendor::Google, At::ANY, Sign::Code("image_safety"), Means::Filtered, Known::Specified),
    Row::new(Vendor::Gateways, At::ANY, Sign::Code("content_filtered"), Means::Filtered, Known::Believed),
    Row::new(
        Vendor::Gateways,
        At::ANY,
        Sign::Code("sensitive_words_detected"),
        Means::Filtered,
        Known::Believed,
    ),
    Row::new(
        Vendor::Volcengine,
        At::ANY,
        Sign::Code("inputtextriskdetection"),
        Means::Filtered,
        Known::Documented,
    ),
    Row::new(
        Vendor::Volcengine,
        At::ANY,
        Sign::Code("inputimageriskdetection"),
        Means::Filtered,
        Known::Documented,
    ),
    Row::new(
        Vendor::Volcengine,
        At::ANY,
        Sign::CodeStart("outputtextriskdet"),
        Means::Filtered,
        Known::Documented,
    ),
];

/// What is said to people.
pub(super) const PHRASES: &[Row] = &[
    Row::new(
        Vendor::Azure,
        At::REFUSED,
        Sign::Phrase("content management policy"),
        Means::Filtered,
        Known::Believed,
    ),
    Row::new(Vendor::OpenAi, At::REFUSED, Sign::Phrase("content policy"), Means::Filtered, Known::Believed),
    Row::new(Vendor::OpenAi, At::REFUSED, Sign::Phrase("content_policy"), Means::Filtered, Known::Believed),
    Row::new(Vendor::OpenAi, At::REFUSED, Sign::Phrase("safety system"), Means::Filtered, Known::Believed),
    Row::new(
        Vendor::OpenAi,
        At::REFUSED,
        Sign::Phrase("flagged as potentially violating"),
        Means::Filtered,
        Known::Believed,
    ),
    Row::new(
        Vendor::Anthropic,
        At::REFUSED,
        Sign::Phrase("content filtering policy"),
        Means::Filtered,
        Known::Believed,
    ),
    Row::new(
        Vendor::Xai,
        At::REFUSED,
        Sign::Phrase("violates usage guidelines"),
        Means::Filtered,
        Known::Believed,
    ),
    Row::new(
        Vendor::OpenRouter,
        At::REFUSED,
        Sign::Phrase("flagged by moderation"),
        Means::Filtered,
        Known::Believed,
    ),
    Row::new(
        Vendor::DeepSeek,
        At::REFUSED,
        Sign::Phrase("content exists risk"),
        Means::Filtered,
        Known::Believed,
    ),
    Row::new(
        Vendor::Qwen,
        At::REFUSED,
        Sign::Phrase("data may contain inappropriate content"),
        Means::Filtered,
        Known::Documented,
    ),
    Row::new(
        Vendor::Moonshot,
        At::REFUSED,
        Sign::Phrase("considered high risk"),
        Means::Filtered,
        Known::Documented,
    ),
    Row::new(Vendor::Everyone, At::REFUSED, Sign::Phrase("content filter"), Means::Filtered, Known::Believed),
];
