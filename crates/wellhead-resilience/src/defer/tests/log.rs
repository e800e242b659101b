use super::{accept, back, end, start};
use crate::Rng;
use crate::defer::checks::{any_log, balanced, promised, take};
use crate::defer::frame::{self, MARK};
use crate::defer::{Entry, How, Id, Outbox, Record, State};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// A log as a process writes it that accepts, asks, fails and ends at random, dies now and then and moves requests.
fn history(seed: u64, steps: usize) -> (Vec<u8>, Vec<(Record, usize)>) {
    let mut rng = Rng::new(seed);
    let mut below = |bound: u16| u16::try_from(rng.below(bound.into())).unwrap();
    let (mut log, mut records) = (MARK.to_vec(), Vec::new());
    let mut outbox = Outbox::default();
    let mut ids = 0_u16;
    for _ in 0..steps {
        let some = u128::from(below(ids + 1));
        let running = outbox.get(Id(some)).is_some_and(Entry::is_running);
        let record = match below(8) {
            0..=2 => {
                ids += 1;
                accept(u128::from(ids), ["a", "b"][usize::from(below(2))], ["m", "n"][usize::from(below(2))])
            }
            3 => start(some),
            4 if running => back(some, below(2) == 0),
            5 if running => end(some, How::Completed, 200 + below(90)),
            6 => match outbox.get(Id(some)) {
                Some(entry) => Record::Moved(Box::new(entry.clone())),
                None => continue,
            },
            _ => {
                // The process dies and starts again.
                outbox.recover();
                continue;
            }
        };
        let body = vec![below(256).to_be_bytes()[1]; usize::from(below(300))];
        log.extend_from_slice(&frame::write(&record, &body).unwrap());
        log.extend_from_slice(&body);
        let place =
            crate::defer::Place { segment: 1, at: (log.len() - body.len()) as u64, bytes: body.len() as u64 };
        outbox.apply(&record, place);
        records.push((record, log.len()));
    }
    (log, records)
}

/// What is found in a log is exactly what was promised by then: nothing is lost, nothing ends twice or otherwise.
fn keeps(log: &[u8], promises: &std::collections::BTreeMap<Id, Option<Record>>) {
    let mut outbox = Outbox::default();
    take(&mut outbox, 1, log);
    outbox.recover();
    balanced(&outbox);
    let found: BTreeSet<Id> = outbox.iter().map(|entry| entry.request.id).collect();
    assert_eq!(found, promises.keys().copied().collect::<BTreeSet<_>>(), "who was accepted");
    for (id, promise) in promises {
        let entry = outbox.get(*id).unwrap();
        match promise {
            Some(Record::Finished { end, .. }) => assert_eq!(entry.end(), Some(&**end), "{id}"),
            _ => assert_eq!(entry.state, State::Queued, "{id} waits"),
        }
    }
    // Who waits is handed out once, and nobody else.
    let waiting: BTreeSet<Id> = outbox.iter().filter(|e| e.end().is_none()).map(|e| e.request.id).collect();
    let mut handed = BTreeSet::new();
    for model in ["m".into(), "n".into()] {
        while let Some(id) = outbox.next(&model) {
            assert!(handed.insert(id), "{id} is handed out twice");
        }
    }
    assert_eq!(handed, waiting);
}

proptest! {
    #[test]
    fn any_prefix_of_a_log_keeps_what_was_promised_by_then(seed: u64, steps in 1_usize..60, cut: prop::sample::Index) {
        let (log, records) = history(seed, steps);
        let bytes = cut.index(log.len() + 1);
        keeps(&log[..bytes], &promised(&records, bytes));
    }

    #[test]
    fn a_torn_tail_of_any_bytes_changes_nothing(seed: u64, steps in 1_usize..40, tail: Vec<u8>, zeros in 0_usize..64) {
        let (log, records) = history(seed, steps);
        let torn = [&log[..], &tail, &vec![0; zeros]].concat();
        keeps(&torn, &promised(&records, log.len()));
    }

    #[test]
    fn a_flipped_bit_is_no_other_record(seed: u64, steps in 1_usize..20, at: prop::sample::Index, bit in 0_u8..8) {
        let (mut log, records) = history(seed, steps);
        prop_assume!(log.len() > MARK.len());
        let at = MARK.len() + at.index(log.len() - MARK.len());
        log[at] ^= 1 << bit;
        // As text, because places are not part of it.
        let text = |record: &Record| serde_json::to_string(record).unwrap();
        let written: Vec<String> = records.iter().map(|(record, _)| text(record)).collect();
        let read: Vec<String> = frame::read(&log).unwrap().map(|read| text(&read.record)).collect();
        prop_assert!(read.len() < written.len());
        let mut rest = written.iter();
        for record in &read {
            prop_assert!(rest.any(|written| written == record), "a record that nobody wrote: {record}");
        }
    }

    #[test]
    fn any_bytes_are_read_without_harm(bytes: Vec<u8>) {
        any_log(&bytes);
    }

    #[test]
    fn written_logs_are_read_without_harm(seed: u64, steps in 1_usize..30) {
        any_log(&history(seed, steps).0);
    }
}

#[test]
fn every_single_byte_may_be_the_last() {
    let (log, records) = history(7, 24);
    for bytes in 0..=log.len() {
        keeps(&log[..bytes], &promised(&records, bytes));
    }
}

#[test]
fn a_log_of_another_version_is_refused_and_one_that_was_not_begun_is_empty() {
    let mut newer = MARK;
    newer[7] = 2;
    assert!(frame::read(&newer).is_err() && frame::read(b"something else").is_err());
    for begun in 0..MARK.len() {
        assert_eq!(frame::read(&MARK[..begun]).map(Iterator::count), Ok(0));
    }
}

#[test]
fn a_damaged_record_between_others_is_left_out_alone() {
    let mut log = MARK.to_vec();
    let mut damaged_at = 0;
    for id in 1..=3 {
        log.extend_from_slice(&frame::write(&accept(id, "a", "m"), b"body").unwrap());
        damaged_at = if id == 2 { log.len() } else { damaged_at };
        log.extend_from_slice(b"body");
    }
    log[damaged_at] ^= 1;
    let mut reader = frame::read(&log).unwrap();
    let ids: Vec<_> = reader
        .by_ref()
        .map(|read| match read.record {
            Record::Accepted(request) => request.id.0,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!((ids, reader.damaged(), reader.torn()), (vec![1, 3], 1, 0));
}
