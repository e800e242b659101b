//! What the answer to the question for the models says about the path, the credential and the quota.

use super::list::List;
use super::{Context, about_key, ms, quota, tls};
use crate::evidence::{Answer, Asked, Evidence, KeyEvidence};
use crate::finding::{Finding, Layer, Level};
use crate::subject::{Subject, url_text};
use http::header::{CONTENT_TYPE, LOCATION};
use std::time::Duration;
use wellhead_catalog::Dialect;
use wellhead_net::SendError;
use wellhead_types::{Cause, Diagnosis, Failure, Stage};
use wellhead_wire::failure::{Vendor, classify, upstream_message};

/// Characters of a vendor's message that are repeated.
const MESSAGE_CHARS_MAX: usize = 200;

/// One question, one key.
pub(super) fn judge(
    subject: &Subject,
    evidence: &Evidence,
    key: &KeyEvidence,
    list: Option<&List>,
    context: &Context,
) -> Vec<Finding> {
    let answer = match &key.asked {
        Asked::Answered(answer) => answer,
        Asked::Failed(error) => return failed(subject, evidence, key, error),
        Asked::Unsendable(why) => {
            let finding = Finding::new(Layer::Credential, Level::Fail, format!("it cannot be sent: {why}"));
            let place = subject.places.key(key.key);
            return vec![about_key(finding.fix(format!("correct {place}")).at(&place), subject, key.key)];
        }
    };
    let view = View { subject, key, answer };
    match answer.status {
        200..300 if list.is_some() => vec![
            view.reached(Level::Ok),
            view.credential(Level::Ok, "accepted".to_owned()),
            about_key(quota::judge(&answer.headers, context.now_unix_s), subject, key.key),
        ],
        200..300 => view.no_list(),
        300..400 => view.moved(),
        status => {
            let vendor = Vendor::of_kind(&subject.provider.kind.name);
            let failure = classify(vendor, status, &answer.headers, &answer.body, context.now_unix_s);
            view.refused(&failure)
        }
    }
}

/// Whether it may help to look for the API below another path.
pub(crate) fn is_wrong_path(answer: &Answer) -> bool {
    match answer.status {
        200..300 => List::read(&answer.body).is_none(),
        300..400 | 404 | 405 => true,
        _ => false,
    }
}

/// The error of a target that says nothing.
pub(crate) fn silent(limit: Duration) -> SendError {
    let detail = format!("no answer within {} s", limit.as_secs());
    SendError { stage: Stage::Headers, cause: Cause::HeadersTimeout, detail, unprocessed: false }
}

/// The error of a provider that no request can be written for.
pub(crate) fn unusable(why: String) -> SendError {
    SendError { stage: Stage::Prepare, cause: Cause::Internal, detail: why, unprocessed: true }
}

/// No answer at all.
fn failed(subject: &Subject, evidence: &Evidence, key: &KeyEvidence, error: &SendError) -> Vec<Finding> {
    let place = subject.places.base_url();
    let finding = if error.stage == Stage::Tls {
        tls::failed(subject, error)
    } else if evidence.port_speaks_tls {
        let mut encrypted = subject.provider.base_url.clone();
        encrypted.tls = true;
        let text = format!("the port speaks TLS, and the base URL is http: {}", error.detail);
        let fix = format!("{place}: write {}", url_text(&encrypted));
        Finding::new(Layer::Http, Level::Fail, text).fix(fix).at(&place)
    } else {
        let text = format!("GET {}: {}", key.url, error.detail);
        let finding = Finding::new(Layer::Http, Level::Fail, text);
        match error.cause {
            cause if cause.is_timeout() => finding
                .code(Diagnosis::Silent.as_str())
                .fix("the server accepts requests and answers nothing: look at its log and its load"),
            _ => finding
                .code(Diagnosis::UpstreamErrors.as_str())
                .fix(format!("what listens there may be no HTTP server; check the port: {place}")),
        }
    };
    let skipped = |layer| {
        about_key(Finding::new(layer, Level::Skipped, "not checked: there is no answer"), subject, key.key)
    };
    vec![finding, skipped(Layer::Credential), skipped(Layer::Quota)]
}

struct View<'a> {
    subject: &'a Subject,
    key: &'a KeyEvidence,
    answer: &'a Answer,
}

