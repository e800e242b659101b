//! Who wrote an answer, as far as the configuration says.

/// A vendor, or a server that people run themselves, whose errors are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "names of vendors; `title` says them in full")]
pub enum Vendor {
    /// What everybody writes, and HTTP itself.
    Everyone,
    OpenAi,
    Azure,
    Anthropic,
    Google,
    Bedrock,
    Mistral,
    Cohere,
    Groq,
    Together,
    Fireworks,
    DeepSeek,
    Xai,
    Perplexity,
    OpenRouter,
    Cerebras,
    SambaNova,
    Nvidia,
    HuggingFace,
    Ollama,
    Vllm,
    SgLang,
    LlamaCpp,
    LmStudio,
    Qwen,
    Moonshot,
    Zhipu,
    Baidu,
    MiniMax,
    Volcengine,
    SiliconFlow,
    Xiaomi,
    Voyage,
    Jina,
    ElevenLabs,
    Deepgram,
    Replicate,
    Snowflake,
    GitHub,
    Databricks,
    Cloudflare,
    Novita,
    /// Gateways that people put in between: LiteLLM, one-api and their kin.
    Gateways,
}

/// Each vendor with its name for people and the provider kinds of the catalogue that it answers under.
pub(super) const VENDORS: [(Vendor, &str, &[&str]); 43] = [
    (Vendor::Everyone, "everybody", &[]),
    (Vendor::OpenAi, "OpenAI", &["openai"]),
    (Vendor::Azure, "Azure", &["azure-openai", "azure"]),
    (Vendor::Anthropic, "Anthropic", &["anthropic", "anthropic-openai"]),
    (Vendor::Google, "Gemini and Vertex AI", &["gemini", "gemini-openai", "vertex", "vertex-openai"]),
    (Vendor::Bedrock, "Amazon Bedrock", &["bedrock", "bedrock-openai"]),
    (Vendor::Mistral, "Mistral", &["mistral", "codestral"]),
    (Vendor::Cohere, "Cohere", &["cohere", "cohere-openai"]),
    (Vendor::Groq, "Groq", &["groq"]),
    (Vendor::Together, "Together", &["together"]),
    (Vendor::Fireworks, "Fireworks", &["fireworks"]),
    (Vendor::DeepSeek, "DeepSeek", &["deepseek"]),
    (Vendor::Xai, "xAI", &["xai"]),
    (Vendor::Perplexity, "Perplexity", &["perplexity"]),
    (Vendor::OpenRouter, "OpenRouter", &["openrouter"]),
    (Vendor::Cerebras, "Cerebras", &["cerebras"]),
    (Vendor::SambaNova, "SambaNova", &["sambanova"]),
    (Vendor::Nvidia, "NVIDIA NIM", &["nvidia"]),
    (Vendor::HuggingFace, "Hugging Face", &["huggingface"]),
    (Vendor::Ollama, "Ollama", &["ollama", "ollama-cloud", "ollama-native"]),
    (Vendor::Vllm, "vLLM", &["vllm"]),
    (Vendor::SgLang, "SGLang", &["sglang"]),
    (Vendor::LlamaCpp, "llama.cpp", &["llama-cpp", "llamafile"]),
    (Vendor::LmStudio, "LM Studio", &["lm-studio"]),
    (Vendor::Qwen, "Qwen DashScope", &["dashscope", "dashscope-cn"]),
    (Vendor::Moonshot, "Moonshot", &["moonshot", "moonshot-cn"]),
    (Vendor::Zhipu, "Zhipu and Z.ai", &["zhipu", "zai"]),
    (Vendor::Baidu, "Baidu Qianfan", &["qianfan"]),
    (Vendor::MiniMax, "MiniMax", &["minimax", "minimax-cn"]),
    (Vendor::Volcengine, "Volcengine Ark", &["volcengine"]),
    (Vendor::SiliconFlow, "SiliconFlow", &["siliconflow", "siliconflow-cn"]),
    (Vendor::Xiaomi, "Xiaomi MiMo", &["xiaomi"]),
    (Vendor::Voyage, "Voyage", &["voyage"]),
    (Vendor::Jina, "Jina", &["jina"]),
    (Vendor::ElevenLabs, "ElevenLabs", &["elevenlabs"]),
    (Vendor::Deepgram, "Deepgram", &["deepgram"]),
    (Vendor::Replicate, "Replicate", &["replicate"]),
    (Vendor::Snowflake, "Snowflake Cortex", &["snowflake"]),
    (Vendor::GitHub, "GitHub Models", &["github-models"]),
    (Vendor::Databricks, "Databricks", &["databricks"]),
    (Vendor::Cloudflare, "Cloudflare", &["cloudflare"]),
    (Vendor::Novita, "Novita", &["novita"]),
    (Vendor::Gateways, "LiteLLM, one-api and the like", &[]),
];

impl Vendor {
    /// The vendor behind a provider kind of the catalogue. `None` where the kind says nothing of who answers
    /// (`openai-compatible`), and for vendors of whom nothing special is known: what anybody writes is looked for then.
    pub fn of_kind(kind: &str) -> Option<Self> {
        VENDORS.iter().find(|(_, _, kinds)| kinds.contains(&kind)).map(|(vendor, ..)| *vendor)
    }

    /// The name for people.
    pub fn title(self) -> &'static str {
        VENDORS.iter().find(|(vendor, ..)| *vendor == self).map_or("", |(_, title, _)| *title)
    }
}
