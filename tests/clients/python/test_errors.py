"""What an application sees when an answer is not possible: the right class, status, code, and a way on."""

from pathlib import Path

import pytest
from openai import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    InternalServerError,
    NotFoundError,
    RateLimitError,
)
from shared import MODEL, QUESTION, fault

pytestmark = pytest.mark.gateway

PROJECT = Path(__file__).resolve().parents[3]


def failing(client, expected, **request):
    """The error that a chat completion raises."""
    with pytest.raises(expected) as caught:
        client.chat.completions.create(**({"model": MODEL, "messages": QUESTION} | request))
    error = caught.value
    # The four members that the OpenAI specification demands, and what Wellhead adds to every error.
    assert {"message", "type", "param", "code", "source", "request_id"} <= set(error.body)
    assert error.request_id == error.body["request_id"]
    assert error.response.headers["content-type"].startswith("application/json")
    page, _, anchor = error.body["doc"].partition("#")
    assert anchor == error.code
    assert f"### {anchor}\n" in (PROJECT / page).read_text(), f"{anchor} has no section in {page}"
    return error


def test_wrong_key(connect, stack):
    error = failing(connect(api_key="wh-this-key-is-of-nobody-here"), AuthenticationError)

    assert error.code == "invalid_api_key"
    assert error.body["source"] == "client"
    assert "wh-this-key-is-of-nobody-here" not in error.response.text


def test_unknown_model_names_those_that_exist(connect):
    error = failing(connect("narrow"), NotFoundError, model="no-such-model")

    assert error.code == "model_not_found"
    assert error.param == "model"
    assert "no-such-model" in error.message
    assert MODEL in error.message


def test_a_model_of_other_apps_is_not_to_be_had(connect):
    """It looks like one that does not exist, so that names cannot be guessed."""
    error = failing(connect("narrow"), NotFoundError, model="renamed")

    assert error.code == "model_not_found"
    assert error.body["source"] == "client"


def test_missing_model(client):
    with pytest.raises(BadRequestError) as caught:
        client.post("/chat/completions", cast_to=object, body={"messages": QUESTION})

    assert caught.value.param == "model"


def test_broken_json(client):
    with pytest.raises(BadRequestError) as caught:
        client.post(
            "/chat/completions",
            cast_to=object,
            content=b'{"model": "practice", "messages": [',
            options={"headers": {"Content-Type": "application/json"}},
        )

    assert "JSON" in caught.value.message


def test_a_body_above_the_limit(client):
    request = [{"role": "user", "content": "x" * (33 << 20)}]
    error = failing(client, APIStatusError, messages=request)

    assert error.status_code == 413


def test_unknown_path_names_the_base_url(client, stack):
    with pytest.raises(NotFoundError) as caught:
        client.get("/no/such/thing", cast_to=object)

    assert "/v1" in caught.value.message


@pytest.mark.parametrize("ask", ["files", "batches"])
def test_paths_that_need_state_are_refused_by_name(client, ask):
    with pytest.raises(APIStatusError) as caught:
        getattr(client, ask).list()

    assert f"/v1/{ask}" in caught.value.message


def test_a_stored_response_is_refused_by_name(client):
    with pytest.raises(APIStatusError) as caught:
        client.responses.retrieve("resp_123")

    assert "responses" in caught.value.message


def test_the_upstreams_own_no_passes_through(client):
    """The request itself is at fault: every target would say the same, in its own words."""
    with pytest.raises(BadRequestError) as caught:
        client.chat.completions.create(model=MODEL, messages=QUESTION, extra_body={"messages": "not a list"})

    assert caught.value.type == "invalid_request_error"
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert caught.value.request_id


def test_the_upstreams_code_and_param_survive(client, stack):
    model = stack.spare("fault")
    said = {"message": "Too warm.", "type": "invalid_request_error", "param": "temperature", "code": "too_warm"}
    stack.inject(model, {"kind": "status", "code": 400, "body": {"error": said}})
    with pytest.raises(BadRequestError) as caught:
        client.chat.completions.create(model=model, messages=QUESTION, temperature=3)

    error = caught.value
    assert (error.code, error.param, error.type) == ("too_warm", "temperature", "invalid_request_error")
    assert "Too warm." in error.message


def test_nobody_listens(client, stack):
    model = stack.spare("down")
    error = failing(client, InternalServerError, model=model)

    assert error.status_code == 503
    assert error.code == "no_healthy_upstream"
    assert error.body["source"] == "provider"
    assert error.body["attempts"]
    for attempt in error.body["attempts"]:
        assert attempt["target"] == f"{model}/practice"
        assert attempt["outcome"] == "connection_refused"
        assert attempt["ms"] >= 0
    assert error.response.headers["proxy-status"].startswith("wellhead")
    assert error.response.headers["x-should-retry"] in ("true", "false")


def test_nothing_internal_leaks(client, stack):
    error = failing(client, InternalServerError, model=stack.spare("down"))

    told = error.response.text + str(dict(error.response.headers))
    assert "127.0.0.1" not in told
    assert "sk-" not in told


@pytest.mark.parametrize("how", ["status:500", "status:502", "status:529", "reset-before-headers", "refuse"])
def test_a_broken_upstream(client, stack, how):
    error = failing(client, InternalServerError, model=stack.spare("fault"), extra_headers=fault(how))

    assert (error.status_code, error.code) == (503, "no_healthy_upstream")
    assert error.body["attempts"]


@pytest.mark.parametrize("how", ["error-in-200", "wrong-content-type", "empty-body", "bad-json"])
@pytest.mark.parametrize("streamed", [False, True])
def test_a_failure_behind_status_200_is_a_failure(client, stack, how, streamed):
    error = failing(
        client, InternalServerError, model=stack.spare("fault"), stream=streamed, extra_headers=fault(how)
    )

    assert (error.status_code, error.code) == (503, "no_healthy_upstream")


def test_the_providers_limit(client, stack):
    model = stack.spare("fault")
    error = failing(client, RateLimitError, model=model, extra_headers=fault("status:429,retry-after=7"))

    assert error.code == "upstream_rate_limited"
    assert error.body["source"] == "provider"
    assert 1 <= int(error.response.headers["retry-after"]) <= 60
    assert error.response.headers["x-should-retry"] == "true"


def test_a_provider_that_rejects_its_key_is_not_the_applications_fault(client, stack):
    error = failing(client, InternalServerError, model=stack.spare("fault"), extra_headers=fault("status:401"))

    assert error.status_code == 503
    assert error.body["source"] in ("provider", "gateway")


@pytest.mark.parametrize("streamed", [False, True])
def test_a_silent_upstream_times_out(client, stack, streamed):
    error = failing(
        client, InternalServerError, model=stack.spare("slow"), stream=streamed, extra_headers=fault("silence")
    )

    assert (error.status_code, error.code) == (504, "upstream_timeout")
