//! Offline inspector and debugger for OMEMO (XEP-0384) keys, sessions and messages.
//!
//! Data walks one way through the rooms; a room imports only from rooms to its left:
//!
//! [`omemo`] (the protocol, no I/O) → [`model`] (the nouns) → [`input`] (bytes to evidence) →
//! [`analysis`] (evidence to findings) → [`report`] (findings to a view) → [`cli`] (arguments to the above).

mod bounded_map;
mod mark;

pub mod secret;

pub mod omemo;

pub mod model;

pub mod input;

pub mod analysis;

pub mod report;

pub mod cli;
