use super::*;
use crate::sync::links::Greeting;
use crate::sync::serving::STRETCH_BYTES;

const OWN: u32 = 371_500;
const HANDAN: u32 = 130_400;
const TAIAN: u32 = 370_900;

fn city(code: u32) -> CityCode {
    CityCode::from_u32(code).unwrap()
}

fn log(n: u8) -> LogId {
    LogId::new([n; 32])
}

fn hello(instance: u8) -> Hello {
    Hello {
        protocol_min: 1,
        protocol_max: 1,
        instance: [instance; 16],
        agreements: Vec::new(),
        cards: Vec::new(),
        clock_ms: 0,
    }
}

/// Logs by id: author, stored size, and cities that may see them.
#[derive(Default)]
struct Table(BTreeMap<LogId, (LogInfo<'static>, Vec<CityCode>)>);

impl Table {
    fn with(mut self, id: LogId, author: u32, stored: u64, members: &[u32]) -> Self {
        let agreement = AgreementId::new([1; 16]);
        let followed = author != OWN;
        let info = LogInfo { agreement, city: city(author), stored, followed, members: &[] };
        self.0.insert(id, (info, members.iter().map(|m| city(*m)).collect()));
        self
    }
}

impl Logs for Table {
    fn info(&self, log: LogId) -> Option<LogInfo<'_>> {
        self.0.get(&log).map(|(info, members)| LogInfo { members, ..*info })
    }
    fn shared_with(&self, cities: &[CityCode]) -> Vec<(LogId, LogInfo<'_>)> {
        let shared = self.0.iter().filter(|(_, (_, m))| m.iter().any(|c| cities.contains(c)));
        shared.map(|(id, (info, members))| (*id, LogInfo { members, ..*info })).collect()
    }
    fn shares(&self, city: CityCode, log: LogId) -> bool {
        self.0.get(&log).is_some_and(|(_, m)| m.contains(&city))
    }
    fn announcement(&self, log: LogId) -> Option<Frame> {
        Some(Frame::Announce { log, checkpoint: bytes::Bytes::new() })
    }
}

/// An exchange with one greeted link.
fn linked(exchange: &mut Exchange, id: LinkId, code: u32, by_us: bool, logs: &Table) {
    exchange.link_up(0, id, city(code), by_us);
    let (greeting, _) = exchange.greeting(0, id, hello(1));
    assert!(matches!(greeting, Greeting::Take(_)));
    exchange.hello(0, logs, id, &[]);
}

fn closed(actions: &[Action]) -> Vec<LinkId> {
    let closes = |a: &Action| if let Action::Close(id, _) = a { Some(*id) } else { None };
    actions.iter().filter_map(closes).collect()
}

fn subscriptions(actions: &[Action]) -> Vec<(LinkId, LogId)> {
    let subscribes = |a: &Action| {
        if let Action::Send(link, Frame::Subscribe { log, .. }) = a {
            Some((*link, *log))
        } else {
            None
        }
    };
    actions.iter().filter_map(subscribes).collect()
}

#[test]
fn outsiders_get_nothing() {
    let logs = Table::default().with(log(1), OWN, 9, &[HANDAN]).with(log(2), OWN, 9, &[TAIAN]);
    let mut exchange = Exchange::new(city(OWN));
    linked(&mut exchange, 1, HANDAN, false, &logs);
    assert_eq!(exchange.subscribe(&logs, 1, log(2), 0, 1 << 20), []);
    assert_eq!(exchange.credit(&logs, 1, log(2), 1 << 20), []);
    let told = exchange.tick(1_300, 0, &logs);
    assert!(told.iter().all(|a| !format!("{a:?}").contains(&log(2).to_string())), "{told:?}");
    assert_eq!(told.len(), 1, "its own agreement is announced: {told:?}");
}

#[test]
fn one_stretch_at_a_time_and_none_without_credit() {
    let logs = Table::default().with(log(1), OWN, 900, &[HANDAN]).with(log(2), OWN, 900, &[HANDAN]);
    let mut exchange = Exchange::new(city(OWN));
    linked(&mut exchange, 1, HANDAN, false, &logs);
    let serve = |log, from, bytes_max| vec![Action::Serve { link: 1, log, from, bytes_max }];
    assert_eq!(exchange.subscribe(&logs, 1, log(1), 0, 1 << 20), serve(log(1), 0, STRETCH_BYTES));
    assert_eq!(exchange.subscribe(&logs, 1, log(2), 0, 600_000), [], "one is being read");
    let next = exchange.served(&logs, 1, log(1), 0, 100, 900_000);
    assert_eq!(next, serve(log(2), 0, STRETCH_BYTES), "each log in turn");
    let next = exchange.served(&logs, 1, log(2), 0, 100, 600_000);
    assert_eq!(next, serve(log(1), 100, (1 << 20) - 900_000), "no more than the credit");
    assert_eq!(exchange.served(&logs, 1, log(1), 100, 200, 600_000), [], "both are out of credit");
    assert_eq!(exchange.grown(&logs, log(1)), []);
    let more = exchange.credit(&logs, 1, log(2), 1_000);
    assert_eq!(more, serve(log(2), 100, 1_000));
    // Nothing could be read: the follower is dropped instead of being read for ever.
    assert_eq!(exchange.served(&logs, 1, log(2), 100, 100, 0), []);
    assert_eq!(exchange.credit(&logs, 1, log(2), 1_000), []);
}

#[test]
fn the_smaller_code_keeps_its_call() {
    // Both dial at once; both greet on both connections, in either order.
    for (own, other) in [(OWN, HANDAN), (HANDAN, OWN)] {
        for first in [1, 2] {
            let mut exchange = Exchange::new(city(own));
            // 1 is dialled by us, 2 by the other.
            let up = exchange.link_up(0, 1, city(other), true);
            assert_eq!(up, [Action::SendHello(1)]);
            assert_eq!(exchange.link_up(0, 2, city(other), false), [Action::SendHello(2)]);
            let mut ended = Vec::new();
            for id in [first, 3 - first] {
                let (_, actions) = exchange.greeting(0, id, hello(1));
                ended.extend(closed(&actions));
                if exchange.city_of(id).is_some() {
                    exchange.hello(0, &Table::default(), id, &[]);
                }
            }
            let kept = if own < other { 1 } else { 2 };
            assert_eq!(ended, [3 - kept], "{own} keeps the call of the smaller code");
            assert_eq!(exchange.link_to(city(other)), Some(kept));
        }
    }
}

#[test]
fn a_call_that_will_not_be_kept_is_not_begun() {
    let mut exchange = Exchange::new(city(OWN));
    linked(&mut exchange, 1, HANDAN, false, &Table::default());
    assert_eq!(closed(&exchange.link_up(5, 2, city(HANDAN), true)), [2]);
    assert_eq!(exchange.link_to(city(HANDAN)), Some(1));
}

#[test]
fn a_second_call_of_the_same_process_replaces_the_first() {
    let logs = Table::default();
    let mut exchange = Exchange::new(city(OWN));
    linked(&mut exchange, 1, HANDAN, false, &logs);
    assert_eq!(exchange.link_up(5, 2, city(HANDAN), false), [], "it speaks first");
    let (greeting, actions) = exchange.greeting(6, 2, hello(1));
    assert!(matches!(greeting, Greeting::Take(_)));
    assert_eq!(closed(&actions), [1]);
    assert!(actions.contains(&Action::SendHello(2)));
}

#[test]
fn another_process_waits_until_the_first_is_silent() {
    let logs = Table::default();
    let mut exchange = Exchange::new(city(OWN));
    linked(&mut exchange, 1, HANDAN, false, &logs);
    exchange.link_up(1_000, 2, city(HANDAN), false);
    let (greeting, actions) = exchange.greeting(1_000, 2, hello(2));
    assert_eq!(greeting, Greeting::NotNow);
    let ping = Frame::Ping { number: 1_000, pong: false, clock_ms: 0 };
    assert_eq!(actions, [Action::Send(1, ping)]);
    assert!(closed(&exchange.tick(5_000, 0, &logs)).is_empty());
    let actions = exchange.tick(6_001, 0, &logs);
    assert_eq!(closed(&actions), [1]);
    assert!(actions.contains(&Action::SendHello(2)));
    assert!(actions.contains(&Action::Greet(2, Box::new(hello(2)))));
    assert_eq!(exchange.link_to(city(HANDAN)), None, "until its greeting is taken");
}

#[test]
fn a_first_process_that_answers_is_one_of_two_copies() {
    let logs = Table::default();
    let mut exchange = Exchange::new(city(OWN));
    linked(&mut exchange, 1, HANDAN, false, &logs);
    exchange.link_up(1_000, 2, city(HANDAN), false);
    exchange.greeting(1_000, 2, hello(2));
    // An answer to an older ping says nothing about now.
    assert_eq!(exchange.pong(1, 900), []);
    assert_eq!(exchange.pong(1, 1_000), [Action::Duplicate { kept: 1, refused: 2 }]);
    assert_eq!(exchange.city_of(2), None);
    assert!(closed(&exchange.tick(7_000, 0, &logs)).is_empty());
}

#[test]
fn a_held_greeting_is_taken_when_the_first_link_goes() {
    let logs = Table::default();
    let mut exchange = Exchange::new(city(OWN));
    linked(&mut exchange, 1, HANDAN, false, &logs);
    exchange.link_up(1_000, 2, city(HANDAN), false);
    exchange.greeting(1_000, 2, hello(2));
    let actions = exchange.link_down(1_100, &logs, 1);
    assert_eq!(actions, [Action::SendHello(2), Action::Greet(2, Box::new(hello(2)))]);
}

#[test]
fn a_silent_link_is_pinged_and_then_dead() {
    let logs = Table::default();
    let mut exchange = Exchange::new(city(OWN));
    linked(&mut exchange, 1, HANDAN, false, &logs);
    assert_eq!(exchange.tick(10_000, 7, &logs), []);
    let ping = Frame::Ping { number: 10_001, pong: false, clock_ms: 7 };
    assert_eq!(exchange.tick(10_001, 7, &logs), [Action::Send(1, ping)]);
    assert_eq!(exchange.tick(10_250, 7, &logs), [], "one ping is under way");
    exchange.heard(12_000, 1);
    assert!(closed(&exchange.tick(40_000, 7, &logs)).is_empty());
    assert_eq!(closed(&exchange.tick(42_001, 7, &logs)), [1]);
}

#[test]
fn a_busy_link_tells_the_time_once_a_minute() {
    let logs = Table::default();
    let mut exchange = Exchange::new(city(OWN));
    linked(&mut exchange, 1, HANDAN, false, &logs);
    let mut told = Vec::new();
    for now in (0..=180_000).step_by(250) {
        exchange.heard(now, 1);
        let is_ping = |a: &Action| matches!(a, Action::Send(1, Frame::Ping { clock_ms: 7, .. }));
        told.extend(exchange.tick(now, 7, &logs).iter().any(is_ping).then_some(now));
    }
    assert_eq!(told, [60_250, 120_500]);
}

#[test]
fn a_log_is_taken_from_its_author_and_else_from_whoever_is_ahead() {
    let members = [OWN, HANDAN, TAIAN];
    let logs = Table::default().with(log(1), HANDAN, 5, &members);
    let mut exchange = Exchange::new(city(OWN));
    linked(&mut exchange, 1, TAIAN, false, &logs);
    assert!(subscriptions(&exchange.peer_has(0, &logs, 1, log(1), 5)).is_empty(), "not ahead");
    assert_eq!(subscriptions(&exchange.peer_has(0, &logs, 1, log(1), 6)), [(1, log(1))]);
    exchange.link_up(10, 2, city(HANDAN), true);
    exchange.greeting(10, 2, hello(2));
    let actions = exchange.hello(10, &logs, 2, &[(log(1), 6)]);
    assert_eq!(subscriptions(&actions), [(2, log(1))]);
    assert!(actions.contains(&Action::Send(1, Frame::Unsubscribe { log: log(1) })));
    // It does not deliver: after 5 s the other one has its turn, and then it again.
    assert!(subscriptions(&exchange.tick(5_010, 0, &logs)).is_empty());
    assert_eq!(subscriptions(&exchange.tick(5_011, 0, &logs)), [(1, log(1))]);
    exchange.heard(10_000, 2);
    let logs = Table::default().with(log(1), HANDAN, 6, &members);
    let actions = exchange.ingested(10_012, &logs, 1, log(1), 100);
    assert_eq!(subscriptions(&actions), [(2, log(1))]);
}

#[test]
fn a_source_that_comes_back_is_asked_at_once() {
    let logs = Table::default().with(log(1), HANDAN, 5, &[OWN, HANDAN]);
    let mut exchange = Exchange::new(city(OWN));
    linked(&mut exchange, 1, HANDAN, false, &logs);
    exchange.rest_source(0, &logs, 1, log(1));
    assert_eq!(exchange.source_of(log(1)), None, "it has not delivered");
    exchange.link_down(1, &logs, 1);
    linked(&mut exchange, 2, HANDAN, false, &logs);
    assert_eq!(exchange.source_of(log(1)), Some(2));
}

#[test]
fn an_announcement_after_a_long_rest_does_not_count_against_the_source() {
    let logs = Table::default().with(log(1), HANDAN, 5, &[OWN, HANDAN]);
    let mut exchange = Exchange::new(city(OWN));
    linked(&mut exchange, 1, HANDAN, false, &logs);
    exchange.heard(3_600_000, 1);
    exchange.peer_has(3_600_000, &logs, 1, log(1), 6);
    let actions = exchange.tick(3_600_001, 0, &logs);
    let is_ping = |action: &Action| matches!(action, Action::Send(1, Frame::Ping { .. }));
    assert!(actions.iter().all(is_ping), "its entry is under way: {actions:?}");
    assert_eq!(exchange.source_of(log(1)), Some(1));
}

#[test]
fn a_log_that_stands_still_is_asked_of_nobody() {
    let logs = Table::default().with(log(1), HANDAN, 5, &[OWN, HANDAN]);
    let mut exchange = Exchange::new(city(OWN));
    linked(&mut exchange, 1, HANDAN, false, &logs);
    assert_eq!(exchange.source_of(log(1)), Some(1));
    let mut standing = Table::default().with(log(1), HANDAN, 5, &[OWN, HANDAN]);
    standing.0.get_mut(&log(1)).unwrap().0.followed = false;
    let unsubscribed = Action::Send(1, Frame::Unsubscribe { log: log(1) });
    assert_eq!(exchange.log_known(9, &standing, log(1)), [unsubscribed]);
    assert_eq!(exchange.tick(1_010, 0, &standing).len(), 1, "announced, and no more");
}

#[test]
fn a_source_is_told_of_credit_in_steps_and_never_waits_for_it() {
    let mut logs = Table::default().with(log(1), HANDAN, 0, &[HANDAN]);
    let mut exchange = Exchange::new(city(OWN));
    linked(&mut exchange, 1, HANDAN, false, &logs);
    exchange.peer_has(0, &logs, 1, log(1), 900);
    assert_eq!(exchange.source_of(log(1)), Some(1));
    let (mut out, mut told) = (i64::try_from(CREDIT_BYTES).unwrap(), 0);
    for stored in 1..=900 {
        logs.0.get_mut(&log(1)).unwrap().0.stored = stored;
        out -= 9_000;
        assert!(out > 0, "the source has run out of credit at {stored}");
        for action in exchange.ingested(0, &logs, 1, log(1), 9_000) {
            let Action::Send(1, Frame::Credit { bytes, .. }) = action else {
                panic!("{action:?}");
            };
            out += i64::try_from(bytes).unwrap();
            told += 1;
        }
    }
    assert_eq!(told, 900 / CREDIT_STEP_BYTES.div_ceil(9_000), "a frame for each step, no more");
    // What another than the source has sent is paid for at once: nobody counts it later.
    linked(&mut exchange, 2, TAIAN, false, &logs);
    let paid = exchange.ingested(0, &logs, 2, log(1), 5);
    assert!(paid.contains(&Action::Send(2, Frame::Credit { log: log(1), bytes: 5 })), "{paid:?}");
}
