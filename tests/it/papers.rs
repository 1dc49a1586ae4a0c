//! Papers, and what their codes prove: the text that a telephone reads is compared with the node of
//! the other city.

use std::fmt::Write as _;

use http::StatusCode;
use liandong::cli::connect::Client;
use liandong::shown::paper::PaperText;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;
use qrcode::{Color, EcLevel, QrCode};

use super::api::{HERE, Pair, THERE, create, fresh, history, sample, verify};
use super::console::{Browser, FROM_HERE, page_of};
use super::nodes::until;
use super::plan_cli::{Desk, said};
use super::plans;

/// What stands between two marks.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("no {from}: {text}"));
    rest.split(to).next().unwrap()
}

/// The text of a paper's code, from what its foot says in words; the picture holds just that.
fn code(page: &str, number: &str, name: &str) -> PaperText {
    let foot = between(page, "class=\"hash\">", "</p>");
    let mut words = foot.split_whitespace();
    let mut after = |label: &str| {
        assert_eq!(words.next(), Some(label), "{foot}");
        words.next().unwrap().to_owned()
    };
    let paper = PaperText {
        number: number.to_owned(),
        name: name.to_owned(),
        entry: after("条目"),
        hash: after("哈希"),
        log: Some((after("签名记录条数").parse().unwrap(), after("根哈希"))),
        printed: between(page, "打印时间：", "。").to_owned(),
    };
    let code = QrCode::with_error_correction_level(paper.text(), EcLevel::M).unwrap();
    let mut path = String::new();
    for (row, colours) in code.to_colors().chunks(code.width()).enumerate() {
        let mut column = 4;
        for run in colours.chunk_by(|one, next| one == next) {
            if run[0] == Color::Dark {
                write!(path, "M{column} {}.5h{}", row + 4, run.len()).unwrap();
            }
            column += run.len();
        }
    }
    assert!(page.contains(&path), "the picture holds the text");
    paper
}

#[tokio::test(flavor = "multi_thread")]
async fn the_code_of_a_paper_is_verified_against_the_other_citys_node() {
    let pair = Pair::start().await;
    let here = Browser::open(&pair.nodes, HERE, Role::Coordinator).await;
    let case = create(&pair.here, sample(&pair.agreement, 0)).await.unwrap();
    let case = verify(&pair.here, &case).await.unwrap();
    let (at, to, id) = (page_of(&case), THERE.to_string(), fresh());
    let offer = [("etag", &*case.etag), ("to_city", &to), ("text", "请接收"), ("request_id", &id)];
    here.post(&format!("{at}/offer"), &[FROM_HERE], &offer).await.leads_to();
    let letter = here.get(&format!("{at}/print/transfer")).await.text;
    let letter = code(&letter, &case.number, &case.name);

    let agreement = pair.agreement.trim_start_matches("agreements/");
    let id = fresh();
    let notice = [
        ("agreement", agreement),
        ("kind", "1"),
        ("record.title", "油膜"),
        ("record.text", "请协查"),
        ("request_id", &id),
    ];
    let issued = here.post("/notices/new", &[FROM_HERE], &notice).await;
    let at = issued.leads_to().split('?').next().unwrap().to_owned();
    let name = at.rsplit('/').next().unwrap();
    let page = here.get(&format!("{at}/print/letter")).await.text;
    let notice = code(&page, &name[..8], &format!("{}/notices/{name}", pair.agreement));

    let desk = Desk { nodes: &pair.nodes, city: THERE };
    let run = |paper: &PaperText| desk.run("verify", &["paper", &paper.text()]);
    for paper in [&letter, &notice] {
        let verified = until("the record is there", || async {
            Some(run(paper)).filter(|output| output.status.success())
        })
        .await;
        let said = said(&verified);
        assert!(said.contains("编号、位置、哈希一致") && said.contains("聊城"), "{said}");
    }
    assert!(said(&run(&letter)).contains("移送"), "{}", said(&run(&letter)));
    // What was changed on the way is told from what is there.
    let other = |change: fn(&mut PaperText)| {
        let mut paper = letter.clone();
        change(&mut paper);
        paper
    };
    for (paper, why) in [
        (other(|one| one.number.push('9')), "编号不符"),
        (other(|one| one.hash = "0".repeat(64)), "条目内容不符"),
        (other(|one| one.hash.clear()), "条目内容不符"),
        (other(|one| one.entry.push('9')), "打印件所依据的条目"),
        (other(|one| one.entry = format!("{}:0", "0".repeat(64))), "打印件所依据的条目"),
        (other(|one| one.name = one.name.replace("/cases/", "/plans/")), ""),
    ] {
        let refused = run(&paper);
        assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
        assert!(said(&refused).contains(why), "{why}: {}", said(&refused));
    }
    assert_eq!(desk.run("verify", &["paper", "https://x.example"]).status.code(), Some(2));
}

