//! Any bytes as an SQLite store: examined and read by whichever reader takes them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use omemoscope::input::store::candidate::Candidate;
use omemoscope::input::store::sqlite::{Database, journal, wal};
use omemoscope::input::store::{OpenOptions, recognise};
use std::io::Cursor;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let _ = wal::committed(&mut Cursor::new(bytes));
    let _ = journal::hot(&mut Cursor::new(bytes), bytes.len() as u64, 4096);
    // A large database is read table by table, with its log over it.
    let (database, log) = bytes.split_at(bytes.len() / 2);
    for (database, log) in [(bytes, &[][..]), (database, log)] {
        if let Ok(database) = Database::from_parts(Path::new("fuzz/omemo.db"), database.to_vec(), log.to_vec()) {
            let tables: Vec<String> = database.table_names().map(str::to_owned).collect();
            tables.iter().for_each(|table| drop(database.rows(table, &["_id", "record"])));
        }
    }
    let candidate = Candidate::from_bytes(Path::new("fuzz/omemo.db"), bytes.to_vec());
    if let Some(format) = recognise(&candidate) {
        let _ = (format.read)(&candidate, &OpenOptions::default());
    }
});
