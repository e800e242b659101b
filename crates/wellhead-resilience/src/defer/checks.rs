//! What must hold for any log. Property tests and the fuzz target share it.

use super::frame::{self, MARK};
use super::{Id, Outbox, Place, Record};
use std::collections::BTreeMap;

/// Takes what was read of one log into an outbox, as a process does when it starts.
pub fn take(outbox: &mut Outbox, segment: u64, log: &[u8]) -> usize {
    let Ok(reader) = frame::read(log) else { return 0 };
    let mut taken = 0;
    for read in reader {
        let place = Place { segment, at: read.body_at, bytes: read.body.len() as u64 };
        outbox.apply(&read.record, place);
        taken += 1;
    }
    taken
}

/// Any bytes: no panic, nothing from outside of them, and what is read is read the same when it is written again.
///
/// # Panics
/// When one of that does not hold.
pub fn any_log(bytes: &[u8]) {
    let marked = [&MARK[..], bytes].concat();
    for log in [bytes, &marked] {
        let Ok(reader) = frame::read(log) else { continue };
        let mut again = MARK.to_vec();
        for read in reader {
            let at = usize::try_from(read.body_at).unwrap_or(usize::MAX);
            assert_eq!(log.get(at..at + read.body.len()), Some(read.body), "a body lies where it is said to");
            if let Ok(head) = frame::write(&read.record, read.body) {
                again.extend_from_slice(&head);
                again.extend_from_slice(read.body);
            }
        }
        let (mut first, mut second) = (Outbox::default(), Outbox::default());
        take(&mut first, 1, log);
        take(&mut second, 1, &again);
        let says = |outbox: &Outbox| outbox.iter().map(|e| (e.request.id, e.word())).collect::<Vec<_>>();
        assert_eq!(says(&first), says(&second), "a log says the same when it is copied");
        balanced(&first);
    }
}

/// The sums are those of the entries, and who waits is in one queue.
///
/// # Panics
/// When they are not.
pub fn balanced(outbox: &Outbox) {
    let mut apps = BTreeMap::new();
    for entry in outbox.iter() {
        let sum: &mut (u64, u64) = apps.entry(entry.request.app.clone()).or_default();
        *sum = (sum.0 + 1, sum.1 + entry.body.bytes);
    }
    for (app, sum) in &apps {
        let usage = outbox.usage(app);
        assert_eq!((usage.requests, usage.bytes), *sum, "what {app} keeps");
    }
    let all = apps.values().fold((0, 0), |all, sum| (all.0 + sum.0, all.1 + sum.1));
    assert_eq!((outbox.total().requests, outbox.total().bytes), all, "what all keep");
}

/// What was promised by the time that the first `bytes` of a log were durable: which requests were accepted, and how
/// those that have ended ended.
pub fn promised(records: &[(Record, usize)], bytes: usize) -> BTreeMap<Id, Option<Record>> {
    let mut promised = BTreeMap::new();
    for (record, _) in records.iter().take_while(|(_, end)| *end <= bytes) {
        match record {
            Record::Accepted(request) => drop(promised.entry(request.id).or_insert(None)),
            Record::Finished { id, .. } => {
                if let Some(end @ None) = promised.get_mut(id) {
                    *end = Some(record.clone());
                }
            }
            _ => {}
        }
    }
    promised
}
