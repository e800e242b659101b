//! The credential has no money or no quota left: resting it helps, waiting a few seconds does not.

use crate::failure::means::Means;
use crate::failure::row::{At, For, Known, Row, Sign, Wait};
use crate::failure::vendor::Vendor;

/// Words for machines.
pub(super) const CODES: &[Row] = &[
    Row::new(Vendor::OpenAi, At::ANY, Sign::Code("insufficient_quota"), Means::Spent, Known::Believed),
    Row::new(
        Vendor::OpenAi,
        At::ANY,
        Sign::Code("billing_hard_limit_reached"),
        Means::Spent,
        Known::Believed,
    ),
    Row::new(Vendor::OpenAi, At::ANY, Sign::Code("billing_not_active"), Means::Spent, Known::Believed),
    Row::new(
        Vendor::Anthropic,
        At::ANY,
        Sign::Code("enforced_spend_limit_reached"),
        Means::Spent,
        Known::Documented,
    )
    .wait(Wait::NextMonth),
    Row::new(Vendor::Anthropic, At::ANY, Sign::Code("billing_error"), Means::Spent, Known::Believed),
    Row::new(Vendor::Google, At::ANY, Sign::Code("billing_disabled"), Means::Spent, Known::Believed),
    Row::new(Vendor::DeepSeek, At::ANY, Sign::Code("insufficient_balance"), Means::Spent, Known::Believed),
    Row::new(
        Vendor::Moonshot,
        At::ANY,
        Sign::Code("exceeded_current_quota_error"),
        Means::Spent,
        Known::Believed,
    ),
    Row::new(Vendor::Qwen, At::ANY, Sign::Code("arrearage"), Means::Spent, Known::Documented),
    Row::new(
        Vendor::Qwen,
        At::ANY,
        Sign::Code("allocationquota.freetieronly"),
        Means::ModelSpent,
        Known::Believed,
    ),
    Row::new(Vendor::Volcengine, At::ANY, Sign::Code("accountoverdueerror"), Means::Spent, Known::Documented),
    Row::new(Vendor::Volcengine, At::ANY, Sign::Code("setlimitexceeded"), Means::ModelSpent, Known::Believed),
    Row::new(Vendor::Volcengine, At::ANY, Sign::Code("quotaexceeded"), Means::ModelSpent, Known::Believed),
    Row::new(
        Vendor::Bedrock,
        At::ANY,
        Sign::Code("servicequotaexceededexception"),
        Means::ModelSpent,
        Known::Specified,
    )
    .wait(Wait::Seconds(300)),
    Row::new(Vendor::Zhipu, At::ANY, Sign::Code("1113"), Means::Spent, Known::Documented).of(For::Unknown),
    Row::new(Vendor::Zhipu, At::ANY, Sign::Code("1309"), Means::Spent, Known::Documented).of(For::Unknown),
    Row::new(Vendor::MiniMax, At::ANY, Sign::Code("base_resp:1008"), Means::Spent, Known::Documented),
    Row::new(Vendor::MiniMax, At::ANY, Sign::Code("base_resp:1028"), Means::Spent, Known::Reported),
    Row::new(Vendor::MiniMax, At::ANY, Sign::Code("base_resp:1030"), Means::Spent, Known::Reported),
    Row::new(Vendor::ElevenLabs, At::ANY, Sign::Code("quota_exceeded"), Means::Spent, Known::Documented)
        .of(For::Unknown),
    Row::new(Vendor::Deepgram, At::ANY, Sign::Code("asr_payment_required"), Means::Spent, Known::Believed),
    Row::new(Vendor::Novita, At::ANY, Sign::Code("not_enough_balance"), Means::Spent, Known::Believed),
    Row::new(Vendor::Cloudflare, At::ANY, Sign::Code("3036"), Means::Spent, Known::Documented)
        .wait(Wait::Seconds(3600))
        .of(For::Vendor),
    Row::new(Vendor::Everyone, At::ANY, Sign::Code("insufficient_credits"), Means::Spent, Known::Believed),
    Row::new(Vendor::Everyone, At::ANY, Sign::Code("insufficient_funds"), Means::Spent, Known::Believed),
    Row::new(Vendor::Gateways, At::ANY, Sign::Code("insufficient_user_quota"), Means::Spent, Known::Believed),
    Row::new(Vendor::Gateways, At::ANY, Sign::Code("budget_exceeded"), Means::Spent, Known::Believed),
    Row::new(Vendor::Everyone, At::ANY, Sign::Code("payment_required"), Means::Spent, Known::Believed),
    Row::new(Vendor::Everyone, At::ANY, Sign::Code("credits_exhausted"), Means::Spent, Known::Believed),
    Row::new(Vendor::OpenAi, At::ANY, Sign::Code("credit_balance_exhausted"), Means::Spent, Known::Reported),
    Row::new(
        Vendor::OpenAi,
        At::ANY,
        Sign::Code("organization_spend_limit_exceeded"),
        Means::Spent,
        Known::Reported,
    ),
    Row::new(
        Vendor::OpenAi,
        At::ANY,
        Sign::Code("project_spend_limit_exceeded"),
        Means::Spent,
        Known::Reported,
    ),
    Row::new(
        Vendor::OpenAi,
        At::ANY,
        Sign::Code("organization_usage_limit_exceeded"),
        Means::Spent,
        Known::Reported,
    ),
];

