//! Evidence to findings.
//!
//! [`investigation`] walks through a capture once. For each message, every store copy is asked what its
//! ratchet says ([`replay`] gives a [`trial`]), the decrypted content is read ([`content`]), and what the
//! capture shows without any key is kept in the [`book`]. All that is the message's [`outcome`], which stays in
//! view until enough has come after it; [`diagnose`] then looks for the first cause that fits.

pub mod activity;
mod associated_data;
pub mod audit;
pub mod book;
mod branches;
pub mod client_words;
pub mod content;
pub mod copies;
pub mod diagnose;
mod facts;
pub mod health;
pub mod investigation;
pub mod number;
pub mod outcome;
pub mod own_device;
pub mod peer;
mod pool;
pub mod published;
mod published_faults;
pub mod replay;
pub mod rules;
pub mod spelling;
pub mod states;
pub mod summary;
pub mod survey;
pub mod trial;
pub mod upgrade;
mod window;
pub mod words;
