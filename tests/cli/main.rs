//! The command line, run as a user runs it.

mod commands;
mod contract;
mod documents;
mod generated;
mod help;
mod support;
