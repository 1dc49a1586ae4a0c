//! Restored copies in the world in memory: what is found, what is held back and for how long.

use liandong::api::request::{Command, WriteError, Written};
use liandong::domain::{CaseContribution, CaseMove, CaseState, CaseStep};
use liandong::ids::{AgreementId, SubjectId};
use liandong::log::Head;

use super::world::{City, World, city, today};

const A: usize = 0;
const B: usize = 1;
const C: usize = 2;

fn answer(world: &World, ticket: u64) -> Option<Result<Written, WriteError>> {
    world.answers.get(&ticket).cloned()
}

/// Steps until a write is answered.
fn wait(world: &mut World, ticket: u64) -> Result<Written, WriteError> {
    for _ in 0..400 {
        if let Some(answer) = answer(world, ticket) {
            return answer;
        }
        world.step();
    }
    panic!("no answer to {ticket}");
}

fn steps(world: &mut World, n: usize) {
    for _ in 0..n {
        world.step();
    }
}

fn open(world: &mut World, i: usize, id: &str) -> Result<Written, WriteError> {
    let agreement = world.agreements[0].0;
    let ticket = world.open_case(i, agreement, id, &format!("示例案件 {id}"));
    wait(world, ticket)
}

fn act(
    world: &mut World,
    i: usize,
    subject: SubjectId,
    id: &str,
    mv: CaseMove,
) -> Result<Written, WriteError> {
    let agreement = world.agreements[0].0;
    let cases = world.cases(i, agreement);
    let etag = cases.into_iter().find(|(s, _)| *s == subject).unwrap().1.last_move;
    let command = Command::MoveCase { agreement, subject, etag, mv, parts: Vec::new() };
    let ticket = world.write(i, id, command);
    wait(world, ticket)
}

fn stepped(step: CaseStep) -> CaseMove {
    CaseMove::Stepped { step, effective_on: today() }
}

fn note(
    world: &mut World,
    i: usize,
    agreement: AgreementId,
    subject: SubjectId,
    id: &str,
) -> Result<Written, WriteError> {
    let contribution = CaseContribution::NoteAdded;
    let ticket = world.write(
        i,
        id,
        Command::Contribute { agreement, subject, contribution, parts: Vec::new() },
    );
    wait(world, ticket)
}

fn city_of(world: &World, i: usize) -> &City {
    &world.cities[i]
}

/// A has a case all know, offers it to B in a part of its log that a backup lacks.
/// Returns the world and the case; A is down, its disk is the backup's.
fn offered_and_restored(n: usize) -> (World, SubjectId) {
    let members: Vec<usize> = (0..n).collect();
    let mut world = World::new(11, n, &[&members]);
    let case = open(&mut world, A, "one").unwrap().subject.unwrap();
    act(&mut world, A, case, "verify", stepped(CaseStep::VerificationStarted)).unwrap();
    steps(&mut world, 60);
    let backup = world.backup(A);
    let to = city_of(&world, B).code;
    let offer = CaseMove::TransferOffered { to, effective_on: today() };
    act(&mut world, A, case, "offer", offer).unwrap();
    steps(&mut world, 100);
    world.restore(A, &backup);
    (world, case)
}

#[test]
fn a_restored_log_stays_held_after_its_entries_came_back() {
    let (mut world, _) = offered_and_restored(2);
    let log = world.cities[A].log(0);
    let known = world.head_at(B, log).unwrap();
    world.start(A);
    assert!(world.head_at(A, log).unwrap().size < known.size);
    assert_eq!(open(&mut world, A, "two"), Err(WriteError::EpochNeeded));
    steps(&mut world, 200);
    assert_eq!(world.head_at(A, log), Some(known), "fetched back");
    assert_eq!(open(&mut world, A, "three"), Err(WriteError::EpochNeeded));
    // Nothing is behind any more, and still it is an older copy.
    world.crash(A);
    world.start(A);
    assert_eq!(open(&mut world, A, "four"), Err(WriteError::EpochNeeded));
    // The next epoch begins where the old log was found to end, and knows its requests.
    world.new_epoch(A, 0);
    let again = open(&mut world, A, "one").unwrap();
    assert!(again.replayed);
    open(&mut world, A, "five").unwrap();
    world.crash(A);
    world.start(A);
    open(&mut world, A, "six").unwrap();
    assert_eq!(world.head_at(A, log), Some(known), "the old log has not grown");
}

