//! The signatures of identity tokens, checked by `ring`.
//!
//! Only signatures by a key that anybody may know: a provider has no secret in common with this program.

use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result, new_error};
use jsonwebtoken::signature::{self, Verifier};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind};
use ring::signature::{self as ring_signature, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey};

/// How tokens may be signed.
pub(crate) const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

static RING: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(new_error(ErrorKind::UnsupportedAlgorithm)),
    verifier_factory: verifier,
    // Keys are only read out of what a provider publishes, which needs none of these.
    key_utils: KeyUtils::new_unimplemented(),
};

/// Has `jsonwebtoken` check signatures by `ring`. Doing it twice does nothing.
pub(crate) fn install() {
    let _ = RING.install_default();
}

/// A key, and how it signs.
struct Key {
    algorithm: Algorithm,
    material: Material,
}

enum Material {
    Whole(UnparsedPublicKey<Vec<u8>>),
    Rsa(RsaPublicKeyComponents<Vec<u8>>, &'static RsaParameters),
}

/// The key is of the family that the algorithm is of: one that was published for RSA is no secret of HMAC.
fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    let unsupported = || new_error(ErrorKind::UnsupportedAlgorithm);
    let material = match (key.family(), key.kind()) {
        (AlgorithmFamily::Rsa, DecodingKeyKind::RsaModulusExponent { n, e }) => {
            let components = RsaPublicKeyComponents { n: n.clone(), e: e.clone() };
            Material::Rsa(components, rsa(*algorithm).ok_or_else(unsupported)?)
        }
        (AlgorithmFamily::Ec, DecodingKeyKind::SecretOrDer(point)) => Material::Whole(match algorithm {
            Algorithm::ES256 => {
                UnparsedPublicKey::new(&ring_signature::ECDSA_P256_SHA256_FIXED, point.clone())
            }
            Algorithm::ES384 => {
                UnparsedPublicKey::new(&ring_signature::ECDSA_P384_SHA384_FIXED, point.clone())
            }
            _ => return Err(unsupported()),
        }),
        (AlgorithmFamily::Ed, DecodingKeyKind::SecretOrDer(point)) if *algorithm == Algorithm::EdDSA => {
            Material::Whole(UnparsedPublicKey::new(&ring_signature::ED25519, point.clone()))
        }
        _ => return Err(unsupported()),
    };
    Ok(Box::new(Key { algorithm: *algorithm, material }))
}

/// From 2048 bits on: shorter ones are guessed.
fn rsa(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    Some(match algorithm {
        Algorithm::RS256 => &ring_signature::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::RS384 => &ring_signature::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::RS512 => &ring_signature::RSA_PKCS1_2048_8192_SHA512,
        Algorithm::PS256 => &ring_signature::RSA_PSS_2048_8192_SHA256,
        Algorithm::PS384 => &ring_signature::RSA_PSS_2048_8192_SHA384,
        Algorithm::PS512 => &ring_signature::RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}

impl Verifier<Vec<u8>> for Key {
    fn verify(&self, message: &[u8], found: &Vec<u8>) -> std::result::Result<(), signature::Error> {
        let checked = match &self.material {
            Material::Whole(key) => key.verify(message, found),
            Material::Rsa(key, parameters) => key.verify(parameters, message, found),
        };
        checked.map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Key {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}
