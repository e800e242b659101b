//! Hashing with bounded load, and affinity of prompts.

use super::{Class, IDLE, Rng, View, any_views, below_bound, hash, prefix};
use crate::balance::prefix::{PIECES_MAX, Prefix, PrefixIndex};

fn idle(count: u64) -> Vec<View> {
    (0..count).map(|id| View { id: 1_000 + id, ..IDLE }).collect()
}

#[test]
fn keys_are_spread_by_weight() {
    let mut views = idle(4);
    views[0].weight = 3;
    views[1].weight = 2;
    let mut counts = [0_usize; 4];
    for key in 0..70_000_u64 {
        counts[hash::pick(hash::key(&key.to_le_bytes()), &views, 0).unwrap()] += 1;
    }
    for (count, expected) in counts.into_iter().zip([30_000, 20_000, 10_000, 10_000]) {
        assert!(count.abs_diff(expected) < 600, "{counts:?}");
    }
}

#[test]
fn a_target_that_leaves_moves_only_its_own_keys() {
    for seed in 0..3_000 {
        let mut rng = Rng::new(seed);
        let mut views = idle(2 + rng.below(20));
        for view in &mut views {
            view.weight = 1 + u32::try_from(rng.below(4)).unwrap();
        }
        let key = rng.next_u64();
        let before = hash::pick(key, &views, 0).unwrap();
        let gone = usize::try_from(rng.below(views.len() as u64)).unwrap();
        let after = hash::pick(key, &views, 1 << gone).unwrap();
        assert!(after == before || gone == before, "seed {seed}");
        // And its place in the list means nothing.
        let id = views[before].id;
        let half = views.len() / 2;
        views.rotate_left(half);
        assert_eq!(views[hash::pick(key, &views, 0).unwrap()].id, id, "seed {seed}");
    }
}

#[test]
fn nobody_carries_more_than_five_quarters_of_its_share() {
    for seed in 0..2_000 {
        let mut rng = Rng::new(seed);
        let mut views = idle(1 + rng.below(16));
        for view in &mut views {
            view.weight = 1 + u32::try_from(rng.below(3)).unwrap();
        }
        let weights: u64 = views.iter().map(|v| u64::from(v.weight)).sum();
        let key = rng.next_u64();
        for load in 1..=200_u64 {
            // Half of the traffic is one key, and nothing ever ends.
            let key = if rng.below(2) == 0 { key } else { rng.next_u64() };
            let i = hash::pick(key, &views, 0).unwrap();
            views[i].in_flight += 1;
            let most = (5 * load * u64::from(views[i].weight)).div_ceil(4 * weights);
            assert!(u64::from(views[i].in_flight) <= most, "seed {seed}: {} > {most}", views[i].in_flight);
        }
    }
}

#[test]
fn the_bound_leaves_somebody_in_every_set() {
    for seed in 0..10_000 {
        let mut rng = Rng::new(seed);
        let views = any_views(&mut rng);
        let all = u64::MAX >> (64 - views.len());
        let set = match rng.next_u64() & all {
            0 => all,
            set => set,
        };
        let left = below_bound(&views, set);
        assert!(left != 0 && left & !set == 0, "seed {seed}");
    }
}

#[test]
fn a_key_stays_while_its_target_is_not_overloaded_and_then_goes_to_its_next_one() {
    let mut views = idle(4);
    let first = hash::pick(7, &views, 0).unwrap();
    let second = hash::pick(7, &views, 1 << first).unwrap();
    for view in &mut views {
        view.in_flight = 8;
    }
    views[first].in_flight = 11;
    assert_eq!(hash::pick(7, &views, 0), Some(first), "⌈5/4 · 36 / 4⌉ = 12");
    views[first].in_flight = 12;
    assert_eq!(hash::pick(7, &views, 0), Some(second), "⌈5/4 · 37 / 4⌉ = 12");
}

