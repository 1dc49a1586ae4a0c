//! Sites between real nodes: positive lists, the yearly cap over all agreements, lists, files.

use std::process::Output;

use liandong::cli::connect::Client;
use liandong::domain::Date;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;
use tonic::{Code, Status};

use super::api::{HERE, THERE, fact, fresh, ready, refused};
use super::nodes::{Nodes, exe, plan, until};

const DEZHOU: u32 = 371_400;
const USCC: &str = "91371522YYYY90011A";
const OTHER_USCC: &str = "91410922YYYY900388";

fn day(on: Date) -> Option<pb::Date> {
    Some(pb::Date { year: on.year(), month: i32::from(on.month()), day: i32::from(on.day()) })
}

fn today() -> Date {
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
    Date::beijing(i64::try_from(now).unwrap()).unwrap()
}

fn later(days: i64) -> Option<pb::Date> {
    day(today().plus_days(days).unwrap())
}

fn facts(county: u32) -> pb::SiteFacts {
    pb::SiteFacts {
        county_code: county,
        tier: pb::SiteTier::Key.into(),
        media: vec![pb::Medium::Water.into(), pb::Medium::Air.into()],
        permit_kind: pb::PermitKind::KeyManaged.into(),
        closed: false,
    }
}

fn record(name: &str, uscc: &str) -> pb::SiteRecord {
    let location = pb::Location {
        longitude: "115.671234".into(),
        latitude: "36.233456".into(),
        crs: "EPSG:4490".into(),
        address: "莘县示例镇".into(),
    };
    pb::SiteRecord {
        name: name.into(),
        uscc: uscc.into(),
        industry_code: "C2221".into(),
        location: Some(location),
        ..pb::SiteRecord::default()
    }
}

fn site(parent: &str, name: &str, uscc: &str) -> pb::CreateSiteRequest {
    pb::CreateSiteRequest {
        parent: parent.to_owned(),
        facts: Some(facts(371_522)),
        record: Some(record(name, uscc)),
        request_id: fresh(),
        ..pb::CreateSiteRequest::default()
    }
}

async fn create(client: &Client, asked: pb::CreateSiteRequest) -> Result<pb::Site, Status> {
    client.sites().create_site(asked).await.map(|answer| answer.into_inner().site.unwrap())
}

pub async fn get(client: &Client, name: &str) -> Result<pb::Site, Status> {
    let request = pb::GetSiteRequest { name: name.to_owned() };
    client.sites().get_site(request).await.map(|answer| answer.into_inner().site.unwrap())
}

pub fn listing(status: pb::ListingStatus) -> pb::SiteListed {
    pb::SiteListed {
        status: status.into(),
        admitted_on: later(-30),
        expires_on: later(30),
        monitoring: vec![pb::MonitoringKind::Power.into(), pb::MonitoringKind::Online.into()],
        ..pb::SiteListed::default()
    }
}

pub fn set(site: &pb::Site, listing: pb::SiteListed, text: &str) -> pb::SetListingRequest {
    pb::SetListingRequest {
        name: site.name.clone(),
        etag: site.etag.clone(),
        listing: Some(listing),
        text: text.to_owned(),
        request_id: fresh(),
        acting_for: None,
    }
}

pub async fn list(client: &Client, asked: pb::SetListingRequest) -> Result<pb::Site, Status> {
    client.sites().set_listing(asked).await.map(|answer| answer.into_inner().site.unwrap())
}

pub fn check(
    name: &str,
    mode: pb::CheckMode,
    exception: pb::VisitException,
) -> pb::RecordCheckRequest {
    let check = pb::SiteChecked {
        on: later(0),
        mode: mode.into(),
        exception: exception.into(),
        ..pb::SiteChecked::default()
    };
    pb::RecordCheckRequest {
        name: name.to_owned(),
        check: Some(check),
        text: "治污设施运行正常".to_owned(),
        request_id: fresh(),
        acting_for: None,
    }
}

pub async fn record_check(
    client: &Client,
    asked: pb::RecordCheckRequest,
) -> Result<pb::Site, Status> {
    client.sites().record_check(asked).await.map(|answer| answer.into_inner().site.unwrap())
}

