"""Pictures in the prompt."""

import base64
import struct
import zlib

from shared import MODEL


def png(width, height):
    """A grey picture of the given size, as a data URL."""

    def part(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = b"".join(b"\0" + b"\x80" * width for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", zlib.compress(rows, 0)) + part(b"IEND", b"")
    return "data:image/png;base64," + base64.b64encode(data).decode()


def ask(client, *images):
    parts = [{"type": "image_url", "image_url": {"url": url, "detail": "low"}} for url in images]
    content = [{"type": "text", "text": "What is in the pictures?"}, *parts]
    return client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": content}])


def test_image_by_data_url(client):
    assert ask(client, png(16, 16)).choices[0].message.content


def test_images_count_as_input(client):
    one, three = ask(client, png(8, 8)), ask(client, png(8, 8), png(9, 9), png(10, 10))

    assert three.usage.prompt_tokens > one.usage.prompt_tokens


def test_large_image_arrives_whole(client, stack):
    """Two megabytes of base64 in one string go through as they are."""
    url = png(1200, 1200)
    answer = ask(client, url)

    assert len(url) > 1_900_000
    assert answer.choices[0].message.content
    newest = stack.upstream_requests()[-1]
    assert newest["body_bytes"] > len(url)


def test_image_with_responses(client):
    answer = client.responses.create(
        model=MODEL,
        input=[
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "What is this?"},
                    {"type": "input_image", "image_url": png(16, 16), "detail": "low"},
                ],
            }
        ],
    )

    assert answer.output_text
