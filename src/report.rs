//! Findings to a view: text and JSON from one value.
