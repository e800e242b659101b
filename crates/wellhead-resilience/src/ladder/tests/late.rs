//! A stream that nobody else could answer when it was asked for.

use super::{FREE, failure, open};
use crate::breaker::Class;
use crate::ladder::late::{Late, look};
use crate::ladder::{Effect, Event, Ladder, TargetView};
use crate::{MILLI, SECOND};
use wellhead_types::{Cause, Retry, Scope};

const DEADLINE: u64 = 10 * SECOND;

#[test]
fn it_is_left_as_soon_as_somebody_works_and_not_before() {
    let others = 0b10;
    let back_at = 5 * SECOND;
    let view = |now| {
        move |i: usize| match i {
            1 if now < back_at => open(back_at),
            1 => TargetView { class: Class::Unknown, ..FREE },
            _ => FREE,
        }
    };
    let mut now = 3 * SECOND;
    let left_at = loop {
        match look(others, &view(now), now, DEADLINE) {
            Late::Until(next) => {
                assert!(next > now && next < DEADLINE);
                now = next;
            }
            Late::Leave => break now,
            Late::Stay => panic!("somebody works from {back_at} on"),
        }
    };
    assert!((back_at..=back_at + SECOND).contains(&left_at), "{left_at}");
}

#[test]
fn it_is_not_left_for_one_that_is_down_has_no_key_or_no_room() {
    let unwilling = [
        open(DEADLINE),
        TargetView { class: Class::Due, rests_until: Some(0), ..FREE },
        TargetView { class: Class::Suspect, ..FREE },
        TargetView { key_free_at: Some(DEADLINE), ..FREE },
        TargetView { room_at: Some(DEADLINE), ..FREE },
    ];
    for other in unwilling {
        let next = look(0b10, &|_| other, 3 * SECOND, DEADLINE);
        assert_eq!(next, Late::Until(4 * SECOND), "{other:?}");
        assert_eq!(look(0b10, &|_| other, DEADLINE - SECOND, DEADLINE), Late::Stay, "{other:?}");
    }
    assert_eq!(look(0b10, &|_| FREE, DEADLINE - 10 * MILLI, DEADLINE), Late::Stay, "no time is left");
}

#[test]
fn who_was_silent_or_cannot_answer_is_nobody_to_go_to() {
    let mut ladder = Ladder::new(0, DEADLINE, 6, 1);
    ladder.exclude(2);
    let view = |i: usize| TargetView { tier: u8::try_from(i).unwrap(), ..FREE };
    assert_eq!(ladder.step(Event::Start, 4, &view, 0), Effect::Send(0));
    assert_eq!(ladder.others(4, 0), 0b1010);
    let silent = failure(Cause::FirstTokenTimeout, Scope::Endpoint, Retry::Elsewhere);
    assert_eq!(ladder.step(Event::Failed(0, &silent), 4, &view, 1), Effect::Send(1));
    assert_eq!(ladder.others(4, 1), 0b1000);
}
