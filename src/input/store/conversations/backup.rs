//! `.ceb` backups: a header, then AES-GCM over one gzip stream of SQL text (version 1) or JSON (2 to 4). They are
//! read as streams: a history with pictures has hundreds of megabytes, its keys a few.

use super::sealed::{self, IV, Opened, TAG};
use super::sql_text;
use super::tables::{Entry, Tables, wanted};
use crate::input::InputError;
use crate::input::store::candidate::Candidate;
use crate::input::store::describe;
use crate::model::Place;
use crate::secret::Plaintext;
use argon2::{Algorithm, Argon2, Params, Version};
use flate2::bufread::MultiGzDecoder;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, SeqAccess, Visitor};
use std::collections::HashMap;
use std::io::{BufReader, Read};
use zeroize::Zeroizing;

/// Largest text a backup may unpack to: embedded files and long histories make it large, a bomb larger.
const MAX_UNPACKED: u64 = 4 * 1024 * 1024 * 1024;

/// Longest name in the header: addresses have at most 3071 bytes.
const MAX_NAME: usize = 4096;

const SALT: usize = 16;

/// The readable part of a backup.
#[derive(Debug)]
pub struct Header {
    /// 1 to 4.
    pub version: u32,
    /// The app that wrote it.
    pub app: String,
    /// The account.
    pub jid: String,
    iv: [u8; IV],
    salt: [u8; SALT],
    /// Where the ciphertext begins.
    body: usize,
}

impl Header {
    /// Reads a header; `None` if these are no backup's first bytes.
    pub fn parse(head: &[u8]) -> Option<Self> {
        let version = u32::from_be_bytes(head.get(..4)?.try_into().ok()?);
        if !(1..=4).contains(&version) {
            return None;
        }
        let (app, at) = name(head, 4)?;
        let (jid, at) = name(head, at)?;
        let at = at + 8; // time of creation
        let iv = head.get(at..at + IV)?.try_into().ok()?;
        let salt = head.get(at + IV..at + IV + SALT)?.try_into().ok()?;
        let plausible = |text: &str| !text.is_empty() && text.chars().all(|c| !c.is_control());
        (plausible(&app) && plausible(&jid) && !jid.contains(' ')).then_some(Self {
            version,
            app,
            jid,
            iv,
            salt,
            body: at + IV + SALT,
        })
    }

    fn key(&self, password: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        if self.version <= 3 {
            let mut key = Zeroizing::new(vec![0; 16]);
            pbkdf2::pbkdf2_hmac::<sha1::Sha1>(password, &self.salt, 1024, &mut key);
            return Some(key);
        }
        let mut key = Zeroizing::new(vec![0; 32]);
        let params = Params::new(65_536, 3, 4, Some(32)).ok()?;
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(password, &self.salt, &mut key).ok()?;
        Some(key)
    }
}

/// A text of Java's `DataOutput.writeUTF`: two bytes of length, then modified UTF-8 (which differs from UTF-8
/// only for NUL and characters outside the basic plane; those become replacement characters here).
fn name(bytes: &[u8], at: usize) -> Option<(String, usize)> {
    let length = usize::from(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    if length > MAX_NAME {
        return None;
    }
    let text = bytes.get(at + 2..at + 2 + length)?;
    Some((String::from_utf8_lossy(text).into_owned(), at + 2 + length))
}

/// Opens a backup with the first password that fits.
pub fn open(candidate: &Candidate, passwords: &[Plaintext]) -> Result<(Header, Tables), InputError> {
    let fail = |says: String| InputError::new(candidate.path(), says);
    let header = Header::parse(candidate.head()).ok_or_else(|| fail("no backup of Conversations".into()))?;
    let what = format!("an encrypted backup (version {}) of {} by {}", header.version, header.jid, header.app);
    let Some(length) = candidate.len().checked_sub((header.body + TAG) as u64) else {
        return Err(fail(format!("{what}: it is cut, nothing follows its header")));
    };
    if passwords.is_empty() {
        let says = format!(
            "{what}: its password is needed, that of the XMPP account; put it into a file and name that with --password-file"
        );
        return Err(InputError::locked(candidate.path(), says));
    }
    let sealed = || candidate.reader_from(header.body as u64).map_err(|error| describe::unreadable(candidate.path(), &error));
    let mut right = None;
    for password in passwords {
        let Some(key) = header.key(password.expose().as_bytes()) else { continue };
        let verified = sealed::verifies(&key, &header.iv, &mut sealed()?, length);
        if verified.map_err(|error| describe::unreadable(candidate.path(), &error))? {
            right = Some(key);
            break;
        }
    }
    let text = sealed()?.take(length);
    let Some(gzip) = right.and_then(|key| Opened::new(&key, &header.iv, text)) else {
        let tried = if passwords.len() == 1 {
            "the password is not".into()
        } else {
            format!("none of the {} passwords is", passwords.len())
        };
        return Err(InputError::locked(candidate.path(), format!("{what}: {tried} right for it, or the file is damaged")));
    };
    let unpacked = BufReader::new(MultiGzDecoder::new(BufReader::new(gzip)).take(MAX_UNPACKED));
    let mut tables = Tables::default();
    let read = if header.version == 1 {
        sql_text::read(unpacked, &mut |table, values| push(candidate, &mut tables, table, values))
    } else {
        json(unpacked, &mut |table, values| push(candidate, &mut tables, table, values))
    };
    if let Err(says) = read {
        tables.problems.push(format!("the backup is damaged: {says}; what stood before that was read"));
    }
    Ok((header, tables))
}

type Values = HashMap<String, Zeroizing<String>>;

fn push(candidate: &Candidate, tables: &mut Tables, table: &str, values: Values) {
    let mut entry = Entry::new(values, Place::whole(candidate.place_file()));
    entry.place = Place::row(candidate.place_file(), table, entry.name(table));
    tables.push(table, entry);
}

/// An array of `{"table": name, "values": {column: text or null}}`, read one by one.
fn json(reader: impl Read, row: &mut dyn FnMut(&str, Values)) -> Result<(), String> {
    let mut deserializer = serde_json::Deserializer::from_reader(reader);
    deserializer.deserialize_seq(Rows(row)).map_err(|error| error.to_string())
}

struct Rows<'a>(&'a mut dyn FnMut(&str, Values));

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        while rows.next_element_seed(OneRow(self.0))?.is_some() {}
        Ok(())
    }
}