/// A routine check on site, today.
async fn routine(client: &Client, name: &str) -> Result<pb::Site, Status> {
    let none = pb::VisitException::Unspecified;
    record_check(client, check(name, pb::CheckMode::OnSite, none)).await
}

pub async fn visit(
    client: &Client,
    name: &str,
    on: Option<pb::Date>,
    exception: pb::VisitException,
) -> pb::CheckVisitResponse {
    let request = pb::CheckVisitRequest { name: name.to_owned(), on, exception: exception.into() };
    client.sites().check_visit(request).await.unwrap().into_inner()
}

/// All sites that fit, page by page, and the total of the first page.
async fn all(client: &Client, asked: &pb::ListSitesRequest) -> (Vec<pb::Site>, u32) {
    let (mut sites, mut page_token, mut total) = (Vec::new(), String::new(), None);
    loop {
        let request = pb::ListSitesRequest { page_size: 1, page_token, ..asked.clone() };
        let page = client.sites().list_sites(request).await.unwrap().into_inner();
        total = total.or(Some(page.total_size));
        sites.extend(page.sites);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return (sites, total.unwrap());
        }
    }
}

fn everywhere() -> pb::ListSitesRequest {
    pb::ListSitesRequest { parent: "agreements/-".into(), ..Default::default() }
}

/// Three cities: one shares an agreement with each of the other two.
async fn three() -> (Nodes, [String; 2], [Client; 3]) {
    let agreements: [(&str, &[u32]); 2] = [("聊邯", &[HERE, THERE]), ("聊德", &[HERE, DEZHOU])];
    let nodes = Nodes::start_all(&plan(&[HERE, THERE, DEZHOU], &agreements));
    let names = [0, 1].map(|at| nodes.fleet.agreements[at].name());
    let (here, there) = (nodes.client(HERE).await, nodes.client(THERE).await);
    let dezhou = nodes.client(DEZHOU).await;
    for (client, name) in [(&here, &names[0]), (&there, &names[0]), (&here, &names[1])] {
        ready(client, name).await;
    }
    ready(&dezhou, &names[1]).await;
    (nodes, names, [here, there, dezhou])
}

/// A site once a node shows so much of it.
async fn seen(client: &Client, name: &str, so_far: impl Fn(&pb::Site) -> bool) -> pb::Site {
    let so_far = &so_far;
    let ask = || async move { get(client, name).await.ok().filter(|site| so_far(site)) };
    until("a site gets so far", ask).await
}

