//! The practice provider of the first run: a simulator in this process, and one random key that is printed once.

use super::ServeArgs;
use anyhow::Context;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use wellhead_control::{ConfigSource, Configurator, FirstLoad, KeyRequest};
use wellhead_sim::{Sim, SimOptions};
use wellhead_store::AppSettings;
use wellhead_types::Secret;

/// Models to practise on: two that fail in different ways, and one whose first target fails and whose second answers.
const FAULTY: &str =
    "  practice+status-503: { targets: [{ provider: practice, model: practice+status-503 }] }
  practice+slow-tokens-300: { targets: [{ provider: practice, model: practice+slow-tokens-300 }] }
  practice+cut-after-5: { targets: [{ provider: practice, model: practice+cut-after-5 }] }
  practice-failover:
    targets:
      - { provider: practice, model: practice+status-503 }
      - { provider: practice, model: practice, tier: 1 }
";
/// The app that owns the practice key.
const APP: &str = "practice";

/// The running practice provider.
pub(super) struct Practice {
    sim: Sim,
}

/// Starts the practice provider if nothing is configured.
#[expect(clippy::unused_async, reason = "the simulator needs the runtime that this runs on")]
pub(super) async fn start(args: &ServeArgs) -> anyhow::Result<Option<Practice>> {
    if args.config.is_some() {
        return Ok(None);
    }
    let options = SimOptions { addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), ..SimOptions::default() };
    let sim = Sim::start(options).context("the practice provider could not be started")?;
    Ok(Some(Practice { sim }))
}

impl Practice {
    /// The configuration that serves it.
    pub(super) fn source(&self) -> ConfigSource {
        let mut text = format!(
            "version: 1\n\
             providers:\n  practice: {{ kind: openai-compatible, base_url: \"{}\" }}\n\
             models:\n  practice: {{ targets: [{{ provider: practice, model: practice }}] }}\n",
            self.sim.base_url()
        );
        text.push_str(FAULTY);
        ConfigSource::Builtin { name: "none: defaults".to_owned(), text }
    }
}

/// A key for the first run, if no app exists yet: its text is known here and nowhere else.
pub(super) async fn key(
    practice: Option<&Practice>,
    configurator: &Arc<Configurator>,
    first: &FirstLoad,
) -> anyhow::Result<Option<Secret>> {
    if practice.is_none() || !first.snapshot.apps.is_empty() {
        return Ok(None);
    }
    configurator.create_app(APP, &AppSettings::default()).await?;
    let request = KeyRequest { name: Some("first run".to_owned()), expires_in_s: None };
    Ok(Some(configurator.create_key(APP, &request).await?.text))
}
