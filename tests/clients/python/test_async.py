"""The asynchronous client: the same promises, and many requests at once."""

import asyncio

import pytest
from openai import AsyncOpenAI, InternalServerError
from shared import MODEL, QUESTION, WEATHER, text_of
from stack import eventually
from test_abort import ENDLESS, wait_for_disconnect

pytestmark = pytest.mark.anyio


async def test_chat(async_client):
    answer = await async_client.chat.completions.create(model=MODEL, messages=QUESTION)

    assert answer.choices[0].message.content


async def test_stream(async_client):
    whole = await async_client.chat.completions.create(model=MODEL, messages=QUESTION)
    stream = await async_client.chat.completions.create(model=MODEL, messages=QUESTION, stream=True)
    chunks = [chunk async for chunk in stream]

    assert text_of(chunks) == whole.choices[0].message.content


async def test_tools(async_client):
    answer = await async_client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "Use the tool get_weather."}], tools=[WEATHER]
    )

    assert answer.choices[0].message.tool_calls[0].function.name == "get_weather"


async def test_responses(async_client):
    async with async_client.responses.stream(model=MODEL, input="What is a wellhead?") as stream:
        async for _ in stream:
            pass
        final = await stream.get_final_response()

    assert final.output_text


async def test_embeddings(async_client):
    answer = await async_client.embeddings.create(model="text-embedding-3-small", input=["a", "b"])

    assert len(answer.data) == 2


async def test_models(async_client):
    assert MODEL in [model.id async for model in async_client.models.list()]


async def test_fifty_streams_at_once(async_client):
    async def one(number):
        stream = await async_client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": f"Question {number}"}], stream=True
        )
        return text_of([chunk async for chunk in stream])

    texts = await asyncio.gather(*(one(number) for number in range(50)))
    assert all(texts)
    # Nobody got the answer to somebody else's question.
    again = await asyncio.gather(*(one(number) for number in range(50)))
    assert texts == again
    assert len(set(texts)) > 1


async def test_cancelling_a_task(async_client, stack):
    marker = "task-was-cancelled"
    started = asyncio.Event()

    async def listen():
        stream = await async_client.chat.completions.create(
            model=MODEL, messages=QUESTION, stream=True, user=marker, extra_headers=ENDLESS
        )
        async for _ in stream:
            started.set()

    task = asyncio.create_task(listen())
    await asyncio.wait_for(started.wait(), 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    wait_for_disconnect(stack, marker)


@pytest.mark.gateway
async def test_error(async_client, stack):
    with pytest.raises(InternalServerError) as caught:
        await async_client.chat.completions.create(model=stack.spare("down"), messages=QUESTION)

    assert caught.value.code == "no_healthy_upstream"
    assert caught.value.request_id


@pytest.mark.gateway
async def test_retries(stack):
    model = stack.spare("slow")
    stack.inject(model, "status:429,retry-after=2", times=1)
    async with AsyncOpenAI(base_url=stack.base_url, api_key=stack.key(), max_retries=2, timeout=30) as client:
        answer = await client.chat.completions.create(model=model, messages=QUESTION)

    assert answer.choices[0].message.content
    assert eventually(lambda: stack.gateway_requests(model) == 2, "two requests in the metrics")