#[tokio::test(flavor = "multi_thread")]
async fn f20_positive_list_enterprises_are_left_out_unless_an_exception_applies() {
    use pb::VisitVerdict as V;
    let (nodes, [agreement, _], [here, there, dezhou]) = three().await;
    let none = pb::VisitException::Unspecified;
    let asked = site(&agreement, "示例（莘县）纸业有限公司", USCC);
    let made = create(&here, asked.clone()).await.unwrap();
    assert_eq!(create(&here, asked).await.unwrap().name, made.name, "the same request again");
    assert_eq!(made.facts.as_ref().unwrap().media, [1, 2], "each once, in order");
    refusals(&nodes, (&here, &there), &agreement, &made).await;

    // On the list: seen by the other city, left out here and there, with rule and source.
    let asked = set(&made, listing(pb::ListingStatus::Active), "2026年第一批");
    let on_it = list(&here, asked.clone()).await.unwrap();
    assert!(on_it.listed_today && on_it.etag != made.etag);
    assert_eq!(list(&here, asked).await.unwrap().etag, on_it.etag, "the same request again");
    let stale = list(&here, set(&made, listing(pb::ListingStatus::Suspended), "")).await;
    assert_eq!(refused(stale.clone()), (Code::Aborted, "SITE_CHANGED".to_owned()));
    assert!(stale.unwrap_err().message().contains(&on_it.etag));
    let told = seen(&there, &made.name, |site| site.listed_today).await;
    assert_eq!((told.record.clone(), told.etag.clone()), (on_it.record.clone(), on_it.etag));
    for client in [&here, &there] {
        let left = visit(client, &made.name, None, none).await;
        assert_eq!((left.verdict(), left.left_out()), (V::LeftOut, pb::LeftOut::PositiveList));
        assert!(left.rule.contains("positive list") && left.source.contains("2021"), "{left:?}");
        assert_eq!((left.listed_until, left.city), (later(30), HERE));
    }
    // Only its own city knows of the cap.
    let known = [&here, &there].map(|client| visit(client, &made.name, None, none));
    let [own, foreign] = known;
    let (own, foreign) = (own.await, foreign.await);
    assert_eq!(
        (own.cap_is_known, own.most, foreign.cap_is_known, foreign.most),
        (true, 3, false, 0)
    );
    // The day after it has expired it may be visited again.
    let expired = visit(&here, &made.name, later(31), none).await;
    assert_eq!((expired.verdict(), expired.left_out), (V::Fine, 0));

    // A routine check is refused, one off site is taken, and so is each exception.
    let late = |reason: &str| (Code::FailedPrecondition, reason.to_owned());
    let refusal = routine(&here, &made.name).await;
    assert_eq!(refused(refusal), late("SITE_ON_POSITIVE_LIST"));
    record_check(&here, check(&made.name, pb::CheckMode::OffSite, none)).await.unwrap();
    for exception in 1..=8 {
        let exception = pb::VisitException::try_from(exception).unwrap();
        let passed = visit(&here, &made.name, None, exception).await;
        assert_eq!((passed.verdict(), passed.left_out), (V::Excepted, 2), "{exception:?}");
        assert!(passed.exceptions_source.contains("no text"), "{passed:?}");
        record_check(&here, check(&made.name, pb::CheckMode::OnSite, exception)).await.unwrap();
    }
    let year = today().year();
    let counted = pb::SiteYear { year, counted: 0, excepted: 8, off_site: 1 };
    let checked = seen(&there, &made.name, |site| site.years == [counted]).await;
    assert_eq!(checked.words.last().unwrap().text, "治污设施运行正常");

    // Suspended, listed again and removed, with a basis; then it is visited like any other.
    let now = get(&here, &made.name).await.unwrap();
    let idle = list(&here, set(&now, listing(pb::ListingStatus::Suspended), "")).await.unwrap();
    assert!(!idle.listed_today);
    assert_eq!(visit(&here, &made.name, None, none).await.verdict(), V::Fine);
    let removed = pb::SiteListed {
        removed_for: pb::RemovalBasis::FalsifiedData.into(),
        ..listing(pb::ListingStatus::Removed)
    };
    list(&here, set(&idle, removed, "")).await.unwrap();
    routine(&here, &made.name).await.unwrap();
    by_filter((&here, &there, &dezhou), &agreement, &made.name).await;
}

