"""Doors in front of model servers: each lets requests and answers through, until it misbehaves as it was told.

A door has a port of its own, so that to the gateway each is another endpoint. It keeps the requests that came in.
"""

import asyncio
import fcntl
import json
import socket
import struct
import termios
import threading
from dataclasses import dataclass, field
from urllib.parse import urlsplit

# Longest wait for anything that a server or a client should do at once.
STEP_SECONDS_MAX = 30
# Longest request or answer head, and longest event.
LINE_BYTES_MAX = 1024 * 1024
REFUSAL = "prefill not supported by this server"


@dataclass
class Door:
    """How one door behaves. `events` or `bytes`: how much of an answer's body passes before it ends by `end`."""

    upstream: str
    events: int | None = None
    bytes: int | None = None
    # close: the connection, without the body's own end. reset: the same, with RST. stall: silence.
    # clean: the body has its own end, but its last events are missing.
    end: str = "close"
    # Answers 400 to a request that ends in an assistant's message.
    refuses_prefill: bool = False
    # Changes a request before it goes on.
    rewrite: object = None
    requests: list = field(default_factory=list)
    url: str = ""


class Broken(Exception):
    """The answer ends here, as the door was told."""


class Cutter:
    """Opens doors; they close together at the end of the `with` block."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.servers = []
        # The loop itself does not hold on to tasks.
        self.tasks = set()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.run(self.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(STEP_SECONDS_MAX)
        self.loop.close()

    def run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(STEP_SECONDS_MAX)

    def open(self, door):
        """Gives the door an address, without a path."""
        door.url = self.run(self.listen(door))
        return door

    async def listen(self, door):
        async def serve(reader, writer):
            self.tasks.add(asyncio.current_task())
            try:
                await pass_through(door, reader, writer)
            except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                # The other side went away, or the test is over.
                pass
            finally:
                writer.close()
                self.tasks.discard(asyncio.current_task())

        server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=LINE_BYTES_MAX)
        self.servers.append(server)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def close(self):
        for server in self.servers:
            server.close()
        tasks = list(self.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def pass_through(door, reader, writer):
    """One request, one answer, one connection."""
    method, path, headers = await read_request_head(reader)
    body = await read_body(reader, headers)
    request = json.loads(body) if body else None
    door.requests.append(request)
    if door.refuses_prefill and request and ends_in_assistant(request):
        error = {"error": {"code": 400, "message": REFUSAL, "type": "invalid_request_error"}}
        await answer_at_once(writer, "400 Bad Request", json.dumps(error).encode())
        return
    if door.rewrite and request:
        body = json.dumps(door.rewrite(request)).encode()
    there = urlsplit(door.upstream)
    up_reader, up_writer = await asyncio.open_connection(there.hostname, there.port, limit=LINE_BYTES_MAX)
    try:
        head = f"{method} {path} HTTP/1.1\r\nHost: {there.netloc}\r\nConnection: close\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        up_writer.write(head.encode() + body)
        status, headers = await read_answer_head(up_reader)
        if headers.get("transfer-encoding", "").lower() == "chunked":
            await pass_stream(door, status, headers, up_reader, writer)
        else:
            await answer_at_once(writer, status, await read_body(up_reader, headers))
    finally:
        up_writer.close()


def ends_in_assistant(request):
    messages = request.get("messages") or [{}]
    return messages[-1].get("role") == "assistant"


async def pass_stream(door, status, headers, reader, writer):
    """Passes a streamed answer on, an event at a time and each in a chunk of its own."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {headers['content-type']}\r\n"
    writer.write(f"{head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n".encode())
    events = length = 0
    try:
        if door.events == 0 or door.bytes == 0:
            raise Broken
        source = Events(reader)
        while event := await source.next():
            if door.bytes is not None:
                event = event[: door.bytes - length]
            length += len(event)
            events += 1
            writer.write(b"%x\r\n%b\r\n" % (len(event), event))
            await writer.drain()
            if events == door.events or length == door.bytes:
                raise Broken
    except Broken:
        await end_badly(door.end, writer)
        return
    writer.write(b"0\r\n\r\n")
    await writer.drain()


async def end_badly(end, writer):
    if end == "stall":
        await asyncio.sleep(STEP_SECONDS_MAX)
    elif end == "clean":
        writer.write(b"0\r\n\r\n")
        await writer.drain()
    elif end == "reset":
        plain = writer.get_extra_info("socket")
        await acknowledged(plain)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()


async def acknowledged(plain):
    """Until the other side has all that was sent: a reset throws away what the kernel still holds (SIOCOUTQ, tcp(7))."""
    async with asyncio.timeout(STEP_SECONDS_MAX):
        while struct.unpack("i", fcntl.ioctl(plain.fileno(), termios.TIOCOUTQ, bytes(4)))[0]:
            await asyncio.sleep(0)


class Events:
    """The server-sent events of a chunked body, each with its blank line."""

    def __init__(self, reader):
        self.reader = reader
        self.rest = b""
        self.ended = False

    async def next(self):
        """The next event; at the end what is behind the last one, then nothing."""
        while (end := self.rest.find(b"\n\n")) < 0 and not self.ended:
            chunk = await read_chunk(self.reader)
            self.rest += chunk
            self.ended = not chunk
        end = end + 2 if end >= 0 else len(self.rest)
        event, self.rest = self.rest[:end], self.rest[end:]
        return event


async def read_chunk(reader):
    size = int((await reader.readline()).split(b";")[0], 16)
    return (await reader.readexactly(size + 2))[:-2]


async def read_head(reader):
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip().split("\r\n")
    pairs = (line.split(":", 1) for line in lines)
    return first, {name.strip().lower(): value.strip() for name, value in pairs}


async def read_request_head(reader):
    first, headers = await read_head(reader)
    method, path, _ = first.split(" ", 2)
    return method, path, headers


async def read_answer_head(reader):
    first, headers = await read_head(reader)
    return first.split(" ", 1)[1], headers


async def read_body(reader, headers):
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return await reader.readexactly(int(headers.get("content-length", 0)))
    body = b""
    while chunk := await read_chunk(reader):
        body += chunk
    return body


async def answer_at_once(writer, status, body):
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    writer.write(f"{head}Connection: close\r\n\r\n".encode() + body)
    await writer.drain()
