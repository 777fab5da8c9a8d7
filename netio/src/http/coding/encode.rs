//! A body with a coding.

use super::{
    Coding,
    reader::{Paced, Pieces},
};
use crate::http::Body;
use async_compression::{
    Level,
    brotli::EncoderParams,
    futures::bufread::{BrotliEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder},
};

/// Brotli's own default, 11, is for files that are compressed once; at 4 it takes no more time than gzip.
const BROTLI: Level = Level::Precise(4);

/// The body with a coding applied. It is coded as it is read; while the body waits, all that it gave has been given.
///
/// Its length is not known. Its errors and its trailers are those of `body`.
pub fn encode(mut body: Body, coding: Coding) -> Body {
    let trailers = body.take_trailers();
    let source = Paced::new(body.reader());
    let coded = match coding {
        Coding::Gzip => Body::stream(Pieces::new(GzipEncoder::new(source))),
        Coding::Deflate => Body::stream(Pieces::new(ZlibEncoder::new(source))),
        Coding::Brotli => {
            let parameters = EncoderParams::default().quality(BROTLI);
            Body::stream(Pieces::new(BrotliEncoder::with_params(source, parameters)))
        }
        Coding::Zstd => Body::stream(Pieces::new(ZstdEncoder::new(source))),
    };
    coded.put_trailers(trailers)
}
