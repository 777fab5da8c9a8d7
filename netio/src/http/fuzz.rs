//! The codec, for the fuzz targets in `netio/fuzz`: they see no more of it than this. It is compiled under `cfg(fuzzing)` only.

use super::{
    HeaderMap,
    fault::Fault,
    framing::{Decoded, Decoder, Framing},
    head::{self, MOST_FIELDS, Scan},
    header,
    output::{self, Afterwards, ResponseWriter},
};
use bytes::BytesMut;

/// A head may have so many fields.
pub const FIELDS: usize = MOST_FIELDS;

/// What a head says; and the same said again, as bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// Method and target, or status.
    pub first: Vec<String>,
    pub version: String,
    pub fields: Vec<(String, Vec<u8>)>,
    pub framing: String,
    pub keep_alive: bool,
    /// Bytes that came behind it.
    pub left: usize,
    pub written: Vec<u8>,
}

/// Reads the head of a request that comes in pieces. `None`: it is not all there. An error is the status to answer with.
pub fn request<'wire>(pieces: impl IntoIterator<Item = &'wire [u8]>, most: usize) -> Result<Option<Head>, u16> {
    let (mut scan, mut input, mut taken) = (Scan::default(), BytesMut::new(), None);
    for piece in pieces {
        input.extend_from_slice(piece);
        if taken.is_none() {
            taken = head::take_request(&mut scan, &mut input, most, MOST_FIELDS).map_err(status)?;
        }
    }
    let Some((facts, request)) = taken else { return Ok(None) };
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let mut written = format!("{} {target} HTTP/1.1\r\n", request.method()).into_bytes();
    for (name, value) in request.headers() {
        // As in all that we write: the connection has its own.
        if ![header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION].contains(name) {
            written.extend_from_slice(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
    }
    let length = match facts.framing {
        Framing::Length(length) => format!("content-length: {length}\r\n"),
        _ => "transfer-encoding: chunked\r\n".to_owned(),
    };
    let close = if facts.keep_alive { "\r\n" } else { "connection: close\r\n\r\n" };
    written.extend_from_slice([&*length, close].concat().as_bytes());
    Ok(Some(Head {
        first: vec![request.method().to_string(), request.uri().to_string()],
        version: format!("{:?}", request.version()),
        fields: fields(request.headers()),
        framing: format!("{:?}", facts.framing),
        keep_alive: facts.keep_alive,
        left: input.len(),
        written,
    }))
}

/// Reads the head of a response.
pub fn response(wire: &[u8], to_head: bool) -> Result<Option<Head>, u16> {
    let mut input = BytesMut::from(wire);
    let head =
        head::take_response(&mut Scan::default(), &mut input, wire.len(), MOST_FIELDS, to_head).map_err(status)?;
    let Some(head) = head else { return Ok(None) };
    let mut written = Vec::new();
    let framing = (head.framing != Framing::UntilClose).then_some(head.framing);
    let mut writer = ResponseWriter::new(&mut written, head.status);
    head.fields.map().iter().for_each(|(name, value)| writer.field(name, value));
    writer.end(framing, afterwards(head.keep_alive));
    Ok(Some(Head {
        first: vec![head.status.as_str().to_owned()],
        version: format!("{:?}", head.version),
        fields: fields(head.fields.map()),
        framing: format!("{:?}", head.framing),
        keep_alive: head.keep_alive,
        left: input.len(),
        written,
    }))
}

/// A body in chunks, as far as it is there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Body {
    pub data: Vec<u8>,
    pub trailers: Vec<(String, Vec<u8>)>,
    pub ended: bool,
    /// Bytes that came behind it.
    pub left: usize,
}

/// Reads a body in chunks that comes in pieces.
pub fn chunked<'wire>(pieces: impl IntoIterator<Item = &'wire [u8]>) -> Result<Body, u16> {
    let (mut decoder, mut input, mut body) = (Decoder::from(Framing::Chunked), BytesMut::new(), Body::default());
    for piece in pieces {
        input.extend_from_slice(piece);
        while !body.ended {
            match decoder.decode(&mut input).map_err(status)? {
                Decoded::Data(data) => body.data.extend_from_slice(&data),
                Decoded::More => break,
                Decoded::End => body.ended = true,
            }
        }
    }
    body.left = input.len();
    body.trailers = fields(&decoder.take_trailers());
    Ok(body)
}

/// Writes a body in chunks.
pub fn write_chunks<'data>(pieces: impl IntoIterator<Item = &'data [u8]>) -> Vec<u8> {
    let mut written = Vec::new();
    pieces.into_iter().for_each(|piece| output::chunk(&mut written, piece));
    output::last_chunk(&mut written, &HeaderMap::new());
    written
}

fn status(fault: Fault) -> u16 {
    fault.status.as_u16()
}

fn fields(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect()
}

fn afterwards(keep_alive: bool) -> Afterwards {
    if keep_alive { Afterwards::Stay } else { Afterwards::Close }
}
