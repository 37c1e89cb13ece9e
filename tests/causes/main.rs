//! For every cause a pair: the broken case is named, and its nearest neighbour is not. What the fixtures do
//! not hold is made here: conversations in code, and messages whose bytes anybody can write, where what is
//! tested stands in clear.

#![allow(clippy::unwrap_used)] // A test may panic.

#[path = "../common/mod.rs"]
mod common;
#[path = "../simulation/mod.rs"]
mod simulation;

mod addressing;
mod archives;
mod beyond_copy;
mod client_words;
mod clients;
mod codes;
mod conversation;
mod copies;
mod in_step;
mod log_only;
mod pairs;
mod payloads;
mod prekeys;
mod published;
mod rooms;
mod sessions;
mod several_logs;
mod spelling;
mod stanzas;
mod texts;
mod two_ends;
