//! Payload encryption: AES-128-GCM (legacy), AES-256-CBC with HMAC-SHA256 (OMEMO 1 and 2).