/// What is said to people.
pub(super) const PHRASES: &[Row] = &[
    // Dates in the message come first: they say how long.
    Row::new(
        Vendor::Anthropic,
        At::MONEY,
        Sign::Phrase("you will regain access on"),
        Means::Spent,
        Known::Reported,
    )
    .wait(Wait::Said(0)),
    Row::new(Vendor::Anthropic, At::MONEY, Sign::Phrase("api usage limits"), Means::Spent, Known::Reported),
    Row::new(Vendor::Anthropic, At::MONEY, Sign::Phrase("spend limit"), Means::Spent, Known::Documented),
    Row::new(Vendor::Anthropic, At::MONEY, Sign::Phrase("credit balance"), Means::Spent, Known::Believed),
    Row::new(
        Vendor::HuggingFace,
        At::MONEY,
        Sign::Phrase("exceeded your monthly included credits"),
        Means::Spent,
        Known::Believed,
    )
    .wait(Wait::NextMonth),
    Row::new(
        Vendor::Cloudflare,
        At::MONEY,
        Sign::Phrase("daily free allocation"),
        Means::Spent,
        Known::Documented,
    )
    .wait(Wait::Seconds(3600)),
    Row::new(
        Vendor::Xai,
        At::MONEY,
        Sign::Phrase("used all available credits"),
        Means::Spent,
        Known::Believed,
    ),
    Row::new(Vendor::Xai, At::MONEY, Sign::Phrase("spending limit"), Means::Spent, Known::Believed),
    Row::new(Vendor::Google, At::MONEY, Sign::Phrase("enable billing"), Means::Spent, Known::Believed),
    Row::new(Vendor::OpenAi, At::MONEY, Sign::Phrase("insufficient_quota"), Means::Spent, Known::Believed)
        .unless_told(),
    Row::new(Vendor::OpenAi, At::MONEY, Sign::Phrase("billing hard limit"), Means::Spent, Known::Believed),
    Row::new(Vendor::OpenAi, At::MONEY, Sign::Phrase("billing details"), Means::Spent, Known::Believed)
        .unless_told(),
    Row::new(Vendor::OpenAi, At::MONEY, Sign::Phrase("billing is not"), Means::Spent, Known::Believed),
    Row::new(Vendor::OpenAi, At::MONEY, Sign::Phrase("billing has not"), Means::Spent, Known::Believed),
    Row::new(
        Vendor::Mistral,
        At::MONEY,
        Sign::Phrase("inactive subscription"),
        Means::Spent,
        Known::Believed,
    ),
    Row::new(
        Vendor::DeepSeek,
        At::MONEY,
        Sign::Phrase("insufficient balance"),
        Means::Spent,
        Known::Believed,
    ),
    Row::new(Vendor::Jina, At::MONEY, Sign::Phrase("account balance"), Means::Spent, Known::Believed)
        .unless_told(),
    Row::new(
        Vendor::SiliconFlow,
        At::MONEY,
        Sign::Phrase("balance is insufficient"),
        Means::Spent,
        Known::Believed,
    ),
    Row::new(Vendor::Zhipu, At::MONEY, Sign::Phrase("balance exhausted"), Means::Spent, Known::Believed),
    Row::new(Vendor::Novita, At::MONEY, Sign::Phrase("balance is not enough"), Means::Spent, Known::Believed),
    Row::new(Vendor::Novita, At::MONEY, Sign::Phrase("not enough balance"), Means::Spent, Known::Believed),
    Row::new(Vendor::Everyone, At::MONEY, Sign::Phrase("balance is too low"), Means::Spent, Known::Believed),
    Row::new(Vendor::Everyone, At::MONEY, Sign::Phrase("insufficient quota"), Means::Spent, Known::Believed)
        .unless_told(),
    Row::new(Vendor::Everyone, At::MONEY, Sign::Phrase("insufficient credit"), Means::Spent, Known::Believed)
        .unless_told(),
    Row::new(Vendor::Everyone, At::MONEY, Sign::Phrase("insufficient fund"), Means::Spent, Known::Believed)
        .unless_told(),
    Row::new(Vendor::Deepgram, At::MONEY, Sign::Phrase("enough credits"), Means::Spent, Known::Believed)
        .unless_told(),
    Row::new(Vendor::Everyone, At::MONEY, Sign::Phrase("not enough credit"), Means::Spent, Known::Believed)
        .unless_told(),
    Row::new(Vendor::OpenRouter, At::MONEY, Sign::Phrase("more credits"), Means::Spent, Known::Believed)
        .unless_told(),
    Row::new(Vendor::Everyone, At::MONEY, Sign::Phrase("out of credit"), Means::Spent, Known::Believed)
        .unless_told(),
    Row::new(Vendor::Everyone, At::MONEY, Sign::Phrase("no credits"), Means::Spent, Known::Believed)
        .unless_told(),
    Row::new(
        Vendor::Everyone,
        At::MONEY,
        Sign::Phrase("credits have been exhausted"),
        Means::Spent,
        Known::Believed,
    ),
    Row::new(Vendor::Everyone, At::MONEY, Sign::Phrase("purchase credits"), Means::Spent, Known::Believed)
        .unless_told(),
    Row::new(Vendor::Everyone, At::MONEY, Sign::Phrase("add credits"), Means::Spent, Known::Believed)
        .unless_told(),
    Row::new(Vendor::Everyone, At::MONEY, Sign::Phrase("top up your"), Means::Spent, Known::Believed)
        .unless_told(),
    Row::new(Vendor::Everyone, At::MONEY, Sign::Phrase("usage limits"), Means::Spent, Known::Believed)
        .unless_told(),
    Row::new(
        Vendor::Gateways,
        At::MONEY,
        Sign::Phrase("budget has been exceeded"),
        Means::Spent,
        Known::Believed,
    ),
    Row::new(Vendor::Gateways, At::MONEY, Sign::Phrase("budget exceeded"), Means::Spent, Known::Believed)
        .unless_told(),
    Row::new(Vendor::Everyone, At::MONEY, Sign::Phrase("exceeded budget"), Means::Spent, Known::Believed)
        .unless_told(),
    Row::new(
        Vendor::Everyone,
        At::MONEY,
        Sign::Phrase("exceeded your budget"),
        Means::Spent,
        Known::Believed,
    ),
    Row::new(Vendor::Everyone, At::MONEY, Sign::Phrase("over budget"), Means::Spent, Known::Believed)
        .unless_told(),
    Row::new(Vendor::Qwen, At::MONEY, Sign::Phrase("in arrears"), Means::Spent, Known::Believed),
    Row::new(
        Vendor::Qwen,
        At::MONEY,
        Sign::Phrase("account is in good standing"),
        Means::Spent,
        Known::Documented,
    ),
];
