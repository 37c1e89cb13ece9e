//! Broken sessions: what the specification of the variant wants, what the client at hand does, and the least
//! drastic repair.

use super::{Judgement, Scene, rule};
use crate::model::Evidence;
use crate::omemo::Namespace;

/// How the session is broken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// The message does not fit the session.
    DoesNotFit,
    /// There is no session.
    Missing,
}

impl Judgement {
    /// With what the specification wants and what our client does; where it repairs the session by itself,
    /// waiting is the next thing to do.
    pub(super) fn recovery(mut self, scene: &Scene<'_>, broken: Broken) -> Self {
        self = self.all_evidence(scene.outcome.namespace().map(|n| specification(n, broken)));
        let Some((client, healing)) = scene.client().and_then(|c| Some((c, c.healing?))) else { return self };
        self = self.evidence(rule(client.name, healing.says));
        let heals = match broken {
            Broken::DoesNotFit => healing.rebuilds,
            Broken::Missing => healing.builds_missing,
        };
        if heals {
            let wait =
                format!("Wait for the contact's next message: {} on this device begins a new session by itself.", client.name);
            self = self.remedy(wait);
        }
        self
    }
}

/// The rule for a message that does not decrypt.
fn specification(namespace: Namespace, broken: Broken) -> Evidence {
    let (version, says) = match (namespace, broken) {
        (Namespace::Legacy, _) => (
            "XEP-0384 0.3",
            "a key exchange that does not decrypt is answered with a key transport in a new session; any other message is passed over in silence",
        ),
        (Namespace::Omemo1, _) => (
            "XEP-0384 0.4 to 0.7",
            "up to 0.6 a client begins a new session by itself; since 0.7 it tells the user, who may have the session replaced",
        ),
        (Namespace::Omemo2, Broken::DoesNotFit) => {
            ("XEP-0384 0.8", "a client never replaces a session by itself: it tells the user and offers to replace it")
        }
        (Namespace::Omemo2, Broken::Missing) => {
            ("XEP-0384 0.8", "a client without a session should begin one and send an empty message in it")
        }
    };
    rule(version, says)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::store::FORMATS;

    #[test]
    fn automatic_repair_is_only_wanted_where_the_variant_wants_it() {
        let says = |namespace, broken| specification(namespace, broken).says;
        assert!(says(Namespace::Legacy, Broken::DoesNotFit).contains("key transport"));
        assert!(says(Namespace::Omemo1, Broken::DoesNotFit).contains("up to 0.6 a client begins a new session by itself"));
        assert!(says(Namespace::Omemo2, Broken::DoesNotFit).contains("never replaces a session by itself"));
        assert!(says(Namespace::Omemo2, Broken::Missing).contains("should begin one"));
    }

    #[test]
    fn a_client_is_described_by_its_own_name() {
        let mut described = 0;
        for client in FORMATS.iter().map(|f| f.client) {
            let Some(healing) = client.healing else { continue };
            described += 1;
            // Programs that use python-omemo are told about it by its name.
            let name = client.name.split(' ').next().unwrap_or_default();
            assert!([name, "python-omemo"].iter().any(|n| healing.says.contains(n)), "{name}: {}", healing.says);
            assert!(!healing.says.ends_with('.'), "evidence has no full stop: {name}");
        }
        assert!(described > 8, "only {described} clients are described");
    }
}
