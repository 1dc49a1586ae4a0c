//! What a node has made of the entries it has applied: by the real fold, or by the rule it
//! replaced, in which whatever arrives first is judged by the state at that moment.

use std::collections::{HashMap, HashSet};

use liandong::domain::{self, AuthorityLevel, Case, CaseMove, CaseState, CaseStep, Date, Event};
use liandong::ids::{AgreementId, CityCode, Hash, LogId, Position};
use liandong::log::{Envelope, Head, Subject, SubjectKind, subject_id};
use liandong::view::{self, Effect, FoldEntry, MemRows};

use super::super::sim::moves::facts;

const AGREEMENT: AgreementId = AgreementId::new([9; 16]);
/// Logs of three cities, and the second epoch of the first.
pub const LOGS: usize = 4;
/// The log of the first city's second epoch.
pub const SECOND: usize = 3;

/// By which rule the next move of a case is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The real fold: a move names the entry it starts from.
    Prev,
    /// A move is judged by the state at its arrival.
    Arrival,
}

/// A city, by its place: 0, 1, 2.
pub fn city(n: usize) -> CityCode {
    CityCode::from_u32([130_400, 371_400, 371_500][n]).unwrap()
}

/// The city that writes a log.
pub const fn author(log: usize) -> usize {
    if log == SECOND { 0 } else { log }
}

fn members() -> Vec<CityCode> {
    (0..3).map(city).collect()
}

fn log(n: usize) -> LogId {
    LogId::new([u8::try_from(n).unwrap() + 1; 32])
}

fn position((log_of, index): Place) -> Position {
    Position { log: log(log_of), index: u64::try_from(index).unwrap() }
}

/// An entry by its log and its number.
pub type Written = (u8, u16);
/// Log and index.
pub type Place = (usize, usize);
/// Entries applied of each log.
pub type Sizes = [usize; LOGS];

/// An entry as its author wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// Index into [`moves`]; the opening has none.
    pub mv: Option<usize>,
    /// The entry it starts from.
    pub prev: Option<Place>,
    /// Entries of each other log it names as seen.
    pub after: Sizes,
    /// Size of the first log that the second one pins; 0 in the other logs.
    pub pinned: usize,
}

fn on() -> Date {
    Date::parse("2026-11-20").unwrap()
}

/// The moves cities choose from. The life of a case is cut short: what matters is who has the turn.
pub fn moves() -> Vec<CaseMove> {
    let step = |step| CaseMove::Stepped { step, effective_on: on() };
    let offer = |n| CaseMove::TransferOffered { to: city(n), effective_on: on() };
    vec![
        step(CaseStep::VerificationStarted),
        step(CaseStep::ClueDismissed),
        offer(0),
        offer(1),
        offer(2),
        CaseMove::TransferAccepted { effective_on: on() },
        CaseMove::TransferReturned { effective_on: on() },
        CaseMove::TransferDisputed { effective_on: on() },
        CaseMove::JurisdictionDesignated {
            city: city(2),
            authority: AuthorityLevel::Ministry,
            designated_on: on(),
            effective_on: on(),
        },
        step(CaseStep::Archived),
    ]
}

/// What a node shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The case; its last move; moves that did not take effect.
    pub case: Case,
    pub last: Place,
    pub misfits: Vec<Place>,
    hash: Hash,
}

impl View {
    /// The city whose turn it is, unless the case has ended.
    pub fn turn(&self) -> Option<usize> {
        (0..3).find(|n| self.case.turn == Some(city(*n)))
    }

    pub fn has_ended(&self) -> bool {
        self.case.state == CaseState::Archived
    }

    pub fn allows(&self, by: usize, mv: &CaseMove) -> bool {
        domain::next(&self.case, city(by), &members(), mv).is_ok()
    }
}

/// All entries of all logs, by number.
#[derive(Default)]
pub struct Entries {
    all: Vec<Entry>,
    known: HashMap<Entry, u16>,
    moves: Vec<CaseMove>,
    /// Rows and view after a set (or order, by the rule of arrival) of entries.
    folded: HashMap<Vec<Written>, (MemRows, View)>,
    /// Ways in which the real fold was reached from another order, and was the same.
    pub confluences: u64,
    steps: HashSet<(Vec<Written>, Written)>,
}

impl Entries {
    pub fn new() -> Self {
        Self { moves: moves(), ..Self::default() }
    }

    pub fn id(&mut self, entry: Entry) -> u16 {
        if let Some(id) = self.known.get(&entry) {
            return *id;
        }
        let id = u16::try_from(self.all.len()).unwrap();
        self.all.push(entry.clone());
        self.known.insert(entry, id);
        id
    }

    pub fn get(&self, id: u16) -> &Entry {
        &self.all[usize::from(id)]
    }

    pub fn name(&self, id: u16) -> String {
        let entry = self.get(id);
        let kind = entry.mv.map_or("open".to_owned(), |mv| {
            let text = format!("{:?}", self.moves[mv]);
            let to = (0..3).find(|n| text.contains(&format!("to: {:?}", city(*n))));
            let kind = text.split([' ', '{']).next().unwrap_or_default().to_owned();
            to.map_or(kind.clone(), |n| format!("{kind} to {}", ["A", "B", "C"][n]))
        });
        format!("{kind} from {:?} after {:?}", entry.prev, entry.after)
    }

    /// The view after entries in an order of application: (log, entry) each.
    pub fn view(&mut self, rule: Rule, order: &[Written]) -> View {
        match rule {
            Rule::Arrival => self.by_arrival(order),
            Rule::Prev => match self.folded.get(&sorted(order)) {
                Some((_, view)) => view.clone(),
                None => {
                    let order = self.causal(order);
                    let (last, rest) = order.split_last().expect("the case is open");
                    self.apply(rest, *last)
                }
            },
        }
    }

