//! Evidence of a case: what is listed, whether its file is here, looking at photographs, sending
//! files in, asking for those of other cities, recognising them or not (证据互认).
//!
//! In scope: showing, and from forms to calls. Out of scope: who may have which file and what is
//! stored, which the services decide.
//!
//! Invariants:
//! 1. A page stays under 150 KiB. (`much_evidence_is_on_pages_of_a_size`)

use std::collections::BTreeSet;

use axum::extract::{Multipart, Path};
use axum::response::Response;
use maud::{Markup, html};
use tokio::sync::Semaphore;
use tokio_stream::StreamExt;
use tonic::Status;

use super::ending::{No, end};
use super::evidence_file::{self, unhex};
use super::evidence_sent::take_in;
use super::form::{Form, Query};
use super::layout::Desk;
use super::paging::Part;
use super::parts::{self, At, Filled, act as folded};
use super::refusal::Refusal;
use super::upload::{self, Room, Upload};
use crate::ids::hex;
use crate::limits::{
    CONSOLE_EVIDENCE_MAX, CONSOLE_FILE_BYTES_MAX, CONSOLE_FILES_MAX, CONSOLE_FORM_BYTES_MAX,
};
use crate::shown::text::{clean, size};
use crate::shown::{evidence, when};
use crate::wire::pb::v1 as pb;
use crate::wire::words;

/// What lists an item.
const ADD: &str = "/liandong.v1.CaseService/AddEvidence";
/// What stores the file of an item.
const UPLOAD: &str = "/liandong.v1.EvidenceFileService/Upload";
/// What brings a file from another city.
const FETCH: &str = "/liandong.v1.EvidenceFileService/Fetch";
/// Where cities say what they think of files.
const ACTS: &str = "/liandong.v1.EvidenceService";

/// A file and what is typed beside it.
static ROOM: Room = Room {
    fields: CONSOLE_FORM_BYTES_MAX,
    file: CONSOLE_FILE_BYTES_MAX,
    places: Semaphore::const_new(CONSOLE_FILES_MAX),
};

/// What was typed into which form, and why it was refused.
type Again<'a> = (&'a str, &'a Form, &'a Refusal);

/// Shows the list.
pub async fn show(desk: Desk, at: At, Query(query): Query) -> Response {
    match page(&desk, &parts::name_of("cases", &at), &query, None).await {
        Ok(page) => page,
        Err(status) => desk.no(&status),
    }
}

/// What a case lists: in its record, and by later entries. The same file once.
fn listed(case: &pb::Case, entries: &[pb::HistoryEntry]) -> Vec<pb::Evidence> {
    let record = case.record.iter().flat_map(|record| &record.evidence);
    let later = entries.iter().flat_map(|entry| &entry.listed);
    let mut seen = BTreeSet::new();
    record.chain(later).filter(|one| seen.insert(one.sha256.clone())).cloned().collect()
}

/// The entry that lists an item first; empty when it is not here. Another list may have its id for
/// another file.
fn listing<'a>(entries: &'a [pb::HistoryEntry], item: &pb::Evidence) -> &'a str {
    let counts = [pb::EntryEffect::Move, pb::EntryEffect::Contribution];
    let is_it = |one: &pb::Evidence| one.sha256 == item.sha256 && one.id == item.id;
    let lists = |entry: &&pb::HistoryEntry| {
        let record = entry.record.iter().flat_map(|record| &record.evidence);
        counts.contains(&entry.effect()) && record.chain(&entry.listed).any(is_it)
    };
    entries.iter().find(lists).map_or("", |entry| entry.entry.as_str())
}

async fn page(
    desk: &Desk,
    name: &str,
    query: &Form,
    again: Option<Again<'_>>,
) -> Result<Response, Status> {
    let lang = desk.lang();
    let request = pb::GetCaseRequest { name: name.to_owned() };
    let (mut one, mut all) = (desk.client.cases(), desk.client.cases());
    let (shown, entries) =
        tokio::try_join!(one.get_case(request), super::case::whole(&mut all, name))?;
    let case = shown.into_inner().case.unwrap_or_default();
    let mut rows = Vec::new();
    let all = listed(&case, &entries);
    let part = Part::of(&vec![1; all.len()], (CONSOLE_EVIDENCE_MAX, usize::MAX), {
        place(&all, again.map_or_else(|| query.text("at"), |(which, ..)| which), query)
    });
    for item in part.shown(all) {
        let request =
            pb::GetFileRequest { case_name: name.to_owned(), sha256: item.sha256.clone() };
        let file = match desk.client.files().get_file(request).await {
            Ok(answer) => answer.into_inner().file,
            Err(status) if status.code() == tonic::Code::NotFound => None,
            // Not the same as not being here.
            Err(status) => return Err(status),
        };
        rows.push((item, file));
    }
    let heading = lang.pick("证据", "Evidence");
    let title = format!("{} {heading}", clean(&case.number));
    let main = html! {
        h1 { (title) }
        p { a href=(parts::page_of("case", name)) { (lang.pick("返回案件", "back to the case")) } }
        (parts::done(query, desk, ""))
        (add(desk, name, again))
        @let others = part.others(&format!("{}/evidence", parts::page_of("case", name)), lang);
        (others)
        @for (item, file) in &rows { (row(desk, name, (item, file.as_ref()), &entries, again)) }
        @if rows.is_empty() { p .soft { (lang.pick("没有证据清单", "none is listed")) } }
        (others)
    };
    Ok(desk.page(&title, &main))
}

