//! The JSON records of libsignal-protocol-javascript and libomemo.js.
