//! The web user interface, embedded in the binary (a debug build reads it from `web/dist`).

use crate::error::Fault;
use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header},
};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use parking_lot::Mutex;
use rust_embed::{EmbeddedFile, RustEmbed};
use std::{collections::HashMap, io::Write};
use weft_wire::{Code, Problem};

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Dist;

const INDEX: &str = "index.html";
/// Below this, compressing costs more than it saves.
const COMPRESS_BYTES_MIN: usize = 1024;
/// Longer paths are nobody's asset.
const PATH_BYTES_MAX: usize = 512;
const YEAR: &str = "public, max-age=31536000, immutable";

/// What is served as long as no user interface was built in.
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Weft</title></head><body>\
<h1>This node runs, but its web pages were not built</h1>\
<p>The API answers below <code>/api/v1</code>. To build the pages, run <code>make run</code> in the sources, or \
<code>make ui</code> and then <code>cargo build --release</code>.</p></body></html>";

/// Anything that no route of the API takes.
pub(crate) async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Result<Response<Body>, Fault> {
    let path = plain_path(uri.path())?;
    if path == "api" || path.starts_with("api/") {
        return Err(Fault::new(Code::NoRoute));
    }
    if method != Method::GET && method != Method::HEAD {
        return Err(Fault::new(Code::NoRoute));
    }
    let (name, file) = match Dist::get(path).filter(|_| !path.is_empty()) {
        Some(file) => (path, file),
        // A page address of the interface, which routes by itself; a missing file with an ending is a missing file.
        None if !last_segment(path).contains('.') => match Dist::get(INDEX) {
            Some(file) => (INDEX, file),
            None => return Ok(not_built()),
        },
        None => return Err(Fault::new(Code::NotFound)),
    };
    answer(name, file, &headers).await
}

/// Refuses whatever could mean another file than it says: dots, backslashes, percent signs, empty segments.
///
/// No name in the interface needs any of them, so nothing is decoded and nothing normalised.
fn plain_path(path: &str) -> Result<&str, Fault> {
    let relative = path.strip_prefix('/').unwrap_or(path);
    let plain =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'-' | b'_' | b'~' | b'@' | b'+');
    let segments =
        relative.split('/').all(|segment| segment != "." && segment != ".." && !segment.starts_with('.'));
    let hidden = relative.contains("//") || relative.starts_with('/');
    if path.len() > PATH_BYTES_MAX || !relative.bytes().all(plain) || !segments || hidden {
        return Err(Fault(Problem::new(Code::NotFound).detail("not a path of this node")));
    }
    Ok(relative)
}

fn last_segment(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

async fn answer(name: &str, file: EmbeddedFile, headers: &HeaderMap) -> Result<Response<Body>, Fault> {
    let hash = file.metadata.sha256_hash();
    let gzip = compressible(name) && file.data.len() >= COMPRESS_BYTES_MIN && takes_gzip(headers);
    let etag =
        format!("\"{}{}\"", hex::encode(hash.get(..16).unwrap_or_default()), if gzip { "-gz" } else { "" });
    let mut response = Response::builder()
        .header(header::ETAG, &etag)
        .header(header::VARY, "accept-encoding")
        .header(header::CACHE_CONTROL, if hashed(name) { YEAR } else { "no-cache" });
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if known.split(',').any(|tag| tag.trim() == etag) {
        return response.status(StatusCode::NOT_MODIFIED).body(Body::empty()).map_err(|_| internal());
    }
    response = response.header(header::CONTENT_TYPE, content_type(name));
    let data = match file.data {
        std::borrow::Cow::Borrowed(data) => Bytes::from_static(data),
        std::borrow::Cow::Owned(data) => Bytes::from(data),
    };
    let body = match gzip {
        true => {
            response = response.header(header::CONTENT_ENCODING, "gzip");
            compressed(hash, data).await?
        }
        false => data,
    };
    response.body(Body::from(body)).map_err(|_| internal())
}

/// Compressed once a process. Only files of the interface get here, so their number bounds the memory; the keys are
/// hashes, so that a debug build that reads a changed file does not serve the old one.
async fn compressed(hash: [u8; 32], data: Bytes) -> Result<Bytes, Fault> {
    static DONE: Mutex<Option<HashMap<[u8; 32], Bytes>>> = Mutex::new(None);
    const FILES_MAX: usize = 512;
    if let Some(done) = DONE.lock().as_ref().and_then(|done| done.get(&hash).cloned()) {
        return Ok(done);
    }
    let work = tokio::task::spawn_blocking(move || {
        let mut encoder = GzEncoder::new(Vec::with_capacity(data.len() / 2), Compression::new(6));
        encoder.write_all(&data).and_then(|()| encoder.finish())
    });
    let bytes = Bytes::from(work.await.map_err(|_| internal())?.map_err(|_| internal())?);
    let mut done = DONE.lock();
    let done = done.get_or_insert_default();
    if done.len() >= FILES_MAX {
        done.clear();
    }
    done.insert(hash, bytes.clone());
    Ok(bytes)
}

fn internal() -> Fault {
    Fault::new(Code::Internal)
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let accept =
        headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip")) && parts.all(wanted)
    })
}