/// Where an item stands that a form or an address ends in the digest of: behind all when it names
/// none of them, as what was just sent in; else where a part of the page begins.
fn place(all: &[pb::Evidence], which: &str, query: &Form) -> usize {
    match which {
        "" => query.text("from").parse().unwrap_or(0),
        _ => all.iter().position(|one| which.ends_with(&hex(&one.sha256))).unwrap_or(usize::MAX),
    }
}

fn may(desk: &Desk, method: &str) -> bool {
    desk.visitor.may(method)
}

/// The form that sends a file in.
fn add(desk: &Desk, name: &str, again: Option<Again<'_>>) -> Markup {
    let lang = desk.lang();
    let again = again.filter(|(of, ..)| *of == "add").map(|(_, form, why)| (form, why));
    let of = Filled { form: "add", again, lang };
    let kinds = (1..).map_while(|one| pb::EvidenceKind::try_from(one).ok());
    let kinds: Vec<_> = kinds
        .map(|one| (i32::from(one).to_string(), words::evidence_kind(one, lang).to_owned()))
        .collect();
    let by_kind =
        lang.pick("按种类（笔录、录音录像受限）", "by kind (interviews, films: restricted)");
    let levels = [pb::DataLevel::Public, pb::DataLevel::General, pb::DataLevel::Restricted];
    let level = |one| (i32::from(one).to_string(), words::data_level(one, lang).to_owned());
    let levels = levels.map(level);
    let levels: Vec<_> = [("0".to_owned(), by_kind.to_owned())].into_iter().chain(levels).collect();
    let fields = html! {
        (of.line("text", "title", lang.pick("名称", "title"), ""))
        (of.line("text", "id", lang.pick("编号（如 E05）", "id, such as E05"), ""))
        (of.choice("kind", lang.pick("种类", "kind"), &kinds))
        (of.line("date", "collected_on", lang.pick("采集日期", "day it was taken"), ""))
        (of.choice("level", lang.pick("密级（受限的只有承办市能看）", "level (restricted: handling cities only)"),
            &levels))
    };
    let title = lang.pick("上传证据（照片、文书）", "Send a file in");
    html! {
        @if may(desk, ADD) || again.is_some() { (with_file(&of, name, title, &fields)) }
    }
}

/// The form that sends in the file of an item that is listed.
fn add_listed(desk: &Desk, name: &str, item: &pb::Evidence, again: Option<Again<'_>>) -> Markup {
    let (lang, sha256) = (desk.lang(), hex(&item.sha256));
    let again = again.filter(|(of, ..)| *of == format!("add-{sha256}"));
    let form = format!("add-{}", sha256.get(..8).unwrap_or_default());
    let of = Filled { form: &form, again: again.map(|(_, form, why)| (form, why)), lang };
    let fields = html! {
        input type="hidden" name="listed" value=(sha256);
        input type="hidden" name="mime" value=(item.mime);
    };
    let title = lang.pick("上传清单所列的这份文件", "Send in the file that is listed");
    html! {
        @if may(desk, UPLOAD) || again.is_some() { (with_file(&of, name, title, &fields)) }
    }
}

fn with_file(of: &Filled<'_>, name: &str, title: &str, fields: &Markup) -> Markup {
    let (lang, most) = (of.lang, CONSOLE_FILE_BYTES_MAX >> 20);
    let hint = lang.pick(
        format!("单个文件不超过 {most} MiB；更大的用 liandong evidence add"),
        format!("up to {most} MiB; larger ones with liandong evidence add"),
    );
    html! {
        details .act id={ "act-" (of.form) } open[of.again.is_some()] {
            summary { (title) }
            form method="post" action={ (parts::page_of("case", name)) "/evidence/add" }
                enctype="multipart/form-data" {
                (parts::request_id(of.again.map(|(form, _)| form)))
                @if let Some((_, refusal)) = of.again { (parts::refused(refusal, lang)) }
                (fields)
                (of.file(lang.pick("文件", "file"), &hint, true))
                button name="go" value="add" { (title) }
            }
        }
    }
}

