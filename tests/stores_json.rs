//! JSON-shaped stores and browser profiles, against what the clients themselves said about them.

use omemoscope::input::store::{self, OpenOptions};
use omemoscope::model::{Account, ProblemScope, Store, TrustLevel};
use omemoscope::omemo::Namespace;
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/stores").join(name)
}

fn open(name: &str) -> Store {
    store::open(&fixture(name), &OpenOptions::default()).expect("a store")
}

fn only_account(name: &str) -> Account {
    let store = open(name);
    assert_eq!(store.problems, [], "{name}");
    let [account] = <[Account; 1]>::try_from(store.accounts).expect("one account");
    account
}

#[track_caller]
fn assert_own(account: &Account, jid: &str, device_id: u32, fingerprint: &str) {
    assert_eq!(account.jid.as_ref().map(ToString::to_string).as_deref(), Some(jid));
    assert_eq!(account.own_device_id, Some(device_id));
    let identity = account.identity.as_ref().expect("an identity key");
    assert_eq!(identity.public.fingerprint().to_string(), fingerprint);
    assert!(identity.is_consistent());
}

/// Address, id, fingerprint (empty: not known yet), trust word.
#[track_caller]
fn assert_devices(account: &Account, expected: &[(&str, u32, &str, &str)]) {
    let mut found: Vec<_> = account
        .devices
        .iter()
        .map(|device| {
            let fingerprint = device.identity.map(|key| key.fingerprint().to_string()).unwrap_or_default();
            (device.jid.to_string(), device.device_id.unwrap_or_default(), fingerprint, device.trust.word.clone())
        })
        .collect();
    found.sort();
    let mut expected: Vec<_> =
        expected.iter().map(|(jid, id, key, trust)| ((*jid).to_owned(), *id, (*key).to_owned(), (*trust).to_owned())).collect();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn slixmpp_omemo_with_both_variants() {
    let account = only_account("slixmpp-omemo/both-variants.json");
    assert_own(&account, "alice12@localhost", 1_179_662_990, "c507e5dbbdc78e0dff47ecd795413e9167357e81f97f5cec1abab532d2ff5533");
    let bob = "3e8f61c4045d6c416888e73b02dce603e46aadbf60cd1bf89d6ec0483e126928";
    assert_devices(&account, &[("bob12@localhost", 606_582_517, bob, "BLINDLY_TRUSTED")]);
    assert_eq!(account.devices[0].namespaces, [Namespace::Omemo2, Namespace::Legacy]);
    assert_eq!(account.devices[0].activity.listed, Some(true));
    let mut variants: Vec<_> = account.sessions.iter().map(|session| session.namespace).collect();
    variants.sort();
    assert_eq!(variants, [Namespace::Legacy, Namespace::Omemo2]);
    for session in &account.sessions {
        let current = session.record.current.as_ref().expect("a session");
        assert_eq!(current.initiator, Some(false));
        assert_eq!(current.remote_identity, account.devices[0].identity.expect("a key"));
        assert_eq!(Some(current.local_identity), account.identity.as_ref().map(|pair| pair.public));
        assert!(current.pending_prekey.is_none());
        assert!(current.base_key.is_some());
    }
    assert_eq!((account.prekeys.len(), account.signed_prekeys.len()), (200, 2));
    assert!(account.prekeys.iter().all(|prekey| prekey.id <= account.highest_prekey_id.expect("a counter")));
    assert_eq!(account.problems, []);
}

#[test]
fn labels_are_kept() {
    let account = only_account("slixmpp-omemo/labels.json");
    assert_own(&account, "alice234@localhost", 2_018_288_143, "d4bbb2efeec79220c8f56e1b063605cb6db9aabec57c1a010971595e6d149131");
    let label = |jid: &str| {
        let device = account.devices.iter().find(|device| device.jid.as_str() == jid).expect("the device");
        device.label.as_ref().map(|label| label.text.as_str())
    };
    assert_eq!(label("bob234@localhost"), Some("Test laptop ✓"));
    assert_eq!(label("carol234@localhost"), Some("kitchen tablet"));
    assert_eq!(label("dave234@localhost"), None);
}

#[test]
fn skipped_keys_of_python() {
    let account = only_account("slixmpp-omemo/skipped-keys.json");
    assert_own(&account, "alice@localhost", 1_996_342_764, "22097bd14c183982104b394c25b7e5755c6a002a16ce9f48180c0c2da95d456a");
    let chains = &account.sessions[0].record.current.as_ref().expect("a session").receiver_chains;
    let (current, older) = chains.split_last().expect("a chain");
    assert!(current.chain_key.is_some());
    assert!(older.iter().all(|chain| chain.chain_key.is_none() && !chain.skipped.is_empty()));
}

#[test]
fn a_distrusted_device() {
    let account = only_account("slixmpp-omemo/distrusted.json");
    let bob = "e43d6022af8608a122fc6c3112e884fa623f365da1dca893821a6453f912da7e";
    assert_devices(&account, &[("bob@chat.example", 1_487_360_829, bob, "DISTRUSTED")]);
    assert_eq!(account.devices[0].trust.level, TrustLevel::Untrusted);
}

#[test]
fn a_cut_file_is_read_up_to_the_cut() {
    let account = only_account("slixmpp-omemo/cut.json");
    assert_own(&account, "alice@chat.example", 1_818_094_902, "0c78cd8cb3fbd3de16c5ed49366cdb476605780de017e3bc03e08073ca0f152e");
    assert!(account.sessions.is_empty());
    let scopes: Vec<_> = account.problems.iter().map(|problem| &problem.scope).collect();
    assert!(scopes.contains(&&ProblemScope::Store), "{scopes:?}");
    let lost = |scope: &&&ProblemScope| matches!(scope, ProblemScope::Session { device_id: 1_582_245_750, .. });
    assert!(scopes.iter().any(|scope| lost(&scope)), "{scopes:?}");
}

#[test]
fn a_missing_field_concerns_one_session() {
    let account = only_account("slixmpp-omemo/field-missing.json");
    let bob = "9bf7a7baac8c8a85a62f56c77ae3d066eeb3b1849003b11539dc21cfa5772c37";
    assert_devices(&account, &[("bob@localhost", 2_014_489_866, bob, "BLINDLY_TRUSTED")]);
    let [problem] = account.problems.as_slice() else { panic!("{:?}", account.problems) };
    assert!(matches!(problem.scope, ProblemScope::Session { device_id: 2_014_489_866, .. }));
    assert!(problem.place.to_string().ends_with("double_ratchet.diffie_hellman_ratchet.root_chain"), "{}", problem.place);
}

#[test]
fn poezio_is_known_by_its_file_name() {
    let account = only_account("poezio");
    assert_eq!(account.client.name, "Poezio");
    assert_own(&account, "alice90@localhost", 1_686_651_668, "428461c160953c7cf62f9a15a200cd8ca82d0161f62cda8afec0e8191672e852");
    let bob = "b1ad7533861f9c911ce26361ee50b6e695f38f6b7648152d4233c67b5c32564b";
    let carol = "fb956a8a6252d23030a94fc7d70956e3b48be88afc5fa0da27bfbeac0bdb9530";
    assert_devices(
        &account,
        &[("bob90@localhost", 964_804_924, bob, "BLINDLY_TRUSTED"), ("carol90@localhost", 1_554_539_546, carol, "UNDECIDED")],
    );
}

fn assert_converse_muc(account: &Account) {
    assert_eq!(account.client.name, "Converse");
    assert_own(account, "alice478@localhost", 16_056, CONVERSE_MUC_OWN);
    let bob = "267e138646abb072f108ad100790980dd8ef25c8ba2b44cadd7d6711ef1a4b09";
    assert_devices(
        account,
        &[("bob478@localhost", 1_385_318_442, bob, "UNDECIDED"), ("carol478@localhost", 693_494_636, "", "UNDECIDED")],
    );
    let session = &account.sessions[0];
    assert_eq!((account.sessions.len(), session.namespace), (1, Namespace::Omemo2));
    let current = session.record.current.as_ref().expect("an open session");
    assert!(current.stored_associated_data.is_some());
    assert!(current.remote_identity.edwards().is_some());
    assert_eq!((account.prekeys.len(), account.signed_prekeys.len()), (100, 2));
    assert_eq!(account.problems, []);
}

const CONVERSE_MUC_OWN: &str = "55962f664c7ae2ade6225455c85f6ef97f0da08cb95ada1f02c1bc21a3e3b71b";

#[test]
fn converse_as_an_export() {
    assert_converse_muc(&only_account("converse/indexeddb-export.json"));
}

#[test]
fn converse_in_a_browser_profile() {
    for part in ["converse/indexeddb", "converse/indexeddb/IndexedDB/http_127.0.0.1_15291.indexeddb.leveldb"] {
        assert_converse_muc(&only_account(part));
    }
}

#[test]
fn converse_in_local_storage() {
    let profile = only_account("converse/local-storage");
    let export = only_account("converse/local-storage-export.json");
    for account in [profile, export] {
        assert_own(&account, "alice376@localhost", 13_596, "79fc7afd75703d96c6b3de41b2d21c97e1b97cc369c7665d6d8c1ede1aadcd48");
        let bob = "561b6869db2c39f74a93eac76cffe0186730c2f0b033098c470a649352316512";
        assert_devices(&account, &[("bob376@localhost", 1_430_673_814, bob, "UNDECIDED")]);
        assert_eq!(account.sessions.len(), 1);
    }
}

#[test]
fn converse_sessions_that_were_closed_are_archived() {
    let account = only_account("converse/legacy-export.json");
    assert_own(&account, "alice70@localhost", 7_314, "0b802c02cb4613919de1fb67142e871bd22e9389f51ab81a04be0e7fe01b4f65");
    let bob = account.sessions.iter().find(|session| session.jid.as_str() == "bob70@localhost").expect("a session");
    assert_eq!(bob.record.archived.len(), 1);
    assert_eq!(bob.record.current.as_ref().and_then(|session| session.initiator), Some(false));
    assert_eq!(bob.record.archived[0].initiator, Some(true));
    assert_eq!(bob.record.archived[0].pending_prekey.as_ref().and_then(|pending| pending.prekey_id), Some(85));
}

#[test]
fn movim_newest_version_only() {
    let account = only_account("movim/export.json");
    assert_own(&account, "alice@localhost", 4_883, "687f3ae5900fa69337eecedcc34526788f292dcba18bb1d820bf167763da6a6d");
    assert_devices(
        &account,
        &[
            ("alice@localhost", 119_304_728, "7bd0cc098d13c950b9e978344a80df7f637497cef17fd7ad1b447e2da1cf1256", "on"),
            ("bob@localhost", 262_530_808, "4bfbbde9e02cb9fa706ec8576d07c2f66787f4583733ccebc71537a9a342ed7b", "on"),
            ("bob@localhost", 655_951_855, "4f8539cc20246ccdcf3b8b1dbdc20367fb8982e6dcc6cf5763335f7aff930a50", "on"),
            ("bob@localhost", 1_738_544_356, "d6aa05e61aba98528b4e9b2c1ea47ea9531e6dd850cb7d2ce508aaaa1e344748", "on"),
            ("carol@chat.example", 2_091_332_844, "9ec7720bbc3c8394a5342044f1a974e11cf6af752993f2e4b512e9868b66a112", "on"),
            ("dave@localhost", 1_534_064_292, "0a1c0cb0ed831048825f8f15018499821e58a5b1f7eebbdce010bd018ce7dd7a", "state: false"),
        ],
    );
    assert_eq!((account.sessions.len(), account.prekeys.len()), (6, 51));
}

#[test]
fn reading_a_profile_leaves_no_trace() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let source = fixture("converse/local-storage/Local Storage/leveldb");
    let copy = folder.path().join("Local Storage/leveldb");
    std::fs::create_dir_all(&copy).expect("folders");
    for entry in std::fs::read_dir(&source).expect("the fixture").flatten() {
        std::fs::copy(entry.path(), copy.join(entry.file_name())).expect("a copy");
    }
    let listing = || {
        let mut files: Vec<_> = std::fs::read_dir(&copy)
            .expect("the copy")
            .flatten()
            .map(|entry| (entry.file_name(), std::fs::read(entry.path()).expect("a file")))
            .collect();
        files.sort();
        files
    };
    let before = listing();
    store::open(folder.path(), &OpenOptions::default()).expect("a store");
    assert_eq!(listing(), before);
}

