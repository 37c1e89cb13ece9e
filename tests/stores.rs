//! Every client's store: recognised by its content, read as its client wrote it, never touched.

use omemoscope::input::store::candidate::Candidate;
use omemoscope::input::store::{FORMATS, OpenOptions, open};
use omemoscope::model::{BareJid, ProblemScope, Store};
use omemoscope::secret::Plaintext;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A fixture: a store and what its client itself said about it.
struct Fixture {
    name: String,
    store: PathBuf,
    truth: Value,
}

impl Fixture {
    fn all() -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/stores");
        let mut fixtures = Vec::new();
        for client in folders(&root) {
            for case in folders(&client) {
                let Ok(truth) = fs::read_to_string(case.join("truth.json")) else { continue };
                let truth: Value = serde_json::from_str(&truth).expect("truth.json is JSON");
                let name = case.strip_prefix(&root).expect("below the root").display().to_string();
                fixtures.push(Self { name, store: case.join("store"), truth });
            }
        }
        assert!(fixtures.len() >= 7);
        fixtures
    }

    fn named(name: &str) -> Self {
        Self::all().into_iter().find(|fixture| fixture.name == name).expect("a fixture of this name")
    }

    fn options(&self) -> OpenOptions {
        let account = self.truth["account"].as_str().and_then(BareJid::new);
        let passwords = self.truth["passwords"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let passwords = passwords.map(|word| Plaintext::new(word.into())).collect();
        OpenOptions { account, passwords }
    }

    fn damaged(&self) -> bool {
        self.truth["damaged"] == Value::Bool(true)
    }

    fn open(&self) -> Store {
        open(&self.store, &self.options()).unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    fn files(&self) -> Vec<PathBuf> {
        files_below(&self.store)
    }

    /// A copy in a temporary folder.
    fn copy(&self) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for file in self.files() {
            let target = folder.path().join(file.strip_prefix(&self.store).expect("below the store"));
            fs::create_dir_all(target.parent().expect("a parent")).expect("a folder");
            fs::copy(&file, &target).expect("a copy");
        }
        let path = folder.path().to_path_buf();
        (folder, path)
    }
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<_> =
        fs::read_dir(path).expect("a folder").flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn files_below(path: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(path).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

fn problems(store: &Store) -> Vec<String> {
    let of_accounts = store.accounts.iter().flat_map(|account| &account.problems);
    store.problems.iter().chain(of_accounts).map(|problem| format!("{}: {}", problem.place, problem.says)).collect()
}

fn is_sqlite(bytes: &[u8]) -> bool {
    bytes.starts_with(b"SQLite format 3\0")
}

#[test]
fn every_fixture_tells_what_its_client_said() {
    for fixture in Fixture::all() {
        let store = fixture.open();
        let truth = &fixture.truth;
        let account = store.accounts.iter().find(|account| {
            account.own_device_id.map(u64::from) == truth["own_device_id"].as_u64()
                && account.identity.as_ref().map(|pair| pair.public.fingerprint().to_string()).as_deref()
                    == truth["own_fingerprint"].as_str()
        });
        let account = account.unwrap_or_else(|| panic!("{}: our own device is not there", fixture.name));
        assert_eq!(Some(account.client.name), truth["client"].as_str(), "{}", fixture.name);
        assert_eq!(account.jid.as_ref().map(BareJid::as_str), truth["account"].as_str(), "{}", fixture.name);
        for identity in truth["identities"].as_array().expect("a list") {
            let found = account.devices.iter().any(|device| {
                Some(device.jid.as_str()) == identity["jid"].as_str()
                    && device.device_id.map(u64::from) == identity["device_id"].as_u64()
                    && device.identity.map(|key| key.fingerprint().to_string()).as_deref() == identity["fingerprint"].as_str()
            });
            assert!(found, "{}: {identity} is not among {:#?}", fixture.name, account.devices);
        }
        assert!(
            account.devices.iter().all(|device| device.identity != account.identity.as_ref().map(|pair| pair.public)),
            "{}",
            fixture.name
        );
        if fixture.damaged() {
            assert!(!problems(&store).is_empty(), "{}", fixture.name);
        } else {
            assert_eq!(problems(&store), Vec::<String>::new(), "{}", fixture.name);
            assert!(!account.prekeys.is_empty(), "{}: prekeys", fixture.name);
            assert!(!account.signed_prekeys.is_empty(), "{}: signed prekeys", fixture.name);
        }
    }
}

#[test]
fn every_file_is_recognised_by_one_reader_at_most() {
    for fixture in Fixture::all() {
        let mut clients = Vec::new();
        let folder = [Candidate::folder(&fixture.store)];
        let files = fixture.files();
        let candidates = files.iter().map(|file| Candidate::file(file).expect("readable")).chain(folder);
        for candidate in candidates {
            let matches: Vec<_> =
                FORMATS.iter().filter(|format| (format.detect)(&candidate)).map(|format| format.client.name).collect();
            assert!(matches.len() <= 1, "{}: {matches:?}", candidate.path().display());
            clients.extend(matches);
        }
        assert!(!clients.is_empty(), "{}", fixture.name);
        assert!(clients.iter().all(|client| Some(*client) == fixture.truth["client"].as_str()), "{}: {clients:?}", fixture.name);
    }
}

/// Bytes and time of change of every file, and no file more.
fn state(path: &Path) -> BTreeMap<PathBuf, (Vec<u8>, std::time::SystemTime)> {
    let one = |file: PathBuf| {
        let modified = fs::metadata(&file).and_then(|metadata| metadata.modified()).expect("a time");
        (file.clone(), (fs::read(&file).expect("bytes"), modified))
    };
    files_below(path).into_iter().map(one).collect()
}

#[test]
fn stores_are_never_touched() {
    for fixture in Fixture::all() {
        let (_keep, path) = fixture.copy();
        set_read_only(&path, true);
        let before = state(&path);
        for file in files_below(&path) {
            let _ = open(&file, &fixture.options());
        }
        open(&path, &fixture.options()).expect("opens from a read-only folder");
        assert!(before == state(&path), "{}: something changed", fixture.name);
        set_read_only(&path, false);
    }
}

fn set_read_only(path: &Path, read_only: bool) {
    let all = files_below(path).into_iter().chain([path.to_path_buf()]);
    for path in all {
        let mut permissions = fs::metadata(&path).expect("metadata").permissions();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = if read_only { 0o555 } else { 0o755 };
            permissions.set_mode(mode);
        }
        #[cfg(not(unix))]
        permissions.set_readonly(read_only);
        fs::set_permissions(&path, permissions).expect("permissions");
    }
}

#[test]
fn the_write_ahead_log_is_read_and_left_alone() {
    let fixture = Fixture::named("gajim/built-in");
    let (_keep, path) = fixture.copy();
    let file = files_below(&path).pop().expect("one file");
    let devices = |path: &Path| open(path, &fixture.options()).expect("opens").accounts[0].devices.len();
    let before = devices(&path);
    let running = rusqlite::Connection::open(&file).expect("opens");
    running
        .execute_batch(
            "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;
             INSERT INTO identities(recipient_id, public_key, trust) SELECT 'new@example.org', public_key, 2 FROM identities LIMIT 1;",
        )
        .expect("a change");
    let stamp = state(&path);
    assert!(stamp.keys().any(|file| file.to_string_lossy().ends_with("-wal")));
    assert_eq!(devices(&path), before + 1, "the newest row is only in the log");
    assert!(stamp == state(&path));
    let lone = tempfile::tempdir().expect("a temporary folder");
    fs::copy(&file, lone.path().join(file.file_name().expect("a name"))).expect("a copy");
    assert_eq!(devices(lone.path()), before, "a copy without its log is older");
}

/// Stores that were cut or overwritten: never a panic; what is missing is told; what is left is read.
#[test]
fn damaged_databases_are_read_as_far_as_possible() {
    for fixture in Fixture::all().into_iter().filter(|fixture| !fixture.damaged()) {
        let whole: usize = counted(&fixture.open());
        for file in fixture.files() {
            let bytes = fs::read(&file).expect("bytes");
            if !is_sqlite(&bytes) {
                continue;
            }
            let (_keep, path) = fixture.copy();
            let target = path.join(file.strip_prefix(&fixture.store).expect("below the store"));
            // Every page of a small file, a sample of a large one's.
            let pages = (bytes.len() / 4096).div_ceil(24).max(1);
            for at in (0..bytes.len()).step_by(pages * 4096) {
                let mut zeroed = bytes.clone();
                let end = (at + 4096).min(bytes.len());
                zeroed[at..end].fill(0);
                for damaged in [&bytes[..at], &bytes[..at + 100.min(bytes.len() - at)], &zeroed] {
                    fs::write(&target, damaged).expect("a damaged copy");
                    if let Ok(store) = open(&path, &fixture.options()) {
                        let left = counted(&store);
                        // Without our own key our own device cannot be told from others.
                        let unknown =
                            store.accounts.iter().filter(|account| account.own_device_id.is_none() || account.identity.is_none());
                        assert!(left <= whole + unknown.count(), "{} at {at}: {left} of {whole}", fixture.name);
                        assert!(
                            left == whole || !problems(&store).is_empty(),
                            "{} at {at}: {left} of {whole} and no word about it",
                            fixture.name
                        );
                    }
                }
            }
        }
    }
}

fn counted(store: &Store) -> usize {
    store.accounts.iter().map(counted_of).sum()
}

fn counted_of(account: &omemoscope::model::Account) -> usize {
    account.devices.iter().filter(|device| device.device_id.is_some()).count()
        + account.sessions.len()
        + account.prekeys.len()
        + account.signed_prekeys.len()
}

/// A damaged byte of the header must not hide a store whose pages are whole.
#[test]
fn a_damaged_header_hides_little() {
    let fixture = Fixture::named("gajim/plugin");
    let whole = counted(&fixture.open());
    let (_keep, path) = fixture.copy();
    let file = files_below(&path).pop().expect("one file");
    let bytes = fs::read(&file).expect("bytes");
    for at in 16..100 {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0xff;
        fs::write(&file, &damaged).expect("a damaged copy");
        match open(&path, &fixture.options()) {
            // With another reserved space the rest of long records is looked for in the wrong place.
            Ok(store) if at == 20 => assert!(!problems(&store).is_empty()),
            Ok(store) => assert_eq!(counted(&store), whole, "byte {at}"),
            // Only the page size decides how everything else is read.
            Err(error) => assert!((16..18).contains(&at), "byte {at}: {error}"),
        }
    }
}

#[test]
fn one_bad_record_costs_only_itself() {
    let fixture = Fixture::named("gajim/plugin");
    let (_keep, path) = fixture.copy();
    let file = files_below(&path).pop().expect("one file");
    let healthy = fixture.open().accounts.remove(0);
    let connection = rusqlite::Connection::open(&file).expect("opens");
    connection
        .execute_batch("UPDATE sessions SET record = x'ff' WHERE _id = (SELECT min(_id) FROM sessions); UPDATE prekeys SET record = x'0801' WHERE _id = (SELECT max(_id) FROM prekeys);")
        .expect("two bad records");
    drop(connection);
    let account = open(&path, &fixture.options()).expect("opens").accounts.remove(0);
    assert_eq!(account.sessions.len(), healthy.sessions.len() - 1);
    assert_eq!(account.prekeys.len(), healthy.prekeys.len() - 1);
    assert_eq!(account.problems.len(), 2, "{:?}", account.problems);
    let lost = &healthy.sessions[0];
    let scope = ProblemScope::Session { jid: lost.jid.clone(), device_id: lost.device_id };
    assert!(account.problems.iter().any(|problem| problem.scope == scope));
    let prekey = healthy.prekeys.iter().map(|prekey| prekey.id).find(|id| account.prekeys.iter().all(|prekey| prekey.id != *id));
    assert!(account.problems.iter().any(|problem| Some(&problem.scope) == prekey.map(ProblemScope::PreKey).as_ref()));
}

/// A file from before version 6: our own keys are a row of table identities, and most columns are not there yet.
#[test]
fn the_oldest_gajim_schema_is_read() {
    let fixture = Fixture::named("gajim/plugin");
    let now = fixture.open().accounts.remove(0);
    let (_keep, path) = fixture.copy();
    let file = files_below(&path).pop().expect("one file");
    let connection = rusqlite::Connection::open(&file).expect("opens");
    connection
        .execute_batch(
            "CREATE TABLE old(_id INTEGER PRIMARY KEY AUTOINCREMENT, recipient_id TEXT, registration_id INTEGER, public_key BLOB,
               private_key BLOB, next_prekey_id INTEGER, timestamp INTEGER, trust INTEGER);
             INSERT INTO old(recipient_id, registration_id, public_key, private_key) SELECT '-1', device_id - 1, public_key, private_key FROM secret;
             INSERT INTO old(recipient_id, public_key) SELECT recipient_id, CAST(public_key AS TEXT) FROM identities;
             DROP TABLE identities; ALTER TABLE old RENAME TO identities; DROP TABLE secret;
             ALTER TABLE sessions DROP COLUMN active; PRAGMA user_version = 0;",
        )
        .expect("an old schema");
    drop(connection);
    let store = open(&path, &fixture.options()).expect("opens");
    assert_eq!(problems(&store), Vec::<String>::new());
    let old = &store.accounts[0];
    assert_eq!(old.own_device_id, now.own_device_id);
    assert_eq!(old.identity.as_ref().map(|pair| pair.public), now.identity.as_ref().map(|pair| pair.public));
    assert_eq!(old.devices.len(), now.devices.len());
    assert!(old.devices.iter().all(|device| device.trust.word == "UNDECIDED" && device.activity.listed.is_none()));
}

