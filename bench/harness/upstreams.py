"""The upstreams behind the gateways: nginx with a canned answer, and `load upstream` for everything that streams."""

import json
import subprocess

from .procs import Proc, free_port
from .settings import CONF, BenchError


def fill(template, out, values):
    """Writes a configuration from its template; a placeholder without a value is an error, not an empty string."""
    text = (CONF / template).read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    left = [word for word in text.split("@")[1::2] if word.isupper() and " " not in word]
    if left:
        raise BenchError(f"bench/conf/{template}: no value for {', '.join(sorted(set(left)))}")
    out.write_text(text)
    return out


def canned(settings, port=None):
    """nginx that answers every POST with the 900-byte completion. Returns (process, port)."""
    port = port or free_port()
    work = settings.work / f"upstream-{port}"
    work.mkdir(exist_ok=True)
    answer = (CONF / "chat-answer.json").read_text()
    if "'" in answer or "$" in answer:
        raise BenchError("bench/conf/chat-answer.json: a quote or a dollar sign would mean something to nginx")
    values = {"NOFILE": settings.nofile, "WORK": work, "PORT": port, "ANSWER": answer}
    conf = fill("nginx-upstream.conf", work / "nginx.conf", values)
    argv = ["nginx", "-p", work, "-e", work / "nginx-error.log", "-c", conf]
    proc = Proc(settings, "upstream", argv, settings.load_core)
    proc.wait_port(port)
    return proc, port


def behaving(settings, behaviour, *options):
    """`load upstream` with one behaviour. Returns (process, port)."""
    argv = [settings.load, "upstream", "--port", "0", "--behaviour", behaviour, *map(str, options)]
    proc = Proc(settings, f"upstream-{behaviour}", argv, settings.load_core, stdout=subprocess.PIPE)
    line = proc.child.stdout.readline()
    if not line:
        raise proc.complain("did not start")
    return proc, int(json.loads(line)["ready"].rpartition(":")[2])
