//! Bytes of evidence that not all members may have, between real nodes: who gets them, by what, and
//! what the others are told.

use liandong::cli::connect::Client;
use liandong::wire::pb::v1 as pb;
use tonic::{Code, Status};

use super::api::{HERE, THERE, create, fresh, get, history, ready, refused, sample, verify};
use super::evidence_files::{
    CHUNK, DEZHOU, content, download, fetch, file, hashes, read_as, start, upload,
};
use super::evidence_kept::fetch_from;
use super::grants::grant;
use super::nodes::{Nodes, plan, until};

const GENERAL: pb::DataLevel = pb::DataLevel::General;
/// The kind decides.
const UNSET: pb::DataLevel = pb::DataLevel::Unspecified;

fn item(id: &str, kind: pb::EvidenceKind, level: pb::DataLevel, bytes: &[u8]) -> pb::Evidence {
    pb::Evidence {
        id: id.to_owned(),
        kind: kind.into(),
        title: format!("证据 {id}"),
        collected_on: Some(pb::Date { year: 2026, month: 3, day: 2 }),
        mime: "application/zip".into(),
        size_bytes: bytes.len() as u64,
        sha256: hashes(bytes).0.into(),
        level: level.into(),
        ..pb::Evidence::default()
    }
}

/// Lists items in a case; the entry that does.
async fn add(client: &Client, case: &str, evidence: Vec<pb::Evidence>) -> String {
    let request = pb::AddEvidenceRequest {
        name: case.to_owned(),
        evidence,
        request_id: fresh(),
        ..pb::AddEvidenceRequest::default()
    };
    let answer = client.cases().add_evidence(request).await.unwrap().into_inner();
    answer.receipt.unwrap().entry
}

/// Writes a record anew, on what was read with it.
async fn correct(
    client: &Client,
    (name, etag): (String, String),
    record: pb::CaseRecord,
) -> Result<pb::Case, Status> {
    let update = pb::UpdateCaseRequest {
        name,
        etag,
        record: Some(record),
        request_id: fresh(),
        ..pb::UpdateCaseRequest::default()
    };
    client.cases().update_case(update).await.map(|answer| answer.into_inner().case.unwrap())
}

async fn is_there(client: &Client, case: &str, entry: &str) {
    until("an entry is in the other city", || async {
        let known = get(client, case).await.is_ok();
        let all = if known { history(client, case).await } else { Vec::new() };
        all.iter().any(|one| one.entry == entry).then_some(())
    })
    .await;
}

/// A case of one city that lists three files, of which two are restricted by their kind.
struct Listed {
    nodes: Nodes,
    here: Client,
    there: Client,
    dezhou: Client,
    case: pb::Case,
    /// The opening, and which of its parts lists the interview.
    opened: (String, u32),
    /// The entry that lists the film and the paper.
    added: String,
    interview: Vec<u8>,
    film: Vec<u8>,
    paper: Vec<u8>,
    /// Listed with the film, in a part of its own.
    second: Vec<u8>,
}

impl Listed {
    async fn new() -> Self {
        let members = [HERE, THERE, DEZHOU];
        let nodes = Nodes::start_all(&plan(&members, &[("聊邯德", &members)]));
        let agreement = nodes.fleet.agreements[0].name();
        let (here, there) = (nodes.client(HERE).await, nodes.client(THERE).await);
        let dezhou = nodes.client(DEZHOU).await;
        for client in [&here, &there, &dezhou] {
            ready(client, &agreement).await;
        }
        let [interview, film, paper, second] =
            [21, 22, 23, 26].map(|seed| content(2 * CHUNK, seed));
        let mut opening = sample(&agreement, 0);
        let record = opening.record.as_mut().unwrap();
        record.evidence = vec![item("E01", pb::EvidenceKind::InterviewRecord, UNSET, &interview)];
        let case = create(&here, opening).await.unwrap();
        let later = vec![
            item("E02", pb::EvidenceKind::AudioVisual, UNSET, &film),
            item("E03", pb::EvidenceKind::Documentary, UNSET, &paper),
            item("E04", pb::EvidenceKind::InterviewRecord, UNSET, &second),
        ];
        let added = add(&here, &case.name, later).await;
        for bytes in [&interview, &film, &paper, &second] {
            upload(&here, start(&case.name, bytes, 0), bytes, CHUNK).await.unwrap();
        }
        for client in [&there, &dezhou] {
            is_there(client, &case.name, &added).await;
        }
        let opened = history(&here, &case.name).await.remove(0);
        let parts = opened.header.unwrap().parts;
        let part = parts.iter().position(|part| part.kind() == pb::PartKind::Evidence).unwrap();
        let opened = (opened.entry, part as u32);
        Self { nodes, here, there, dezhou, case, opened, added, interview, film, paper, second }
    }