/// Lists by every filter, and what a city of another agreement sees: nothing.
async fn by_filter(
    (here, there, dezhou): (&Client, &Client, &Client),
    agreement: &str,
    name: &str,
) {
    let second = pb::CreateSiteRequest {
        facts: Some(pb::SiteFacts { tier: pb::SiteTier::General.into(), ..facts(371_523) }),
        ..site(agreement, "示例（茌平）化工有限公司", OTHER_USCC)
    };
    let second = create(here, second).await.unwrap();
    let foreign = pb::CreateSiteRequest {
        facts: Some(facts(130_425)),
        ..site(agreement, "示例（大名）纸业有限公司", USCC)
    };
    // The same enterprise in the area of another city is that city's to register.
    let foreign = create(there, foreign).await.unwrap();
    let on_list = list(here, set(&second, listing(pb::ListingStatus::Active), "")).await.unwrap();
    seen(there, &second.name, |site| site.etag == on_list.etag).await;
    seen(here, &foreign.name, |_| true).await;
    let three = [foreign.name.as_str(), &second.name, name];
    for (asked, want) in [
        (everywhere(), &three[..]),
        (pb::ListSitesRequest { parent: agreement.into(), ..everywhere() }, &three),
        (pb::ListSitesRequest { city: HERE, ..everywhere() }, &three[1..]),
        (pb::ListSitesRequest { county_code: 130_425, ..everywhere() }, &three[..1]),
        (pb::ListSitesRequest { tier: pb::SiteTier::General.into(), ..everywhere() }, &three[1..2]),
        (pb::ListSitesRequest { listed_on: later(0), ..everywhere() }, &three[1..2]),
        (pb::ListSitesRequest { listed_on: later(31), ..everywhere() }, &[]),
        (pb::ListSitesRequest { uscc: OTHER_USCC.into(), ..everywhere() }, &three[1..2]),
        (pb::ListSitesRequest { uscc: "91130425YYYY9002XX".into(), ..everywhere() }, &[]),
    ] {
        for client in [here, there] {
            let (found, total) = all(client, &asked).await;
            let mut found: Vec<&str> = found.iter().map(|site| site.name.as_str()).collect();
            let mut want = want.to_vec();
            found.sort_unstable();
            want.sort_unstable();
            assert_eq!((&found, total as usize), (&want, want.len()), "{asked:?}");
        }
    }
    let unlisted = pb::ListSitesRequest { unlisted_on: later(0), city: HERE, ..everywhere() };
    assert_eq!(all(here, &unlisted).await.0.len(), 1);
    let both = pb::ListSitesRequest { uscc: USCC.to_ascii_lowercase(), ..everywhere() };
    assert_eq!(all(there, &both).await.1, 2, "a code is found whoever registered it");
    assert_eq!(all(dezhou, &everywhere()).await, (Vec::new(), 0));
    let nothing = (Code::NotFound, "NOT_FOUND".to_owned());
    assert_eq!(refused(get(dezhou, name).await), nothing);
    let request = pb::CheckVisitRequest { name: name.to_owned(), ..Default::default() };
    assert_eq!(refused(dezhou.sites().check_visit(request).await), nothing);
    assert_eq!(refused(routine(dezhou, name).await), nothing);
    let page = pb::ListSitesRequest { page_token: "x-1-2".into(), ..everywhere() };
    let bad = |reason: &str| (Code::InvalidArgument, reason.to_owned());
    assert_eq!(refused(here.sites().list_sites(page).await), bad("PAGE_TOKEN"));
    for (asked, reason) in [
        (pb::ListSitesRequest { uscc: "1".into(), ..everywhere() }, "USCC_LENGTH"),
        (pb::ListSitesRequest { tier: 99, ..everywhere() }, "CODE_UNKNOWN"),
        (pb::ListSitesRequest { county_code: 371_500, ..everywhere() }, "COUNTY_CODE"),
        (pb::ListSitesRequest { city: 1, ..everywhere() }, "CITY_CODE"),
    ] {
        assert_eq!(refused(here.sites().list_sites(asked).await), bad(reason));
    }
}

/// The field that a refusal names, with its reason.
fn field(answer: Result<pb::Site, Status>) -> (String, String) {
    let status = answer.unwrap_err();
    let named = fact(&status, "field");
    (named, refused::<()>(Err(status)).1)
}

