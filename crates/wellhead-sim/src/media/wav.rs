//! A small valid sound.

/// Samples per second; what telephones use is enough.
const RATE: u32 = 8000;
/// Samples of one spoken token: a quarter of a second.
const TOKEN_SAMPLES: usize = 2000;
/// Longest sound.
const SAMPLES_MAX: usize = 8000 * 60;

/// A WAV (16 bit, mono) that hums for as long as speaking `tokens` tokens would take.
pub(crate) fn wav(tokens: usize) -> Vec<u8> {
    let samples = pcm(tokens);
    let size = u32::try_from(samples.len()).unwrap_or(u32::MAX);
    let mut sound = Vec::with_capacity(samples.len() + 44);
    sound.extend_from_slice(b"RIFF");
    sound.extend_from_slice(&(36 + size).to_le_bytes());
    sound.extend_from_slice(b"WAVEfmt ");
    sound.extend_from_slice(&16u32.to_le_bytes());
    // PCM, one channel.
    sound.extend_from_slice(&[1, 0, 1, 0]);
    sound.extend_from_slice(&RATE.to_le_bytes());
    sound.extend_from_slice(&(RATE * 2).to_le_bytes());
    // Two bytes for each frame, sixteen bits for each sample.
    sound.extend_from_slice(&[2, 0, 16, 0]);
    sound.extend_from_slice(b"data");
    sound.extend_from_slice(&size.to_le_bytes());
    sound.extend_from_slice(&samples);
    sound
}

/// The bare samples.
pub(crate) fn pcm(tokens: usize) -> Vec<u8> {
    let count = tokens.saturating_mul(TOKEN_SAMPLES).clamp(TOKEN_SAMPLES, SAMPLES_MAX);
    // A soft rectangular hum at 200 Hz needs no tables.
    (0..count).flat_map(|at| if at / 20 % 2 == 0 { 800i16 } else { -800 }.to_le_bytes()).collect()
}
