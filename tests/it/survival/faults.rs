//! The faults of the matrix: each of the simulator's, in variants that strike before the headers, after them, and after
//! some tokens, with what the promise makes of each.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wellhead_sim::{Fault, Faults, Rule};

use crate::support::fault;

/// What a fault means to a request whose only answer comes from a target that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// The answer is complete and in time.
    Harmless,
    /// The request itself is at fault: every target would say the same.
    PassedOn,
    /// It is plain before the first content that no answer comes.
    Fails,
    /// Nothing comes, for longer than anybody waits.
    Hangs,
    /// The answer breaks off after its first content.
    Breaks,
    /// The answer stops after its first content, on an open connection.
    Stalls,
}

/// Faults that are alike for who asks. A covering array has each pair of classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    Unreachable,
    ServerError,
    Limited,
    KeyRefused,
    ModelUnknown,
    RequestRefused,
    SilentBeforeHeaders,
    BrokenBeforeContent,
    SilentBeforeContent,
    BrokenAfterContent,
    SilentAfterContent,
    MalformedAfterContent,
    Harmless,
}

/// How a fault is set.
#[derive(Debug, Clone, Copy)]
enum Form {
    /// In the simulator's text form, for every request.
    Always(&'static str),
    /// The same, for one request only.
    Once(&'static str),
    /// An error answer with that code and message, for every request.
    Says(u16, &'static str, &'static str),
}

/// A fault of the matrix.
#[derive(Debug, Clone, Copy)]
pub(super) struct Variant {
    form: Form,
    pub(super) class: Class,
    /// In an answer of one piece.
    whole: Effect,
    /// In a streamed answer.
    streamed: Effect,
}

impl Variant {
    pub(super) const fn effect(&self, streamed: bool) -> Effect {
        if streamed { self.streamed } else { self.whole }
    }

    /// The first cell of its row.
    pub(super) fn label(&self) -> String {
        match self.form {
            Form::Always(text) => text.to_owned(),
            Form::Once(text) => format!("{text} once"),
            Form::Says(status, code, _) => format!("status:{status} {code}"),
        }
    }

    /// What the simulator is told.
    pub(super) fn rule(&self) -> Rule {
        match self.form {
            Form::Always(text) => Rule::always(fault(text)),
            Form::Once(text) => Rule::always(fault(text)).times(1),
            Form::Says(code, ..) => {
                let body = self.body();
                Rule::always(Fault::Status { code, headers: BTreeMap::new(), body, retry_after: None })
            }
        }
    }

    fn faults(&self) -> Faults {
        self.rule().faults
    }

    /// The error answer, with its reason, where the variant names one.
    pub(super) fn body(&self) -> Option<Value> {
        let Form::Says(_, code, message) = self.form else { return None };
        let kind = "invalid_request_error";
        Some(json!({"error": {"message": message, "type": kind, "param": null, "code": code}}))
    }

    /// The status of the error answer.
    pub(super) fn status(&self) -> Option<u16> {
        self.faults().0.iter().find_map(|fault| match fault {
            Fault::Status { code, .. } => Some(*code),
            _ => None,
        })
    }

    /// How long the target asks to be left alone.
    pub(super) fn retry_after_s(&self) -> Option<u64> {
        self.faults().0.iter().find_map(|fault| match fault {
            Fault::Status { retry_after: Some(value), .. } => value.parse().ok(),
            _ => None,
        })
    }

    /// Whether the target answers from the second request on.
    pub(super) const fn recovers(&self) -> bool {
        matches!(self.form, Form::Once(_))
    }

    /// Whether connections are refused, so that the target sees no request.
    pub(super) fn unseen(&self) -> bool {
        self.faults().0.contains(&Fault::Refuse)
    }
}

const fn both(form: Form, class: Class, effect: Effect) -> Variant {
    Variant { form, class, whole: effect, streamed: effect }
}

const fn always(text: &'static str, class: Class, whole: Effect, streamed: Effect) -> Variant {
    Variant { form: Form::Always(text), class, whole, streamed }
}

const fn fails(text: &'static str, class: Class) -> Variant {
    both(Form::Always(text), class, Effect::Fails)
}

const fn hangs(text: &'static str, class: Class) -> Variant {
    both(Form::Always(text), class, Effect::Hangs)
}

const fn harmless(text: &'static str) -> Variant {
    both(Form::Always(text), Class::Harmless, Effect::Harmless)
}

const fn says(
    status: u16,
    code: &'static str,
    message: &'static str,
    class: Class,
    effect: Effect,
) -> Variant {
    both(Form::Says(status, code, message), class, effect)
}

const fn refuses(status: u16, code: &'static str, message: &'static str) -> Variant {
    says(status, code, message, Class::RequestRefused, Effect::PassedOn)
}

/// Only streams have events to break: an answer in one piece comes whole.
const fn in_stream(text: &'static str, class: Class, effect: Effect) -> Variant {
    always(text, class, Effect::Harmless, effect)
}

/// All of them. The answers have 24 tokens. What breaks an answer by an event comes slowly: read together with the first
/// content, nothing would have been delivered yet.
pub(super) const VARIANTS: &[Variant] = {
    use Class as C;
    use Effect::{Breaks, Fails, Hangs, Stalls};
    &[
        fails("refuse", C::Unreachable),
        fails("reset-before-headers", C::Unreachable),
        hangs("silence", C::SilentBeforeHeaders),
        hangs("drip-headers:1000", C::SilentBeforeHeaders),
        fails("status:500", C::ServerError),
        fails("status:502", C::ServerError),
        fails("status:503", C::ServerError),
        fails("status:503,retry-after=30", C::ServerError),
        fails("status:504", C::ServerError),
        fails("status:529", C::ServerError),
        fails("status:408", C::ServerError),
        fails("status:409", C::ServerError),
        fails("status:429", C::Limited),
        fails("status:429,retry-after=30", C::Limited),
        both(Form::Once("status:429,retry-after=1"), C::Limited, Fails),
        both(Form::Once("status:503,retry-after=1"), C::ServerError, Fails),
        fails("status:401", C::KeyRefused),
        fails("status:402", C::KeyRefused),
        fails("status:403", C::KeyRefused),
        says(429, "insufficient_quota", "You exceeded your current quota.", C::KeyRefused, Fails),
        fails("status:404", C::ModelUnknown),
        refuses(400, "invalid_value", "Invalid value for 'temperature'."),
        refuses(400, "context_length_exceeded", "This model's maximum context length is 8192 tokens."),
        refuses(400, "content_policy_violation", "Your request was rejected by our safety system."),
        refuses(404, "unknown_url", "There is nothing at this address."),
        refuses(413, "request_too_large", "The request is too large."),
        refuses(422, "unprocessable", "The request cannot be processed."),
        fails("reset-after-headers", C::BrokenBeforeContent),
        fails("error-in-200", C::BrokenBeforeContent),
        fails("wrong-content-type", C::BrokenBeforeContent),
        fails("empty-body", C::BrokenBeforeContent),
        fails("bad-json", C::BrokenBeforeContent),
        fails("compressed:force", C::BrokenBeforeContent),
        fails("cut-after:0", C::BrokenBeforeContent),
        fails("reset-after:0", C::BrokenBeforeContent),
        in_stream("error-mid-stream:0", C::BrokenBeforeContent, Fails),
        in_stream("malformed-event:0", C::BrokenBeforeContent, Fails),
        in_stream("huge-line:300000", C::BrokenBeforeContent, Fails),
        hangs("slow-first-token:60000", C::SilentBeforeContent),
        hangs("slow-tokens:60000", C::SilentBeforeContent),
        hangs("stall-after:0", C::SilentBeforeContent),
        always("cut-after:1", C::BrokenAfterContent, Fails, Breaks),
        always("cut-after:5", C::BrokenAfterContent, Fails, Breaks),
        in_stream("cut-after:24", C::BrokenAfterContent, Breaks),
        always("reset-after:5", C::BrokenAfterContent, Fails, Breaks),
        in_stream("reset-after:24", C::BrokenAfterContent, Breaks),
        in_stream("slow-tokens:100+error-mid-stream:5", C::BrokenAfterContent, Breaks),
        in_stream("missing-terminator", C::BrokenAfterContent, Breaks),
        always("stall-after:5", C::SilentAfterContent, Hangs, Stalls),
        in_stream("stall-after:24", C::SilentAfterContent, Stalls),
        in_stream("slow-tokens:100+malformed-event:5", C::MalformedAfterContent, Breaks),
        in_stream("slow-tokens:50+malformed-event:23", C::MalformedAfterContent, Breaks),
        harmless("slow-first-token:100"),
        harmless("slow-tokens:5"),
        harmless("drip-headers:0"),
        harmless("compressed"),
        harmless("huge-line:4096"),
    ]
};

/// Whether the matrix has it. A fault that the simulator learns has to be given a place here, or it does not compile.
fn belongs(fault: &Fault) -> bool {
    match fault {
        Fault::Refuse
        | Fault::ResetBeforeHeaders
        | Fault::ResetAfterHeaders
        | Fault::Silence
        | Fault::SlowFirstToken { .. }
        | Fault::SlowTokens { .. }
        | Fault::Status { .. }
        | Fault::CutAfter { .. }
        | Fault::ResetAfter { .. }
        | Fault::StallAfter { .. }
        | Fault::MalformedEvent { .. }
        | Fault::MissingTerminator
        | Fault::ErrorIn200
        | Fault::ErrorMidStream { .. }
        | Fault::WrongContentType
        | Fault::Compressed { .. }
        | Fault::HugeLine { .. }
        | Fault::EmptyBody
        | Fault::BadJson
        | Fault::DripHeaders { .. } => true,
        // It sets the length of an answer and breaks nothing.
        Fault::Tokens { .. } => false,
    }
}

/// The kinds of fault that `belongs` says yes to.
const KINDS: usize = 20;

#[test]
fn every_fault_of_the_simulator_is_in_the_matrix() {
    let mut kinds: Vec<_> = VARIANTS
        .iter()
        .flat_map(|variant| variant.faults().0)
        .inspect(|fault| assert!(belongs(fault), "{fault}"))
        .map(|fault| serde_json::to_value(fault).unwrap()["kind"].clone())
        .map(|kind| kind.as_str().unwrap().to_owned())
        .collect();
    kinds.sort();
    kinds.dedup();
    assert_eq!(kinds.len(), KINDS, "{kinds:?}");
}
