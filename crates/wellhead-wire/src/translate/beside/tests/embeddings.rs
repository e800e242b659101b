//! Embeddings, as OpenAI asks for them.

use super::super::{Form, decode, encode};
use super::{asked, body, refused};
use crate::chat::Losses;
use serde_json::{Value, json};
use wellhead_types::Cause;

const FORMS: [Form; 3] = [Form::GeminiEmbed, Form::CohereEmbed, Form::OllamaEmbed];

/// What each vendor says of two texts.
fn answer(form: Form) -> Value {
    let vectors = json!([[0.5, -0.25], [1.0, 0.125]]);
    match form {
        Form::GeminiEmbed => json!({
            "embeddings": [{"values": [0.5, -0.25]}, {"values": [1.0, 0.125]}],
            "usageMetadata": {"promptTokenCount": 7, "totalTokenCount": 7},
        }),
        Form::CohereEmbed => json!({
            "id": "e1", "embeddings": {"float": vectors}, "texts": ["a", "b"], "response_type": "embeddings_by_type",
            "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": 7}},
        }),
        _ => json!({"model": "m", "embeddings": vectors, "total_duration": 1, "prompt_eval_count": 7}),
    }
}

#[test]
fn each_vendor_is_asked_in_its_own_words() {
    let ask = json!({"model": "x", "input": ["a", "b"], "dimensions": 64, "encoding_format": "float"});
    let cohere = json!({
        "model": "vendor/m", "texts": ["a", "b"], "input_type": "search_document", "embedding_types": ["float"],
        "truncate": "NONE", "output_dimension": 64,
    });
    assert_eq!(body(Form::CohereEmbed, &ask), cohere);
    let ollama = json!({"model": "vendor/m", "input": ["a", "b"], "truncate": false, "dimensions": 64});
    assert_eq!(body(Form::OllamaEmbed, &ask), ollama);
    let item = |text: &str| json!({"model": "models/vendor/m", "content": {"parts": [{"text": text}]}, "outputDimensionality": 64});
    assert_eq!(body(Form::GeminiEmbed, &ask), json!({"requests": [item("a"), item("b")]}));
    for form in FORMS {
        let one = body(form, &json!({"input": "a"}));
        let lists = ["texts", "input", "requests"].iter().filter_map(|name| one[*name].as_array());
        assert_eq!(lists.map(Vec::len).collect::<Vec<_>>(), [1], "{form:?}: one text is a list of one");
    }
}

#[test]
fn what_the_vectors_are_for_is_said_in_the_vendors_word() {
    let ask = |word: &str| json!({"input": "a", "input_type": word});
    assert_eq!(body(Form::CohereEmbed, &ask("search_query"))["input_type"], "search_query");
    assert_eq!(body(Form::GeminiEmbed, &ask("search_query"))["requests"][0]["taskType"], "RETRIEVAL_QUERY");
    assert_eq!(refused(Form::GeminiEmbed, &ask("prayer")), "input_type");
    assert_eq!(refused(Form::OllamaEmbed, &ask("search_query")), "input_type");
    let dropped = encode(
        Form::OllamaEmbed,
        ask("search_query").to_string().as_bytes(),
        "m",
        &Losses::allowed(["input_type"]),
    );
    assert_eq!(&*dropped.unwrap().encoded.dropped[0].param, "input_type");
}

#[test]
fn what_no_other_vendor_understands_is_refused_by_name() {
    for form in FORMS {
        for (ask, param) in [
            (json!({"input": [1, 2]}), "input"),
            (json!({"input": [[1, 2], [3]]}), "input"),
            (json!({"input": []}), "input"),
            (json!({"input": [{}]}), "input[0]"),
            (json!({"input": 7}), "input"),
            (json!({}), "input"),
            (json!({"input": vec!["a"; 3000]}), "input"),
            (json!({"input": "a", "encoding_format": "int8"}), "encoding_format"),
            (json!({"input": "a", "dimensions": -1}), "dimensions"),
            (json!({"input": "a", "late_chunking": true}), "late_chunking"),
        ] {
            assert_eq!(refused(form, &ask), param, "{form:?}");
        }
        // Nothing is left without it, whatever a setting says.
        let tokens = encode(form, br#"{"input":[1]}"#, "m", &Losses::allowed(["*"]));
        assert_eq!(tokens.unwrap_err().param(), Some("input"));
        let labelled = asked(form, &json!({"input": "a", "user": "u"})).unwrap();
        assert_eq!(&*labelled.encoded.dropped[0].param, "user");
    }
}

#[test]
fn answers_are_openais() {
    let ask = |format: &str| json!({"input": ["a", "b"], "encoding_format": format});
    for form in FORMS {
        let answer = answer(form).to_string();
        let read = |format: &str| {
            let kept = asked(form, &ask(format)).unwrap().kept;
            decode(form, answer.as_bytes(), &kept, "shown").unwrap()
        };
        let floats = read("float");
        assert_eq!(floats.usage.unwrap().input_tokens, 7, "{form:?}");
        let written: Value = serde_json::from_slice(&floats.body).unwrap();
        let expected = json!({
            "object": "list", "model": "shown", "usage": {"prompt_tokens": 7, "total_tokens": 7},
            "data": [
                {"object": "embedding", "index": 0, "embedding": [0.5, -0.25]},
                {"object": "embedding", "index": 1, "embedding": [1.0, 0.125]},
            ],
        });
        assert_eq!(written, expected, "{form:?}");
        let packed: Value = serde_json::from_slice(&read("base64").body).unwrap();
        // 0.5 and -0.25 as IEEE 754 single precision, the lowest byte first: 00 00 00 3f, 00 00 80 be.
        assert_eq!(packed["data"][0]["embedding"], "AAAAPwAAgL4=", "{form:?}");
    }
}

#[test]
fn counts_that_the_vendor_does_not_give_are_shown_and_not_believed() {
    let kept = asked(Form::GeminiEmbed, &json!({"input": "12345"})).unwrap().kept;
    let read = decode(Form::GeminiEmbed, br#"{"embeddings":[{"values":[1]}]}"#, &kept, "m").unwrap();
    assert_eq!(read.usage, None);
    let written: Value = serde_json::from_slice(&read.body).unwrap();
    assert_eq!(written["usage"]["prompt_tokens"], 2);
}

#[test]
fn answers_that_are_none_are_failures() {
    for form in FORMS {
        let kept = asked(form, &json!({"input": ["a", "b", "c"]})).unwrap().kept;
        let few = decode(form, answer(form).to_string().as_bytes(), &kept, "m").unwrap_err();
        assert_eq!(few.cause, Cause::ProtocolError, "{form:?}: two vectors of three texts");
        for text in ["", "{", "[]", "{}", r#"{"error":"x"}"#, r#"{"message":"x"}"#, r#"{"embeddings":[7]}"#] {
            let failure = decode(form, text.as_bytes(), &kept, "m").unwrap_err();
            assert!(
                matches!(failure.cause, Cause::ProtocolError | Cause::ErrorInSuccess),
                "{form:?}: {text}"
            );
        }
    }
}
