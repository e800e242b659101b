#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
//! What the tests of the workspace run of the worlds: that they follow from their seeds, and a few of each kind. The
//! suite `world` plays 256 and all planted bugs, `make soak` a hundred thousand.

use wellhead_types::planted::Planted;
use wellhead_world::{Theme, run, run_with};

#[test]
fn the_same_seed_is_the_same_world() {
    for seed in [0, 1, 3, 5, 6, 10] {
        let (first, second) = (run(seed, false), run(seed, false));
        assert_eq!(first.hash, second.hash, "seed {seed} took another course: {}", first.command());
        assert_eq!(first.rungs, second.rungs, "seed {seed}");
    }
}

#[test]
fn different_seeds_are_different_worlds() {
    let hashes: std::collections::BTreeSet<u64> = (16..24).map(|seed| run(seed, false).hash).collect();
    assert_eq!(hashes.len(), 8);
}

#[test]
fn a_world_of_each_kind_keeps_all_promises() {
    for theme in Theme::ALL {
        let seed = (0_u64..).find(|seed| Theme::of(*seed) == theme).unwrap();
        let verdict = run(seed, false);
        assert!(verdict.wrong.is_empty(), "{theme:?}: {}\n{:#?}", verdict.command(), verdict.wrong);
        assert!(!verdict.rungs.is_empty(), "{theme:?}: nothing happened");
    }
}

/// One is enough here to show that the switch works and is off again afterwards.
#[test]
fn a_planted_bug_breaks_a_promise_and_is_gone_afterwards() {
    let broken = run_with(3, false, Some(Planted::StreamEndsACutLikeAFinish));
    assert!(broken.wrong.iter().any(|wrong| wrong.starts_with("I5")), "{:?}", broken.wrong);
    assert!(run(3, false).wrong.is_empty());
}
