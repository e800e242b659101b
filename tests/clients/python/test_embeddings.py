"""Embeddings: the SDK asks for base64 unless it is told otherwise, and decodes it itself."""

import base64
import math
import struct

import pytest

MODEL = "text-embedding-3-small"


def test_default_encoding(client):
    answer = client.embeddings.create(model=MODEL, input="a spring of water")

    (vector,) = [item.embedding for item in answer.data]
    assert all(isinstance(value, float) for value in vector)
    assert math.isclose(sum(value * value for value in vector), 1.0, rel_tol=1e-3)
    assert answer.usage.prompt_tokens > 0


def test_float_and_base64_agree(client):
    plain = client.embeddings.create(model=MODEL, input="a spring of water", encoding_format="float")
    coded = client.embeddings.create(model=MODEL, input="a spring of water", encoding_format="base64")

    raw = base64.b64decode(coded.data[0].embedding)
    decoded = struct.unpack(f"<{len(raw) // 4}f", raw)
    assert plain.data[0].embedding == pytest.approx(decoded, abs=1e-6)


def test_batch_keeps_its_order(client):
    inputs = ["one", "two", "three", "one"]
    answer = client.embeddings.create(model=MODEL, input=inputs)

    assert [item.index for item in answer.data] == [0, 1, 2, 3]
    vectors = [item.embedding for item in answer.data]
    assert vectors[0] == vectors[3]
    assert vectors[0] != vectors[1]


@pytest.mark.parametrize("vendor", ["gemini", "cohere", "ollama"])
@pytest.mark.gateway
def test_other_vendors_give_the_same_vectors(client, vendor):
    inputs = ["a spring of water", "two"]
    there = client.embeddings.create(model=f"vectors-at-{vendor}", input=inputs)
    here = client.embeddings.create(model=MODEL, input=inputs)

    # Single precision at the vendor, the same here.
    assert [item.embedding for item in there.data] == [item.embedding for item in here.data]
    assert there.usage == here.usage


def test_dimensions(client):
    answer = client.embeddings.create(model=MODEL, input="short", dimensions=64)

    assert len(answer.data[0].embedding) == 64
