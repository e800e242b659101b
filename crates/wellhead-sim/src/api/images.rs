//! `POST /v1/images/generations`, `/edits` and `/variations`: small pictures of one colour.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Call;
use super::params::{choice, missing, number, required};
use crate::media::png;
use crate::mind::{count, hash};
use crate::reply::{self, Reply};

/// Pictures of one request, as the vendor limits them.
const PICTURES_MAX: u64 = 10;
/// Width and height: what is asked for is not worth its bytes here.
const SIDE: u32 = 8;

/// Makes pictures from a text.
pub(crate) fn generations(call: &Call<'_>) -> Result<Reply, Reply> {
    let object = call.parsed.object()?;
    let model = known_or_default(call)?;
    let prompt = required(object, "prompt")?;
    let pictures = number(object, "n", 1, PICTURES_MAX)?.unwrap_or(1);
    // A URL would have to lead somewhere, so only those who ask for one get one.
    let url = choice(object, "response_format", &["b64_json", "url"])? == "url";
    Ok(answer(call, &model, prompt, pictures, url, 0))
}

/// Changes a picture: the form's picture must be there, but is not looked at.
pub(crate) fn edits(call: &Call<'_>) -> Result<Reply, Reply> {
    let form = call.parsed.form()?;
    let model = known_or_default(call)?;
    let images = form.parts("image").filter(|part| part.file.is_some()).count();
    if images == 0 {
        return Err(missing("image"));
    }
    let prompt = match form.text("prompt") {
        Some(prompt) => prompt,
        None if call.request.path.ends_with("/variations") => "",
        None => return Err(missing("prompt")),
    };
    let wrong = || {
        reply::invalid(
            "n",
            &format!("Invalid value for 'n': expected a whole number from 1 to {PICTURES_MAX}."),
        )
    };
    let pictures = match form.text("n") {
        None => 1,
        Some(text) => text.parse().ok().filter(|n| (1..=PICTURES_MAX).contains(n)).ok_or_else(wrong)?,
    };
    Ok(answer(call, &model, prompt, pictures, form.text("response_format") == Some("url"), images as u64))
}

fn known_or_default(call: &Call<'_>) -> Result<String, Reply> {
    // The model may be left out here.
    if call.parsed.model().is_none() {
        Ok("practice-image".to_owned())
    } else {
        call.parsed.known_model().map(str::to_owned)
    }
}

fn answer(call: &Call<'_>, model: &str, prompt: &str, pictures: u64, url: bool, images: u64) -> Reply {
    let seed = hash(call.core.options.seed, prompt.as_bytes());
    let data: Vec<Value> = (0..pictures)
        .map(|index| match url {
            true => json!({"url": format!("https://images.example.com/{seed:016x}-{index}.png"), "revised_prompt": prompt}),
            false => json!({"b64_json": STANDARD.encode(png(SIDE, hash(seed, &index.to_le_bytes())))}),
        })
        .collect();
    let (read, seen, written) = (count(prompt), images * 85, pictures * 64);
    let body = json!({
        "created": call.created(), "data": data, "model": model, "output_format": "png", "quality": "low", "size": format!("{SIDE}x{SIDE}"),
        "usage": {
            "input_tokens": read + seen, "output_tokens": written, "total_tokens": read + seen + written,
            "input_tokens_details": {"text_tokens": read, "image_tokens": seen},
        },
    });
    Reply::json(200, &body, pictures)
}
