//! The files that the binary carries. `catalog/models/KIND.csv` lists the models of the provider kind of that name.

/// A list of models: the name of its kind, and the file's content.
pub(super) type List = (&'static str, &'static str);

macro_rules! lists {
    ($($kind:literal)*) => {
        /// All lists, sorted by name.
        pub(super) const LISTS: &[List] =
            &[$(($kind, include_str!(concat!("../../../../catalog/models/", $kind, ".csv")))),*];
    };
}

lists! {
    "ai21"
    "anthropic"
    "assemblyai"
    "azure-openai"
    "baseten"
    "bedrock"
    "bedrock-openai"
    "cerebras"
    "chutes"
    "cloudflare"
    "cohere"
    "dashscope"
    "dashscope-cn"
    "databricks"
    "deepinfra"
    "deepseek"
    "fireworks"
    "friendli"
    "gemini"
    "github-models"
    "groq"
    "huggingface"
    "inception"
    "jina"
    "lm-studio"
    "meta-llama"
    "minimax"
    "mistral"
    "moonshot"
    "nebius"
    "novita"
    "nvidia"
    "ollama"
    "ollama-cloud"
    "openai"
    "openrouter"
    "ovhcloud"
    "perplexity"
    "sambanova"
    "scaleway"
    "siliconflow"
    "snowflake"
    "stepfun"
    "together"
    "upstage"
    "vercel"
    "vertex"
    "volcengine"
    "voyage"
    "wandb"
    "xai"
    "xiaomi"
    "zai"
    "zhipu"
}
