//! Tests of the catalogue: the file, the choice, what is refused.

use proptest::prelude::*;

use super::check::Circumstances;
use super::*;
use crate::domain::law::LegalBasisDraft;

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// What is offered for an act, in the way people write it: in force, then later with its verdict.
fn offered(
    violation: Violation,
    to: &str,
    decided_on: &str,
) -> (Vec<String>, Vec<(String, Verdict)>) {
    let catalogue = Catalogue::shipped();
    let act = Act::new(Some(date("2026-08-01")), Some(date(to)), date(decided_on)).unwrap();
    let choice = catalogue.choose(violation, act);
    assert_eq!((choice.judged_on, choice.goes_on), (date(to), false));
    let word = |basis: &Basis| format!("{} {}", basis.law.name.code, basis.article);
    let later = choice.later.iter().map(|later| (word(later.basis), later.verdict));
    (choice.in_force.iter().map(|basis| word(basis)).collect(), later.collect())
}

const CODE_1175: &str = "ECOLOGY_CODE 1175";

#[test]
fn every_violation_has_one_line() {
    let catalogue = Catalogue::parse(SHIPPED).unwrap();
    for violation in Violation::ALL {
        let bases = catalogue.bases(*violation);
        let (code, older): (Vec<&Basis>, Vec<&Basis>) =
            bases.iter().partition(|basis| basis.law.name.code == "ECOLOGY_CODE");
        assert!(!code.is_empty(), "{violation}");
        for basis in code {
            assert_eq!((basis.from, basis.to), (date("2026-08-15"), None), "{violation}");
            assert!(matches!(basis.fine, Fine::Ranges(_)), "{violation}");
        }
        assert!(older.iter().all(|basis| basis.to == Some(date("2026-08-14"))), "{violation}");
    }
    let unread = |basis: &&Basis| !basis.verified;
    let all = Violation::ALL.iter().flat_map(|violation| catalogue.bases(*violation));
    let unread: Vec<String> = all.filter(unread).map(|b| format!("{}", b.article)).collect();
    assert_eq!(unread, ["34", "23", "1120"]);
    assert_eq!(*Catalogue::shipped(), catalogue);
    assert_eq!((catalogue.divisions().len(), catalogue.departments().len()), (57, 6));
}

#[test]
fn f29_the_text_of_the_day_is_chosen_and_a_lighter_later_one_flagged() {
    let on = |to| offered(Violation::HazwasteStorage, to, "2026-11-28");
    let old = "SOLID_WASTE_LAW 112".to_owned();
    let lighter = (CODE_1175.to_owned(), Verdict::Lighter);
    assert_eq!(on("2026-08-14"), (vec![old.clone()], vec![lighter]));
    assert_eq!(on("2026-08-15"), (vec![CODE_1175.to_owned()], vec![]));
    // Decided before the Code was in force, it cannot be applied.
    let before = offered(Violation::HazwasteStorage, "2026-08-10", "2026-08-14");
    assert_eq!(before, (vec![old], vec![]));
    // Equal ranges, heavier ones and those that more is fined under are not flagged.
    for violation in [
        Violation::AirExceed,
        Violation::WaterExceed,
        Violation::NoPermit,
        Violation::EvasionAir,
        Violation::EvasionWater,
        Violation::AutoMonitorFault,
        Violation::NotAccepted,
        Violation::VocUncollected,
        Violation::DustUncovered,
        Violation::OutfallIllegal,
        Violation::NoiseExceed,
        Violation::StrawBurning,
        Violation::HeavyWeatherSite,
        Violation::Obstruction,
    ] {
        let (in_force, later) = offered(violation, "2026-08-14", "2026-11-28");
        assert!(!in_force.is_empty() && !later.is_empty(), "{violation}");
        assert!(later.iter().all(|(_, v)| *v == Verdict::NotLighter), "{violation}: {later:?}");
    }
}

