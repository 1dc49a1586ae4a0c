//! The own part of a draw: it follows from the key of this node, and so does whether it can be
//! shown.
//!
//! In scope: the bytes, whether they are those that the city is bound to. Out of scope: binding and
//! showing ([`crate::node::core`]).

use crate::domain::draw::{Randomness, commitment};
use crate::domain::plan::{PlanStage, PlanWord};
use crate::ids::{CityCode, Hash, Position, SubjectId};
use crate::journal::Disk;
use crate::node::plan_look::PlanKey;
use crate::node::reader::Reader;
use crate::store::Store;
use crate::trust::keys::HmacKey;
use crate::view::{self, PlanView, WordSort};

/// Who acts is the own city: its code in six digits is part of what it commits to.
const PIECES: [&[u8]; 2] = [b"draw, first half", b"draw, second half"];

/// The own part of a draw: 32 bytes that nobody can work out without the key of this node, the same
/// whenever they are asked for. So nothing is lost that was committed to, as long as the key is
/// there, and nothing has to be kept secret but the key.
#[must_use]
pub fn own_random(
    key: &HmacKey,
    (plan, revision, attempt): (SubjectId, Position, u32),
    city: CityCode,
) -> Randomness {
    let mut random = [0; 32];
    let (index, attempt) = (revision.index.to_be_bytes(), attempt.to_be_bytes());
    let city = city.as_u32().to_be_bytes();
    for (half, piece) in random.chunks_exact_mut(16).zip(PIECES) {
        let fields: [&[u8]; 6] =
            [piece, plan.as_bytes(), revision.log.as_bytes(), &index, &attempt, &city];
        half.copy_from_slice(key.tag(&fields).as_bytes());
    }
    random
}

impl<D: Disk, S: Store> Reader<D, S> {
    /// Whether the own city is bound to a part of a draw that this node cannot show: its key was
    /// another one then.
    #[must_use]
    pub fn cannot_show(&self, key: PlanKey, found: &PlanView, own: CityCode) -> bool {
        let plan = &found.plan;
        let is_lost = |attempt: u32, bound: Hash| {
            let random = own_random(self.key(), (key.1, plan.at, attempt), own);
            commitment(key.1, plan.revision, own, &random) != bound
        };
        let attempt = plan.resting.attempt;
        let next = attempt.saturating_add(1);
        let mut bound = None;
        let sort = (WordSort::Commitment, own);
        view::plan_words(&self.in_pieces(), key, sort, Some(plan.at), &mut |spoken| {
            if let PlanWord::DrawCommitted { attempt, commitment } = spoken.act.word {
                bound = Some((attempt, commitment));
            }
            false
        });
        let ahead = bound.filter(|(attempt, _)| *attempt == next);
        match (plan.stage, ahead) {
            (PlanStage::Summarized | PlanStage::Cancelled, _) => false,
            (_, Some((attempt, bound))) => is_lost(attempt, bound),
            (PlanStage::Open, None) => false,
            (PlanStage::Scheduled | PlanStage::Executing, None) => {
                let bound = plan.resting.commitments.get(&own);
                !found.heard.revealed.contains(&own) && bound.is_some_and(|b| is_lost(attempt, *b))
            }
        }
    }
}
