//! `embedContent` and `batchEmbedContents`: what is embedded, and the vectors.

use super::calls::Told;
use super::media::bytes;
use super::written::{Content, Ours, Piece, json};
use super::{GEMINI, Method, error, parts, proto, usage};
use crate::chat::{BadBody, BadField, Fields, Part, Rest};
use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value, json as value};
use wellhead_types::{Failure, Stage, Usage};

/// Most items of a batch: Google takes 100; this only bounds memory.
pub const ITEMS_MAX: usize = 10_000;

/// One thing to embed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Item {
    /// Texts and media; together they are one vector.
    pub parts: Vec<Part>,
    /// What the vector is for, in Google's word: `RETRIEVAL_QUERY`.
    pub task_type: Option<Box<str>>,
    /// A document's title.
    pub title: Option<Box<str>>,
    /// Length of the vector.
    pub dimensions: Option<u64>,
    /// What only this dialect knows.
    pub rest: Rest,
}

impl Item {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { parts: vec![Part::text(text)], ..Self::default() }
    }

    /// The text, if there is nothing else.
    pub fn as_text(&self) -> Option<&str> {
        match &self.parts[..] {
            [Part::Text { text, .. }] => Some(text),
            _ => None,
        }
    }
}

/// Vectors, in the order of the items.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Vectors {
    /// One for each item.
    pub vectors: Vec<Vec<f64>>,
    /// What it used, where the service says so.
    pub usage: Option<Usage>,
}

/// Reads a client's body. `method` is [`Method::EmbedContent`] for one item, otherwise a batch.
pub fn decode(body: &[u8], method: Method) -> Result<Vec<Item>, BadBody> {
    let mut fields = proto::message("", BadBody::parse(body)?)?;
    if method == Method::EmbedContent {
        return Ok(vec![item(fields)?]);
    }
    let items = proto::children(&mut fields, "requests")?;
    if items.is_empty() {
        return Err(fields.missing("requests", "a list with at least one request").into());
    }
    if items.len() > ITEMS_MAX {
        return Err(fields.invalid("requests", "too long", "at most 10,000 requests").into());
    }
    Ok(items.into_iter().map(item).collect::<Result<_, _>>()?)
}

fn item(mut fields: Fields) -> Result<Item, BadField> {
    drop(fields.take("model"));
    let Some(mut content) = proto::child(&mut fields, "content")? else {
        return Err(fields.missing("content", "an object with `parts`"));
    };
    let path = content.path("parts");
    let (mut read, mut told) = (Vec::new(), Told::default());
    for (at, part) in proto::repeated(&mut content, "parts")?.into_iter().enumerate() {
        parts::read(&format!("{path}[{at}]"), part, &mut told, &mut read)?;
    }
    if read.is_empty() {
        return Err(content.missing("parts", "a list with at least one part"));
    }
    // Vertex AI has the settings in an object of their own.
    let mut nested = proto::child(&mut fields, "embedContentConfig")?;
    let mut settings = [Some(&mut fields), nested.as_mut()];
    let (mut task_type, mut title, mut dimensions) = (None, None, None);
    for settings in settings.iter_mut().flatten() {
        task_type = task_type.or(settings.text("taskType")?.map(Box::from));
        title = title.or(settings.text("title")?.map(Box::from));
        dimensions = dimensions.or(proto::count(settings, "outputDimensionality")?);
    }
    let mut rest = fields.rest().of(GEMINI).cloned().unwrap_or_default();
    let nested = nested.map(Fields::rest);
    if let Some(nested) = nested.as_ref().and_then(|nested| nested.of(GEMINI)) {
        rest.insert("embedContentConfig".to_owned(), nested.clone().into());
    }
    Ok(Item { parts: read, task_type, title, dimensions, rest: Rest::new(GEMINI, rest) })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemOut<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    content: Content<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimensionality: Option<u64>,
    #[serde(flatten)]
    rest: Option<&'a Map<String, Value>>,
}