struct OneRow<'a>(&'a mut dyn FnMut(&str, Values));

/// A value of a row: all are texts but `accounts.options`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Value {
    Text(String),
    Number(i64),
    Other(IgnoredAny),
}

#[derive(Deserialize)]
struct JsonRow {
    table: String,
    #[serde(default)]
    values: HashMap<String, Value>,
}

impl<'de> DeserializeSeed<'de> for OneRow<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let row = JsonRow::deserialize(deserializer)?;
        if let Some(columns) = wanted(&row.table) {
            let keep = |(column, value): (String, Value)| {
                let text = match value {
                    Value::Text(text) => Zeroizing::new(text),
                    Value::Number(number) => Zeroizing::new(number.to_string()),
                    Value::Other(_) => return None,
                };
                columns.contains(&column.as_str()).then_some((column, text))
            };
            (self.0)(&row.table, row.values.into_iter().filter_map(keep).collect());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// An empty list, written by an independent implementation with the password `secret-alice`.
    const EMPTY_V2: &str = "00000002000d436f6e766572736174696f6e73000f616c696365406c6f63616c686f73740000018bcfe56800000102030405060708090a0b\
        000102030405060708090a0b0c0d0e0fb8175b7cb0b8789cf1a84e79aae284782e74c785582508a4a7cf0a9c9813d4e52a4cccdafb65";

    fn header(version: u32) -> Header {
        let salt = std::array::from_fn(|index| index as u8);
        Header { version, app: String::new(), jid: String::new(), iv: [0; IV], salt, body: 0 }
    }

    #[test]
    fn keys_are_derived_as_the_apps_do() {
        let hex_of = |version, password: &str| header(version).key(password.as_bytes()).map(|key| hex::encode(&*key));
        assert_eq!(hex_of(2, "secret-alice").as_deref(), Some("c839bcdadc0097b100132ceeee50aafd"));
        assert_eq!(hex_of(1, "pässwörd").as_deref(), Some("390f055afc121ac7e4bd789d947957c3"));
        assert_eq!(
            hex_of(4, "secret-alice").as_deref(),
            Some("bc5711d2a54ae79e144cdc3588cb41dbb907da2acaeaddfcca87236149b0b857")
        );
    }

    #[test]
    fn a_backup_opens_with_the_right_password_only() {
        let bytes = hex::decode(EMPTY_V2).expect("hex");
        let candidate = Candidate::from_bytes(Path::new("a.ceb"), bytes.clone());
        let word = |text: &str| Plaintext::new(text.into());
        assert!(open(&candidate, &[]).expect_err("no password").says.contains("password is needed"));
        assert!(open(&candidate, &[word("wrong")]).expect_err("a wrong password").says.contains("the password is not right"));
        let (header, tables) = open(&candidate, &[word("wrong"), word("secret-alice")]).expect("opens");
        assert_eq!((header.version, header.jid.as_str(), header.app.as_str()), (2, "alice@localhost", "Conversations"));
        assert!(tables.accounts.is_empty() && tables.problems.is_empty());
        for length in 0..bytes.len() {
            let cut = Candidate::from_bytes(Path::new("a.ceb"), bytes[..length].to_vec());
            assert!(open(&cut, &[word("secret-alice")]).is_err());
        }
    }

    #[test]
    fn damaged_json_keeps_the_rows_before_it() {
        let mut rows = Vec::new();
        let text = br#"[{"table":"accounts","values":{"uuid":"u","options":3,"username":null}},{"table":"files","values":{"path":"x"}},{"table":"prekeys","val"#;
        let result = json(&text[..], &mut |table, values| rows.push((table.to_owned(), values.len())));
        assert!(result.is_err());
        assert_eq!(rows, [("accounts".to_owned(), 1)]);
    }
}
