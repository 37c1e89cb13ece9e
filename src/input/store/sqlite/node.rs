//! A page of a b-tree: where it points to.
//! Source: "B-tree Pages" and "Cell Payload Overflow Pages", sqlite.org/fileformat2.html.

use std::ops::Range;

/// A page of a b-tree.
#[derive(Debug, Default)]
pub struct Node {
    /// It has no children.
    pub leaf: bool,
    /// Its cells, in their order. Those that leave the page are passed over.
    pub cells: Vec<Cell>,
    /// Where the number of its last child stands.
    pub last_child: Option<usize>,
}

/// A cell: a row, or a key between two children.
#[derive(Debug)]
pub struct Cell {
    /// All of it that is on this page.
    whole: Range<usize>,
    /// Where the number of the child before it stands.
    pub child: Option<usize>,
    /// Length of its content.
    pub length: u64,
    /// The content that is on this page.
    pub local: Range<usize>,
    /// Where the number of the page with more of its content stands.
    pub overflow: Option<usize>,
}

impl Node {
    /// Reads a page of which `usable` bytes are used. On the first page of a file the database's header comes
    /// first. `None` if it is no page of a b-tree.
    pub fn read(page: &[u8], is_first: bool, usable: usize) -> Option<Self> {
        let start = if is_first { super::image::HEADER } else { 0 };
        let (leaf, is_table) = match page.get(start)? {
            2 => (false, false),
            5 => (false, true),
            10 => (true, false),
            13 => (true, true),
            _ => return None,
        };
        let (last_child, pointers) = if leaf { (None, start + 8) } else { (Some(start + 8), start + 12) };
        let count = be16(page, start + 3)?;
        let cells = (0..count).filter_map(|index| Cell::read(page, be16(page, pointers + 2 * index)?, leaf, is_table, usable));
        Some(Self { leaf, cells: cells.collect(), last_child })
    }

    /// Where the numbers of its children stand, in the order of their rows.
    pub fn children(&self) -> impl Iterator<Item = usize> {
        self.cells.iter().filter_map(|cell| cell.child).chain(self.last_child)
    }

    /// Where all numbers of other pages stand. On a damaged page one cell may lie over another: numbers in
    /// bytes that belong to both are left out, since they may be a sound row's content.
    pub fn links(&self, page: &[u8]) -> Vec<usize> {
        let shared = self.shared(page);
        let links = self.cells.iter().flat_map(|cell| cell.child.into_iter().chain(cell.overflow));
        links.filter(|&at| !shared[at..at + 4].contains(&true)).chain(self.last_child).collect()
    }

    /// For each byte of the page whether it belongs to several cells.
    pub fn shared(&self, page: &[u8]) -> Vec<bool> {
        let mut cells: Vec<&Range<usize>> = self.cells.iter().map(|cell| &cell.whole).collect();
        cells.sort_by_key(|cell| cell.start);
        cells.dedup();
        let mut change = vec![0i32; page.len() + 1];
        for cell in cells {
            change[cell.start] += 1;
            change[cell.end] -= 1;
        }
        let owners = change.iter().scan(0, |owners, change| {
            *owners += change;
            Some(*owners > 1)
        });
        owners.collect()
    }
}

impl Cell {
    fn read(page: &[u8], start: usize, leaf: bool, is_table: bool, usable: usize) -> Option<Self> {
        let child = (!leaf).then_some(start);
        let content = if leaf { start } else { start + 4 };
        if !leaf && is_table {
            // Only a row number, which is of no use here.
            let whole = start..varint(page, content)?.1;
            return Some(Self { whole, child, length: 0, local: 0..0, overflow: None });
        }
        let (length, mut at) = varint(page, content)?;
        if is_table {
            at = varint(page, at)?.1;
        }
        let on_page = local_length(length, is_table, usable);
        let local = at..at.checked_add(on_page)?;
        let overflow = ((on_page as u64) < length).then_some(local.end);
        let whole = start..overflow.map_or(local.end, |at| at + 4);
        page.get(whole.clone())?;
        Some(Self { whole, child, length, overflow, local })
    }
}

/// How much of a cell's content is on its own page: the names P, U, X, M and K are those of the source.
fn local_length(p: u64, is_table: bool, u: usize) -> usize {
    let m = (u - 12) * 32 / 255 - 23;
    let x = if is_table { u - 35 } else { (u - 12) * 64 / 255 - 23 };
    if p <= x as u64 {
        return p as usize;
    }
    let k = m + ((p - m as u64) % (u as u64 - 4)) as usize;
    if k <= x { k } else { m }
}

/// A number of one to nine bytes and the place behind it.
pub fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut number = 0u64;
    for index in 0..8 {
        let byte = *bytes.get(at + index)?;
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, at + index + 1));
        }
    }
    Some((number << 8 | u64::from(*bytes.get(at + 8)?), at + 9))
}

fn be16(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?])))
}
