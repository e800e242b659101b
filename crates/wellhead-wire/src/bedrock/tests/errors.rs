//! Errors: what is read of a target's is in `failure/`; here is how clients are told.

use super::json;
use crate::bedrock::{encode_error, error_event, exception_of};
use crate::chat::ErrorShown;
use crate::eventstream::{Decoder, Kind, Tail};
use crate::failure::{Vendor, classify};
use http::HeaderMap;
use serde_json::json;
use wellhead_types::{Cause, Retry, Scope};

fn shown(status: u16) -> ErrorShown<'static> {
    ErrorShown { status, code: "c", message: "It \"failed\".", param: None, request_id: "r" }
}

#[test]
fn errors_are_a_message_under_the_name_of_an_exception() {
    assert_eq!(json(&encode_error(&shown(429))), json!({"message": "It \"failed\"."}));
    for (status, name) in [
        (400, "ValidationException"),
        (403, "AccessDeniedException"),
        (404, "ResourceNotFoundException"),
        (408, "ModelTimeoutException"),
        (424, "ModelErrorException"),
        (429, "ThrottlingException"),
        (500, "InternalServerException"),
        (503, "ServiceUnavailableException"),
    ] {
        assert_eq!(exception_of(status), name);
    }
}

#[test]
fn trap_9_an_error_in_a_stream_is_an_exception_and_no_end() {
    for (status, name) in [
        (429, "throttlingException"),
        (503, "serviceUnavailableException"),
        (424, "modelStreamErrorException"),
        (502, "internalServerException"),
        (400, "validationException"),
    ] {
        let (mut decoder, mut messages) = (Decoder::new(1 << 20), Vec::new());
        decoder.push(error_event(&shown(status)), &mut messages).unwrap();
        assert_eq!((messages.len(), decoder.finish()), (1, Tail::Clean));
        assert_eq!(messages[0].kind(), Kind::Exception(name));
        assert_eq!(json(&messages[0].payload)["message"], "It \"failed\".");
    }
}

/// Each exception of the operation's own model, under the status that it has there.
#[test]
fn what_a_target_refuses_with_says_who_is_at_fault() {
    for (status, name, cause, scope, retry) in [
        (403, "AccessDeniedException", Cause::KeyRejected, Scope::Key, Retry::Elsewhere),
        (429, "ThrottlingException", Cause::RateLimited, Scope::KeyModel, Retry::Elsewhere),
        (404, "ResourceNotFoundException", Cause::ModelUnknown, Scope::TargetModel, Retry::Elsewhere),
        (500, "InternalServerException", Cause::Status5xx, Scope::Endpoint, Retry::Elsewhere),
        (400, "ValidationException", Cause::BadRequest, Scope::Request, Retry::Never),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert("x-amzn-errortype", format!("{name}:http://internal.amazon.com/x/").parse().unwrap());
        let failure = classify(Some(Vendor::Bedrock), status, &headers, br#"{"message":"m"}"#, 0);
        assert_eq!((failure.cause, failure.scope, failure.retry), (cause, scope, retry), "{name}");
    }
}