#[test]
fn what_cannot_be_compared_is_said_to_be_so() {
    for violation in [
        Violation::EiaUnapproved,
        Violation::HazwasteDumping,
        Violation::SolidWasteDumping,
        Violation::PermitLimitExceed,
    ] {
        let (_, later) = offered(violation, "2026-08-14", "2026-11-28");
        assert!(later.iter().all(|(_, v)| *v == Verdict::ByHand), "{violation}: {later:?}");
    }
    for violation in [Violation::FacilityNotRun, Violation::MonitorDataDistorted] {
        let (in_force, later) = offered(violation, "2026-08-14", "2026-11-28");
        assert!(in_force.is_empty(), "{violation}");
        assert_eq!(later.first().map(|(_, v)| *v), Some(Verdict::NoEarlierText), "{violation}");
        assert_eq!(offered(violation, "2026-08-15", "2026-11-28").0.len(), 1);
    }
    // Each kind of act against its own: moved for disposal, moved for use.
    let (_, later) = offered(Violation::CrossProvinceWaste, "2026-08-14", "2026-11-28");
    let verdicts: Vec<Verdict> = later.iter().map(|(_, verdict)| *verdict).collect();
    assert_eq!(verdicts, [Verdict::NotLighter, Verdict::Lighter]);
}

#[test]
fn an_act_that_goes_on_ends_under_the_text_of_the_decision() {
    let catalogue = Catalogue::shipped();
    let choose = |from, to, decided: &str| {
        let act = Act::new(Some(date(from)), to, date(decided)).unwrap();
        catalogue.choose(Violation::HazwasteStorage, act)
    };
    let over = choose("2026-08-01", Some(date("2026-08-20")), "2026-11-28");
    let going_on = choose("2026-08-01", None, "2026-11-28");
    for (choice, goes_on, judged_on) in
        [(over, false, "2026-08-20"), (going_on, true, "2026-11-28")]
    {
        assert_eq!((choice.goes_on, choice.judged_on), (goes_on, date(judged_on)));
        assert_eq!(choice.in_force.len(), 1);
        assert_eq!(choice.in_force[0].article.to_string(), "1175");
        assert!(choice.later.is_empty());
    }
    let wrong = |from, to, decided: &str| {
        let wrong = Act::new(from, to, date(decided)).unwrap_err();
        assert_eq!(wrong.reason(), "DATES_ORDER");
        wrong.field.unwrap()
    };
    let (early, late) = (Some(date("2026-01-01")), Some(date("2026-02-01")));
    assert_eq!(wrong(late, early, "2026-03-01"), "occurred_to");
    assert_eq!(wrong(early, late, "2026-01-15"), "decided_on");
    assert_eq!(wrong(late, None, "2026-01-15"), "decided_on");
}

fn basis(law: &str, article: &str, from: &str, to: &str) -> LegalBasis {
    LegalBasis::parse(&LegalBasisDraft {
        law: law.into(),
        article: article.into(),
        item: None,
        effective_from: from.into(),
        effective_to: to.into(),
    })
    .unwrap()
}

