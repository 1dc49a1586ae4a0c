//! The inbox and the list of deadlines, over real nodes: with more of each kind than a column has
//! room for, nothing is hidden.

use liandong::cli::connect::Client;
use liandong::domain::Date;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;

use super::api::{HERE, Pair, THERE, create, fresh, note, refused, sample, verify};
use super::console::Browser;
use super::nodes::until;
use super::plans::{self, World, day, draft, step, today, world_set_up};

/// One more than a column shows of one kind.
const MANY: usize = 13;

/// The column of a page that has this heading's id.
fn column<'a>(page: &'a str, id: &str) -> &'a str {
    let begin = format!("<section aria-labelledby=\"{id}\">");
    let (_, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("no {id} in {page}"));
    rest.split_once("</section>").unwrap().0
}

/// The line of a column that leads to a page.
fn line<'a>(column: &'a str, page: &str) -> &'a str {
    let lines: Vec<&str> = column.split("<li>").filter(|one| one.contains(page)).collect();
    assert_eq!(lines.len(), 1, "{page} in {column}");
    lines[0]
}

fn address(name: &str) -> String {
    let parts: Vec<&str> = name.split('/').collect();
    format!("/{}/{}/{}", parts[2].trim_end_matches('s'), parts[1], parts[3])
}

async fn offer(client: &Client, case: &pb::Case) -> pb::Case {
    let request = pb::OfferTransferRequest {
        name: case.name.clone(),
        etag: case.etag.clone(),
        to_city: THERE,
        request_id: fresh(),
        ..pb::OfferTransferRequest::default()
    };
    client.cases().offer_transfer(request).await.unwrap().into_inner().case.unwrap()
}

async fn acknowledge(client: &Client, case: &pb::Case) {
    let request = pb::AcknowledgeTransferRequest {
        name: case.name.clone(),
        request_id: fresh(),
        ..pb::AcknowledgeTransferRequest::default()
    };
    client.cases().acknowledge_transfer(request).await.unwrap();
}

