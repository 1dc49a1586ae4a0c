//! The console over real TLS, as a browser speaks to it: whose pages, what they hold, what a form
//! may send. What only a real browser shows is in `tests/console`.

use bytes::{Bytes, BytesMut};
use h2::SendStream;
use h2::client::SendRequest;
use http::{HeaderMap, Request, StatusCode};
use liandong::cli::connect::Dialler;
use liandong::cli::profile::Profile;
use liandong::lang::Lang;
use liandong::limits::{CONSOLE_FORM_BYTES_MAX, CONSOLE_OPEN_MAX};
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;

use super::api::{HERE, Pair, THERE, create, fresh, get, history, note, sample, verify};
use super::nodes::Nodes;
use super::plans::world_set_up;

/// A browser with somebody's certificate.
pub struct Browser(SendRequest<Bytes>);

/// A page.
pub struct Page {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Page {
    /// Where a page sends the browser.
    pub fn leads_to(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.text);
        self.headers["location"].to_str().unwrap()
    }
}

/// What a browser says of a form that it sends from a page of the node.
pub const FROM_HERE: (&str, &str) = ("sec-fetch-site", "same-origin");

impl Browser {
    pub async fn open(nodes: &Nodes, code: u32, role: Role) -> Self {
        Self::with(&nodes.fleet.profile(code, role)).await
    }

    /// With the certificate of a profile.
    pub async fn with(profile: &Profile) -> Self {
        let dialler = Dialler::new(profile, Lang::Zh).unwrap();
        let tls = dialler.tls(dialler.tcp().await.unwrap()).await.unwrap();
        let (send, connection) = h2::client::handshake(tls).await.unwrap();
        tokio::spawn(connection);
        Self(send)
    }

    pub async fn ask(&self, request: http::request::Builder, body: impl AsRef<[u8]>) -> Page {
        let body = body.as_ref();
        let request = request.header("accept-language", "zh-CN").body(()).unwrap();
        let mut send = self.0.clone().ready().await.unwrap();
        let (response, mut stream) = send.send_request(request, body.is_empty()).unwrap();
        if !body.is_empty() {
            // Refused before all was sent: the answer is what counts.
            let _ = stream.send_data(Bytes::copy_from_slice(body), true);
        }
        let (parts, mut body) = response.await.unwrap().into_parts();
        let mut data = BytesMut::new();
        while let Some(Ok(chunk)) = body.data().await {
            let _ = body.flow_control().release_capacity(chunk.len());
            data.extend_from_slice(&chunk);
        }
        let text = String::from_utf8(data.to_vec()).unwrap();
        Page { status: parts.status, headers: parts.headers, text }
    }

    /// Sends the beginning of a body; the rest never comes.
    pub async fn begin(&self, request: http::request::Builder, body: &[u8]) -> SendStream<Bytes> {
        let mut send = self.0.clone().ready().await.unwrap();
        let (_, mut stream) = send.send_request(request.body(()).unwrap(), false).unwrap();
        stream.send_data(Bytes::copy_from_slice(body), false).unwrap();
        stream
    }

    pub async fn get(&self, path: &str) -> Page {
        self.ask(Request::get(format!("https://node.test{path}")), "").await
    }

    pub async fn post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        fields: &[(&str, &str)],
    ) -> Page {
        let kind = "application/x-www-form-urlencoded";
        let mut request = Request::post(format!("https://node.test{path}"));
        for (name, value) in headers.iter().chain([&("content-type", kind)]) {
            request = request.header(*name, *value);
        }
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        self.ask(request, &body.finish()).await
    }
}

/// The page of a case.
pub fn page_of(case: &pb::Case) -> String {
    let mut parts = case.name.split('/');
    format!("/case/{}/{}", parts.nth(1).unwrap(), parts.nth(1).unwrap())
}

pub const EVIL: &str = "\"><script>window.hit=1</script><img src=x onerror='hit()'>";