#[test]
fn what_comes_back_of_a_first_try_changes_no_answer() {
    let mut world = World::new(12, 2, &[&[A, B]]);
    open(&mut world, A, "one").unwrap();
    let backup = world.backup(A);
    let first = open(&mut world, A, "twice").unwrap();
    steps(&mut world, 100);
    world.restore(A, &backup);
    world.cut(A, B);
    world.start(A);
    world.new_epoch(A, 0);
    // The caller has heard nothing, and tries again.
    let second = open(&mut world, A, "twice").unwrap();
    assert_ne!(first.position.log, second.position.log);
    world.heal();
    steps(&mut world, 200);
    assert!(world.holds(A, first.position), "the first try has come back");
    for _ in 0..2 {
        let again = open(&mut world, A, "twice").unwrap();
        assert_eq!((again.position, again.replayed), (second.position, true));
        world.stop_and_start(A);
    }
}

#[test]
fn moves_wait_for_every_member_openings_do_not() {
    let (mut world, case) = offered_and_restored(3);
    // Only C can be reached, and it never got the offer... but it may have: it must say so.
    world.crash(B);
    world.crash(C);
    world.start(A);
    assert_eq!(open(&mut world, A, "two"), Err(WriteError::EpochNeeded));
    world.new_epoch(A, 0);
    let agreement = world.agreements[0].0;
    let fresh = open(&mut world, A, "three").unwrap().subject.unwrap();
    act(&mut world, A, fresh, "fresh", stepped(CaseStep::VerificationStarted)).unwrap();
    note(&mut world, A, agreement, case, "note").unwrap();
    let dismissed = stepped(CaseStep::ClueDismissed);
    let both = vec![city(130_400), city(410_900)];
    let refused = act(&mut world, A, case, "d1", dismissed.clone());
    assert_eq!(refused, Err(WriteError::Recovering { waiting_for: both }));
    world.start(C);
    steps(&mut world, 200);
    // C had the offer too: it was fetched from there, and B is still waited for.
    let refused = act(&mut world, A, case, "d2", dismissed.clone());
    assert_eq!(refused, Err(WriteError::Recovering { waiting_for: vec![city(130_400)] }));
    // What a member has shown is not forgotten.
    world.crash(C);
    world.crash(A);
    world.start(A);
    let refused = act(&mut world, A, case, "d3", dismissed.clone());
    assert_eq!(refused, Err(WriteError::Recovering { waiting_for: vec![city(130_400)] }));
    // B alone comes back and accepts; then A follows.
    world.crash(A);
    world.start(B);
    let accept = CaseMove::TransferAccepted { effective_on: today() };
    act(&mut world, B, case, "accept", accept).unwrap();
    world.start(A);
    world.start(C);
    steps(&mut world, 300);
    let refused = act(&mut world, A, case, "d4", dismissed);
    assert!(matches!(refused, Err(WriteError::Refused(_))), "{refused:?}");
    for i in [A, B, C] {
        let cases = world.cases(i, agreement);
        let view = &cases.iter().find(|(s, _)| *s == case).unwrap().1;
        assert_eq!(view.case.state, CaseState::TransferAccepted);
        assert_eq!((view.case.handling, view.misfit_count), (city(130_400), 0));
        assert_eq!(world.fold_hash(i, agreement), world.fold_hash(A, agreement));
    }
}

