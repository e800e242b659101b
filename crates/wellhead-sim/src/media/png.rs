//! A small valid picture.

use std::io::Write as _;

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};

/// A PNG of `side` × `side` pixels in a colour that depends on `seed`.
pub(crate) fn png(side: u32, seed: u64) -> Vec<u8> {
    let colour = seed.to_le_bytes();
    let mut image = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = Vec::with_capacity(13);
    header.extend_from_slice(&side.to_be_bytes());
    header.extend_from_slice(&side.to_be_bytes());
    // Eight bits, colour without alpha, the only methods there are, not interlaced.
    header.extend_from_slice(&[8, 2, 0, 0, 0]);
    chunk(&mut image, *b"IHDR", &header);
    let mut rows = ZlibEncoder::new(Vec::new(), Compression::fast());
    for _ in 0..side {
        // Each row starts with its filter: none. Writing into memory cannot fail.
        let _ = rows.write_all(&[0]);
        for _ in 0..side {
            let _ = rows.write_all(colour.get(..3).unwrap_or(&[0, 0, 0]));
        }
    }
    chunk(&mut image, *b"IDAT", &rows.finish().unwrap_or_default());
    chunk(&mut image, *b"IEND", &[]);
    image
}

fn chunk(image: &mut Vec<u8>, kind: [u8; 4], content: &[u8]) {
    let mut crc = Crc::new();
    crc.update(&kind);
    crc.update(content);
    // No chunk here comes near the four gigabytes that the format allows.
    image.extend_from_slice(&u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes());
    image.extend_from_slice(&kind);
    image.extend_from_slice(content);
    image.extend_from_slice(&crc.sum().to_be_bytes());
}
