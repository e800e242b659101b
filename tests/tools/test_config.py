"""The configuration that the SDK suites run against."""

# What the simulator calls its models, and which of them the suites ask for by the same name.
PLAIN_MODELS = (
    "practice",
    "practice-reason",
    "text-embedding-3-small",
    "omni-moderation-latest",
    "gpt-image-1",
    "tts-1",
    "whisper-1",
)

# A test that makes an upstream fail leaves marks (a rested key, a resting target), so each takes its own.
SPARES = 64

APPS = {
    "suite": {},
    "narrow": {"models": ["practice"]},
    "three-a-minute": {"limits": {"rpm": 3}},
    "sixty-a-minute": {"limits": {"rpm": 60}},
    "few-tokens": {"limits": {"tpm": 40}},
    "one-at-a-time": {"limits": {"concurrency": 1}},
}


def app_key(name):
    """The key of an app: the tests own it, so it need not be secret."""
    return f"wh-tests-{name}-0123456789abcdef"


def provider(url, key):
    return {"kind": "openai-compatible", "base_url": url, "keys": [key]}


def build(gateway_port, admin_port, steady_url, faulty_url, refusing_port, llama_url):
    """The whole file, as data. JSON is YAML, so it can be written as JSON."""
    refusing_url = f"http://127.0.0.1:{refusing_port}/v1"
    providers = {
        "steady": provider(f"{steady_url}/v1", "sk-steady"),
        "llama": provider(f"{llama_url}/v1", "sk-llama"),
        # The same simulator, asked in other dialects.
        "steady-anthropic": {"kind": "anthropic", "base_url": steady_url, "keys": ["sk-steady"]},
        "steady-gemini": {"kind": "gemini", "base_url": steady_url, "keys": ["sk-steady"]},
        "steady-bedrock": {"kind": "bedrock", "base_url": steady_url, "keys": ["sk-steady"]},
        "steady-cohere": {"kind": "cohere", "base_url": steady_url, "keys": ["sk-steady"]},
        "steady-ollama": {"kind": "ollama-native", "base_url": steady_url, "keys": ["sk-steady"]},
        # And without the Responses API.
        "steady-chat": provider(f"{steady_url}/v1", "sk-steady") | {"responses": False},
    }
    models = {name: {"targets": [{"provider": "steady", "model": name}]} for name in PLAIN_MODELS}
    for dialect in ("anthropic", "gemini", "bedrock", "cohere", "ollama", "chat"):
        models[f"at-{dialect}"] = {"targets": [{"provider": f"steady-{dialect}", "model": "practice"}]}
        thinks = [{"provider": f"steady-{dialect}", "model": "practice-reason"}]
        models[f"thinks-at-{dialect}"] = {"targets": thinks}
    for dialect in ("gemini", "cohere", "ollama"):
        embedder = {"provider": f"steady-{dialect}", "model": "text-embedding-3-small"}
        models[f"vectors-at-{dialect}"] = {"targets": [embedder]}
    lacks = [{"provider": "steady-anthropic", "model": "practice"}]
    models["at-anthropic-without-tools"] = {"targets": lacks, "drop_unsupported": ["web_search"]}
    models["renamed"] = {"targets": [{"provider": "steady", "model": "practice"}]}
    models["tiny"] = {"targets": [{"provider": "llama", "model": "tiny"}]}
    for number in range(SPARES):
        fault, down, slow = f"fault-{number}", f"down-{number}", f"slow-{number}"
        providers[fault] = provider(f"{faulty_url}/v1", f"sk-fault-{number}")
        providers[down] = provider(refusing_url, f"sk-down-{number}")
        only_fault = [{"provider": fault, "model": "practice"}]
        models[fault] = {"targets": only_fault}
        models[slow] = {
            "targets": only_fault,
            "timeouts": {"deadline": "1500ms", "first_token": "1500ms"},
        }
        models[down] = {"targets": [{"provider": down, "model": "practice"}]}
        models[f"rescue-{number}"] = {
            "targets": [
                {"provider": down, "model": "practice"},
                {"provider": "steady", "model": "practice", "tier": 1},
            ]
        }
    return {
        "version": 1,
        "listen": {"gateway": f"127.0.0.1:{gateway_port}", "admin": f"127.0.0.1:{admin_port}"},
        "server": {"drain_min": "0s", "drain_max": "1s"},
        "providers": providers,
        "models": models,
        "apps": {name: {"keys": [app_key(name)]} | settings for name, settings in APPS.items()},
    }
