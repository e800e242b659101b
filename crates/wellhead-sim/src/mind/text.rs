//! Text cut into tokens: a stand-in for a real tokeniser, about as fine.

/// Longest token; real vocabularies average four to five letters.
const TOKEN_CHARS_MAX: usize = 7;

/// A text and where its tokens end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Text {
    text: String,
    ends: Vec<usize>,
}

/// Ends of the tokens of `text`, one after the other: a word with the blank before it, or a single sign.
fn ends(text: &str) -> impl Iterator<Item = usize> + '_ {
    let mut from = 0;
    std::iter::from_fn(move || {
        let mut signs = text.get(from..)?.char_indices().peekable();
        let (_, first) = signs.next()?;
        let mut end = first.len_utf8();
        let spaced = first == ' ';
        if spaced || first.is_alphanumeric() {
            let mut letters = usize::from(!spaced);
            while let Some((at, sign)) = signs.peek().copied()
                && sign.is_alphanumeric()
                && letters < TOKEN_CHARS_MAX
            {
                end = at + sign.len_utf8();
                letters += 1;
                signs.next();
            }
        }
        from += end;
        Some(from)
    })
}

/// Tokens in `text`.
pub(crate) fn count(text: &str) -> u64 {
    ends(text).count() as u64
}

impl Text {
    pub(crate) const fn empty() -> Self {
        Self { text: String::new(), ends: Vec::new() }
    }

    pub(crate) fn new(text: String) -> Self {
        let ends = ends(&text).collect();
        Self { text, ends }
    }

    /// Every fragment as a token of its own: how tool arguments are streamed.
    pub(crate) fn fragments(text: String, chars: usize) -> Self {
        let starts = text.char_indices().map(|(at, _)| at).step_by(chars.max(1)).skip(1);
        let mut ends: Vec<usize> = starts.collect();
        if !text.is_empty() {
            ends.push(text.len());
        }
        Self { text, ends }
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The token at `index`; empty behind the end.
    pub(crate) fn token(&self, index: usize) -> &str {
        let from = if index == 0 { 0 } else { self.ends.get(index - 1).copied().unwrap_or(self.text.len()) };
        let to = self.ends.get(index).copied().unwrap_or(self.text.len());
        self.text.get(from..to).unwrap_or("")
    }

    /// Keeps the first `tokens` tokens; says whether any were dropped.
    pub(crate) fn truncate(&mut self, tokens: usize) -> bool {
        if tokens >= self.ends.len() {
            return false;
        }
        self.ends.truncate(tokens);
        self.text.truncate(self.ends.last().copied().unwrap_or(0));
        true
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_the_sum_of_its_tokens(text in "\\PC{0,80}", chars in 1usize..9) {
            let cut = Text::new(text.clone());
            prop_assert_eq!(tokens(&cut).concat(), text.as_str());
            prop_assert_eq!(tokens(&Text::fragments(text.clone(), chars)).concat(), text.as_str());
        }
    }

    fn tokens(text: &Text) -> Vec<&str> {
        (0..text.len()).map(|index| text.token(index)).collect()
    }

    #[test]
    fn tokens_put_together_are_the_text() {
        for text in [
            "",
            " ",
            "Hello, world.",
            "  two  blanks\n\n",
            "naïve → 東京 😀😀",
            "internationalisation 12345678901",
        ] {
            let cut = Text::new(text.to_owned());
            assert_eq!(tokens(&cut).concat(), text);
            assert_eq!(count(text), cut.len() as u64);
            assert!(tokens(&cut).iter().all(|token| !token.is_empty()));
            let fragments = Text::fragments(text.to_owned(), 3);
            assert_eq!(tokens(&fragments).concat(), text);
        }
        assert_eq!(tokens(&Text::new("Hello, wide world.".into())), ["Hello", ",", " wide", " world", "."]);
    }

    #[test]
    fn truncation_keeps_whole_tokens_and_says_so() {
        let mut text = Text::new("one two three".into());
        assert!(!text.truncate(3));
        assert!(text.truncate(2));
        assert_eq!(text.as_str(), "one two");
        assert!(text.truncate(0));
        assert_eq!(text.as_str(), "");
    }
}
