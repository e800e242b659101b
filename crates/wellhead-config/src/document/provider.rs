//! `providers:`.

use crate::section::section;
use crate::values::{
    HeaderName, HeaderValue, Int, List, Named, PrefillChoice, ProtocolChoice, ProviderKeyEntry, SecretText,
    Switch, Text, Time, Url,
};

section! {
    /// An account with a model vendor, or a model server.
    Provider {
        /// What it is: openai, azure-openai, openai-compatible, or another kind of the catalog.
        Must kind: Text,
        /// Where its API begins, without the endpoint: https://api.example.com/v1. Default: the kind's own.
        May base_url: Url,
        /// Its keys, used in turn; each as text, as {secret, id}, or as {aws}, {gcp} or {azure} where a cloud gives the
        /// credential out. Default: where requests are signed for AWS or carry tokens of Google Cloud, the usual chain.
        May keys: List<ProviderKeyEntry, 1, 1000>,
        /// Its only key; short for `keys` with one entry.
        May key: SecretText,
        /// Where it computes, for rules about where data may go.
        May region: Text,
        /// How it takes the beginning of an answer, to continue one that broke off elsewhere: none, trailing, vllm,
        /// mistral, deepseek or partial. Default: what is known of the kind and its models.
        May prefill: PrefillChoice,
        /// Whether it serves OpenAI's Responses API. False: requests to that are translated for it. Default: what is known of
        /// the kind; true for openai-compatible.
        May responses: Switch,
        /// Extra headers for every request to it.
        May headers: Named<HeaderName, HeaderValue>,
        /// TLS to it.
        May tls: Tls,
        /// HTTP version to it. Default: auto.
        May protocol: ProtocolChoice,
        /// Azure: the `api-version` query parameter. Default: none, the unversioned surface.
        May api_version: Text,
        /// Most requests that it is given at a time, streams to their end: the slots of a model server. Further ones wait.
        /// Default: as many as come, until it says or shows that it has too much to do.
        May concurrency_max: Int<1, 1_000_000>,
        /// Whether it honours `Idempotency-Key`: a request that it has done already gets the first answer again, and
        /// is neither done nor paid twice. Default: false.
        May idempotency: Switch,
        /// Times to wait for it.
        May timeouts: ProviderTimeouts,
    }
}

section! {
    /// TLS to a provider.
    Tls {
        /// PEM file of roots that replace the platform's.
        May ca_file: Text,
        /// Name to expect in the certificate and to send as SNI, instead of the host of base_url.
        May server_name: Text,
    }
}

section! {
    /// Times to wait for a provider.
    ProviderTimeouts {
        /// Time to connect, TLS included. Default: 2s.
        May connect: Time<1, 60_000>,
    }
}
