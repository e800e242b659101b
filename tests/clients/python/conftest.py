"""Fixtures: clients as applications make them, and a view of the servers behind."""

import pytest
from openai import AsyncOpenAI, OpenAI
from stack import Stack


def pytest_collection_modifyitems(items):
    """Without a gateway there is nothing to ask about its promises."""
    if Stack.load().direct:
        for item in items:
            if item.get_closest_marker("gateway"):
                item.add_marker(pytest.mark.skip(reason="no gateway in this run"))


@pytest.fixture(scope="session")
def stack():
    return Stack.load()


@pytest.fixture
def connect(stack):
    """Makes clients; closes them at the end. Retries are off unless a test is about them."""
    opened = []

    def connect(app="suite", **options):
        settings = {"base_url": stack.base_url, "api_key": stack.key(app), "max_retries": 0, "timeout": 30} | options
        client = OpenAI(**settings)
        opened.append(client)
        return client

    yield connect
    for client in opened:
        client.close()


@pytest.fixture
def client(connect):
    return connect()


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
async def async_client(stack):
    async with AsyncOpenAI(base_url=stack.base_url, api_key=stack.key(), max_retries=0, timeout=30) as client:
        yield client
