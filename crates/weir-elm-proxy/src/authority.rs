//! Who vouches that the proxy is the site: an authority for one run, which signs once.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;

use crate::HOSTS;
use crate::proxy::ProxyError;

/// How the proxy speaks TLS, and the certificate of the authority, which the compiler is to believe. The key of the authority is gone
/// when this returns.
pub(crate) fn vouched() -> Result<(Arc<ServerConfig>, String), ProxyError> {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, "weir, for one run of Elm");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let key = KeyPair::generate()?;
    let pem = parameters.self_signed(&key)?.pem();
    let authority = Issuer::new(parameters, key);

    let mut parameters = CertificateParams::new(HOSTS.map(str::to_owned))?;
    parameters.distinguished_name.push(DnType::CommonName, HOSTS[0]);
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let certificate = parameters.signed_by(&key, &authority)?;
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key.into())?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((Arc::new(config), pem))
}
