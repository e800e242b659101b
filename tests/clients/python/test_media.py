"""Moderations, images and audio: JSON and multipart bodies are both routed by their `model`."""

import base64
import io
import wave

import pytest

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def sound(seconds=0.2):
    """A short silence as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(8000)
        writer.writeframes(b"\0\0" * int(8000 * seconds))
    file.seek(0)
    file.name = "silence.wav"
    return file


def picture(client):
    """A picture from the upstream, as bytes."""
    answer = client.images.generate(model="gpt-image-1", prompt="a spring", n=1, size="1024x1024")
    return base64.b64decode(answer.data[0].b64_json)


def test_moderation(client):
    answer = client.moderations.create(model="omni-moderation-latest", input=["hello", "goodbye"])

    assert len(answer.results) == 2
    assert isinstance(answer.results[0].flagged, bool)
    assert answer.results[0].category_scores.violence is not None


def test_image_generation(client):
    assert picture(client).startswith(PNG_SIGNATURE)


def test_image_edit(client):
    """Multipart with a file first and the model wherever the SDK puts it."""
    answer = client.images.edit(
        model="gpt-image-1", image=("spring.png", picture(client), "image/png"), prompt="add a bridge"
    )

    assert base64.b64decode(answer.data[0].b64_json).startswith(PNG_SIGNATURE)


def test_speech(client):
    answer = client.audio.speech.create(model="tts-1", voice="alloy", input="Good morning.", response_format="wav")

    with wave.open(io.BytesIO(answer.read())) as reader:
        assert reader.getnframes() > 0


def test_speech_streamed_to_a_file(client, tmp_path):
    path = tmp_path / "speech.wav"
    with client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="alloy", input="Good morning.", response_format="wav"
    ) as answer:
        answer.stream_to_file(path)

    with wave.open(str(path)) as reader:
        assert reader.getnframes() > 0


def test_transcription(client):
    assert client.audio.transcriptions.create(model="whisper-1", file=sound()).text


def test_transcription_as_plain_text(client):
    text = client.audio.transcriptions.create(model="whisper-1", file=sound(), response_format="text")

    assert isinstance(text, str) and text.strip()


def test_transcription_with_segments(client):
    answer = client.audio.transcriptions.create(
        model="whisper-1", file=sound(), response_format="verbose_json", timestamp_granularities=["segment"]
    )

    assert answer.duration is not None
    assert answer.segments


def test_translation(client):
    assert client.audio.translations.create(model="whisper-1", file=sound()).text


def test_large_upload_arrives_whole(client, stack):
    recording = sound(seconds=500)
    size = len(recording.getvalue())
    client.audio.transcriptions.create(model="whisper-1", file=recording)

    assert size > 7_000_000
    newest = stack.upstream_requests()[-1]
    assert newest["body_bytes"] > size


@pytest.mark.gateway
def test_multipart_without_a_model_is_explained(client):
    from openai import BadRequestError

    with pytest.raises(BadRequestError) as caught:
        client.post("/audio/transcriptions", cast_to=object, files={"file": sound()}, body={},
                    options={"headers": {"Content-Type": "multipart/form-data"}})

    assert caught.value.param == "model"
