//! One world as it is written down before it is played: everything that will happen to the gateway, from a seed.

pub(crate) mod extras;
pub(crate) mod fault;
mod make;
mod script;
mod theme;
mod yaml;

pub(crate) use extras::{Crowd, Fallback, STAND_IN, Tools};
pub(crate) use fault::{Fault, Kind, NameFault, NameKind};
pub(crate) use make::BACK_OFF_MS;
pub(crate) use make::make;
pub(crate) use script::script;
pub use theme::Theme;
pub(crate) use yaml::secret;
pub(crate) use yaml::yaml;

use std::net::IpAddr;

/// A world, from its seed.
#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    /// What it was made from.
    pub seed: u64,
    /// What it is mainly about.
    pub theme: Theme,
    /// Workers of the gateway.
    pub workers: usize,
    /// Upstreams.
    pub providers: Vec<Provider>,
    /// The configuration at the start.
    pub(crate) models: Vec<Model>,
    /// Consumers.
    pub apps: Vec<App>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// What goes wrong with names.
    pub name_faults: Vec<NameFault>,
    /// Other configurations, by the time of their arrival.
    pub changes: Vec<(u64, Change)>,
    /// Requests of clients, in the order of time.
    pub asks: Vec<Ask>,
    /// When more is asked for than can be answered.
    pub crowd: Option<Crowd>,
    /// From then on nothing goes wrong any more.
    pub quiet_ms: u64,
    /// The longest that upstreams may be left alone after that, beyond back-off, because they asked for it.
    pub rest_ms: u64,
    /// The last request comes before.
    pub end_ms: u64,
}

/// An upstream.
#[derive(Debug, Clone)]
pub(crate) struct Provider {
    /// Its name in the configuration.
    pub name: String,
    /// Where it is.
    pub host: Host,
    /// How many keys it takes; none: it asks for none.
    pub keys: usize,
    /// The region that the configuration gives it.
    pub region: Option<&'static str>,
    /// How it takes the beginning of an answer, as the configuration says.
    pub prefill: &'static str,
    /// Whether it really does.
    pub prefills: bool,
    /// Equal voices give equal answers to equal prompts.
    pub voice: u64,
    /// Time to the first token.
    pub first_ms: u64,
    /// Time between two tokens.
    pub pace_ms: u64,
    /// Time to connect.
    pub dial_ms: u64,
    /// `concurrency_max`.
    pub concurrency: Option<u32>,
}

/// Where an upstream is.
#[derive(Debug, Clone)]
pub(crate) enum Host {
    /// At an address.
    At(IpAddr),
    /// At the addresses of a name; the second list from the moment on at which it moves.
    Named {
        /// The name.
        name: String,
        /// Its addresses.
        addresses: Vec<IpAddr>,
        /// Those after a move.
        later: Vec<IpAddr>,
    },
}

/// What clients send as `model`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Model {
    /// Its name.
    pub name: String,
    /// Who can answer.
    pub targets: Vec<Target>,
    /// `timeouts.deadline`.
    pub deadline_ms: u64,
    /// `timeouts.first_token`.
    pub first_token_ms: u64,
    /// `timeouts.stream_idle`.
    pub idle_ms: u64,
    /// `timeouts.hold`.
    pub hold_ms: u64,
    /// `attempts_max`.
    pub attempts_max: u32,
    /// `stream.rescue`.
    pub rescue: &'static str,
    /// `stream.mode: atomic`.
    pub atomic: bool,
    /// Requests per second.
    pub per_second: f64,
    /// `fallback`.
    pub fallback: Option<Fallback>,
}

/// One way to an answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Target {
    /// The number of the provider.
    pub provider: usize,
    /// `tier`.
    pub tier: u8,
    /// `weight`.
    pub weight: u32,
}

/// A consumer.
#[derive(Debug, Clone)]
pub(crate) struct App {
    /// Its name.
    pub name: String,
    /// Its key.
    pub key: String,
    /// Regions that it is kept to.
    pub regions: Option<&'static str>,
    /// `limits.concurrency`.
    pub concurrency: Option<u32>,
    /// `priority`.
    pub priority: &'static str,
}

impl App {
    /// One without limits.
    pub(crate) fn plain(number: usize) -> Self {
        Self {
            name: format!("a{number}"),
            key: format!("wh-world-app-number-{number}"),
            regions: None,
            concurrency: None,
            priority: "default",
        }
    }
}

/// A configuration that arrives while requests are under way.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// A good one.
    Models(Vec<Model>),
    /// One that must change nothing.
    Broken,
}

/// A request of a client.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ask {
    /// When it comes.
    pub at_ms: u64,
    /// The number of the app.
    pub app: usize,
    /// The number of the model.
    pub(crate) model: usize,
    /// Whether a stream is asked for.
    pub streamed: bool,
    /// What the SDK says about its patience (`x-stainless-read-timeout`).
    pub patience_ms: Option<u64>,
    /// The client leaves after so long, whatever it has by then.
    pub leaves_ms: Option<u64>,
    /// It takes so long over each piece.
    pub reads_ms: u64,
    /// What is asked; equal questions are equal requests. Always there once the world is written down.
    pub question: Option<usize>,
    /// Too long for every model but one that takes more.
    pub long: bool,
    /// What it says about tools.
    pub tools: Option<Tools>,
}

impl Scenario {
    /// The same world without these faults.
    pub(crate) fn without(&self, healed: impl Fn(&Fault) -> bool) -> Self {
        let faults = self.faults.iter().filter(|fault| !healed(fault)).copied().collect();
        Self { faults, ..self.clone() }
    }

    /// The configuration after the last change.
    pub(crate) fn last_models(&self) -> &[Model] {
        let newest = self.changes.iter().rev().find_map(|(_, change)| match change {
            Change::Models(models) => Some(&models[..]),
            Change::Broken => None,
        });
        newest.unwrap_or(&self.models)
    }

    /// Every configuration that is ever in force.
    pub(crate) fn all_models(&self) -> impl Iterator<Item = &[Model]> {
        let later = self.changes.iter().filter_map(|(_, change)| match change {
            Change::Models(models) => Some(&models[..]),
            Change::Broken => None,
        });
        std::iter::once(&self.models[..]).chain(later)
    }

    /// The id of a target in records: `provider/vendor-model`.
    pub(crate) fn target_id(&self, model: usize, target: &Target) -> String {
        format!("{}/{}", self.providers[target.provider].name, vendor_model(model))
    }

    /// When a request must have been answered or refused, counted from its arrival: to the first content if it is
    /// streamed. The configuration at its arrival counts, of which only the shortest and longest are known here.
    pub(crate) fn deadline_ms(&self, ask: &Ask) -> u64 {
        let model = &self.models[ask.model];
        ask.patience_ms.map_or(model.deadline_ms, |patience| patience.min(model.deadline_ms))
    }
}

impl Ask {
    /// What is asked.
    pub(crate) fn question(&self) -> usize {
        self.question.unwrap_or_default()
    }
}

/// What upstreams call a model.
pub(crate) fn vendor_model(model: usize) -> String {
    format!("v{model}")
}