#[test]
fn only_what_is_known_to_be_wrong_is_refused() {
    let catalogue = Catalogue::shipped();
    let check = |basis: &LegalBasis, from: &str, to: &str, reasoned| {
        let day = |text: &str| (!text.is_empty()).then(|| date(text));
        let (occurred_from, occurred_to) = (day(from), day(to));
        let of = Circumstances { occurred_from, occurred_to, reasoned };
        let wrong = catalogue.check(basis, of).err();
        wrong.map(|wrong| (wrong.reason(), wrong.field.unwrap(), wrong.limit))
    };
    let (code, air) = ("中华人民共和国生态环境法典", "中华人民共和国大气污染防治法");
    let beyond = Some(("ARTICLE_UNKNOWN", "article".to_owned(), Some(1242)));
    for name in [code, "生态环境法典", "《中华人民共和国生态环境法典》"] {
        assert_eq!(check(&basis(name, "1243", "", ""), "", "", false), beyond, "{name}");
    }
    assert_eq!(
        check(&basis(code, "1243", "", ""), "", "2026-08-14", false),
        beyond,
        "no text before"
    );
    assert_eq!(check(&basis(code, "9999", "2026-08-15", ""), "2026-09-01", "", true), beyond);
    // Of these the last article is not known, but it is none of a hundred.
    let far = Some(("ARTICLE_UNKNOWN", "article".to_owned(), Some(100)));
    for name in ["排污许可管理条例", "建设项目环境保护管理条例"] {
        assert_eq!(check(&basis(name, "9999", "", ""), "2026-09-01", "", false), far, "{name}");
    }
    assert!(catalogue.laws().iter().all(|law| law.none_beyond.is_some()));
    let repealed = Some(("LAW_REPEALED", "law".to_owned(), None));
    assert_eq!(check(&basis(air, "99", "", "2026-08-14"), "2026-08-15", "", false), repealed);
    let taken = [
        (basis(code, "1242", "", ""), "2026-09-01", "", false),
        (basis(code, "1107-1", "", ""), "2026-09-01", "", false),
        // Amended one day: another text than the one that was read.
        (basis(code, "1300", "2030-01-01", ""), "2030-02-01", "", false),
        (
            basis("中华人民共和国生态环境法典（2030年修正）", "1300", "", ""),
            "2030-02-01",
            "",
            false,
        ),
        // The lighter later law for an act before it.
        (basis(code, "1175", "", ""), "2026-07-14", "2026-07-14", false),
        // An old law: on its last day, for an act that began then, with a reason, or nobody knows.
        (basis(air, "99", "", ""), "2026-08-14", "2026-08-14", false),
        (basis(air, "99", "", ""), "2026-08-14", "2026-09-30", false),
        (basis(air, "99", "", ""), "2026-08-15", "2026-08-15", true),
        (basis(air, "99", "", ""), "", "2026-09-30", false),
        // A text before the one that was read.
        (basis("中华人民共和国环境影响评价法", "38", "2003-09-01", ""), "", "2016-05-01", false),
        (basis(air, "200", "2000-09-01", "2015-12-31"), "", "", false),
        (basis("中华人民共和国环境影响评价法", "38", "2003-09-01", ""), "", "", false),
        (basis("中华人民共和国环境影响评价法", "38", "", ""), "2016-05-01", "", false),
        // Laws that the catalogue does not have, or of which it does not know the end.
        (basis("山东省环境保护条例", "7000", "", ""), "2026-09-01", "", false),
        (basis("中华人民共和国刑法", "338", "", ""), "2026-09-01", "", false),
        (basis("排污许可管理条例", "34", "", ""), "2026-09-01", "", false),
        (basis("建设项目环境保护管理条例", "100", "", ""), "2026-09-01", "", false),
    ];
    for (basis, from, to, reasoned) in taken {
        assert_eq!(check(&basis, from, to, reasoned), None, "{basis:?} {from} {to}");
    }
}

#[test]
fn of_several_texts_of_a_law_one_is_enough() {
    let second = "[[law]]\ncode = \"CODE_2030\"\nzh = \"中华人民共和国生态环境法典\"\n\
        en = \"x\"\nfrom = \"2030-01-01\"\narticles = 1300\n\n# Violations";
    let text = SHIPPED.replacen("# Violations", second, 1);
    let catalogue = Catalogue::parse(&text).unwrap();
    let of = Circumstances {
        occurred_from: Some(date("2030-02-01")),
        occurred_to: None,
        reasoned: false,
    };
    let check = |article| catalogue.check(&basis("生态环境法典", article, "", ""), of);
    assert_eq!(check("1300"), Ok(()));
    assert_eq!(check("1301").unwrap_err().limit, Some(1300));
}

