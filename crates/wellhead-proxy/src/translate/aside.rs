//! Endpoints beside the chat at targets that have a form of their own for them.

use super::{lost, source, unread, untranslatable};
use crate::exchange::Call;
use crate::plan::Voice;
use crate::stages::attempt::Missed;
use bytes::Bytes;
use std::sync::Arc;
use wellhead_types::Failure;
use wellhead_wire::translate::beside::{Form, Kept, Read, Written, decode, encode};

/// A request for an endpoint beside the chat, in the target's own form.
pub(crate) async fn aside(call: &Call<'_>, voice: &Arc<Voice>, form: Form) -> Result<Written, Missed> {
    let (own, source) = (voice.clone(), source(call).await?);
    let length = usize::try_from(call.body_bytes).unwrap_or(usize::MAX);
    let work = move || encode(form, &source, &own.target.origin.model, &own.losses);
    match call.worker.disk.translate(length, work).await {
        Some(Ok(written)) => Ok(written),
        Some(Err(refused)) => Err(untranslatable(&refused)),
        None => Err(lost()),
    }
}

/// What the target answered to that, in the client's form.
pub(crate) async fn aside_answer(
    call: &Call<'_>,
    voice: &Arc<Voice>,
    form: Form,
    kept: Arc<Kept>,
    body: Bytes,
) -> Result<Read, Failure> {
    let own = voice.clone();
    let length = body.len();
    let work = move || decode(form, &body, &kept, &own.target.origin.model);
    let translated = call.worker.disk.translate(length, work).await;
    translated.unwrap_or_else(|| Err(unread()))
}
