//! Police, procuratorate and campaign tags between real nodes.

use std::process::Output;

use liandong::cli::connect::Client;
use liandong::domain::Date;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;
use pb::DeadlineClock as C;
use pb::referral_word::Said;
use tonic::{Code, Status};

use super::api::{HERE, Pair, THERE, create, fresh, get, history, ready, refused, sample, verify};
use super::console::{Browser, FROM_HERE, page_of};
use super::nodes::{exe, until};

const OPINION: &str = "邯郸示例区检察院要求移送";
const ORGAN: &str = "示例市公安局环食药侦支队";
const TWO_STRIKES: u32 = 2;
const OTHER: u32 = 1;

fn day(text: &str) -> pb::Date {
    liandong::cli::when::parse_date(text).unwrap()
}

fn record(organ: &str) -> Option<pb::ReferralRecord> {
    let document_number = "示例移〔2026〕1号".to_owned();
    Some(pb::ReferralRecord { organ: organ.into(), document_number, text: String::new() })
}

/// Somebody who says something of a case.
struct Desk<'a> {
    client: &'a Client,
    case: &'a str,
}

type Words = Result<Vec<pb::ReferralWord>, Status>;

impl Desk<'_> {
    fn referral(&self, kind: pb::ReferralKind) -> pb::ReferCaseRequest {
        pb::ReferCaseRequest {
            name: self.case.into(),
            kind: kind.into(),
            papers: vec![pb::ReferralPaper::Report.into(), pb::ReferralPaper::Letter.into()],
            decided_on: Some(day("2026-03-02")),
            handed_over_on: Some(day("2026-03-03")),
            record: record(ORGAN),
            request_id: fresh(),
            ..Default::default()
        }
    }

    async fn refer(&self, asked: pb::ReferCaseRequest) -> Words {
        let answer = self.client.referrals().refer_case(asked).await;
        answer.map(|answer| answer.into_inner().referral_words)
    }

    fn said_by_police(
        &self,
        referral: &str,
        answer: pb::PoliceAnswer,
    ) -> pb::RecordPoliceAnswerRequest {
        pb::RecordPoliceAnswerRequest {
            name: self.case.into(),
            referral: referral.into(),
            answer: answer.into(),
            answered_on: Some(day("2026-03-04")),
            record: record(ORGAN),
            request_id: fresh(),
            ..Default::default()
        }
    }

    async fn answer(&self, asked: pb::RecordPoliceAnswerRequest) -> Words {
        let answer = self.client.referrals().record_police_answer(asked).await;
        answer.map(|answer| answer.into_inner().referral_words)
    }

    async fn copy(&self, referral: &str, on: &str) -> Words {
        let request = pb::RecordProcuratorateCopyRequest {
            name: self.case.into(),
            referral: referral.into(),
            paper: pb::CopiedPaper::Letter.into(),
            copied_on: Some(day(on)),
            request_id: fresh(),
            ..Default::default()
        };
        let answer = self.client.referrals().record_procuratorate_copy(request).await;
        answer.map(|answer| answer.into_inner().referral_words)
    }

    async fn opinion(&self, opinion: pb::ProcuratorateOpinion, organ: &str) -> Words {
        let request = pb::RecordProcuratorateOpinionRequest {
            name: self.case.into(),
            opinion: opinion.into(),
            opined_on: Some(day("2026-03-10")),
            record: record(organ).filter(|_| !organ.is_empty()),
            request_id: fresh(),
            ..Default::default()
        };
        let answer = self.client.referrals().record_procuratorate_opinion(request).await;
        answer.map(|answer| answer.into_inner().referral_words)
    }

    async fn tag(&self, campaign: u32, remove: bool, text: &str) -> Result<Vec<u32>, Status> {
        let request = pb::TagCampaignRequest {
            name: self.case.into(),
            campaign,
            remove,
            text: text.into(),
            request_id: fresh(),
            ..Default::default()
        };
        let answer = self.client.referrals().tag_campaign(request).await;
        answer.map(|answer| answer.into_inner().case.unwrap().campaigns)
    }

    async fn words(&self) -> Vec<pb::ReferralWord> {
        let asked = pb::GetCaseRequest { name: self.case.into() };
        self.client.cases().get_case(asked).await.unwrap().into_inner().referral_words
    }

    /// Clocks of police and procuratorate that `ListDeadlines` shows, each with its last day.
    async fn due(&self) -> Vec<(C, String)> {
        let parent = "agreements/-".to_owned();
        let request = pb::ListDeadlinesRequest { parent, city: HERE, ..Default::default() };
        let page = self.client.cases().list_deadlines(request).await.unwrap().into_inner();
        let of_police = [
            C::CrimeHandOver,
            C::PoliceAnswer,
            C::DetentionAnswer,
            C::ProcuratorateCopy,
            C::OpinionHandOver,
        ];
        let ours = page.deadlines.into_iter().filter(|line| line.name == self.case);
        let mut all: Vec<_> = ours
            .filter_map(|line| line.deadline)
            .filter(|one| of_police.contains(&one.clock()))
            .inspect(|one| assert_eq!(one.city, HERE))
            .map(|one| (one.clock(), liandong::cli::when::date(one.due_on.as_ref())))
            .collect();
        all.sort_unstable_by_key(|(clock, _)| i32::from(*clock));
        all
    }
}