/// Kaidan's tables had names with underscores before version 23 of its database.
#[test]
fn kaidans_old_names_are_read() {
    let fixture = Fixture::named("kaidan/basic");
    let now = fixture.open().accounts.remove(0);
    let (_keep, path) = fixture.copy();
    let connection = rusqlite::Connection::open(path.join("kaidan.sqlite3")).expect("opens");
    let tables = [
        (
            "omemoDevicesOwn",
            "omemo_devices_own",
            "account, id, label, privateKey AS private_key, publicKey AS public_key, latestSignedPreKeyId AS latest_signed_pre_key_id, latestPreKeyId AS latest_pre_key_id",
        ),
        (
            "omemoDevices",
            "omemo_devices",
            "account, userJid AS user_jid, id, label, keyId AS key_id, session, unrespondedStanzasSent AS unresponded_stanzas_sent, unrespondedStanzasReceived AS unresponded_stanzas_received, removalTimestamp AS removal_timestamp",
        ),
        ("omemoPreKeyPairs", "omemo_pre_key_pairs", "account, id, data"),
        ("omemoPreKeyPairsSigned", "omemo_pre_key_pairs_signed", "account, id, data, creationTimestamp AS creation_timestamp"),
        ("trustKeys", "trust_keys", "account, encryption, ownerJid AS owner_jid, keyId AS key_id, trustLevel AS trust_level"),
    ];
    for (new, old, columns) in tables {
        connection
            .execute_batch(&format!("CREATE TABLE {old} AS SELECT {columns} FROM {new}; DROP TABLE {new};"))
            .expect("old names");
    }
    drop(connection);
    let store = open(&path, &fixture.options()).expect("opens");
    assert_eq!(problems(&store), Vec::<String>::new());
    let old = &store.accounts[0];
    let shown = |account: &omemoscope::model::Account| {
        let devices = account.devices.iter();
        devices
            .map(|device| (device.device_id, device.trust.clone(), device.activity.clone(), device.label.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(shown(old), shown(&now));
    assert_eq!((old.own_device_id, old.highest_prekey_id), (now.own_device_id, now.highest_prekey_id));
    assert_eq!(
        (old.sessions.len(), old.prekeys.len(), old.signed_prekeys.len()),
        (now.sessions.len(), now.prekeys.len(), now.signed_prekeys.len())
    );
}

/// Psi itself keeps one row per device and variant beside the plugin's tables.
#[test]
fn psi_itself_keeps_both_variants() {
    let fixture = Fixture::named("psi/plugin");
    let plugin = fixture.open().accounts.remove(0);
    let (_keep, path) = fixture.copy();
    let file = files_below(&path).pop().expect("one file");
    let connection = rusqlite::Connection::open(&file).expect("opens");
    let (session, key) = {
        let source = Fixture::named("kaidan/basic").files().pop().expect("a file");
        let source = rusqlite::Connection::open_with_flags(source, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).expect("opens");
        source
            .query_row("SELECT session, keyId FROM omemoDevices WHERE length(session) > 0 LIMIT 1", [], |row| {
                Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?))
            })
            .expect("an OMEMO 2 session")
    };
    connection
        .execute_batch(
            "CREATE TABLE omemo_protocol_state(jid TEXT, device_id INTEGER, protocol INTEGER, label TEXT, label_signature BLOB, label_verified INTEGER,
               key_id BLOB, session BLOB, last_received_ratchet_key BLOB, unresponded_sent INTEGER, unresponded_received INTEGER, removed_at TEXT);
             INSERT INTO omemo_protocol_state(jid, device_id, protocol, key_id, session) SELECT jid, device_id, 1, key, session FROM session_store JOIN identity_key_store USING(jid, device_id);
             CREATE TABLE encryption_trust(method TEXT, jid TEXT, key BLOB, trust INTEGER);",
        )
        .expect("the program's tables");
    connection
        .execute(
            "INSERT INTO omemo_protocol_state VALUES('new@example.org', 77, 2, 'Laptop', x'01', 1, ?1, ?2, NULL, 4, 0, '2026-08-20T10:00:00.000Z')",
            rusqlite::params![key, session],
        )
        .expect("a device");
    connection.execute("INSERT INTO encryption_trust VALUES('omemo', 'new@example.org', ?1, 16)", [key]).expect("its trust");
    drop(connection);
    let store = open(&path, &fixture.options()).expect("opens");
    assert_eq!(problems(&store), Vec::<String>::new());
    let core = &store.accounts[0];
    assert_eq!(core.client.name, "Psi");
    assert_eq!(core.sessions.len(), plugin.sessions.len() + 1);
    let device = core.devices.iter().find(|device| device.device_id == Some(77)).expect("the new device");
    assert_eq!(device.namespaces, [omemoscope::omemo::Namespace::Omemo2]);
    assert_eq!(
        (device.trust.word.as_str(), device.activity.listed, device.activity.unanswered),
        ("Distrusted", Some(false), Some(4))
    );
    assert!(device.activity.removed.is_some());
    assert_eq!(device.label.as_ref().map(|label| label.signature), Some(omemoscope::model::LabelSignature::Valid));
    assert_eq!(core.devices.len(), plugin.devices.len() + 1);
}