fn row(
    desk: &Desk,
    name: &str,
    (item, file): (&pb::Evidence, Option<&pb::EvidenceFile>),
    entries: &[pb::HistoryEntry],
    again: Option<Again<'_>>,
) -> Markup {
    let lang = desk.lang();
    let here = file.is_some_and(|file| file.here);
    let (page, sha256) = (parts::page_of("case", name), hex(&item.sha256));
    let address = format!("{page}/file/{sha256}");
    let picture = here && evidence_file::PICTURES.contains(&item.mime.as_str());
    let label = format!("{} {}", clean(&item.id), clean(&item.title));
    let from = file.map_or(0, |file| file.listing_city);
    let is_refused = |form: &str| again.is_some_and(|(of, ..)| of == format!("{form}-{sha256}"));
    let entry = listing(entries, item);
    let put = |form: &'static str, title: &str, fields: Markup| {
        let again = again.filter(|_| is_refused(form)).map(|(_, form, why)| (form, why));
        let filled = Filled { form, again, lang };
        let basis = html! {
            input type="hidden" name="sha256" value=(sha256);
            input type="hidden" name="sm3" value=(hex(&item.sm3));
            input type="hidden" name="evidence_id" value=(item.id);
            input type="hidden" name="entry" value=(entry);
        };
        let which = format!("{form}-{}", sha256.get(..8).unwrap_or_default());
        let filled = Filled { form: &which, ..filled };
        folded(&filled, &format!("{page}/evidence/{form}"), title, &html! { (basis) (fields) })
    };
    let standing = evidence::standing(entries, &item.sha256);
    let theirs = here && from != desk.city;
    let received = standing.receipts.iter().any(|one| one.city == desk.city);
    let judged = standing.verdicts.iter().any(|one| one.city == desk.city);
    // What was typed stays there, whatever others have done meanwhile.
    let fits = |form: &str, method: &str, fits: bool| {
        is_refused(form) || theirs && fits && may(desk, &format!("{ACTS}/{method}"))
    };
    let judges = received && !judged;
    let fetches = from != 0 && from != desk.city && (is_refused("fetch") || may(desk, FETCH));
    html! {
        div .visit {
            h2 { (label) }
            p .soft {
                (words::evidence_kind(item.kind(), lang)) " · " (size(item.size_bytes)) " · "
                (when::date(item.collected_on.as_ref())) " · SHA-256 "
                (sha256.get(..16).unwrap_or_default())
            }
            @if picture { img .photo src=(address) alt=(label) loading="lazy"; }
            @if here {
                p { a href=(address) { (lang.pick("查看或下载", "look at it, or download it")) } }
            } @else if fetches {
                (put("fetch", lang.pick("向该市调取文件", "Ask that city for the file"), html! {}))
            } @else {
                p .soft { (lang.pick("文件未上传到本市节点", "the file is not on this node")) }
                @if from == desk.city { (add_listed(desk, name, item, again)) }
            }
            @let said = evidence::text(&standing, &desk.names, lang);
            @if !said.is_empty() { p .told { (said) } }
            @if fits("receive", "RecordReceipt", !received) {
                (put("receive", lang.pick("登记接收", "Record that it is here"), html! {}))
            }
            @if fits("recognise", "RecogniseEvidence", judges) {
                (put("recognise", lang.pick("认可（证据互认）", "Recognise it"), html! {}))
            }
            @if fits("decline", "DeclineEvidence", judges) {
                (put("decline", lang.pick("不认可", "Decline it"), grounds(desk, &sha256, again)))
            }
        }
    }
}

fn grounds(desk: &Desk, sha256: &str, again: Option<Again<'_>>) -> Markup {
    let lang = desk.lang();
    let all = (1..).map_while(|one| pb::EvidenceDeclineGround::try_from(one).ok());
    let all: Vec<_> = all
        .map(|one| (i32::from(one).to_string(), words::decline_ground(one, lang).to_owned()))
        .collect();
    let form = format!("decline-{}", sha256.get(..8).unwrap_or_default());
    let again = again.filter(|(of, ..)| *of == format!("decline-{sha256}"));
    let of = Filled { form: &form, again: again.map(|(_, form, why)| (form, why)), lang };
    html! {
        (of.choice("ground", lang.pick("理由", "ground"), &all))
        (of.text("text", lang.pick("说明（必填）", "in words")))
    }
}

