"""The list of models, filtered by key."""

import pytest
from openai import NotFoundError
from shared import MODEL


def test_list(client):
    models = client.models.list()

    assert models.object == "list"
    assert MODEL in [model.id for model in models]
    for model in models:
        assert model.object == "model"
        assert isinstance(model.created, int)
        assert model.owned_by


def test_retrieve(client):
    assert client.models.retrieve(MODEL).id == MODEL


@pytest.mark.gateway
def test_an_app_sees_only_its_models(connect):
    assert [model.id for model in connect("narrow").models.list()] == [MODEL]


@pytest.mark.gateway
def test_retrieve_of_an_unknown_model(client):
    with pytest.raises(NotFoundError) as caught:
        client.models.retrieve("no-such-model")

    assert caught.value.code == "model_not_found"


@pytest.mark.gateway
def test_a_hidden_model_is_not_shown(connect):
    with pytest.raises(NotFoundError) as caught:
        connect("narrow").models.retrieve("renamed")

    assert caught.value.code == "model_not_found"
