//! The rules of the specification that a capture breaks, at the end of `stanza`.

use super::shared::count;
use super::{Line, Page, page::Look};
use crate::analysis::rules::{Breach, Level};
use serde::Serialize;

/// Breaches that are shown without -v.
const SHOWN: usize = 20;

/// One broken rule.
#[derive(Debug, Serialize)]
pub struct RuleView {
    id: &'static str,
    /// must or should.
    level: &'static str,
    /// What the rule asks.
    rule: &'static str,
    /// What breaks it.
    says: String,
    /// How often.
    times: usize,
    #[serde(rename = "where")]
    place: String,
    stanza_id: Option<String>,
}

impl RuleView {
    /// The view of a breach.
    pub fn new(breach: &Breach) -> Self {
        Self {
            id: breach.rule.id,
            level: breach.rule.level.as_str(),
            rule: breach.rule.says,
            says: breach.says.clone(),
            times: breach.times,
            place: breach.place.to_string(),
            stanza_id: breach.stanza_id().map(str::to_owned),
        }
    }
}

/// Writes the broken MUSTs; the SHOULDs too with -v. Each rule is said once, with what breaks it below.
pub fn rules_text(page: &mut Page, rules: &[RuleView]) {
    let must = |r: &&RuleView| page.verbose() || r.level == Level::Must.as_str();
    let shown: Vec<&RuleView> = rules.iter().filter(must).collect();
    let limit = if page.verbose() { shown.len() } else { SHOWN };
    if shown.is_empty() {
        return;
    }
    page.heading("Rules of XEP-0384 that this capture breaks");
    let mut groups: Vec<(&str, &str, Vec<&RuleView>)> = Vec::new();
    for rule in shown.iter().take(limit) {
        match groups.iter_mut().find(|(_, says, _)| *says == rule.rule) {
            Some((.., group)) => group.push(rule),
            None => groups.push((rule.id, rule.rule, vec![rule])),
        }
    }
    for (id, says, group) in groups {
        page.gap();
        let level = group.first().map_or("must", |r| r.level);
        let look = if level == Level::Must.as_str() { Look::Bad } else { Look::Warning };
        page.hanging(2, 4, Line::new().look(look, id).plain(format!(" ({level})  {says}")));
        for breach in group {
            let times = if breach.times > 1 { format!(", {}", count(breach.times, "time")) } else { String::new() };
            page.bullet(4, Line::new().plain(&breach.says).faint(format!("  [{}{times}]", breach.place)));
        }
    }
    if shown.len() > limit {
        page.line(2, Line::new().faint(format!("and {} more (-v shows them)", shown.len() - limit)));
    }
    let hidden = rules.len() - shown.len();
    if hidden > 0 {
        page.line(2, Line::new().faint(format!("-v also shows what breaks advice (SHOULD): {hidden}.")));
    }
}
