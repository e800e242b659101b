#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
//! Promises of tiers and last light (survival.md sections 1.8, 2 and R5).

use super::last_light::{ALLOWED_MAX, Candidate, LEASE, PAUSE, nearest};
use super::{LastLight, TIERS_MAX, Tier, WHOLE, shares};
use crate::{Rng, SECOND};

fn of(tiers: &[(u32, u32)]) -> Option<Vec<u16>> {
    let tiers: Vec<_> =
        tiers.iter().map(|(healthy, total)| Tier { healthy: *healthy, total: *total }).collect();
    shares(&tiers).map(|shares| (0..tiers.len()).map(|i| shares.of(i)).collect())
}

#[test]
fn the_worked_examples() {
    assert_eq!(of(&[(10, 10), (10, 10)]), Some(vec![10_000, 0]));
    assert_eq!(of(&[(5, 10), (10, 10)]), Some(vec![7_000, 3_000]));
    assert_eq!(of(&[(2, 10), (4, 10)]), Some(vec![3_333, 6_667]), "28 + 56 = 84, scaled");
    assert_eq!(of(&[(5, 7), (1, 1)]), Some(vec![10_000, 0]), "71.43 % do not spill");
    assert_eq!(of(&[(714, 1000), (1, 1)]), Some(vec![9_996, 4]), "71.4 % do");
    assert_eq!(of(&[(0, 3), (1, 2), (1, 1)]), Some(vec![0, 7_000, 3_000]));
    assert_eq!(of(&[(0, 0), (1, 1)]), Some(vec![0, 10_000]), "a tier without targets");
    assert_eq!(of(&[(1, 1_000_000)]), Some(vec![10_000]), "whoever is left carries it all");
    assert_eq!(of(&[(1, 1_000_000), (1, 1)]), Some(vec![1, 9_999]), "a small share is not nothing");
    assert_eq!(of(&[(0, 3), (0, 1)]), None);
    assert_eq!(of(&[]), None);
}

#[test]
fn shares_add_up_and_only_the_healthy_get_any() {
    for seed in 0..20_000 {
        let mut rng = Rng::new(seed);
        let tiers: Vec<_> = (0..1 + rng.below(TIERS_MAX as u64 - 1))
            .map(|_| {
                let most = [1, 3, 100, u64::from(u32::MAX)][usize::try_from(rng.below(4)).unwrap()];
                let total = rng.below(most + 1);
                let healthy = if rng.below(3) == 0 { 0 } else { rng.below(total + 1) };
                (u32::try_from(healthy).unwrap(), u32::try_from(total).unwrap())
            })
            .collect();
        let shares = of(&tiers);
        assert_eq!(
            shares.is_none(),
            tiers.iter().all(|(healthy, _)| *healthy == 0),
            "seed {seed}: {tiers:?}"
        );
        let Some(shares) = shares else { continue };
        assert_eq!(shares.iter().map(|s| u32::from(*s)).sum::<u32>(), u32::from(WHOLE), "seed {seed}");
        let full = |(healthy, total): &(u32, u32)| {
            *healthy > 0 && u64::from(*healthy) * 14 >= u64::from(*total) * 10
        };
        let first_full = tiers.iter().position(full).unwrap_or(tiers.len());
        for (i, ((healthy, _), share)) in tiers.iter().zip(&shares).enumerate() {
            assert!(*healthy > 0 || *share == 0, "seed {seed}: tier {i} has nobody and gets {share}");
            assert!(i <= first_full || *share == 0, "seed {seed}: tier {i} is behind a full one");
        }
        if tiers[0].0 > 0 {
            assert!(shares[0] > 0, "seed {seed}: {tiers:?} {shares:?}");
        }
    }
}

#[test]
fn tiers_are_drawn_by_their_shares() {
    let spread = shares(&[Tier { healthy: 5, total: 10 }, Tier { healthy: 1, total: 1 }]).unwrap();
    let mut rng = Rng::new(7);
    let first = (0..10_000).filter(|_| spread.pick(&mut rng) == 0).count();
    assert!((6_850..7_150).contains(&first), "{first}");
}

