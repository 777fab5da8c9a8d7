//! The smallest picture that says which one it is.

use netio::http::server::{IntoResponse, Path};

/// A JPEG of one block, eight by eight, in one of 256 tones of grey.
///
/// Its only coefficient is the mean brightness: a Huffman code of one bit that says "eight bits follow", the eight bits,
/// and a code of one bit that says "the rest is zero".
pub(super) async fn jpeg(Path(tone): Path<u64>) -> impl IntoResponse {
    let tone = tone as u8;
    let mut jpeg = vec![0xFF, 0xD8];
    let mut segment = |marker: u8, content: &[u8]| {
        jpeg.extend([0xFF, marker]);
        jpeg.extend((content.len() as u16 + 2).to_be_bytes());
        jpeg.extend(content);
    };
    segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    segment(0xDB, &[[0].as_slice(), &[4; 64]].concat());
    segment(0xC0, &[8, 0, 8, 0, 8, 1, 1, 0x11, 0]);
    for (table, symbol) in [(0x00, 8), (0x10, 0)] {
        segment(0xC4, &[[table, 1].as_slice(), &[0; 15], &[symbol]].concat());
    }
    segment(0xDA, &[1, 1, 0, 0, 63, 0]);
    jpeg.extend([tone >> 1, tone << 7 | 0x3F, 0xFF, 0xD9]);
    ([("content-type", "image/jpeg")], jpeg)
}
