//! Asks: the network of each endpoint, and the list of models with each key. Bounded in time and in what goes on at
//! once, and never anything that costs tokens.

use crate::evidence::{Answer, Asked, Evidence, KeyEvidence};
use crate::finding::{Examined, Finding, Layer, Level, Report};
use crate::judge::{self, Context};
use crate::subject::{Subject, Subjects, url_text};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::{Mutex, OnceCell, Semaphore};
use tokio::task::JoinSet;
use wellhead_config::snapshot::{Provider, ProviderKey};
use wellhead_credentials::{Material, Surroundings, fetch_once};
use wellhead_net::{
    AddressState, Connector, Endpoint, Examination, InBody, Pool, PoolLimits, Resolver, TlsOptions,
};
use wellhead_proxy::Question;
use wellhead_types::Stage;

/// Everything together: nobody waits longer for a diagnosis.
const TOTAL_MAX: Duration = Duration::from_secs(60);
/// One question, from sending it to the last byte: a list of models is made in a moment.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// Largest answer that is read: the longest lists of models have about a mebibyte.
const ANSWER_BYTES_MAX: usize = 4 << 20;
/// Questions and examinations at once: enough to be quick, few enough to look like one client.
const AT_ONCE_MAX: usize = 8;
/// Other base paths that are tried where the configured one has no list of models.
const PATHS_MAX: usize = 4;

/// Examines the subjects. `hosts` are the well-known hosts of vendors with their kinds, for slips in names;
/// `now_unix_s` is needed for certificates and dates.
pub async fn examine(subjects: Subjects, hosts: Vec<(String, String)>, now_unix_s: u64) -> Report {
    let resolver = Resolver::default();
    resolver.configure(&subjects.name_servers, [""; 0]);
    let connector = Connector::new(resolver);
    let probe = Arc::new(Probe {
        pool: Pool::new(connector.clone(), PoolLimits::default()),
        connector,
        room: Semaphore::new(AT_ONCE_MAX),
        endpoints: Mutex::default(),
    });
    let context = Arc::new(Context { now_unix_s, hosts, name_servers: subjects.name_servers });
    let deadline = tokio::time::Instant::now() + TOTAL_MAX;
    let mut running = JoinSet::new();
    for (place, subject) in subjects.providers.into_iter().enumerate() {
        let (probe, context) = (probe.clone(), context.clone());
        running.spawn(async move {
            let findings = match tokio::time::timeout_at(deadline, probe.evidence(&subject)).await {
                Ok(evidence) => judge::judge(&subject, &evidence, &context),
                Err(_) => vec![late()],
            };
            let examined = Examined {
                provider: subject.provider.name.to_string(),
                base_url: url_text(&subject.provider.base_url),
                findings,
            };
            (place, examined)
        });
    }
    let mut providers = running.join_all().await;
    providers.sort_unstable_by_key(|(place, _)| *place);
    Report { providers: providers.into_iter().map(|(_, examined)| examined).collect() }
}

fn late() -> Finding {
    let text = format!("the examination was not finished within {} s", TOTAL_MAX.as_secs());
    Finding::new(Layer::Http, Level::Fail, text).fix("examine this provider alone: wellhead doctor PROVIDER")
}

struct Probe {
    connector: Connector,
    pool: Pool,
    room: Semaphore,
    /// Two providers at one endpoint are one examination.
    endpoints: Mutex<HashMap<Endpoint, Arc<OnceCell<Arc<Examination>>>>>,
}

impl Probe {
    async fn evidence(&self, subject: &Subject) -> Evidence {
        let provider = &subject.provider;
        let question = |key: Option<&ProviderKey>| Question::get(provider, key, "models");
        // Only for its endpoint, which the keys have no part in.
        let endpoint = question(None).map(|question| question.endpoint().clone());
        let Ok(endpoint) = endpoint else { return unasked(question(None).err().unwrap_or_default()) };
        let network = self.network(&endpoint).await;
        let connects = network.addresses.iter().any(|(_, state)| state.value == AddressState::Connected)
            && network.tls.as_ref().is_none_or(|tls| tls.value.is_ok());
        let mut keys = Vec::new();
        if connects && judge::has_list(&provider.kind) {
            let numbers: Vec<Option<usize>> = match provider.keys.len() {
                0 => vec![None],
                keys => (0..keys).map(Some).collect(),
            };
            // One after another: a vendor that sees all keys of an account at once may take it for an attack.
            for key in numbers {
                keys.push(self.ask_with(provider, key).await);
            }
        }
        let broken = |evidence: &KeyEvidence| match &evidence.asked {
            Asked::Failed(error) => error.stage >= Stage::Send,
            Asked::Answered(_) | Asked::Unsendable(_) => false,
        };
        let port_speaks_tls =
            endpoint.tls.is_none() && keys.iter().any(broken) && self.speaks_tls(&endpoint).await;
        let host = endpoint.host.to_ascii_lowercase();
        let report = self.connector.resolver().report().into_iter().find(|known| known.host == host);
        Evidence { network, answered_by: report.and_then(|known| known.answered_by), port_speaks_tls, keys }
    }

