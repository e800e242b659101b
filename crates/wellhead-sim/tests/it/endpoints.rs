//! Everything but chat, responses and models.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::client::{Answer, Client, post, sim};

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-5
}

fn floats(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

#[tokio::test]
async fn completions_come_whole_and_streamed() {
    let sim = sim();
    let mut body =
        json!({"model": "m", "prompt": ["Rivers", "Lakes"], "n": 2, "max_tokens": 6, "echo": true});
    let whole = post(&sim, "/v1/completions", &body).await.json();
    let choices = whole["choices"].as_array().unwrap();
    assert_eq!((choices.len(), &whole["object"]), (4, &json!("text_completion")));
    assert!(whole["id"].as_str().unwrap().starts_with("cmpl-"));
    assert!(choices[1]["text"].as_str().unwrap().starts_with("Rivers"));
    assert!(choices[2]["text"].as_str().unwrap().starts_with("Lakes"));
    assert!(choices.iter().all(|choice| choice["finish_reason"] == "length"));
    assert_eq!(whole["usage"]["completion_tokens"], 24);
    body["stream"] = json!(true);
    body["stream_options"] = json!({"include_usage": true});
    let answer = post(&sim, "/v1/completions", &body).await;
    assert_eq!(answer.data().last().unwrap(), "[DONE]");
    let events = answer.events();
    assert_eq!(events.last().unwrap()["usage"], whole["usage"]);
    for choice in choices {
        let mut parts =
            events.iter().map(|event| &event["choices"][0]).filter(|part| part["index"] == choice["index"]);
        let text: String = parts.clone().filter_map(|part| part["text"].as_str()).collect();
        assert_eq!(json!(text), choice["text"]);
        assert_eq!(parts.next_back().unwrap()["finish_reason"], "length");
    }
    for wrong in [
        json!({"model": "m"}),
        json!({"model": "m", "prompt": []}),
        json!({"model": "m", "prompt": {"a": 1}}),
    ] {
        assert_eq!(post(&sim, "/v1/completions", &wrong).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn embeddings_are_unit_vectors_in_either_encoding() {
    let sim = sim();
    let input = json!(["red apples", "green apples", "a slow train", "red apples"]);
    let mut body = json!({"model": "m", "input": input, "dimensions": 64});
    let answer = post(&sim, "/v1/embeddings", &body).await.json();
    let vectors: Vec<Vec<f64>> =
        answer["data"].as_array().unwrap().iter().map(|item| floats(&item["embedding"])).collect();
    assert!(
        vectors
            .iter()
            .all(|vector| vector.len() == 64 && close(vector.iter().map(|x| x * x).sum::<f64>(), 1.0))
    );
    let cosine = |a: usize, b: usize| vectors[a].iter().zip(&vectors[b]).map(|(x, y)| x * y).sum::<f64>();
    assert!(close(cosine(0, 3), 1.0) && cosine(0, 1) > cosine(0, 2));
    assert_eq!((&answer["object"], &answer["data"][2]["index"]), (&json!("list"), &json!(2)));
    assert_eq!(answer["usage"]["prompt_tokens"], answer["usage"]["total_tokens"]);
    body["encoding_format"] = json!("base64");
    let packed = post(&sim, "/v1/embeddings", &body).await.json();
    let bytes = STANDARD.decode(packed["data"][0]["embedding"].as_str().unwrap()).unwrap();
    let unpacked: Vec<f64> =
        bytes.chunks(4).map(|four| f64::from(f32::from_le_bytes(four.try_into().unwrap()))).collect();
    assert!(unpacked.iter().zip(&vectors[0]).all(|(a, b)| close(*a, *b)) && unpacked.len() == 64);
    let tokens = post(&sim, "/v1/embeddings", &json!({"model": "m", "input": [[1, 2, 3], [4]]})).await.json();
    assert_eq!((&tokens["usage"]["prompt_tokens"], tokens["data"].as_array().unwrap().len()), (&json!(4), 2));
    for wrong in [
        json!({"model": "m"}),
        json!({"model": "m", "input": ""}),
        json!({"model": "m", "input": []}),
        json!({"model": "m", "input": "a", "dimensions": 0}),
        json!({"model": "m", "input": "a", "encoding_format": "hex"}),
    ] {
        assert_eq!(post(&sim, "/v1/embeddings", &wrong).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn moderations_judge_each_input() {
    let sim = sim();
    let answer = post(&sim, "/v1/moderations", &json!({"input": ["a nice day", "I will kill the process"]}))
        .await
        .json();
    assert!(answer["id"].as_str().unwrap().starts_with("modr-"));
    let results = answer["results"].as_array().unwrap();
    assert_eq!((&results[0]["flagged"], &results[1]["flagged"]), (&json!(false), &json!(true)));
    assert_eq!(results[1]["categories"]["violence"], true);
    assert!(results[1]["category_scores"]["violence"].as_f64().unwrap() > 0.8);
    let parts = json!({"model": "m", "input": [{"type": "text", "text": "fine"}, {"type": "image_url", "image_url": {"url": "x"}}]});
    assert_eq!(post(&sim, "/v1/moderations", &parts).await.json()["results"].as_array().unwrap().len(), 1);
    assert_eq!(post(&sim, "/v1/moderations", &json!({"input": 3})).await.status, 400);
}

#[tokio::test]
async fn rerank_puts_the_nearest_first() {
    let sim = sim();
    let documents = json!(["Trains are late", {"text": "Apples are red"}, "The sea is deep"]);
    let body = json!({"model": "m", "query": "red apples", "documents": documents, "top_n": 2, "return_documents": true});
    let answer = post(&sim, "/v1/rerank", &body).await.json();
    let results = answer["results"].as_array().unwrap();
    assert_eq!(
        (results.len(), &results[0]["index"], &results[0]["document"]["text"]),
        (2, &json!(1), &json!("Apples are red"))
    );
    assert!(results[0]["relevance_score"].as_f64() > results[1]["relevance_score"].as_f64());
    for wrong in [
        json!({"model": "m", "documents": ["a"]}),
        json!({"model": "m", "query": "a", "documents": []}),
        json!({"model": "m", "query": "a", "documents": [3]}),
    ] {
        assert_eq!(post(&sim, "/v1/rerank", &wrong).await.status, 400, "{wrong}");
    }
}

/// Fails unless these bytes are a PNG whose checksums and pixels are right.
fn check_png(bytes: &[u8]) {
    let mut rest = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n").unwrap();
    let (mut kinds, mut pixels) = (Vec::new(), Vec::new());
    while !rest.is_empty() {
        let length = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
        let mut crc = flate2::Crc::new();
        crc.update(&rest[4..8 + length]);
        assert_eq!(crc.sum(), u32::from_be_bytes(rest[8 + length..12 + length].try_into().unwrap()));
        kinds.push(rest[4..8].to_vec());
        if &rest[4..8] == b"IDAT" {
            let mut unpack = flate2::read::ZlibDecoder::new(&rest[8..8 + length]);
            std::io::Read::read_to_end(&mut unpack, &mut pixels).unwrap();
        }
        rest = &rest[12 + length..];
    }
    assert_eq!(kinds, [b"IHDR", b"IDAT", b"IEND"]);
    assert_eq!(pixels.len(), 8 * (1 + 8 * 3));
}

#[tokio::test]
async fn pictures_are_valid_and_repeatable() {
    let sim = sim();
    let body = json!({"model": "m", "prompt": "a boat", "n": 2});
    let answer = post(&sim, "/v1/images/generations", &body).await.json();
    let pictures: Vec<&str> =
        answer["data"].as_array().unwrap().iter().map(|item| item["b64_json"].as_str().unwrap()).collect();
    assert!(pictures.len() == 2 && pictures[0] != pictures[1]);
    pictures.iter().for_each(|picture| check_png(&STANDARD.decode(picture).unwrap()));
    assert_eq!(post(&sim, "/v1/images/generations", &body).await.json()["data"], answer["data"]);
    let link = post(&sim, "/v1/images/generations", &json!({"prompt": "a boat", "response_format": "url"}))
        .await
        .json();
    assert!(link["data"][0]["url"].as_str().unwrap().starts_with("https://"));
    assert_eq!(post(&sim, "/v1/images/generations", &json!({"model": "m"})).await.status, 400);
    assert_eq!(
        post(&sim, "/v1/images/generations", &json!({"model": "unknown-x", "prompt": "a"})).await.status,
        404
    );
}

/// Sends a form of fields and files (`name`, `filename`, content).
async fn form(path: &str, fields: &[(&str, &str)], files: &[(&str, &str, &[u8])]) -> Answer {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend_from_slice(
            format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").as_bytes(),
        );
    }
    for (name, file, content) in files {
        body.extend_from_slice(format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file}\"\r\nContent-Type: application/octet-stream\r\n\r\n").as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--XX--\r\n");
    let sim = sim();
    let mut client = Client::connect(sim.addr()).await;
    client.send("POST", path, &[("content-type", "multipart/form-data; boundary=XX")], &body).await;
    client.read().await
}

#[tokio::test]
async fn pictures_are_edited_by_form() {
    let file: (&str, &str, &[u8]) = ("image[]", "a.png", b"\x89PNG\r\n--X\r\n\x00");
    let answer =
        form("/v1/images/edits", &[("model", "m"), ("prompt", "bluer"), ("n", "2")], &[file]).await.json();
    assert_eq!(answer["data"].as_array().unwrap().len(), 2);
    check_png(&STANDARD.decode(answer["data"][0]["b64_json"].as_str().unwrap()).unwrap());
    assert_eq!(form("/v1/images/edits", &[("model", "m"), ("prompt", "bluer")], &[]).await.status, 400);
    assert_eq!(form("/v1/images/edits", &[("model", "m")], &[file]).await.status, 400);
    assert_eq!(form("/v1/images/variations", &[("model", "m")], &[file]).await.status, 200);
    assert_eq!(
        form("/v1/images/edits", &[("model", "m+status-503"), ("prompt", "x")], &[file]).await.status,
        503
    );
}

#[tokio::test]
async fn speech_is_a_sound_that_players_accept() {
    let sim = sim();
    let body = json!({"model": "m", "input": "Good morning to everybody.", "voice": "alloy"});
    let answer = post(&sim, "/v1/audio/speech", &body).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "audio/wav"));
    let number = |at: usize| u32::from_le_bytes(answer.body[at..at + 4].try_into().unwrap()) as usize;
    assert_eq!(
        (&answer.body[..4], &answer.body[8..16], &answer.body[36..40]),
        (&b"RIFF"[..], &b"WAVEfmt "[..], &b"data"[..])
    );
    assert_eq!((number(4) + 8, number(40) + 44), (answer.body.len(), answer.body.len()));
    for wrong in [
        json!({"model": "m", "voice": "a"}),
        json!({"model": "m", "input": "a"}),
        json!({"model": "m", "input": "", "voice": "a"}),
    ] {
        assert_eq!(post(&sim, "/v1/audio/speech", &wrong).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn recordings_are_written_down_in_every_format() {
    let file: (&str, &str, &[u8]) = ("file", "a.wav", b"RIFF....");
    let ask = async |format: &str| {
        form("/v1/audio/transcriptions", &[("model", "m"), ("response_format", format)], &[file]).await
    };
    let text = form("/v1/audio/transcriptions", &[("model", "m")], &[file]).await.json()["text"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(text.len() > 20);
    assert_eq!(ask("text").await.text(), format!("{text}\n"));
    assert!(ask("srt").await.text().contains("-->") && ask("vtt").await.text().starts_with("WEBVTT"));
    let verbose = ask("verbose_json").await.json();
    assert_eq!(
        (&verbose["text"], &verbose["segments"][0]["text"], &verbose["task"]),
        (&json!(text), &json!(text), &json!("transcribe"))
    );
    assert_eq!(ask("xml").await.status, 400);
    let translated =
        form("/v1/audio/translations", &[("model", "m"), ("response_format", "verbose_json")], &[file])
            .await
            .json();
    assert_eq!(translated["task"], "translate");
    assert_eq!(form("/v1/audio/transcriptions", &[("model", "m")], &[]).await.status, 400);
    assert_eq!(form("/v1/audio/transcriptions", &[], &[file]).await.status, 400);
    assert_eq!(post(&sim(), "/v1/audio/transcriptions", &json!({"model": "m"})).await.status, 400);
}
