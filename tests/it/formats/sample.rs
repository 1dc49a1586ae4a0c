//! The sample: three cities, one agreement, two logs, from fixed keys. Every golden file shows a
//! piece of it.
//!
//! 371500 opens a case, verifies and amends it and offers it to 130400, which accepts; 371500 adds a
//! note for 130400 alone. Keys are made of one repeated byte: they are for this sample and nothing else.

use bytes::Bytes;
use liandong::api::request::PartContent;
use liandong::domain::{
    CaseContribution, CaseDraft, CaseFacts, CaseMove, CaseRecord, CaseStep, DataLevel, Date, Event,
    ExternalRef, Medium, PersonRecord, Source, Violation,
};
use liandong::ids::{ActorId, AgreementId, CityCode, Hash, LogId, NodeId, Position, SubjectId};
use liandong::log::checkpoint::{SignedCheckpoint, cosign};
use liandong::log::keys::SigningKey;
use liandong::log::manifest::{HashAlgorithm, Manifest, SignatureAlgorithm, SignedManifest};
use liandong::log::merkle::{self, Frontier};
use liandong::log::{
    ActorRef, ActorRole, Audience, Envelope, Head, PartRef, PartSlot, RequestTags, Subject,
    SubjectKind, subject_id,
};
use liandong::sync::{Cosign, RawBatch, RawEntry};
use liandong::trust::amendment::Amendment;
use liandong::trust::card::Card;
use liandong::trust::charter::{self, Charter, Deadlines, Member};
use liandong::trust::keys::HmacKey;
use liandong::wire;

pub const LIAOCHENG: u32 = 371_500;
pub const HANDAN: u32 = 130_400;
pub const PUYANG: u32 = 410_900;
pub const DEZHOU: u32 = 371_400;
pub const AGREEMENT: AgreementId = AgreementId::new([0xa1; 16]);
/// 2026-11-20 10:00 in Beijing.
const TIME_MS: i64 = 1_795_140_000_000;
/// When 130400 and 371500 cosign, seconds since 1970.
pub const COSIGNED_S: u64 = 1_795_140_002;

pub fn city(code: u32) -> CityCode {
    CityCode::from_u32(code).unwrap()
}

pub fn key(byte: u8) -> SigningKey {
    SigningKey::from_seed(&[byte; 32]).unwrap()
}

pub fn city_key(code: u32) -> SigningKey {
    key(match code {
        LIAOCHENG => 0x11,
        HANDAN => 0x12,
        PUYANG => 0x13,
        _ => 0x14,
    })
}

pub fn node_key() -> HmacKey {
    HmacKey::new([0x51; 32])
}

fn date(text: &str) -> Date {
    Date::parse(text).unwrap()
}

fn member(code: u32, short: &str, name: &str) -> Member {
    Member {
        city: city(code),
        short_name: short.to_owned(),
        name: name.to_owned(),
        city_key: city_key(code).verifying_key(),
        recovery_key: (code == LIAOCHENG).then(|| merkle::digest(&[0x19; 32])),
    }
}

pub fn charter() -> Charter {
    Charter {
        agreement: AGREEMENT,
        version: 1,
        supersedes: None,
        short_name: "聊邯濮".to_owned(),
        title: "聊城市—邯郸市—濮阳市行政边界地区环境执法联动协议".to_owned(),
        begin_on: date("2026-01-01"),
        end_on: date("2028-12-31"),
        belt_metres: 10_000,
        deadlines: Deadlines::default(),
        members: vec![
            member(HANDAN, "邯", "邯郸市生态环境局"),
            member(LIAOCHENG, "聊", "聊城市生态环境局"),
            member(PUYANG, "濮", "濮阳市生态环境局"),
        ],
        border_pairs: vec![
            (city(HANDAN), city(LIAOCHENG)),
            (city(HANDAN), city(PUYANG)),
            (city(LIAOCHENG), city(PUYANG)),
        ],
        amendments: Vec::new(),
    }
}

