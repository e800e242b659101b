//! Causes that vendors state only in prose. Each phrase is long enough not to occur in a message about something
//! else; all are in lower case. Codes are compared whole, phrases are searched.

use super::facts::Facts;

/// The credential has no money left: resting it helps, waiting a few seconds does not.
const QUOTA_CODES: &[&str] = &[
    "insufficient_quota",
    "insufficient_balance",
    "insufficient_credits",
    "insufficient_user_quota",
    "billing_hard_limit_reached",
    "billing_not_active",
    "billing_error",
    "enforced_spend_limit_reached",
    "payment_required",
    "credits_exhausted",
    "exceeded_current_quota_error",
];
const QUOTA_PHRASES: &[&str] = &[
    "insufficient balance",
    "insufficient_quota",
    "insufficient quota",
    "insufficient credit",
    "insufficient fund",
    "not enough credit",
    "credit balance",
    "account balance",
    "balance is too low",
    "balance is not enough",
    "out of credit",
    "no credits",
    "used all available credits",
    "exceeded your monthly included credits",
    "credits have been exhausted",
    "billing hard limit",
    "billing details",
    "billing is not",
    "billing has not",
    "enable billing",
    "spend limit",
    "spending limit",
    "usage limits",
    "budget has been exceeded",
    "budget exceeded",
    "exceeded budget",
    "exceeded your budget",
    "over budget",
    "add credits",
    "add more credits",
    "purchase credits",
    "top up your",
    "in arrears",
];

const CONTEXT_CODES: &[&str] = &[
    "context_length_exceeded",
    "exceed_context_size_error",
    "model_context_window_exceeded",
    "string_above_max_length",
    "context_window_exceeded",
];
const CONTEXT_PHRASES: &[&str] = &[
    "maximum context length",
    "context length exceeded",
    "exceeds the context",
    "exceed the context",
    "exceeds context",
    "context window",
    "context_length_exceeded",
    "exceeds the available context size",
    "prompt is too long",
    "input is too long",
    "input length and `max_tokens` exceed",
    "maximum prompt length",
    "maximum number of tokens allowed",
    "reduce the length of the messages",
    "please reduce the length",
    "too many input tokens",
    "exceeds the maximum number of tokens",
    "max_model_len",
    "range of input length should be",
];

const FILTER_CODES: &[&str] = &[
    "content_filter",
    "content_policy_violation",
    "responsibleaipolicyviolation",
    "data_inspection_failed",
    "moderation_blocked",
    "content_filtered",
    "sensitive_words_detected",
];
const FILTER_PHRASES: &[&str] = &[
    "content management policy",
    "content policy",
    "content_policy",
    "content filter",
    "flagged by moderation",
    "safety system",
    "requires moderation",
    "data may contain inappropriate content",
    "content exists risk",
];

const KEY_CODES: &[&str] =
    &["invalid_api_key", "authentication_error", "api_key_invalid", "invalid_authentication"];
const KEY_PHRASES: &[&str] =
    &["api key not valid", "incorrect api key", "invalid api key", "api key expired", "api-key is invalid"];

const MODEL_CODES: &[&str] = &[
    "model_not_found",
    "model_not_exist",
    "deploymentnotfound",
    "model_decommissioned",
    "invalid_model",
    "unknown_model",
    "not_found_model",
];
const MODEL_PHRASES: &[&str] = &[
    "is not a valid model",
    "model not found",
    "model_not_found",
    "model not exist",
    "no such model",
    "unknown model",
    "invalid model",
    "unsupported model",
    "model has been decommissioned",
    "model has been deprecated",
    "does not have access to model",
    "no endpoints found for",
];

const OVERLOAD_CODES: &[&str] =
    &["overloaded_error", "overloaded", "engine_overloaded_error", "unavailable", "capacity_exceeded"];
const OVERLOAD_PHRASES: &[&str] =
    &["overloaded", "at capacity", "over capacity", "model is too busy", "server is busy", "model too busy"];

fn has(facts: &Facts, codes: &[&str], phrases: &[&str]) -> bool {
    codes.iter().any(|code| facts.has_word(code))
        || phrases.iter().any(|phrase| facts.haystack.contains(phrase))
}

pub(super) fn is_quota_code(facts: &Facts) -> bool {
    has(facts, QUOTA_CODES, &[])
}

pub(super) fn is_quota(facts: &Facts) -> bool {
    has(facts, QUOTA_CODES, QUOTA_PHRASES)
}

pub(super) fn is_context_length(facts: &Facts) -> bool {
    has(facts, CONTEXT_CODES, CONTEXT_PHRASES)
}

pub(super) fn is_filtered(facts: &Facts) -> bool {
    has(facts, FILTER_CODES, FILTER_PHRASES)
}

pub(super) fn is_key(facts: &Facts) -> bool {
    has(facts, KEY_CODES, KEY_PHRASES)
}

pub(super) fn is_overload(facts: &Facts) -> bool {
    has(facts, OVERLOAD_CODES, OVERLOAD_PHRASES)
}

/// The model is unknown; `loosely` also takes "model … not found / does not exist" with a name in between, which is
/// safe only where the status says "not found".
pub(super) fn is_model_unknown(facts: &Facts, loosely: bool) -> bool {
    let said = || {
        let text = &facts.haystack;
        ["model", "deployment"].iter().any(|noun| text.contains(noun))
            && [
                "not found",
                "not exist",
                "unknown",
                "not supported",
                "no access",
                "not available",
                "have access",
            ]
            .iter()
            .any(|verb| text.contains(verb))
    };
    has(facts, MODEL_CODES, MODEL_PHRASES) || (loosely && said())
}
