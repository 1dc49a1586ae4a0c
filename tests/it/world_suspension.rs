//! A city is suspended on one node of the world in memory, by its operator or by the daily quota,
//! and resumed; crashes between.

use liandong::api::order::OrderError;
use liandong::api::request::{Command, NewPart, PartContent, WriteError};
use liandong::api::status::NodeStatus;
use liandong::domain::{CaseContribution, Event, NoticeAct, NoticeKind};
use liandong::ids::{CityCode, Hash, Position};
use liandong::log::{Audience, Subject, SubjectKind, subject_id};
use liandong::node::core::{Input, Output};
use liandong::sync::Frame;
use liandong::view::ReadRows;

use super::rogue::About;
use super::stage::{HERE, Stage, frames, opened, opening};
use super::world::World;

/// Who suspends whom; the third city goes on with both.
const BY: usize = 0;
const OTHER: usize = 1;
const SUSPENDED: usize = 2;

fn suspend(world: &mut World, by: usize, city: usize) {
    let city = world.cities[city].code;
    let (reason, who) = ("密钥失窃".to_owned(), "admin/one".to_owned());
    world.input(by, Input::Suspend { ticket: 0, city, reason, by: who });
    world.input(by, Input::Commit);
}

fn resume(world: &mut World, by: usize, city: usize) {
    let city = world.cities[city].code;
    world.input(by, Input::Resume { ticket: 0, city, by: "admin/one".to_owned() });
    world.input(by, Input::Commit);
}

fn status(world: &mut World, i: usize) -> NodeStatus {
    let outputs = world.ask(i, Input::Status(1));
    let Some(Output::Status(_, status)) = outputs.into_iter().next() else { panic!() };
    *status
}

/// People open cases and hand them round, everywhere.
fn work(world: &mut World, turns: usize, name: &str) {
    let agreement = world.agreements[0].0;
    for turn in 0..turns {
        world.step();
        let i = world.rng.below(3);
        let id = format!("{name}-{turn}");
        if world.rng.one_in(4) {
            world.open_case(i, agreement, &id, &format!("示例案件 {id}"));
        } else {
            world.random_move(i, &id);
        }
    }
    world.settle();
}

/// The view of a city: cases, histories, the feed in its order.
fn rows(world: &World, i: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut rows = Vec::new();
    world.reader(i).view().scan(b"A", b"[", false, &mut |key, value| {
        rows.push((key.to_vec(), value.to_vec()));
        true
    });
    rows
}

fn views(world: &World) -> [Hash; 3] {
    let agreement = world.agreements[0].0;
    [0, 1, 2].map(|i| world.fold_hash(i, agreement))
}

/// Stored and applied at a city, of the log of another one.
fn sizes(world: &World, at: usize, of: usize) -> (u64, u64) {
    let (stored, applied, _) = world.heads(at)[&world.cities[of].log(0)];
    (stored, applied)
}

#[test]
fn a_suspension_that_was_lifted_leaves_no_trace() {
    for seed in 400..406 {
        let mut world = World::new(seed, 3, &[&[0, 1, 2]]);
        work(&mut world, 80, "before");
        let before = sizes(&world, BY, SUSPENDED);
        let feed = world.reader(BY).feed_id();
        suspend(&mut world, BY, SUSPENDED);
        work(&mut world, 160, "while");
        let there = sizes(&world, OTHER, SUSPENDED);
        assert_eq!(sizes(&world, BY, SUSPENDED), before, "seed {seed}: it stands still");
        assert!(there.0 > before.0, "seed {seed}: and went on elsewhere");
        // The other city has seen what is not here, and goes on here all the same.
        let other = sizes(&world, BY, OTHER);
        assert_eq!((other, other.0), (sizes(&world, OTHER, OTHER), other.1), "seed {seed}");
        let [here, one, two] = views(&world);
        assert!(here != one && one == two, "seed {seed}: the others agree");
        if seed % 2 == 0 {
            world.crash(BY);
            world.start(BY);
        }
        resume(&mut world, BY, SUSPENDED);
        world.settle();
        let [here, one, two] = views(&world);
        assert!(here == one && one == two, "seed {seed}: as if there had been none");
        assert_eq!(sizes(&world, BY, SUSPENDED), there);
        assert!(status(&mut world, BY).suspensions.is_empty());
        assert_ne!(world.reader(BY).feed_id(), feed, "the order of application is another one");
        work(&mut world, 40, "after");
        let [here, one, two] = views(&world);
        assert!(here == one && one == two, "seed {seed}: and it goes on");
    }
}