/// Before version 2 Dino's identity_meta had no account and no trust levels.
#[test]
fn dinos_first_version_is_read() {
    let fixture = Fixture::named("dino/basic");
    let now = fixture.open().accounts.remove(0);
    let (_keep, path) = fixture.copy();
    fs::remove_file(path.join("dino.db")).expect("removed");
    let connection = rusqlite::Connection::open(path.join("omemo.db")).expect("opens");
    connection
        .execute_batch(
            "CREATE TABLE old AS SELECT address_name, device_id, identity_key_public_base64, 0 AS trusted_identity, now_active, last_active FROM identity_meta;
             DROP TABLE identity_meta; ALTER TABLE old RENAME TO identity_meta; UPDATE _meta SET int_val = 1 WHERE name = 'version';",
        )
        .expect("an old schema");
    drop(connection);
    let store = open(&path, &OpenOptions::default()).expect("opens");
    assert_eq!(problems(&store), Vec::<String>::new());
    let old = &store.accounts[0];
    assert_eq!(old.jid, now.jid, "our own row tells the address");
    assert_eq!(old.devices.len(), now.devices.len());
    assert!(old.version.contains("2017"));
}

#[test]
fn a_damaged_file_of_smack_costs_only_its_record() {
    let fixture = Fixture::named("smack/plain-names");
    let healthy = fixture.open().accounts.remove(0);
    let (_keep, path) = fixture.copy();
    for file in files_below(&path) {
        let bytes = fs::read(&file).expect("bytes");
        fs::write(&file, &bytes[..bytes.len() / 2]).expect("a cut file");
        if let Ok(store) = open(&path, &fixture.options()) {
            let left = counted(&store);
            assert!(left + 2 >= counted_of(&healthy), "{}", file.display());
            assert!(left == counted_of(&healthy) || !problems(&store).is_empty(), "{}", file.display());
        }
        fs::write(&file, &bytes).expect("whole again");
    }
    let identity = files_below(&path).into_iter().find(|file| file.ends_with("identityKeyPair")).expect("our identity");
    assert_eq!(counted(&open(&identity, &fixture.options()).expect("opens by one file")), counted_of(&healthy));
}

