//! Sentences. Plain English with a few signs beyond ASCII, because real answers have them too.

use super::rng::Rng;
use super::text::{Text, count};

const OPENINGS: [&str; 6] = [
    "Here is a short answer about {topic}.",
    "Let me take {topic} step by step.",
    "There are a few things worth knowing about {topic}.",
    "Good question: {topic} is simpler than it looks.",
    "In short, {topic} comes down to a handful of ideas.",
    "A practical way to look at {topic} is to start small.",
];

const SENTENCES: [&str; 20] = [
    " Begin with the part that you understand best and work outwards.",
    " Most of the difficulty sits in the details, not in the idea.",
    " Measure first — a guess is rarely as good as a number.",
    " When two options look equal, take the one that is easier to undo.",
    " It helps to write down what must never happen.",
    " A café is as good a place as any to sketch the first version.",
    " The usual mistake is to solve tomorrow's problem today.",
    " If something fails, make sure that it fails loudly and early.",
    " Small steps, checked often, add up faster than one big leap.",
    " Other people have met the same question; their notes are worth an hour.",
    " Keep the names short and the reasons long.",
    " What looks naïve at first often turns out to be robust.",
    " Try it with a tiny example before you trust it with a large one.",
    " Cause → effect is the only order in which it makes sense.",
    " Ask who depends on the result, and tell them before you change it.",
    " The second attempt is usually half as long and twice as clear.",
    " Whatever you choose, leave a way back.",
    " Time spent on a good test is never wasted.",
    " Remember that a slow answer can be worse than no answer.",
    " Then stop, look at the whole, and remove what is not needed.",
];

const PRACTICE: &str = "Hello from the practice provider. I am not a real model: I come with Wellhead, so that you can \
try everything before you connect one. You wrote about {topic}, and your request went through the whole gateway to \
reach me — key check, routing, limits, the access record — just as it would on its way to a vendor. Wellhead stands \
between your applications and the models that they depend on. When a provider refuses, hangs, or breaks off, it tries \
the next target within the deadline of the request, and tells you afterwards what happened. Practise that now: ask for \
the model \"practice+status-503\" to see a failing provider, \"practice+slow-tokens-300\" for a slow one, or \
\"practice+cut-after-5\" for an answer that breaks off. When you are ready, add a real provider to your configuration.";

/// A few words of what was said, for the answer to talk about.
fn topic(said: &str) -> String {
    let words: Vec<&str> =
        said.split(|sign: char| !sign.is_alphanumeric() && sign != '\'').filter(|w| !w.is_empty()).collect();
    // The last words of a question carry its subject more often than the first.
    let from = words.len().saturating_sub(4);
    match words.get(from..).unwrap_or(&[]) {
        [] => "this".to_owned(),
        some => some.join(" ").to_lowercase(),
    }
}

/// What the practice model says.
pub(crate) fn practice(said: &str) -> Text {
    Text::new(PRACTICE.replace("{topic}", &format!("\u{201c}{}\u{201d}", topic(said))))
}

/// An answer of exactly `tokens` tokens.
pub(crate) fn prose(said: &str, tokens: usize, rng: &mut Rng) -> Text {
    let mut text = rng.pick(&OPENINGS).replace("{topic}", &topic(said));
    let mut have = count(&text);
    while have < tokens as u64 {
        let sentence = rng.pick(&SENTENCES);
        text.push_str(sentence);
        have += count(sentence);
    }
    let mut text = Text::new(text);
    if text.truncate(tokens.saturating_sub(1)) && tokens > 0 {
        // The cut may have left half a sentence; a full stop makes it one, and the count right.
        return Text::new(format!("{}.", text.as_str()));
    }
    text
}

/// What a reasoning model thinks first.
pub(crate) fn thoughts(said: &str, rng: &mut Rng) -> Text {
    let second = rng.pick(&SENTENCES);
    Text::new(format!("The user wants to hear about {}.{second} I will keep the answer short.", topic(said)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
    use super::*;

    #[test]
    fn an_answer_has_exactly_the_tokens_that_were_asked_for() {
        for tokens in [0, 1, 2, 5, 17, 48, 1000] {
            for seed in 0..20 {
                let text = prose("how do gateways work?", tokens, &mut Rng::new(seed));
                assert_eq!(text.len(), tokens, "seed {seed}: {}", text.as_str());
                assert_eq!(count(text.as_str()), tokens as u64);
            }
        }
    }

    #[test]
    fn the_practice_model_says_what_it_is_and_how_to_practise() {
        let text = practice("Say hello to the world!");
        for part in
            ["practice provider", "Wellhead", "\u{201c}hello to the world\u{201d}", "practice+cut-after-5"]
        {
            assert!(text.as_str().contains(part), "{part}");
        }
        for model in text.as_str().split('"').filter(|part| part.starts_with("practice+")) {
            let (_, faults) = model.split_once('+').unwrap();
            faults.parse::<crate::Faults>().unwrap();
        }
    }
}