/// Writes the body for a target, and says which method it is for: one item alone is not a batch. Parts that cannot be
/// embedded are an error that names the item.
pub fn encode(items: &[Item], model: &str) -> Result<(Method, Bytes), BadField> {
    let written: Result<Vec<ItemOut<'_>>, BadField> =
        items.iter().enumerate().map(|(at, item)| written(at, item)).collect();
    let written = written?;
    if let [one] = &written[..] {
        return Ok((Method::EmbedContent, json(one).into()));
    }
    Ok((Method::BatchEmbedContents, batch(written, model)))
}

/// Writes the body of a batch, also of one item.
pub fn encode_batch(items: &[Item], model: &str) -> Result<Bytes, BadField> {
    let written: Result<Vec<ItemOut<'_>>, BadField> =
        items.iter().enumerate().map(|(at, item)| written(at, item)).collect();
    Ok(batch(written?, model))
}

fn batch(mut written: Vec<ItemOut<'_>>, model: &str) -> Bytes {
    let name = if model.starts_with("models/") { model.to_owned() } else { format!("models/{model}") };
    for item in &mut written {
        item.model = Some(name.clone());
    }
    let mut body = br#"{"requests":"#.to_vec();
    body.extend(json(&written));
    body.push(b'}');
    body.into()
}

fn written(at: usize, item: &Item) -> Result<ItemOut<'_>, BadField> {
    let pieces = item.parts.iter().map(|part| match part {
        Part::Text { text, .. } => Some(Ours::text(text.as_str()).into()),
        Part::Image { media, .. } => bytes(media, "image/jpeg", None).map(Piece::from),
        Part::Audio { media, .. } => bytes(media, "audio/wav", None).map(Piece::from),
        Part::Video { media } => bytes(media, "video/mp4", None).map(Piece::from),
        Part::Document { media, .. } => bytes(media, "application/pdf", None).map(Piece::from),
        Part::Other(GEMINI, value) => Some(Piece::Theirs(value)),
        _ => None,
    });
    let Some(parts) = pieces.collect::<Option<Vec<Piece<'_>>>>() else {
        let param = format!("input[{at}]");
        let message = format!("`{param}` holds a part that cannot be embedded: expected text or media");
        return Err(BadField { param, message, code: "invalid_value" });
    };
    Ok(ItemOut {
        model: None,
        content: Content { role: None, parts, rest: None },
        task_type: item.task_type.as_deref(),
        title: item.title.as_deref(),
        output_dimensionality: item.dimensions,
        rest: item.rest.of(GEMINI),
    })
}

/// Reads a target's answer to either method.
pub fn decode_answer(body: &[u8]) -> Result<Vectors, Failure> {
    let stage = Stage::FirstToken;
    let read: Value = serde_json::from_slice(body).map_err(|bad| error::no_json(&bad, stage))?;
    let mut members = super::answer::opened(read, body, stage)?;
    let embeddings = match (members.shift_remove("embedding"), members.shift_remove("embeddings")) {
        (_, Some(Value::Array(all))) => all,
        (Some(one), _) => vec![one],
        _ => return Err(error::odd(&"there is no embedding", stage)),
    };
    let vector = |embedding: &Value| -> Option<Vec<f64>> {
        embedding.get("values")?.as_array()?.iter().map(Value::as_f64).collect()
    };
    let vectors: Option<Vec<Vec<f64>>> = embeddings.iter().map(vector).collect();
    let vectors = vectors.ok_or_else(|| error::odd(&"an embedding has no `values`", stage))?;
    let usage = members.get("usageMetadata").and_then(usage::read_usage);
    Ok(Vectors { vectors, usage })
}

/// Writes an answer for a client.
pub fn encode_answer(vectors: &Vectors, method: Method) -> Bytes {
    let mut body = Map::new();
    let mut each = vectors.vectors.iter().map(|values| value!({"values": values}));
    if method == Method::EmbedContent {
        body.insert("embedding".to_owned(), each.next().unwrap_or_else(|| value!({"values": []})));
    } else {
        body.insert("embeddings".to_owned(), each.collect());
    }
    if let Some(usage) = &vectors.usage {
        let counts = value!({"promptTokenCount": usage.input_tokens, "totalTokenCount": usage.total()});
        body.insert("usageMetadata".to_owned(), counts);
    }
    Value::Object(body).to_string().into()
}
