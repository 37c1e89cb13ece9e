//! X3DH as the responder.