/// Puyang leaves, Dezhou joins, Handan has a new city key.
pub fn amended() -> Charter {
    let (liaocheng, handan) = (manifest(LIAOCHENG).log_id(), manifest(HANDAN).log_id());
    let log = puyang_log();
    let mut members = charter().members;
    members.pop();
    members[0].city_key = key(0x18).verifying_key();
    members.insert(1, member(DEZHOU, "德", "德州市生态环境局"));
    let mut logs = vec![
        Amendment::Closed(Head { log, size: 0, root: merkle::empty_root() }),
        Amendment::GoesOn(handan),
    ];
    let mut parts = vec![
        Amendment::PartsFrom { city: city(DEZHOU), log: liaocheng, from: 6 },
        Amendment::PartsFrom { city: city(DEZHOU), log: handan, from: 0 },
    ];
    logs.sort_by_key(ToString::to_string);
    parts.sort_by_key(ToString::to_string);
    let heir = Amendment::Heir { leaving: city(PUYANG), heir: city(LIAOCHENG) };
    Charter {
        version: 2,
        supersedes: Some(charter().hash()),
        short_name: "聊邯德".to_owned(),
        title: "聊城市—邯郸市—德州市行政边界地区环境执法联动协议".to_owned(),
        members,
        border_pairs: vec![(city(HANDAN), city(LIAOCHENG)), (city(DEZHOU), city(LIAOCHENG))]
            .into_iter()
            .map(|(a, b)| (a.min(b), a.max(b)))
            .collect(),
        amendments: logs.into_iter().chain([heir]).chain(parts).collect(),
        ..charter()
    }
}

fn puyang_log() -> LogId {
    manifest(PUYANG).log_id()
}

pub fn charter_note(of: &Charter) -> Bytes {
    let sign = |m: &Member| {
        let own = [key(0x18), city_key(m.city.as_u32())];
        let fits = own.into_iter().find(|k| k.verifying_key() == m.city_key).unwrap();
        of.sign(m.city, &fits).unwrap()
    };
    charter::note(of, of.members.iter().map(sign).collect()).unwrap()
}

pub fn card() -> Card {
    Card {
        city: city(LIAOCHENG),
        number: 3,
        nodes: vec![NodeId::new([0x41; 16]), NodeId::new([0x49; 16])],
        addresses: vec![
            "node.lc.example:7443".to_owned(),
            "10.37.15.2:7443".to_owned(),
            "[2001:db8::15]:7443".to_owned(),
        ],
        // Whether it is a certificate is judged where TLS is set up.
        cas: vec![b"these bytes stand for a certificate in DER".to_vec()],
        duty_phone: Some("0635-0000000".to_owned()),
    }
}

pub fn manifest(code: u32) -> Manifest {
    let byte = match code {
        LIAOCHENG => 1,
        HANDAN => 2,
        _ => 3,
    };
    Manifest {
        agreement: AGREEMENT,
        city: city(code),
        node: NodeId::new([0x40 + byte; 16]),
        epoch: 1,
        charter: charter().hash(),
        log_key: key(0x20 + byte).verifying_key(),
        cosign_key: key(0x30 + byte).verifying_key(),
        signature: SignatureAlgorithm::Ed25519,
        hash: HashAlgorithm::Sha256,
        prologue: None,
    }
}

/// 371500 goes on after a restore.
pub fn next_manifest() -> Manifest {
    Manifest {
        node: NodeId::new([0x49; 16]),
        epoch: 2,
        log_key: key(0x29).verifying_key(),
        cosign_key: key(0x39).verifying_key(),
        prologue: Some(batches()[1].head),
        ..manifest(LIAOCHENG)
    }
}

pub fn manifest_note(of: Manifest) -> Bytes {
    let key = city_key(of.city.as_u32());
    SignedManifest::sign(of, &key).unwrap().note().clone()
}

fn record() -> CaseRecord {
    CaseRecord::parse(&CaseDraft {
        title: "示例纸业有限公司涉嫌私设暗管排放废水案".into(),
        summary: "群众举报，\n现场检查发现暗管。".into(),
        coordinates: Some(("115.137564".into(), "36.243426".into(), "CGCS2000".into())),
        address: "莘县示例镇示例村北侧".into(),
        party_name: "示例纸业有限公司".into(),
        party_uscc: "91371522YYYY90011A".into(),
        officers: vec![
            ("37150099011".into(), "聊城市生态环境保护综合行政执法支队".into()),
            ("37150099022".into(), "聊城市生态环境保护综合行政执法支队".into()),
        ],
        ..CaseDraft::default()
    })
    .unwrap()
}

