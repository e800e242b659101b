//! What upstreams say. The answer to a prompt is known beforehand, word by word, so that any word too few, too many or
//! out of place shows.

use crate::dice;

/// Fewest words of an answer.
const WORDS_MIN: u64 = 4;
/// Most words.
const WORDS_MAX: u64 = 18;

/// Models at most: what a model says to a question is nothing that another one says.
const MODELS_MAX: usize = 64;

/// What is asked of whom.
pub(crate) const fn topic(question: usize, model: usize) -> usize {
    question * MODELS_MAX + model
}

/// The number of words of the answer to a prompt. The same for every voice.
pub(crate) fn count(seed: u64, topic: usize) -> usize {
    let drawn = dice::of(seed, &[1, topic as u64]) % (WORDS_MAX - WORDS_MIN + 1);
    usize::try_from(WORDS_MIN + drawn).unwrap_or(0)
}

/// One word, with the space before it.
pub(crate) fn word(seed: u64, topic: usize, voice: u64, number: usize) -> String {
    const SYLLABLES: [&str; 16] = [
        "ka", "lo", "mi", "ten", "ra", "su", "vel", "no", "pi", "dor", "ha", "ze", "\u{e9}", "\"q", "ui",
        "\\n",
    ];
    let drawn = dice::of(seed, &[2, topic as u64, voice, number as u64]);
    let syllable = |shift: u32| SYLLABLES[usize::try_from((drawn >> shift) & 15).unwrap_or(0)];
    let space = if number == 0 { "" } else { " " };
    [space, syllable(0), syllable(4), syllable(8)].concat()
}

/// The whole answer.
#[cfg(test)]
pub(crate) fn text(seed: u64, topic: usize, voice: u64) -> String {
    words(seed, topic, voice).concat()
}

/// All words of the answer.
pub(crate) fn words(seed: u64, topic: usize, voice: u64) -> Vec<String> {
    (0..count(seed, topic)).map(|number| word(seed, topic, voice, number)).collect()
}

/// An answer that calls a tool: the words before the call, and the pieces of its arguments, which together are JSON.
pub(crate) fn with_call(mut words: Vec<String>) -> (Vec<String>, Vec<String>) {
    let said = words.split_off(words.len() / 3);
    let inner = |word: &String| serde_json::to_string(word).unwrap_or_default().trim_matches('"').to_owned();
    let mut pieces = vec!["{\"said\":\"".to_owned()];
    pieces.extend(said.iter().map(inner));
    pieces.push("\"}".to_owned());
    (words, pieces)
}

/// Those of the words that follow on what was handed over. If that is the beginning of them, the rest, to the byte;
/// otherwise as many words as are missing.
pub(crate) fn rest(words: &[String], given: &str) -> Vec<String> {
    let mut left = given;
    let mut used = 0;
    for word in words {
        let Some(after) = left.strip_prefix(word.as_str()) else { break };
        left = after;
        used += 1;
    }
    if left.is_empty() {
        return words[used..].to_vec();
    }
    if let Some(next) = words.get(used).and_then(|word| word.strip_prefix(left)) {
        return std::iter::once(next.to_owned()).chain(words[used + 1..].iter().cloned()).collect();
    }
    let said = given.split(' ').count().min(words.len());
    words[said..].to_vec()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::{count, rest, text, with_call, words};

    #[test]
    fn the_rest_of_an_answer_completes_it_wherever_it_was_cut() {
        for ask in 0..20 {
            let whole = text(7, ask, 0);
            for cut in (0..whole.len()).filter(|at| whole.is_char_boundary(*at)) {
                let (given, behind) = whole.split_at(cut);
                assert_eq!(rest(&words(7, ask, 0), given).concat(), behind, "ask {ask} cut {cut}");
            }
        }
    }

    #[test]
    fn the_arguments_of_a_call_are_json_and_say_the_rest() {
        for topic in 0..50 {
            let (before, pieces) = with_call(words(7, topic, 0));
            let arguments: serde_json::Value = serde_json::from_str(&pieces.concat()).unwrap();
            assert_eq!(before.concat() + arguments["said"].as_str().unwrap(), text(7, topic, 0));
        }
    }

    #[test]
    fn another_voice_says_something_else_of_the_same_length() {
        assert_ne!(text(7, 3, 0), text(7, 3, 1));
        assert_eq!(text(7, 3, 0).split(' ').count(), count(7, 3));
        assert_eq!(text(7, 3, 1).split(' ').count(), count(7, 3));
    }
}
