//! Names of headers that the `http` crate does not know. A lookup by one of these neither checks nor lowers the name's
//! letters again. They are statics: a constant would be built and dropped at every use.

use http::header::HeaderName;

macro_rules! names {
    ($($name:ident = $text:literal: $doc:literal;)*) => {
        $(
            #[doc = concat!("`", $text, "`: ", $doc)]
            pub static $name: HeaderName = HeaderName::from_static($text);
        )*
    };
}

names! {
    ANTHROPIC_BETA = "anthropic-beta": "what a caller of Anthropic's API wants besides its version.";
    ANTHROPIC_VERSION = "anthropic-version": "the version of Anthropic's API.";
    API_KEY = "api-key": "a caller's key, as Azure's clients send it.";
    CACHE_STATUS = "cache-status": "RFC 9211.";
    PROXY_STATUS = "proxy-status": "RFC 9209.";
    REQUEST_ID = "request-id": "a request's id, as Anthropic's clients read it.";
    RETRY_AFTER_MS = "retry-after-ms": "milliseconds to wait before the next try.";
    TRACEPARENT = "traceparent": "W3C Trace Context.";
    TRACESTATE = "tracestate": "W3C Trace Context, what vendors add.";
    X_API_KEY = "x-api-key": "a caller's key, as Anthropic's clients send it.";
    X_GOOG_API_KEY = "x-goog-api-key": "a caller's key, as Gemini's clients send it.";
    X_REQUEST_ID = "x-request-id": "a request's id, as OpenAI's clients read it.";
    X_SHOULD_RETRY = "x-should-retry": "whether OpenAI's and Anthropic's clients try again.";
    X_STAINLESS_RETRY_COUNT = "x-stainless-retry-count": "tries before this one.";
    X_UPSTREAM_REQUEST_ID = "x-upstream-request-id": "the id that the target gave the request.";
    X_WELLHEAD_ATTEMPTS = "x-wellhead-attempts": "how many tries at targets there were.";
    X_WELLHEAD_COST = "x-wellhead-cost": "what the answer cost, in US dollars.";
    X_WELLHEAD_DEGRADED = "x-wellhead-degraded": "what stood in for the model that was asked for.";
    X_WELLHEAD_DROPPED = "x-wellhead-dropped": "parameters that the target was not told of.";
    X_WELLHEAD_OVERHEAD_MS = "x-wellhead-overhead-ms": "what the gateway itself took.";
    X_WELLHEAD_PRIORITY = "x-wellhead-priority": "how important a caller says that its request is.";
    X_WELLHEAD_ROUTE = "x-wellhead-route": "the route that answered.";
    X_WELLHEAD_SURVIVAL = "x-wellhead-survival": "the rung of the ladder that answered.";
    X_WELLHEAD_TARGET = "x-wellhead-target": "the target that answered.";
}
