//! GLib key files: `[group]` lines and `key=value` lines (the format of `GKeyFile`).

use zeroize::Zeroizing;

/// A parsed key file. Lines that are neither group, entry, comment nor blank are kept apart.
#[derive(Debug, Default)]
pub struct KeyFile {
    /// Groups in the order of the file; a name may come twice.
    pub groups: Vec<Group>,
    /// Line numbers (1 is the first) of lines that could not be understood.
    pub strange_lines: Vec<u64>,
}

/// A group.
#[derive(Debug)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its entries in the order of the file.
    pub entries: Vec<Entry>,
}

/// An entry.
pub struct Entry {
    /// The part before the first `=`.
    pub key: String,
    /// The part after it; may be a secret.
    pub value: Zeroizing<String>,
    /// Its line, 1 is the first.
    pub line: u64,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Entry({}, line {}, {} characters)", self.key, self.line, self.value.len())
    }
}

impl KeyFile {
    /// Whether the first line of content is a group (`[name]`).
    pub fn looks_like(head: &[u8]) -> bool {
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        let first = head.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).find(|line| !line.is_empty() && line[0] != b'#');
        first.is_some_and(|line| line.len() > 2 && line.starts_with(b"[") && line.ends_with(b"]") && !line.contains(&b'{'))
    }

    /// Reads all lines; invalid UTF-8 is replaced, so that only the damaged entry suffers.
    pub fn parse(bytes: &[u8]) -> Self {
        let mut file = Self::default();
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        for (number, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
            let number = number as u64 + 1;
            let line = Zeroizing::new(String::from_utf8_lossy(line.trim_ascii()).into_owned());
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                file.groups.push(Group { name: name.to_owned(), entries: Vec::new() });
            } else if let (Some((key, value)), Some(group)) = (line.split_once('='), file.groups.last_mut()) {
                let value = Zeroizing::new(value.trim_start().to_owned());
                group.entries.push(Entry { key: key.trim_end().to_owned(), value, line: number });
            } else {
                file.strange_lines.push(number);
            }
        }
        file
    }

    /// The first group with this name.
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.name == name)
    }
}

impl Group {
    /// The last entry with this key: as GLib does, a later one replaces an earlier one.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| entry.key == key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_equals_signs() {
        let file = KeyFile::parse(b"\xef\xbb\xbf# note\r\n[a@b]\r\n12=QUJD==\r\n\r\nnonsense\n[c]\nx = y\n");
        assert_eq!(file.groups.len(), 2);
        assert_eq!(file.groups[0].name, "a@b");
        assert_eq!(file.groups[0].entries[0].value.as_str(), "QUJD==");
        assert_eq!(file.groups[0].entries[0].line, 3);
        assert_eq!(file.group("c").and_then(|group| group.get("x")).map(|entry| entry.value.as_str()), Some("y"));
        assert_eq!(file.strange_lines, [5]);
    }

    #[test]
    fn only_files_that_begin_with_a_group_look_like_key_files() {
        assert!(KeyFile::looks_like(b"\n# c\n[identity]\n"));
        assert!(!KeyFile::looks_like(b"[{\"a\":1}]"));
        assert!(!KeyFile::looks_like(b"12:00:00 [x]\n"));
        assert!(!KeyFile::looks_like(b""));
    }
}