fn line(clock: C, last: &str) -> (C, String) {
    (clock, last.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn f27_a_case_goes_to_the_police_and_the_procuratorate() {
    let mut pair = Pair::start().await;
    let case = pair.open(&pair.here, 0).await;
    let case = verify(&pair.here, &case).await.unwrap();
    pair.held(&pair.there, &case).await;
    let here = Desk { client: &pair.here, case: &case.name };
    let there = Desk { client: &pair.there, case: &case.name };
    refusals(&pair, (&here, &there)).await;

    // Decided and not handed over: the hand-over and the copy are due.
    let mut decided = here.referral(pb::ReferralKind::Crime);
    (decided.handed_over_on, decided.papers) = (None, Vec::new());
    let words = here.refer(decided.clone()).await.unwrap();
    assert_eq!(here.refer(decided).await.unwrap(), words, "the same request again");
    let decision = words[0].entry.clone();
    let late = [line(C::CrimeHandOver, "2026-03-03"), line(C::ProcuratorateCopy, "2026-03-03")];
    assert_eq!(here.due().await, late);
    let early = here.answer(here.said_by_police(&decision, pb::PoliceAnswer::Filed)).await;
    let not_handed = (Code::FailedPrecondition, "REFERRAL_NOT_HANDED_OVER".to_owned());
    assert_eq!(refused(early), not_handed);

    // Handed over: the police are late; the other city sees so much as well.
    let words = here.refer(here.referral(pb::ReferralKind::Crime)).await.unwrap();
    let referral = words[1].entry.clone();
    let late = [line(C::PoliceAnswer, "2026-03-06"), line(C::ProcuratorateCopy, "2026-03-03")];
    assert_eq!(here.due().await, late);
    until("the other city has it", || async { (there.due().await == late).then_some(()) }).await;
    here.copy(&referral, "2026-03-03").await.unwrap();
    assert_eq!(here.due().await, late[..1]);
    // What was handed over, in the order of the list; its organ is for who handles the case.
    let Some(Said::Referred(said)) = &words[1].said else { panic!("{words:?}") };
    let papers: Vec<_> = said.papers().collect();
    assert_eq!(papers, [pb::ReferralPaper::Letter, pb::ReferralPaper::Report]);
    assert_eq!(words[1].record, record(ORGAN));
    let words = there.words().await;
    assert!(words.len() >= 2 && words.iter().all(|word| word.record.is_none()), "{words:?}");
    let kept = pair.nodes.fleet.folder(THERE).join("data");
    assert!(!super::rebuild::holds(&kept, ORGAN.as_bytes()), "the other city holds the organ");

    // Kept apart from a detention, which has answers and a term of its own.
    let words = here.refer(here.referral(pb::ReferralKind::Detention)).await.unwrap();
    let detention = words.last().unwrap().entry.clone();
    let wrong = here.answer(here.said_by_police(&detention, pb::PoliceAnswer::Filed)).await;
    assert_eq!(refused(wrong), (Code::InvalidArgument, "ANSWER_WRONG_KIND".to_owned()));
    let both = [line(C::PoliceAnswer, "2026-03-06"), line(C::DetentionAnswer, "2026-03-06")];
    assert_eq!(here.due().await, both);
    here.answer(here.said_by_police(&detention, pb::PoliceAnswer::Detained)).await.unwrap();
    // Forwarded, the term begins again; filed, it is over.
    let forwarded = here.said_by_police(&referral, pb::PoliceAnswer::Forwarded);
    let on = Some(day("2026-03-05"));
    let forwarded = pb::RecordPoliceAnswerRequest { answered_on: on, ..forwarded };
    here.answer(forwarded).await.unwrap();
    // The third day is a Sunday.
    assert_eq!(here.due().await, [line(C::PoliceAnswer, "2026-03-09")]);
    let filed = here.said_by_police(&referral, pb::PoliceAnswer::Filed);
    let on = Some(day("2026-03-09"));
    let filed = pb::RecordPoliceAnswerRequest { answered_on: on, ..filed };
    here.answer(filed).await.unwrap();
    assert_eq!(here.due().await, []);
    // An opinion that asks for it: handing over later than that is due.
    here.opinion(pb::ProcuratorateOpinion::HandOver, OPINION).await.unwrap();
    assert_eq!(here.due().await, [line(C::OpinionHandOver, "2026-03-13")]);

    tagged(&pair, (&here, &there)).await;
    by_hand(&pair, &case.name);
    handed_on(&mut pair, &case.name, &referral).await;
}

/// Tags: listed, counted and taken off.
async fn tagged(pair: &Pair, (here, there): (&Desk<'_>, &Desk<'_>)) {
    let listed = |client: Client, campaign| async move {
        let parent = "agreements/-".to_owned();
        let request = pb::ListCasesRequest { parent, campaign, ..Default::default() };
        let page = client.cases().list_cases(request).await.unwrap().into_inner();
        (page.total_size, page.cases.into_iter().map(|case| case.name).collect::<Vec<_>>())
    };
    let (one, none) = ((1, vec![here.case.to_owned()]), (0, Vec::new()));
    assert_eq!(listed(pair.here.clone(), TWO_STRIKES).await, none);
    assert_eq!(here.tag(TWO_STRIKES, false, "").await.unwrap(), [TWO_STRIKES]);
    assert_eq!(here.tag(OTHER, false, "清水行动").await.unwrap(), [OTHER, TWO_STRIKES]);
    let again = here.tag(TWO_STRIKES, false, "").await;
    assert_eq!(refused(again), (Code::FailedPrecondition, "CAMPAIGN_TAGGED".to_owned()));
    for campaign in [OTHER, TWO_STRIKES] {
        assert_eq!(listed(pair.here.clone(), campaign).await, one);
    }
    assert_eq!(listed(pair.here.clone(), 3).await, none);
    let seen = || async { (listed(pair.there.clone(), TWO_STRIKES).await == one).then_some(()) };
    until("the other city has the tag", seen).await;
    // The name of a campaign is for every member.
    let named = || async {
        let all = history(&pair.there, there.case).await;
        all.iter().any(|entry| entry.texts == ["清水行动"]).then_some(())
    };
    until("the other city has the name", named).await;
    let counted = |client: Client| async move {
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
        let today = Date::beijing(i64::try_from(now).unwrap()).unwrap();
        let (year, month) = (today.year(), i32::from(today.month()));
        let request = pb::ComputeStatisticsRequest { parent: "agreements/-".into(), year, month };
        let counted = client.cases().compute_statistics(request).await.unwrap().into_inner();
        let line =
            |one: &pb::CampaignCounts| (one.campaign, one.tagged, one.counts.unwrap().opened);
        (counted.campaigns.iter().map(line).collect::<Vec<_>>(), counted.total.unwrap().opened)
    };
    let (campaigns, opened) = counted(pair.here.clone()).await;
    assert_eq!(campaigns, [(OTHER, 1, opened), (TWO_STRIKES, 1, opened)]);
    assert_eq!(here.tag(OTHER, true, "").await.unwrap(), [TWO_STRIKES]);
    assert_eq!(counted(pair.here.clone()).await.0, [(TWO_STRIKES, 1, opened)]);
    let again = here.tag(OTHER, true, "").await;
    assert_eq!(refused(again), (Code::FailedPrecondition, "CAMPAIGN_NOT_TAGGED".to_owned()));
    assert_eq!(listed(pair.here.clone(), OTHER).await, none);
    let request =
        pb::ListCasesRequest { parent: "agreements/-".into(), campaign: 256, ..Default::default() };
    let unknown = pair.here.cases().list_cases(request).await;
    assert_eq!(refused(unknown), (Code::InvalidArgument, "CAMPAIGN_UNKNOWN".to_owned()));
    let asked = pb::ListRequest { parent: "lists/campaigns".into(), ..Default::default() };
    let list = pair.here.catalog().list(asked).await.unwrap().into_inner().items;
    let code = |number| list.iter().find(|one| one.number == number).map(|one| one.code.as_str());
    assert_eq!((code(1), code(2)), (Some("OTHER"), Some("TWO_STRIKES")));
}

/// The case goes to the other city, which speaks from then on, and sees what was kept from it.
async fn handed_on(pair: &mut Pair, case: &str, referral: &str) {
    let stands = get(&pair.here, case).await.unwrap();
    let offer = pb::OfferTransferRequest {
        name: case.into(),
        etag: stands.etag,
        to_city: THERE,
        request_id: fresh(),
        ..Default::default()
    };
    let offered = pair.here.cases().offer_transfer(offer).await.unwrap().into_inner().case.unwrap();
    pair.held(&pair.there, &offered).await;
    let accept = pb::AcceptTransferRequest {
        name: case.into(),
        etag: offered.etag,
        request_id: fresh(),
        ..Default::default()
    };
    let taken = pair.there.cases().accept_transfer(accept).await.unwrap().into_inner();
    let taken = taken.case.unwrap();
    pair.held(&pair.here, &taken).await;
    let here = Desk { client: &pair.here, case };
    let there = Desk { client: &pair.there, case };
    let not_ours = here.tag(3, false, "").await;
    assert_eq!(refused(not_ours), (Code::PermissionDenied, "NOT_HANDLING_CITY".to_owned()));
    assert_eq!(there.tag(3, false, "").await.unwrap(), [TWO_STRIKES, 3]);
    there.answer(there.said_by_police(referral, pb::PoliceAnswer::Returned)).await.unwrap();
    // All that the old one has said, the organs too, each of which comes by itself.
    let by_entry = |mut words: Vec<pb::ReferralWord>| {
        words.sort_by(|a, b| a.entry.cmp(&b.entry));
        words
    };
    let of_here = |mut words: Vec<pb::ReferralWord>| {
        words.retain(|word| word.city == HERE);
        by_entry(words)
    };
    let said = of_here(here.words().await);
    assert!(said.iter().filter(|word| word.record == record(ORGAN)).count() > 3, "{said:?}");
    let shown = || async { (of_here(there.words().await) == said).then_some(()) };
    until("the new handling city has the organs", shown).await;
    // After a start that makes the rows anew, in whatever order the logs are read.
    let words = by_entry(there.words().await);
    pair.nodes.kill(THERE);
    std::fs::remove_dir_all(pair.nodes.fleet.folder(THERE).join("data/views")).unwrap();
    pair.nodes.start(THERE);
    let client = pair.nodes.client(THERE).await;
    ready(&client, &pair.agreement).await;
    assert_eq!(by_entry(Desk { client: &client, case }.words().await), words);
    assert_eq!(get(&client, case).await.unwrap().campaigns, [TWO_STRIKES, 3]);
}

async fn refusals(pair: &Pair, (here, there): (&Desk<'_>, &Desk<'_>)) {
    let bad = |reason: &str| (Code::InvalidArgument, reason.to_owned());
    let told = |reason: &str| (Code::PermissionDenied, reason.to_owned());
    let before = history(here.client, here.case).await.len();
    let crime = pb::ReferralKind::Crime;
    // Another city.
    assert_eq!(refused(there.refer(there.referral(crime)).await), told("NOT_HANDLING_CITY"));
    assert_eq!(refused(there.tag(TWO_STRIKES, false, "").await), told("NOT_HANDLING_CITY"));
    let other = there.opinion(pb::ProcuratorateOpinion::HandOver, OPINION).await;
    assert_eq!(refused(other), told("NOT_HANDLING_CITY"));
    // No referral: none at all, and an entry that is none.
    let opening = history(here.client, here.case).await[0].entry.clone();
    let unknown = (Code::NotFound, "REFERRAL_UNKNOWN".to_owned());
    for entry in [format!("{}:9", "ab".repeat(32)), opening] {
        let answer = here.answer(here.said_by_police(&entry, pb::PoliceAnswer::Filed)).await;
        assert_eq!(refused(answer), unknown, "{entry}");
        assert_eq!(refused(here.copy(&entry, "2026-03-03").await), unknown, "{entry}");
    }
    let nowhere = here.answer(here.said_by_police("", pb::PoliceAnswer::Filed)).await;
    assert_eq!(refused(nowhere), bad("POSITION_FORMAT"));
    // Codes, papers and dates.
    let one = |change: &dyn Fn(&mut pb::ReferCaseRequest)| {
        let mut asked = here.referral(crime);
        change(&mut asked);
        async move { refused(here.refer(asked).await) }
    };
    assert_eq!(one(&|asked| asked.kind = 0).await, bad("REQUIRED"));
    assert_eq!(one(&|asked| asked.kind = 9).await, bad("CODE_UNKNOWN"));
    assert_eq!(one(&|asked| asked.papers = vec![99]).await, bad("CODE_UNKNOWN"));
    assert_eq!(one(&|asked| asked.papers = Vec::new()).await, bad("REFERRAL_PAPERS"));
    let early = |asked: &mut pb::ReferCaseRequest| asked.handed_over_on = Some(day("2026-03-01"));
    assert_eq!(one(&early).await, bad("DATE_BEFORE_REFERRAL"));
    let ahead = |asked: &mut pb::ReferCaseRequest| asked.handed_over_on = Some(day("2099-01-01"));
    assert_eq!(one(&ahead).await, bad("EFFECTIVE_IN_FUTURE"));
    let bidi = |asked: &mut pb::ReferCaseRequest| asked.record = record("\u{202e}安公");
    assert_eq!(one(&bidi).await, bad("TEXT_BIDI"));
    let nobody = format!("{}/cases/{}", pair.agreement, "0".repeat(32));
    let none = |asked: &mut pb::ReferCaseRequest| asked.name = nobody.clone();
    assert_eq!(one(&none).await, (Code::NotFound, "NOT_FOUND".to_owned()));
    // What a code does not say is said in words.
    let other = here.opinion(pb::ProcuratorateOpinion::Other, "").await;
    assert_eq!(refused(other), bad("REQUIRED"));
    assert_eq!(refused(here.tag(OTHER, false, " ").await), bad("REQUIRED"));
    // Campaigns.
    assert_eq!(refused(here.tag(0, false, "").await), bad("REQUIRED"));
    assert_eq!(refused(here.tag(77, false, "").await), bad("CAMPAIGN_UNKNOWN"));
    assert_eq!(refused(here.tag(256, false, "").await), bad("CAMPAIGN_UNKNOWN"));
    let none = here.tag(TWO_STRIKES, true, "").await;
    assert_eq!(refused(none), (Code::FailedPrecondition, "CAMPAIGN_NOT_TAGGED".to_owned()));
    // Whoever may only read says nothing; a system refers for an officer only.
    let auditor = pair.nodes.client_as(HERE, Role::Auditor).await;
    let auditor = Desk { client: &auditor, ..*here };
    assert_eq!(refused(auditor.tag(TWO_STRIKES, false, "").await), told("ROLE_NOT_ALLOWED"));
    let system = pair.nodes.client_as(HERE, Role::System).await;
    let system = Desk { client: &system, ..*here };
    let alone = system.refer(system.referral(crime)).await;
    assert_eq!(refused(alone), bad("ACTING_FOR_REQUIRED"));
    // Checked and not written.
    let checked = pb::ReferCaseRequest { validate_only: true, ..here.referral(crime) };
    assert_eq!(here.refer(checked).await.unwrap(), []);
    assert_eq!(history(here.client, here.case).await.len(), before, "nothing was written");
}

/// From the command line.
fn by_hand(pair: &Pair, case: &str) {
    let run = |args: &[&str]| -> Output {
        let mut command = std::process::Command::new(exe());
        command.args(["case", "--profile", "client.toml"]).args(args);
        command.current_dir(pair.nodes.fleet.folder(HERE)).output().unwrap()
    };
    let said = |output: &Output| {
        String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
    };
    let refer = ["referral", "refer", case, "--kind", "crime", "--paper", "案件移送书"];
    let on = "2026-03-11";
    let decided = run(&[refer.as_slice(), &["--decided", on]].concat());
    assert!(decided.status.success(), "{decided:?}");
    // Of what is handed over the day of the decision is known.
    let handed = ["--handed-over", "2026-03-12", "--organ", "示例区公安分局"];
    let done = run(&[refer.as_slice(), &handed].concat());
    assert!(done.status.success(), "{done:?}");
    let answer = ["referral", "answer", case, "--answer", "退回补充材料", "-m", "缺清单"];
    let done = run(&answer);
    assert!(done.status.success(), "{done:?}");
    let none = run(&["referral", "answer", case, "--answer", "maybe"]);
    assert!(!none.status.success() && said(&none).contains("police-answers"), "{none:?}");
    let tag = run(&["campaign", "tag", case, "--campaign", "散乱污"]);
    assert!(tag.status.success(), "{tag:?}");
    let shown = said(&run(&["show", case]));
    for text in ["示例区公安分局", "退回补充材料；缺清单", "“两打”专项行动", "散乱污企业整治"]
    {
        assert!(shown.contains(text), "no {text} in {shown}");
    }
    let untag = run(&["campaign", "untag", case, "--campaign", "SCATTERED_POLLUTERS"]);
    assert!(untag.status.success(), "{untag:?}");
    let unknown = run(&["campaign", "tag", case, "--campaign", "清水"]);
    assert!(!unknown.status.success() && said(&unknown).contains("清水"), "{unknown:?}");
    let json = said(&run(&["show", case, "--json"]));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let words = json["referral_words"].as_array().unwrap();
    assert_eq!(words.last().unwrap()["answer"], "RETURNED", "{json}");
    let handed = words.iter().find(|word| word["handed_over_on"] == "2026-03-12").unwrap();
    assert_eq!(handed["decided_on"], on, "{json}");
    assert_eq!(json["campaigns"], serde_json::json!([TWO_STRIKES]), "{json}");
    let listed = said(&run(&["list", "--campaign", "两打", "--json"]));
    assert!(listed.contains(case), "{listed}");
    let empty = said(&run(&["list", "--campaign", "散乱污", "--json"]));
    assert!(!empty.contains(case), "{empty}");
    let csv = said(&run(&["export", "--csv", "--campaign", "2"]));
    let named = csv.lines().nth(1).is_some_and(|row| row.contains("“两打”专项行动"));
    assert!(csv.contains("专项行动") && named, "{csv}");
    let month = liandong::cli::when::date(Some(&day("2026-11-01")));
    let stats = said(&run(&["stats", "--month", month.trim_end_matches("-01"), "--csv"]));
    assert!(stats.contains("专项行动：“两打”专项行动") && stats.contains("共 1 件"), "{stats}");
    let history = said(&run(&["history", case]));
    assert!(history.contains("涉嫌犯罪移送") && history.contains("示例区公安分局"), "{history}");
}

/// The officer's page asks for the papers, and the police owe an answer; so they do of what an own
/// system records by the call of before.
#[tokio::test(flavor = "multi_thread")]
async fn a_detention_has_a_term_whoever_records_it() {
    let pair = Pair::start().await;
    let mut cases = Vec::new();
    for nth in 0..2 {
        let mut request = sample(&pair.agreement, nth);
        request.effective_on = Some(day("2026-03-02"));
        cases.push(create(&pair.here, request).await.unwrap());
    }
    let late = [line(C::DetentionAnswer, "2026-03-06")];

    let browser = Browser::open(&pair.nodes, HERE, Role::Coordinator).await;
    let (page, desk) = (page_of(&cases[0]), Desk { client: &pair.here, case: &cases[0].name });
    assert!(browser.get(&page).await.text.contains("act-refer"));
    assert!(!browser.get(&page).await.text.contains("act-police-answer"), "nothing to answer");
    let send = async |act: &str, fields: &[(&str, &str)]| {
        let id = fresh();
        let fields = [fields, &[("request_id", id.as_str())]].concat();
        browser.post(&format!("{page}/{act}"), &[FROM_HERE], &fields).await
    };
    let refer = [("kind", "2"), ("handed_over_on", "2026-03-03"), ("record.organ", ORGAN)];
    let bare = send("refer", &refer).await;
    assert!(bare.text.contains("id=\"refer-papers-wrong\"") && bare.text.contains(ORGAN));
    assert_eq!(desk.due().await, []);
    send("refer", &[refer.as_slice(), &[("papers", "1"), ("papers", "3")]].concat()).await;
    assert_eq!(desk.due().await, late);
    let words = desk.words().await;
    let Some(Said::Referred(said)) = &words[0].said else { panic!("{words:?}") };
    assert_eq!((said.kind(), said.papers.as_slice()), (pb::ReferralKind::Detention, &[1, 3][..]));
    let shown = browser.get(&page).await.text;
    assert!(
        shown.contains("公安答复行政拘留移送") && shown.contains("act-police-answer"),
        "{shown}"
    );
    let answer = [("referral", words[0].entry.as_str()), ("answered_on", "2026-03-05")];
    let wrong = send("police-answer", &[answer.as_slice(), &[("answer", "1")]].concat()).await;
    assert!(wrong.text.contains("id=\"police-answer-answer-wrong\""), "{}", wrong.text);
    send("police-answer", &[answer.as_slice(), &[("answer", "5")]].concat()).await;
    assert_eq!(desk.due().await, []);
    send("procuratorate-copy", &[answer[0], ("paper", "1"), ("copied_on", "2026-03-05")]).await;
    assert!(matches!(desk.words().await[2].said, Some(Said::Copied(_))));

    let case = &cases[1].name;
    let (here, there) = (Desk { client: &pair.here, case }, Desk { client: &pair.there, case });
    let request = pb::RecordPoliceDetentionRequest {
        name: case.clone(),
        effective_on: Some(day("2026-03-03")),
        request_id: fresh(),
        ..Default::default()
    };
    pair.here.cases().record_police_detention(request).await.unwrap();
    assert_eq!(here.due().await, late);
    until("the other city has it", || async { (there.due().await == late).then_some(()) }).await;
    let request = pb::RecordMilestoneRequest {
        name: case.clone(),
        milestone: pb::Milestone::PoliceAnswered.into(),
        effective_on: Some(day("2026-03-05")),
        request_id: fresh(),
        ..Default::default()
    };
    pair.here.cases().record_milestone(request).await.unwrap();
    assert_eq!(here.due().await, []);
}
