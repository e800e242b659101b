//! The fault matrix: every fault of the simulator, alone and in pairs, streamed and unstreamed. Whatever happens to the
//! targets, the client gets the complete answer or an error that is clean, in time and in its dialect.

mod cases;
mod faults;
mod judge;
mod lies;
mod page;
mod world;

use std::time::Instant;

use crate::support::expected;

/// `all` runs every pair of faults; without it each pair of classes is run once.
const EXTENT: &str = "WELLHEAD_SURVIVAL";

fn all_pairs() -> bool {
    match std::env::var(EXTENT).as_deref() {
        Err(_) => false,
        Ok("all") => true,
        Ok(other) => panic!("{EXTENT} is {other:?}; it can be \"all\", or unset"),
    }
}

#[tokio::test]
async fn the_fault_matrix() {
    let mut cases = [cases::singles(), cases::covering()].concat();
    if all_pairs() {
        cases.extend(cases::all_others());
    }
    let began = Instant::now();
    let evidence = world::run(&cases).await;
    let expected = expected().await;
    let mut broken = Vec::new();
    let mut verdicts = Vec::new();
    for (case, evidence) in cases.iter().zip(&evidence) {
        let verdict = evidence.as_ref().map(|evidence| judge::judge(case, evidence, &expected));
        let found = match &verdict {
            Ok(verdict) => verdict.broken.clone(),
            Err(why) => vec![why.to_string()],
        };
        broken.extend(found.into_iter().map(|what| format!("{}: {what}", case.label())));
        verdicts.push(verdict.ok());
    }
    let figures = format!("{} cases in {:.1} s", cases.len(), began.elapsed().as_secs_f64());
    // The soak shows these figures.
    println!("survival: {figures}, {} broken promises", broken.len());
    let page = page::render(&cases, &verdicts);
    page::bless(&page);
    assert!(broken.is_empty(), "{figures}; broken promises:\n{}", broken.join("\n"));
    page::compare(&page);
}
