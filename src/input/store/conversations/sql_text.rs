//! The SQL text of version 1 backups. It comes from a stranger, so it is never given to SQLite: only
//! `INSERT INTO table(columns) VALUES(...),(...);` with plain values is understood, anything else is passed over.

use super::tables::wanted;
use std::collections::HashMap;
use std::io::{BufRead, Bytes};
use zeroize::Zeroizing;

/// Longest word outside quotes: names of tables and columns, numbers.
const MAX_WORD: usize = 256;

/// Longest quoted value: session records stay far below.
const MAX_VALUE: usize = 16 * 1024 * 1024;

/// Columns of a table at most; Android's SQLite allows 2000.
const MAX_COLUMNS: usize = 2000;

type Values = HashMap<String, Zeroizing<String>>;

/// A piece of SQL.
#[derive(Debug, PartialEq, Eq)]
enum Token {
    /// A bare word or number.
    Word(String),
    /// A quoted text.
    Text(Zeroizing<String>),
    /// `(`, `)`, `,`, `;` or another sign.
    Sign(u8),
}

/// Reads all rows of the wanted tables.
pub fn read(reader: impl BufRead, row: &mut dyn FnMut(&str, Values)) -> Result<(), String> {
    let mut tokens = Tokens { bytes: reader.bytes(), ahead: None, read: 0, ended: false };
    while let Some(token) = tokens.next()? {
        let insert = matches!(&token, Token::Word(word) if word.eq_ignore_ascii_case("INSERT"));
        if token == Token::Sign(b';') {
            continue;
        }
        if !insert || !statement(&mut tokens, row)? {
            tokens.skip_statement()?;
        }
    }
    Ok(())
}

/// The rest of an INSERT, up to and with its `;`. False if it has another shape: then it is to be skipped.
fn statement<R: BufRead>(tokens: &mut Tokens<R>, row: &mut dyn FnMut(&str, Values)) -> Result<bool, String> {
    if !tokens.word("INTO")? {
        return Ok(false);
    }
    let Some(table) = tokens.name()? else { return Ok(false) };
    // `cheogram.messages` and the like belong to another file.
    let Some(columns_wanted) = wanted(&table) else { return Ok(false) };
    if !tokens.sign(b'(')? {
        return Ok(false);
    }
    let mut columns = Vec::new();
    loop {
        let Some(column) = tokens.name()? else { return Ok(false) };
        columns.push(column);
        if columns.len() > MAX_COLUMNS {
            return Err(format!("table {table} has more than {MAX_COLUMNS} columns"));
        }
        match tokens.next()? {
            Some(Token::Sign(b',')) => {}
            Some(Token::Sign(b')')) => break,
            _ => return Ok(false),
        }
    }
    if !tokens.word("VALUES")? {
        return Ok(false);
    }
    loop {
        if !tokens.sign(b'(')? {
            return Ok(false);
        }
        let mut values = Values::new();
        let mut index = 0;
        loop {
            let value = match tokens.next()? {
                Some(Token::Text(text)) => Some(text),
                Some(Token::Word(word)) if word.eq_ignore_ascii_case("NULL") => None,
                Some(Token::Word(word)) => Some(Zeroizing::new(word)),
                Some(_) => return Ok(false),
                None => return Err("it ends within a row".into()),
            };
            if let (Some(column), Some(value)) = (columns.get(index), value)
                && columns_wanted.contains(&column.as_str())
            {
                values.insert(column.clone(), value);
            }
            index += 1;
            match tokens.next()? {
                Some(Token::Sign(b',')) => {}
                Some(Token::Sign(b')')) => break,
                Some(_) => return Ok(false),
                None => return Err("it ends within a row".into()),
            }
        }
        if index != columns.len() {
            return Err(format!("a row of table {table} has {index} values for {} columns", columns.len()));
        }
        row(&table, values);
        match tokens.next()? {
            Some(Token::Sign(b',')) => {}
            Some(Token::Sign(b';')) | None => return Ok(true),
            _ => return Ok(false),
        }
    }
}

struct Tokens<R> {
    bytes: Bytes<R>,
    ahead: Option<u8>,
    read: u64,
    /// The last token was a `;`.
    ended: bool,
}

impl<R: BufRead> Tokens<R> {
    fn byte(&mut self) -> Result<Option<u8>, String> {
        if let Some(byte) = self.ahead.take() {
            return Ok(Some(byte));
        }
        self.read += 1;
        self.bytes.next().transpose().map_err(|error| format!("byte {} of its text: {error}", self.read))
    }

