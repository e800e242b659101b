//! Input of which nobody thought.

use super::super::{Form, Kept, decode, encode};
use crate::chat::Losses;
use crate::checks::codecs::mutated;

const FORMS: [Form; 5] =
    [Form::GeminiEmbed, Form::CohereEmbed, Form::OllamaEmbed, Form::CohereRerank, Form::VoyageRerank];

#[test]
fn anything_is_understood_or_refused() {
    let valid = [
        r#"{"model":"x","input":["a","b"],"dimensions":64,"encoding_format":"base64","user":"u"}"#,
        r#"{"model":"x","query":"q","documents":["a",{"text":"b"}],"top_n":2,"return_documents":true}"#,
        r#"{"id":"r","results":[{"index":1,"relevance_score":0.75,"document":"b"}],"meta":{"billed_units":{"search_units":1}}}"#,
        r#"{"data":[{"index":1,"relevance_score":0.75}],"usage":{"total_tokens":26}}"#,
        r#"{"embeddings":[{"values":[0.5]},[0.25]],"prompt_eval_count":3}"#,
        r#"{"embeddings":{"float":[[0.5],[1e300]]},"meta":{"tokens":{"input_tokens":1}}}"#,
    ];
    let all = [
        Kept::Vectors { inputs: 2, is_base64: true, tokens_expected: 1 },
        Kept::Ranks { documents: 2, texts: Some(vec!["a".into(), "b".into()]) },
    ];
    for seed in 0..1500_u64 {
        for text in valid {
            let bytes = mutated(seed, text);
            for form in FORMS {
                let _ = encode(form, &bytes, "m", &Losses::allowed(["*"]));
                for kept in &all {
                    let _ = decode(form, &bytes, kept, "m");
                }
            }
        }
    }
}
