use crate::pairs::Pair;
pub const PAIRS: &[Pair] = &[];
