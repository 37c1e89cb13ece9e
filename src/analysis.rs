//! Evidence to findings.

pub mod activity;
pub mod investigation;
