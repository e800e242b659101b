//! Streams: whole, cut at every byte, with either line end, and broken by an error in their middle.

use super::golden::check;
use super::{SPOKEN, Spoken, pairs, shown};
use bytes::Bytes;
use wellhead_types::Failure;
use wellhead_wire::chat::Dialect;
use wellhead_wire::eventstream;
use wellhead_wire::gemini::Framing;
use wellhead_wire::translate::{Inbound, Outbound};

/// More than any event of the fixtures has.
const EVENT_BYTES_MAX: usize = 64 * 1024;

/// The target's stream as chunks of OpenAI Chat, cut into these pieces.
fn inbound<'a>(target: &Spoken, pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<u8>, Option<Failure>) {
    let mut out = Vec::new();
    if target.dialect == Dialect::Chat {
        pieces.for_each(|piece| out.extend_from_slice(piece));
        return (out, None);
    }
    let mut inbound = Inbound::new(target.dialect, &target.origin(), shown(), EVENT_BYTES_MAX);
    for piece in pieces {
        let (chunk, failure) = inbound.push(Bytes::copy_from_slice(piece));
        out.extend_from_slice(&chunk);
        if failure.is_some() {
            return (out, failure);
        }
    }
    let (chunk, failure) = inbound.close();
    out.extend_from_slice(&chunk);
    (out, failure)
}

/// Chunks of OpenAI Chat as the client's stream.
fn outbound<'a>(client: &Spoken, target: &Spoken, pieces: impl Iterator<Item = &'a [u8]>) -> String {
    let mut out = Vec::new();
    if client.dialect == Dialect::Chat {
        pieces.for_each(|piece| out.extend_from_slice(piece));
    } else {
        let way = (client.dialect, Framing::Sse);
        let mut outbound = Outbound::new(way, &target.origin(), shown(), "req-1", EVENT_BYTES_MAX);
        for piece in pieces {
            out.extend_from_slice(&outbound.push(Bytes::copy_from_slice(piece)));
        }
        out.extend_from_slice(&outbound.close());
    }
    String::from_utf8(out).unwrap()
}

fn whole(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::once(bytes)
}

#[test]
fn what_clients_get() {
    for (client, target) in pairs() {
        let (chunks, failure) = inbound(target, whole(target.stream));
        assert_eq!(failure, None, "{}", target.name());
        let text = outbound(client, target, whole(&chunks));
        check(&format!("{}-at-{}.stream.txt", client.name(), target.name()), &text);
        // The same, whatever the network does to it.
        let bytes = outbound(client, target, chunks.chunks(1));
        assert_eq!(bytes, text, "{} at {}, byte by byte", client.name(), target.name());
        for cut in 0..chunks.len() {
            let (head, tail) = chunks.split_at(cut);
            let cut_text = outbound(client, target, [head, tail].into_iter());
            assert_eq!(cut_text, text, "{} at {}, cut at {cut}", client.name(), target.name());
        }
    }
}

#[test]
fn cuts_and_line_ends_of_a_target_change_nothing() {
    for target in SPOKEN.iter().filter(|target| target.dialect != Dialect::Chat) {
        let expected = inbound(target, whole(target.stream));
        if target.dialect == Dialect::Bedrock {
            // There are no lines in its framing.
            assert_eq!(inbound(target, target.stream.chunks(1)), expected);
            for cut in 0..target.stream.len() {
                let (head, tail) = target.stream.split_at(cut);
                assert_eq!(inbound(target, [head, tail].into_iter()), expected, "cut at {cut}");
            }
            continue;
        }
        let plain = target.stream.iter().copied().filter(|byte| *byte != b'\r').collect::<Vec<u8>>();
        let mut lines = Vec::new();
        for byte in &plain {
            lines.extend_from_slice(if *byte == b'\n' { b"\r\n" } else { std::slice::from_ref(byte) });
        }
        for form in [plain, lines] {
            assert_eq!(inbound(target, whole(&form)), expected, "{}", target.name());
            assert_eq!(inbound(target, form.chunks(1)), expected, "{}", target.name());
            for cut in 0..form.len() {
                let (head, tail) = form.split_at(cut);
                let found = inbound(target, [head, tail].into_iter());
                assert_eq!(found, expected, "{}, cut at {cut}", target.name());
            }
        }
    }
}

/// The stream with the vendor's error in its middle.
fn broken(target: &Spoken) -> Vec<u8> {
    if target.dialect == Dialect::Bedrock {
        let mut messages = Vec::new();
        let stream = Bytes::from_static(target.stream);
        eventstream::Decoder::new(EVENT_BYTES_MAX).push(stream, &mut messages).unwrap();
        let text = |text: &'static str| eventstream::Value::Text(text);
        let headers =
            [(":exception-type", text("throttlingException")), (":message-type", text("exception"))];
        let error = eventstream::encode(headers, target.broken.as_bytes()).unwrap();
        let written: Vec<Vec<u8>> = messages
            .iter()
            .map(|message| eventstream::encode(message.headers.iter(), &message.payload).unwrap())
            .collect();
        let (head, tail) = written.split_at(written.len() / 2);
        return [head.concat(), error, tail.concat()].concat();
    }
    let text = String::from_utf8(target.stream.to_vec()).unwrap().replace('\r', "");
    let middle = text[..text.len() / 2].rfind("\n\n").unwrap() + 2;
    format!("{}{}{}", &text[..middle], target.broken, &text[middle..]).into_bytes()
}

#[test]
fn an_error_in_the_middle_is_no_end() {
    for target in SPOKEN.iter().filter(|target| target.dialect != Dialect::Chat) {
        let (chunks, failure) = inbound(target, whole(&broken(target)));
        let failure = failure.unwrap_or_else(|| panic!("{}: the error was not seen", target.name()));
        let chunks = String::from_utf8(chunks).unwrap();
        assert!(!chunks.contains("[DONE]") && !chunks.contains("\"finish_reason\":\""), "{chunks}");
        let error = "data: {\"error\":{\"message\":\"It broke off.\",\"type\":\"api_error\",\"param\":null,\"code\":\"stream_broken\"}}\n\n";
        for client in SPOKEN.iter().filter(|client| client.request.is_some()) {
            let told = outbound(client, target, whole(format!("{chunks}{error}").as_bytes()));
            let judged = format!("{:?} at {:?}, again: {:?}", failure.cause, failure.scope, failure.retry);
            let text = format!("{judged}\n\n{told}");
            check(&format!("{}-at-{}.broken.txt", client.name(), target.name()), &text);
        }
    }
}
