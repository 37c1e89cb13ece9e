//! Fingerprints in URIs: what QR codes and shared links hold.
//!
//! `xmpp:<JID>?omemo-sid-<device id>=<fingerprint>` is written by most clients (Gajim puts `message;`
//! before it), `xmpp:<JID>?trust-message;encryption=…;trust=…` is XEP-0434. Conversations' web links
//! have the same pairs with `&` between.

use super::identity::{Fingerprint, FingerprintError, IdentityKey};
use std::fmt;

/// Longest URI that is read: a QR code holds less than 3000 bytes, links with many devices some more.
const MAX_LENGTH: usize = 100_000;

/// A URI that names an account and keys of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUri {
    /// The account's bare JID as written, percent signs decoded.
    pub jid: String,
    /// Keys with the id of their device.
    pub keys: Vec<UriKey>,
    /// Decisions of XEP-0434.
    pub trust: Option<TrustMessage>,
}

/// One key in a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UriKey {
    /// The device; `None` for the old form `omemo=…`.
    pub device_id: Option<u32>,
    /// Its key.
    pub fingerprint: Fingerprint,
}

/// The pairs of a trust message URI (XEP-0434 0.6).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustMessage {
    /// Namespace of the encryption.
    pub encryption: Option<String>,
    /// Key ids to trust. The XEP does not say which form they have: see [`TrustKey`].
    pub trust: Vec<TrustKey>,
    /// Key ids to distrust.
    pub distrust: Vec<TrustKey>,
}

/// A key id of XEP-0434 or XEP-0450: Curve25519 or Ed25519 form, the specifications leave it open
/// (QXmpp writes the Ed25519 form).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrustKey(pub [u8; 32]);

impl TrustKey {
    /// Whether this is one of the forms of the identity key.
    pub fn is(&self, identity: &IdentityKey) -> bool {
        identity.curve().as_bytes() == &self.0 || IdentityKey::from_edwards(self.0).is_some_and(|key| key == *identity)
    }
}

/// Why a text is no such URI.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UriError {
    /// No `xmpp:` URI and no link with an account in it.
    #[error("no xmpp: URI")]
    NotXmpp,
    /// Longer than any such URI.
    #[error("the URI is longer than {MAX_LENGTH} bytes")]
    TooLong,
    /// The query holds no key.
    #[error("the URI names no key")]
    NoKey,
    /// A device id that is no number from 1 to 2147483647.
    #[error("omemo-sid- is followed by no device id")]
    DeviceId,
    /// A value that is no key.
    #[error("{name}: {error}")]
    Key {
        /// The pair's name.
        name: String,
        /// Why.
        error: FingerprintError,
    },
}

/// Reads a URI.
///
/// # Errors
/// When it is no `xmpp:` URI (or a Conversations link), or holds no key that can be read.
pub fn parse(uri: &str) -> Result<KeyUri, UriError> {
    let uri = uri.trim();
    if uri.len() > MAX_LENGTH {
        return Err(UriError::TooLong);
    }
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let jid = account(path).filter(|jid| !jid.is_empty()).ok_or(UriError::NotXmpp)?;
    let mut found = KeyUri { jid, keys: Vec::new(), trust: None };
    let query = query.split('#').next().unwrap_or_default();
    for pair in query.split([';', '&']) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_decode(value);
        let key = || Fingerprint::parse(&value).map_err(|error| UriError::Key { name: name.into(), error });
        if let Some(id) = name.strip_prefix("omemo-sid-") {
            let device_id = id.parse().ok().filter(|id| (1..=0x7FFF_FFFF).contains(id)).ok_or(UriError::DeviceId)?;
            found.keys.push(UriKey { device_id: Some(device_id), fingerprint: key()? });
        } else if name == "omemo" {
            found.keys.push(UriKey { device_id: None, fingerprint: key()? });
        } else if name == "trust-message" {
            found.trust.get_or_insert_default();
        } else if let Some(trust) = &mut found.trust {
            match name {
                "encryption" => trust.encryption = Some(value),
                "trust" => trust.trust.push(TrustKey(*key()?.as_bytes())),
                "distrust" => trust.distrust.push(TrustKey(*key()?.as_bytes())),
                _ => {}
            }
        }
    }
    let decided = found.trust.as_ref().is_some_and(|trust| !trust.trust.is_empty() || !trust.distrust.is_empty());
    if found.keys.is_empty() && !decided { Err(UriError::NoKey) } else { Ok(found) }
}

