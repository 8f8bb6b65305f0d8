//! A certificate from two files, read anew when they change.

use super::{TlsError, provider};
use crate::bounded;
use rustls::{
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The files are looked at no more often than this, and only when somebody connects.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The certificate in force. A pair of files that does not fit together (one was replaced, the other not yet) changes
/// nothing: the former pair goes on being served.
#[derive(Debug)]
pub struct FileCertificate {
    certificate: PathBuf,
    key: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    current: Arc<CertifiedKey>,
    /// What the files looked like when they were last read.
    tried: Option<[Stamp; 2]>,
    looked: Instant,
}

/// Inode, size, and time of change in nanoseconds: an atomic replacement changes the first, a write the last.
type Stamp = (u64, u64, i128);

impl FileCertificate {
    /// Reads both files.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn open(certificate: &Path, key: &Path) -> Result<FileCertificate, TlsError> {
        let tried = stamps(certificate, key);
        let current = Arc::new(load(certificate, key)?);
        Ok(FileCertificate {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            state: Mutex::new(State { current, tried, looked: Instant::now() }),
        })
    }

    fn current(&self) -> Arc<CertifiedKey> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.looked.elapsed() >= LOOK_EVERY {
            state.looked = Instant::now();
            let now = stamps(&self.certificate, &self.key);
            if now.is_some() && now != state.tried {
                state.tried = now;
                match load(&self.certificate, &self.key) {
                    Ok(fresh) => {
                        tracing::info!("the TLS certificate was read anew");
                        state.current = Arc::new(fresh);
                    }
                    Err(error) => {
                        tracing::error!(
                            ?error,
                            "the TLS certificate changed, but the former one stays in use"
                        )
                    }
                }
            }
        }
        Arc::clone(&state.current)
    }
}

impl ResolvesServerCert for FileCertificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

fn stamps(certificate: &Path, key: &Path) -> Option<[Stamp; 2]> {
    let stamp = |path: &Path| {
        let data = fs::metadata(path).ok()?;
        let changed = i128::from(data.mtime()) * 1_000_000_000 + i128::from(data.mtime_nsec());
        Some((data.ino(), data.len(), changed))
    };
    Some([stamp(certificate)?, stamp(key)?])
}

fn load(certificate: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let read =
        |path: &Path| bounded::read(path).map_err(|source| TlsError::Read { path: path.to_owned(), source });
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(&read(certificate)?).collect::<Result<_, _>>().map_err(|_| {
            TlsError::Pem { path: certificate.to_owned(), what: "not a certificate chain in PEM" }
        })?;
    if chain.is_empty() {
        return Err(TlsError::Pem { path: certificate.to_owned(), what: "no certificate in it" });
    }
    let key = PrivateKeyDer::from_pem_slice(&read(key)?)
        .map_err(|_| TlsError::Pem { path: key.to_owned(), what: "no private key in PEM" })?;
    Ok(CertifiedKey::from_der(chain, key, &provider())?)
}
