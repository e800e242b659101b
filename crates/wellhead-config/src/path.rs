//! Where in the document: `models.chat.targets[0].provider`.

/// A path that grows and shrinks with the walk; one buffer for the whole walk.
#[derive(Debug, Default)]
pub(crate) struct Path {
    text: String,
    lengths: Vec<usize>,
}

impl Path {
    /// Steps into a named member. Names that would be unclear with dots are put in brackets and quotes.
    pub(crate) fn enter_key(&mut self, key: &str) {
        self.lengths.push(self.text.len());
        let simple = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
        if !simple {
            self.text.push_str(&format!("[{key:?}]"));
            return;
        }
        if !self.text.is_empty() {
            self.text.push('.');
        }
        self.text.push_str(key);
    }

    /// Steps into a list item.
    pub(crate) fn enter_index(&mut self, index: usize) {
        self.lengths.push(self.text.len());
        self.text.push_str(&format!("[{index}]"));
    }

    /// Steps back out.
    pub(crate) fn leave(&mut self) {
        if let Some(length) = self.lengths.pop() {
            self.text.truncate(length);
        }
    }

    /// The path as people read it; empty at the root.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::Path;

    #[test]
    fn steps_are_written_as_people_write_them() {
        let mut path = Path::default();
        path.enter_key("models");
        path.enter_key("gpt-4.1");
        path.enter_key("targets");
        path.enter_index(3);
        assert_eq!(path.text(), "models[\"gpt-4.1\"].targets[3]");
        path.leave();
        path.leave();
        assert_eq!(path.text(), "models[\"gpt-4.1\"]");
    }
}
