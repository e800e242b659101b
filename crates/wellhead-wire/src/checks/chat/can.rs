//! What a dialect can express.

use crate::chat::{Dialect, ReasoningMode, StopKind};

macro_rules! abilities {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What a dialect can express. Start from [`Can::ALL`] or [`Can::NONE`] and name the differences.
        #[derive(Debug, Clone, Copy)]
        pub struct Can {
            /// Opaque data and citations are of this dialect.
            pub dialect: Dialect,
            /// The stop reasons that come back as themselves. `End` is needed, `ToolCalls` too where there are tools.
            pub stops: &'static [StopKind],
            /// Besides `Default`.
            pub reasoning_modes: &'static [ReasoningMode],
            $($(#[$doc])* pub $name: bool,)*
        }

        impl Can {
            const fn every(yes: bool) -> Self {
                Self { dialect: Dialect::Chat, stops: &[StopKind::End], reasoning_modes: &[], $($name: yes,)* }
            }
        }
    };
}

abilities! {
    // Restrictions: not part of `ALL`.
    /// Neighbours never have the same role.
    alternates,
    /// A request without `max_tokens` does not exist.
    always_limited,
    /// Streams always have usage.
    stream_usage_always,
    /// Opaque data is of any dialect and says where it came from.
    origins,

    // Messages.
    /// Instructions may stand anywhere, and there may be several. Without: one message of them, at the beginning.
    system_anywhere,
    /// Any instructions at all.
    system,
    developer,
    names,
    /// The conversation may end with the beginning of an answer.
    prefill,
    /// A user may speak right after results.
    user_after_results,
    empty_text,
    /// Several texts in a message of a request.
    text_parts,
    /// An assistant's reasoning, texts and calls come in any order. Without: in this order.
    free_order,
    /// Media stand between texts. Without: after them.
    media_anywhere,
    image_base64,
    image_url,
    image_file,
    image_detail,
    audio_base64,
    /// An assistant's earlier audio by its id.
    audio_ids,
    video_base64,
    video_url,
    document_base64,
    document_url,
    document_file,
    document_text,
    document_title,
    /// `context` and `citable`.
    document_notes,
    refusals,
    reasoning,
    /// Several of them in a turn.
    reasonings,
    /// Without proof.
    reasoning_unsigned,
    reasoning_opaque,
    /// Only `opaque`, no words.
    reasoning_hidden,
    redacted,
    summaries,
    reasoning_ids,
    text_opaque,
    call_opaque,

    // Tools.
    tools,
    parallel_calls,
    custom_tools,
    strict_tools,
    /// Without a schema.
    bare_tools,
    /// Beyond type, properties, required, items, enum, description.
    any_schema,
    /// Several texts in a result.
    result_parts,
    /// Images in a result.
    result_images,
    result_errors,
    /// Results always repeat the name.
    result_names,
    choice_auto,
    choice_none,
    choice_required,
    choice_tool,
    choice_allowed,
    /// `parallel_tool_calls`.
    parallel_flag,

    // Caches.
    /// On texts, images, documents.
    cache_parts,
    cache_calls,
    cache_results,
    cache_tools,
    cache_ttl,
    cache_all,
    cache_key,

    // The rest of a request.
    max_tokens,
    temperature,
    top_p,
    top_k,
    p_floor,
    penalties,
    repetition_penalty,
    seed,
    stop_texts,
    logit_bias,
    logprobs,
    candidates,
    format_text,
    json_object,
    json_schema,
    /// `name` (always there then) and `description`.
    schema_name,
    schema_strict,
    modalities,
    verbosity,
    effort,
    effort_none,
    budget,
    show_reasoning,
    /// Whether it streams is said in the body.
    stream,
    stream_usage,
    user,
    metadata,
    service_tier,

    // Answers.
    created,
    /// Which text ended it.
    stop_sequence,
    citations,
    /// Several texts in an answer.
    answer_texts,
    /// Neighbours of the same kind in an answer stay apart.
    adjacent,
    answer_images,
    answer_audio,
    usage_cached,
    usage_reasoning,
    usage_audio,
    /// Arguments of several calls come by turns.
    interleaves,
    pings,
}

impl Can {
    /// Everything.
    pub const ALL: Self = Self {
        stops: &[
            StopKind::End,
            StopKind::Length,
            StopKind::Sequence,
            StopKind::ToolCalls,
            StopKind::Refusal,
            StopKind::Filter,
            StopKind::Pause,
            StopKind::ContextWindow,
            StopKind::MalformedCall,
            StopKind::Other,
        ],
        reasoning_modes: &[
            ReasoningMode::Enabled,
            ReasoningMode::Adaptive,
            ReasoningMode::BetweenTools,
            ReasoningMode::Disabled,
        ],
        alternates: false,
        always_limited: false,
        stream_usage_always: false,
        origins: false,
        ..Self::every(true)
    };

    /// Users and assistants who say texts by turns.
    pub const NONE: Self = Self {
        alternates: true,
        always_limited: false,
        stream_usage_always: false,
        origins: false,
        ..Self::every(false)
    };
}