#[test]
fn every_cut_is_survived() {
    for name in ["slixmpp-omemo/skipped-keys.json", "movim/export.json"] {
        let bytes = std::fs::read(fixture(name)).expect("the fixture");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("cut.json");
        for length in (1..bytes.len()).step_by(bytes.len() / 60) {
            std::fs::write(&path, &bytes[..length]).expect("a copy");
            if let Ok(store) = store::open(&path, &OpenOptions::default()) {
                let problems = store.accounts.iter().map(|account| account.problems.len()).sum::<usize>() + store.problems.len();
                assert!(problems > 0, "{name} cut at {length}: the damage is not told");
            }
        }
    }
}

#[test]
fn overwritten_bytes_are_survived() {
    for name in ["slixmpp-omemo/skipped-keys.json", "movim/export.json", "converse/local-storage-export.json"] {
        let bytes = std::fs::read(fixture(name)).expect("the fixture");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("damaged.json");
        for place in (0..bytes.len()).step_by(bytes.len() / 40) {
            for byte in [0, b'"', b'}', 0xff] {
                let mut damaged = bytes.clone();
                damaged[place] = byte;
                std::fs::write(&path, &damaged).expect("a copy");
                // Whether it opens depends on the place; that it ends well does not.
                let _ = store::open(&path, &OpenOptions::default());
            }
        }
    }
}