fn facts() -> CaseFacts {
    CaseFacts {
        source: Source::UavPatrol,
        medium: Medium::Water,
        violation: Violation::EvasionWater,
        county_code: Some(371_522),
        discovered_time_ms: TIME_MS - 86_400_000,
        occurred_from: Some(date("2026-11-18")),
        occurred_to: None,
        data_level: DataLevel::General,
        borders: Vec::new(),
        border_uncertain: false,
        belt_exception: false,
        has_point: true,
    }
}

/// A batch with the head after it.
#[derive(Clone)]
pub struct Sealed {
    pub batch: RawBatch,
    pub head: Head,
}

/// A log that is being written.
struct Pen {
    log: LogId,
    key: SigningKey,
    frontier: Frontier,
    from: u64,
    entries: Vec<RawEntry>,
}

impl Pen {
    fn new(code: u32, key: SigningKey) -> Self {
        let log = manifest(code).log_id();
        Self { log, key, frontier: Frontier::new(), from: 0, entries: Vec::new() }
    }

    fn at(&self) -> Position {
        Position { log: self.log, index: self.frontier.size() }
    }

    fn head(&self) -> Head {
        Head { log: self.log, size: self.frontier.size(), root: self.frontier.root() }
    }

    /// Writes an entry; `fill` changes what the bare envelope says.
    fn write(
        &mut self,
        subject: Subject,
        event: &Event,
        parts: &[(Audience, PartContent)],
        fill: impl FnOnce(&mut Envelope),
    ) -> Position {
        let at = self.at();
        let encoded: Vec<Bytes> = parts
            .iter()
            .zip(0_u8..)
            .map(|((_, content), n)| {
                wire::part::encode_part(content, [0x60 + at.index as u8 * 4 + n; 16])
            })
            .collect();
        let refs = parts.iter().zip(&encoded).map(|((audience, content), bytes)| PartRef {
            kind: content.kind(),
            audience: audience.clone(),
            digest: merkle::digest(bytes),
        });
        let mut envelope = Envelope {
            log: at.log,
            index: at.index,
            record_time_ms: TIME_MS + at.index as i64 * 1_000,
            clock_suspect: false,
            after: Vec::new(),
            actor: None,
            acting_for: None,
            request: None,
            subject,
            prev: None,
            parts: refs.collect(),
        };
        fill(&mut envelope);
        let header = wire::entry::encode_header(&envelope, event);
        self.frontier.push(merkle::leaf_hash(&header));
        let parts = encoded.into_iter().map(PartSlot::Bytes).collect();
        self.entries.push(RawEntry { header, parts });
        at
    }

    fn introduce(&mut self, actor: ActorRef, certificate: &str) {
        let id = SubjectId::new(*actor.id.as_bytes());
        let subject = Subject { kind: SubjectKind::Actor, id: Some(id) };
        let part = PartContent::ActorCertificate(certificate.to_owned());
        let parts = [(Audience::AllMembers, part)];
        self.write(subject, &Event::ActorIntroduced, &parts, |e| e.actor = Some(actor));
    }

    fn seal(&mut self) -> Sealed {
        let head = self.head();
        let checkpoint = SignedCheckpoint::sign(head, &self.key).note().clone();
        let entries = std::mem::take(&mut self.entries);
        let batch = RawBatch { log: self.log, from: self.from, entries, checkpoint };
        self.from = head.size;
        Sealed { batch, head }
    }
}

fn actor(role: ActorRole, byte: u8) -> ActorRef {
    ActorRef { role, id: ActorId::new([byte; 16]) }
}

fn tags(id: &str) -> RequestTags {
    let key = node_key();
    RequestTags {
        request: key.tag(&[b"request", b"spiffe://371500/system/case-system", id.as_bytes()]),
        body: key.tag(&[b"body", id.as_bytes()]),
    }
}

/// The case's opening and with it its id.
pub fn opening() -> Position {
    Position { log: manifest(LIAOCHENG).log_id(), index: 2 }
}

pub fn case() -> Subject {
    Subject { kind: SubjectKind::Case, id: Some(subject_id(opening())) }
}

