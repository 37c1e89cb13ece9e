//! Times as logs and stores tell them.

use jiff::Timestamp;
use std::fmt;

/// A moment. Logs often leave out the zone, or even the date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct When {
    /// The moment; a time without zone is taken for UTC. `None` if there is no date.
    pub instant: Option<Timestamp>,
    /// As the log wrote it.
    pub text: String,
}

impl When {
    /// A known moment.
    pub fn at(instant: Timestamp) -> Self {
        Self { instant: Some(instant), text: instant.to_string() }
    }

    /// For a person: to the second, and as the log wrote it where the date is not known.
    pub fn short(&self) -> String {
        self.instant.map_or_else(|| self.text.clone(), |instant| instant.strftime("%Y-%m-%d %H:%M:%S").to_string())
    }

    /// From unix seconds, as stores keep them; `None` outside the representable range.
    pub fn from_unix_seconds(seconds: i64) -> Option<Self> {
        Timestamp::from_second(seconds).ok().map(Self::at)
    }

    /// From unix milliseconds.
    pub fn from_unix_millis(millis: i64) -> Option<Self> {
        Timestamp::from_millisecond(millis).ok().map(Self::at)
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short())
    }
}
