"""The axes of the compatibility table, and what its cells are configured with.

To add a target: a row in TARGETS and a reader of its requests in `readers/`. To add a client: a
row in CLIENTS and a driver. Nothing here needs a package, because the servers are configured from it too.
"""

from dataclasses import dataclass

# The client's column: SDK, and which of its dialects.
CLIENTS = {
    "openai-python": "OpenAI Python, chat completions",
    "openai-node": "OpenAI Node, chat completions",
    "responses-python": "OpenAI Python, Responses",
    "responses-node": "OpenAI Node, Responses",
    "anthropic-python": "Anthropic Python",
    "anthropic-node": "Anthropic Node",
    "genai-python": "google-genai Python",
    "genai-node": "google-genai Node",
}


@dataclass(frozen=True)
class Target:
    """A family of targets: how it is configured, and where its requests arrive."""

    title: str
    kind: str
    # What follows the simulator's address in `base_url`.
    base: str
    # How the requests of this family are read: names in `readers`.
    readers: tuple
    # The header that the key stands in, and what stands before it.
    key: tuple = ("authorization", "Bearer ")
    # Whether its usage says how many of the tokens were thoughts.
    counts_thoughts: bool = True


TARGETS = {
    "openai": Target("OpenAI", "openai", "/v1", ("openai_chat", "openai_responses")),
    "anthropic": Target("Anthropic Messages", "anthropic", "", ("anthropic",), ("x-api-key", "")),
    "gemini": Target("Gemini", "gemini", "", ("gemini",), ("x-goog-api-key", "")),
    "vertex": Target("Vertex AI", "vertex", "/v1/projects/p/locations/l", ("gemini",)),
    "bedrock": Target("Amazon Bedrock (a Claude model)", "bedrock", "", ("bedrock",), counts_thoughts=False),
    "cohere": Target("Cohere", "cohere", "", ("cohere",), counts_thoughts=False),
    "ollama": Target("Ollama", "ollama-native", "", ("ollama",), counts_thoughts=False),
}

# Scenario, as the page names it.
SCENARIOS = {
    "text": "text",
    "stream": "stream",
    "system": "system prompt",
    "turns": "several turns",
    "tool": "one tool",
    "tool_stream": "one tool, streamed",
    "tools": "parallel tools",
    "tools_stream": "parallel tools, streamed",
    "results": "tool results",
    "forced": "forced tool",
    "forced_any": "any tool forced",
    "no_tools": "tools forbidden",
    "one_at_a_time": "one tool at a time",
    "schema": "JSON schema",
    "schema_stream": "JSON schema, streamed",
    "image": "image",
    "document": "PDF",
    "reasoning": "reasoning",
    "reasoning_stream": "reasoning, streamed",
    "reasoning_turns": "reasoning, second turn",
    "stop": "stop sequence",
    "max_tokens": "max tokens",
    "sampling": "temperature and top_p",
    "top_k": "top_k",
    "seed": "seed",
    "penalties": "penalties",
    "logit_bias": "logit bias",
    "choices": "two answers",
    "usage": "usage",
    "usage_stream": "usage, streamed",
    "abort": "abort",
    "bad_request": "error 400",
    "wrong_key": "error 401",
    "forbidden": "error 403",
    "unknown_model": "error 404",
    "unprocessable": "error 422",
    "rate_limit": "error 429",
    "server_error": "error 500",
    "overloaded": "error 529",
    "upstream_key": "the target's key is rejected",
    "broken_stream": "error in a stream",
}

# Each of these makes a target misbehave, which leaves marks: every cell has a provider of its own. What follows the plus
# in the name of a model is a fault of the simulator.
FAULTS = {
    "bad_request": "practice+status-400",
    "unprocessable": "practice+status-422",
    "rate_limit": "practice+status-429",
    "server_error": "practice+status-500",
    "overloaded": "practice+status-529",
    "upstream_key": "practice+status-401",
    "broken_stream": "practice+cut-after-5",
    "abort": "practice+tokens-2000+slow-tokens-5",
}

# What the models of a target are called there. Only one with `reason` in its name thinks; how it is asked to is in the name
# as well. Bedrock has models of many vendors, and some of what can be asked there depends on whose it is.
MODELS = {
    "plain": {"bedrock": "practice-claude-sonnet-4-5"},
    "reason": {"anthropic": "practice-reason-claude-sonnet-5-5", "gemini": "practice-reason-gemini-3-pro",
               "vertex": "practice-reason-gemini-3-pro", "bedrock": "practice-reason-claude-sonnet-5-5",
               "*": "practice-reason"},
}


def model_at(target, name):
    """What a target calls its model."""
    return MODELS[name].get(target) or MODELS[name].get("*") or "practice"


def model(client, target, scenario):
    """The name that the gateway knows the model of a cell by."""
    if scenario == "unknown_model":
        return f"nobody-at-{target}"
    if scenario in FAULTS:
        return f"{target}-{scenario}-{client}"
    return f"{target}-reason" if scenario.startswith("reasoning") else f"{target}-plain"


def cells():
    """Every cell as (client, target, scenario)."""
    return [(client, target, scenario) for client in CLIENTS for target in TARGETS for scenario in SCENARIOS]
