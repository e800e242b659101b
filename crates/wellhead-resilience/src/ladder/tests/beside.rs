//! Two attempts of one request at the same time.

use super::{FREE, failure, open, refused};
use crate::SECOND;
use crate::breaker::Class;
use crate::ladder::{Effect, End, Event, Ladder, TargetView};
use wellhead_types::{Cause, Retry, Rung, Scope};

fn started(targets: usize, view: &dyn Fn(usize) -> TargetView, attempts_max: u32) -> Ladder {
    let mut ladder = Ladder::new(0, 60 * SECOND, attempts_max, 1);
    assert_eq!(ladder.step(Event::Start, targets, view, 0), Effect::Send(0));
    ladder
}

fn other_tiers(i: usize) -> TargetView {
    TargetView { tier: u8::try_from(i).unwrap(), ..FREE }
}

#[test]
fn the_second_goes_to_the_best_of_the_others_and_counts() {
    let mut ladder = started(3, &other_tiers, 6);
    assert_eq!(ladder.beside(0, 3, &other_tiers, 1), Some(1));
    assert_eq!(ladder.attempts(), 2);
    let mut ladder = started(3, &other_tiers, 6);
    ladder.exclude(1);
    assert_eq!(ladder.beside(0, 3, &other_tiers, 1), Some(2));
}

#[test]
fn nobody_is_asked_beside_who_rests_has_no_key_or_would_be_probed() {
    let unwilling = [
        open(9 * SECOND),
        TargetView { class: Class::Due, rests_until: Some(0), ..FREE },
        TargetView { key_free_at: Some(9 * SECOND), ..FREE },
        TargetView { room_at: Some(9 * SECOND), ..FREE },
    ];
    for other in unwilling {
        let view = |i: usize| if i == 0 { FREE } else { TargetView { tier: 1, ..other } };
        let mut ladder = started(2, &view, 6);
        assert_eq!(ladder.beside(0, 2, &view, 1), None, "{other:?}");
        assert!(!ladder.has_willing(0, 2, &view, 1));
        assert_eq!(ladder.attempts(), 1);
    }
    let mut alone = started(1, &|_| FREE, 6);
    assert_eq!(alone.beside(0, 1, &|_| FREE, 1), None);
}

#[test]
fn neither_the_number_of_attempts_nor_the_deadline_is_exceeded() {
    let mut ladder = started(2, &other_tiers, 1);
    assert_eq!(ladder.beside(0, 2, &other_tiers, 1), None);
    let mut ladder = started(2, &other_tiers, 6);
    assert_eq!(ladder.beside(0, 2, &other_tiers, 60 * SECOND - 1), None);
    let mut ladder = started(3, &other_tiers, 2);
    assert_eq!(ladder.beside(0, 3, &other_tiers, 1), Some(1));
    ladder.failed_beside(0, &refused(), &other_tiers, 2);
    let end = ladder.step(Event::Failed(1, &refused()), 3, &other_tiers, 3);
    assert!(matches!(end, Effect::GiveUp(End::NoHealthyUpstream { .. })), "{end:?}");
}

#[test]
fn the_first_answers_on_the_rung_that_it_was_sent_on_and_after_both_the_ladder_goes_on() {
    let mut ladder = started(3, &other_tiers, 6);
    assert_eq!(ladder.beside(0, 3, &other_tiers, 1), Some(1));
    let silent = failure(Cause::FirstTokenTimeout, Scope::Endpoint, Retry::Elsewhere);
    ladder.failed_beside(1, &silent, &other_tiers, 2);
    assert_eq!(ladder.step(Event::Failed(0, &refused()), 3, &other_tiers, 3), Effect::Send(2));
    assert_eq!((ladder.attempts(), ladder.rung()), (3, Rung::FailedOver));
    assert!(!ladder.has_alternative(2, 0, &other_tiers), "the silent one is never asked again");
}

#[test]
fn what_could_not_be_sent_is_no_attempt() {
    let mut ladder = started(2, &other_tiers, 6);
    assert_eq!(ladder.beside(0, 2, &other_tiers, 1), Some(1));
    ladder.unsent(1);
    assert_eq!(ladder.attempts(), 1);
    assert_eq!(ladder.beside(0, 2, &other_tiers, 1), None, "it was missed");
}
