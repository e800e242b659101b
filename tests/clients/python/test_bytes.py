"""What was written goes out as it was written: a gateway that prints JSON anew changes numbers and order."""

import urllib.request

import pytest

pytestmark = pytest.mark.gateway

AUTHORED = (
    b'{ "temperature" : 0.50,\n\t"big":12345678901234567890,"exp":1E2 , "model" : "renamed" ,'
    b'"user":"bytes-as-written", "escaped":"\\u00e9\\/", "messages":[{"content":"hi","role":"user"}],"z":1,"a":2 }'
)


def test_only_the_model_is_replaced(stack):
    request = urllib.request.Request(
        f"{stack.base_url}/chat/completions",
        AUTHORED,
        {"Content-Type": "application/json", "Authorization": f"Bearer {stack.key()}"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        assert response.status == 200

    seen = stack.upstream_request("bytes-as-written")
    assert seen["body"].encode() == AUTHORED.replace(b'"renamed"', b'"practice"')
