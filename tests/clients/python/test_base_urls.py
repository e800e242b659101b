"""Every way in which people write the base URL works."""

import pytest
from shared import MODEL, QUESTION

pytestmark = pytest.mark.gateway


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/", "//v1", "/v1//", "/v1/v1", "/v1/v1/"])
def test_base_url(connect, stack, path):
    client = connect(base_url=stack.gateway_url + path)

    assert client.chat.completions.create(model=MODEL, messages=QUESTION).choices[0].message.content
    assert client.models.retrieve(MODEL).id == MODEL