#[test]
fn naming_one_file_of_a_set_reads_the_set() {
    for name in ["profanity/basic", "dino/basic", "lurch/basic"] {
        let fixture = Fixture::named(name);
        let whole = fixture.open();
        for file in fixture.files() {
            let store = open(&file, &fixture.options()).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(counted(&store), counted(&whole), "{}", file.display());
            assert_eq!(store.accounts.len(), 1);
        }
    }
}

#[test]
fn a_folder_with_several_stores_gives_all_accounts() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (number, name) in ["gajim/plugin", "profanity/basic", "dino/basic"].into_iter().enumerate() {
        let fixture = Fixture::named(name);
        for file in fixture.files() {
            let target = folder.path().join(format!("a/{number}")).join(file.file_name().expect("a name"));
            fs::create_dir_all(target.parent().expect("a parent")).expect("a folder");
            fs::copy(file, target).expect("a copy");
        }
    }
    let store = open(folder.path(), &OpenOptions::default()).expect("opens");
    let mut clients: Vec<_> = store.accounts.iter().map(|account| account.client.name).collect();
    clients.sort_unstable();
    assert_eq!(clients, ["Dino", "Gajim", "Profanity"]);
    assert!(store.accounts.iter().all(|account| account.jid.is_some()), "each of the three knows its own address");
}