fn prompt(text: &[u8]) -> Prefix {
    let mut prefix = Prefix::new(1);
    prefix.push(text);
    prefix
}

#[test]
fn pieces_do_not_depend_on_how_the_text_arrives() {
    let text: Vec<u8> = (0..10_300_u32).map(|i| i.to_le_bytes()[0] ^ i.to_le_bytes()[1]).collect();
    let views = idle(1);
    for seed in 0..500 {
        let mut rng = Rng::new(seed);
        let (mut cut, mut rest) = (Prefix::new(1), text.as_slice());
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(usize::try_from(rng.below(3_000)).unwrap()));
            cut.push(now);
            rest = later;
        }
        let mut index = PrefixIndex::new(100);
        index.insert(&cut, views[0].id);
        assert_eq!(cut.pieces(), 10, "seed {seed}");
        assert_eq!(index.matches(&prompt(&text), &views).of(0), 10, "seed {seed}");
    }
}

#[test]
fn who_knows_most_of_a_prompt_gets_it_unless_overloaded() {
    let mut views = idle(3);
    let text: Vec<u8> = (0..8 * 1024_u32).map(|i| (i / 7).to_le_bytes()[0]).collect();
    let mut other = text.clone();
    other[5 * 1024] ^= 1;
    let mut index = PrefixIndex::new(1_000);
    assert!(index.is_empty());
    index.insert(&prompt(&text[..3 * 1024]), views[0].id);
    index.insert(&prompt(&other), views[1].id);
    let matches = index.matches(&prompt(&text), &views);
    assert_eq!((matches.of(0), matches.of(1), matches.of(2)), (3, 5, 0));
    assert_eq!(prefix::pick(&matches, &views, 0), Some(1));
    assert_eq!(prefix::pick(&matches, &views, 0b010), Some(0));
    assert_eq!(prefix::pick(&matches, &views, 0b011), None, "the load decides");
    views[1].in_flight = 2;
    assert_eq!(prefix::pick(&matches, &views, 0), Some(0), "⌈5/4 · 3 / 3⌉ = 2");
    views[0].class = Class::Suspect;
    assert_eq!(prefix::pick(&matches, &views, 0), None);
    let mut apart = Prefix::new(2);
    apart.push(&text);
    assert_eq!(index.matches(&apart, &views).of(1), 0, "another salt, another cache");
}

#[test]
fn an_index_is_bounded_and_forgets_ends_before_beginnings() {
    let views = idle(4);
    for seed in 0..300 {
        let mut rng = Rng::new(seed);
        let mut index = PrefixIndex::new(20);
        let texts: Vec<Vec<u8>> = (0..6_u8)
            .map(|n| {
                let common = vec![b'c'; 2 * 1024];
                [common, vec![n; 1024 * usize::try_from(rng.below(9)).unwrap()]].concat()
            })
            .collect();
        for _ in 0..40 {
            let text = &texts[usize::try_from(rng.below(6)).unwrap()];
            let target = usize::try_from(rng.below(4)).unwrap();
            index.insert(&prompt(text), views[target].id);
            assert!(index.len() <= 20, "seed {seed}");
            assert_eq!(usize::from(index.matches(&prompt(text), &views).of(target)), text.len() / 1024);
            // Halving finds the end that a plain search finds: nobody knows a piece without all before it.
            for text in &texts {
                let known: Vec<u16> = (0..=text.len() / 1024)
                    .map(|n| index.matches(&prompt(&text[..n * 1024]), &views).of(target))
                    .collect();
                assert!(known.is_sorted(), "seed {seed}: {known:?}");
                assert!(known.windows(2).all(|w| w[1] - w[0] <= 1), "seed {seed}: {known:?}");
            }
        }
    }
    let long = prompt(&vec![b'x'; 1024 * (PIECES_MAX + 10)]);
    assert_eq!(long.pieces(), PIECES_MAX);
}
