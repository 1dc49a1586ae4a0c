//! Who gets to see what: planted texts are looked for on every disk and asked for through every
//! method, by cities that may have them and by cities that may not.

use std::path::{Path, PathBuf};

use bytes::{Buf, BufMut, Bytes};
use liandong::cli::connect::Client;
use liandong::ids::{LogId, Position};
use liandong::sync::Frame;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;
use prost::Message;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::Channel;
use tonic::{Request, Status};

use super::exchange::{FIVE, arrived, create, equal, logs};
use super::nodes::{Nodes, case_request, plan, standing, until, until_or};
use super::rogue::{Author, Rogue};
use super::roles;

const PAIR: [u32; 2] = [371_500, 130_400];
const TITLE: &str = "PLANTED-TITLE-5c1d";
const PERSON: &str = "PLANTED-PERSON-88a2";
const NOTE: &str = "PLANTED-NOTE-f03b";

fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(_) => found.push(entry.path()),
                Err(_) => {}
            }
        }
    }
    found
}

/// Whether a text lies anywhere below a city's folder, its log file included.
pub fn on_disk(nodes: &Nodes, code: u32, below: &str, text: &str) -> bool {
    let holds = |path: &PathBuf| {
        let bytes = std::fs::read(path).unwrap_or_default();
        bytes.windows(text.len()).any(|w| w == text.as_bytes())
    };
    files(&nodes.fleet.folder(code).join(below)).iter().any(holds)
}

/// The planted text is in the journals of these cities, and nowhere else on any disk.
fn lies_only_with(nodes: &Nodes, text: &str, entitled: &[u32]) {
    for code in FIVE {
        let may = entitled.contains(&code);
        assert_eq!(on_disk(nodes, code, "data/journal", text), may, "{text} at {code}");
        // No view, index, queue or log line has a copy.
        assert!(!on_disk(nodes, code, "data/views", text), "{text} in the views of {code}");
        assert!(may || !on_disk(nodes, code, "", text), "{text} in the folder of {code}");
    }
}

/// Messages as bytes, whatever they are.
struct RawCodec;
struct RawEnds;

impl Codec for RawCodec {
    type Encode = Vec<u8>;
    type Decode = Bytes;
    type Encoder = RawEnds;
    type Decoder = RawEnds;
    fn encoder(&mut self) -> RawEnds {
        RawEnds
    }
    fn decoder(&mut self) -> RawEnds {
        RawEnds
    }
}

impl Encoder for RawEnds {
    type Item = Vec<u8>;
    type Error = Status;
    fn encode(&mut self, item: Vec<u8>, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put_slice(&item);
        Ok(())
    }
}

impl Decoder for RawEnds {
    type Item = Bytes;
    type Error = Status;
    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}

/// Fields that requests have at these places: name or parent, etag, text, request id.
#[derive(Clone, PartialEq, Message)]
struct Asked {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    etag: String,
    #[prost(string, tag = "4")]
    text: String,
    #[prost(string, tag = "90")]
    request_id: String,
}

/// All that a method says to a request: its messages, or its status.
async fn ask(channel: &Channel, method: &str, asked: &Asked) -> Result<Vec<u8>, Status> {
    let mut grpc = tonic::client::Grpc::new(channel.clone());
    grpc.ready().await.unwrap();
    let path = http::uri::PathAndQuery::try_from(method).unwrap();
    let mut request = Request::new(asked.encode_to_vec());
    request.set_timeout(std::time::Duration::from_secs(20));
    let mut stream = grpc.server_streaming(request, path, RawCodec).await?.into_inner();
    let mut said = Vec::new();
    // A watch never ends by itself: what it says at first is enough.
    let moment = std::time::Duration::from_millis(300);
    while let Ok(Ok(Some(message))) = tokio::time::timeout(moment, stream.message()).await {
        said.extend_from_slice(&message);
    }
    Ok(said)
}

fn holds(said: &[u8], text: &str) -> bool {
    said.windows(text.len()).any(|w| w == text.as_bytes())
}

