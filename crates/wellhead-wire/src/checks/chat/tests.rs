#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::{Can, answer, events, folded, request};
use crate::chat::{Answer, Message, Part, Role, Source, StopKind};
use std::collections::HashSet;

const SEEDS: u64 = 1500;

fn parts_of(messages: &[Message]) -> impl Iterator<Item = &Part> {
    messages.iter().flat_map(|message| &message.parts)
}

#[test]
fn the_same_seed_says_the_same_and_another_one_something_else() {
    let all = (request(7, &Can::ALL), answer(7, &Can::ALL), events(7, &Can::ALL));
    assert_eq!(all, (request(7, &Can::ALL), answer(7, &Can::ALL), events(7, &Can::ALL)));
    assert!(all.0 != request(8, &Can::ALL) && all.1 != answer(8, &Can::ALL));
}

#[test]
fn a_stream_says_what_its_answer_says() {
    for seed in 0..SEEDS {
        let whole = Answer { service_tier: None, ..answer(seed, &Can::ALL) };
        assert_eq!(folded(events(seed, &Can::ALL)), whole, "seed {seed}");
    }
}

#[test]
fn results_answer_the_calls_before_them() {
    for can in [Can::ALL, Can { tools: true, parallel_calls: true, ..Can::NONE }] {
        for seed in 0..SEEDS {
            let messages = request(seed, &can).messages;
            for (at, message) in messages.iter().enumerate() {
                assert!(!message.parts.is_empty(), "seed {seed}");
                let calls: Vec<&str> = message
                    .parts
                    .iter()
                    .filter_map(|part| if let Part::ToolCall(call) = part { Some(&*call.id) } else { None })
                    .collect();
                let next = messages.get(at + 1).filter(|next| next.role == Role::Tool);
                let results: Vec<&str> = next
                    .iter()
                    .flat_map(|next| &next.parts)
                    .map(|part| {
                        if let Part::ToolResult(result) = part {
                            &*result.call_id
                        } else {
                            panic!("{part:?}")
                        }
                    })
                    .collect();
                assert_eq!(calls, results, "seed {seed}");
            }
            let ids: Vec<&str> = parts_of(&messages)
                .filter_map(|part| if let Part::ToolCall(call) = part { Some(&*call.id) } else { None })
                .collect();
            assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "seed {seed}: ids are unique");
        }
    }
}

#[test]
fn everything_appears_that_is_allowed_and_nothing_else() {
    let mut kinds = HashSet::new();
    let (mut stops, mut sources, mut roles) = (HashSet::new(), HashSet::new(), HashSet::new());
    for seed in 0..SEEDS {
        let request = request(seed, &Can::ALL);
        for message in &request.messages {
            roles.insert(message.role);
        }
        for part in parts_of(&request.messages) {
            kinds.insert(std::mem::discriminant(part));
            if let Part::Document { media, .. } | Part::Image { media, .. } = part {
                sources.insert(std::mem::discriminant::<Source>(&media.source));
            }
        }
        stops.extend(
            answer(seed, &Can::ALL).candidates.iter().map(|candidate| candidate.stop.as_ref().unwrap().kind),
        );
        let plain = super::request(seed, &Can::NONE);
        assert!(
            parts_of(&plain.messages)
                .all(|part| matches!(part, Part::Text { cache: None, opaque: None, .. }))
        );
        assert!(plain.messages.windows(2).all(|pair| pair[0].role != pair[1].role), "seed {seed}");
        let bare = crate::chat::Request {
            model: plain.model.clone(),
            messages: plain.messages.clone(),
            ..Default::default()
        };
        assert_eq!(plain, bare, "seed {seed}");
        for candidate in answer(seed, &Can::NONE).candidates {
            assert!(matches!(candidate.parts[..], [Part::Text { .. }]));
            assert_eq!(candidate.stop.unwrap().kind, StopKind::End);
        }
    }
    assert_eq!((kinds.len(), stops.len(), sources.len(), roles.len()), (9, Can::ALL.stops.len(), 4, 5));
}
