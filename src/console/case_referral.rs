//! Police and procuratorate (行刑衔接) on the page of a case: forms, and the calls they end in.
//!
//! In scope: a referral with its papers, the answer of the police, the copy for the procuratorate.
//! Out of scope: whether it may be said, which the service decides; opinions and campaign tags,
//! which the command line has.

use maud::{Markup, html};

use super::case_forms::{Forms, event};
use super::codes::or_none;
use super::ending::No;
use super::form::Form;
use super::layout::Desk;
use crate::shown::when;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::entry_header::Event;
use crate::wire::words;

/// A method of the service.
macro_rules! method {
    ($name:literal) => {
        concat!("/liandong.v1.ReferralService/", $name)
    };
}

impl<'a> Forms<'a> {
    /// Its forms.
    pub(super) fn police(&self) -> Markup {
        html! { (self.refer()) (self.police_answer()) (self.procuratorate_copy()) }
    }

    fn refer(&self) -> Markup {
        let of = self.of("refer");
        let today = self.desk.today.map(|today| today.to_string()).unwrap_or_default();
        let kinds = codes(|one| words::referral_kind(one, of.lang));
        let papers = codes(|one| words::referral_paper(one, of.lang));
        let more = html! {
            (of.choice("kind", self.pick("移送种类", "why"), &or_none(self.desk, kinds)))
            (of.line("date", "handed_over_on",
                self.pick("移交日期（已决定、尚未移交的，请清空）",
                    "handed over on (clear it while it is only decided)"), &today))
            (of.line("date", "decided_on",
                self.pick("决定日期（不填则为已登记的决定日期；未登记的，为移交当日）",
                    "decided on (else as recorded before, or the day of handing over)"), ""))
            (of.choices("papers", self.pick("移交的材料", "papers"), &papers, &[]))
            (self.record("refer"))
        };
        let title =
            self.pick("登记移送公安（涉嫌犯罪、行政拘留）", "Record a referral to the police");
        self.put_of("refer", method!("ReferCase"), self.handled(), title, &more)
    }

    fn police_answer(&self) -> Markup {
        let of = self.of("police-answer");
        let all = self.referrals(&|said| said.handed_over_on.is_some());
        let answers = codes(|one| words::police_answer(one, of.lang));
        let more = html! {
            (of.choice("referral", self.pick("答复哪次移送", "which referral"), &all))
            (of.choice("answer", self.pick("答复", "answer"), &or_none(self.desk, answers)))
            (of.line("date", "answered_on",
                self.pick("答复日期（不填为今天）", "answered on (today)"), ""))
            (self.record("police-answer"))
        };
        let fits = self.handled() && !all.is_empty();
        let title = self.pick("登记公安机关的答复", "Record the answer of the police");
        self.put_of("police-answer", method!("RecordPoliceAnswer"), fits, title, &more)
    }

    fn procuratorate_copy(&self) -> Markup {
        let of = self.of("procuratorate-copy");
        let all = self.referrals(&|_| true);
        let papers = codes(|one| words::copied_paper(one, of.lang));
        let more = html! {
            (of.choice("referral", self.pick("哪次移送", "which referral"), &all))
            (of.choice("paper", self.pick("抄送的材料", "what"), &papers))
            (of.line("date", "copied_on",
                self.pick("抄送日期（不填为今天）", "copied on (today)"), ""))
            (self.record("procuratorate-copy"))
        };
        let fits = self.handled() && !all.is_empty();
        let title = self.pick("登记抄送检察院", "Record a copy to the procuratorate");
        self.put_of("procuratorate-copy", method!("RecordProcuratorateCopy"), fits, title, &more)
    }

    /// Organ, document and text.
    fn record(&self, form: &'a str) -> Markup {
        let of = self.of(form);
        html! {
            (of.line("text", "record.organ", self.pick("机关名称", "organ"), ""))
            (of.line("text", "record.document_number",
                self.pick("文书编号", "document number"), ""))
            (of.text("record.text", self.pick("说明", "note")))
            (of.wrong_at("record"))
        }
    }

    /// Referrals that took effect, the newest first.
    fn referrals(&self, fits: &dyn Fn(&pb::CaseReferred) -> bool) -> Vec<(String, String)> {
        let lang = self.desk.lang();
        let one = |entry: &pb::HistoryEntry| {
            let Some(Event::CaseReferred(said)) = event(entry) else { return None };
            let on = when::date(said.handed_over_on.as_ref().or(said.decided_on.as_ref()));
            let label = format!("{on} {}", words::referral_kind(said.kind(), lang));
            fits(said).then(|| (entry.entry.clone(), label))
        };
        self.entries.iter().rev().filter_map(one).collect()
    }
}

/// All codes of a list with their words.
fn codes<T: TryFrom<i32> + Into<i32> + Copy>(
    word: impl Fn(T) -> &'static str,
) -> Vec<(String, String)> {
    let all = (1..).map_while(|number| T::try_from(number).ok());
    all.map(|one| (one.into().to_string(), word(one).to_owned())).collect()
}

/// Records a referral.
pub(super) async fn refer(desk: &Desk, name: &str, form: &Form) -> Result<(), No> {
    let request = pb::ReferCaseRequest {
        name: name.to_owned(),
        kind: code(form, "kind"),
        papers: form.all("papers").map(|one| one.parse().unwrap_or(0)).collect(),
        decided_on: form.date("decided_on", desk.lang())?,
        handed_over_on: form.date("handed_over_on", desk.lang())?,
        record: record(form),
        request_id: form.text("request_id").to_owned(),
        ..Default::default()
    };
    desk.client.referrals().refer_case(request).await?;
    Ok(())
}

/// Records what the police answered.
pub(super) async fn answered(desk: &Desk, name: &str, form: &Form) -> Result<(), No> {
    let request = pb::RecordPoliceAnswerRequest {
        name: name.to_owned(),
        referral: form.text("referral").to_owned(),
        answer: code(form, "answer"),
        answered_on: form.date("answered_on", desk.lang())?,
        record: record(form),
        request_id: form.text("request_id").to_owned(),
        ..Default::default()
    };
    desk.client.referrals().record_police_answer(request).await?;
    Ok(())
}

/// Records a copy for the procuratorate.
pub(super) async fn copied(desk: &Desk, name: &str, form: &Form) -> Result<(), No> {
    let request = pb::RecordProcuratorateCopyRequest {
        name: name.to_owned(),
        referral: form.text("referral").to_owned(),
        paper: code(form, "paper"),
        copied_on: form.date("copied_on", desk.lang())?,
        record: record(form),
        request_id: form.text("request_id").to_owned(),
        ..Default::default()
    };
    desk.client.referrals().record_procuratorate_copy(request).await?;
    Ok(())
}

/// The number of a code; what is none, the service refuses as missing.
fn code(form: &Form, field: &str) -> i32 {
    form.text(field).parse().unwrap_or(0)
}

fn record(form: &Form) -> Option<pb::ReferralRecord> {
    let [organ, document_number, text] = ["organ", "document_number", "text"]
        .map(|one| form.text(&format!("record.{one}")).to_owned());
    let record = pb::ReferralRecord { organ, document_number, text };
    Some(record).filter(|record| *record != pb::ReferralRecord::default())
}
