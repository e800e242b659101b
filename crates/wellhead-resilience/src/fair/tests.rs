#![allow(clippy::unwrap_used, clippy::panic, clippy::cast_possible_truncation, reason = "tests")]
//! Promises of the queue: nobody is starved, the lowest give way, nothing is lost.

use super::{Class, Item, Queue};
use crate::concurrency::{Codel, Order, Verdict};
use crate::{MILLI, Nanos, Rng};

fn item(class: Class, app: u64, tokens: u64, value: u64) -> Item<u64, u64> {
    Item { class, app, tokens, enqueued: value, value }
}

/// Somebody who says that it needs everything and uses nothing has waited long for its turn; what it gets back pays for
/// a few of its next requests, and not for a crowd of small ones before which everybody else waits in vain.
#[test]
fn what_is_given_back_never_buys_the_queue() {
    let mut queue = Queue::new(10_000);
    queue.push(item(Class::Default, 0, 400_000, 0));
    for value in 1..1_000 {
        if value < 500 {
            queue.push(item(Class::Default, 0, 1_000, value));
        }
        queue.push(item(Class::Default, 1, 1_000, value));
    }
    while let Some(served) = queue.pop(Order::OldestFirst) {
        if served.tokens == 400_000 {
            queue.on_used(Class::Default, &0, 400_000, 100);
            break;
        }
    }
    let mut row = 0;
    for _ in 0..100 {
        let served = queue.pop(Order::OldestFirst).unwrap();
        row = if served.app == 0 { row + 1 } else { 0 };
        assert!(row <= 20, "{row} of one app in a row, while another one waits");
    }
}

#[test]
fn classes_go_in_order_apps_in_turn_and_one_app_in_order_of_arrival() {
    let mut queue = Queue::new(100);
    for value in 0..12 {
        let class = Class::ALL[3 - value as usize / 3];
        queue.push(item(class, u64::from(value % 3 == 2), 1_000, value));
    }
    let order: Vec<u64> =
        std::iter::from_fn(|| queue.pop(Order::OldestFirst)).map(|item| item.value).collect();
    // Two of the first app in its turn, because a turn is worth two of them.
    assert_eq!(order, [9, 10, 11, 6, 7, 8, 3, 4, 5, 0, 1, 2]);
    assert!(queue.is_empty());

    (0..4).for_each(|value| assert!(queue.push(item(Class::Default, 0, 1, value)).is_none()));
    assert_eq!(queue.pop(Order::NewestFirst).unwrap().value, 3);
    assert_eq!(queue.pop(Order::OldestFirst).unwrap().value, 0);
}

#[test]
fn apps_share_by_tokens_not_by_requests() {
    let mut queue = Queue::new(10_000);
    for value in 0..4_000 {
        queue.push(item(Class::Default, 0, 100, value));
        queue.push(item(Class::Default, 1, 10_000, value));
    }
    let mut tokens = [0, 0];
    for _ in 0..2_000 {
        let item = queue.pop(Order::OldestFirst).unwrap();
        tokens[usize::try_from(item.app).unwrap()] += item.tokens;
    }
    assert!(tokens[0].abs_diff(tokens[1]) < 20_000, "{tokens:?}");
    // One that used ten times what it said pays for it in its next turns.
    let mut queue = Queue::new(10_000);
    let mut used = [0, 0];
    for value in 0..4_000 {
        queue.push(item(Class::Default, 0, 1_000, value));
        queue.push(item(Class::Default, 1, 1_000, value));
    }
    for _ in 0..2_000 {
        let item = queue.pop(Order::OldestFirst).unwrap();
        let real = if item.app == 1 { 10_000 } else { 1_000 };
        used[usize::try_from(item.app).unwrap()] += real;
        queue.on_used(Class::Default, &item.app, 1_000, real);
    }
    assert!(used[0].abs_diff(used[1]) < used[0] / 10, "{used:?}");
}

#[test]
fn when_it_is_full_the_lowest_and_greediest_give_way() {
    let mut queue = Queue::new(6);
    for value in 0..4 {
        queue.push(item(Class::Bulk, 7, 10, value));
    }
    queue.push(item(Class::Bulk, 8, 10, 4));
    queue.push(item(Class::Default, 9, 10, 5));
    assert_eq!(queue.push(item(Class::Bulk, 7, 10, 6)).unwrap().value, 6, "it is the greediest itself");
    assert_eq!(queue.push(item(Class::Bulk, 8, 10, 7)).unwrap().value, 3, "the newest of the greediest");
    assert_eq!(queue.push(item(Class::Critical, 7, 10, 8)).unwrap().value, 2, "a lower class, the same app");
    for value in 9..12 {
        assert_eq!(queue.push(item(Class::Critical, 7, 10, value)).unwrap().class, Class::Bulk);
    }
    assert_eq!(queue.evict().unwrap().class, Class::Bulk);
    assert!(queue.push(item(Class::Critical, 7, 10, 12)).is_none());
    assert_eq!(queue.push(item(Class::BestEffort, 1, 10, 13)).unwrap().value, 13, "it is the lowest itself");
    assert_eq!(queue.push(item(Class::Critical, 1, 10, 14)).unwrap().value, 5);
    assert_eq!(queue.len(), 6);
}

#[test]
fn the_old_and_the_gone_are_taken_out() {
    let mut queue = Queue::new(10);
    (1..=6).for_each(|value| assert!(queue.push(item(Class::Default, value % 2, 10, value)).is_none()));
    assert_eq!(queue.remove(Class::Default, &1, |value| *value == 3).unwrap().value, 3);
    assert!(queue.remove(Class::Default, &1, |value| *value == 3).is_none());
    let mut old: Vec<u64> = std::iter::from_fn(|| queue.expired(10, 14)).map(|item| item.value).collect();
    old.sort_unstable();
    assert_eq!((old, queue.len()), (vec![1, 2], 3));
}