#[test]
fn a_damaged_profile_is_survived() {
    let source = fixture("converse/local-storage/Local Storage/leveldb");
    let log = std::fs::read(source.join("000003.log")).expect("the fixture");
    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in ["CURRENT", "MANIFEST-000001"] {
        std::fs::copy(source.join(name), folder.path().join(name)).expect("a copy");
    }
    for length in (1..log.len()).step_by(log.len() / 25) {
        std::fs::write(folder.path().join("000003.log"), &log[..length]).expect("a copy");
        let _ = store::open(folder.path(), &OpenOptions::default());
    }
}

/// Two messages that Bob sent after this copy was made: one overtaken before, one new.
const OLD_LATE: &str = "330a2105e6c15a02649fb71d861d86050d7040d3dafef157443769ab8add8ec59ce2dd04100118002230255ff48b1119120f6b1b1694fc421a07d6a4161659015095a9ab1a86ab9aa83b4fb47c1093ce58900b4afe01326fa109275ac9e895b3571b";
const OLD_NEXT: &str = "330a2105e6c15a02649fb71d861d86050d7040d3dafef157443769ab8add8ec59ce2dd04100318002230996ee8b9d074e60ab4e25669e34fae8afa5befd128f4271a0f6817c5cd060c2ccd8316deabcd7639af82aefdc81e5ee0b39672f38a52ac16";

