//! Parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    omemoscope::cli::main()
}
