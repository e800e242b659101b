//! Lists of models, in the shapes that vendors use.

use serde_json::Value;

/// The models that a vendor lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct List {
    pub(super) names: Vec<String>,
    /// There is more than this page.
    pub(super) partial: bool,
}

impl List {
    /// `{"data": [{"id": …}]}` as OpenAI has it, `{"models": [{"name": …}]}`, or the array alone.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(body).ok()?;
        let entries = value.get("data").or_else(|| value.get("models")).unwrap_or(&value).as_array()?;
        let names: Vec<String> = entries.iter().filter_map(name).collect();
        // An array of something else is no list of models; an empty one may be.
        if names.is_empty() && !entries.is_empty() {
            return None;
        }
        let more = value.get("has_more").and_then(Value::as_bool).unwrap_or(false)
            || value
                .get("next_page_token")
                .or_else(|| value.get("nextPageToken"))
                .is_some_and(Value::is_string);
        Some(Self { names, partial: more })
    }
}

fn name(entry: &Value) -> Option<String> {
    let named = ["id", "name", "model"].into_iter().find_map(|member| entry.get(member)?.as_str());
    let name = named.or_else(|| entry.as_str())?;
    Some(name.strip_prefix("models/").unwrap_or(name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::List;

    #[test]
    fn lists_come_in_several_shapes() {
        for (body, names, partial) in [
            (r#"{"object":"list","data":[{"id":"a","object":"model"},{"id":"b"}]}"#, &["a", "b"][..], false),
            (r#"{"data":[{"id":"a"}],"has_more":true}"#, &["a"], true),
            (r#"{"models":[{"name":"models/a"}],"nextPageToken":"x"}"#, &["a"], true),
            (r#"[{"id":"a"},{"id":"b"}]"#, &["a", "b"], false),
            (r#"{"data":[]}"#, &[], false),
        ] {
            let list = List::read(body.as_bytes()).unwrap();
            assert_eq!(
                (list.names.iter().map(String::as_str).collect::<Vec<_>>(), list.partial),
                (names.to_vec(), partial)
            );
        }
    }

    #[test]
    fn other_answers_are_no_lists() {
        for body in [
            "",
            "<html>",
            "{}",
            r#"{"data":{}}"#,
            r#"{"data":[1,2]}"#,
            r#"{"error":{"message":"no"}}"#,
            "\"a\"",
        ] {
            assert_eq!(List::read(body.as_bytes()), None, "{body}");
        }
    }
}
