//! A scenario as text, for whoever looks at one world: what is configured, what will go wrong and what will be asked.

use super::{Change, Scenario, yaml};
use std::fmt::Write;

/// The script of a world.
pub(crate) fn script(scenario: &Scenario) -> String {
    let mut text = yaml(scenario, &scenario.models);
    // Writing to a text cannot fail.
    let _ = write(&mut text, scenario);
    text
}

fn write(text: &mut String, scenario: &Scenario) -> std::fmt::Result {
    for (number, provider) in scenario.providers.iter().enumerate() {
        writeln!(text, "upstream {number}: {provider:?}")?;
    }
    for fault in &scenario.faults {
        writeln!(text, "{fault:?}")?;
    }
    for fault in &scenario.name_faults {
        writeln!(text, "{fault:?}")?;
    }
    for (at_ms, change) in &scenario.changes {
        match change {
            Change::Broken => writeln!(text, "{at_ms}: a configuration that is wrong")?,
            Change::Models(models) => {
                let targets: Vec<_> = models.iter().map(|model| &model.targets).collect();
                writeln!(text, "{at_ms}: {targets:?}")?;
            }
        }
    }
    writeln!(text, "{:?}, quiet from {} on", scenario.crowd, scenario.quiet_ms + scenario.rest_ms)?;
    for (number, ask) in scenario.asks.iter().enumerate() {
        let (at, deadline) = (ask.at_ms, ask.at_ms + scenario.deadline_ms(ask));
        writeln!(text, "ask {number} at {at}, to be answered by {deadline}: {ask:?}")?;
    }
    Ok(())
}
