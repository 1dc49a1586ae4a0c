//! Sites of one enterprise in the world in memory: who may part them from it, what counts after a
//! restore, and what a changed credit code frees (nothing).

use bytes::Bytes;
use liandong::api::request::{Command, PartContent, WriteError, Written};
use liandong::domain::site::{
    CheckMode, Listing, ListingStatus, SiteAct, SiteCheck, SiteDraft, SiteFacts, SiteRecord,
    SiteTier,
};
use liandong::domain::{CountyCode, Date, ErasureReason, Event, Medium, Uscc};
use liandong::ids::{AgreementId, Position, SubjectId};
use liandong::limits::SITES_OF_ONE_CODE_MAX;
use liandong::log::{Audience, PartKind, PartSlot, Subject, SubjectKind, subject_id};
use liandong::node::core::Output;
use liandong::sync::{Frame, RawBatch};
use liandong::wire::part::encode_part;

use super::rogue::{About, Author};
use super::stage::{HERE, Stage};
use super::world::{World, city, today};

const A: usize = 0;
const C: usize = 2;
const CODE: &str = "91371522YYYY90011A";
const OTHER_CODE: &str = "91410922YYYY900388";

fn facts(county: u32) -> SiteFacts {
    let county = CountyCode::from_u32(county).unwrap();
    let media = vec![Medium::Water];
    SiteFacts { county, tier: SiteTier::Key, media, permit: None, closed: false }
}

fn record(uscc: &str) -> SiteRecord {
    let draft =
        SiteDraft { name: "示例纸业".into(), uscc: uscc.into(), ..SiteDraft::default() };
    SiteRecord::parse(&draft).unwrap()
}

fn register(agreement: AgreementId, uscc: &str) -> Command {
    let (facts, record) = (facts(371_522), Box::new(record(uscc)));
    Command::RegisterSite { agreement, facts, record, another_plant: true }
}

fn act((agreement, subject): (AgreementId, SubjectId), act: SiteAct) -> Command {
    Command::ActOnSite { agreement, subject, etag: None, act, said: None, another_plant: true }
}

fn check(site: (AgreementId, SubjectId), on: Date) -> Command {
    let (mode, exception, plan) = (CheckMode::OnSite, None, None);
    act(site, SiteAct::Checked(SiteCheck { on, mode, exception, plan, taken_back: false }))
}

fn change(site: (AgreementId, SubjectId), uscc: &str) -> Command {
    let mut command = act(site, SiteAct::Changed { facts: facts(371_522) });
    if let Command::ActOnSite { said, .. } = &mut command {
        *said = Some(PartContent::Site(Box::new(record(uscc))));
    }
    command
}

/// Writes and steps until it is answered.
fn ask(world: &mut World, i: usize, id: &str, command: Command) -> Result<Written, WriteError> {
    let ticket = world.write(i, id, command);
    for _ in 0..400 {
        if let Some(answer) = world.answers.get(&ticket) {
            return answer.clone();
        }
        world.step();
    }
    panic!("no answer to {id}");
}

fn made(world: &mut World, id: &str, command: Command) -> (AgreementId, SubjectId) {
    let agreement = command.agreement();
    (agreement, ask(world, A, id, command).unwrap().subject.unwrap())
}

/// Why it was refused; nothing when it was not.
fn reason(answer: Result<Written, WriteError>) -> String {
    match answer {
        Ok(_) => String::new(),
        Err(WriteError::Refused(refusal)) => refusal.reason().to_owned(),
        Err(other) => format!("{other:?}"),
    }
}

fn steps(world: &mut World, n: usize) {
    (0..n).for_each(|_| world.step());
}

/// Sites that have the code, as the city whose core is real knows them.
fn known(stage: &Stage) -> Vec<SubjectId> {
    let reader = stage.world.reader(HERE);
    let tag = reader.site_tag(&Uscc::parse(CODE).unwrap());
    let (found, partial) = reader.sites_of(city(371_500), tag);
    assert!(!partial);
    found.into_iter().map(|((_, subject), _)| subject).collect()
}

/// A site that another city registers.
fn registered(author: &Author) -> (RawBatch, Position) {
    let bytes = encode_part(&PartContent::Site(Box::new(record(CODE))), [7; 16]);
    let event = Event::SiteRegistered { facts: facts(130_425) };
    let about = About::subject(Subject { kind: SubjectKind::Site, id: None });
    let parts = [(PartKind::Site, Audience::AllMembers, bytes)];
    let entry = author.entry_of(0, &event, about, &parts);
    let at = Position { log: author.log, index: author.frontier.size() };
    (author.batch(vec![entry]), at)
}