#[test]
fn the_generation_before_1_0() {
    let account = only_account("omemo-0.14");
    assert_own(&account, "alice@localhost", 4711, "3538f1bc289e00701028a580c3ae54a32fdeb36707bacd12dc1a6445d799b775");
    // Bob's address is stored only as a hash; Carol began her session, so her address is kept with her prekey.
    let bob = "ibibbvwbnqln5q3phv5hlfwc25l3u62xsbfnysabuy7ebekp2xeq.invalid";
    assert_devices(
        &account,
        &[
            (bob, 815, "a3a5376fbbb4067295e4c7619c6fb8f8c48905bad4e9b9f1b5861b8628ca6b07", "trusted"),
            (bob, 816, "", "undecided"),
            ("carol@localhost", 99, "5d87d1312606030b0c1323f101da98e125c3c4e5b6baab78e790ebb3f0b0f91a", "untrusted"),
        ],
    );
    let listed =
        |id: u32| account.devices.iter().find(|device| device.device_id == Some(id)).map(|device| device.activity.clone());
    assert_eq!(listed(815).and_then(|activity| activity.listed), Some(true));
    let removed = listed(816).expect("the device");
    assert!(removed.listed == Some(false) && removed.removed.is_some());
    let session = |id: u32| &account.sessions.iter().find(|session| session.device_id == id).expect("a session").record;
    assert_eq!(session(99).current.as_ref().and_then(|session| session.initiator), Some(false));
    for wire in [OLD_LATE, OLD_NEXT] {
        let bytes = hex::decode(wire).expect("hex");
        let parsed = omemoscope::omemo::wire::parse(Namespace::Legacy, &bytes, false).expect("a message");
        assert!(session(815).receive(parsed.content.message()).opened.is_some());
    }
    assert!(account.prekeys.len() > 90 && account.signed_prekeys.len() == 1);
    assert_eq!(account.problems.len(), 1, "{:?}", account.problems);
}

