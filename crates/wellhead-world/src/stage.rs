//! What all actors of a world share: the script, the clock, and the log.

use crate::log::Log;
use crate::scenario::{Host, Kind, NameKind, Scenario};
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::Instant;

/// The stage on which a scenario is played.
#[derive(Debug)]
pub(crate) struct Stage {
    /// The script.
    pub scenario: Scenario,
    /// What has happened.
    pub log: Log,
    start: Instant,
}

impl Stage {
    /// An empty stage; time begins now.
    pub(crate) fn new(scenario: Scenario, shows: bool) -> Self {
        Self { scenario, log: Log::new(shows), start: Instant::now() }
    }

    /// Milliseconds since the beginning.
    pub(crate) fn now_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The moment of the world as one of the runtime.
    pub(crate) fn instant(&self, at_ms: u64) -> Instant {
        self.start + Duration::from_millis(at_ms)
    }

    /// Whether a fault of this kind, which concerns whole connections, is on at a provider.
    pub(crate) fn is_on(&self, provider: usize, kind: Kind) -> bool {
        let now = self.now_ms();
        self.scenario.faults.iter().any(|f| f.provider == provider && f.kind == kind && f.is_on(now))
    }

    /// When the partition that a provider is behind ends.
    pub(crate) fn partition_ends(&self, provider: usize) -> Option<u64> {
        let now = self.now_ms();
        let on =
            |f: &&crate::scenario::Fault| f.provider == provider && f.kind == Kind::Partition && f.is_on(now);
        self.scenario.faults.iter().filter(on).map(|f| f.to_ms).max()
    }

    /// What this request meets at a provider; the newest fault counts. `attempt` tells repetitions apart.
    pub(crate) fn meets(&self, provider: usize, ask: usize, attempt: u64) -> Option<Kind> {
        let now = self.now_ms();
        let connects = |kind| matches!(kind, Kind::Refuse | Kind::HangConnect | Kind::Partition);
        let hit = |number: usize, percent: u64| {
            crate::dice::of(self.scenario.seed, &[number as u64, ask as u64, attempt]) % 100 < percent
        };
        let faults = self.scenario.faults.iter().enumerate().rev();
        let mut on = faults.filter(|(_, f)| f.provider == provider && f.is_on(now) && !connects(f.kind));
        on.find(|(number, f)| hit(*number, f.percent)).map(|(_, f)| f.kind)
    }

    /// Whether the provider's name has moved away from its first addresses.
    pub(crate) fn has_moved(&self, provider: usize) -> bool {
        let now = self.now_ms();
        let faults = &self.scenario.name_faults;
        faults.iter().any(|f| f.provider == provider && f.kind == NameKind::Moves && f.from_ms <= now)
    }

    /// Who is at an address, and whether anybody listens there now.
    pub(crate) fn at(&self, address: IpAddr) -> Option<(usize, bool)> {
        self.scenario.providers.iter().enumerate().find_map(|(number, provider)| match &provider.host {
            Host::At(own) => (*own == address).then_some((number, true)),
            Host::Named { addresses, later, .. } => {
                let (here, gone) = match self.has_moved(number) {
                    true => (later, addresses),
                    false => (addresses, later),
                };
                let listens = here.contains(&address);
                (listens || gone.contains(&address)).then_some((number, listens))
            }
        })
    }
}