    fn next(&mut self) -> Result<Option<Token>, String> {
        loop {
            let Some(byte) = self.byte()? else { return Ok(None) };
            self.ended = byte == b';';
            return match byte {
                _ if byte.is_ascii_whitespace() => continue,
                b'\'' => self.text().map(Some),
                b'"' | b'`' => self.quoted_name(byte).map(Some),
                _ if is_word(byte) => self.bare(byte).map(Some),
                _ => Ok(Some(Token::Sign(byte))),
            };
        }
    }

    /// After the opening quote; a doubled quote stands for one.
    fn text(&mut self) -> Result<Token, String> {
        let mut text = Zeroizing::new(Vec::new());
        loop {
            match self.byte()? {
                None => return Err("it ends within a text".into()),
                Some(b'\'') => match self.byte()? {
                    Some(b'\'') => text.push(b'\''),
                    other => {
                        self.ahead = other;
                        return Ok(Token::Text(Zeroizing::new(String::from_utf8_lossy(&text).into_owned())));
                    }
                },
                Some(byte) if text.len() < MAX_VALUE => text.push(byte),
                Some(_) => return Err(format!("a text is longer than {} MiB", MAX_VALUE / 1024 / 1024)),
            }
        }
    }

    fn quoted_name(&mut self, quote: u8) -> Result<Token, String> {
        let mut name = Vec::new();
        while let Some(byte) = self.byte()? {
            if byte == quote {
                return Ok(Token::Word(String::from_utf8_lossy(&name).into_owned()));
            }
            if name.len() >= MAX_WORD {
                break;
            }
            name.push(byte);
        }
        Err("a quoted name does not end".into())
    }

    fn bare(&mut self, first: u8) -> Result<Token, String> {
        let mut word = vec![first];
        loop {
            match self.byte()? {
                Some(byte) if is_word(byte) && word.len() < MAX_WORD => word.push(byte),
                Some(byte) if is_word(byte) => return Err(format!("a word is longer than {MAX_WORD} bytes")),
                other => {
                    self.ahead = other;
                    return Ok(Token::Word(String::from_utf8_lossy(&word).into_owned()));
                }
            }
        }
    }

    fn word(&mut self, wanted: &str) -> Result<bool, String> {
        Ok(matches!(self.next()?, Some(Token::Word(word)) if word.eq_ignore_ascii_case(wanted)))
    }

    fn name(&mut self) -> Result<Option<String>, String> {
        Ok(match self.next()? {
            Some(Token::Word(word)) => Some(word),
            _ => None,
        })
    }

    fn sign(&mut self, wanted: u8) -> Result<bool, String> {
        Ok(self.next()? == Some(Token::Sign(wanted)))
    }

    fn skip_statement(&mut self) -> Result<(), String> {
        while !self.ended && self.next()?.is_some() {}
        Ok(())
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'+') || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    type Row = (String, Vec<(String, String)>);

    fn rows(text: &str) -> (Vec<Row>, Result<(), String>) {
        let mut rows = Vec::new();
        let result = read(text.as_bytes(), &mut |table, values| {
            let mut values: Vec<_> = values.into_iter().map(|(column, value)| (column, value.to_string())).collect();
            values.sort();
            rows.push((table.to_owned(), values));
        });
        (rows, result)
    }

    #[test]
    fn values_span_lines_and_hold_quotes_and_semicolons() {
        let (rows, result) = rows(
            "INSERT INTO accounts(uuid,username,password) VALUES('u''1','a;b',NULL);\nATTACH 'x;y' AS z;\n\
             INSERT INTO cheogram.messages(a) VALUES('x),(;'); INSERT INTO prekeys;\ninsert into prekeys(account,id,key) values('u',12,'QUJD\nREVG\n'),('u',-7,NULL);",
        );
        assert_eq!(result, Ok(()));
        let own = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>();
        assert_eq!(
            rows,
            [
                ("accounts".to_owned(), own(&[("username", "a;b"), ("uuid", "u'1")])),
                ("prekeys".to_owned(), own(&[("account", "u"), ("id", "12"), ("key", "QUJD\nREVG\n")])),
                ("prekeys".to_owned(), own(&[("account", "u"), ("id", "-7")])),
            ]
        );
    }

    #[test]
    fn damaged_text_is_an_error_and_keeps_what_stood_before() {
        let (rows_read, result) = rows("INSERT INTO prekeys(account,id) VALUES('u',1),('u");
        assert_eq!(rows_read.len(), 1);
        assert!(result.is_err());
        let (rows_read, result) = rows("INSERT INTO prekeys(account,id) VALUES('u');");
        assert!(rows_read.is_empty() && result.is_err());
    }
}
