//! One session state reads one message (section 3.4 of the Double Ratchet paper, with the libraries' rules).

use super::{
    ChainKey, ChainLookup, Failure, Limits, MAX_FORWARD_JUMP, MessageKey, ReceiverChain, Session, SkippedKey, Step, TurnRule,
};
use crate::omemo::wire::RatchetMessage;
use crate::secret::SecretBytes;

/// Closed chains a replay keeps although the client has dropped their chain keys. Late messages come
/// from the chain before the current one, rarely from older ones.
const RETIRED_CHAINS: usize = 5;

impl Session {
    /// Tries the message; the session itself stays as it is. The step says where the key was looked
    /// for, the key if one could be derived, and the state after the message if it opened.
    ///
    /// After a DH step the next state has no root key and no sending chain: the client draws a new
    /// ratchet key for them that nobody else knows.
    pub fn receive(&self, message: &RatchetMessage, limits: &Limits) -> Step {
        let mut budget = MAX_FORWARD_JUMP;
        self.open(message, limits, &mut budget).0
    }

    /// As [`Session::receive`], with the key material if the message opened. At most `budget` keys are
    /// derived on the way to the message's own; what they cost is taken from it.
    pub(super) fn open(&self, message: &RatchetMessage, limits: &Limits, budget: &mut u32) -> (Step, Option<SecretBytes>) {
        let mut step = Step { lookup: None, message_key: None, skipped: 0, next: None, failure: None };
        let opened = self.try_open(message, limits, budget, &mut step);
        match opened {
            Ok(key_material) => (step, Some(key_material)),
            Err(failure) => {
                step.failure = Some(failure);
                (step, None)
            }
        }
    }

    fn try_open(
        &self,
        message: &RatchetMessage,
        limits: &Limits,
        budget: &mut u32,
        step: &mut Step,
    ) -> Result<SecretBytes, Failure> {
        if message.mac.len() != self.namespace.mac_length() {
            return Err(Failure::OtherVariant);
        }
        let known = self.receiver_chains.iter().position(|chain| chain.ratchet_key == message.ratchet_key);
        let made;
        let chain = match known.and_then(|position| Some((position, self.receiver_chains.get(position)?))) {
            Some((position, chain)) => {
                let skipped = chain.skipped_key(message.counter).is_some();
                step.lookup = Some(ChainLookup::Known { chain: position, index: chain.index(), skipped });
                chain
            }
            None => {
                let (Some(root_key), Some(sender)) = (&self.root_key, &self.sender_chain) else {
                    return Err(Failure::NoRatchetKey);
                };
                step.lookup = Some(ChainLookup::NewStep { ours: sender.ratchet_key.public });
                let (_, chain_key) = root_key.step(self.namespace, &sender.ratchet_key.private, &message.ratchet_key);
                made = ReceiverChain::new(message.ratchet_key, chain_key);
                &made
            }
        };
        let (key, after) = find_key(chain, message.counter, budget, step)?;
        step.message_key = Some(key.clone());

        let candidates = self.associated_data_candidates(true);
        if candidates.is_empty() {
            return Err(Failure::NoAssociatedData);
        }
        if !candidates.iter().any(|data| key.verifies(self.namespace, data, message)) {
            return Err(Failure::Mac);
        }
        let key_material = key.decrypt(self.namespace, message).ok_or(Failure::Padding)?;
        let mut chain = chain.clone();
        match after {
            Some(after) => {
                chain.skip_to(message.counter, limits.skipped_keys);
                chain.chain_key = Some(after);
            }
            None => chain.skipped.retain(|skipped| skipped.counter != message.counter),
        }
        step.next = Some(self.after(known, chain, message.previous_counter, limits));
        Ok(key_material)
    }

    /// The state after a message: `chain` takes its old place, or is a new one after a DH step.
    fn after(&self, known: Option<usize>, chain: ReceiverChain, previous_counter: u32, limits: &Limits) -> Self {
        let mut next = self.clone();
        match known.and_then(|position| next.receiver_chains.get_mut(position)) {
            Some(place) => *place = chain,
            None => {
                next.receiver_chains.push(chain);
                next.turn(previous_counter, limits);
            }
        }
        next.evict(limits);
        next.pending_prekey = None;
        next
    }

