//! The certificates of the authorities that are trusted.

use std::path::Path;

use ureq::tls::{Certificate, PemItem, RootCerts, parse_pem};

use crate::failure::Failure;
use crate::options::Authorities;

/// What ureq is to trust.
///
/// # Errors
///
/// When a file cannot be read or has no certificate in it.
pub(crate) fn roots(authorities: &Authorities) -> Result<RootCerts, Failure> {
    let Authorities { instead, besides } = authorities;
    let mut trusted = match instead {
        Some(file) => certificates(file)?,
        None if besides.is_none() => return Ok(RootCerts::WebPki),
        None => mozilla(),
    };
    if let Some(file) = besides {
        trusted.extend(certificates(file)?);
    }
    Ok(RootCerts::new_with_certs(&trusted))
}

/// Mozilla's list as certificates: what ureq has of it is in a form that takes no others.
fn mozilla() -> Vec<Certificate<'static>> {
    let certificates = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
    certificates.map(|certificate| Certificate::from_der(certificate)).collect()
}

fn certificates(file: &Path) -> Result<Vec<Certificate<'static>>, Failure> {
    let unusable = |reason: String| {
        let file = file.display();
        Failure::Unusable(format!(
            "the file `{file}`, which names trusted authorities, cannot be used: {reason}"
        ))
    };
    let pem = fs_err::read(file).map_err(|error| unusable(std::io::Error::from(error.kind()).to_string()))?;
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        // Whatever else is in such files, keys for instance, is nobody's authority.
        if let PemItem::Certificate(certificate) = item.map_err(|error| unusable(error.to_string()))? {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(unusable("there is no certificate in it".to_owned()));
    }
    Ok(certificates)
}
