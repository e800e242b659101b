//! What an answer used, normalised over vendors.

/// Counts of one answer, in tokens where nothing else is said. Sub-counts are part of their total (the OpenAI convention; wire.md 1a).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Usage {
    /// Tokens read, cached ones included.
    pub input_tokens: u64,
    /// Tokens written, reasoning included.
    pub output_tokens: u64,
    /// Part of `input_tokens` that came from the vendor's prompt cache.
    pub cached_input_tokens: u64,
    /// Part of `output_tokens` spent on reasoning.
    pub reasoning_tokens: u64,
    /// Part of both totals that was audio.
    pub audio_tokens: u64,
    /// Part of `input_tokens` that was written to the vendor's prompt cache, for whatever time.
    #[serde(default)]
    pub cache_write_tokens: u64,
    /// Part of `cache_write_tokens` that was written for an hour, which costs more.
    #[serde(default)]
    pub cache_write_1h_tokens: u64,
    /// Part of `audio_tokens` that was written.
    #[serde(default)]
    pub audio_output_tokens: u64,
    /// Part of `cached_input_tokens` that was audio.
    #[serde(default)]
    pub cached_audio_tokens: u64,
    /// Part of `input_tokens` that was pictures, where the vendor tells them apart.
    #[serde(default)]
    pub image_input_tokens: u64,
    /// Part of `output_tokens` that was pictures.
    #[serde(default)]
    pub image_output_tokens: u64,
    /// Audio that was read, in milliseconds, where the vendor counts time.
    #[serde(default)]
    pub audio_ms: u64,
    /// Pictures that were made, where the vendor does not count them in tokens.
    #[serde(default)]
    pub images: u64,
    /// Searches, where the vendor counts them (rerank).
    #[serde(default)]
    pub searches: u64,
}

impl Usage {
    /// Everything that counts against a tokens-per-minute limit. Saturates instead of wrapping.
    pub const fn total(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }

    /// Whether nothing at all was counted.
    pub const fn is_nothing(&self) -> bool {
        self.total() == 0 && self.audio_ms == 0 && self.images == 0 && self.searches == 0
    }
}
