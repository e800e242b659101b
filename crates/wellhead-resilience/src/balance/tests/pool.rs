//! Breaker and balancer together, as the proxy uses them: a pool under faults that come and go.

use super::{DEFAULT, View, explore, p2c};
use crate::breaker::{
    Attempt, Blow, Breaker, Kind, OPEN_MAX, PROBE_LEASE, Passive, Phase, Pool, may_open_by_rate,
};
use crate::{MILLI, Nanos, Rng, SECOND};
use wellhead_types::Cause;

struct Target {
    breaker: Breaker,
    passive: Passive,
    works: bool,
    asked: u64,
    last_asked: Nanos,
}

struct World {
    targets: Vec<Target>,
    rng: Rng,
    now: Nanos,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let targets = (0..2 + rng.below(6))
            .map(|_| Target {
                breaker: Breaker::default(),
                passive: Passive::default(),
                works: true,
                asked: 0,
                last_asked: 0,
            })
            .collect();
        Self { targets, rng, now: SECOND }
    }

    fn views(&self) -> Vec<View> {
        let view = |(i, t): (usize, &Target)| View {
            id: i as u64,
            class: t.breaker.class(self.now),
            weight: 1,
            estimate: DEFAULT,
            in_flight: 0,
            recovered_at: t.breaker.recovered_at(),
        };
        self.targets.iter().enumerate().map(view).collect()
    }

    /// One request with as many attempts as there are targets: true if it was answered.
    fn request(&mut self) -> bool {
        let mut tried = 0;
        let mut first = true;
        let views = self.views();
        loop {
            let explored = if first { explore(&views, tried, &mut self.rng) } else { None };
            first = false;
            let picked = explored.or_else(|| p2c::pick(&views, tried, self.now, &mut self.rng));
            let Some(i) = picked else { return false };
            tried |= 1 << i;
            if self.attempt(i) {
                return true;
            }
        }
    }

    fn attempt(&mut self, i: usize) -> bool {
        let by_rate = self.targets.iter().filter(|t| t.breaker.is_open_by_rate()).count();
        let pool = Pool { sole: false, may_open_by_rate: may_open_by_rate(by_rate, self.targets.len()) };
        let began = self.now;
        let target = &mut self.targets[i];
        // One that rests is asked all the same: nobody better was left.
        target.breaker.try_probe(began);
        target.asked += 1;
        target.last_asked = began;
        self.now += MILLI;
        let attempt = Attempt { began, now: self.now };
        if target.works {
            target.passive.on_success(self.now);
            target.breaker.on_success(attempt, &target.passive);
        } else if self.rng.below(10) > 0 {
            let blow = Blow { kind: Kind::Fault, cause: Cause::Status5xx, retry_after: None };
            target.breaker.on_failure(attempt, blow, pool, &target.passive, &mut self.rng);
        }
        target.works
    }

    fn check(&self, seed: u64) {
        let by_rate = self.targets.iter().filter(|t| t.breaker.is_open_by_rate()).count();
        assert!(by_rate <= self.targets.len() / 2, "seed {seed}: {by_rate} open by their rate alone");
    }
}

/// The test oracle of survival.md 1.8 and I2: while somebody works every request is answered, and after the faults have
/// ended everybody gets traffic again within the longest wait.
#[test]
fn while_one_works_all_are_answered_and_nobody_is_exiled() {
    for seed in 0..2_000 {
        let mut world = World::new(seed);
        for _ in 0..300 {
            world.now += world.rng.below(SECOND);
            if world.rng.below(10) == 0 {
                let i = usize::try_from(world.rng.below(world.targets.len() as u64)).unwrap();
                world.targets[i].works = !world.targets[i].works;
            }
            let somebody = world.targets.iter().any(|t| t.works);
            assert_eq!(world.request(), somebody, "seed {seed}");
            world.check(seed);
        }
        for target in &mut world.targets {
            target.works = true;
        }
        let healed = world.now;
        while world.now < healed + OPEN_MAX * 3 / 2 + PROBE_LEASE + 10 * SECOND {
            world.now += SECOND / 2;
            assert!(world.request(), "seed {seed}");
        }
        for (i, target) in world.targets.iter().enumerate() {
            assert!(target.last_asked > healed, "seed {seed}: target {i} was never asked again");
            assert_eq!(target.breaker.phase(), Phase::Ok, "seed {seed}: target {i}");
        }
    }
}

/// During an outage of one, the dead one gets probes and not one attempt per request.
#[test]
fn a_dead_target_gets_probes_only() {
    for seed in 0..500 {
        let mut world = World::new(seed);
        for _ in 0..50 {
            world.request();
        }
        world.targets[0].works = false;
        let (before, began) = (world.targets[0].asked, world.now);
        let mut requests = 0;
        while world.now < began + 60 * SECOND {
            world.now += 10 * MILLI;
            requests += 1;
            assert!(world.request(), "seed {seed}");
        }
        let asked = world.targets[0].asked - before;
        assert!(asked <= 25, "seed {seed}: {asked} attempts on a dead target in {requests} requests");
    }
}