/// Whether a parameter of a coding leaves it wanted (RFC 9110, 12.4.2): a weight does unless it is 0, however that is
/// written. What is no weight at all is not guessed at; every client can read the file as it is.
fn wanted(parameter: &str) -> bool {
    let weight = parameter.split_once('=').filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
    weight.and_then(|(_, weight)| weight.trim().parse::<f32>().ok()).is_some_and(|weight| weight > 0.0)
}

/// Vite puts a hash into the name of every file below `assets/`.
fn hashed(name: &str) -> bool {
    name.starts_with("assets/")
}

fn compressible(name: &str) -> bool {
    matches!(
        ending(name),
        "html" | "js" | "mjs" | "css" | "json" | "svg" | "wasm" | "webmanifest" | "txt" | "map"
    )
}

fn ending(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, ending)| ending)
}

fn content_type(name: &str) -> &'static str {
    match ending(name) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn not_built() -> Response<Body> {
    let mut response = Response::new(Body::from(NOT_BUILT));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_leads_out_of_the_folder() {
        for path in [
            "/../etc/passwd",
            "/..%2fetc/passwd",
            "/%2e%2e/secret",
            "/a/../../b",
            "/.git/config",
            "//etc/passwd",
            "/assets/..\\..\\x",
            "/assets//x",
            "/a\0b",
            "/./x",
        ] {
            assert!(plain_path(path).is_err(), "{path}");
        }
        for path in ["/", "/index.html", "/assets/app-B1x_2.js", "/chats/12"] {
            assert!(plain_path(path).is_ok(), "{path}");
        }
    }

    #[test]
    fn gzip_is_given_to_those_who_want_it() {
        for (accept, gzip) in [
            ("gzip", true),
            ("br, gzip, deflate", true),
            ("GZIP;Q=0.5", true),
            ("gzip; q=1.000", true),
            ("gzip;q=0.001", true),
            ("", false),
            ("br", false),
            ("gzip;q=0", false),
            ("gzip;q=0.0", false),
            ("gzip;q=0.000", false),
            ("gzip ; q = 0.00", false),
            ("gzip;q=", false),
            ("gzip;q=NaN", false),
            ("x-gzip2", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, accept.parse().unwrap())]);
            assert_eq!(takes_gzip(&headers), gzip, "{accept}");
        }
    }

    proptest! {
        #[test]
        fn a_path_that_passes_has_no_parent_segment(path in ".{0,80}") {
            if let Ok(path) = plain_path(&path) {
                prop_assert!(std::path::Path::new(path).components().all(|c| matches!(c, std::path::Component::Normal(_))));
            }
        }
    }
}
