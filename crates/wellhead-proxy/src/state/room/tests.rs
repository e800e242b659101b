#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
//! Nobody oversleeps: whatever happens in the room, somebody who waits knows when the next call is due.

use super::{Called, Inner, Slot, Ticket, WaitingRoom};
use std::sync::Arc;
use tokio::sync::Notify;
use wellhead_resilience::fair::Class;
use wellhead_resilience::hold::{Guest, Hold, Left, WAITERS_MAX};
use wellhead_resilience::{Nanos, Rng, SECOND};
use wellhead_types::Name;

fn enter(inner: &mut Inner, rng: &mut Rng, now: Nanos) -> Option<Ticket> {
    let route: Name = if rng.below(2) == 0 { "a" } else { "b" }.into();
    let tenant: Name = if rng.below(2) == 0 { "x" } else { "y" }.into();
    let until = now + 1 + rng.below(5 * SECOND);
    let recovery = (rng.below(4) > 0).then(|| now + rng.below(3 * SECOND));
    let class = Class::ALL[usize::try_from(rng.below(4)).unwrap()];
    let guest = Guest { tenant, class, tokens: rng.below(5_000), bytes: 1 };
    let for_room = rng.below(3) == 0;
    let ticket = inner.room.enter((route, rng.below(2)), guest, until, recovery, for_room, now)?;
    inner.slots.insert(ticket, Slot { notify: Arc::new(Notify::new()), waits: true, called: Called::Turn });
    Some(ticket)
}

#[test]
fn somebody_who_waits_always_keeps_the_time() {
    for seed in 0..2_000 {
        let (mut inner, mut rng, mut now) = (Inner::new(), Rng::new(seed), SECOND);
        let mut inside: Vec<Ticket> = Vec::new();
        for _ in 0..120 {
            let one = (!inside.is_empty()).then(|| usize::try_from(rng.below(inside.len() as u64)).unwrap());
            match (rng.below(6), one) {
                (0 | 1, _) => inside.extend(enter(&mut inner, &mut rng, now)),
                (2, Some(i)) => {
                    let left = match rng.below(3) {
                        0 => Left::Answered,
                        1 => Left::Failed { recovery: Some(now + rng.below(SECOND)) },
                        _ => Left::Gone,
                    };
                    inner.leave(inside.swap_remove(i), left);
                }
                (3, Some(i)) if !inner.slots[&inside[i]].waits => {
                    let for_room = rng.below(3) == 0;
                    inner.again(
                        inside[i],
                        now + 1 + rng.below(SECOND),
                        now + rng.below(SECOND),
                        for_room,
                        now,
                    );
                }
                (4, _) if rng.below(2) == 0 => inner.room.open_all(now),
                (4, _) => inner.room.open_crowds(now),
                _ => now += rng.below(SECOND),
            }
            inner.pump(now);
            let Some(next) = inner.room.next_poll(now) else { continue };
            let (ticket, at) = inner.keeper.unwrap_or_else(|| panic!("seed {seed}: nobody keeps the time"));
            assert!(inner.slots[&ticket].waits, "seed {seed}: the keeper is not there");
            assert!(now < next && at <= next, "seed {seed}: {at} is too late for {next}");
            assert!(now < at, "seed {seed}: at {now} the keeper does not sleep but spins: {at} is past");
        }
        // Left alone, everybody is called in the end.
        while let Some(next) = inner.room.next_poll(now) {
            now = now.max(next);
            inner.pump(now);
        }
        assert!(inner.slots.values().all(|slot| !slot.waits), "seed {seed}");
    }
}

/// A room that is full of those who can be spared.
fn full() -> WaitingRoom {
    let room = WaitingRoom::default();
    let mut inner = room.lock();
    for i in 0..WAITERS_MAX {
        let guest =
            Guest { tenant: format!("t{i}").as_str().into(), class: Class::Bulk, tokens: 1, bytes: 1 };
        let ticket = inner.room.enter(("m".into(), 1), guest, 9 * SECOND, None, false, SECOND).unwrap();
        let slot = Slot { notify: Arc::new(Notify::new()), waits: true, called: Called::Turn };
        inner.slots.insert(ticket, slot);
    }
    drop(inner);
    room
}

fn told(room: &WaitingRoom) -> Vec<Called> {
    room.lock().slots.values().filter(|slot| !slot.waits).map(|slot| slot.called).collect()
}

#[test]
fn whoever_does_not_wait_anyway_pushes_nobody_out_and_who_is_pushed_out_hears_it_at_once() {
    let important = Guest { tenant: "x".into(), class: Class::Critical, tokens: 1, bytes: 1 };
    let room = full();
    for no in [Hold::TooShort { recovery: None }, Hold::TooLong { recovery: None }] {
        assert_eq!(room.decide(&important, SECOND, |_| no), no);
        assert_eq!(room.lock().room.held().0, WAITERS_MAX, "{no:?}");
        assert_eq!(told(&room), []);
    }
    let decide = |view: wellhead_resilience::hold::RoomView| {
        if view.has_place { Hold::Wait { until: 9 * SECOND } } else { Hold::Full { recovery: None } }
    };
    assert_eq!(room.decide(&important, SECOND, decide), Hold::Wait { until: 9 * SECOND });
    assert_eq!(room.lock().room.held().0, WAITERS_MAX - 1);
    assert_eq!(told(&room), [Called::Shed]);
    let unimportant = Guest { class: Class::Bulk, ..important };
    let room = full();
    assert_eq!(room.decide(&unimportant, SECOND, decide), Hold::Full { recovery: None });
    assert_eq!(told(&room), []);
}