/// Takes a file in: lists it, unless it is what the list has already, then stores its bytes.
pub async fn put(
    desk: Desk,
    Path((agreement, id)): Path<(String, String)>,
    multipart: Multipart,
) -> Response {
    let name = parts::name_of("cases", &Path((agreement, id)));
    // Before it takes a place that others wait for.
    if let Err(status) = desk.check_may(ADD) {
        return end_at(&desk, &name, Err(status.into()), "add", &Form::default()).await;
    }
    let Upload { form, file, place: _place } = upload::read(multipart, &ROOM, &desk).await;
    let done = match file {
        Ok(file) => take_in(&desk, &name, &form, file).await,
        Err(refusal) => Err(refusal.into()),
    };
    let which = match form.text("listed") {
        "" => "add".to_owned(),
        listed => format!("add-{listed}"),
    };
    end_at(&desk, &name, done, &which, &form).await
}

/// The list again, after a form of it.
async fn end_at(
    desk: &Desk,
    name: &str,
    done: Result<(), No>,
    which: &str,
    form: &Form,
) -> Response {
    let at = which.rsplit('-').next().unwrap_or_default();
    let done = done.map(|()| format!("{}/evidence?at={at}", parts::page_of("case", name)));
    let again = async |refusal: &Refusal| {
        page(desk, name, &Form::default(), Some((which, form, refusal))).await
    };
    end(desk, done, again).await
}

/// Does what a form of one item asks for.
pub async fn act(
    desk: Desk,
    Path((agreement, id, act)): Path<(String, String, String)>,
    form: Form,
) -> Response {
    let name = parts::name_of("cases", &Path((agreement, id)));
    let done = ask(&desk, &name, &act, &form).await.map_err(No::Said);
    end_at(&desk, &name, done, &format!("{act}-{}", form.text("sha256")), &form).await
}

async fn ask(desk: &Desk, name: &str, act: &str, form: &Form) -> Result<(), Status> {
    let digest = |field: &str| unhex(form.text(field)).unwrap_or_default();
    let (evidence_id, request_id) =
        (form.text("evidence_id").to_owned(), form.text("request_id").to_owned());
    let (name, text) = (name.to_owned(), form.text("text").to_owned());
    let entry = form.text("entry").to_owned();
    let mut calls = desk.client.evidence();
    match act {
        "fetch" => {
            let sha256 = digest("sha256").into();
            let request = pb::FetchRequest { case_name: name, sha256, from_city: 0 };
            let mut progress = desk.client.files().fetch(request).await?.into_inner();
            while let Some(step) = progress.next().await {
                step?;
            }
        }
        "receive" => {
            let (sha256, sm3) = (digest("sha256").into(), digest("sm3").into());
            let request = pb::RecordReceiptRequest {
                name,
                evidence_id,
                entry,
                sha256,
                sm3,
                request_id,
                ..Default::default()
            };
            calls.record_receipt(request).await?;
        }
        "recognise" => {
            let request = pb::RecogniseEvidenceRequest {
                name,
                evidence_id,
                entry,
                text,
                request_id,
                ..Default::default()
            };
            calls.recognise_evidence(request).await?;
        }
        "decline" => {
            let request = pb::DeclineEvidenceRequest {
                name,
                evidence_id,
                entry,
                ground: form.text("ground").parse().unwrap_or(0),
                text,
                request_id,
                ..Default::default()
            };
            calls.decline_evidence(request).await?;
        }
        _ => return Err(desk.refuse("NOT_FOUND")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_listed_once_whoever_lists_it_again() {
        let item = |id: &str, byte: u8| pb::Evidence {
            id: id.to_owned(),
            sha256: vec![byte; 32].into(),
            ..Default::default()
        };
        let record = pb::CaseRecord { evidence: vec![item("E01", 1)], ..Default::default() };
        let case = pb::Case { record: Some(record), ..Default::default() };
        let later = |listed| pb::HistoryEntry { listed, ..Default::default() };
        let entries = [later(vec![item("E02", 2), item("E01", 1)]), later(vec![item("E03", 2)])];
        let ids: Vec<_> = listed(&case, &entries).into_iter().map(|one| one.id).collect();
        assert_eq!(ids, ["E01", "E02"]);
        let of = |byte, entry: &str, effect: pb::EntryEffect| pb::HistoryEntry {
            entry: entry.to_owned(),
            effect: effect.into(),
            ..later(vec![item("E01", byte)])
        };
        let add = pb::EntryEffect::Contribution;
        let all = [of(2, "a:1", pb::EntryEffect::Misfit), of(1, "a:2", add), of(2, "a:3", add)];
        let at = |byte| listing(&all, &item("E01", byte));
        assert_eq!([at(1), at(2), at(3)], ["a:2", "a:3", ""]);
    }
}