#[test]
fn a_replay_under_a_suspension_is_what_was_lived() {
    for seed in 410..414 {
        let mut world = World::new(seed, 3, &[&[0, 1, 2]]);
        work(&mut world, 60, "before");
        suspend(&mut world, BY, SUSPENDED);
        work(&mut world, 100, "while");
        // The whole journal, since the views are in memory.
        let (lived, feed) = (rows(&world, BY), world.reader(BY).feed_id());
        world.crash(BY);
        world.start(BY);
        assert_eq!(rows(&world, BY), lived, "seed {seed}");
        assert_eq!(world.reader(BY).feed_id(), feed, "cursors stay good");
        let shown = status(&mut world, BY).suspensions;
        let one = shown.first().expect("it outlives the process and its views");
        assert_eq!((one.city, one.log), (world.cities[SUSPENDED].code, None));
        assert_eq!((one.reason.as_str(), one.by.as_str()), ("密钥失窃", "admin/one"));
        // Another one, which is lifted, while the first goes on.
        suspend(&mut world, BY, OTHER);
        work(&mut world, 40, "both");
        resume(&mut world, BY, OTHER);
        work(&mut world, 40, "one");
        let lived = rows(&world, BY);
        world.crash(BY);
        world.start(BY);
        assert_eq!(rows(&world, BY), lived, "seed {seed}: folded anew, and replayed");
        resume(&mut world, BY, SUSPENDED);
        world.settle();
        let [here, one, two] = views(&world);
        assert!(here == one && one == two, "seed {seed}");
    }
}

#[test]
fn an_order_that_is_not_synced_is_none_and_one_that_is_survives() {
    let mut world = World::new(420, 3, &[&[0, 1, 2]]);
    work(&mut world, 40, "before");
    let city = world.cities[SUSPENDED].code;
    let (reason, by) = (String::new(), String::new());
    world.ask(BY, Input::Suspend { ticket: 1, city, reason, by });
    world.crash(BY);
    world.start(BY);
    assert!(status(&mut world, BY).suspensions.is_empty(), "nobody was told that it is");
    suspend(&mut world, BY, SUSPENDED);
    work(&mut world, 60, "while");
    // The process dies after the resumption is on disk and before it starts anew.
    let by = String::new();
    world.ask(BY, Input::Resume { ticket: 2, city, by });
    let outputs = world.ask(BY, Input::Commit);
    let told = |o: &Output| matches!(o, Output::Ordered(2, Ok(())));
    assert!(outputs.iter().any(told), "{outputs:?}");
    assert!(outputs.iter().any(|o| matches!(o, Output::StartAnew)), "{outputs:?}");
    assert!(status(&mut world, BY).suspensions[0].resuming);
    world.crash(BY);
    world.settle();
    let [here, one, two] = views(&world);
    assert!(here == one && one == two);
}

#[test]
fn orders_that_make_no_sense_are_refused() {
    let mut stage = Stage::laid(421, 3, &[&[0, 1]]);
    let code = |i: usize| stage.world.cities[i].code;
    let cities = [code(0), code(1), code(2)];
    let answer = |stage: &mut Stage, input: Input| {
        let mut outputs = stage.world.ask(HERE, input);
        outputs.extend(stage.commit());
        outputs.into_iter().find_map(|output| {
            let Output::Ordered(7, done) = output else { return None };
            Some(done)
        })
    };
    let stop = |city: CityCode| {
        let (reason, by) = (String::new(), String::new());
        Input::Suspend { ticket: 7, city, reason, by }
    };
    let go_on = |city: CityCode| Input::Resume { ticket: 7, city, by: String::new() };
    let own = Some(Err(OrderError::OwnCity));
    assert_eq!(answer(&mut stage, stop(cities[0])), own);
    let stranger = Some(Err(OrderError::NotFound));
    assert_eq!(answer(&mut stage, stop(cities[2])), stranger);
    assert_eq!(answer(&mut stage, go_on(cities[1])), Some(Err(OrderError::NotSuspended)));
    assert_eq!(answer(&mut stage, stop(cities[1])), Some(Ok(())));
    assert_eq!(answer(&mut stage, stop(cities[1])), Some(Ok(())), "twice is once");
    let outputs = stage.world.ask(HERE, Input::Status(1));
    let Some(Output::Status(_, status)) = outputs.into_iter().next() else { panic!() };
    assert_eq!(status.suspensions.len(), 1);
}