#[test]
fn a_wrong_file_is_refused_with_its_place() {
    let rows = [
        ("law = \"WATER_LAW\"", "law = \"WATR_LAW\"", "WATER_EXCEED, basis 1: no law \"WATR_LAW\""),
        ("code = \"DUST_UNCOVERED\"", "code = \"DUST\"", "violation DUST.code: code is not"),
        (
            "article = \"1175\"",
            "article = \"1275\"",
            "HAZWASTE_STORAGE, basis 2: the law ends with",
        ),
        ("article = \"1175\"", "article = \"第1175条\"", "basis 2.article: article must be"),
        ("least = 50000, most = 200000 }", "least = 5, most = 2 }", "fine: the first is above"),
        ("item = 6", "item = 0", "basis 1.item: article must"),
        ("to = \"2026-08-14\"", "to = \"2026-8-14\"", "law AIR_LAW.to: date must look like"),
        ("to = \"2026-08-14\"", "to = \"2016-08-14\"", "law AIR_LAW: the first is above"),
        ("from = \"2026-08-15\"", "form = \"2026-08-15\"", "unknown field `form`"),
        ("code = \"WATER_LAW\"", "code = \"AIR_LAW\"", "law AIR_LAW stands twice"),
        ("code = 371522", "code = 371521", "division 371521 stands twice"),
        ("code = 371522", "code = 7", "division 7: a code has"),
        ("code = \"HEALTH\"", "code = \"health\"", "department: a code has"),
        ("version = \"2026-11-28\"", "version = \"\"", "version: text is empty"),
        ("no_fine = true", "no_fine = true\nformula_zh = \"半\"", "basis 2: formula_zh and"),
        ("no_fine = true", "no_fine = true\nfine = []", "basis 2: fine, formula_zh and no_fine"),
        (
            "zh = \"生态环境\"",
            "zh = \"生态\\u202e环境\"",
            "department ECOLOGY_ENVIRONMENT.zh: text",
        ),
    ];
    for (from, to, why) in rows {
        assert!(SHIPPED.contains(from), "{from}");
        let error = Catalogue::parse(&SHIPPED.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(why), "{to}: {error}");
    }
    let missing = SHIPPED.find("[[violation]]\ncode = \"OBSTRUCTION\"").unwrap();
    let end = SHIPPED.find("# Codes that may name one act").unwrap();
    let text = format!("{}{}", &SHIPPED[..missing], &SHIPPED[end..]);
    assert!(matches!(
        Catalogue::parse(&text),
        Err(CatalogueError::Missing(Violation::Obstruction))
    ));
    let marked = format!("\u{feff}{SHIPPED}");
    assert_eq!(Catalogue::parse(&marked).unwrap(), *Catalogue::shipped());
    let large = format!("{SHIPPED}#{}", "x".repeat(crate::limits::CATALOGUE_BYTES_MAX));
    assert!(matches!(Catalogue::parse(&large), Err(CatalogueError::TooLarge { .. })));
    let many = format!(
        "{SHIPPED}{}",
        (0..=crate::limits::CATALOGUE_LAWS_MAX)
            .map(|n| format!("[[department]]\ncode = \"D{n}\"\nzh = \"a\"\nen = \"a\"\n"))
            .collect::<String>()
    );
    assert!(matches!(Catalogue::parse(&many), Err(CatalogueError::TooMany { limit: 100, .. })));
}

/// Ranges of two cases at most, in thousands of fen.
fn fines() -> impl Strategy<Value = Fine> {
    let range = (0_i64..5, 0_i64..5, 0_u8..2);
    proptest::collection::vec(range, 1..3).prop_map(|all| {
        let named = |code: u8| Named {
            code: format!("C{code}"),
            zh: Line::parse("a", 1).unwrap(),
            en: Line::parse("a", 1).unwrap(),
        };
        let mut ranges: Vec<FineRange> = Vec::new();
        for (least, more, code) in all {
            let fen = |thousands: i64| Fen::new(thousands * 1000).unwrap();
            let case = Some(named(code));
            if ranges.iter().all(|range| range.case != case) {
                ranges.push(FineRange { least: fen(least), most: fen(least + more), case });
            }
        }
        Fine::Ranges(ranges)
    })
}

proptest! {
    #[test]
    fn never_both_are_lighter(one in fines(), other in fines()) {
        let (there, back) = (choose::compare(&one, &other), choose::compare(&other, &one));
        prop_assert!(there != Verdict::Lighter || back == Verdict::NotLighter);
        prop_assert_eq!(there == Verdict::ByHand, back == Verdict::ByHand);
        prop_assert_eq!(choose::compare(&one, &one), Verdict::NotLighter);
    }

    #[test]
    fn no_file_breaks_it(at in 0_usize..8_000, text in ".{0,20}") {
        let at = (at..).find(|at| SHIPPED.is_char_boundary(*at)).unwrap();
        let _ = Catalogue::parse(&format!("{}{text}{}", &SHIPPED[..at], &SHIPPED[at..]));
    }
}
