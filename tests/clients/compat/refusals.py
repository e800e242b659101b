"""The cells that are refused: with 400 and the name of a parameter, because the target has no form for it."""

# (dialect of the client, target, scenario): the parameter that the refusal names.
REFUSED = {
    ("openai", "anthropic", "seed"): "seed",
    ("openai", "anthropic", "penalties"): "frequency_penalty",
    ("openai", "anthropic", "logit_bias"): "logit_bias",
    ("openai", "anthropic", "choices"): "n",
    ("genai", "anthropic", "seed"): "seed",
    ("genai", "anthropic", "penalties"): "frequency_penalty",
    ("genai", "anthropic", "choices"): "n",
    ("anthropic", "openai", "top_k"): "top_k",
    ("genai", "openai", "top_k"): "top_k",
} | {
    # Google has no switch that keeps a model from calling several tools at once, and no biases.
    (client, target, scenario): param
    for target in ("gemini", "vertex")
    for client, scenario, param in [
        ("openai", "one_at_a_time", "parallel_tool_calls"),
        ("anthropic", "one_at_a_time", "parallel_tool_calls"),
        ("responses", "one_at_a_time", "parallel_tool_calls"),
        ("openai", "logit_bias", "logit_bias"),
    ]
} | {
    # Converse has four numbers for how an answer is drawn, and gives one answer.
    (client, "bedrock", scenario): param
    for client, scenario, param in [
        ("openai", "seed", "seed"),
        ("openai", "penalties", "frequency_penalty"),
        ("openai", "logit_bias", "logit_bias"),
        ("openai", "choices", "n"),
        ("genai", "seed", "seed"),
        ("genai", "penalties", "frequency_penalty"),
        ("genai", "choices", "n"),
    ]
} | {
    # Cohere has no switch that keeps a model from calling several tools at once, no biases, and gives one answer.
    (client, "cohere", scenario): param
    for client, scenario, param in [
        ("openai", "one_at_a_time", "parallel_tool_calls"),
        ("anthropic", "one_at_a_time", "parallel_tool_calls"),
        ("responses", "one_at_a_time", "parallel_tool_calls"),
        ("openai", "logit_bias", "logit_bias"),
        ("openai", "choices", "n"),
        ("genai", "choices", "n"),
        # Documents are texts there.
        ("openai", "document", "messages[0].content[1]"),
        ("responses", "document", "messages[0].content[1]"),
        ("anthropic", "document", "messages[0].content[0]"),
        ("genai", "document", "messages[0].content[0]"),
    ]
} | {
    # Ollama's models choose by themselves whether they call tools, and how many. There are no biases either, no second
    # answer, and nothing but texts and images.
    (client, "ollama", scenario): param
    for client, scenario, param in [
        *((client, scenario, "tool_choice")
          for client in ("openai", "responses", "anthropic", "genai") for scenario in ("forced", "forced_any")),
        ("openai", "one_at_a_time", "parallel_tool_calls"),
        ("anthropic", "one_at_a_time", "parallel_tool_calls"),
        ("responses", "one_at_a_time", "parallel_tool_calls"),
        ("openai", "logit_bias", "logit_bias"),
        ("openai", "choices", "n"),
        ("genai", "choices", "n"),
        ("openai", "document", "messages[0].content[1]"),
        ("responses", "document", "messages[0].content[1]"),
        ("anthropic", "document", "messages[0].content[0]"),
        ("genai", "document", "messages[0].content[0]"),
    ]
}


def of(client, target, scenario):
    """The parameter that the refusal names; `None` where there is an answer."""
    return REFUSED.get((client.rpartition("-")[0], target, scenario))
