//! Configurations, as a person would write them.

use wellhead_sim::Sim;

/// The key of the app `dev`.
pub(crate) const KEY: &str = "wh-dev-0123456789abcdef";
/// The key of the providers of [`single`], and the start of those of the others.
pub(crate) const PROVIDER_KEY: &str = "sk-upstream-5f1e2d3c4b";

/// `body` with listeners on free ports, one worker and the app `dev`, each unless `body` says something else.
pub(crate) fn config(body: &str) -> String {
    let mut text = "version: 1\n".to_owned();
    for (section, default) in [
        ("listen:", "listen: { gateway: \"127.0.0.1:0\", admin: \"127.0.0.1:0\" }\n".to_owned()),
        ("server:", "server: { workers: 1, drain_min: 0s, drain_max: 20s }\n".to_owned()),
        ("apps:", format!("apps:\n  dev: {{ keys: [\"{KEY}\"] }}\n")),
    ] {
        if !body.lines().any(|line| line.starts_with(section)) {
            text.push_str(&default);
        }
    }
    text.push_str(body);
    text
}

/// The model `chat` on one simulator.
pub(crate) fn single(sim: &Sim) -> String {
    config(&format!(
        "providers:\n  a: {{ kind: openai-compatible, base_url: \"{}\", keys: [\"{PROVIDER_KEY}\"] }}\n\
         models:\n  chat: {{ targets: [{{ provider: a, model: m1 }}] }}\n",
        sim.base_url()
    ))
}

/// The model `chat` on two providers `a` and `b`, which ask for the models `m1` and `m2`.
fn two(first: &str, second: &str, tier: u8, settings: &str) -> String {
    config(&format!(
        "providers:\n  \
           a: {{ kind: openai-compatible, base_url: \"{first}\", keys: [\"{PROVIDER_KEY}-a\"] }}\n  \
           b: {{ kind: openai-compatible, base_url: \"{second}\", keys: [\"{PROVIDER_KEY}-b\"] }}\n\
         models:\n  chat:\n    \
           targets:\n      - {{ provider: a, model: m1 }}\n      - {{ provider: b, model: m2, tier: {tier} }}\n    \
           {settings}\n"
    ))
}

/// [`two`] in one tier, on one simulator: a fault that happens once hits whichever is asked first.
pub(crate) fn pair(sim: &Sim, settings: &str) -> String {
    two(&sim.base_url(), &sim.base_url(), 0, settings)
}

/// [`two`] in two tiers.
pub(crate) fn tiers(first: &str, second: &str, settings: &str) -> String {
    two(first, second, 1, settings)
}
