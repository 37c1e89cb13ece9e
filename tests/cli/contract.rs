//! The JSON is what `jsonschemas/` says, and nothing secret is in it.

use super::support::{example, root, run, stdout};
use serde_json::Value;

/// Checks a value against the part of JSON Schema that our schemas use; an unknown keyword is an error,
/// so that no rule is passed over in silence.
fn check(schema: &Value, whole: &Value, value: &Value, path: &str) -> Result<(), String> {
    let fail = |says: String| Err(format!("{path}: {says}"));
    for (keyword, rule) in schema.as_object().ok_or("a schema is an object")? {
        match keyword.as_str() {
            "$schema" | "title" | "description" | "$defs" => {}
            "$ref" => {
                let name = rule.as_str().and_then(|r| r.strip_prefix("#/$defs/")).ok_or("only #/$defs/ is known")?;
                check(&whole["$defs"][name], whole, value, path)?;
            }
            "anyOf" => {
                let results: Vec<_> = rule.as_array().into_iter().flatten().map(|s| check(s, whole, value, path)).collect();
                if !results.iter().any(Result::is_ok) {
                    return fail(format!("fits none of: {results:?}"));
                }
            }
            "const" if rule != value => return fail(format!("{value} is not {rule}")),
            "enum" if !rule.as_array().is_some_and(|all| all.contains(value)) => {
                return fail(format!("{value} is none of {rule}"));
            }
            "const" | "enum" => {}
            "type" => {
                let is = |name: &str| match name {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "integer" => value.is_u64() || value.is_i64(),
                    "boolean" => value.is_boolean(),
                    "null" => value.is_null(),
                    other => panic!("unknown type {other}"),
                };
                let fits = rule
                    .as_str()
                    .map_or_else(|| rule.as_array().is_some_and(|all| all.iter().filter_map(Value::as_str).any(is)), is);
                if !fits {
                    return fail(format!("{value} is no {rule}"));
                }
            }
            "minimum" if value.as_i64().is_some_and(|v| v < rule.as_i64().unwrap_or(0)) => {
                return fail(format!("{value} is too small"));
            }
            "minLength" if value.as_str().is_some_and(|v| (v.len() as u64) < rule.as_u64().unwrap_or(0)) => {
                return fail(format!("{value} is too short"));
            }
            "maxLength" if value.as_str().is_some_and(|v| v.len() as u64 > rule.as_u64().unwrap_or(0)) => {
                return fail(format!("{value} is too long"));
            }
            "maxItems" if value.as_array().is_some_and(|v| v.len() as u64 > rule.as_u64().unwrap_or(0)) => {
                return fail("has too many items".into());
            }
            "minimum" | "minLength" | "maxLength" | "maxItems" => {}
            "required" => {
                for name in rule.as_array().into_iter().flatten().filter_map(Value::as_str) {
                    if value.as_object().is_some_and(|o| !o.contains_key(name)) {
                        return fail(format!("{name} is missing"));
                    }
                }
            }
            "properties" => {
                // Readers must take new fields; we must not forget to write them down.
                if let Some(name) = value.as_object().into_iter().flatten().map(|(n, _)| n).find(|n| rule.get(n).is_none()) {
                    return fail(format!("{name} is not in the schema"));
                }
                for (name, schema) in rule.as_object().into_iter().flatten() {
                    if let Some(part) = value.get(name) {
                        check(schema, whole, part, &format!("{path}/{name}"))?;
                    }
                }
            }
            "additionalProperties" => {
                for (name, part) in value.as_object().into_iter().flatten() {
                    check(rule, whole, part, &format!("{path}/{name}"))?;
                }
            }
            "items" => {
                for (n, part) in value.as_array().into_iter().flatten().enumerate() {
                    check(rule, whole, part, &format!("{path}/{n}"))?;
                }
            }
            other => return fail(format!("the schema uses {other}, which this test does not know")),
        }
    }
    Ok(())
}

fn valid(command: &str, json: &str) -> Result<Value, String> {
    let file = root().join("jsonschemas").join(format!("{command}.json"));
    let schema: Value =
        serde_json::from_str(&std::fs::read_to_string(file).expect("there is a schema")).expect("the schema is JSON");
    let value: Value = serde_json::from_str(json).map_err(|e| format!("{e}: {json}"))?;
    check(&schema, &schema, &value, "").map(|()| value)
}

fn shown(arguments: &[&str]) -> Value {
    let mut all = arguments.to_vec();
    all.extend(["--format", "json"]);
    let output = run(&example(), &all);
    match valid(arguments[0], &stdout(&output)) {
        Ok(value) => value,
        Err(says) => panic!("{arguments:?}: {says}"),
    }
}

