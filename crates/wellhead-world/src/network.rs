//! The network of a world: who can be reached at which address, and what name servers say.

use crate::log::Dialled;
use crate::scenario::{Host, Kind, NameKind};
use crate::stage::Stage;
use crate::upstream;
use crate::wire;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use wellhead_net::network::{Later, NameAnswer, Network, Stream};

/// What a name server takes to answer.
const LOOK_UP: Duration = Duration::from_millis(4);
/// How long the resolver listens for one that is silent.
const SILENCE: Duration = Duration::from_secs(2);
/// How long answers of name servers may be believed.
const TTL: Duration = Duration::from_secs(8);

/// The network.
#[derive(Debug)]
pub(crate) struct Made(pub Arc<Stage>);

impl Network for Made {
    fn connect(&self, to: SocketAddr) -> Later<io::Result<Box<dyn Stream>>> {
        let stage = self.0.clone();
        Box::pin(async move { dial(&stage, to).await })
    }

    fn look_up(&self, server: Option<SocketAddr>, host: &str, v6: bool) -> Later<NameAnswer> {
        let (stage, host) = (self.0.clone(), host.to_owned());
        Box::pin(async move {
            let (answer, takes) = told(&stage, &host, v6);
            tokio::time::sleep(takes).await;
            let now = stage.now_ms();
            stage.log.line(now, format_args!("name {host} v6={v6} of {server:?}: {answer:?}"));
            answer
        })
    }
}

async fn dial(stage: &Arc<Stage>, to: SocketAddr) -> io::Result<Box<dyn Stream>> {
    let Some((provider, listens)) = stage.at(to.ip()) else {
        return Err(io::ErrorKind::NetworkUnreachable.into());
    };
    let note = |outcome: Dialled| {
        stage.log.line(stage.now_ms(), format_args!("dial p{provider} {}: {outcome:?}", to.ip()));
    };
    if stage.is_on(provider, Kind::HangConnect) || stage.partition_ends(provider).is_some() {
        note(Dialled::Hung);
        return std::future::pending().await;
    }
    tokio::time::sleep(Duration::from_millis(stage.scenario.providers[provider].dial_ms)).await;
    if !listens || stage.is_on(provider, Kind::Refuse) {
        note(Dialled::Refused);
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    note(Dialled::Made);
    let (ours, theirs) = wire::pair();
    tokio::spawn(upstream::serve(stage.clone(), provider, theirs));
    Ok(Box::new(ours))
}

/// What a name server says now, and how long it takes.
fn told(stage: &Stage, host: &str, v6: bool) -> (NameAnswer, Duration) {
    let named = |number: &usize| match &stage.scenario.providers[*number].host {
        Host::Named { name, .. } => name == host,
        Host::At(_) => false,
    };
    let Some(number) = (0..stage.scenario.providers.len()).find(named) else {
        return (NameAnswer::NoSuchName, LOOK_UP);
    };
    let now = stage.now_ms();
    let on = |f: &&crate::scenario::NameFault| {
        f.provider == number && f.from_ms <= now && now < f.to_ms && f.kind != NameKind::Moves
    };
    match stage.scenario.name_faults.iter().rev().find(on).map(|f| f.kind) {
        Some(NameKind::Fails) => (NameAnswer::Failed("SERVFAIL".to_owned()), LOOK_UP),
        Some(NameKind::Silent) => (NameAnswer::Failed("no answer".to_owned()), SILENCE),
        Some(NameKind::Empty) => (NameAnswer::Empty, LOOK_UP),
        Some(NameKind::NoSuchName) => (NameAnswer::NoSuchName, LOOK_UP),
        Some(NameKind::Loses { v6: gone }) if gone == v6 => (NameAnswer::Empty, LOOK_UP),
        _ => (addresses(stage, number, v6), LOOK_UP),
    }
}

fn addresses(stage: &Stage, provider: usize, v6: bool) -> NameAnswer {
    let Host::Named { addresses, later, .. } = &stage.scenario.providers[provider].host else {
        return NameAnswer::NoSuchName;
    };
    let all = if stage.has_moved(provider) { later } else { addresses };
    let addresses: Vec<IpAddr> = all.iter().filter(|ip| ip.is_ipv6() == v6).copied().collect();
    if addresses.is_empty() { NameAnswer::Empty } else { NameAnswer::Addresses { addresses, ttl: TTL } }
}