#[test]
fn the_last_light_doubles_with_every_success_and_falls_back_to_one() {
    let mut light = LastLight::default();
    assert!(light.try_enter(0).is_some() && light.try_enter(0).is_some(), "not lit: everybody passes");
    light.light(0);
    let mut inside = vec![light.try_enter(0).unwrap()];
    assert_eq!(light.try_enter(0), None);
    for round in 1..8 {
        light.on_success(inside.pop().unwrap(), 0);
        assert_eq!(light.allowed(), Some(1 << round));
        while let Some(entry) = light.try_enter(0) {
            inside.push(entry);
        }
        assert_eq!(inside.len(), 1 << round);
    }
    light.on_failure(inside.pop().unwrap(), 0);
    assert_eq!(light.allowed(), Some(1));
    light.light(0);
    assert_eq!(light.try_enter(0), None, "126 are still inside");
    for entry in inside.drain(..) {
        light.on_given_up(entry, 0);
    }
    for _ in 0..8 {
        let entry = light.try_enter(0).unwrap();
        light.on_success(entry, 0);
    }
    assert!(!light.is_lit(), "{ALLOWED_MAX} at once need no limit");
}

#[test]
fn no_more_are_let_in_than_allowed_and_a_vanished_one_blocks_nobody_for_ever() {
    for seed in 0..3_000 {
        let (mut light, mut rng, mut now) = (LastLight::default(), Rng::new(seed), 0);
        light.light(0);
        let (mut inside, mut shut) = (Vec::new(), 0);
        for _ in 0..200 {
            now += rng.below(SECOND / 100);
            if rng.below(2) == 0 || inside.is_empty() {
                let room =
                    now >= shut && light.allowed().is_none_or(|allowed| inside.len() < allowed as usize);
                let entry = light.try_enter(now);
                assert_eq!(entry.is_some(), room, "seed {seed}");
                inside.extend(entry);
            } else {
                let index = usize::try_from(rng.below(inside.len() as u64)).unwrap();
                let entry = inside.swap_remove(index);
                match rng.below(4) {
                    0 => {
                        if light.allowed() == Some(1) {
                            shut = now + PAUSE;
                        }
                        light.on_failure(entry, now);
                    }
                    1 => light.on_given_up(entry, now),
                    _ => light.on_success(entry, now),
                }
            }
            if !light.is_lit() {
                // What was let in before counts for the next time no more.
                light.light(now);
                inside.clear();
                shut = 0;
            }
        }
        now = now.max(shut);
        if let Some(entry) = inside.pop() {
            light.on_given_up(entry, now);
        }
        while light.try_enter(now).is_some() {}
        assert!(!light.has_room(now + LEASE - 1), "seed {seed}");
        assert!(light.try_enter(now + LEASE).is_some(), "seed {seed}");
        assert_eq!(light.try_enter(now + LEASE), None, "seed {seed}: one per lease");
    }
}

#[test]
fn after_the_only_one_has_failed_nobody_asks_for_a_while() {
    let mut light = LastLight::default();
    light.light(0);
    let entry = light.try_enter(0).unwrap();
    assert_eq!(light.opens_at(0), Some(PAUSE), "somebody is inside");
    light.on_failure(entry, 5);
    assert_eq!((light.try_enter(5), light.opens_at(5)), (None, Some(PAUSE + 5)));
    assert_eq!(light.opens_at(PAUSE + 5), None);
    let entry = light.try_enter(PAUSE + 5).unwrap();
    light.on_success(entry, PAUSE + 5);
    let entry = light.try_enter(PAUSE + 5).unwrap();
    light.on_failure(entry, PAUSE + 5);
    assert!(light.has_room(PAUSE + 5), "one of several: the next one may ask at once");
}

#[test]
fn entries_of_an_earlier_time_count_for_nothing() {
    let mut light = LastLight::default();
    let free = light.try_enter(0).unwrap();
    light.light(0);
    light.on_success(free, 0);
    assert_eq!(light.allowed(), Some(1));
    let first = light.try_enter(0).unwrap();
    for _ in 0..8 {
        // The others have ended meanwhile, and the light is out and lit anew.
        light.on_success(first, 0);
    }
    assert!(!light.is_lit());
    light.light(0);
    light.on_success(first, 0);
    assert_eq!(light.allowed(), Some(1));
}

#[test]
fn the_one_nearest_to_its_recovery_is_asked() {
    let candidate = |rests_until| Candidate { rests_until, has_room: true, asked_to_wait: false };
    let mut all = [candidate(3), candidate(1), candidate(2)];
    assert_eq!(nearest(&all, 0), Some(1));
    assert_eq!(nearest(&all, 0b010), Some(2));
    all[1].has_room = false;
    all[2].asked_to_wait = true;
    assert_eq!(nearest(&all, 0), Some(0));
    assert_eq!(nearest(&all, 0b001), None);
    assert_eq!(nearest(&[], 0), None);
}
