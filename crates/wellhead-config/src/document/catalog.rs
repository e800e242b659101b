//! `catalog:`.

use crate::section::section;
use crate::values::{CatalogName, Int, List, ListPrice, Named, Text};

section! {
    /// Facts about models that this gateway goes by instead of the built-in ones, or in addition to them.
    CatalogOverlay {
        /// Models by KIND/MODEL: the kind of their provider, and the vendor's name for them.
        May models: Named<CatalogName, ModelFacts>,
    }
}

section! {
    /// Facts about one model. What is not written stays as the catalogue has it.
    ModelFacts {
        /// The model whose facts it has, prices included, where this file says nothing else: a name of the same kind, or
        /// KIND/MODEL. For deployments and fine-tuned models with names of their own.
        May like: Text,
        /// What it is asked for: chat, completion, embedding, rerank, image, video, speech, transcription, realtime, ocr
        /// or moderation.
        May mode: Text,
        /// Context window in tokens.
        May window: Int<1, 1_000_000_000>,
        /// Most tokens that it writes in one answer.
        May output_max: Int<1, 1_000_000_000>,
        /// What it costs. Replaces all prices of the catalogue for this model, so that two price lists never mix.
        May prices: ModelPrices,
        /// Prices of long requests, from the smallest size up; needs `prices`.
        May tiers: List<PriceTier, 1, 8>,
        /// What it can do: tools, vision, json-schema, reasoning, …
        May can: List<Text, 1, 64>,
        /// What it cannot do.
        May cannot: List<Text, 1, 64>,
        /// Day from which its vendor does not promise it any more: YYYY-MM-DD.
        May deprecated: Text,
    }
}

section! {
    /// Prices in US dollars: for a million tokens, and for one image, hour or request.
    ModelPrices {
        /// Tokens read.
        May input: ListPrice,
        /// Tokens written.
        May output: ListPrice,
        /// Tokens read from the vendor's prompt cache. Default: as input.
        May cache_read: ListPrice,
        /// Tokens written to the vendor's prompt cache. Default: as input.
        May cache_write: ListPrice,
        /// Tokens written to it for an hour. Default: as input where cache_write is not given, else unknown.
        May cache_write_1h: ListPrice,
        /// Tokens written while thinking. Default: as output.
        May reasoning: ListPrice,
        /// Tokens of audio read. Default: unknown.
        May audio_input: ListPrice,
        /// Tokens of audio written. Default: unknown.
        May audio_output: ListPrice,
        /// Tokens of audio read from the vendor's prompt cache. Default: as audio_input.
        May audio_cache_read: ListPrice,
        /// Tokens of images read. Default: as input.
        May image_input: ListPrice,
        /// Tokens of images written. Default: as output.
        May image_output: ListPrice,
        /// One image. Default: unknown.
        May image: ListPrice,
        /// One hour of audio or video. Default: unknown.
        May hour: ListPrice,
        /// One request. Default: nothing.
        May request: ListPrice,
    }
}

section! {
    /// Prices of requests above a size. They count for the whole request.
    PriceTier {
        /// Requests with more input tokens than this, cached ones included.
        Must above: Int<1, 1_000_000_000>,
        /// What differs from `prices`.
        Must prices: ModelPrices,
    }
}