/// Asks for a case, and for one that is nowhere, through every method: the answers are the same.
async fn learns_nothing(nodes: &Nodes, code: u32, agreement: &str, case: &str) {
    let nowhere = |name: &str| {
        let id = agreement.strip_prefix("agreements/").unwrap();
        name.replace(id, "0199aaaa00007000800000000000abcd")
    };
    let etag = format!("{}:0", "ab".repeat(32));
    let mut asked = 0;
    for role in [Role::Coordinator, Role::Admin, Role::Auditor] {
        let channel = roles::channel(nodes, code, role).await;
        for method in roles::methods().into_iter().filter(|m| m.contains("liandong.v1.")) {
            for name in [agreement, case] {
                for full in [false, true] {
                    let text = |text: &str| if full { text.to_owned() } else { String::new() };
                    let request = |name: &str| Asked {
                        name: name.to_owned(),
                        etag: text(&etag),
                        text: text("text"),
                        request_id: text(&uuid::Uuid::new_v4().to_string()),
                    };
                    let there = ask(&channel, &method, &request(name)).await;
                    let gone = ask(&channel, &method, &request(&nowhere(name))).await;
                    let shown = format!("{method} {name}: {there:?}, else {gone:?}");
                    match (&there, &gone) {
                        (Ok(said), Ok(_)) => {
                            let secrets = [TITLE, agreement, case];
                            assert!(!secrets.iter().any(|s| holds(said, s)), "{shown}");
                        }
                        (Err(one), Err(other)) => {
                            let same = (one.code(), one.message().replace(name, ""));
                            let nowhere = other.message().replace(&nowhere(name), "");
                            assert_eq!(same, (other.code(), nowhere), "{shown}");
                            assert!(!holds(one.details(), TITLE), "{shown}");
                        }
                        (Ok(_), Err(_)) | (Err(_), Ok(_)) => panic!("{shown}"),
                    }
                    asked += 1;
                }
            }
        }
    }
    assert!(asked > 300, "{asked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bilateral_case_lies_with_two_cities_and_nobody_else_learns_of_it() {
    let agreements: [(&str, &[u32]); 2] = [("聊邯", &PAIR), ("五市", &FIVE)];
    let nodes = Nodes::start_all(&plan(&FIVE, &agreements));
    let (agreement, wide) = (nodes.fleet.agreements[0].name(), nodes.fleet.agreements[1].name());
    let (here, there) = (nodes.client(371_500).await, nodes.client(130_400).await);
    let case = create(&here, &agreement, TITLE).await;
    let read = arrived(&there, &case.name).await;
    assert_eq!(read.record.unwrap().title, TITLE);
    // Others exchange with both in the meantime.
    let shared = create(&here, &wide, "五市共知").await;
    for code in FIVE {
        arrived(&nodes.client(code).await, &shared.name).await;
    }
    lies_only_with(&nodes, TITLE, &PAIR);
    learns_nothing(&nodes, 410_900, &agreement, &case.name).await;
    let pair: Vec<String> =
        logs(&here, &agreement).await.into_values().map(|log| log.log_id).collect();
    for code in [410_900, 371_400, 370_900] {
        let client = nodes.client(code).await;
        let status = client.nodes().get_status(pb::GetStatusRequest {}).await.unwrap();
        let shown = format!("{:?}", status.into_inner());
        assert!(pair.iter().all(|log| !shown.contains(log)), "{code} knows of a log");
        assert!(!shown.contains(&agreement), "{code} knows of the agreement");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_another_city_is_told_nothing_of_a_bilateral_agreement() {
    let three = [371_500, 130_400, 410_900];
    let agreements: [(&str, &[u32]); 2] = [("三市", &three), ("聊邯", &PAIR)];
    let mut nodes = Nodes::lay_out(&plan(&three, &agreements));
    let author = Author::of(&nodes, 410_900);
    PAIR.iter().for_each(|code| nodes.start(*code));
    let agreement = nodes.fleet.agreements[1].name();
    let client = nodes.client(371_500).await;
    create(&client, &agreement, TITLE).await;
    let log = logs(&client, &agreement).await.remove(&371_500).unwrap();
    let (log, unknown) = (LogId::parse(&log.log_id).unwrap(), LogId::new([4; 32]));
    let mut rogue = Rogue::open(&nodes, 410_900, 371_500).await;
    rogue.say(Frame::Hello(author.hello())).await;
    let greeting = |f: &Frame| if let Frame::Hello(hello) = f { Some(hello.clone()) } else { None };
    let hello = rogue.wait("its greeting", greeting).await;
    assert_eq!(hello.agreements.len(), 1);
    assert_eq!(hello.agreements[0].agreement, author.agreement);
    for log in [log, unknown] {
        let entry = Position { log, index: 0 };
        rogue.say(Frame::Subscribe { log, from: 0, credit: 1 << 20 }).await;
        rogue.say(Frame::FetchParts { entry, parts: vec![0] }).await;
        rogue.say(Frame::Announce { log, checkpoint: Bytes::from_static(b"x") }).await;
        for _ in 0..2 {
            assert_eq!(rogue.refusal().await, ("NOT_FOUND".to_owned(), 0, Vec::new()));
        }
        rogue.settled().await;
    }
    let told = rogue.heard.iter().map(|f| format!("{f:?}")).collect::<String>();
    assert!(!told.contains(&log.to_string()) && !told.contains(TITLE), "{told}");
}

/// What each city reads of the person of a case.
async fn persons(nodes: &Nodes, name: &str) -> Vec<(u32, String)> {
    let mut all = Vec::new();
    for code in FIVE {
        let case = arrived(&nodes.client(code).await, name).await;
        all.push((code, case.person.map(|p| p.name).unwrap_or_default()));
    }
    all
}

async fn everybody_equal(nodes: &Nodes, agreement: &str) {
    let mut clients: Vec<Client> = Vec::new();
    for code in FIVE {
        clients.push(nodes.client(code).await);
    }
    equal(&clients.iter().collect::<Vec<_>>(), agreement).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn narrow_parts_go_to_whom_they_are_for_and_with_the_handling() {
    let nodes = Nodes::start_all(&plan(&FIVE, &[("五市", &FIVE)]));
    let agreement = nodes.fleet.agreements[0].name();
    let (here, there) = (nodes.client(371_500).await, nodes.client(130_400).await);
    create(&here, &agreement, "先到").await;
    let mut request = case_request(&agreement, "当事人为自然人");
    request.person = Some(pb::PersonRecord { name: PERSON.to_owned(), ..Default::default() });
    let case = here.cases().create_case(request).await.unwrap().into_inner().case.unwrap();
    let note = pb::AddNoteRequest {
        name: case.name.clone(),
        text: NOTE.to_owned(),
        cities: vec![410_900],
        request_id: "note".to_owned(),
        ..Default::default()
    };
    here.cases().add_note(note).await.unwrap();
    for code in FIVE {
        arrived(&nodes.client(code).await, &case.name).await;
    }
    everybody_equal(&nodes, &agreement).await;
    // A part that came later than its batch is asked for: give it the time to come.
    until("the note is where it may be", || async {
        on_disk(&nodes, 410_900, "data/journal", NOTE).then_some(())
    })
    .await;
    lies_only_with(&nodes, PERSON, &[371_500]);
    lies_only_with(&nodes, NOTE, &[371_500, 410_900]);
    for (code, name) in persons(&nodes, &case.name).await {
        assert_eq!(name, if code == 371_500 { PERSON } else { "" }, "at {code}");
    }
    let verify = pb::StartVerificationRequest {
        name: case.name.clone(),
        etag: arrived(&here, &case.name).await.etag,
        request_id: "verify".to_owned(),
        ..Default::default()
    };
    let current = here.cases().start_verification(verify).await.unwrap();
    let current = current.into_inner().case.unwrap();
    let offer = pb::OfferTransferRequest {
        name: case.name.clone(),
        etag: current.etag,
        to_city: 130_400,
        request_id: "offer".to_owned(),
        ..Default::default()
    };
    let offered = here.cases().offer_transfer(offer).await.unwrap().into_inner().case.unwrap();
    until("the offer is there", || async {
        (arrived(&there, &case.name).await.etag == offered.etag).then_some(())
    })
    .await;
    everybody_equal(&nodes, &agreement).await;
    lies_only_with(&nodes, PERSON, &[371_500]);
    let accept = pb::AcceptTransferRequest {
        name: case.name.clone(),
        etag: offered.etag,
        request_id: "accept".to_owned(),
        ..Default::default()
    };
    there.cases().accept_transfer(accept).await.unwrap();
    let named = || async {
        let case = arrived(&there, &case.name).await;
        (case.person.is_some_and(|p| p.name == PERSON)).then_some(())
    };
    until_or("the receiver reads the person's name", named, || standing(&there)).await;
    // The node itself says that all files have come; everybody reads that.
    for code in FIVE {
        let client = nodes.client(code).await;
        let complete = || async {
            let case = arrived(&client, &case.name).await;
            (case.handling_city == 130_400 && !case.files_outstanding).then_some(())
        };
        until_or("the files are complete", complete, || standing(&client)).await;
    }
    everybody_equal(&nodes, &agreement).await;
    lies_only_with(&nodes, PERSON, &PAIR);
    lies_only_with(&nodes, NOTE, &[371_500, 410_900]);
}