async fn refusals(
    nodes: &Nodes,
    (here, there): (&Client, &Client),
    agreement: &str,
    known: &pb::Site,
) {
    let before = all(here, &everywhere()).await;
    type Change = fn(&mut pb::CreateSiteRequest);
    let changes: [(Change, &str, &str); 16] = [
        (|a| a.facts = None, "facts", "REQUIRED"),
        (|a| a.record = None, "record", "REQUIRED"),
        (|a| a.facts.as_mut().unwrap().county_code = 0, "facts.county_code", "COUNTY_CODE"),
        (
            |a| a.facts.as_mut().unwrap().county_code = 130_425,
            "facts.county_code",
            "COUNTY_NOT_OWN",
        ),
        (|a| a.facts.as_mut().unwrap().tier = 0, "facts.tier", "REQUIRED"),
        (|a| a.facts.as_mut().unwrap().tier = 99, "facts.tier", "CODE_UNKNOWN"),
        (|a| a.facts.as_mut().unwrap().media.clear(), "facts.media", "REQUIRED"),
        (|a| a.facts.as_mut().unwrap().media = vec![1, 1], "facts.media", "DUPLICATE"),
        (|a| a.facts.as_mut().unwrap().media = vec![1; 17], "facts.media", "LIST_TOO_LONG"),
        (|a| a.facts.as_mut().unwrap().permit_kind = 99, "facts.permit_kind", "CODE_UNKNOWN"),
        (|a| a.record.as_mut().unwrap().name.clear(), "record.name", "TEXT_EMPTY"),
        (|a| a.record.as_mut().unwrap().uscc.push('1'), "record.uscc", "USCC_LENGTH"),
        (
            |a| a.record.as_mut().unwrap().permit_number = "1".into(),
            "record.permit_number",
            "PERMIT_NO",
        ),
        (
            |a| a.record.as_mut().unwrap().industry_code = "1".into(),
            "record.industry_code",
            "INDUSTRY_CODE",
        ),
        (
            |a| a.record.as_mut().unwrap().location.as_mut().unwrap().crs = "GCJ-02".into(),
            "record.location.crs",
            "CRS_GCJ02",
        ),
        (
            |a| a.record.as_mut().unwrap().location.as_mut().unwrap().longitude = "36".into(),
            "record.location.longitude",
            "COORDINATE_RANGE",
        ),
    ];
    for (change, named, reason) in changes {
        let mut asked = site(agreement, "另一家", OTHER_USCC);
        change(&mut asked);
        let told = (named.to_owned(), reason.to_owned());
        assert_eq!(field(create(here, asked).await), told);
    }
    let again = create(here, site(agreement, "另一名称", USCC)).await;
    assert_eq!(refused(again.clone()), (Code::AlreadyExists, "SITE_KNOWN".to_owned()));
    let id = known.name.rsplit('/').next().unwrap();
    assert!(again.unwrap_err().message().contains(id), "it names the site that is there");
    let told = |reason: &str| (Code::PermissionDenied, reason.to_owned());
    let listed = set(known, listing(pb::ListingStatus::Active), "");
    seen(there, &known.name, |_| true).await;
    assert_eq!(refused(list(there, listed).await), told("NOT_SITE_CITY"));
    assert_eq!(refused(routine(there, &known.name).await), told("NOT_SITE_CITY"));
    let removed = |removed_for: pb::RemovalBasis| pb::SiteListed {
        removed_for: removed_for.into(),
        ..listing(pb::ListingStatus::Removed)
    };
    let backwards = pb::SiteListed { expires_on: later(-31), ..listing(pb::ListingStatus::Active) };
    let twice = pb::SiteListed { monitoring: vec![1, 1], ..listing(pb::ListingStatus::Active) };
    let endless = pb::SiteListed { expires_on: None, ..listing(pb::ListingStatus::Active) };
    for (listing, named, reason) in [
        (removed(pb::RemovalBasis::Unspecified), "listing.removed_for", "REMOVAL_BASIS"),
        (removed(pb::RemovalBasis::Other), "text", "REQUIRED"),
        (listing(pb::ListingStatus::Unspecified), "listing.status", "REQUIRED"),
        (backwards, "listing.expires_on", "LISTING_DATES"),
        (twice, "listing.monitoring", "DUPLICATE"),
        (endless, "listing.expires_on", "REQUIRED"),
    ] {
        let told = (named.to_owned(), reason.to_owned());
        assert_eq!(field(list(here, set(known, listing, "")).await), told);
    }
    let unread = pb::SetListingRequest {
        etag: String::new(),
        ..set(known, listing(pb::ListingStatus::Active), "")
    };
    assert_eq!(field(list(here, unread).await).1, "ETAG_REQUIRED");
    let on_site = check(&known.name, pb::CheckMode::OnSite, pb::VisitException::Unspecified);
    type Made = fn(&mut pb::SiteChecked);
    let changes: [(Made, &str, &str); 7] = [
        (|check| check.on = None, "check.on", "REQUIRED"),
        (|check| check.on = later(-800), "check.on", "CHECK_TOO_OLD"),
        (|check| check.plan_id = vec![1; 16].into(), "check.plan_id", "CHECK_PLAN_UNKNOWN"),
        (|check| check.on = later(2), "check.on", "CHECK_IN_FUTURE"),
        (|check| check.mode = 0, "check.mode", "REQUIRED"),
        (|check| check.exception = 99, "check.exception", "CODE_UNKNOWN"),
        (|check| check.plan_id = vec![1; 15].into(), "check.plan_id", "NAME_FORMAT"),
    ];
    for (change, named, reason) in changes {
        let mut asked = pb::RecordCheckRequest { request_id: fresh(), ..on_site.clone() };
        change(asked.check.as_mut().unwrap());
        let told = (named.to_owned(), reason.to_owned());
        assert_eq!(field(record_check(here, asked).await), told);
    }
    let auditor = nodes.client_as(HERE, Role::Auditor).await;
    assert_eq!(refused(routine(&auditor, &known.name).await), told("ROLE_NOT_ALLOWED"));
    assert_eq!(visit(&auditor, &known.name, None, pb::VisitException::Unspecified).await.most, 3);
    let nobody = format!("{agreement}/sites/{}", "0".repeat(32));
    let nothing = (Code::NotFound, "NOT_FOUND".to_owned());
    assert_eq!(refused(get(here, &nobody).await), nothing);
    assert_eq!(refused(routine(here, &nobody).await), nothing);
    assert_eq!(all(here, &everywhere()).await, before, "nothing was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn f21_the_yearly_cap_of_an_enterprise_is_kept() {
    let (mut nodes, [first, second], [here, _, _]) = three().await;
    let none = pb::VisitException::Unspecified;
    let late = |reason: &str| (Code::FailedPrecondition, reason.to_owned());
    // Two plants in one agreement, and the first of them in another one, are one enterprise.
    let plant = create(&here, site(&first, "示例纸业一厂", USCC)).await.unwrap();
    let other =
        pb::CreateSiteRequest { another_plant: true, ..site(&first, "示例纸业二厂", USCC) };
    let other = create(&here, other).await.unwrap();
    let elsewhere = create(&here, site(&second, "示例纸业一厂", USCC)).await.unwrap();
    let alone = create(&here, site(&second, "示例化工", OTHER_USCC)).await.unwrap();

    // A retry counts once; a check of last year counts there.
    let asked = check(&plant.name, pb::CheckMode::OnSite, none);
    for _ in 0..3 {
        record_check(&here, asked.clone()).await.unwrap();
    }
    let mut old = check(&plant.name, pb::CheckMode::OnSite, none);
    old.check.as_mut().unwrap().on = day(Date::new(today().year() - 1, 12, 31).unwrap());
    record_check(&here, old).await.unwrap();
    assert_eq!(visit(&here, &elsewhere.name, None, none).await.made, 1);

    // Many at a time, over both agreements: no more than the two that are left.
    let calls = (0..12).map(|nth| {
        let name = [&plant.name, &other.name, &elsewhere.name][nth % 3].clone();
        let here = here.clone();
        tokio::spawn(async move { routine(&here, &name).await })
    });
    let (mut taken, mut capped) = (0, 0);
    for call in calls.collect::<Vec<_>>() {
        match call.await.unwrap() {
            Ok(_) => taken += 1,
            Err(status) => {
                assert_eq!(refused::<()>(Err(status)), late("SITE_CAPPED"));
                capped += 1;
            }
        }
    }
    assert_eq!((taken, capped), (2, 10));
    let refusal = routine(&here, &elsewhere.name).await.unwrap_err();
    assert!(refusal.message().contains("cap"), "{refusal:?}");

    // Off site and under an exception is taken, and counts to nothing; another firm is free.
    record_check(&here, check(&other.name, pb::CheckMode::OffSite, none)).await.unwrap();
    let clue = pb::VisitException::OffSiteClue;
    record_check(&here, check(&other.name, pb::CheckMode::OnSite, clue)).await.unwrap();
    routine(&here, &alone.name).await.unwrap();

    // The count is the same after a start, and after all rows were made anew.
    let counts = async |here: &Client| {
        let mut made = Vec::new();
        for name in [&plant.name, &other.name, &elsewhere.name, &alone.name] {
            let asked = visit(here, name, None, none).await;
            made.push((asked.made, asked.left_out()));
        }
        made
    };
    let want = [(3, 3), (3, 3), (3, 3), (1, 0)]
        .map(|(made, left)| (made, pb::LeftOut::try_from(left).unwrap()));
    assert_eq!(counts(&here).await, want);
    for rebuilt in [false, true] {
        nodes.kill(HERE);
        if rebuilt {
            std::fs::remove_dir_all(nodes.fleet.folder(HERE).join("data/views")).unwrap();
        }
        nodes.start(HERE);
        let here = nodes.client(HERE).await;
        ready(&here, &first).await;
        assert_eq!(counts(&here).await, want, "rebuilt: {rebuilt}");
        assert_eq!(refused(routine(&here, &other.name).await), late("SITE_CAPPED"));
    }

    // What changes its credit code goes to another enterprise with its checks; they stay with the
    // one of before as well.
    let here = nodes.client(HERE).await;
    let now = get(&here, &elsewhere.name).await.unwrap();
    let own = now.years.iter().map(|year| year.counted).sum::<u32>();
    let moved = pb::UpdateSiteRequest {
        name: now.name,
        etag: now.etag,
        facts: now.facts,
        record: Some(record("示例新厂", "91130425YYYY9002XX")),
        another_plant: false,
        request_id: fresh(),
        acting_for: None,
    };
    let moved = here.sites().update_site(moved).await.unwrap().into_inner().site.unwrap();
    let (left, kept) = (visit(&here, &moved.name, None, none).await, counts(&here).await);
    assert_eq!((left.made, kept[0].0), (own, 3));

    // Nobody's rows hold a credit code; rows reach the disk behind the writer's back.
    for (city, name) in [(HERE, &plant.name), (THERE, &plant.name), (DEZHOU, &elsewhere.name)] {
        let (views, id) =
            (nodes.fleet.folder(city).join("data/views"), super::rebuild::id_of(name));
        let on_disk = || async { super::rebuild::holds(&views, &id).then_some(()) };
        until("the rows are on disk", on_disk).await;
        assert!(!super::rebuild::holds(&views, USCC.as_bytes()), "{city}");
    }
}

/// What a command printed.
fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_sites_is_imported_once() {
    let nodes = Nodes::start_all(&plan(&[HERE, THERE], &[("聊邯", &[HERE, THERE])]));
    let agreement = nodes.fleet.agreements[0].name();
    let here = nodes.client(HERE).await;
    ready(&here, &agreement).await;
    let folder = nodes.fleet.folder(HERE);
    let run = |args: &[&str]| -> Output {
        let mut command = std::process::Command::new(exe());
        command.args(["site", "--profile", "client.toml"]).args(args);
        command.current_dir(&folder).output().unwrap()
    };
    let file = "企业名称,统一社会信用代码,县级代码,类别,污染要素,地址,另一厂区\r\n\
        示例纸业一厂,91371522YYYY90011A,371522,重点,WATER,莘县,\r\n\
        示例纸业二厂,91371522YYYY90011A,371523,一般,AIR,茌平,是\r\n\
        示例大名厂,91130425YYYY9002XX,130425,一般,AIR,,\r\n\
        示例错码厂,91371522YYYY90011B,371522,一般,AIR,,\r\n";
    std::fs::write(folder.join("sites.csv"), file).unwrap();
    let results = |output: &Output| -> Vec<String> {
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let rows = report["rows"].as_array().unwrap().iter();
        rows.map(|row| {
            let refusal = &row["refusal"];
            let reason = refusal["reason"].as_str().unwrap_or_default();
            format!("{} {reason}", row["result"].as_str().unwrap())
        })
        .collect()
    };
    let wrong = ["REFUSED COUNTY_NOT_OWN", "REFUSED USCC_CHECK"];
    let tried = run(&["import", "sites.csv", "--dry-run", "--json"]);
    assert!(!tried.status.success());
    assert_eq!(results(&tried), [&["VALID ", "VALID "][..], &wrong].concat(), "{tried:?}");
    assert_eq!(all(&here, &everywhere()).await.1, 0, "nothing was written");
    let done = run(&["import", "sites.csv", "--json"]);
    assert_eq!(results(&done), [&["CREATED ", "CREATED "][..], &wrong].concat(), "{done:?}");
    let again = run(&["import", "sites.csv", "--json"]);
    assert_eq!(results(&again), [&["EXISTING ", "EXISTING "][..], &wrong].concat());
    let other = file.replace("莘县", "莘县示例镇");
    std::fs::write(folder.join("sites.csv"), other).unwrap();
    assert_eq!(results(&run(&["import", "sites.csv", "--json"]))[0], "REFUSED CHANGED");

    // What is exported is taken back as what is there.
    let out = run(&["export", "--csv", "--out", "out.csv"]);
    assert!(out.status.success(), "{out:?}");
    assert_eq!(results(&run(&["import", "out.csv", "--json"])), ["EXISTING ", "EXISTING "]);
    let exported = std::fs::read_to_string(folder.join("out.csv")).unwrap();
    assert_eq!(exported.matches(",是,").count(), 1, "the second plant of a code is another one");

    // A dry run refuses what the run would, and a row of another agreement goes nowhere.
    let twice = "企业名称,统一社会信用代码,县级代码,类别,污染要素,联动协议,经度,纬度\r\n\
        示例甲厂,91410922YYYY900388,371522,一般,AIR,聊邯,,\r\n\
        示例乙厂,91410922YYYY900388,371522,一般,AIR,,,\r\n\
        示例丙厂,91130425YYYY9002XX,371522,一般,AIR,聊德,,\r\n\
        示例丁厂,91130425YYYY9002XX,371522,一般,AIR,,115.6,36.2\r\n";
    std::fs::write(folder.join("twice.csv"), twice).unwrap();
    let refused = ["CHANGED", "AGREEMENT_OTHER", "CRS_UNSUPPORTED"];
    let refused = refused.map(|reason| format!("REFUSED {reason}"));
    for (first, args) in [("VALID ", &["--dry-run", "--json"][..]), ("CREATED ", &["--json"])] {
        let done = run(&[&["import", "twice.csv"], args].concat());
        assert_eq!(results(&done), [&[first.to_owned()][..], &refused].concat(), "{done:?}");
    }

    // By hand: listed, asked, checked, found by its credit code.
    let one = run(&["list", "--tier", "重点", "--json"]);
    let listed: serde_json::Value = serde_json::from_slice(&one.stdout).unwrap();
    let name = listed["sites"][0]["name"].as_str().unwrap().to_owned();
    let year = today().year();
    let (from, to) = (format!("{year}-01-01"), format!("{year}-12-31"));
    let put = run(&["listing", &name, "--status", "active", "--from", &from, "--to", &to]);
    assert!(put.status.success(), "{}", said(&put));
    let asked = run(&["visit", &name, "--json"]);
    assert!(said(&asked).contains("POSITIVE_LIST"), "{}", said(&asked));
    let on = today().to_string();
    let refusal = run(&["check", &name, "--on", &on, "--mode", "on-site"]);
    assert!(said(&refusal).contains("SITE_ON_POSITIVE_LIST"), "{}", said(&refusal));
    let taken = run(&["check", &name, "--on", &on, "--mode", "off-site", "-m", "在线数据正常"]);
    assert!(taken.status.success(), "{}", said(&taken));
    let changed = run(&["change", &name, "--closed", "--address", "新址"]);
    assert!(changed.status.success(), "{}", said(&changed));
    let shown = said(&run(&["show", &name]));
    assert!(shown.contains("在线数据正常") && shown.contains("新址"), "{shown}");
    let several = run(&["show", USCC]);
    assert!(!several.status.success() && said(&several).contains("NOT_FOUND"));
}
