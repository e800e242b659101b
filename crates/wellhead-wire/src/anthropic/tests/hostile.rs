//! What the fuzz target checks, with bodies that begin as real ones: whole, cut, and with pieces swapped.

use crate::checks::anthropic_codec;

const SAMPLES: [&str; 3] =
    [include_str!("request_full.json"), include_str!("answer_full.json"), include_str!("stream_full.txt")];

/// Words that change what the text around them means.
const WORDS: [&str; 12] = [
    "null",
    "\"text\"",
    "\"tool_use\"",
    "\"thinking\"",
    "{}",
    "[]",
    "-1",
    "\"\"",
    "\n\n",
    "message_start",
    "content_block_stop",
    "18446744073709551616",
];

#[test]
fn changed_bodies_and_streams_are_refused_or_read() {
    let mut seed = 7_u64;
    let mut roll = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    for sample in SAMPLES {
        anthropic_codec(1, sample.as_bytes());
        for round in 0..400 {
            let mut text = sample.to_owned();
            for _ in 0..=roll(3) {
                let from = text.floor_char_boundary(roll(text.len().max(1)));
                let to = text.floor_char_boundary((from + roll(60)).min(text.len()));
                let word = WORDS[roll(WORDS.len())];
                match roll(4) {
                    0 => text.truncate(from.max(1)),
                    1 => text.replace_range(from..to, ""),
                    2 => text.insert_str(from, word),
                    // A whole value: from one quote to the next.
                    _ => {
                        let Some(start) = text[from..].find('"').map(|at| from + at) else { continue };
                        let Some(end) = text[start + 1..].find('"').map(|at| start + at + 2) else {
                            continue;
                        };
                        text.replace_range(start..end, word);
                    }
                }
            }
            naming_the_text(round, &text, || anthropic_codec(u64::try_from(round).unwrap(), text.as_bytes()));
        }
    }
}

/// A failing text is worth more than its number.
fn naming_the_text(round: usize, text: &str, check: impl FnOnce() + std::panic::UnwindSafe) {
    if let Err(panic) = std::panic::catch_unwind(check) {
        let why = panic.downcast_ref::<String>().cloned().unwrap_or_default();
        panic!("round {round}: {why}\n{text}");
    }
}