#[test]
fn a_suspended_city_loses_its_link_and_is_told_when_it_comes_back() {
    let mut stage = Stage::laid(422, 3, &[&[0, 1, 2]]);
    let mut author = stage.world.author(1, 0);
    let link = stage.greet(1, &author);
    stage.commit();
    let batch = opening(&author);
    stage.store(link, &mut author, &batch);
    let city = stage.world.cities[1].code;
    let (reason, by) = (String::new(), String::new());
    let outputs = stage.world.ask(HERE, Input::Suspend { ticket: 1, city, reason, by });
    let told = |outputs: &[Output]| {
        let says =
            |f: &&Frame| matches!(f, Frame::Refuse { reason, .. } if reason == "CITY_SUSPENDED");
        let ends = |o: &Output| matches!(o, Output::Close(of, _) if *of == link);
        frames(outputs, link).iter().any(says) && outputs.iter().any(ends)
    };
    assert!(told(&outputs), "at once: {outputs:?}");
    stage.commit();
    let outputs = {
        let up = Input::LinkUp { link, city, by_us: false, address: String::new() };
        stage.world.ask(HERE, up)
    };
    assert!(told(&outputs), "{outputs:?}");
    assert!(stage.say(link, Frame::Hello(author.hello())).is_empty(), "it is not listened to");
    // Nor to what another member passes on of it.
    let third = stage.world.author(2, 0);
    let relay = stage.greet(2, &third);
    let more = opening(&author);
    let outputs = stage.say(relay, Frame::Batch(more));
    let says = |f: &&Frame| matches!(f, Frame::Refuse { reason, .. } if reason == "LOG_STANDING");
    assert!(frames(&outputs, relay).iter().any(says), "{outputs:?}");
    stage.commit();
    assert_eq!(stage.size(author.log), Some(1));
    assert!(stage.shown(author.log).standing);
}

#[test]
fn a_log_that_outruns_its_day_stands_still_here() {
    let mut stage = Stage::laid(423, 3, &[&[0, 1, 2]]);
    stage.world.crash(HERE);
    stage.world.cities[HERE].log_entries_per_day_max = 3;
    stage.world.start(HERE);
    let (mut author, mut other) = (stage.world.author(1, 0), stage.world.author(2, 0));
    let links = [stage.greet(1, &author), stage.greet(2, &other)];
    stage.commit();
    let day = 86_400_000;
    for _ in 0..2 {
        for _ in 0..3 {
            let batch = opening(&author);
            stage.store(links[0], &mut author, &batch);
        }
        stage.world.pass(day);
    }
    assert_eq!(stage.size(author.log), Some(6), "the next day is another one");
    for _ in 0..3 {
        let batch = opening(&author);
        stage.store(links[0], &mut author, &batch);
    }
    // One too many: nothing of it is kept, and the log is asked of nobody any more.
    let more = opening(&author);
    let outputs = stage.say(links[0], Frame::Batch(more.clone()));
    let says = |f: &&Frame| matches!(f, Frame::Refuse { reason, .. } if reason == "LOG_STANDING");
    assert!(frames(&outputs, links[0]).iter().any(says), "{outputs:?}");
    let leaves = |f: &&Frame| matches!(f, Frame::Unsubscribe { log } if *log == author.log);
    assert!(frames(&outputs, links[0]).iter().any(leaves), "{outputs:?}");
    stage.commit();
    author.wrote(&more);
    assert_eq!((stage.size(author.log), stage.shown(author.log).standing), (Some(9), true));
    // It counts as met for others, and the link stands.
    let mut about = About::case(None);
    about.after = vec![author.head_after(&[])];
    let rests = other.batch(vec![other.entry(0, &opened(), about, &[])]);
    stage.store(links[1], &mut other, &rests);
    assert_eq!(stage.shown(other.log).applied, 1);
    let outputs = stage.world.ask(HERE, Input::Status(1));
    let Some(Output::Status(_, status)) = outputs.into_iter().next() else { panic!() };
    assert_eq!(status.suspensions[0].log, Some(author.log));
    assert!(status.warnings.iter().any(|w| w.contains("liandong resume")), "{:?}", status.warnings);
    assert!(status.links.iter().any(|l| l.city == stage.world.cities[1].code && l.up));
    // Over a restart and into the next day, until the operator has looked.
    stage.world.pass(day);
    stage.world.crash(HERE);
    stage.world.start(HERE);
    assert!(stage.shown(author.log).standing);
    assert_eq!(stage.shown(other.log).applied, 1);
    resume(&mut stage.world, HERE, 1);
    assert!(!stage.shown(author.log).standing);
    assert_eq!(stage.shown(other.log).applied, 0, "it waits for what it has seen");
    let link = stage.greet(1, &author);
    let outputs = stage.say(link, Frame::Batch(more));
    assert!(frames(&outputs, link).is_empty(), "{outputs:?}");
    stage.commit();
    assert_eq!((stage.size(author.log), stage.shown(other.log).applied), (Some(10), 1));
}