impl View<'_> {
    fn reached(&self, level: Level) -> Finding {
        let text =
            format!("GET {} answered {} in {}", self.key.url, self.answer.status, ms(self.answer.took));
        Finding::new(Layer::Http, level, text)
    }

    fn credential(&self, level: Level, text: String) -> Finding {
        let text = match self.key.key {
            None if level == Level::Ok => "none is configured, and none is asked for".to_owned(),
            _ => text,
        };
        about_key(Finding::new(Layer::Credential, level, text), self.subject, self.key.key)
    }

    fn quota(&self, finding: Finding) -> Finding {
        about_key(finding, self.subject, self.key.key)
    }

    /// Neither credential nor quota can be told from this answer.
    fn with_unknown(&self, http: Finding) -> Vec<Finding> {
        let why = "not checked: the answer does not tell";
        vec![
            http,
            self.credential(Level::Skipped, why.to_owned()),
            self.quota(Finding::new(Layer::Quota, Level::Skipped, why)),
        ]
    }

    /// The vendor's own words, if it has any.
    fn words(&self) -> String {
        match upstream_message(&self.answer.body) {
            None => String::new(),
            Some(message) => {
                let clean = message.chars().map(|c| if c.is_control() { ' ' } else { c });
                format!(": {:?}", clean.take(MESSAGE_CHARS_MAX).collect::<String>())
            }
        }
    }

    /// A success that is no list of models.
    fn no_list(&self) -> Vec<Finding> {
        let content =
            self.answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("nothing");
        let reached = self.reached(Level::Fail);
        let text = format!("{}, but with {content} that is no list of models", reached.text);
        self.with_unknown(self.elsewhere(Finding { text, ..reached }))
    }

    /// A redirect, which no client follows with a POST.
    fn moved(&self) -> Vec<Finding> {
        let to = self.answer.headers.get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or("nowhere");
        let reached = self.reached(Level::Fail);
        let text = format!("{}: it sends clients to {to}", reached.text);
        self.with_unknown(self.elsewhere(Finding { text, ..reached }))
    }

    /// Adds where the API is, or may be.
    fn elsewhere(&self, finding: Finding) -> Finding {
        let place = self.subject.places.base_url();
        let with_path = |path: &str| {
            let mut base = self.subject.provider.base_url.clone();
            path.clone_into(&mut base.path);
            url_text(&base)
        };
        let fix = match self.key.lists_below.first() {
            Some(path) => format!("{place}: write {}, where the list of models is", with_path(path)),
            None => format!(
                "{place}: write the address that the API begins at, without an endpoint; for most servers it ends in \
                 /v1, as in {}",
                with_path("/v1")
            ),
        };
        finding.fix(fix).at(&place)
    }

    /// An error status, as the data plane understands it.
    fn refused(&self, failure: &Failure) -> Vec<Finding> {
        match failure.cause {
            Cause::KeyRejected => self.rejected(),
            Cause::QuotaExhausted => {
                let text = format!("the account has no credit left{}", self.words());
                let spent = Finding::new(Layer::Quota, Level::Fail, text)
                    .code(Diagnosis::BudgetExhausted.as_str())
                    .fix("add credit at the vendor, or take the key out");
                vec![
                    self.reached(Level::Ok),
                    self.credential(Level::Ok, "known".to_owned()),
                    self.quota(spent),
                ]
            }
            Cause::RateLimited => {
                let until = failure.retry_after.map_or_else(
                    || "it does not say for how long".to_owned(),
                    |wait| format!("for {} s", wait.as_secs_f64().ceil()),
                );
                let text = format!("limited, {until}{}", self.words());
                let limited = Finding::new(Layer::Quota, Level::Fail, text)
                    .code(Diagnosis::KeyLimited.as_str())
                    .fix("wait, add a key, or raise the limit at the vendor");
                vec![
                    self.reached(Level::Ok),
                    self.credential(Level::Ok, "known".to_owned()),
                    self.quota(limited),
                ]
            }
            _ => self.with_unknown(self.wrong(failure)),
        }
    }

    fn rejected(&self) -> Vec<Finding> {
        let (status, words) = (self.answer.status, self.words());
        let place = self.subject.places.key(self.key.key);
        let folded = words.to_ascii_lowercase();
        // Keys may be good for answers and not for lists.
        let only_here = status == 403 && (folded.contains("scope") || folded.contains("permission"));
        let finding = match (self.key.key, only_here) {
            (_, true) => self
                .credential(Level::Warn, format!("known, but it may not list models ({status}){words}"))
                .fix(
                    "nothing has to be done if requests succeed; else give the key that right at the vendor",
                ),
            (Some(_), false) => self
                .credential(Level::Fail, format!("rejected with {status}{words}"))
                .code(Diagnosis::KeyRejected.as_str())
                .fix(format!("write a valid key: {place}")),
            (None, false) => self
                .credential(
                    Level::Fail,
                    format!("{status}: a key is asked for, and none is configured{words}"),
                )
                .code(Diagnosis::KeyRejected.as_str())
                .fix(format!("add a key: {place}")),
        };
        let unknown = Finding::new(Layer::Quota, Level::Skipped, "not checked: the answer does not tell");
        vec![self.reached(Level::Ok), finding.at(&place), self.quota(unknown)]
    }

    /// Not the credential and not the quota.
    fn wrong(&self, failure: &Failure) -> Finding {
        let (reached, words) = (self.reached(Level::Fail), self.words());
        let finding = Finding { text: format!("{}{words}", reached.text), ..reached };
        let provider = &self.subject.provider;
        match self.answer.status {
            404 | 405 if self.key.lists_below.is_empty() && self.has_no_list() => Finding {
                level: Level::Skipped,
                text: format!(
                    "not checked: {} has no list of models at {}",
                    provider.kind.title, self.key.url
                ),
                ..finding
            },
            404 | 405 => self.elsewhere(finding),
            400 if !provider.base_url.tls && words.to_ascii_lowercase().contains("https") => {
                let mut encrypted = provider.base_url.clone();
                encrypted.tls = true;
                let place = self.subject.places.base_url();
                finding.fix(format!("{place}: write {}", url_text(&encrypted))).at(&place)
            }
            500.. => finding.code(Diagnosis::UpstreamErrors.as_str()).fix(format!(
                "the server has trouble of its own ({}): look at its log, or at the vendor's status page",
                failure.cause.as_str()
            )),
            _ => Finding { level: Level::Warn, ..finding }
                .fix("requests may succeed all the same; what the vendor says is above"),
        }
    }

    /// The base path is the vendor's own, so it cannot be wrong: Bedrock's models are listed at another host.
    fn has_no_list(&self) -> bool {
        let provider = &self.subject.provider;
        let (kind, base) = (&provider.kind, &provider.base_url);
        let is_bare = base.path.trim_end_matches('/').is_empty();
        kind.base_url.as_deref() == Some(&url_text(base)) || (kind.dialect == Dialect::Bedrock && is_bare)
    }
}
