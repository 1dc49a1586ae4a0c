//! Whether a city has the text of a notice that is for some members only: no receipt tells, so its
//! node is asked.

use liandong::domain::notice::{NoticeDraft, NoticeRecord};
use liandong::domain::{Event, NoticeKind};
use liandong::ids::Position;
use liandong::log::{Audience, PartKind, PartSlot, Subject, SubjectKind, subject_id};
use liandong::sync::Frame;
use liandong::wire::pb::peer_v1 as peer;
use liandong::wire::pb::peer_v1::peer_service_client::PeerServiceClient;
use tonic::{Code, Status};

use super::api::{HERE, THERE, ready, refused};
use super::nodes::{Nodes, plan, until};
use super::rogue::{About, Author, Rogue, channel, city};
use liandong::api::request::PartContent;
use liandong::wire::part::encode_part;

const DEZHOU: u32 = 371_400;

/// A city asks Liaocheng whether it has the text of a notice.
async fn ask(nodes: &Nodes, by: u32, author: &Author, opened: Position) -> Result<bool, Status> {
    let mut client = PeerServiceClient::new(channel(nodes, by, HERE).await.unwrap());
    let asked = peer::HoldsNoticeRequest {
        agreement_id: author.agreement.as_bytes().to_vec().into(),
        subject_id: subject_id(opened).as_bytes().to_vec().into(),
    };
    client.holds_notice(asked).await.map(|answer| answer.into_inner().held)
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_a_city_has_a_text_its_issuer_learns_and_nobody_else() {
    let cities = [HERE, THERE, DEZHOU];
    let mut nodes = Nodes::lay_out(&plan(&cities, &[("聊邯德", &cities)]));
    nodes.start(HERE);
    let (agreement, here) = (nodes.fleet.agreements[0].name(), nodes.client(HERE).await);
    ready(&here, &agreement).await;
    let handan = Author::of(&nodes, THERE);
    let greeted = Rogue::greeted(&nodes, THERE, HERE, &handan).await;
    let draft = NoticeDraft {
        title: "来水异常", text: "请关闭下游取水口", ..Default::default()
    };
    let record = PartContent::Notice(Box::new(NoticeRecord::parse(draft).unwrap()));
    let text = encode_part(&record, [7; 16]);
    let to = city(HERE);
    let event =
        Event::NoticeIssued { kind: NoticeKind::General, level: None, addressees: vec![to] };
    let subject = Subject { kind: SubjectKind::Notice, id: None };
    let part = (PartKind::Notice, Audience::Cities(vec![to]), text.clone());
    let mut entry = handan.entry_of(0, &event, About::subject(subject), &[part]);
    entry.parts[0] = PartSlot::Withheld;
    let opened = Position { log: handan.log, index: handan.frontier.size() };
    let unknown = (Code::NotFound, "NOT_FOUND".to_owned());
    assert_eq!(refused(ask(&nodes, THERE, &handan, opened).await), unknown, "no such notice yet");

    greeted.say(Frame::Batch(handan.batch(vec![entry]))).await;
    let answer = || async { ask(&nodes, THERE, &handan, opened).await.ok() };
    assert!(!until("its entry is there", answer).await, "its text is not");
    assert_eq!(refused(ask(&nodes, DEZHOU, &handan, opened).await), unknown);
    greeted.say(Frame::LateParts { entry: opened, parts: vec![(0, text)] }).await;
    until("its text is there", || async { answer().await.filter(|held| *held) }).await;
    assert_eq!(refused(ask(&nodes, DEZHOU, &handan, opened).await), unknown);
    // An id of another length is an error of its own.
    let mut client = PeerServiceClient::new(channel(&nodes, THERE, HERE).await.unwrap());
    let bad = client.holds_notice(peer::HoldsNoticeRequest::default()).await.unwrap_err();
    assert_eq!(bad.code(), Code::InvalidArgument);
}