    /// A set of entries in an order in which they can be applied.
    fn causal(&self, set: &[Written]) -> Vec<Written> {
        let (mut left, mut held, mut order) = (sorted(set), [0; LOGS], Vec::new());
        while !left.is_empty() {
            let ready = |(log, id): &Written| {
                let after = self.get(*id).after;
                (0..LOGS).all(|other| other == usize::from(*log) || after[other] <= held[other])
            };
            let first = |at: &usize| left[..*at].iter().all(|(log, _)| *log != left[*at].0);
            let at = (0..left.len()).find(|at| first(at) && ready(&left[*at]));
            let next = left.remove(at.expect("the set is closed"));
            held[usize::from(next.0)] += 1;
            order.push(next);
        }
        order
    }

    /// Applies one more entry by the real fold. Whatever order led to the same set gives the same.
    pub fn apply(&mut self, before: &[Written], next: Written) -> View {
        let mut set = sorted(before);
        if !self.steps.insert((set.clone(), next)) {
            set.push(next);
            return self.folded[&sorted(&set)].1.clone();
        }
        if !before.is_empty() && !self.folded.contains_key(&set) {
            self.view(Rule::Prev, before);
        }
        let mut rows = self.folded.get(&set).map(|(rows, _)| rows.clone()).unwrap_or_default();
        self.fold(&mut rows, &set, next);
        set.push(next);
        let set = sorted(&set);
        let view = self.read(&rows, &set);
        match self.folded.get(&set) {
            Some((_, known)) => {
                assert_eq!(*known, view, "two orders of {set:?} give two views");
                self.confluences += 1;
            }
            None => drop(self.folded.insert(set, (rows, view.clone()))),
        }
        view
    }

    fn envelope(&self, log_of: usize, index: usize, entry: &Entry) -> Envelope {
        let after = (0..LOGS)
            .filter(|other| entry.after[*other] > 0 && *other != log_of)
            .map(|other| Head {
                log: log(other),
                size: u64::try_from(entry.after[other]).unwrap(),
                root: Hash::new([0; 32]),
            })
            .collect();
        Envelope {
            log: log(log_of),
            index: u64::try_from(index).unwrap(),
            record_time_ms: 0,
            clock_suspect: false,
            after,
            actor: None,
            acting_for: None,
            request: None,
            subject: Subject {
                kind: SubjectKind::Case,
                id: entry.mv.map(|_| subject_id(position((0, 0)))),
            },
            prev: entry.prev.map(position),
            parts: Vec::new(),
        }
    }

    fn fold(&self, rows: &mut MemRows, before: &[Written], (log_of, id): Written) {
        let index = before.iter().filter(|(l, _)| *l == log_of).count();
        let (log_of, entry) = (usize::from(log_of), self.get(id));
        let envelope = self.envelope(log_of, index, entry);
        let event = match entry.mv {
            None => Event::CaseOpened { facts: facts(), effective_on: on() },
            Some(mv) => Event::CaseMove(self.moves[mv].clone()),
        };
        let prologue = (log_of == SECOND).then(|| Head {
            log: log(0),
            size: u64::try_from(entry.pinned).unwrap(),
            root: Hash::new([0; 32]),
        });
        let fold = FoldEntry {
            agreement: AGREEMENT,
            city: city(author(log_of)),
            epoch: if log_of == SECOND { 2 } else { 1 },
            prologue,
            members: &members(),
            envelope: &envelope,
            event: &event,
        };
        view::apply(rows, &fold, 1 + u64::try_from(before.len()).unwrap());
    }

    fn read(&self, rows: &MemRows, set: &[Written]) -> View {
        let subject = subject_id(position((0, 0)));
        let found = view::case(rows, AGREEMENT, subject).expect("the case is open");
        let places = places(set);
        let last = places.iter().find(|p| position(**p) == found.last_move).copied();
        let mut without_effect = Vec::new();
        view::history(rows, AGREEMENT, subject, 0, &mut |entry| {
            if matches!(entry.effect, Effect::Misfit(_)) {
                without_effect.push(entry.position);
            }
            true
        });
        let misfit = |p: &Place| without_effect.contains(&position(*p));
        View {
            case: found.case,
            last: last.expect("the last move is applied"),
            misfits: places.iter().copied().filter(misfit).collect(),
            hash: view::fold_hash(rows, AGREEMENT, &[]),
        }
    }

    fn by_arrival(&self, order: &[Written]) -> View {
        let mut case = domain::open(city(0), facts(), on());
        let (mut last, mut misfits) = ((0, 0), Vec::new());
        for (place, (log_of, id)) in places(order).into_iter().zip(order) {
            let Some(mv) = self.get(*id).mv else { continue };
            let by = city(author(usize::from(*log_of)));
            match domain::next(&case, by, &members(), &self.moves[mv]) {
                Ok(next) => (case, last) = (next, place),
                Err(_) => misfits.push(place),
            }
        }
        misfits.sort_unstable();
        View { case, last, misfits, hash: Hash::new([0; 32]) }
    }
}

/// The order in which a set is a key: log by log.
pub fn sorted(order: &[Written]) -> Vec<Written> {
    let mut set = order.to_vec();
    // Stable, so that each log keeps its own order.
    set.sort_by_key(|(log, _)| *log);
    set
}

/// The place of each entry of an order.
fn places(order: &[Written]) -> Vec<Place> {
    let mut sizes = [0; LOGS];
    order
        .iter()
        .map(|(log, _)| {
            let log = usize::from(*log);
            sizes[log] += 1;
            (log, sizes[log] - 1)
        })
        .collect()
}
