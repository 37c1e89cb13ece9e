//! The protobuf records of the libsignal family (libsignal-protocol-c, libomemo-c, Java, python-axolotl, omemo-dr, Rust).