/// A city asks the other one for help until a day.
async fn ask_for_help(client: &Client, case: &pb::Case, of: u32, due_on: Date) {
    let request = pb::RequestAssistanceRequest {
        name: case.name.clone(),
        text: "请协助取水样".to_owned(),
        to_city: of,
        due_on: day(due_on),
        request_id: fresh(),
        ..pb::RequestAssistanceRequest::default()
    };
    client.cases().request_assistance(request).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_next_stands_first_and_all_of_it_has_a_page() {
    let pair = Pair::start().await;
    // What nobody has looked after for months, one more than a page of the list has room for.
    let (mut over, first) = (Vec::new(), "2026-03-02".parse::<Date>().unwrap());
    for nth in 0..31 {
        let mut request = sample(&pair.agreement, 0);
        request.effective_on = day(first.plus_days(nth).unwrap());
        let case = create(&pair.here, request).await.unwrap();
        over.push(case);
    }
    // And what the other city asks for in the days to come: of one case, so on one page.
    let theirs = pair.open(&pair.there, 1).await;
    for ahead in 1..=13 {
        ask_for_help(&pair.there, &theirs, HERE, today().plus_days(ahead).unwrap()).await;
    }
    let browser = Browser::open(&pair.nodes, HERE, Role::Auditor).await;
    let page = until("all is due here", || async {
        let page = browser.get("/").await.text;
        column(&page, "due").contains("14 天内共 13 项").then_some(page)
    })
    .await;
    let due = column(&page, "due");
    let lines: Vec<&str> = due.split("<li>").skip(1).collect();
    assert_eq!(lines.len(), 12 + 6, "{due}");
    let next = today().plus_days(1).unwrap().to_string();
    assert!(lines[0].contains(&next) && lines[0].contains("答复协助请求"), "{}", lines[0]);
    // Who has the turn, which is the other city; and the form that meets the term.
    let leads = format!("href=\"{}#do-answer\"", address(&theirs.name));
    assert!(lines[0].contains("现由 邯郸 处理") && lines[0].contains(&leads), "{}", lines[0]);
    assert!(lines[12].contains("现由 聊城 处理"), "{}", lines[12]);
    assert!(due.contains("href=\"/due\"") && due.contains("href=\"/due?show=over\""), "{due}");
    assert!(due.contains("期限已过 31 项"), "{due}");
    // Lately over first: the newest of them is here, the oldest on the last page of the list.
    let (oldest, newest) = (address(&over[0].name), address(&over[30].name));
    assert!(lines[12].contains(&newest) && lines[12].contains("（已逾期）"), "{}", lines[12]);
    assert!(!due.contains(&oldest));
    let list = browser.get("/due?show=over").await.text;
    assert!(list.contains("共 31 项") && list.contains(&newest) && !list.contains(&oldest));
    let (_, next) = list.split_once("href=\"/due?show=over&amp;page=").unwrap();
    let next = next.split_once('"').unwrap().0;
    let last = browser.get(&format!("/due?show=over&page={next}")).await.text;
    assert!(last.contains(&oldest) && !last.contains(&newest), "{last}");
    let coming = browser.get("/due").await.text;
    assert!(coming.contains("共 13 项") && !coming.contains(&newest), "{coming}");
    assert!(browser.get("/due?show=all").await.text.contains("共 44 项"));
    let wrong = browser.get("/due?page=zz").await;
    assert!(wrong.text.contains("PAGE_TOKEN"), "{}", wrong.text);
    // The same over the API: by its first day as by its last one.
    let asked = pb::ListDeadlinesRequest {
        parent: "agreements/-".to_owned(),
        from: Some(pb::Date { year: 2026, month: 13, day: 1 }),
        ..pb::ListDeadlinesRequest::default()
    };
    assert_eq!(refused(pair.here.cases().list_deadlines(asked).await).1, "DATE_RANGE");
}

/// Another city proposes a change; returns the entry that does.
async fn propose(client: &Client, case: &pb::Case) -> String {
    let request = pb::ProposeAmendmentRequest {
        name: case.name.clone(),
        text: "经度似有误".to_owned(),
        request_id: fresh(),
        ..pb::ProposeAmendmentRequest::default()
    };
    let answer = client.cases().propose_amendment(request).await.unwrap().into_inner();
    answer.receipt.unwrap().entry
}

/// What two cities wait for in a case stands with the one as its turn and with the other as what
/// it waits for, also where no term runs; what was answered stands nowhere.
#[tokio::test(flavor = "multi_thread")]
async fn disputes_requests_and_proposals_have_their_lines() {
    let pair = Pair::start().await;
    let case = pair.open(&pair.here, 0).await;
    let case = verify(&pair.here, &case).await.unwrap();
    let asked = pair.open(&pair.here, 1).await;
    // Longer than what is due soon.
    ask_for_help(&pair.here, &asked, THERE, today().plus_days(40).unwrap()).await;
    pair.held(&pair.there, &asked).await;
    let proposal = propose(&pair.there, &asked).await;
    let offered = offer(&pair.here, &case).await;
    let offered = pair.held(&pair.there, &offered).await;
    let dispute = pb::DisputeTransferRequest {
        name: offered.name.clone(),
        etag: offered.etag.clone(),
        text: "违法行为地不在我市".to_owned(),
        request_id: fresh(),
        ..pb::DisputeTransferRequest::default()
    };
    pair.there.cases().dispute_transfer(dispute).await.unwrap();
    let (disputed, asked_at) = (address(&case.name), address(&asked.name));
    let here = Browser::open(&pair.nodes, HERE, Role::Coordinator).await;
    let there = Browser::open(&pair.nodes, THERE, Role::Coordinator).await;
    let page = until("all is known here", || async {
        let page = here.get("/").await.text;
        (column(&page, "theirs").contains(&disputed) && column(&page, "ours").contains(&asked_at))
            .then_some(page)
    })
    .await;
    let said = line(column(&page, "theirs"), &disputed);
    assert!(said.contains("待邯郸退还案件或登记指定管辖"), "{said}");
    let said = line(column(&page, "theirs"), &asked_at);
    assert!(said.contains("待邯郸答复协助请求") && !said.contains("建议"), "{said}");
    let said = line(column(&page, "ours"), &asked_at);
    assert!(said.contains("待采纳或不采纳建议（邯郸 2") && !said.contains("协助"), "{said}");
    // One click leads to the form; and to no form of another city.
    let leads = format!("href=\"{asked_at}#do-adopt\"");
    assert!(line(column(&page, "ours"), &asked_at).contains(&leads), "{page}");
    let leads = format!("href=\"{asked_at}\"");
    assert!(line(column(&page, "theirs"), &asked_at).contains(&leads), "{page}");
    let page = there.get("/").await.text;
    let said = line(column(&page, "ours"), &disputed);
    assert!(said.contains("待退还案件或登记指定管辖（聊城 2"), "{said}");
    let said = line(column(&page, "ours"), &asked_at);
    assert!(said.contains("待答复协助请求（聊城 2"), "{said}");
    assert!(line(column(&page, "theirs"), &asked_at).contains("待聊城采纳或不采纳建议"));
    // The list has the same, for who has more of them than a column has room for.
    let list = there.get("/cases?awaits=ours").await.text;
    assert!(list.contains("共 2 件") && list.contains(&disputed), "{list}");

    let now = pair.held(&pair.here, &asked).await;
    let refuse = pb::RefuseProposalRequest {
        name: asked.name.clone(),
        etag: now.etag,
        proposal,
        text: "经核对无误".to_owned(),
        request_id: fresh(),
        ..pb::RefuseProposalRequest::default()
    };
    pair.here.cases().refuse_proposal(refuse).await.unwrap();
    assert!(!column(&here.get("/").await.text, "ours").contains(&asked_at));
    let wrong = pb::ListCasesRequest {
        parent: "agreements/-".to_owned(),
        awaits_own_city: true,
        page_token: "zz".to_owned(),
        ..pb::ListCasesRequest::default()
    };
    assert_eq!(refused(pair.here.cases().list_cases(wrong).await).1, "PAGE_TOKEN");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_an_offer_says_until_when_held_since_and_acknowledged() {
    let pair = Pair::start().await;
    // A case with more entries than a page of its history has room for, before it is offered.
    let case = pair.open(&pair.here, 0).await;
    for nth in 0..201 {
        note(&pair.here, &case.name, &format!("第 {nth} 次补充")).await.unwrap();
    }
    let case = verify(&pair.here, &case).await.unwrap();
    let case = offer(&pair.here, &case).await;
    let at = address(&case.name);
    let here = Browser::open(&pair.nodes, HERE, Role::Coordinator).await;
    let there = Browser::open(&pair.nodes, THERE, Role::Coordinator).await;
    let ours = until("it is offered there", || async {
        let page = there.get("/").await.text;
        let ours = column(&page, "ours");
        ours.contains(&at).then(|| line(ours, &at).to_owned())
    })
    .await;
    for word in ["待答复移送（聊城 2", "签收移送 2", "答复移送 2", "本市未签收"]
    {
        assert!(ours.contains(word), "{word}: {ours}");
    }
    let theirs = until("the other city holds it", || async {
        let page = here.get("/").await.text;
        let theirs = line(column(&page, "theirs"), &at).to_owned();
        theirs.contains("邯郸已存 2").then_some(theirs)
    })
    .await;
    for word in ["待邯郸答复移送（2", "签收移送 2", "答复移送 2", "邯郸未签收"]
    {
        assert!(theirs.contains(word), "{word}: {theirs}");
    }
    acknowledge(&pair.there, &case).await;
    let page = there.get("/").await.text;
    let ours = line(column(&page, "ours"), &at);
    assert!(ours.contains("本市已签收 2") && !ours.contains("签收移送"), "{ours}");
    until("it is known here", || async {
        let page = here.get("/").await.text;
        let theirs = line(column(&page, "theirs"), &at);
        (theirs.contains("邯郸已签收 2") && !theirs.contains("签收移送")).then_some(())
    })
    .await;
}

async fn issue(client: &Client, agreement: &str, nth: usize) -> pb::Notice {
    let record = pb::NoticeRecord {
        title: format!("第 {nth} 号通报"),
        text: "请关注水质".to_owned(),
        ..pb::NoticeRecord::default()
    };
    let request = pb::CreateNoticeRequest {
        parent: agreement.to_owned(),
        kind: pb::NoticeKind::General.into(),
        record: Some(record),
        request_id: fresh(),
        ..pb::CreateNoticeRequest::default()
    };
    client.notices().create_notice(request).await.unwrap().into_inner().notice.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_column_has_no_room_for_has_a_link_and_nothing_newer_hides_what_waits() {
    let World { nodes, agreements, here, .. } = world_set_up(&["聊邯"], |_| {}).await;
    let agreement = &agreements[0];
    let waits = plans::create(&here, agreement, draft(&[])).await.unwrap();
    let notice = issue(&here, agreement, 0).await;
    for _ in 0..MANY {
        let newer = plans::create(&here, agreement, draft(&[])).await.unwrap();
        step(&here, &newer, pb::PlanStep::Cancel, "另行安排").await.unwrap();
    }
    let browser = Browser::open(&nodes, HERE, Role::Coordinator).await;
    let theirs = until("both are held there", || async {
        let page = browser.get("/").await.text;
        let theirs = column(&page, "theirs").to_owned();
        (theirs.matches("邯郸已存 2").count() == 2).then_some(theirs)
    })
    .await;
    let plan = line(&theirs, &address(&waits.name));
    assert!(plan.contains("邯郸：答复方案") && plan.contains("征求意见"), "{plan}");
    let notice = line(&theirs, &address(&notice.name));
    assert!(notice.contains("邯郸未签收") && notice.contains("前签收"), "{notice}");
    assert!(!theirs.contains("未列全"), "{theirs}");
    // Then more than there is room for, of each kind.
    for nth in 1..=MANY {
        plans::create(&here, agreement, draft(&[])).await.unwrap();
        issue(&here, agreement, nth).await;
        let case = create(&here, sample(agreement, nth)).await.unwrap();
        let case = verify(&here, &case).await.unwrap();
        offer(&here, &case).await;
    }
    let page = browser.get("/").await.text;
    let theirs = column(&page, "theirs");
    for (link, word) in [
        ("/cases?awaits=theirs", "案件共 13 件"),
        ("/notices?filter=3", "其余信息通报"),
        ("/plans?theirs=1", "联合行动共 14 项"),
    ] {
        assert!(theirs.contains(&format!("<a href=\"{link}\">{word}</a>")), "{word}: {theirs}");
        let rest = browser.get(&link.replace("&amp;", "&")).await.text;
        assert!(rest.contains("共 1") || link.contains("notices"), "{rest}");
    }
    assert!(theirs.contains("\">36+</a>"), "{theirs}");
    let other = Browser::open(&nodes, THERE, Role::Coordinator).await;
    until("the other city has it all", || async {
        let page = other.get("/").await.text;
        let ours = column(&page, "ours");
        let all = ["/cases?awaits=ours", "/notices?filter=1", "/plans?ours=1"];
        all.iter().all(|link| ours.contains(&format!("<a href=\"{link}\">"))).then_some(())
    })
    .await;
}