#[test]
fn output_fits_its_schema() {
    let devices = shown(&["devices", "--store", "gajim"]);
    assert!(devices["accounts"][0]["devices"].as_array().is_some_and(|d| !d.is_empty()), "{devices}");
    let upgrade = shown(&["devices", "--upgrade", "--store", "../stores/slixmpp-omemo/both-variants.json"]);
    assert_eq!(upgrade["accounts"][0]["upgrade"]["client_speaks_omemo2"], true, "{upgrade}");
    let sessions = shown(&["sessions", "--store", "gajim"]);
    assert!(sessions["accounts"][0]["sessions"].as_array().is_some_and(|s| !s.is_empty()), "{sessions}");
    let diagnosis = shown(&["diagnose", "--store", "gajim", "gajim-earlier.log", "gajim.log"]);
    assert!(diagnosis["messages"].as_array().is_some_and(|m| !m.is_empty()), "{diagnosis}");
    let decrypted = shown(&["decrypt", "--store", "gajim", "gajim.log"]);
    assert!(decrypted["messages"].as_array().is_some_and(|m| m.iter().any(|m| m["plaintext"].is_string())), "{decrypted}");
    let elements = shown(&["stanza", "gajim-earlier.log", "gajim.log"]);
    assert!(elements["elements"].as_array().is_some_and(|e| e.len() > 3), "{elements}");
    let rules = shown(&["stanza", "../xep/0.9.1/device-list.xml"]);
    assert!(rules["rules"].as_array().is_some_and(|r| !r.is_empty()), "an unsigned label breaks a rule: {rules}");
    let inputs = shown(&["inspect", "gajim", "gajim.log", "key.txt", "no-such-file"]);
    let kinds: Vec<&str> = inputs["inputs"].as_array().into_iter().flatten().filter_map(|i| i["kind"].as_str()).collect();
    assert_eq!(kinds, ["store", "capture", "lone", "unknown"]);
    let stores = shown(&["stores", "--home", "."]);
    assert_eq!(stores["stores"].as_array().map(Vec::len), Some(2), "{stores}");
    shown(&["explain"]);
    shown(&["explain", "no-session"]);
}

#[test]
fn errors_are_json_too() {
    let output = run(root(), &["devices", "--store", "no-such-file", "--format", "json"]);
    assert_eq!(output.status.code(), Some(2));
    let error = valid("error", &stdout(&output)).expect("fits the schema");
    assert!(error["error"].as_str().is_some_and(|e| e.starts_with("no-such-file: ")), "{error}");
}

#[test]
fn the_check_can_fail() {
    for (json, says) in [
        (r#"{"schema":"omemoscope/error/2","error":""}"#, "/schema"),
        (r#"{"schema":"omemoscope/error/1"}"#, "error is missing"),
        (r#"{"schema":"omemoscope/error/1","error":1}"#, "/error"),
        (r#"{"schema":"omemoscope/error/1","error":"","more":1}"#, "more is not in the schema"),
    ] {
        let result = valid("error", json).expect_err("must not fit");
        assert!(result.contains(says), "{result}");
    }
}

/// Without being asked, a diagnosis holds no text of a message.
#[test]
fn diagnosis_keeps_plaintext_to_itself() {
    let hidden = shown(&["diagnose", "--store", "gajim", "gajim-earlier.log", "gajim.log"]).to_string();
    let asked = shown(&["diagnose", "--store", "gajim", "--show-plaintext", "gajim-earlier.log", "gajim.log"]).to_string();
    assert!(asked.contains("Meet at the old lighthouse") && !hidden.contains("Meet at the old lighthouse"));
}

/// Kaidan shows other digits for the same key; Gajim shows what everybody compares.
#[test]
fn the_fingerprint_that_a_client_shows_is_the_same_key() {
    let devices = |store: &str| shown(&["devices", "--store", store])["accounts"][0].clone();
    let kaidan = devices("../stores/kaidan/basic");
    let hex = kaidan["own_shown_as"].as_str().expect("Kaidan shows another form");
    let bytes: [u8; 32] = hex::decode(hex).expect("hex").try_into().expect("32 bytes");
    let key = omemoscope::omemo::IdentityKey::from_edwards(bytes).expect("a point of the curve");
    assert_eq!(kaidan["own_fingerprint"], key.fingerprint().to_string());
    assert_ne!(kaidan["own_fingerprint"], hex);
    assert!(kaidan["devices"].as_array().expect("devices").iter().any(|d| d["shown_as"].is_string()));
    assert!(devices("gajim").get("own_shown_as").is_none());
}