#[tokio::test(flavor = "multi_thread")]
async fn script_in_any_field_is_shown_as_text() {
    let pair = Pair::start().await;
    let mut request = sample(&pair.agreement, 0);
    let record = request.record.as_mut().unwrap();
    record.title = format!("标题{EVIL}");
    record.summary = EVIL.to_owned();
    record.location.as_mut().unwrap().address = EVIL.to_owned();
    record.party.as_mut().unwrap().name = format!("企业{EVIL}");
    for one in &mut record.evidence {
        one.title = EVIL.to_owned();
    }
    let case = create(&pair.here, request).await.unwrap();
    let browser = Browser::open(&pair.nodes, HERE, Role::Coordinator).await;
    let at = page_of(&case);
    let note = [("text", EVIL), ("request_id", &fresh())];
    let noted = browser.post(&format!("{at}/note"), &[FROM_HERE], &note).await;
    assert_eq!(noted.status, StatusCode::SEE_OTHER, "{}", noted.text);
    // Refused, so that what was typed comes back in the form.
    let again = [("text", EVIL), ("request_id", EVIL), ("etag", EVIL), ("seen", EVIL)];
    let refused = browser.post(&format!("{at}/step"), &[FROM_HERE], &again).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let query = form_urlencoded::byte_serialize(EVIL.as_bytes()).collect::<String>();
    let mut pages = vec![("refused".to_owned(), refused.text)];
    for path in [
        at,
        "/".to_owned(),
        "/cases".to_owned(),
        format!("/cases?party={query}&number={query}&page={query}&from={query}"),
        format!("/plans?from={query}&state={query}"),
        format!("/plans/new?agreement={query}&title={query}"),
        format!("/plans/week?week={query}&agreement={query}"),
        format!("/map?choose=1&pick={query}&x={query}"),
        format!("/map/plan?pick={query}&choose={query}"),
        format!("/nowhere/{query}"),
    ] {
        pages.push((path.clone(), browser.get(&path).await.text));
    }
    for (path, text) in &pages {
        assert!(!text.contains("<script>window"), "{path}: {text}");
        assert!(!text.contains("<img src=x"), "{path}: {text}");
    }
    let shown = &pages[1].1;
    assert!(shown.matches("&lt;script&gt;window.hit=1").count() >= 4, "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_shows_and_does_what_the_api_would_and_no_more() {
    let pair = Pair::start().await;
    let case = create(&pair.here, sample(&pair.agreement, 0)).await.unwrap();
    let at = page_of(&case);
    let coordinator = Browser::open(&pair.nodes, HERE, Role::Coordinator).await;
    let auditor = Browser::open(&pair.nodes, HERE, Role::Auditor).await;
    let page = coordinator.get(&at).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains(&case.number) && page.text.contains("补充说明"), "{}", page.text);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(page.headers["cache-control"], "no-store");
    // A wrong role sees no form, and is refused when it sends one all the same.
    let page = auditor.get(&at).await;
    assert!(page.text.contains("您的身份只能查看") && !page.text.contains("<textarea"));
    let note = [("text", "x"), ("request_id", "of-the-auditor")];
    let refused = auditor.post(&format!("{at}/note"), &[FROM_HERE], &note).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("ROLE_NOT_ALLOWED"), "{}", refused.text);
    // A write that another site causes, with the certificate the browser shows by itself.
    for headers in
        [&[][..], &[("sec-fetch-site", "cross-site")], &[("origin", "https://x.example")]]
    {
        let refused = coordinator.post(&format!("{at}/note"), headers, &note).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{headers:?}");
    }
    assert_eq!(history(&pair.here, &case.name).await.len(), 1);
    // A record that is not there, and one that another page's address cannot name.
    for path in [format!("{at}0"), at.replace("/case/", "/plan/"), "/case/x/y".to_owned()] {
        let page = coordinator.get(&path).await;
        assert_ne!(page.status, StatusCode::OK, "{path}");
        assert!(page.text.contains("操作未执行"), "{path}: {}", page.text);
    }
    let long = "长".repeat(CONSOLE_FORM_BYTES_MAX / 12);
    let note = [("text", long.as_str()), ("request_id", "long")];
    let refused = coordinator.post(&format!("{at}/note"), &[FROM_HERE], &note).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text.len());
    let note = [("text", &*long.repeat(2)), ("request_id", "longer")];
    let refused = coordinator.post(&format!("{at}/note"), &[FROM_HERE], &note).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    for word in ["<nav", "填写的内容过长：一次提交最多 256 KiB", "删减后再提交"]
    {
        assert!(refused.text.contains(word), "{word}: {}", refused.text);
    }
    assert!(refused.text.contains(&format!("href=\"{at}\"")), "{}", refused.text);
    assert_eq!(history(&pair.here, &case.name).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_goes_over_by_the_pages_of_both_cities_and_twice_is_once() {
    let pair = Pair::start().await;
    let case = create(&pair.here, sample(&pair.agreement, 0)).await.unwrap();
    // A clue that nobody looked into is not handed over: its page has no such form.
    let at = page_of(&case);
    let here = Browser::open(&pair.nodes, HERE, Role::Coordinator).await;
    let there = Browser::open(&pair.nodes, THERE, Role::Coordinator).await;
    assert!(!here.get(&at).await.text.contains("act-offer"));
    let case = verify(&pair.here, &case).await.unwrap();
    let page = here.get(&at).await.text;
    let (_, form) = page.split_once("act-offer").unwrap();
    let (_, to) = form.split_once("name=\"to_city\"").unwrap();
    let first = to.split_once("<option ").unwrap().1;
    assert!(first.starts_with("value=\"\" selected>"), "nobody is chosen at first: {first:.200}");
    let to = THERE.to_string();
    let offer = |etag: &'static str| [("etag", etag), ("to_city", ""), ("text", "请接收")];
    // A page that is out of date, and one without a receiver.
    let stale = here.post(&format!("{at}/offer"), &[FROM_HERE], &offer("")).await;
    assert_eq!(stale.status, StatusCode::UNPROCESSABLE_ENTITY);
    let nobody =
        [("etag", &*case.etag), ("to_city", ""), ("text", "请接收"), ("request_id", "nobody")];
    let nobody = here.post(&format!("{at}/offer"), &[FROM_HERE], &nobody).await;
    assert!(nobody.text.contains("id=\"offer-to_city-wrong\""), "{}", nobody.text);
    let fields =
        [("etag", &*case.etag), ("to_city", &to), ("text", "请接收"), ("request_id", "one")];
    for _ in 0..2 {
        let offered = here.post(&format!("{at}/offer"), &[FROM_HERE], &fields).await;
        assert_eq!(offered.status, StatusCode::SEE_OTHER, "{}", offered.text);
    }
    assert_eq!(history(&pair.here, &case.name).await.len(), 3);
    let etag = get(&pair.here, &case.name).await.unwrap().etag;
    let old = [("etag", &*case.etag), ("seen", "线索已登记"), ("request_id", "two"), ("step", "1")];
    let stale = here.post(&format!("{at}/step"), &[FROM_HERE], &old).await;
    assert!(
        stale.text.contains("其间已有变化") && stale.text.contains("线索已登记"),
        "{}",
        stale.text
    );
    super::nodes::until("the offer is there", || async {
        let page = there.get("/").await;
        page.text.contains(&case.number).then_some(())
    })
    .await;
    // One click leads to what is awaited: first that somebody has it.
    let desk = there.get("/").await.text;
    assert!(desk.contains(&format!("href=\"{at}#do-acknowledge\"")), "{desk}");
    assert!(there.get(&at).await.text.contains("<form id=\"do-acknowledge\""));
    let accept = [("etag", &*etag), ("text", "同意"), ("request_id", "three")];
    let accepted = there.post(&format!("{at}/accept"), &[FROM_HERE], &accept).await;
    assert_eq!(accepted.status, StatusCode::SEE_OTHER, "{}", accepted.text);
    assert_eq!(get(&pair.there, &case.name).await.unwrap().handling_city, THERE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_shows_the_number_under_which_it_was_approved() {
    let world = world_set_up(&["聊邯"], |nodes| {
        let file = nodes.fleet.folder(HERE).join("liandong.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let number = "[console]\nmap_approval = \"GS鲁(2026)0001号\"\n";
        std::fs::write(&file, format!("{text}\n{number}")).unwrap();
    })
    .await;
    let numbered = Browser::open(&world.nodes, HERE, Role::Coordinator).await.get("/map").await;
    assert!(numbered.text.contains("审图号：GS鲁(2026)0001号"), "{}", numbered.text);
    let without = Browser::open(&world.nodes, THERE, Role::Coordinator).await.get("/map").await;
    assert!(without.text.contains("本图未填写审图号"), "{}", without.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_assigns_a_case_from_an_old_page_sees_whom_a_colleague_named() {
    let pair = Pair::start().await;
    let case = create(&pair.here, sample(&pair.agreement, 0)).await.unwrap();
    let at = format!("{}/assign", page_of(&case));
    let here = Browser::open(&pair.nodes, HERE, Role::Coordinator).await;
    let colleague = Browser::open(&pair.nodes, HERE, Role::Inspector).await;
    let press = async |browser: &Browser, etag: &str, who: &str, remark: &str| {
        let request_id = fresh();
        let fields = [("assignment", etag), ("assignee", who), ("remark", remark)];
        let fields = [&fields[..], &[("request_id", &*request_id)]].concat();
        browser.post(&at, &[FROM_HERE], &fields).await
    };
    let etag = async || get(&pair.here, &case.name).await.unwrap().assignment.unwrap().etag;
    // Nobody was assigned when both opened it.
    let first = press(&colleague, "", "李四", "先看台账").await;
    assert_eq!(first.status, StatusCode::SEE_OTHER, "{}", first.text);
    let told = |page: &Page, now: &str| {
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        let row =
            format!("本市经办人</th><td class=\"told\">{now}</td><td class=\"told\">王五</td>");
        for part in ["ASSIGNMENT_CHANGED", "其间本市经办人或备注已改：", "怎么办：", row.as_str()]
        {
            assert!(page.text.contains(part), "{part}: {}", page.text);
        }
        assert!(page.text.contains(r#"name="assignee" value="王五""#), "{}", page.text);
    };
    let stale = press(&here, "", "王五", "").await;
    told(&stale, "李四");
    let by = get(&pair.here, &case.name).await.unwrap().assignment.unwrap().assigned_by;
    let by = format!("执法人员 {}", by.strip_prefix("inspector/").unwrap());
    assert!(stale.text.contains(&by), "{by}: {}", stale.text);
    let kept = |page: &Page, etag: &str| {
        page.text.contains(&format!(r#"name="assignment" value="{etag}""#))
    };
    let seen = etag().await;
    assert!(kept(&stale, &seen), "with what stands now beside it");
    // Another refusal takes over nothing that was not shown.
    let other = press(&colleague, &seen, "赵六", "").await;
    assert_eq!(other.status, StatusCode::SEE_OTHER, "{}", other.text);
    let long = press(&here, &seen, &"长".repeat(200), "").await;
    assert!(long.text.contains("TEXT_TOO_LONG") && kept(&long, &seen), "{}", long.text);
    let none = press(&here, "", &"长".repeat(200), "").await;
    assert!(kept(&none, ""), "{}", none.text);
    // Seen twice, and named on purpose: the form goes on.
    told(&press(&here, &seen, "王五", "").await, "赵六");
    let done = press(&here, &etag().await, "王五", "").await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_fetch_a_file_is_not_offered_to() {
    let pair = Pair::start().await;
    let case = create(&pair.here, sample(&pair.agreement, 0)).await.unwrap();
    let at = format!("{}/evidence", page_of(&case));
    super::nodes::until("the case is there", || get_ok(&pair.there, &case.name)).await;
    for (role, may) in [(Role::Coordinator, true), (Role::Auditor, false), (Role::Admin, false)] {
        let browser = Browser::open(&pair.nodes, THERE, role).await;
        let page = browser.get(&at).await;
        assert_eq!(page.status, StatusCode::OK, "{role:?}: {}", page.text);
        let listed = page.text.matches("SHA-256").count();
        let offered = page.text.matches("向该市调取文件").count();
        assert!(listed > 0 && (offered > 0) == may, "{role:?}: {}", page.text);
        assert_eq!(page.text.contains("文件未上传到本市节点"), !may, "{role:?}");
    }
}

async fn get_ok(client: &liandong::cli::connect::Client, name: &str) -> Option<pb::Case> {
    get(client, name).await.ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_case_has_a_size_and_leads_to_what_is_older() {
    let pair = Pair::start().await;
    let case = create(&pair.here, sample(&pair.agreement, 0)).await.unwrap();
    let long = "记".repeat(5_000);
    for nth in 0..16 {
        note(&pair.here, &case.name, &format!("第{nth:02}条{long}")).await.unwrap();
    }
    let browser = Browser::open(&pair.nodes, HERE, Role::Coordinator).await;
    let (at, mut path, mut seen) = (page_of(&case), page_of(&case), Vec::new());
    loop {
        let page = browser.get(&path).await.text;
        assert!(page.len() < 150 * 1024, "{path}: {}", page.len());
        let timeline = page.split("<ol class=\"timeline\">").nth(1).unwrap();
        let timeline = timeline.split("</ol>").next().unwrap();
        let notes = (0..16).rev().filter(|nth| timeline.contains(&format!("第{nth:02}条记")));
        seen.extend(notes);
        let link = format!("{at}?before=");
        let Some((_, older)) = page.split_once(&format!("href=\"{link}")) else { break };
        path = format!("{link}{}", older.split('#').next().unwrap());
    }
    assert_eq!(seen, (0..16).rev().collect::<Vec<_>>(), "each is on one page, newest first");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_lists_so_many_open_proposals_and_says_that_there_are_more() {
    let pair = Pair::start().await;
    let case = create(&pair.here, sample(&pair.agreement, 0)).await.unwrap();
    pair.held(&pair.there, &case).await;
    let propose = async |nth: usize| {
        let request = pb::ProposeAmendmentRequest {
            name: case.name.clone(),
            text: format!("建议{nth:02}"),
            request_id: fresh(),
            ..Default::default()
        };
        pair.there.cases().propose_amendment(request).await.unwrap();
    };
    let browser = Browser::open(&pair.nodes, HERE, Role::Coordinator).await;
    let shown = async |last: usize| {
        let mark = format!("建议{last:02}");
        super::nodes::until("the last one is there", || async {
            let page = browser.get(&page_of(&case)).await.text;
            let (_, timeline) = page.split_once("class=\"timeline\"").unwrap();
            let form = page.split("id=\"act-refuse\"").nth(1)?.split("</form>").next()?;
            timeline.contains(&mark).then(|| form.to_owned())
        })
        .await
    };
    for nth in 0..CONSOLE_OPEN_MAX {
        propose(nth).await;
    }
    let form = shown(CONSOLE_OPEN_MAX - 1).await;
    assert!(form.contains("建议00") && form.contains("建议19") && !form.contains("另有"), "{form}");
    propose(CONSOLE_OPEN_MAX).await;
    propose(CONSOLE_OPEN_MAX + 1).await;
    let form = shown(CONSOLE_OPEN_MAX + 1).await;
    assert_eq!(form.matches("<option").count(), CONSOLE_OPEN_MAX, "{form}");
    assert!(form.contains("建议00") && !form.contains("建议20"), "{form}");
    assert!(form.contains("另有 2 项待这些办结后列出"), "{form}");
}

#[tokio::test(flavor = "multi_thread")]
async fn much_evidence_is_on_pages_of_a_size() {
    let pair = Pair::start().await;
    let case = create(&pair.here, sample(&pair.agreement, 0)).await.unwrap();
    let before = case.record.as_ref().unwrap().evidence.len();
    let item = |nth: u8| {
        let (sha256, sm3) = super::evidence_files::hashes(&[nth; 100]);
        pb::Evidence {
            id: format!("F{nth:02}"),
            kind: pb::EvidenceKind::ElectronicData.into(),
            title: format!("第{nth:02}份{}", "排口照片".repeat(20)),
            collected_on: Some(pb::Date { year: 2026, month: 3, day: 2 }),
            mime: "image/jpeg".to_owned(),
            size_bytes: 100,
            sha256: sha256.to_vec().into(),
            sm3: sm3.to_vec().into(),
            ..Default::default()
        }
    };
    for from in [0, 15, 30, 45, 60] {
        let request = pb::AddEvidenceRequest {
            name: case.name.clone(),
            evidence: (from..from + 15).map(item).collect(),
            request_id: fresh(),
            ..Default::default()
        };
        pair.here.cases().add_evidence(request).await.unwrap();
    }
    let all = before + 75;
    let at = format!("{}/evidence", page_of(&case));
    super::nodes::until("all of it is there", || async {
        let entries = history(&pair.there, &case.name).await;
        let listed: usize = entries.iter().map(|entry| entry.listed.len()).sum();
        (listed >= 75).then_some(())
    })
    .await;
    for city in [HERE, THERE] {
        let browser = Browser::open(&pair.nodes, city, Role::Coordinator).await;
        let (mut path, mut shown) = (at.clone(), 0);
        while shown < all {
            let page = browser.get(&path).await.text;
            assert!(page.len() < 150 * 1024, "{path}: {}", page.len());
            let count = page.matches("<div class=\"visit\">").count();
            assert_eq!(count, 20.min(all - shown), "{path}");
            shown += count;
            path = format!("{at}?from={shown}");
            let leads = page.contains(&format!("href=\"{path}\""));
            assert_eq!(leads, shown < all, "{path}: {page}");
        }
    }
    // A form of an item comes back with its item.
    let there = Browser::open(&pair.nodes, THERE, Role::Coordinator).await;
    let sha256 = liandong::ids::hex(&item(70).sha256);
    let fields = [("sha256", &*sha256), ("text", ""), ("request_id", &fresh())];
    let refused = there.post(&format!("{at}/decline"), &[FROM_HERE], &fields).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("第70份") && !refused.text.contains("第00份"));
    assert!(refused.text.contains(&format!("id=\"act-decline-{}\" open", &sha256[..8])));
}