    /// What a DH step does to the rest of the state, the new chain being the last one already.
    fn turn(&mut self, previous_counter: u32, limits: &Limits) {
        let sent = self.sender_chain.as_ref().and_then(|chain| chain.chain_key.as_ref()).map_or(0, |key| key.index);
        self.previous_counter = limits.turn.previous_counter(sent);
        self.root_key = None;
        self.root_steps = self.root_steps.map(|steps| steps.saturating_add(2));
        self.sender_chain = None;
        let Some(end) = limits.turn.end_of_chain(previous_counter) else { return };
        let older = self.receiver_chains.len().saturating_sub(1);
        for chain in self.receiver_chains.iter_mut().take(older).filter(|chain| !chain.retired) {
            // More than the limit: the library warns and stores none, but drops the chain all the same.
            let gap = chain.index().map_or(0, |index| end.saturating_sub(index));
            if limits.forward_jump.is_none_or(|limit| gap <= limit) {
                chain.skip_to(end, limits.skipped_keys);
            }
            chain.retired = true;
        }
    }

    /// Drops what the library would drop.
    fn evict(&mut self, limits: &Limits) {
        if limits.turn == TurnRule::FillToLength {
            let mut surplus = match limits.skipped_keys {
                Some(limit) => self.receiver_chains.iter().map(|chain| chain.skipped.len()).sum::<usize>().saturating_sub(limit),
                None => 0,
            };
            for chain in &mut self.receiver_chains {
                let dropped = surplus.min(chain.skipped.len());
                chain.skipped.drain(..dropped);
                surplus -= dropped;
            }
            // The library forgets a closed chain with its last skipped key.
            let retired = self.receiver_chains.len().saturating_sub(RETIRED_CHAINS + 1);
            let mut position = 0;
            self.receiver_chains.retain(|chain| {
                position += 1;
                position > retired || !chain.skipped.is_empty()
            });
            return;
        }
        if let Some(limit) = limits.skipped_keys {
            for chain in &mut self.receiver_chains {
                let surplus = chain.skipped.len().saturating_sub(limit);
                chain.skipped.drain(..surplus);
            }
        }
        let surplus = self.receiver_chains.len().saturating_sub(limits.receiver_chains);
        self.receiver_chains.drain(..surplus);
    }

    /// The key of a message that we sent in the current sending chain: `None` when it belongs to
    /// another chain, lies behind it, or more than [`MAX_FORWARD_JUMP`] ahead.
    pub fn own_message_key(&self, message: &RatchetMessage) -> Option<MessageKey> {
        let chain = self.sender_chain.as_ref().filter(|chain| chain.ratchet_key.public == message.ratchet_key)?;
        let key = chain.chain_key.as_ref()?;
        let ahead = message.counter.checked_sub(key.index)?;
        (ahead <= MAX_FORWARD_JUMP).then(|| key.advance(ahead).message_key())
    }
}

/// The key of a counter: a skipped one, or derived from the chain key; with the latter comes the chain
/// key after it.
fn find_key(
    chain: &ReceiverChain,
    counter: u32,
    budget: &mut u32,
    step: &mut Step,
) -> Result<(MessageKey, Option<ChainKey>), Failure> {
    if let Some(SkippedKey { key, .. }) = chain.skipped_key(counter) {
        return Ok((key.clone(), None));
    }
    let used = Failure::KeyUsed { index: chain.index() };
    let Some(chain_key) = &chain.chain_key else { return Err(used) };
    let Some(ahead) = counter.checked_sub(chain_key.index) else { return Err(used) };
    step.skipped = ahead;
    *budget = budget.checked_sub(ahead).ok_or(Failure::TooFarAhead { ahead })?;
    let at = chain_key.advance(ahead);
    Ok((at.message_key(), Some(at.next())))
}
