use super::{accept, accepted, back, end, start};
use crate::defer::checks::balanced;
use crate::defer::{Delivered, Full, How, Id, Limits, Outbox, Place, Record, Reserve};
use wellhead_types::Name;

const LIMITS: Limits = Limits { requests_max: 4, bytes_max: 400, app_requests_max: 3, app_bytes_max: 300 };

fn at(bytes: u64) -> Place {
    Place { segment: 1, at: 8, bytes }
}

fn outbox(records: &[Record]) -> Outbox {
    let mut outbox = Outbox::default();
    for record in records {
        outbox.apply(record, at(10));
    }
    balanced(&outbox);
    outbox
}

fn order(outbox: &mut Outbox, model: &str) -> Vec<u128> {
    std::iter::from_fn(|| outbox.next(&model.into())).map(|id| id.0).collect()
}

#[test]
fn an_app_is_served_in_the_order_in_which_it_asked_and_apps_take_turns() {
    let mut all = outbox(&[
        accept(1, "a", "m"),
        accept(2, "a", "m"),
        accept(3, "a", "m"),
        accept(4, "b", "m"),
        accept(5, "c", "other"),
        accept(6, "b", "m"),
    ]);
    assert_eq!(order(&mut all, "m"), [1, 4, 2, 6, 3]);
    assert_eq!(order(&mut all, "other"), [5]);
    assert_eq!(all.models().count(), 0, "all are claimed");
}

#[test]
fn who_comes_back_is_first_again_until_it_has_failed_three_times_while_others_were_answered() {
    let mut records = vec![accept(1, "a", "m"), accept(2, "a", "m")];
    // An outage: everybody fails, and the order stays.
    for _ in 0..9 {
        records.extend([start(1), back(1, true)]);
    }
    assert_eq!(order(&mut outbox(&records), "m"), [1, 2]);
    for other in 11..14 {
        assert_eq!(order(&mut outbox(&records), "m"), [1, 2]);
        records.extend([accept(other, "b", "m"), start(other), end(other, How::Completed, 200)]);
        records.extend([start(1), back(1, true)]);
    }
    assert_eq!(order(&mut outbox(&records), "m"), [2, 1]);
}

#[test]
fn what_has_ended_never_runs_again_and_keeps_its_first_end() {
    let mut all = outbox(&[accept(1, "a", "m"), start(1), end(1, How::Completed, 200)]);
    for again in [accept(1, "a", "m"), start(1), back(1, true), end(1, How::Failed, 500)] {
        assert!(!all.apply(&again, at(99)), "{again:?}");
    }
    assert_eq!(all.get(Id(1)).unwrap().end().unwrap().status, 200);
    assert!(all.next(&"m".into()).is_none() && !all.claim(Id(1)));
    all.recover();
    assert!(all.next(&"m".into()).is_none());
}

#[test]
fn who_was_running_at_a_death_waits_with_a_doubt_and_a_certain_failure_does_not_clear_it() {
    let mut all = outbox(&[accept(1, "a", "m"), start(1), accept(2, "a", "m")]);
    all.recover();
    assert_eq!(all.get(Id(1)).unwrap().doubt.as_deref(), Some("p/m"));
    assert_eq!(all.get(Id(2)).unwrap().doubt, None);
    all.apply(&start(1), at(0));
    all.apply(&back(1, true), at(0));
    assert_eq!(all.get(Id(1)).unwrap().doubt.as_deref(), Some("p/m"));
    assert_eq!(order(&mut all, "m"), [1, 2]);
}

#[test]
fn a_doubt_outlives_a_second_death() {
    let started = |doubt: Option<&str>| Record::Started {
        id: Id(1),
        at_ms: 2_000,
        target: "p/m".into(),
        doubt: doubt.map(Name::from),
    };
    // It is asked, the process dies; it is asked again in doubt and refused; the process dies once more, and all of this
    // is read at once.
    let mut all = outbox(&[accept(1, "a", "m"), started(None), started(Some("p/m")), back(1, true)]);
    all.recover();
    assert_eq!(all.get(Id(1)).unwrap().doubt.as_deref(), Some("p/m"));
}

#[test]
fn a_claim_is_exclusive_and_can_be_given_back() {
    let mut all = outbox(&[accept(1, "a", "m")]);
    assert!(all.claim(Id(1)) && !all.claim(Id(1)));
    assert!(all.next(&"m".into()).is_none());
    all.release(Id(1));
    assert_eq!(all.next(&"m".into()), Some(Id(1)));
    // The record that it was claimed for ends the claim.
    all.apply(&start(1), at(0));
    all.apply(&back(1, true), at(0));
    assert!(all.claim(Id(1)));
}

