//! What verdicts say, kept once: a thousand messages of one device that fail alike say the same words, so
//! the memory for words grows with the devices and causes, not with the messages.

use crate::model::MessageVerdict;
use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

/// The words said so far.
#[derive(Debug, Default)]
pub struct Phrases {
    sentences: HashSet<Arc<str>>,
    lists: HashSet<Arc<[String]>>,
}

impl Phrases {
    /// Lets a verdict share its words with those before it.
    pub fn share(&mut self, verdict: &mut MessageVerdict) {
        one(&mut self.sentences, &mut verdict.sentence);
        verdict.evidence.iter_mut().for_each(|evidence| one(&mut self.sentences, &mut evidence.says));
        verdict.evidence.shrink_to_fit();
        one(&mut self.lists, &mut verdict.remedy);
        one(&mut self.lists, &mut verdict.open_questions);
    }
}

/// Puts the known one in place of an equal one.
fn one<T: Clone + Eq + Hash>(known: &mut HashSet<T>, word: &mut T) {
    match known.get(word) {
        Some(same) => *word = same.clone(),
        None => {
            known.insert(word.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_words_are_kept_once() {
        let mut known = HashSet::new();
        let mut words: Vec<Arc<str>> = vec!["same".into(), "same".into(), "other".into()];
        words.iter_mut().for_each(|word| one(&mut known, word));
        assert!(Arc::ptr_eq(&words[0], &words[1]));
        assert_eq!(known.len(), 2);
    }
}
