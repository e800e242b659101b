#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::{Cache, ENTRY_BYTES, Key, Scope};
use crate::{Nanos, Rng};

fn key(app: &str, number: u8) -> Key {
    Key { scope: Scope::App(app.into()), digest: [number; 32] }
}

#[test]
fn an_answer_is_found_until_its_time_is_over() {
    let mut cache = Cache::default();
    assert!(cache.insert(key("a", 1), "x", 1, 100, 0, 1_000).is_empty());
    assert_eq!(cache.get(&key("a", 1), 99), Some(("x", 1)));
    assert_eq!(cache.get(&key("a", 1), 100), None);
    assert_eq!((cache.len(), cache.bytes()), (0, 0), "it does not stay behind its time");
    let counts = cache.counts();
    assert_eq!((counts.hits, counts.misses, counts.expired), (1, 1, 1));
}

#[test]
fn one_app_never_gets_what_another_was_told() {
    let mut cache = Cache::default();
    cache.insert(key("a", 1), "a's", 1, 100, 0, 10_000);
    let all = Key { scope: Scope::All, digest: [1; 32] };
    assert_eq!(cache.get(&key("b", 1), 0), None);
    assert_eq!(cache.get(&all, 0), None);
    cache.insert(all.clone(), "everybody's", 1, 100, 0, 10_000);
    assert_eq!(cache.get(&key("a", 1), 0).unwrap().0, "a's");
    assert_eq!(cache.get(&all, 0).unwrap().0, "everybody's");
    assert_eq!(cache.get(&key("b", 1), 0), None);
}

#[test]
fn what_is_too_large_or_over_already_is_given_back() {
    let mut cache = Cache::default();
    cache.insert(key("a", 1), 1, 10, 100, 0, ENTRY_BYTES + 10);
    assert_eq!(cache.insert(key("a", 2), 2, 11, 100, 0, ENTRY_BYTES + 10), [2]);
    assert_eq!(cache.insert(key("a", 3), 3, 1, 50, 50, ENTRY_BYTES + 10), [3]);
    assert_eq!(cache.insert(key("a", 4), 4, u64::MAX, 100, 0, u64::MAX - 1), [4]);
    assert_eq!(cache.get(&key("a", 1), 0).unwrap().0, 1, "the others stay");
}

/// The same as a plain list, the newest at its end.
#[derive(Default)]
struct Plain(Vec<(Key, u64, u64, Nanos)>);

impl Plain {
    fn bytes(&self) -> u64 {
        self.0.iter().map(|(_, _, bytes, _)| bytes + ENTRY_BYTES).sum()
    }

    fn shrink(&mut self, bytes_max: u64) {
        while self.bytes() > bytes_max {
            self.0.remove(0);
        }
    }
}

#[test]
fn it_holds_what_a_plain_list_holds_never_too_much_and_nothing_over_its_time() {
    for seed in 0..3_000 {
        let mut rng = Rng::new(seed);
        let (mut cache, mut plain) = (Cache::default(), Plain::default());
        let mut bytes_max = 300 + rng.below(3_000);
        let mut now = 0;
        for value in 0..80 {
            now += rng.below(10);
            let app = ["a", "b"][usize::try_from(rng.below(2)).unwrap()];
            let key = key(app, u8::try_from(rng.below(6)).unwrap());
            match rng.below(8) {
                0 => {
                    bytes_max = 300 + rng.below(3_000);
                    cache.shrink(bytes_max);
                    plain.shrink(bytes_max);
                }
                1..4 => {
                    let (bytes, expires_at) = (rng.below(900), now + rng.below(40));
                    cache.insert(key.clone(), value, bytes, expires_at, now, bytes_max);
                    if bytes + ENTRY_BYTES <= bytes_max && expires_at > now {
                        plain.0.retain(|entry| entry.0 != key);
                        plain.shrink(bytes_max - bytes - ENTRY_BYTES);
                        plain.0.push((key, value, bytes, expires_at));
                    }
                }
                _ => {
                    let found = plain.0.iter().position(|entry| entry.0 == key).map(|at| plain.0.remove(at));
                    let expected = found.filter(|entry| entry.3 > now);
                    let got = cache.get(&key, now);
                    let wanted = expected.as_ref().map(|entry| (entry.1, entry.3 - now));
                    assert_eq!(got, wanted, "seed {seed}");
                    plain.0.extend(expected);
                }
            }
            assert!(cache.bytes() <= bytes_max, "seed {seed}: {} of {bytes_max}", cache.bytes());
            assert_eq!((cache.bytes(), cache.len()), (plain.bytes(), plain.0.len()), "seed {seed}");
        }
        cache.shrink(0);
        assert!(cache.is_empty() && cache.bytes() == 0, "seed {seed}");
    }
}
