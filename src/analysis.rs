//! Evidence to findings.

pub mod activity;
pub mod diagnose;
pub mod health;
pub mod investigation;
pub mod states;
pub mod survey;
