//! `POST /v1/audio/speech`, `/transcriptions` and `/translations`.

use bytes::Bytes;
use serde_json::{Value, json};

use super::Call;
use super::params::{choice, missing, required};
use crate::media::{pcm, wav};
use crate::mind::{Ask, Said, answer, count, hash};
use crate::reply::{self, Reply};

/// Letters of one text to speak, as the vendor limits them.
const SPEECH_CHARS_MAX: usize = 4096;
/// Words that a recording turns out to have.
const HEARD_TOKENS: usize = 24;
/// Seconds of one heard token.
const TOKEN_SECONDS: f64 = 0.4;

/// Speaks a text: as WAV whatever compressed format is asked for, and bare samples if those are.
pub(crate) fn speech(call: &Call<'_>) -> Result<Reply, Reply> {
    let object = call.parsed.object()?;
    call.parsed.known_model()?;
    let text = required(object, "input")?;
    let voice = object.get("voice").filter(|voice| voice.is_string() || voice.is_object());
    voice.ok_or_else(|| missing("voice"))?;
    if text.is_empty() || text.chars().count() > SPEECH_CHARS_MAX {
        return Err(reply::invalid(
            "input",
            &format!("The input must have 1 to {SPEECH_CHARS_MAX} characters."),
        ));
    }
    let formats = ["mp3", "opus", "aac", "flac", "wav", "pcm"];
    let bare = choice(object, "response_format", &formats)? == "pcm";
    let tokens = usize::try_from(count(text)).unwrap_or(usize::MAX);
    let (kind, sound) = if bare { ("audio/pcm", pcm(tokens)) } else { ("audio/wav", wav(tokens)) };
    Ok(Reply::bytes(200, kind, Bytes::from(sound), 1))
}

/// Writes down what was said: the same words for the same recording.
pub(crate) fn transcriptions(call: &Call<'_>) -> Result<Reply, Reply> {
    heard(call, "transcribe")
}

/// The same, in English.
pub(crate) fn translations(call: &Call<'_>) -> Result<Reply, Reply> {
    heard(call, "translate")
}

fn heard(call: &Call<'_>, task: &str) -> Result<Reply, Reply> {
    let form = call.parsed.form()?;
    call.parsed.known_model()?;
    let file = form.parts("file").find(|part| part.file.is_some()).ok_or_else(|| missing("file"))?;
    if file.content.is_empty() {
        return Err(reply::invalid("file", "The audio file is empty."));
    }
    let ask = Ask {
        hash: hash(0, &file.content),
        last_user: "a recording".to_owned(),
        tokens_wanted: HEARD_TOKENS,
        ..Ask::default()
    };
    let answer = answer(&ask, call.core.options.seed, 0);
    let text = match &answer.said {
        Said::Text(text) => text.as_str(),
        Said::Calls(_) => "",
    };
    let tokens = answer.tokens();
    let seconds = (tokens as f64 * TOKEN_SECONDS * 10.0).round() / 10.0;
    let plain = |kind: &str, text: String| Reply::bytes(200, kind, Bytes::from(text), tokens);
    Ok(match form.text("response_format").unwrap_or("json") {
        "json" => {
            let usage = json!({
                "type": "tokens", "input_tokens": tokens, "output_tokens": tokens, "total_tokens": tokens * 2,
                "input_token_details": {"text_tokens": 0, "audio_tokens": tokens},
            });
            Reply::json(200, &json!({"text": text, "usage": usage}), tokens)
        }
        "text" => plain("text/plain; charset=utf-8", format!("{text}\n")),
        "srt" => plain(
            "text/plain; charset=utf-8",
            format!("1\n00:00:00,000 --> {}\n{text}\n", clock(seconds, ',')),
        ),
        "vtt" => plain(
            "text/vtt; charset=utf-8",
            format!("WEBVTT\n\n00:00:00.000 --> {}\n{text}\n", clock(seconds, '.')),
        ),
        "verbose_json" => Reply::json(200, &verbose(task, text, seconds), tokens),
        other => {
            let message = format!(
                "Invalid value for 'response_format': {other:?}; known are json, text, srt, vtt, verbose_json."
            );
            return Err(reply::invalid("response_format", &message));
        }
    })
}

/// Minutes and seconds as subtitles have them.
fn clock(seconds: f64, point: char) -> String {
    let whole = seconds.floor();
    format!(
        "00:{:02}:{:02}{point}{:03}",
        (whole / 60.0).floor(),
        whole % 60.0,
        ((seconds - whole) * 1000.0).round()
    )
}

fn verbose(task: &str, text: &str, seconds: f64) -> Value {
    json!({
        "task": task, "language": "english", "duration": seconds, "text": text,
        "segments": [{
            "id": 0, "seek": 0, "start": 0.0, "end": seconds, "text": text, "tokens": [],
            "temperature": 0.0, "avg_logprob": -0.2, "compression_ratio": 1.1, "no_speech_prob": 0.01,
        }],
        "usage": {"type": "duration", "seconds": seconds.ceil()},
    })
}