fn erasing(author: &Author, entry: Position, part: u32) -> RawBatch {
    let id = Some(subject_id(Position { log: author.log, index: 0 }));
    let event = Event::PartErased { entry, part, reason: ErasureReason::Law };
    author.batch(vec![author.entry(0, &event, About::case(id), &[])])
}

#[test]
fn nobody_else_parts_a_site_from_its_enterprise() {
    let mut stage = Stage::laid(61, 3, &[&[0, 1, 2]]);
    let (mut owner, mut other) = (stage.world.author(1, 0), stage.world.author(2, 0));
    let (link, outside) = (stage.greet(1, &owner), stage.greet(2, &other));
    stage.world.write(HERE, "one", register(stage.world.agreements[0].0, CODE));
    let written = stage.commit().into_iter().find_map(|output| {
        let Output::Written(_, written) = output else { return None };
        Some(written.unwrap())
    });
    let own = written.unwrap();
    let (batch, theirs) = registered(&owner);
    stage.store(link, &mut owner, &batch);
    let both = [own.subject.unwrap(), subject_id(theirs)];
    assert_eq!(known(&stage), both, "the own one first");
    for at in [own.position, theirs] {
        let batch = erasing(&other, at, 0);
        stage.store(outside, &mut other, &batch);
        assert_eq!(known(&stage), both, "it is in the log of another city");
    }
    let batch = erasing(&owner, theirs, 1);
    stage.store(link, &mut owner, &batch);
    assert_eq!(known(&stage), both, "that part is no record");
    let batch = erasing(&owner, theirs, 0);
    stage.store(link, &mut owner, &batch);
    assert_eq!(known(&stage), both[..1]);
    // After its rows were made anew it is the same.
    stage.commit();
    stage.world.crash(HERE);
    stage.world.start(HERE);
    assert_eq!(known(&stage), both[..1]);
}

#[test]
fn a_record_that_comes_late_is_counted() {
    let mut stage = Stage::laid(62, 2, &[&[0, 1]]);
    let mut owner = stage.world.author(1, 0);
    let link = stage.greet(1, &owner);
    let (mut batch, at) = registered(&owner);
    let PartSlot::Bytes(bytes) = batch.entries[0].parts[0].clone() else { panic!() };
    batch.entries[0].parts[0] = PartSlot::ErasedBy(Position { index: 9, ..at });
    stage.store(link, &mut owner, &batch);
    assert_eq!(known(&stage), []);
    let parts: Vec<(u32, Bytes)> = vec![(0, bytes)];
    stage.say(link, Frame::LateParts { entry: at, parts });
    stage.commit();
    for _ in 0..2 {
        assert_eq!(known(&stage), [subject_id(at)]);
        stage.world.crash(HERE);
        stage.world.start(HERE);
    }
}

#[test]
fn a_check_waits_for_what_a_restore_has_lost_in_any_agreement() {
    let mut world = World::new(63, 3, &[&[0, 1], &[0, 2]]);
    let [first, second] = [0, 1].map(|k| world.agreements[k].0);
    let plant = made(&mut world, "p", register(first, CODE));
    ask(&mut world, A, "c1", check(plant, today())).unwrap();
    steps(&mut world, 60);
    let backup = world.backup(A);
    // What the copy lacks: a site in the other agreement, and two checks there.
    let lost = made(&mut world, "l", register(second, CODE));
    for id in ["c2", "c3"] {
        ask(&mut world, A, id, check(lost, today())).unwrap();
    }
    assert_eq!(reason(ask(&mut world, A, "c4", check(plant, today()))), "SITE_CAPPED");
    steps(&mut world, 100);
    world.restore(A, &backup);
    world.cut(A, C);
    world.start(A);
    let waits = Err(WriteError::Recovering { waiting_for: vec![city(410_900)] });
    // No new epoch yet in the other agreement, of which no site is known here.
    assert_eq!(ask(&mut world, A, "c5", check(plant, today())), waits);
    world.new_epoch(A, 1);
    assert_eq!(ask(&mut world, A, "c6", check(plant, today())), waits);
    // A site that is newer than the restore waits as well, though nothing of it is lost.
    let newer = made(&mut world, "n", register(second, CODE));
    assert_eq!(ask(&mut world, A, "c7", check(newer, today())), waits);
    world.heal();
    steps(&mut world, 200);
    for (id, site) in [("c8", plant), ("c9", newer), ("c10", lost)] {
        assert_eq!(reason(ask(&mut world, A, id, check(site, today()))), "SITE_CAPPED", "{id}");
    }
    // Over both epochs the same after a start, whose rows are made anew.
    world.stop_and_start(A);
    assert_eq!(reason(ask(&mut world, A, "c11", check(newer, today()))), "SITE_CAPPED");
}