/// The JID of `xmpp:<JID>`, or of a web link whose last two parts are `i/<JID>`.
fn account(path: &str) -> Option<String> {
    if path.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("xmpp:")) {
        // An authority (`xmpp://account@host/JID`) names who opens the link, not whose key it is.
        let rest = &path[5..];
        let jid = match rest.strip_prefix("//") {
            Some(authority) => authority.split_once('/').map_or(authority, |(_, jid)| jid),
            None => rest,
        };
        return Some(percent_decode(jid));
    }
    let link = path.strip_prefix("https://")?;
    let (_, jid) = link.split_once("/i/")?;
    Some(percent_decode(jid.trim_end_matches('/')).replacen('/', "@", 1))
}

/// `%41` is `A`; what is no such triple stays as it is.
fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        let byte = (*first == b'%').then(|| after.get(..2)).flatten().and_then(|digits| hex::decode(digits).ok());
        match byte.as_deref() {
            Some([byte]) => {
                decoded.push(*byte);
                rest = &after[2..];
            }
            _ => {
                decoded.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned())
}

/// Writes the form that most clients read; keys without device id as `omemo=…`.
impl fmt::Display for KeyUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("xmpp:")?;
        percent_encode(&self.jid, f)?;
        let mut separator = '?';
        for key in &self.keys {
            match key.device_id {
                Some(id) => write!(f, "{separator}omemo-sid-{id}={}", key.fingerprint)?,
                None => write!(f, "{separator}omemo={}", key.fingerprint)?,
            }
            separator = ';';
        }
        if let Some(trust) = &self.trust {
            write!(f, "{separator}trust-message")?;
            if let Some(encryption) = &trust.encryption {
                write!(f, ";encryption={encryption}")?;
            }
            trust.trust.iter().try_for_each(|key| write!(f, ";trust={}", hex::encode(key.0)))?;
            trust.distrust.iter().try_for_each(|key| write!(f, ";distrust={}", hex::encode(key.0)))?;
        }
        Ok(())
    }
}

/// Leaves what may stand in a path (RFC 3986 `pchar`) and `/`.
fn percent_encode(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$'()*+,:@/".contains(&byte) {
            write!(f, "{}", char::from(byte))?;
        } else {
            write!(f, "%{byte:02X}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "1cb0bfa1c438eb764125d1364982833569740561170ccb8b72806f9958a30f51";

    #[test]
    fn web_links_and_the_old_form_are_read() {
        let link = format!("https://conversations.im/i/alice@localhost?omemo-sid-1={KEY}&omemo-sid-2={KEY}");
        let parsed = parse(&link).unwrap();
        assert_eq!(parsed.jid, "alice@localhost");
        assert_eq!(parsed.keys.iter().map(|key| key.device_id).collect::<Vec<_>>(), [Some(1), Some(2)]);
        let old = parse(&format!("XMPP:alice%40localhost?omemo={}", KEY.to_uppercase())).unwrap();
        assert_eq!((old.jid.as_str(), old.keys[0].device_id), ("alice@localhost", None));
        assert_eq!(old.keys[0].fingerprint.to_string(), KEY);
    }

    #[test]
    fn what_it_writes_it_reads() {
        let uri = KeyUri {
            jid: "a b%?;=ü@localhost".into(),
            keys: vec![UriKey { device_id: Some(7), fingerprint: Fingerprint::parse(KEY).unwrap() }],
            trust: None,
        };
        assert_eq!(parse(&uri.to_string()), Ok(uri));
    }

    #[test]
    fn other_texts_are_refused() {
        assert_eq!(parse("mailto:alice@localhost"), Err(UriError::NotXmpp));
        assert_eq!(parse("xmpp:?omemo=1"), Err(UriError::NotXmpp));
        assert_eq!(parse("xmpp:alice@localhost?message"), Err(UriError::NoKey));
        assert_eq!(parse(&format!("xmpp:a@b?omemo-sid-0={KEY}")), Err(UriError::DeviceId));
        assert!(matches!(parse("xmpp:a@b?omemo-sid-1=12"), Err(UriError::Key { .. })));
    }
}
