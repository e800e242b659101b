//! `multipart/form-data` (RFC 7578), read from a whole body.

use bytes::Bytes;

/// Most parts of one form.
const PARTS_MAX: usize = 256;

/// One part.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) name: String,
    /// The name of the file; `None` for a plain field.
    pub(crate) file: Option<String>,
    pub(crate) content: Bytes,
}

impl Part {
    /// `name[]` counts as `name`, because some clients write lists so.
    fn is(&self, name: &str) -> bool {
        self.name.strip_suffix("[]").unwrap_or(&self.name) == name
    }
}

/// A form.
#[derive(Debug, Default)]
pub(crate) struct Form(Vec<Part>);

impl Form {
    /// Reads `body` by the boundary that `content_type` names; the error is a sentence for the client.
    pub(crate) fn read(content_type: &str, body: &Bytes) -> Result<Self, String> {
        let boundary = parameter(content_type, "boundary").filter(|boundary| !boundary.is_empty());
        let boundary = boundary.ok_or("The Content-Type of the form names no boundary.")?;
        let delimiter = format!("--{boundary}");
        let mut at =
            find(body, delimiter.as_bytes(), 0).ok_or("The form's boundary does not appear in its body.")?;
        let mut parts = Vec::new();
        loop {
            at += delimiter.len();
            if body.get(at..at + 2) == Some(b"--") {
                return Ok(Self(parts));
            }
            if parts.len() == PARTS_MAX {
                return Err(format!("The form has more than {PARTS_MAX} parts."));
            }
            let head = find(body, b"\r\n", at).ok_or("A part of the form is not terminated.")? + 2;
            let ending = format!("\r\n{delimiter}");
            let end = find(body, ending.as_bytes(), head.saturating_sub(2))
                .ok_or("The last part of the form is cut off.")?;
            let split = find(body, b"\r\n\r\n", head.saturating_sub(2)).filter(|split| *split < end);
            let split = split.ok_or("A part of the form has no head.")?;
            let lines = String::from_utf8_lossy(body.get(head..split).unwrap_or(b"")).into_owned();
            let content = body.slice((split + 4).min(end)..end);
            parts.push(part(&lines, content)?);
            at = end + 2;
        }
    }

    /// The text of a plain field.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let part = self.0.iter().find(|part| part.is(name))?;
        std::str::from_utf8(&part.content).ok()
    }

    /// Every part of that name.
    pub(crate) fn parts(&self, name: &str) -> impl Iterator<Item = &Part> {
        self.0.iter().filter(move |part| part.is(name))
    }
}

fn part(head: &str, content: Bytes) -> Result<Part, String> {
    let disposition = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    });
    let disposition = disposition.ok_or("A part of the form has no Content-Disposition.")?;
    let name = parameter(disposition, "name").ok_or("A part of the form has no name.")?;
    Ok(Part { name, file: parameter(disposition, "filename"), content })
}

/// The parameter `wanted` of a header value such as `form-data; name="file"`.
fn parameter(value: &str, wanted: &str) -> Option<String> {
    let mut rest = value.split_once(';')?.1;
    loop {
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let (text, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after
                .split_once(';')
                .map_or((after, ""), |(text, _)| (text, after.get(text.len()..).unwrap_or(""))),
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(text.trim().to_owned());
        }
        rest = next.trim_start().strip_prefix(';')?;
    }
}

fn find(body: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    let first = *wanted.first()?;
    let mut at = from;
    loop {
        at += body.get(at..)?.iter().position(|byte| *byte == first)?;
        if body.get(at..)?.starts_with(wanted) {
            return Some(at);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_file_comes_back_as_it_was(content in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut body = b"--B0undary\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\n".to_vec();
            body.extend_from_slice(&content);
            body.extend_from_slice(b"\r\n--B0undary--\r\n");
            let form = Form::read("multipart/form-data; boundary=B0undary", &Bytes::from(body)).unwrap();
            prop_assert_eq!(&form.parts("f").next().unwrap().content[..], &content[..]);
        }

        #[test]
        fn any_bytes_are_survived(body in "(--B|\r\n|[a-z:;=\"-]){0,40}", kind in "multipart/form-data(; boundary=B|; ?[a-z=\"]{0,9})?") {
            let _ = Form::read(&kind, &Bytes::from(body));
        }
    }

    #[test]
    fn fields_and_files_are_found_whatever_they_contain() {
        let body = "preamble\r\n--B x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm-1\r\n--B x\r\n\
            content-disposition: form-data; name=file; filename=\"a;b.wav\"\r\nContent-Type: audio/wav\r\n\r\n\
            \r\n--B\r\n\r\nraw\r\n--B x\r\nContent-Disposition: form-data; name=\"image[]\"\r\n\r\n\r\n--B x--\r\n";
        let form =
            Form::read("multipart/form-data; charset=x; boundary=\"B x\"", &Bytes::from(body)).unwrap();
        assert_eq!(form.text("model"), Some("m-1"));
        let file = form.parts("file").next().unwrap();
        assert_eq!((file.file.as_deref(), &file.content[..]), (Some("a;b.wav"), &b"\r\n--B\r\n\r\nraw"[..]));
        assert_eq!(form.parts("image").count(), 1);
        assert_eq!(form.text("image"), Some(""));
    }

    #[test]
    fn broken_forms_are_errors_and_never_panics() {
        let whole = "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--B--\r\n";
        for cut in 0..whole.len() {
            let read = Form::read("multipart/form-data; boundary=B", &Bytes::from(&whole[..cut]));
            assert_eq!(read.is_ok(), cut >= whole.len() - 2, "{cut}");
        }
        assert!(Form::read("multipart/form-data", &Bytes::from(whole)).is_err());
        assert!(Form::read("multipart/form-data; boundary=C", &Bytes::from(whole)).is_err());
    }
}
