//! Web clients' stores as a JSON file that the user made in the page: the browser's storage, or the part of
//! it that matters.

use super::browser_profile::accounts;
use super::candidate::Candidate;
use super::web_storage::WebStorage;
use super::{OpenOptions, Reading, StoreFormat, converse, json_text, jsxc, movim, prose};
use crate::input::InputError;
use crate::model::{Part, Place, Problem, ProblemScope};
use serde_json::Value;
use std::collections::BTreeMap;

/// The format. Which web client it is, the accounts say. Users make the file themselves: it can lie anywhere.
pub const FORMAT: StoreFormat = StoreFormat { client: &converse::PROFILE, detect, places: &[], read };

fn detect(candidate: &Candidate) -> bool {
    if candidate.is_folder() || !candidate.looks_like_json() {
        return false;
    }
    match candidate.json() {
        Some(value) => storage_of(value).is_some_and(|storage| is_known(&storage)),
        None => candidate.bytes().is_some_and(|bytes| {
            let has = |mark: &str| memchr::memmem::find(bytes, mark.as_bytes()).is_some();
            has(converse::MARK) || has(movim::MARK) || has(prose::MARK) || has(jsxc::MARK)
        }),
    }
}

fn is_known(storage: &WebStorage) -> bool {
    converse::is_in(storage) || movim::is_in(storage) || prose::is_in(storage) || jsxc::is_in(storage)
}

/// An export; a bare object of Local Storage or of one object store; or Converse's one item with the keys.
fn storage_of(value: &Value) -> Option<WebStorage> {
    if let Some(storage) = WebStorage::from_export(value) {
        return Some(storage);
    }
    let object = value.as_object()?;
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let local = if converse::is_key_item(value) {
        BTreeMap::from([(format!("{}?", converse::MARK), value.to_string())])
    } else {
        object.iter().map(|(key, value)| (key.clone(), text(value))).collect()
    };
    Some(WebStorage { local, ..WebStorage::default() })
}

fn read(candidate: &Candidate, options: &OpenOptions) -> Result<Reading, InputError> {
    let file = candidate.place_file();
    let bytes = candidate.bytes().ok_or_else(|| InputError::new(candidate.path(), "the file cannot be read as a whole"))?;
    let text =
        json_text::read(bytes).ok_or_else(|| InputError::new(candidate.path(), "nothing in this JSON file can be read"))?;
    let storage = storage_of(&text.value).unwrap_or_default();
    let mut reading = Reading { accounts: accounts(file, &storage, options), ..Reading::default() };
    if let Some(damage) = text.damage {
        let place = Place { file: file.clone(), part: Part::Byte(damage.byte as u64) };
        let problem = Problem { place, says: damage.says, scope: ProblemScope::Store };
        reading.accounts.iter_mut().for_each(|account| account.problems.insert(0, problem.clone()));
        if reading.accounts.is_empty() {
            reading.problems.push(problem);
        }
    }
    Ok(reading)
}