    async fn network(&self, endpoint: &Endpoint) -> Arc<Examination> {
        let cell = self.endpoints.lock().await.entry(endpoint.clone()).or_default().clone();
        let examine = || async {
            let _place = self.room.acquire().await;
            Arc::new(self.connector.examine(endpoint).await)
        };
        cell.get_or_init(examine).await.clone()
    }

    /// Whether a port that fails in clear text shakes hands, whatever its certificate is.
    async fn speaks_tls(&self, endpoint: &Endpoint) -> bool {
        let _place = self.room.acquire().await;
        let encrypted = Endpoint { tls: Some(TlsOptions::default()), ..endpoint.clone() };
        let seen = self.connector.examine(&encrypted).await;
        seen.tls.is_some_and(|tls| match tls.value {
            Ok(_) => true,
            Err(error) => judge::is_about_certificates(error.cause),
        })
    }

    async fn ask_with(&self, provider: &Provider, number: Option<usize>) -> KeyEvidence {
        let key = number.and_then(|number| provider.keys.get(number));
        let (url, asked) = self.ask(provider, key).await;
        let mut evidence = KeyEvidence { key: number, url, asked, lists_below: Vec::new() };
        let Asked::Answered(answer) = &evidence.asked else { return evidence };
        if !judge::is_wrong_path(answer) {
            return evidence;
        }
        for path in other_paths(provider).into_iter().take(PATHS_MAX) {
            let mut elsewhere = provider.clone();
            elsewhere.base_url.path.clone_from(&path);
            if let (_, Asked::Answered(answer)) = self.ask(&elsewhere, key).await
                && judge::is_list(&answer)
            {
                evidence.lists_below.push(path);
                break;
            }
        }
        evidence
    }

    /// The question for the models, and the credential that was fetched for it where a cloud gives it out.
    async fn question(
        &self,
        provider: &Provider,
        key: Option<&ProviderKey>,
    ) -> Result<(Question, Option<Material>), String> {
        let mut question = Question::get(provider, key, "models")?;
        if let Some(cloud) = key.and_then(|key| key.cloud.as_deref()) {
            let fetched = fetch_once(self.connector.clone(), &Surroundings::OfTheProcess, &cloud.source);
            let material = fetched.await.map_err(|error| error.to_string())?;
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            question.authorize(cloud, &material, since.as_secs())?;
            return Ok((question, Some(material)));
        }
        Ok((question, None))
    }

    /// Asks for the models.
    async fn ask(&self, provider: &Provider, key: Option<&ProviderKey>) -> (String, Asked) {
        let (question, fetched) = match self.question(provider, key).await {
            Ok(asked) => asked,
            Err(why) => return (String::new(), Asked::Unsendable(why)),
        };
        let _place = self.room.acquire().await;
        let start = Instant::now();
        let build = |version| question.build(version);
        let exchange = async {
            let response = self.pool.send(question.endpoint(), &build).await?;
            let (parts, body) = response.into_parts();
            let body = without(read(body).await, fetched.as_ref());
            Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body, took: start.elapsed() })
        };
        let asked = match tokio::time::timeout(ANSWER_MAX, exchange).await {
            Ok(Ok(answer)) => Asked::Answered(answer),
            Ok(Err(error)) => Asked::Failed(error),
            Err(_) => Asked::Failed(judge::silent(ANSWER_MAX)),
        };
        (question.url(), asked)
    }
}

/// Vendors repeat what they refuse: AWS shows what it has signed itself, the session token among it.
fn without(body: Bytes, fetched: Option<&Material>) -> Bytes {
    let Some(fetched) = fetched else { return body };
    let text = String::from_utf8_lossy(&body);
    let hidden =
        fetched.secrets().fold(text.to_string(), |text, secret| text.replace(secret.expose(), "***"));
    if hidden == text { body } else { hidden.into() }
}

/// As much of an answer as came and is read: what breaks off is judged by its beginning.
async fn read(mut body: InBody) -> Bytes {
    let mut bytes = BytesMut::new();
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(piece) = frame.into_data() else { continue };
        let room = ANSWER_BYTES_MAX.saturating_sub(bytes.len());
        bytes.extend_from_slice(&piece[..piece.len().min(room)]);
        if piece.len() >= room {
            break;
        }
    }
    bytes.freeze()
}

/// A provider that cannot even be written down as a request.
fn unasked(why: String) -> Evidence {
    let network = Examination {
        name: wellhead_net::Timed { took: Duration::ZERO, value: Err(judge::unusable(why)) },
        addresses: Vec::new(),
        tls: None,
    };
    Evidence { network: Arc::new(network), answered_by: None, port_speaks_tls: false, keys: Vec::new() }
}

/// Where the API may be if it is not at the configured base path, likeliest first.
fn other_paths(provider: &Provider) -> Vec<String> {
    let configured = provider.base_url.path.as_str();
    let of_kind = provider.kind.base_url.as_deref().and_then(path_of);
    let mut paths: Vec<String> = Vec::new();
    let all = of_kind.map(str::to_owned).into_iter().chain([
        format!("{configured}/v1"),
        "/v1".to_owned(),
        "/api/v1".to_owned(),
        "/openai/v1".to_owned(),
    ]);
    for path in all {
        if path != configured && !paths.contains(&path) {
            paths.push(path);
        }
    }
    paths
}

/// The path of a URL of the catalogue.
fn path_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    Some(rest.find('/').map_or("", |at| &rest[at..]))
}