#[test]
fn bytes_count_as_well_and_an_own_log_comes_back_whole() {
    let mut stage = Stage::laid(424, 2, &[&[0, 1]]);
    stage.world.crash(HERE);
    let mut author = stage.world.author(1, 0);
    let one = opening(&author).signed_bytes();
    stage.world.cities[HERE].log_bytes_per_day_max = 2 * one + one / 2;
    stage.world.start(HERE);
    let link = stage.greet(1, &author);
    stage.commit();
    for _ in 0..2 {
        let batch = opening(&author);
        stage.store(link, &mut author, &batch);
    }
    let more = opening(&author);
    stage.say(link, Frame::Batch(more));
    stage.commit();
    assert_eq!((stage.size(author.log), stage.shown(author.log).standing), (Some(2), true));
    // What a restored city gets back of its own log is no flood.
    let mut world = World::new(425, 3, &[&[0, 1, 2]]);
    let backup = world.backup(BY);
    work(&mut world, 80, "lost");
    let lost = sizes(&world, OTHER, BY);
    assert!(lost.0 > 3);
    world.cities[BY].log_entries_per_day_max = 3;
    world.restore(BY, &backup);
    world.settle();
    assert_eq!(sizes(&world, BY, BY).0, lost.0);
    assert!(status(&mut world, BY).suspensions.iter().all(|s| s.city != world.cities[BY].code));
}

#[test]
fn a_suspended_city_is_not_helped_to_rest_on_itself() {
    let mut stage = Stage::laid(425, 3, &[&[0, 1, 2]]);
    let (mut old, mut next) = (stage.world.author(1, 0), stage.world.author_of(1, 0, 2, 200));
    let mut third = stage.world.author(2, 0);
    let (link, other) = (stage.greet(1, &old), stage.greet(2, &third));
    for manifest in [&old.manifest, &next.manifest] {
        stage.say(link, Frame::Manifest(manifest.clone()));
    }
    stage.say(other, Frame::Manifest(third.manifest.clone()));
    stage.commit();
    // The second log of a city, and another city, rest on an entry of its first one that is nowhere.
    let unseen = opening(&old);
    let mut about = About::case(None);
    about.after = vec![old.head_after(&unseen.entries)];
    let rests = next.batch(vec![next.entry(0, &opened(), about.clone(), &[])]);
    stage.store(link, &mut next, &rests);
    let honest = third.batch(vec![third.entry(0, &opened(), about, &[])]);
    stage.store(other, &mut third, &honest);
    assert_eq!((stage.shown(next.log).applied, stage.shown(third.log).applied), (0, 0));
    suspend(&mut stage.world, HERE, 1);
    assert_eq!(stage.shown(third.log).applied, 1, "others go on");
    assert_eq!(stage.shown(next.log).applied, 0, "and it is no better off for being suspended");
    old.wrote(&unseen);
}

