"""A relay between clients and the gateway that writes down what goes over it, byte by byte, in both directions."""

import asyncio
import threading
from dataclasses import dataclass

import h11

READ_BYTES_MAX = 1 << 16


@dataclass
class Exchange:
    """One request and its answer as they stood on the wire; `body` is what had come when the connection ended."""

    method: str
    path: str
    asked: bytes
    status: int
    headers: dict
    body: bytes


class Tee:
    """Listens on a port of its own; `exchanges` reads what was recorded."""

    def __init__(self, port):
        self.target, self.recorded = port, []
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        started = asyncio.run_coroutine_threadsafe(asyncio.start_server(self.relay, "127.0.0.1", 0), self.loop)
        self.server = started.result(10)
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"

    async def relay(self, reader, writer):
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.target)
        asked, answered = bytearray(), bytearray()
        self.recorded.append((asked, answered))
        await asyncio.gather(pump(reader, up_writer, asked), pump(up_reader, writer, answered))

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    def exchanges(self):
        """Everything up to now, in the order of the connections."""
        return [exchange for asked, answered in self.recorded for exchange in parse(bytes(asked), bytes(answered))]


async def pump(reader, writer, copy):
    """One direction, until either side ends it: who leaves is seen by the other at once."""
    try:
        while data := await reader.read(READ_BYTES_MAX):
            copy += data
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


def messages(role, data, methods=None):
    """The messages that one side of a connection sent, as (head, body)."""
    connection = h11.Connection(role)
    # The other side of h11 is told what was asked, so that it knows where answers end.
    found = []
    while methods is None or len(found) < len(methods):
        if role is h11.CLIENT:
            head = h11.Request(method=methods[len(found)], target="/", headers=[("host", "x"), ("content-length", "0")])
            connection.send(head)
            connection.send(h11.EndOfMessage())
        head, body = None, b""
        if data is not None:
            connection.receive_data(data)
            data = None
        while True:
            event = connection.next_event()
            if event in (h11.NEED_DATA, h11.PAUSED):
                return found + ([(head, body)] if head else [])
            if isinstance(event, h11.EndOfMessage):
                found.append((head, body))
                break
            if isinstance(event, h11.ConnectionClosed):
                return found
            if isinstance(event, h11.Data):
                body += bytes(event.data)
            else:
                head = event
        if role is h11.SERVER:
            answer = h11.Response(status_code=200, headers=[("content-length", "0")])
            connection.send(answer)
            connection.send(h11.EndOfMessage())
        if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
            return found
        connection.start_next_cycle()
    return found


def parse(asked, answered):
    """The exchanges of one connection."""
    requests = messages(h11.SERVER, asked)
    answers = messages(h11.CLIENT, answered, [head.method.decode() for head, _ in requests])
    for (request, body), (answer, text) in zip(requests, answers):
        headers = {name.decode(): value.decode() for name, value in answer.headers}
        yield Exchange(request.method.decode(), request.target.decode(), body, answer.status_code, headers, text)
