//! `wellhead sim`: a simulated provider in the foreground.

use std::process::ExitCode;

use anyhow::Context;
use wellhead_sim::{CliOptions, SimOptions, Slots};

use crate::cli::SimArgs;
use crate::ui;

pub(super) fn run(args: SimArgs) -> anyhow::Result<ExitCode> {
    let SimArgs { addr, pace, tokens, seed, keys, fault, slots, slots_refuse, threads } = args;
    let api_keys = (!keys.is_empty()).then_some(keys);
    let sim = SimOptions {
        addr,
        token_pace: pace,
        tokens_default: tokens,
        seed,
        api_keys,
        slots: slots.map(|count| Slots { count, refuse: slots_refuse }),
        ..SimOptions::default()
    };
    wellhead_sim::run_cli(CliOptions { sim, faults: fault, threads }, &mut ui::Stdout)
        .with_context(|| format!("the simulator on {addr} failed"))?;
    Ok(ExitCode::SUCCESS)
}