/// The lie of a city that is suspended here would otherwise hold every log of an honest one: its
/// next entry would say that it has seen what nobody else will ever apply.
#[test]
fn nothing_that_leans_is_named_or_built_upon() {
    let mut stage = Stage::laid(426, 3, &[&[0, 1, 2]]);
    stage.world.cities[HERE].keeps_rows = true;
    let (mut third, mut suspended) = (stage.world.author(1, 0), stage.world.author(2, 0));
    let (link, other) = (stage.greet(1, &third), stage.greet(2, &suspended));
    stage.say(other, Frame::Manifest(suspended.manifest.clone()));
    stage.commit();
    let sure = opening(&third);
    stage.store(link, &mut third, &sure);
    // It rests on what the suspended city may never have written.
    let mut about = About::case(None);
    about.after = vec![suspended.head_after(&opening(&suspended).entries)];
    let addressees = vec![stage.world.cities[HERE].code];
    let issued = Event::NoticeIssued { kind: NoticeKind::General, level: None, addressees };
    let notice = About::subject(Subject { kind: SubjectKind::Notice, id: None });
    let leaning = vec![
        third.entry(0, &opened(), about, &[]),
        third.entry(1, &opened(), About::case(None), &[]),
        third.entry(2, &issued, notice, &[]),
    ];
    let batch = third.batch(leaning);
    stage.store(link, &mut third, &batch);
    suspend(&mut stage.world, HERE, 2);
    assert_eq!(stage.shown(third.log).applied, 4);
    let agreement = stage.world.agreements[0].0;
    let record = |index| subject_id(Position { log: third.log, index });
    let said = |stage: &mut Stage, id: &str, command| {
        let ticket = stage.world.write(HERE, id, command);
        // After a start members are asked first.
        while !stage.world.answers.contains_key(&ticket) {
            stage.world.pass(500);
            stage.world.input(HERE, Input::Tick);
            stage.world.input(HERE, Input::Commit);
        }
        stage.world.answers[&ticket].clone()
    };
    let note = |stage: &mut Stage, id: &str, index| {
        let contribution = CaseContribution::NoteAdded;
        let content = PartContent::Text("示例".to_owned());
        let parts = vec![NewPart { audience: Audience::AllMembers, content }];
        let subject = record(index);
        let command = Command::Contribute { agreement, subject, contribution, parts };
        said(stage, id, command)
    };
    let cities = vec![stage.world.cities[2].code];
    for (round, keeps_rows) in [true, true, false].into_iter().enumerate() {
        let written = note(&mut stage, &format!("sure-{round}"), 0).unwrap();
        let log = written.position.log;
        let own = (0..=written.position.index).map(|index| Position { log, index });
        let seen =
            own.flat_map(|at| stage.world.reader(HERE).entry(at).unwrap().entry.envelope.after);
        let named: Vec<u64> = seen.filter(|h| h.log == third.log).map(|h| h.size).collect();
        assert_eq!(named, [1], "what is sure, once");
        for index in [1, 2] {
            let refused = note(&mut stage, &format!("leans-{round}-{index}"), index);
            assert_eq!(refused, Err(WriteError::Suspended { cities: cities.clone() }));
        }
        let (act, text) = (NoticeAct::Reported, Some("示例".to_owned()));
        let command = Command::ActOnNotice { agreement, subject: record(3), act, text };
        let refused = said(&mut stage, &format!("notice-{round}"), command);
        assert_eq!(refused, Err(WriteError::Suspended { cities: cities.clone() }));
        stage.world.cities[HERE].keeps_rows = keeps_rows;
        stage.world.stop_and_start(HERE);
        stage.greet(1, &third);
    }
    resume(&mut stage.world, HERE, 2);
    stage.world.stop_and_start(HERE);
    assert_eq!(stage.shown(third.log).applied, 1, "as everywhere else");
    stage.greet(1, &third);
    note(&mut stage, "after", 0).unwrap();
    // The other city did write it: now it is here.
    let other = stage.greet(2, &suspended);
    let written = opening(&suspended);
    stage.store(other, &mut suspended, &written);
    assert_eq!(stage.shown(third.log).applied, 4);
    note(&mut stage, "at last", 2).unwrap();
}
