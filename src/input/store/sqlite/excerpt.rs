//! An excerpt of a database: a small database with the table list and only some tables of a large one. Its
//! pages are copies; their numbers are new, in the same order, so a new one is never larger than the old one
//! and fits where that stood. What leads to a page that is not there leads to page 0, which SQLite takes for
//! damage when it gets there.
//!
//! SQLite itself reads the rows: only the tree's own numbers are looked at here. Any bytes end somewhere: no
//! page is gone through twice, and there are at most as many as fit into a number of bytes.

use super::image::{self, be32};
use super::node::{Cell, Node, varint};
use super::pages::Pages;
use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

/// Largest table list with the first pages of its tables. A client has some dozen tables.
const MAX_SCHEMA: u64 = 16 * 1024 * 1024;

/// Steps from page to page for table names that do not fit on one page.
const MAX_NAME_STEPS: u32 = 100_000;

/// The longest header of a record's first four columns.
const MAX_RECORD_HEADER: u64 = 5 * 9;

/// Pages of a database that are kept.
#[derive(Clone)]
pub struct Excerpt {
    kept: BTreeMap<u32, Page>,
    bytes: u64,
    usable: usize,
    /// Pages of the large database.
    count: u32,
    roots: Vec<Root>,
    /// Entries of the table list lie over each other, so that it is not known where their tables begin.
    pub list_is_muddled: bool,
}

#[derive(Clone)]
struct Page {
    bytes: Rc<[u8]>,
    /// Where the numbers of other pages stand.
    links: Rc<[usize]>,
}

/// A table's first page, and the bytes of the table list where its number stands: page and place.
#[derive(Clone)]
struct Root {
    number: u32,
    bytes: Vec<(u32, usize)>,
}

/// How much of a tree was kept.
pub struct Extent {
    /// Rows, counted from the last one.
    pub rows: u64,
    /// Nothing was left out for its size.
    pub complete: bool,
    leaves: Vec<u32>,
}

impl Excerpt {
    /// The table list and the first page of every table and index. Error: one sentence.
    pub fn of_schema(pages: &mut Pages) -> Result<Self, String> {
        let mut excerpt =
            Self { kept: BTreeMap::new(), bytes: 0, usable: 0, count: pages.count(), roots: Vec::new(), list_is_muddled: false };
        let first = pages.read(1);
        excerpt.usable = image::usable(&first, first.len()).unwrap_or(first.len());
        let extent = excerpt.keep_trees(pages, vec![1], u64::MAX, MAX_SCHEMA);
        excerpt.find_roots(&extent.leaves)?;
        for root in excerpt.roots.clone() {
            excerpt.keep_node(pages, root.number);
            if !extent.complete || excerpt.bytes > MAX_SCHEMA {
                return Err("its table list is longer than any client's".into());
            }
        }
        Ok(excerpt)
    }

    /// The numbers that its pages have in the large database, in their order.
    pub fn numbers(&self) -> Vec<u32> {
        self.kept.keys().copied().collect()
    }

    /// Keeps the pages of tables or indexes, given by their first pages, from the last row on, until there are
    /// enough rows or too many bytes.
    pub fn keep_trees(&mut self, pages: &mut Pages, roots: Vec<u32>, enough_rows: u64, most_bytes: u64) -> Extent {
        let limit = self.bytes.saturating_add(most_bytes);
        let mut extent = Extent { rows: 0, complete: true, leaves: Vec::new() };
        let mut waiting = roots;
        let mut seen = HashSet::new();
        while let Some(number) = waiting.pop().filter(|_| extent.rows < enough_rows) {
            if !seen.insert(number) {
                continue;
            }
            let Some((node, page)) = self.keep_node(pages, number) else { continue };
            for cell in &node.cells {
                self.keep_overflow(pages, &page, cell, limit);
            }
            if self.bytes > limit {
                extent.complete = false;
                break;
            }
            if node.leaf {
                extent.rows += node.cells.len() as u64;
                extent.leaves.push(number);
            }
            // The last one is taken next.
            waiting.extend(node.children().filter_map(|at| be32(&page, at)));
        }
        extent
    }

    fn keep_node(&mut self, pages: &mut Pages, number: u32) -> Option<(Node, Rc<[u8]>)> {
        if !valid(pages, number) {
            return None;
        }
        let bytes = self.kept.get(&number).map_or_else(|| pages.read(number).into(), |page| page.bytes.clone());
        let node = Node::read(&bytes, number == 1, self.usable);
        let links = node.as_ref().map(|node| node.links(&bytes)).unwrap_or_default();
        self.keep(number, &bytes, links.into());
        // A damaged page is kept as it is: SQLite shall say what is wrong with it.
        Some((node.unwrap_or_default(), bytes))
    }

    fn keep_overflow(&mut self, pages: &mut Pages, page: &[u8], cell: &Cell, limit: u64) {
        let mut next = cell.overflow.and_then(|at| be32(page, at)).unwrap_or_default();
        let more = (cell.length - cell.local.len() as u64).div_ceil(self.usable as u64 - 4);
        for _ in 0..more {
            // Pages that are there already: content that leads in circles.
            if !valid(pages, next) || self.kept.contains_key(&next) || self.bytes > limit {
                return;
            }
            let bytes: Rc<[u8]> = pages.read(next).into();
            self.keep(next, &bytes, [0].into());
            next = be32(&bytes, 0).unwrap_or_default();
        }
    }