async fn offer(client: &Client, case: &pb::Case, to_city: u32) -> pb::Case {
    let request = pb::OfferTransferRequest {
        name: case.name.clone(),
        etag: case.etag.clone(),
        to_city,
        request_id: fresh(),
        ..Default::default()
    };
    client.cases().offer_transfer(request).await.unwrap().into_inner().case.unwrap()
}

async fn accept(client: &Client, case: &pb::Case) -> pb::Case {
    let request = pb::AcceptTransferRequest {
        name: case.name.clone(),
        etag: case.etag.clone(),
        request_id: fresh(),
        ..Default::default()
    };
    client.cases().accept_transfer(request).await.unwrap().into_inner().case.unwrap()
}

/// The title is corrected, and a file number is known.
async fn correct(client: &Client, case: &pb::Case, title: &str, number: &str) -> pb::Case {
    let mut record = case.record.clone().unwrap();
    (record.title, record.case_file_number) = (title.to_owned(), number.to_owned());
    let facts = pb::CaseFacts { medium: pb::Medium::Noise.into(), ..case.facts.clone().unwrap() };
    let request = pb::UpdateCaseRequest {
        name: case.name.clone(),
        etag: case.etag.clone(),
        facts: Some(facts),
        record: Some(record),
        request_id: fresh(),
        ..Default::default()
    };
    client.cases().update_case(request).await.unwrap().into_inner().case.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_says_what_the_case_was_when_it_was_offered() {
    let pair = Pair::start().await;
    let first = verify(&pair.here, &pair.open(&pair.here, 0).await).await.unwrap();
    let (title, medium) = (first.record.clone().unwrap().title, first.facts.clone().unwrap());
    assert_ne!(medium.medium(), pb::Medium::Noise);
    let first = offer(&pair.here, &first, THERE).await;
    pair.held(&pair.there, &first).await;
    let theirs = accept(&pair.there, &first).await;
    let theirs = correct(&pair.there, &theirs, "邯郸更正的案由", "邯环立〔2026〕7号").await;
    // It goes on to the first city again.
    let second = offer(&pair.there, &theirs, HERE).await;
    pair.held(&pair.here, &second).await;
    let ours = accept(&pair.here, &second).await;
    let ours = correct(&pair.here, &ours, "聊城再改的案由", "聊环立〔2026〕9号").await;
    let here = Browser::open(&pair.nodes, HERE, Role::Coordinator).await;
    let at = page_of(&ours);
    let page = here.get(&at).await.text;
    let [letter, last] = [&first, &second].map(|offer| {
        let link = format!("{at}/print/transfer?offer={}", offer.etag);
        assert!(page.contains(&format!("\"{link}\"")), "{link}: {page}");
        link
    });
    let (letter, last) = (here.get(&letter).await.text, here.get(&last).await.text);
    let (old, new) = (format!("案件移送函（{title}）"), "案件移送函（邯郸更正的案由）");
    assert!(letter.contains(&old) && letter.contains("日期"), "{letter}");
    for later in ["邯郸更正", "立〔2026〕", "噪声", "聊城再改"] {
        assert!(!letter.contains(later), "{later}: {letter}");
    }
    assert!(last.contains(new) && last.contains("邯环立〔2026〕7号"), "{last}");
    assert!(
        last.contains("噪声") && !last.contains("聊城再改") && !last.contains("聊环立"),
        "{last}"
    );
    assert_eq!(code(&letter, &ours.number, &ours.name).entry, first.etag);
    assert!(here.get(&format!("{at}/print/transfer")).await.text.contains(new));
    let receipt = here.get(&format!("{at}/print/receipt?offer={}", first.etag)).await.text;
    assert!(receipt.contains("同意接收") && receipt.contains(&title), "{receipt}");
    let other = here.get(&format!("{at}/print/transfer?offer={}", ours.etag)).await;
    assert_eq!(other.status, StatusCode::NOT_FOUND, "{}", other.text);

    // What it said at the first offer is erased: nothing can be sent over a seal.
    let opening = history(&pair.here, &ours.name).await[0].entry.clone();
    let admin = pair.nodes.client_as(HERE, Role::Admin).await;
    let erase = pb::ErasePartRequest {
        agreement: pair.agreement.clone(),
        entry: opening,
        part: 0,
        reason: pb::ErasureReason::Law.into(),
        request_id: fresh(),
    };
    admin.nodes().erase_part(erase).await.unwrap();
    for what in ["transfer", "receipt"] {
        let page = here.get(&format!("{at}/print/{what}?offer={}", first.etag)).await.text;
        assert!(page.contains("不能打印") && !page.contains("class=\"paper"), "{page}");
    }
    assert!(here.get(&format!("{at}/print/transfer")).await.text.contains(new));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_codes_of_a_plans_papers_hold_the_hash_of_the_entry_they_rest_on() {
    let world = plans::world_set_up(&["聊邯"], |_| {}).await;
    let agreement = &world.agreements[0];
    let site = plans::site(&world.here, agreement, 0, 371_522).await;
    let draft = plans::draft(std::slice::from_ref(&site));
    let plan = plans::create(&world.here, agreement, draft).await.unwrap();
    let here = Browser::open(&world.nodes, HERE, Role::Coordinator).await;
    let at = plans::page_of(&plan);
    let print = async |what: &str| {
        let page = here.get(&format!("{at}/print/{what}")).await.text;
        code(&page, &plan.number, &plan.name)
    };
    let desk = Desk { nodes: &world.nodes, city: THERE };
    let run = |paper: &PaperText| desk.run("verify", &["paper", &paper.text()]);
    let agrees = async |paper: &PaperText| {
        let verified = until("the plan is there", || async {
            Some(run(paper)).filter(|output| output.status.success())
        })
        .await;
        let said = said(&verified);
        assert!(said.contains("编号、位置、哈希一致") && said.contains("聊城"), "{said}");
    };
    let draft = here.get(&format!("{at}/print/plan")).await.text;
    assert!(
        draft.contains("（征求意见稿）</h1>") && draft.contains("尚未经参加各市全部确认"),
        "{draft}"
    );
    for agreed in ["经参加各市协商", "class=\"seal\""] {
        assert!(!draft.contains(agreed), "{agreed}: {draft}");
    }
    let (first, sheets) = (print("plan").await, print("field").await);
    assert_eq!((first.hash.len(), &first.entry), (64, &plan.revision_entry));
    assert_eq!((&sheets.hash, &sheets.entry), (&first.hash, &first.entry));
    agrees(&first).await;
    agrees(&sheets).await;
    // The summary rests on the last move, whatever that was.
    let cancelled = plans::step(&world.here, &plan, pb::PlanStep::Cancel, "天气").await.unwrap();
    let page = here.get(&format!("{at}/print/plan")).await.text;
    assert!(page.contains("（已取消）</h1>") && !page.contains("经参加各市协商"), "{page}");
    let summary = print("summary").await;
    assert_eq!(summary.entry, cancelled.etag);
    assert_ne!(summary.hash, first.hash);
    agrees(&summary).await;
    for hash in [first.hash.clone(), "0".repeat(64), String::new()] {
        let forged = PaperText { hash, ..summary.clone() };
        let refused = run(&forged);
        assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
        assert!(said(&refused).contains("条目内容不符"), "{}", said(&refused));
    }
}
