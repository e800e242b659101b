//! `content`.

use super::super::media::audio_format;
use super::super::{data_uri, thought};
use super::{Writer, cache_control};
use crate::chat::{CacheHint, Dialect, Media, Part, Source, Unsupported};
use serde_json::{Map, Value, json};

impl Writer<'_> {
    /// A text if that is all there is, otherwise a list.
    pub(super) fn content(&mut self, number: usize, parts: &[Part]) -> Result<Value, Unsupported> {
        let parts: Vec<(usize, &Part)> = parts.iter().enumerate().collect();
        self.content_of(number, &parts)
    }

    fn content_of(&mut self, number: usize, parts: &[(usize, &Part)]) -> Result<Value, Unsupported> {
        let mut written = Vec::with_capacity(parts.len());
        for (place, part) in parts {
            written.extend(self.part(number, *place, part)?);
        }
        Ok(self.joined(written))
    }

    fn joined(&mut self, mut written: Vec<Value>) -> Value {
        let is_plain = |part: &Value| {
            part.get("type").and_then(Value::as_str) == Some("text")
                && part.as_object().is_some_and(|part| part.len() == 2)
        };
        let all_text = written.iter().all(is_plain);
        if !(all_text && (written.len() <= 1 || self.options.content_as_text)) {
            return Value::Array(written);
        }
        let texts = written.iter_mut().filter_map(|part| part.get_mut("text").map(Value::take));
        let mut texts =
            texts.filter_map(|text| if let Value::String(text) = text { Some(text) } else { None });
        let first = texts.next().unwrap_or_default();
        Value::String(texts.fold(first, |all, text| all + "\n" + &text))
    }

    /// An assistant's content: `null` beside calls, refusals, audio.
    pub(super) fn said(
        &mut self,
        number: usize,
        parts: &[(usize, &Part)],
        object: &mut Map<String, Value>,
    ) -> Result<Value, Unsupported> {
        let mut texts = Vec::new();
        for (place, part) in parts {
            match part {
                Part::Refusal(text) => drop(object.insert("refusal".to_owned(), json!(text))),
                Part::Audio { id: Some(id), .. } => {
                    drop(object.insert("audio".to_owned(), json!({"id": id})));
                }
                Part::Text { .. } | Part::Other(Dialect::Chat, _) => texts.push((*place, *part)),
                _ => self.lose(number, *place, "is something that an assistant's message cannot hold")?,
            }
        }
        if let Some((_, Part::Text { opaque, .. })) = texts.last()
            && let Some(proof) = self.proof(opaque.as_ref())
        {
            object.insert("extra_content".to_owned(), thought::with_signature(proof));
        }
        if texts.is_empty() { Ok(Value::Null) } else { self.content_of(number, &texts) }
    }

    fn lose(&mut self, number: usize, place: usize, why: &str) -> Result<(), Unsupported> {
        self.loss.cannot(format!("messages[{number}].content[{place}]"), why)
    }

    /// A part of the content, if it can be said.
    pub(super) fn part(
        &mut self,
        number: usize,
        place: usize,
        part: &Part,
    ) -> Result<Option<Value>, Unsupported> {
        let can = self.target.can;
        let why = match part {
            Part::Text { text, cache, .. } => {
                return Ok(Some(self.cached(json!({"type": "text", "text": text}), *cache)));
            }
            Part::Image { .. } if !can.images => "is an image, which the model cannot see",
            Part::Audio { .. } if !can.audio => "is audio, which the model cannot hear",
            Part::Document { .. } if !can.documents => "is a document, which the model cannot read",
            Part::Image { media, detail, cache } => match url(media) {
                Some(url) => {
                    let mut image = json!({"url": url});
                    if let Some(detail) = detail {
                        image["detail"] = json!(detail);
                    }
                    return Ok(Some(self.cached(json!({"type": "image_url", "image_url": image}), *cache)));
                }
                None => "is an image uploaded elsewhere",
            },
            Part::Audio { media, .. } => match (&media.source, url(media)) {
                (Source::Base64(data), _) => {
                    let format = audio_format(media.media_type.as_deref());
                    let audio = json!({"data": data, "format": format});
                    return Ok(Some(json!({"type": "input_audio", "input_audio": audio})));
                }
                (_, Some(url)) if self.options.video => {
                    return Ok(Some(json!({"type": "audio_url", "audio_url": {"url": url}})));
                }
                _ => "is audio that the vendor would have to fetch, which it cannot",
            },
            Part::Video { media } => match url(media).filter(|_| self.options.video) {
                Some(url) => return Ok(Some(json!({"type": "video_url", "video_url": {"url": url}}))),
                None => "is a video, which the model cannot see",
            },
            Part::Document { .. } => return self.document(number, place, part),
            Part::Refusal(text) => return Ok(Some(json!({"type": "refusal", "refusal": text}))),
            Part::Other(Dialect::Chat, value) => return Ok(Some(value.clone())),
            Part::Other(..) => "is something that only another dialect knows",
            // Written elsewhere.
            Part::Reasoning(_) | Part::ToolCall(_) | Part::ToolResult(_) => return Ok(None),
        };
        self.lose(number, place, why).map(|()| None)
    }

    fn document(&mut self, number: usize, place: usize, part: &Part) -> Result<Option<Value>, Unsupported> {
        let Part::Document { media, title, context, citable, cache } = part else { return Ok(None) };
        if *citable == Some(true) {
            self.loss.note("citations");
        }
        let mut file = match &media.source {
            // A text is a text: every model reads it.
            Source::Text(text) => {
                let said = [title.as_deref(), context.as_deref(), Some(text)];
                let text = said.into_iter().flatten().collect::<Vec<_>>().join("\n");
                return Ok(Some(self.cached(json!({"type": "text", "text": text}), *cache)));
            }
            // Ids of this dialect are no addresses; Gemini's are.
            Source::File(id) if id.contains("://") => {
                return self.lose(number, place, "is a file that another vendor keeps").map(|()| None);
            }
            Source::File(id) => json!({"file_id": id}),
            Source::Base64(data) => {
                let kind = media.media_type.as_deref();
                json!({"filename": title.as_deref().unwrap_or("document.pdf"), "file_data": data_uri(data, kind)})
            }
            Source::Url(url) if self.options.document_urls => json!({"file_data": url}),
            Source::Url(_) => {
                return self
                    .lose(number, place, "is a document that the vendor would have to fetch")
                    .map(|()| None);
            }
        };
        if let Some(title) = title {
            file["filename"] = json!(title);
        }
        if context.is_some() {
            self.loss.note("context");
        }
        Ok(Some(self.cached(json!({"type": "file", "file": file}), *cache)))
    }

    fn cached(&mut self, mut part: Value, hint: Option<CacheHint>) -> Value {
        if let Some(control) = self.hint(hint) {
            part["cache_control"] = control;
        }
        part
    }

    /// `cache_control`, where the vendor knows it.
    pub(super) fn hint(&mut self, hint: Option<CacheHint>) -> Option<Value> {
        let hint = hint?;
        if !self.options.cache_control {
            self.loss.note("cache_control");
            return None;
        }
        Some(cache_control(hint))
    }
}

fn url(media: &Media) -> Option<String> {
    match &media.source {
        Source::Base64(data) => Some(data_uri(data, media.media_type.as_deref())),
        Source::Url(url) => Some(url.clone()),
        Source::File(_) | Source::Text(_) => None,
    }
}
