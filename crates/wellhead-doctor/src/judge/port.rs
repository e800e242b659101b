//! Do the addresses connect?

use super::ms;
use crate::evidence::Evidence;
use crate::finding::{Finding, Layer, Level};
use crate::subject::{Subject, url_text};
use std::net::SocketAddr;
use wellhead_net::{AddressState, Timed};
use wellhead_types::Diagnosis;

pub(super) fn judge(subject: &Subject, evidence: &Evidence) -> Finding {
    let all = &evidence.network.addresses;
    if all.is_empty() {
        return Finding::new(Layer::Tcp, Level::Skipped, "not checked: there is no address");
    }
    let text = all.iter().map(|(address, state)| said(*address, state)).collect::<Vec<_>>().join(", ");
    let is =
        |wanted: AddressState| move |(_, state): &&(SocketAddr, Timed<AddressState>)| state.value == wanted;
    let place = subject.places.base_url();
    let port = subject.provider.base_url.port;
    let connected = all.iter().find(is(AddressState::Connected));
    // An address that this machine has no way to says nothing about the target.
    let mut asked = all.iter().filter(|(_, state)| state.value != AddressState::Unroutable).peekable();
    let finding =
        |level, code: Diagnosis| Finding::new(Layer::Tcp, level, text.clone()).code(code.as_str()).at(&place);
    if let Some((answering, _)) = connected {
        let dead = asked.find(|(_, state)| state.value != AddressState::Connected);
        let Some((dead, _)) = dead else { return Finding::new(Layer::Tcp, Level::Ok, text) };
        let mut base = subject.provider.base_url.clone();
        base.host = answering.ip().to_string();
        return finding(Level::Warn, Diagnosis::DualLocalhost).fix(format!(
            "{place}: write {}, or let the server listen on {} too",
            url_text(&base),
            dead.ip()
        ));
    }
    let refused = asked.peek().is_some() && asked.all(|tried| is(AddressState::Refused)(&tried));
    if refused {
        return finding(Level::Fail, Diagnosis::PortRefused)
            .fix(format!("start the server at port {port}, or write the port that it listens at: {place}"));
    }
    finding(Level::Fail, Diagnosis::ConnectTimeout).fix(format!(
        "something on the way drops connections to port {port}: look at firewalls, network policies and VPNs, or \
         raise {} if the way is long",
        subject.places.field("timeouts.connect")
    ))
}

fn said(address: SocketAddr, state: &Timed<AddressState>) -> String {
    match &state.value {
        AddressState::Connected => format!("{address} connects in {}", ms(state.took)),
        AddressState::Refused => format!("{address} refuses"),
        AddressState::Silent => format!("{address} is silent for {}", ms(state.took)),
        AddressState::Unroutable => format!("{address} cannot be reached from this machine"),
        AddressState::Failed(why) => format!("{address}: {why}"),
    }
}