#[test]
fn an_override_names_members_and_outlives_a_restart() {
    let (mut world, case) = offered_and_restored(3);
    world.crash(B);
    world.crash(C);
    world.start(A);
    world.new_epoch(A, 0);
    let agreement = world.agreements[0].0;
    let go_on = |cities| Command::OverrideRecovery { agreement, cities, text: "停机".to_owned() };
    let ticket = world.write(A, "o1", go_on(vec![city(130_400)]));
    wait(&mut world, ticket).unwrap();
    let dismissed = stepped(CaseStep::ClueDismissed);
    let refused = act(&mut world, A, case, "d1", dismissed.clone());
    assert_eq!(refused, Err(WriteError::Recovering { waiting_for: vec![city(410_900)] }));
    let ticket = world.write(A, "o2", go_on(vec![city(410_900)]));
    wait(&mut world, ticket).unwrap();
    world.crash(A);
    world.start(A);
    act(&mut world, A, case, "d2", dismissed).unwrap();
    // Nothing waits any more: there is nothing to override.
    let ticket = world.write(A, "o3", go_on(vec![city(410_900)]));
    assert!(matches!(wait(&mut world, ticket), Err(WriteError::BadField { .. })));
    world.start(B);
    world.start(C);
    steps(&mut world, 300);
    let hashes: Vec<_> = [A, B, C].map(|i| world.fold_hash(i, agreement)).into();
    assert!(hashes.windows(2).all(|w| w[0] == w[1]), "all see the same, whatever came of it");
}

#[test]
fn a_lost_guard_and_a_lost_folder_are_found() {
    let (mut world, _) = offered_and_restored(2);
    world.lose_guard(A);
    world.cut(A, B);
    world.start(A);
    assert_eq!(open(&mut world, A, "two"), Err(WriteError::EpochNeeded));
    // The whole folder is gone; the notes are handed in again, the guard knows the log.
    let mut world = World::new(12, 2, &[&[A, B]]);
    open(&mut world, A, "one").unwrap();
    steps(&mut world, 60);
    world.restore(A, &liandong::journal::MemDisk::new());
    world.start_anew(A);
    assert_eq!(open(&mut world, A, "two"), Err(WriteError::EpochNeeded));
    world.new_epoch(A, 0);
    open(&mut world, A, "three").unwrap();
}

#[test]
fn without_a_guard_entry_a_member_still_tells() {
    let mut world = World::new(13, 2, &[&[A, B]]);
    open(&mut world, A, "one").unwrap();
    steps(&mut world, 60);
    let backup = world.backup(A);
    let guard = world.guard(A);
    open(&mut world, A, "two").unwrap();
    steps(&mut world, 60);
    // Guard and folder both come from the same old copy: only B knows better.
    world.restore(A, &backup);
    world.set_guard(A, guard);
    world.start(A);
    let ticket = world.open_case(A, world.agreements[0].0, "three", "示例案件");
    assert_eq!(wait(&mut world, ticket), Err(WriteError::EpochNeeded));
}

#[test]
fn after_a_start_members_that_may_answer_are_waited_for_and_no_others() {
    let mut world = World::new(14, 2, &[&[A, B]]);
    let agreement = world.agreements[0].0;
    // A new log waits for nobody.
    world.cut(A, B);
    let ticket = world.open_case(A, agreement, "one", "示例案件");
    steps(&mut world, 6);
    assert!(answer(&world, ticket).is_some_and(|a| a.is_ok()));
    // An older one waits while B is silent, for five seconds and no longer.
    world.crash(A);
    world.start(A);
    let ticket = world.open_case(A, agreement, "two", "示例案件");
    steps(&mut world, 90);
    assert_eq!(answer(&world, ticket), None);
    steps(&mut world, 30);
    assert!(answer(&world, ticket).is_some_and(|a| a.is_ok()));
    // A refused dial is an answer, and so is a greeting.
    world.crash(A);
    world.start(A);
    let ticket = world.open_case(A, agreement, "three", "示例案件");
    steps(&mut world, 5);
    assert_eq!(answer(&world, ticket), None);
    world.dial_refused(A, B);
    steps(&mut world, 10);
    assert!(answer(&world, ticket).is_some_and(|a| a.is_ok()));
    world.crash(A);
    world.start(A);
    world.heal();
    let ticket = world.open_case(A, agreement, "four", "示例案件");
    steps(&mut world, 20);
    assert!(answer(&world, ticket).is_some_and(|a| a.is_ok()));
}