    /// A city asks the one that listed a file, which answers as if it were not there.
    async fn is_refused(&self, by: u32, bytes: &[u8]) {
        let ask = async |bytes: &[u8]| {
            read_as(&self.nodes, (by, HERE), &self.case.name, bytes, 0).await.unwrap_err()
        };
        let (no, unknown) = (ask(bytes).await, ask(&content(50, 7)).await);
        assert_eq!(no.code(), Code::NotFound);
        let told = |status: &Status| (status.message().to_owned(), status.details().to_vec());
        assert_eq!(told(&no), told(&unknown));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f24_a_restricted_file_goes_with_the_handling_and_by_grants() {
    let all = Listed::new().await;
    let Listed { here, there, dezhou, interview, film, paper, second, .. } = &all;
    let name = all.case.name.as_str();
    // What is general goes to every member.
    for client in [there, dezhou] {
        assert!(fetch(client, name, paper).await.unwrap().here);
        // What the others are called is not for them either, wherever it was typed.
        for kept in [film, interview] {
            let kept = file(client, name, kept).await;
            assert_eq!(refused(kept), (Code::NotFound, "EVIDENCE_NOT_LISTED".into()));
        }
        let record = get(client, name).await.unwrap().record.unwrap();
        assert_eq!((record.title.is_empty(), record.evidence.len()), (false, 0));
    }
    for (by, bytes) in [(THERE, interview), (THERE, film), (DEZHOU, interview), (DEZHOU, film)] {
        all.is_refused(by, bytes).await;
    }
    whoever_may_not_have_it_opens_it_to_nobody(&all).await;

    // Only what others lack is granted.
    let general = grant(here, name, (&all.added, 0), DEZHOU).await;
    assert_eq!(refused(general), (Code::InvalidArgument, "PART_NOT_GRANTABLE".into()));
    grant(here, name, (&all.opened.0, all.opened.1), DEZHOU).await.unwrap();
    until("the interview's list is there", || async { file(dezhou, name, interview).await.ok() })
        .await;
    assert!(fetch_from(dezhou, name, interview, HERE).await.unwrap().here);
    assert_eq!(&download(dezhou, name, interview, 0).await.unwrap(), interview);
    all.is_refused(DEZHOU, film).await;
    grant(here, name, (&all.added, 1), DEZHOU).await.unwrap();
    until("the film's list is there", || async { file(dezhou, name, film).await.ok() }).await;
    assert!(fetch(dezhou, name, film).await.unwrap().here);
    for bytes in [interview, film] {
        all.is_refused(THERE, bytes).await;
    }
    // What was listed with it is another approval.
    all.is_refused(DEZHOU, second).await;
    let granted = history(here, name).await.pop().unwrap();
    assert_eq!(granted.misfit_reason, "");
    a_corrected_record_keeps_it_back(&all).await;

    with_the_handling(all).await;
}

/// The receiver of an accepted transfer needs no grant.
async fn with_the_handling(mut all: Listed) {
    let Listed { nodes, here, there, case, interview, film, .. } = &mut all;
    let case = get(here, &case.name).await.unwrap();
    let verified = verify(here, &case).await.unwrap();
    let offer = pb::OfferTransferRequest {
        name: case.name.clone(),
        etag: verified.etag,
        to_city: THERE,
        request_id: fresh(),
        ..pb::OfferTransferRequest::default()
    };
    let offered = here.cases().offer_transfer(offer).await.unwrap().into_inner().case.unwrap();
    let name = offered.name.as_str();
    until("the offer is there", || async {
        get(there, name).await.ok().filter(|case| case.etag == offered.etag)
    })
    .await;
    let no = read_as(nodes, (THERE, HERE), name, interview, 0).await.unwrap_err();
    assert_eq!(no.code(), Code::NotFound);
    // What goes with the handling is asked for once it is taken over, and cannot come yet.
    nodes.kill(HERE);
    let accept = pb::AcceptTransferRequest {
        name: name.to_owned(),
        etag: offered.etag,
        request_id: fresh(),
        ..pb::AcceptTransferRequest::default()
    };
    there.cases().accept_transfer(accept).await.unwrap();
    let corrected = async || {
        let case = get(there, name).await.unwrap();
        let mut record = case.record.unwrap();
        "接收后更正".clone_into(&mut record.title);
        correct(there, (case.name, case.etag), record).await
    };
    let early = refused(corrected().await);
    assert_eq!(early, (Code::FailedPrecondition, "RECORD_INCOMPLETE".into()));
    nodes.start(HERE);
    let all = async || {
        let case = get(there, name).await.ok()?;
        (case.record.as_ref()?.evidence.len() == 3).then_some(case)
    };
    let read = until("all of the record is there", all).await;
    // Whoever had read it before the last list came would take that out, unseen.
    let mut before = read.record.unwrap();
    before.evidence.pop();
    let late = refused(correct(there, (read.name, read.etag), before).await);
    assert_eq!(late, (Code::FailedPrecondition, "RECORD_INCOMPLETE".into()));
    let whole = corrected().await.unwrap();
    let ids = whole.record.unwrap().evidence.into_iter().map(|item| item.id);
    assert_eq!(ids.collect::<Vec<_>>(), ["E06", "E01", "E05"]);
    for bytes in [interview, film] {
        let brought = until("this city knows who handles the case", || async {
            fetch_from(there, name, bytes, HERE).await.ok()
        })
        .await;
        assert!(brought.here);
        assert_eq!(&download(there, name, bytes, 0).await.unwrap(), bytes);
    }
}

/// A city that has only read of a file lists it as general: that opens it to nobody.
async fn whoever_may_not_have_it_opens_it_to_nobody(all: &Listed) {
    let kind = pb::EvidenceKind::Documentary;
    let bait = vec![item("D01", kind, GENERAL, &all.interview)];
    let bait = add(&all.dezhou, &all.case.name, bait).await;
    is_there(&all.here, &all.case.name, &bait).await;
    for by in [THERE, DEZHOU] {
        all.is_refused(by, &all.interview).await;
    }
}

/// The same in a record that is written anew: what is in it for some only goes to them only.
async fn a_corrected_record_keeps_it_back(all: &Listed) {
    let case = get(&all.here, &all.case.name).await.unwrap();
    let mut record = case.record.unwrap();
    let ids = |record: pb::CaseRecord| -> Vec<String> {
        record.evidence.into_iter().map(|item| item.id).collect()
    };
    // Who may have it sees it in the record, as it was typed.
    assert_eq!(ids(record.clone()), ["E01"]);
    let kind = pb::EvidenceKind::InterviewRecord;
    record.evidence.push(item("E05", kind, UNSET, &content(50, 24)));
    record.evidence.push(item("E06", pb::EvidenceKind::Documentary, GENERAL, &content(50, 25)));
    let case = correct(&all.here, (case.name, case.etag), record).await.unwrap();
    let there = until("the correction is there", || async {
        get(&all.there, &case.name).await.ok().filter(|there| there.etag == case.etag)
    })
    .await;
    assert_eq!(ids(case.record.unwrap()), ["E06", "E01", "E05"]);
    assert_eq!(ids(there.record.unwrap()), ["E06"]);
    let listed = |history: Vec<pb::HistoryEntry>| -> Vec<String> {
        history.into_iter().flat_map(|one| one.listed).map(|item| item.id).collect()
    };
    let name = all.case.name.as_str();
    assert_eq!(
        listed(history(&all.here, name).await),
        ["E01", "E03", "E02", "E04", "D01", "E01", "E05"]
    );
    assert_eq!(listed(history(&all.there, name).await), ["E03", "D01"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn f24_the_newest_list_of_a_city_says_how_far_its_file_goes() {
    let all = Listed::new().await;
    let Listed { here, there, dezhou, film, paper, .. } = &all;
    let name = all.case.name.as_str();
    let read = async |by: u32, bytes: &[u8]| read_as(&all.nodes, (by, HERE), name, bytes, 0).await;
    assert_eq!(&read(THERE, paper).await.unwrap(), paper);
    assert!(fetch(dezhou, name, paper).await.unwrap().here);
    let of_a_copy = async || read_as(&all.nodes, (THERE, DEZHOU), name, paper, 0).await;
    assert_eq!(&of_a_copy().await.unwrap(), paper);
    let kind = pb::EvidenceKind::Documentary;
    let kept = vec![item("E03", kind, pb::DataLevel::Restricted, paper)];
    let kept = add(here, name, kept).await;
    all.is_refused(THERE, paper).await;
    // Whoever had it before passes it on no more: what it may not read may be about just that.
    is_there(dezhou, name, &kept).await;
    assert_eq!(of_a_copy().await.unwrap_err().code(), Code::NotFound);
    add(here, name, vec![item("E02", kind, GENERAL, film)]).await;
    assert_eq!(&read(DEZHOU, film).await.unwrap(), film);
    // That somebody else would have it restricted is no reason to keep back what a city that
    // handles the case gives.
    let kept = vec![item("T01", kind, pb::DataLevel::Restricted, film)];
    let kept = add(there, name, kept).await;
    is_there(here, name, &kept).await;
    assert_eq!(&read(DEZHOU, film).await.unwrap(), film);
    until("its list is there", || async { file(dezhou, name, film).await.ok() }).await;
    assert!(fetch(dezhou, name, film).await.unwrap().here);
}

/// Another member lists the same digest later, with a size that is wrong and without the bytes.
#[tokio::test(flavor = "multi_thread")]
async fn f24_the_list_of_another_member_stands_in_nobodys_way() {
    let all = Listed::new().await;
    let Listed { here, there, dezhou, .. } = &all;
    let (name, photo) = (all.case.name.as_str(), content(2 * CHUNK, 31));
    let kind = pb::EvidenceKind::Documentary;
    add(here, name, vec![item("E09", kind, GENERAL, &photo)]).await;
    let wrong = pb::Evidence { size_bytes: 11, ..item("T09", kind, GENERAL, &photo) };
    let wrong = add(there, name, vec![wrong]).await;
    for client in [here, dezhou] {
        is_there(client, name, &wrong).await;
    }
    // No list has this size.
    let short = pb::UploadStart { size_bytes: 12, ..start(name, &photo, 0) };
    assert_eq!(refused(upload(here, short, &photo, CHUNK).await).1, "UPLOAD_DIFFERS");
    upload(here, start(name, &photo, 0), &photo, CHUNK).await.unwrap();
    let there_is_none = fetch_from(dezhou, name, &photo, THERE).await;
    assert_eq!(refused(there_is_none), (Code::NotFound, "FILE_NOT_THERE".into()));
    assert!(fetch(dezhou, name, &photo).await.unwrap().here);
    assert_eq!(download(dezhou, name, &photo, 0).await.unwrap(), photo);
}