#[test]
fn the_user_may_name_an_address_behind_a_hash() {
    let options = OpenOptions { account: omemoscope::model::BareJid::new("bob@localhost"), ..OpenOptions::default() };
    let store = store::open(&fixture("omemo-0.14"), &options).expect("a store");
    assert!(store.accounts[0].devices.iter().any(|device| device.jid.as_str() == "bob@localhost"));
    assert_eq!(store.accounts[0].problems, []);
}

/// Version 13 and earlier: no second variant, and identities under names cut at the first dot, often empty.
#[test]
fn converse_up_to_13() {
    let text = std::fs::read_to_string(fixture("converse/legacy-export.json")).expect("the fixture");
    let mut export: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let items = export["indexedDB"]["converse-persistent"]["alice70@localhost"].as_object_mut().expect("items");
    items.retain(|key, _| !key.contains("omemo2") && !key.contains("-v2-"));
    for (key, value) in items.iter_mut() {
        let Some(value) = value.as_object_mut() else { continue };
        value.remove("version");
        if key.contains("omemosession") {
            value.retain(|name, _| !name.contains("omemo2") && !name.contains("v2:") && !name.starts_with("identity_keybob"));
            value.insert("identity_keybob70@localhost".into(), "".into());
        }
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    // As a bare set of items, and as the one item with the keys.
    let whole = serde_json::Value::Object(items.clone());
    let one = items.iter().find(|(key, _)| key.contains("omemosession")).expect("the item").1.clone();
    for (name, value) in [("items.json", &whole), ("one.json", &one)] {
        let path = folder.path().join(name);
        std::fs::write(&path, value.to_string()).expect("a file");
        let options = OpenOptions { account: omemoscope::model::BareJid::new("alice70@localhost"), ..OpenOptions::default() };
        let account = store::open(&path, &options).expect("a store").accounts.remove(0);
        assert_own(&account, "alice70@localhost", 7_314, "0b802c02cb4613919de1fb67142e871bd22e9389f51ab81a04be0e7fe01b4f65");
        assert!(account.client.accepts_changed_identity);
        let bob = account.devices.iter().find(|device| device.jid.as_str() == "bob70@localhost").expect("the device");
        let fingerprint = bob.identity.map(|key| key.fingerprint().to_string());
        assert_eq!(fingerprint.as_deref(), Some("5282dc13a6cbc2240dfe8e4701810093ddb428c617c20293f8b98b9c8ddd3f76"));
        assert_eq!(account.signed_prekeys.len(), 1);
        assert_eq!(account.problems, []);
    }
}
