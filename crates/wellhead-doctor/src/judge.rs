//! From what was seen to findings with their evidence and fixes. No I/O, no clock: one layer, one file.

mod answer;
mod list;
mod model;
mod name;
mod port;
mod quota;
mod tls;

pub(crate) use answer::{is_wrong_path, silent, unusable};
pub(crate) use tls::is_about_certificates;

use crate::evidence::{Answer, Evidence, KeyEvidence};
use crate::finding::{Finding, Layer, Level};
use crate::subject::Subject;
use list::List;
use std::net::SocketAddr;
use wellhead_catalog::Kind;

/// What is known besides the evidence.
#[derive(Debug)]
pub(crate) struct Context {
    /// For certificates and dates.
    pub(crate) now_unix_s: u64,
    /// Hosts of vendors with their kinds.
    pub(crate) hosts: Vec<(String, String)>,
    /// `dns.servers` of the configuration; none means those of the system.
    pub(crate) name_servers: Vec<SocketAddr>,
}

/// Everything there is to say about a provider, from the bottom to the top.
pub(crate) fn judge(subject: &Subject, evidence: &Evidence, context: &Context) -> Vec<Finding> {
    let mut findings = vec![name::judge(subject, evidence, context), port::judge(subject, evidence)];
    findings.extend(tls::judge(subject, evidence, context));
    let broken = findings.iter().find(|finding| finding.level == Level::Fail).map(|finding| finding.layer);
    if let Some(layer) = broken {
        // What is above a broken layer was not reached.
        let why = format!("not checked: {} failed", layer.as_str());
        let above = Layer::ALL.into_iter().filter(|above| *above > layer && !has(&findings, *above));
        findings
            .extend(above.map(|above| Finding::new(above, Level::Skipped, why.clone())).collect::<Vec<_>>());
        return findings;
    }
    if !has_list(&subject.provider.kind) {
        let why = format!(
            "not checked: {} has no list of models, which is all that costs nothing",
            subject.provider.kind.title
        );
        let above = [Layer::Http, Layer::Credential, Layer::Quota, Layer::Model];
        findings.extend(above.map(|above| Finding::new(above, Level::Skipped, why.clone())));
        return findings;
    }
    let lists: Vec<Option<List>> = evidence.keys.iter().map(KeyEvidence::list).collect();
    for (key, list) in evidence.keys.iter().zip(&lists) {
        for finding in answer::judge(subject, evidence, key, list.as_ref(), context) {
            // What every key meets is said once.
            if finding.layer != Layer::Http || !findings.contains(&finding) {
                findings.push(finding);
            }
        }
    }
    one_good_http(&mut findings);
    findings.extend(model::judge(subject, &evidence.keys, &lists));
    findings.sort_by_key(|finding| finding.layer);
    // Vendors repeat keys in their messages.
    for finding in &mut findings {
        subject.hide_secrets(&mut finding.text);
    }
    findings
}

fn has(findings: &[Finding], layer: Layer) -> bool {
    findings.iter().any(|finding| finding.layer == layer)
}

/// Answers differ by milliseconds only: the first good one speaks for all.
fn one_good_http(findings: &mut Vec<Finding>) {
    let mut seen = false;
    findings.retain(|finding| {
        let good = finding.layer == Layer::Http && finding.level == Level::Ok;
        let again = good && seen;
        seen |= good;
        !again
    });
}

/// Whether a vendor has a list of models, as far as is known.
pub(crate) fn has_list(kind: &Kind) -> bool {
    let known = &kind.quirks.endpoints;
    known.is_empty() || known.iter().any(|endpoint| endpoint == "models")
}

/// Whether an answer is a list of models.
pub(crate) fn is_list(answer: &Answer) -> bool {
    (200..300).contains(&answer.status) && List::read(&answer.body).is_some()
}

impl KeyEvidence {
    /// The list that came, if one did.
    fn list(&self) -> Option<List> {
        match &self.asked {
            crate::evidence::Asked::Answered(answer) if (200..300).contains(&answer.status) => {
                List::read(&answer.body)
            }
            _ => None,
        }
    }
}

impl Subject {
    /// A key as people see it, or nothing for a provider without keys.
    fn key_text(&self, number: Option<usize>) -> Option<String> {
        let key = number.and_then(|number| self.provider.keys.get(number))?;
        if key.cloud.is_some() {
            return Some(format!("credential {}", key.id));
        }
        Some(format!("key {}", key.secret.masked()))
    }

    /// Takes everything out of a text that may be a secret.
    fn hide_secrets(&self, text: &mut String) {
        /// What is shorter stands in many a text by chance, and protects nothing.
        const SECRET_BYTES_MIN: usize = 6;
        for key in &self.provider.keys {
            if key.secret.expose().len() >= SECRET_BYTES_MIN {
                *text = text.replace(key.secret.expose(), &key.secret.masked());
            }
        }
        for (_, value) in &self.provider.headers {
            if value.len() >= SECRET_BYTES_MIN {
                *text = text.replace(value.as_str(), "…");
            }
        }
    }
}

/// `finding` about a key, if there is one.
fn about_key(finding: Finding, subject: &Subject, key: Option<usize>) -> Finding {
    match subject.key_text(key) {
        Some(text) => finding.about(text),
        None => finding,
    }
}

/// Milliseconds, as precise as is of use.
fn ms(took: std::time::Duration) -> String {
    format!("{} ms", took.as_millis())
}

#[cfg(test)]
mod tests;