#[test]
fn a_changed_code_frees_nobody() {
    let mut world = World::new(64, 3, &[&[0, 1], &[0, 2]]);
    let [first, second] = [0, 1].map(|k| world.agreements[k].0);
    let plant = made(&mut world, "p", register(first, CODE));
    let other = made(&mut world, "o", register(second, CODE));
    // Years are told apart by the day of the check, to the day.
    let [old, new] = [(2025, 12, 31), (2026, 1, 1)].map(|(y, m, d)| Date::new(y, m, d).unwrap());
    for (nth, on) in [old, new, old, new, old, new].into_iter().enumerate() {
        let site = [plant, other][nth % 2];
        ask(&mut world, A, &format!("c{nth}"), check(site, on)).unwrap();
    }
    for (id, on) in [("old", old), ("new", new)] {
        assert_eq!(reason(ask(&mut world, A, id, check(plant, on))), "SITE_CAPPED");
    }
    // Its checks stay with the enterprise, and go with it to the new one.
    ask(&mut world, A, "change", change(plant, OTHER_CODE)).unwrap();
    for _ in 0..2 {
        for (id, site, on) in [("a", plant, old), ("b", other, old), ("c", other, new)] {
            assert_eq!(reason(ask(&mut world, A, id, check(site, on))), "SITE_CAPPED", "{id}");
        }
        world.stop_and_start(A);
    }
    ask(&mut world, A, "free", check(plant, new)).unwrap();
    let alone = made(&mut world, "alone", register(second, OTHER_CODE));
    for (id, on, why) in [("d", old, "SITE_CAPPED"), ("e", new, "")] {
        assert_eq!(reason(ask(&mut world, A, id, check(alone, on))), why, "{id}");
    }
    // The code of before is nobody's in that agreement, and may be registered again.
    let mut again = register(first, CODE);
    if let Command::RegisterSite { another_plant, .. } = &mut again {
        *another_plant = false;
    }
    ask(&mut world, A, "again", again).unwrap();
}

#[test]
fn the_positive_list_is_of_enterprises_and_their_plants_are_bounded() {
    let mut world = World::new(65, 3, &[&[0, 1], &[0, 2]]);
    let [first, second] = [0, 1].map(|k| world.agreements[k].0);
    let plant = made(&mut world, "p", register(first, CODE));
    let other = made(&mut world, "o", register(second, CODE));
    let listing = |status, from| {
        let admitted_on = today().plus_days(from).unwrap();
        let expires_on = today().plus_days(400).unwrap();
        let (removed_for, monitoring) = (None, Vec::new());
        SiteAct::Listed(Listing { status, admitted_on, expires_on, removed_for, monitoring })
    };
    let active = |from| act(other, listing(ListingStatus::Active, from));
    ask(&mut world, A, "listed", active(-1)).unwrap();
    let refused = reason(ask(&mut world, A, "c1", check(plant, today())));
    assert_eq!(refused, "SITE_ON_POSITIVE_LIST", "it is listed in the other agreement");
    // A renewal that begins later would take it off at once.
    assert_eq!(reason(ask(&mut world, A, "later", active(40))), "LISTING_BEGINS_LATER");
    ask(&mut world, A, "idle", act(other, listing(ListingStatus::Suspended, -1))).unwrap();
    ask(&mut world, A, "c2", check(plant, today())).unwrap();
    ask(&mut world, A, "from then", active(40)).unwrap();

    let tickets: Vec<u64> = (1..=SITES_OF_ONE_CODE_MAX)
        .map(|nth| world.write(A, &format!("n{nth}"), register(first, CODE)))
        .collect();
    steps(&mut world, 100);
    let reasons: Vec<String> =
        tickets.iter().map(|ticket| reason(world.answers[ticket].clone())).collect();
    let full = reasons.iter().filter(|reason| *reason == "SITE_PLANTS").count();
    let taken = reasons.iter().filter(|reason| reason.is_empty()).count();
    assert_eq!((taken, full), (SITES_OF_ONE_CODE_MAX - 1, 1));
}
