//! What a web page keeps in a browser: IndexedDB, Local Storage and Session Storage, wherever it was read
//! from. Web clients look into this, so that an export and a browser profile need no reader of their own each.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The storage of one origin.
#[derive(Debug, Default)]
pub struct WebStorage {
    /// Scheme, host and port, where known.
    pub origin: Option<String>,
    /// Object stores of all databases.
    pub object_stores: Vec<ObjectStore>,
    /// Local Storage: key to text.
    pub local: BTreeMap<String, String>,
    /// Session Storage: key to text.
    pub session: BTreeMap<String, String>,
}

/// One object store of an IndexedDB database.
#[derive(Debug)]
pub struct ObjectStore {
    /// Name of the database.
    pub database: String,
    /// Name of the store.
    pub name: String,
    /// Key to value.
    pub items: BTreeMap<String, Value>,
}

impl WebStorage {
    /// From an export: `{"indexedDB": {db: {store: items}}, "localStorage": {…}, "sessionStorage": {…}}`, where a
    /// database may have its stores in a member `stores` and a store its items in a member `items`;
    /// `None` if it has none of the three.
    pub fn from_export(value: &Value) -> Option<Self> {
        let object = value.as_object()?;
        let mut storage = Self { origin: object.get("origin").and_then(Value::as_str).map(str::to_owned), ..Self::default() };
        let mut any = false;
        for (name, target) in [("localStorage", &mut storage.local), ("sessionStorage", &mut storage.session)] {
            if let Some(entries) = object.get(name).and_then(Value::as_object) {
                any = true;
                target.extend(entries.iter().map(|(key, value)| (key.clone(), text(value))));
            }
        }
        if let Some(databases) = object.get("indexedDB").and_then(Value::as_object) {
            any = true;
            for (database, value) in databases {
                let stores = member_or_self(value, "stores");
                for (name, value) in stores.into_iter().flatten() {
                    let items = member_or_self(value, "items");
                    let items = items.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect();
                    storage.object_stores.push(ObjectStore { database: database.clone(), name: name.clone(), items });
                }
            }
        }
        any.then_some(storage)
    }
}

/// Values are texts; a hand-made export may have parsed them already.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn member_or_self<'a>(value: &'a Value, name: &str) -> Option<&'a Map<String, Value>> {
    value.get(name).and_then(Value::as_object).or_else(|| value.as_object())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_shapes_of_an_export_are_read() {
        for database in
            [json!({"a@b": {"k": [1]}}), json!({"version": 2, "stores": {"a@b": {"keyPath": null, "items": {"k": [1]}}}})]
        {
            let export = json!({"indexedDB": {"db": database}, "localStorage": {"x": "1"}});
            let storage = WebStorage::from_export(&export).expect("an export");
            assert_eq!(storage.object_stores.len(), 1);
            assert_eq!(storage.object_stores[0].items.get("k"), Some(&json!([1])));
            assert_eq!(storage.local.get("x").map(String::as_str), Some("1"));
        }
        assert!(WebStorage::from_export(&json!({"other": 1})).is_none());
    }
}
