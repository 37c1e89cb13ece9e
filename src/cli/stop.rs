//! How a command ends.

use crate::input::InputError;
use std::process::ExitCode;

/// A command that did its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing wrong found.
    Clean,
    /// Findings that need attention.
    Findings,
    /// Some of the inputs could not be used; that was said already.
    PartlyUnusable,
}

impl Outcome {
    /// Findings or not.
    pub const fn findings(any: bool) -> Self {
        if any { Self::Findings } else { Self::Clean }
    }

    /// 0, 1 or 2.
    pub fn exit_code(self) -> ExitCode {
        match self {
            Self::Clean => ExitCode::SUCCESS,
            Self::Findings => ExitCode::from(1),
            Self::PartlyUnusable => ExitCode::from(2),
        }
    }
}

/// A command that had to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The input or the call was wrong: one sentence.
    Failure(String),
    /// Nobody reads our output any more; no reason to complain.
    BrokenPipe,
    /// What is wrong was said already.
    Reported,
}

impl From<InputError> for Stop {
    fn from(error: InputError) -> Self {
        Self::Failure(error.to_string())
    }
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            Self::BrokenPipe
        } else {
            Self::Failure(format!("standard output: {error}"))
        }
    }
}

impl From<serde_json::Error> for Stop {
    fn from(error: serde_json::Error) -> Self {
        if error.is_io() {
            return std::io::Error::from(error).into();
        }
        Self::Failure(format!("the result cannot be written as JSON: {error}"))
    }
}