/// A server takes 100 requests a second. Nine apps ask for 6 each, one for 500: the nine get all they ask for.
#[test]
fn a_greedy_app_does_not_cost_the_modest_ones_anything() {
    for seed in 0..40 {
        let load = Load {
            seed,
            apps: (0..10).map(|app| (Class::Default, if app == 0 { 500 } else { 6 })).collect(),
        };
        let served = load.run();
        for (app, (asked, got)) in served.iter().enumerate().skip(1) {
            assert!(got + asked / 100 >= *asked, "seed {seed} app {app}: {got} of {asked}");
        }
        assert!(served[0].1 >= 20 * 60, "seed {seed}: the greedy one gets what is left, not {}", served[0].1);
    }
}

/// Five times the capacity, four classes, ten apps, one of them greedy.
#[test]
fn in_overload_the_highest_class_is_kept_and_nobody_is_starved() {
    for seed in 0..40 {
        let class = |app: usize| Class::ALL[app % 4];
        let rate = |app: usize| match app {
            1 => 300,
            app if app % 4 == 0 => 20,
            _ => 25,
        };
        let load = Load { seed, apps: (0..10).map(|app| (class(app), rate(app))).collect() };
        let served = load.run();
        let all: u64 = served.iter().map(|(_, got)| got).sum();
        assert!(all >= 90 * 60, "seed {seed}: goodput {all}");
        for (app, (asked, got)) in served.iter().enumerate() {
            let least = if class(app) == Class::Critical { asked * 99 / 100 } else { 40 };
            assert!(*got >= least, "seed {seed} app {app}: {got} of {asked} in {served:?}");
        }
    }
}

/// An open load for a minute: per app its class and its requests per second.
struct Load {
    seed: u64,
    apps: Vec<(Class, u64)>,
}

impl Load {
    /// What each app asked for and got.
    fn run(&self) -> Vec<(u64, u64)> {
        let mut rng = Rng::new(self.seed);
        let (mut queue, mut codel) = (Queue::new(400), Codel::model(0));
        let mut served = vec![(0, 0); self.apps.len()];
        for tick in 0..6_000_u64 {
            let now: Nanos = tick * 10 * MILLI;
            for (app, (class, rate)) in self.apps.iter().enumerate() {
                // `rate` per second on average: most ticks bring none or one.
                let arrivals = (rng.below(2 * rate + 1) + rng.below(100)) / 100;
                for _ in 0..arrivals {
                    served[app].0 += 1;
                    codel.on_enqueue(queue.len(), now);
                    queue.push(Item { class: *class, app, tokens: 1_000, enqueued: now, value: () });
                    assert!(queue.len() <= 400);
                }
            }
            while queue.expired(codel.patience(now), now).is_some() {}
            // One request per tick is what the server takes.
            while let Some(item) = queue.pop(codel.order(now)) {
                if codel.on_dequeue(item.enqueued, queue.len(), now) == Verdict::Keep {
                    served[item.app].1 += 1;
                    break;
                }
            }
        }
        served
    }
}

/// Whatever is done to it: what went in comes out once, by one door, and never more than fits inside.
#[test]
fn nothing_is_lost_and_nothing_comes_out_twice() {
    for seed in 0..3_000 {
        let mut rng = Rng::new(seed);
        let room = usize::try_from(rng.below(20)).unwrap();
        let (mut queue, mut inside) = (Queue::new(room), std::collections::BTreeSet::new());
        for value in 0..300 {
            let class = Class::ALL[usize::try_from(rng.below(4)).unwrap()];
            let app = rng.below(4);
            let tokens = [0, 1, u64::MAX, rng.below(100_000)][usize::try_from(rng.below(4)).unwrap()];
            let order = if rng.below(2) == 0 { Order::OldestFirst } else { Order::NewestFirst };
            let out = match rng.below(12) {
                0..6 => {
                    inside.insert(value);
                    queue.push(item(class, app, tokens, value))
                }
                6..9 => {
                    let popped = queue.pop(order);
                    assert_eq!(popped.is_none(), inside.is_empty(), "seed {seed}");
                    popped
                }
                9 => queue.evict(),
                10 => queue.expired(rng.below(60), value),
                _ => {
                    queue.on_used(class, &app, tokens, rng.next_u64());
                    let wanted = rng.below(value + 1);
                    queue.remove(class, &app, |value| *value == wanted)
                }
            };
            if let Some(item) = out {
                assert!(inside.remove(&item.value), "seed {seed}: {} came out twice", item.value);
            }
            assert_eq!(queue.len(), inside.len(), "seed {seed}");
            assert!(queue.len() <= room, "seed {seed}");
        }
        while let Some(item) = queue.pop(Order::OldestFirst) {
            assert!(inside.remove(&item.value), "seed {seed}");
        }
        assert!(inside.is_empty() && queue.is_empty(), "seed {seed}: {inside:?} were lost");
    }
}

/// Both use as much; one of them asks for four times that. What is used is known one request later.
#[test]
fn turns_go_by_what_was_used_although_that_is_known_late() {
    let mut queue = Queue::new(10_000);
    for value in 0..200 {
        queue.push(item(Class::Default, 0, 1_000, value));
        queue.push(item(Class::Default, 1, 4_000, value));
    }
    let (mut bold, mut before) = (0, None);
    for _ in 0..100 {
        let served = queue.pop(Order::OldestFirst).unwrap();
        bold += served.app;
        if let Some(served) = before.replace(served) {
            queue.on_used(Class::Default, &served.app, served.tokens, 1_000);
        }
    }
    assert!((40..=60).contains(&bold), "{bold} of 100 were those that ask for more");
}