#[cfg(unix)]
#[test]
fn links_out_of_the_folder_are_not_followed() {
    let fixture = Fixture::named("gajim/plugin");
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::os::unix::fs::symlink(&fixture.store, folder.path().join("outside")).expect("a link");
    std::os::unix::fs::symlink(fixture.files().pop().expect("a file"), folder.path().join("omemo_x@y.db")).expect("a link");
    std::os::unix::fs::symlink(folder.path(), folder.path().join("circle")).expect("a link");
    assert!(open(folder.path(), &OpenOptions::default()).is_err());
}

#[test]
fn what_is_no_store_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let says = |path: &Path| open(path, &OpenOptions::default()).expect_err("no store").says;
    let written = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("a file");
        says(&path)
    };
    assert!(says(&folder.path().join("absent")).contains("no such file"));
    assert!(says(folder.path()).contains("the folder is empty"));
    assert!(written("empty.db", b"").contains("0 bytes"));
    assert!(written("picture.db", b"\x89PNG\r\n\x1a\n0000000000").contains("picture"));
    assert!(written("zeros.db", &[0; 8192]).contains("zero bytes"));
    assert!(
        written("a.txt", b"2026-11-23 10:00:00 (D) nbxmpp <message/>\n2026-11-23 10:00:01 x\n2026-11-23 10:00:02 y\n")
            .contains("capture")
    );
    assert!(written("b.txt", b"<message to='a@b'/>").contains("capture"));
    assert!(written("c.txt", b"buy milk\n").contains("text file"));
    assert!(written("d.json", b"{\"a\": 1}").contains("JSON"));
    assert!(written("e.db", &[b"SQLite format 3\0".as_slice(), &[0; 200]].concat()).contains("damaged"));
    assert!(written("f.db", b"SQLite format 3\0").contains("cut"));
    assert!(written("x.db-wal", &[0x37, 0x7f, 0x06, 0x82, 0, 0]).contains("-wal"));
    assert!(written("g.zip", b"PK\x03\x04....").contains("unpack"));
    let noise: Vec<u8> = (0..16384u32).flat_map(|n| n.wrapping_mul(2_654_435_761).rotate_left(n % 31).to_le_bytes()).collect();
    assert!(written("h.db", &noise).contains("encrypted"), "{}", written("h.db", &noise));
    let other = folder.path().join("other.db");
    rusqlite::Connection::open(&other)
        .and_then(|connection| connection.execute_batch("CREATE TABLE moz_places(a);"))
        .expect("a database");
    assert!(says(&other).contains("moz_places"));
    let nothing = folder.path().join("nothing");
    fs::create_dir(&nothing).expect("a folder");
    fs::write(nothing.join("readme"), "x").expect("a file");
    assert!(says(&nothing).contains("no known client's store"));
    assert!(says(&folder.path().join("c.txt/below")).contains("not a folder"));
    #[cfg(unix)]
    assert!(says(Path::new("/dev/null")).contains("device"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn examining_any_bytes_never_panics(start in prop::sample::select(vec![
        &b""[..], b"SQLite format 3\0\x10\0\x01\x01\0\x40\x20\x20", b"[identity]\ndevice_id=", b"[a@b]\n1=", b"{", b"CEB", b"-- MySQL\n", b"\x1f\x8b",
        b"bplist00", b"\0\0\0\x01",
    ]), rest in prop::collection::vec(any::<u8>(), 0..4096)) {
        let candidate = Candidate::from_bytes(Path::new("nowhere/at.all"), [start, &rest].concat());
        for format in FORMATS {
            if (format.detect)(&candidate) {
                let _ = (format.read)(&candidate, &OpenOptions::default());
            }
        }
    }
}