/// All batches: 371500 at 3, at 6, 130400 at 2, 371500 at 7.
pub fn batches() -> Vec<Sealed> {
    let mut liaocheng = Pen::new(LIAOCHENG, key(0x21));
    let mut handan = Pen::new(HANDAN, key(0x22));
    let (system, officer) = (actor(ActorRole::System, 0x71), actor(ActorRole::Inspector, 0x72));
    let on = |day: &str| date(day);
    let by = |request: &str| {
        let tags = tags(request);
        move |e: &mut Envelope| {
            e.actor = Some(system);
            e.acting_for = Some(officer);
            e.request = Some(tags);
        }
    };
    liaocheng.introduce(system, "case-system");
    liaocheng.introduce(officer, "37150099011");
    let opened = Event::CaseOpened { facts: facts(), effective_on: on("2026-11-19") };
    let number = PartContent::CaseNumber {
        number: "LD-聊邯濮-2026-聊0001".to_owned(),
        external_ref: ExternalRef::parse("聊城办案系统", "2026-0099").unwrap(),
    };
    let person = PersonRecord::parse("示例某", "", "", "").unwrap();
    let parts = [
        (Audience::AllMembers, PartContent::CaseRecord(Box::new(record()))),
        (Audience::AllMembers, number),
        (Audience::HandlingCity, PartContent::Person(person)),
    ];
    let opens = Subject { kind: SubjectKind::Case, id: None };
    let opening = liaocheng.write(opens, &opened, &parts, by("request-1"));
    let first = liaocheng.seal();
    let verified =
        CaseMove::Stepped { step: CaseStep::VerificationStarted, effective_on: on("2026-11-20") };
    let fill = by("request-2");
    let verified = liaocheng.write(case(), &Event::CaseMove(verified), &[], |e| {
        fill(e);
        e.prev = Some(opening);
    });
    let facts = CaseFacts { border_uncertain: true, ..facts() };
    let amended = CaseMove::Amended { facts, effective_on: on("2026-11-20") };
    let parts = [(Audience::AllMembers, PartContent::CaseRecord(Box::new(record())))];
    let fill = by("request-3");
    let last = liaocheng.write(case(), &Event::CaseMove(amended), &parts, |e| {
        fill(e);
        e.prev = Some(verified);
    });
    let offered = CaseMove::TransferOffered { to: city(HANDAN), effective_on: on("2026-11-20") };
    let reason = PartContent::Text("排污口在贵市境内，移送处理。".to_owned());
    let fill = by("request-4");
    let parts = [(Audience::AllMembers, reason)];
    let offer = liaocheng.write(case(), &Event::CaseMove(offered), &parts, |e| {
        fill(e);
        e.prev = Some(last);
    });
    let second = liaocheng.seal();
    let coordinator = actor(ActorRole::Coordinator, 0x73);
    handan.introduce(coordinator, "13040099001");
    let accepted = CaseMove::TransferAccepted { effective_on: on("2026-11-20") };
    handan.write(case(), &Event::CaseMove(accepted), &[], |e| {
        e.actor = Some(coordinator);
        e.after = vec![second.head];
        e.prev = Some(offer);
    });
    let third = handan.seal();
    let note = PartContent::Text("暗管照片另送。".to_owned());
    let parts = [(Audience::Cities(vec![city(HANDAN)]), note)];
    let added = Event::Contribution(CaseContribution::NoteAdded);
    let fill = by("request-5");
    liaocheng.write(case(), &added, &parts, |e| {
        fill(e);
        e.after = vec![third.head];
        e.clock_suspect = true;
    });
    vec![first, second, third, liaocheng.seal()]
}

/// 130400 holds the log of 371500 up to its transfer.
pub fn cosignature() -> Cosign {
    let (head, witness) = (batches()[1].head, manifest(HANDAN).log_id());
    let line = cosign(head, witness, &key(0x32), COSIGNED_S).as_str().to_owned();
    Cosign { log: head.log, size: head.size, root: head.root, witness, line: line.into() }
}

/// Another history of the log of 371500, signed by its key as well.
pub fn second_history() -> SignedCheckpoint {
    let head = Head { root: Hash::new([0xee; 32]), ..batches()[1].head };
    SignedCheckpoint::sign(head, &key(0x21))
}
