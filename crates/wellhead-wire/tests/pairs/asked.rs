//! Requests.

use super::golden::{check, pretty};
use super::{Spoken, pairs};
use std::fmt::Write as _;
use wellhead_wire::anthropic::Version;
use wellhead_wire::chat::{Dialect, Losses};
use wellhead_wire::translate::{Asked, Heading, Untranslatable, encode_request, read_request, write_request};

/// Refusals are asked for one after another; no dialect has as many fields.
const REFUSALS_MAX: usize = 200;

/// The body for the target, and what it is not told, with these losses allowed.
fn ask(client: &Spoken, target: &Spoken, losses: &Losses) -> Result<(String, Vec<String>), String> {
    let body = client.request.unwrap();
    let heading = Heading { model: "assistant", stream: false, version: Version::V2023 };
    let refused = |refused: Untranslatable| match refused {
        Untranslatable::Unsupported(unsupported) => unsupported.param.into_owned(),
        Untranslatable::Body(bad) => panic!("{} at {}: {bad}", client.name(), target.name()),
    };
    // As the gateway does it: a client of OpenAI's is read where the target is known, others where they come in.
    let encoded = if client.dialect == Dialect::Chat {
        encode_request(target.way(), body, &target.target(), losses).map_err(refused)?
    } else {
        let Asked { request, .. } = read_request(client.dialect, body, heading).map_err(refused)?;
        write_request(target.way(), &request, &target.target(), losses).map_err(refused)?
    };
    let dropped = encoded.dropped.iter().map(|dropped| dropped.param.to_string()).collect();
    Ok((pretty(&encoded.body), dropped))
}

/// What is refused by name if the model's setting allows nothing to be left out, in the order in which it is met.
fn refusals(client: &Spoken, target: &Spoken) -> Vec<String> {
    let mut allowed: Vec<String> = Vec::new();
    loop {
        assert!(allowed.len() < REFUSALS_MAX, "{} at {}: {allowed:?}", client.name(), target.name());
        match ask(client, target, &Losses::allowed(allowed.clone())) {
            Ok(_) => return allowed,
            Err(param) => {
                assert!(!allowed.contains(&param), "{param} is refused although it may be left out");
                allowed.push(param);
            }
        }
    }
}

#[test]
fn what_targets_receive() {
    for (client, target) in pairs() {
        let (body, dropped) = ask(client, target, &Losses::allowed(["*"])).unwrap();
        let mut text = format!("A client of {} at a target of {}.\n\n", client.name(), target.name());
        for param in refusals(client, target) {
            writeln!(text, "refused unless it may be left out: {param}").unwrap();
        }
        for param in dropped {
            writeln!(text, "left out: {param}").unwrap();
        }
        writeln!(text, "\n{body}").unwrap();
        check(&format!("{}-at-{}.request.txt", client.name(), target.name()), &text);
    }
}
