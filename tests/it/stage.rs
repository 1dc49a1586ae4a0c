//! One real core in the world in memory; the nodes of the other members are played by a test,
//! frame by frame.

use liandong::api::status::LogStatus;
use liandong::domain::Event;
use liandong::ids::{LogId, Position};
use liandong::node::core::{Input, Output};
use liandong::sync::{Frame, LinkId, RawBatch};
use liandong::view::ReadRows;

use super::rogue::{About, Author};
use super::world::{World, facts, today};

/// The city whose core is real.
pub const HERE: usize = 0;

pub struct Stage {
    pub world: World,
}

impl Stage {
    /// All cities but the first are down: a test speaks for them.
    pub fn laid(seed: u64, n: usize, members: &[&[usize]]) -> Self {
        let mut world = World::new(seed, n, members);
        (1..n).for_each(|i| world.crash(i));
        Self { world }
    }

    /// A connection of city `i` stands; nothing was said.
    pub fn link(&mut self, i: usize) -> LinkId {
        let link = 100 + i as LinkId;
        let city = self.world.cities[i].code;
        let up = Input::LinkUp { link, city, by_us: false, address: String::new() };
        self.world.ask(HERE, up);
        link
    }

    /// The city of an author is linked and has greeted.
    pub fn greet(&mut self, i: usize, author: &Author) -> LinkId {
        let link = self.link(i);
        self.say(link, Frame::Hello(author.hello()));
        link
    }

    pub fn say(&mut self, link: LinkId, frame: Frame) -> Vec<Output> {
        self.world.ask(HERE, Input::Frame(link, frame))
    }

    pub fn commit(&mut self) -> Vec<Output> {
        self.world.ask(HERE, Input::Commit)
    }

    /// Time passes, and the core hears of it.
    pub fn tick(&mut self, ms: u64) -> Vec<Output> {
        self.world.pass(ms);
        self.world.ask(HERE, Input::Tick)
    }

    /// A batch that the author counts as written is said and stored.
    pub fn store(&mut self, link: LinkId, author: &mut Author, batch: &RawBatch) -> Vec<Output> {
        let mut outputs = self.say(link, Frame::Batch(batch.clone()));
        author.wrote(batch);
        outputs.extend(self.commit());
        assert_eq!(self.size(author.log), Some(author.frontier.size()), "{outputs:?}");
        outputs
    }

    /// How much of a log is here; `None` if it is not known.
    pub fn size(&self, log: LogId) -> Option<u64> {
        self.world.head_at(HERE, log).map(|head| head.size)
    }

    /// What the status says of a log.
    pub fn shown(&mut self, log: LogId) -> LogStatus {
        let outputs = self.world.ask(HERE, Input::Status(1));
        let Some(Output::Status(_, status)) = outputs.into_iter().next() else { panic!() };
        status.logs.into_iter().find(|l| l.log == log).unwrap()
    }

    /// All rows of the view: cases, histories, the feed in its order.
    pub fn view_rows(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut rows = Vec::new();
        self.world.reader(HERE).view().scan(b"A", b"[", false, &mut |key, value| {
            rows.push((key.to_vec(), value.to_vec()));
            true
        });
        rows
    }
}

pub fn opened() -> Event {
    Event::CaseOpened { facts: facts(), effective_on: today() }
}

/// The next entry of an author opens a case.
pub fn opening(author: &Author) -> RawBatch {
    author.batch(vec![author.entry(0, &opened(), About::case(None), &[])])
}

/// Frames that go to a link.
pub fn frames(outputs: &[Output], to: LinkId) -> Vec<&Frame> {
    outputs
        .iter()
        .filter_map(|output| {
            let Output::Send(link, frame) = output else { return None };
            (*link == to).then_some(frame)
        })
        .collect()
}

/// Parts that a link is asked for.
pub fn asked(outputs: &[Output], of: LinkId) -> Vec<(Position, u32)> {
    let frames = frames(outputs, of).into_iter();
    let parts = frames.filter_map(|frame| {
        let Frame::FetchParts { entry, parts } = frame else { return None };
        Some(parts.iter().map(|part| (*entry, *part)))
    });
    parts.flatten().collect()
}

/// Sizes up to which a log is cosigned towards a link.
pub fn cosigned(outputs: &[Output], to: LinkId, log: LogId) -> Vec<u64> {
    let frames = frames(outputs, to).into_iter();
    let sizes = frames.filter_map(|frame| {
        let Frame::Cosign(cosign) = frame else { return None };
        (cosign.log == log).then_some(cosign.size)
    });
    sizes.collect()
}