#[test]
fn beyond_its_pin_an_old_log_is_taken_only_where_another_city_has_cosigned() {
    let mut world = World::new(15, 3, &[&[A, B, C]]);
    open(&mut world, A, "one").unwrap();
    steps(&mut world, 100);
    // A writes on while nobody hears it, and then says that it goes on elsewhere from before.
    let pinned = world.own_log(A, 0);
    let log = pinned.log;
    world.cut(A, B);
    world.cut(A, C);
    let before = world.backup(A);
    open(&mut world, A, "two").unwrap();
    let alone = world.backup(A);
    world.restore(A, &before);
    world.start(A);
    steps(&mut world, 120);
    world.new_epoch(A, 0);
    open(&mut world, A, "three").unwrap();
    world.heal();
    steps(&mut world, 200);
    assert_eq!(world.head_at(B, log), Some(pinned));
    // The old disk comes back as well: its last entries were seen by nobody.
    world.restore(A, &alone);
    world.start(A);
    steps(&mut world, 300);
    for i in [B, C] {
        assert_eq!(world.head_at(i, log), Some(pinned), "nobody vouches for what came after");
    }
}

/// Both others have shown what they hold of the first log. Then the second one began and is lost, and
/// nobody who has it can be reached. The case, and the head of the first log.
fn second_log_lost() -> (World, SubjectId, Head) {
    let (mut world, case) = offered_and_restored(3);
    let first = world.cities[A].log(0);
    world.start(A);
    steps(&mut world, 300);
    let before = world.backup(A);
    let head = world.head_at(A, first).unwrap();
    world.new_epoch(A, 0);
    open(&mut world, A, "second").unwrap();
    steps(&mut world, 100);
    world.restore(A, &before);
    world.crash(B);
    world.crash(C);
    world.start(A);
    (world, case, head)
}

#[test]
fn a_log_that_only_the_guard_knows_is_asked_for() {
    let (mut world, case, head) = second_log_lost();
    assert_eq!(open(&mut world, A, "lost"), Err(WriteError::EpochNeeded));
    world.new_epoch_after(A, 0, head);
    open(&mut world, A, "third").unwrap();
    let dismissed = stepped(CaseStep::ClueDismissed);
    let both = vec![city(130_400), city(410_900)];
    let refused = act(&mut world, A, case, "d1", dismissed.clone());
    assert_eq!(refused, Err(WriteError::Recovering { waiting_for: both }));
    world.start(B);
    steps(&mut world, 200);
    let refused = act(&mut world, A, case, "d2", dismissed.clone());
    assert_eq!(refused, Err(WriteError::Recovering { waiting_for: vec![city(410_900)] }));
    world.start(C);
    steps(&mut world, 200);
    let refused = act(&mut world, A, case, "d3", dismissed);
    assert!(matches!(refused, Err(WriteError::Refused(_))), "all have answered: {refused:?}");
}

#[test]
fn what_stays_behind_for_ever_is_found_once() {
    // The guard stays ahead.
    let (mut world, _, head) = second_log_lost();
    let feed = world.reader(A).feed_id();
    world.new_epoch_after(A, 0, head);
    open(&mut world, A, "third").unwrap();
    for id in ["fourth", "fifth"] {
        world.stop_and_start(A);
        open(&mut world, A, id).unwrap();
        assert_eq!(world.reader(A).feed_id(), feed, "no order has changed: cursors stay good");
    }
}