#[test]
fn the_same_key_is_the_same_request_and_for_another_one_a_conflict() {
    let (mut all, app): (Outbox, Name) = (Outbox::default(), "a".into());
    assert_eq!(all.reserve(Id(1), &app, Some(("k", "d")), 10, &LIMITS), Reserve::New(1));
    assert_eq!(all.reserve(Id(2), &app, Some(("k", "d")), 10, &LIMITS), Reserve::Busy);
    assert_eq!(all.reserve(Id(3), &app, Some(("k", "e")), 10, &LIMITS), Reserve::Conflict);
    let keyed = accepted(1, "a", "m");
    let keyed = crate::defer::Accepted { key: Some("k".to_owned()), digest: "d".to_owned(), ..keyed };
    all.apply(&Record::Accepted(Box::new(keyed)), at(10));
    balanced(&all);
    assert_eq!(all.reserve(Id(4), &app, Some(("k", "d")), 10, &LIMITS), Reserve::Same(Id(1)));
    assert_eq!(all.reserve(Id(5), &app, Some(("k", "e")), 10, &LIMITS), Reserve::Conflict);
    assert!(matches!(all.reserve(Id(6), &"b".into(), Some(("k", "e")), 10, &LIMITS), Reserve::New(_)));
    // It is one request for as long as it is kept.
    all.apply(&end(1, How::Completed, 200), at(5));
    assert_eq!(all.reserve(Id(7), &app, Some(("k", "d")), 10, &LIMITS), Reserve::Same(Id(1)));
    assert_eq!((all.forget(89_999), all.forget(90_000)), (0, 1));
    assert!(matches!(all.reserve(Id(8), &app, Some(("k", "e")), 10, &LIMITS), Reserve::New(_)));
}

#[test]
fn each_limit_is_kept_by_reservations_too_and_what_is_abandoned_counts_no_more() {
    let (a, b): (Name, Name) = ("a".into(), "b".into());
    let mut all = Outbox::default();
    for id in 1..=3 {
        assert!(matches!(all.reserve(Id(id), &a, None, 10, &LIMITS), Reserve::New(_)));
    }
    assert_eq!(all.reserve(Id(4), &a, None, 10, &LIMITS), Reserve::Full(Full::AppRequests));
    assert!(matches!(all.reserve(Id(4), &b, None, 10, &LIMITS), Reserve::New(_)));
    assert_eq!(all.reserve(Id(5), &b, None, 10, &LIMITS), Reserve::Full(Full::Requests));
    all.abandon(Id(1));
    assert_eq!(all.reserve(Id(5), &b, None, 301, &LIMITS), Reserve::Full(Full::AppBytes));
    assert!(matches!(all.reserve(Id(5), &b, None, 290, &LIMITS), Reserve::New(_)));
    all.abandon(Id(2));
    assert_eq!(all.reserve(Id(6), &a, None, 91, &LIMITS), Reserve::Full(Full::Bytes));
}

#[test]
fn a_result_takes_the_place_of_its_request_in_the_sums() {
    let mut all = outbox(&[accept(1, "a", "m")]);
    all.apply(&end(1, How::Completed, 200), at(70));
    balanced(&all);
    assert_eq!(all.total().bytes, 70);
    all.forget(u64::MAX);
    assert_eq!((all.total(), all.usage(&"a".into())), Default::default());
}

#[test]
fn owners_are_told_until_it_is_taken_or_given_up() {
    let Record::Finished { id, end: mut told } = end(1, How::Completed, 200) else { panic!() };
    told.notify = true;
    let mut all = outbox(&[accept(1, "a", "m"), Record::Finished { id, end: told }, accept(2, "a", "m")]);
    assert_eq!(all.to_tell(0, 8), (vec![Id(1)], None));
    let said = |next_ms, taken| Delivered { tries: 1, next_ms, taken, last: "500".to_owned() };
    all.apply(&Record::Delivered { id, delivery: said(Some(7_000), false) }, at(0));
    assert_eq!(all.to_tell(6_999, 8), (vec![], Some(7_000)));
    assert_eq!(all.to_tell(7_000, 8), (vec![Id(1)], None));
    all.apply(&Record::Delivered { id, delivery: said(None, true) }, at(0));
    assert_eq!(all.to_tell(u64::MAX, 8), (vec![], None));
}

#[test]
fn only_what_waits_expires() {
    let mut all = outbox(&[accept(1, "a", "m"), accept(2, "a", "m"), start(2), accept(3, "a", "m")]);
    all.apply(&end(3, How::Cancelled, 0), at(0));
    assert_eq!(all.expired(49_999), []);
    assert_eq!(all.expired(50_000), [Id(1)]);
}