    fn keep(&mut self, number: u32, bytes: &Rc<[u8]>, links: Rc<[usize]>) {
        if !self.kept.contains_key(&number) {
            self.bytes += bytes.len() as u64;
            self.kept.insert(number, Page { bytes: bytes.clone(), links });
        }
    }

    /// Finds where the table list names first pages: the fourth column of its rows.
    fn find_roots(&mut self, leaves: &[u32]) -> Result<(), String> {
        let mut steps = 0;
        for &leaf in leaves {
            let page = self.kept[&leaf].bytes.clone();
            let node = Node::read(&page, leaf == 1, self.usable).unwrap_or_default();
            let shared = node.shared(&page);
            for cell in &node.cells {
                if let Some(root) = self.root(leaf, cell, &mut steps) {
                    if root.bytes.iter().any(|&(page, at)| page == leaf && shared[at]) {
                        self.list_is_muddled = true;
                    } else {
                        self.roots.push(root);
                    }
                }
                if steps > MAX_NAME_STEPS {
                    return Err("the names in its table list are longer than any client's".into());
                }
            }
        }
        Ok(())
    }

    fn root(&self, leaf: u32, cell: &Cell, steps: &mut u32) -> Option<Root> {
        let mut places = |from: u64, to: u64| -> Vec<(u32, usize)> {
            (from..to.min(cell.length)).map_while(|at| self.place(leaf, cell, at, steps)).collect()
        };
        let byte = |&(page, at): &(u32, usize)| self.kept[&page].bytes[at];
        let header: Vec<u8> = places(0, MAX_RECORD_HEADER).iter().map(byte).collect();
        let (mut start, mut at) = varint(&header, 0)?;
        let mut column = || {
            let (kind, after) = varint(&header, at)?;
            at = after;
            Some((kind, column_length(kind)))
        };
        for _ in 0..3 {
            start = start.checked_add(column()?.1)?;
        }
        let (kind, length) = column()?;
        let bytes = places(start, start.checked_add(length.min(8))?);
        let number = bytes.iter().fold(0u64, |number, place| number << 8 | u64::from(byte(place)));
        // Whatever else it is, no table begins there.
        let number = u32::try_from(number).ok().filter(|_| (1..=6).contains(&kind) && bytes.len() as u64 == length);
        (!bytes.is_empty()).then(|| Root { number: number.unwrap_or_default(), bytes })
    }

    /// Where a byte of a cell's content stands.
    fn place(&self, leaf: u32, cell: &Cell, at: u64, steps: &mut u32) -> Option<(u32, usize)> {
        let Some(beyond) = at.checked_sub(cell.local.len() as u64) else { return Some((leaf, cell.local.start + at as usize)) };
        let on_page = self.usable as u64 - 4;
        let mut number = be32(&self.kept[&leaf].bytes, cell.overflow?)?;
        for _ in 0..beyond / on_page {
            *steps += 1;
            number = be32(&self.kept.get(&number).filter(|_| *steps <= MAX_NAME_STEPS)?.bytes, 0)?;
        }
        self.kept.contains_key(&number).then_some((number, 4 + (beyond % on_page) as usize))
    }

    /// The bytes of the small database.
    pub fn bytes(&self) -> Vec<u8> {
        let numbers = self.numbers();
        let renumber = |old: u32| numbers.binary_search(&old).map_or(0, |index| index as u32 + 1);
        let mut bytes = Vec::with_capacity(self.bytes as usize);
        for page in self.kept.values() {
            let start = bytes.len();
            bytes.extend_from_slice(&page.bytes);
            for &at in page.links.iter() {
                // What no page has stays what it is: damage that may be another row's content.
                if let Some(old) = be32(&page.bytes, at).filter(|&old| old <= self.count) {
                    bytes[start + at..start + at + 4].copy_from_slice(&renumber(old).to_be_bytes());
                }
            }
        }
        for root in self.roots.iter().filter(|root| root.number <= self.count) {
            let number = u64::from(renumber(root.number)).to_be_bytes();
            for (&(page, at), byte) in root.bytes.iter().zip(&number[8 - root.bytes.len()..]) {
                let page = renumber(page) as usize - 1;
                bytes[page * self.kept[&1].bytes.len() + at] = *byte;
            }
        }
        let mut set = |at: usize, number: u32| {
            if let Some(place) = bytes.get_mut(at..at + 4) {
                place.copy_from_slice(&number.to_be_bytes());
            }
        };
        set(28, numbers.len() as u32);
        // The size counts only where these two are equal.
        set(24, 0);
        set(92, 0);
        // No free pages, and no pages with the way back, which would stand at certain numbers.
        for at in [32, 36, 52, 64] {
            set(at, 0);
        }
        bytes
    }
}

/// Whether the database has this page.
fn valid(pages: &Pages, number: u32) -> bool {
    (1..=pages.count()).contains(&number)
}

/// Bytes of a column by its serial type.
fn column_length(kind: u64) -> u64 {
    match kind {
        1..=4 => kind,
        5 => 6,
        6 | 7 => 8,
        12.. => (kind - 12) / 2,
        _ => 0,
    }
}
