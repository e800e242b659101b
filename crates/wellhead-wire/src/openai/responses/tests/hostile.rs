//! Input of which nobody thought.

use super::{FULL_ANSWER, FULL_REQUEST, streams::STREAM};
use crate::checks::codecs::mutated;
use crate::checks::responses_codec;
use proptest::prelude::*;

#[test]
fn valid_input_with_anything_changed_is_understood_or_refused() {
    for seed in 0..1500_u64 {
        for valid in [FULL_REQUEST, FULL_ANSWER, STREAM] {
            let bytes = mutated(seed, valid);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if std::panic::catch_unwind(|| responses_codec(seed, &bytes)).is_err() {
                panic!("seed {seed}: {text}");
            }
        }
    }
}

proptest! {
    #[test]
    fn random_bytes_are_refused(seed: u64, bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        responses_codec(seed, &bytes);
    }
}
