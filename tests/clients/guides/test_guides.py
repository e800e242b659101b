"""What stands on the pages of docs/guides runs, at targets that speak another dialect than the page's SDK."""

import json
import os
import subprocess
import urllib.request

import pytest
from conftest import TESTS, key
from snippets import LANGUAGES, program

# Page, language, family of the targets: the one that is farthest away.
PROGRAMS = [
    ("openai-sdk", "python", "anthropic"),
    ("openai-sdk", "js", "gemini"),
    ("anthropic-sdk", "python", "gemini"),
    ("anthropic-sdk", "js", "openai"),
    ("google-genai", "python", "openai"),
    ("google-genai", "js", "anthropic"),
    ("langchain", "python", "openai"),
    ("langchain", "python", "anthropic"),
    ("langchain", "python", "gemini"),
    ("vercel-ai-sdk", "js", "openai"),
    ("vercel-ai-sdk", "js", "anthropic"),
    ("vercel-ai-sdk", "js", "gemini"),
]
PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages", "gemini": "/v1beta/models/"}
# Installed by the runner before this suite.
PYTHON = TESTS / ".work" / "guides-venv" / "bin" / "python"
SECONDS_MAX = 90
# Nobody listens there: a program that calls out fails.
NOWHERE = "http://127.0.0.1:9"


def environment(url, family):
    """What a program sees: nothing of the person who tests, and no way out of this machine."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    proxies = {name: NOWHERE for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")}
    quiet = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "LANGSMITH_TRACING": "false"}
    return kept | proxies | quiet | {"WELLHEAD_URL": url, "WELLHEAD_KEY": key(family)}


def requests(sim):
    with urllib.request.urlopen(f"{sim}/_sim/requests", timeout=10) as response:
        return json.load(response)["requests"]


@pytest.mark.parametrize(("page", "language", "family"), PROGRAMS)
def test_the_program_of_a_page(gateways, tmp_path, page, language, family):
    # Node looks for packages from where the file is.
    directory = TESTS / "clients" / "node" / "compat" if language == "js" else tmp_path
    path = directory / f".{page}-{family}-{os.getpid()}.{LANGUAGES[language]}"
    path.write_text(program(page, language))
    before = len(requests(gateways["sim"]))
    try:
        command = [PYTHON if language == "python" else "node", path]
        result = subprocess.run(
            command, env=environment(gateways[family], family), capture_output=True, text=True, timeout=SECONDS_MAX
        )
    finally:
        path.unlink()
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-4000:]
    assert "practice provider" in result.stdout
    seen = requests(gateways["sim"])[before:]
    assert seen and all(entry["path"].startswith(PATHS[family]) for entry in seen)
    # Where a page shows a tool, its result got as far as the target.
    if "get_weather" in program(page, language):
        assert any("Rain in" in entry["body"] for entry in seen)
