"""The rows: how each gateway is started for each measurement, and how it is asked whether it works."""

import http.client
import json
import os
import pwd
import shutil
import time
from dataclasses import dataclass

from .procs import Proc, free_port
from .settings import CLIENT_KEY, CONF, REPO, BenchError
from .upstreams import fill

CHAT_PATH = "/v1/chat/completions"


@dataclass
class Running:
    """A gateway that listens."""

    proc: Proc
    port: int
    admin_port: int | None
    command: list

    @property
    def url(self):
        """Where chat requests go."""
        return self.at(CHAT_PATH)

    def at(self, path):
        """Where requests of other dialects go."""
        return f"http://127.0.0.1:{self.port}{path}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.proc.stop()


@dataclass
class Shape:
    """What a measurement wants of a gateway beyond relaying."""

    first: int
    second: int | None = None
    streaming: bool = False
    connections: int = 1024
    single_process: bool = False
    wrapper: tuple = ()


class Gateway:
    """One row of the tables."""

    key = ""
    title = ""
    # The measurements that make sense for it.
    parts = ("json", "stream", "translated", "startup", "idle", "uploads", "stopped", "failover", "instructions")

    def missing(self, settings):
        """Why it cannot take part, or None."""
        return None

    def launch(self, settings, work, shape):
        """(argv, environment, port, admin port)"""
        raise NotImplementedError

    def start(self, settings, shape, wait=True, seconds_max=20.0):
        """Starts it with a fresh working directory; `wait=False` leaves the waiting to the caller."""
        work = settings.work / f"{self.key}-{free_port()}"
        work.mkdir(mode=0o755)
        argv, env, port, admin_port = self.launch(settings, work, shape)
        command = [*shape.wrapper, *argv]
        proc = Proc(settings, self.key, command, settings.gateway_core, env=env)
        running = Running(proc, port, admin_port, command)
        if wait:
            try:
                proc.wait_port(port, seconds_max)
                self.ready(running, seconds_max)
            except BaseException:
                proc.stop()
                raise
        return running

    def ready(self, running, seconds_max):
        """Returns when it serves; listening is enough for most."""


class Nginx(Gateway):
    """The yardstick."""

    key = "nginx"
    title = "nginx"

    def missing(self, settings):
        return None if shutil.which("nginx") else "nginx is not installed (apt-get install nginx)"

    def launch(self, settings, work, shape):
        port = free_port()
        values = {
            # Workers of a root master would otherwise run as a user who cannot reach the working directory.
            "USER": f"user {pwd.getpwuid(os.geteuid()).pw_name};" if os.geteuid() == 0 else "",
            "MASTER": "off" if shape.single_process else "on",
            "NOFILE": settings.nofile, "WORK": work, "PORT": port, "FIRST": shape.first,
            "CONNECTIONS": shape.connections, "BUFFERING": "off" if shape.streaming else "on",
            "FIRST_OPTIONS": "max_fails=1 fail_timeout=600s" if shape.second else "",
            "SECOND": f"server 127.0.0.1:{shape.second} backup;" if shape.second else "",
        }
        conf = fill("nginx-gateway.conf", work / "nginx.conf", values)
        return ["nginx", "-p", work, "-e", work / "nginx-error.log", "-c", conf], {}, port, None


class HaproxyHttp(Gateway):
    """HAProxy as an HTTP proxy."""

    key = "haproxy"
    title = "HAProxy, HTTP mode"
    template = "haproxy-http.cfg"

    def missing(self, settings):
        return None if shutil.which("haproxy") else "haproxy is not installed (apt-get install haproxy)"

    def launch(self, settings, work, shape):
        port = free_port()
        check = "check inter 200ms fall 1"
        values = {
            "PORT": port, "FIRST": shape.first, "FIRST_OPTIONS": check if shape.second else "",
            "SECOND": f"server second 127.0.0.1:{shape.second} backup {check}" if shape.second else "",
            # Without it HAProxy holds back small pieces of a stream to fill packets: cheaper, but late by 50 ms.
            "NO_DELAY": "option http-no-delay" if shape.streaming else "",
        }
        conf = fill(self.template, work / "haproxy.cfg", values)
        return ["haproxy", "-db", "-f", conf], {}, port, None


class HaproxyTcp(HaproxyHttp):
    """HAProxy moving bytes."""

    key = "haproxy-tcp"
    title = "HAProxy, TCP mode (the floor)"
    template = "haproxy-tcp.cfg"
    parts = ("json",)


class Wellhead(Gateway):
    """The product, with everything on."""

    key = "wellhead"
    title = "**Wellhead**, AI chat relay, everything on"

    def missing(self, settings):
        if settings.wellhead:
            return None
        return "left out (--without-wellhead)"

    def launch(self, settings, work, shape):
        port, admin_port = free_port(), free_port()
        env = {
            "BENCH_GATEWAY_PORT": str(port), "BENCH_ADMIN_PORT": str(admin_port),
            "BENCH_FIRST_PORT": str(shape.first), "BENCH_SECOND_PORT": str(shape.second or shape.first),
            "BENCH_ACCESS_LOG": str(work / "access.log"),
        }
        argv = [settings.wellhead, "serve", "--config", CONF / "wellhead.yaml", "--data-dir", work / "data"]
        return argv, env, port, admin_port

    def ready(self, running, seconds_max):
        end = time.monotonic() + seconds_max
        while get_status(running.admin_port, "/readyz") != 200:
            if time.monotonic() > end:
                raise running.proc.complain("/readyz did not answer 200")
            time.sleep(0.005)


class Litellm(Gateway):
    """LiteLLM's proxy; JSON only, because its cost hides everything else."""

    key = "litellm"
    title = "LiteLLM proxy"
    parts = ("json",)

    def missing(self, settings):
        return None if settings.litellm else "not asked for (--with-litellm)"

    def launch(self, settings, work, shape):
        port = free_port()
        conf = fill("litellm.yaml", work / "litellm.yaml", {"FIRST": shape.first})
        argv = [settings.litellm, "--config", conf, "--host", "127.0.0.1", "--port", port, "--num_workers", "1"]
        return argv, {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}, port, None

    def start(self, settings, shape, wait=True, seconds_max=120.0):
        return super().start(settings, shape, wait, seconds_max)


ALL = (HaproxyTcp(), HaproxyHttp(), Nginx(), Wellhead(), Litellm())


def get_status(port, path):
    """The status of a GET, or None when nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()


def post_chat(port, body_name="chat-request.json"):
    """(status, body) of one chat request, or (None, why) when nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {CLIENT_KEY}"}
    try:
        connection.request("POST", CHAT_PATH, body=(CONF / body_name).read_bytes(), headers=headers)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException) as why:
        return None, str(why).encode()
    finally:
        connection.close()


def probe(running, body_name="chat-request.json"):
    """One request must yield the upstream's own text before anything is measured: no number for a broken answer."""
    status, body = post_chat(running.port, body_name)
    expected = json.loads((CONF / "chat-answer.json").read_text())["choices"][0]["message"]["content"]
    try:
        content = json.loads(body)["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError):
        content = None
    if status != 200 or content != expected:
        raise BenchError(f"{running.proc.name}: answered {status} {body[:200]!r} instead of the upstream's answer")


def relative(path):
    """A path for people: from the top of the repository where it lies inside."""
    return path.relative_to(REPO) if path.is_relative_to(REPO) else path
