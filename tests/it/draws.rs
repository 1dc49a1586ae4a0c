//! Published draws, worked out again by `liandong plan verify-draw` and by a Python program that
//! shares no code with it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use liandong::domain::draw::{Member, Pool, Seed, commitment};
use liandong::domain::plan::lots::teams;
use liandong::domain::plan::{Recusal, Sent, SentUnit, Span};
use liandong::ids::{CityCode, Hash, SubjectId, hex};
use serde_json::{Value, json};

use super::nodes::exe;

const DOCUMENT: &str = include_str!("../../docs/draw.md");
const FILE: &str = include_str!("../../examples/draw/draw.json");
const PLANS: &str = include_str!("../../demo/sample-plans.json");
const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/draw/verify_draw.py");

fn has_python() -> bool {
    let found = Command::new("python3").arg("--version").output().is_ok();
    let no_skip = std::env::var_os("LIANDONG_NO_SKIP").is_some_and(|v| v == "1");
    assert!(found || !no_skip, "no python3, and LIANDONG_NO_SKIP=1 forbids to go on without");
    found
}

/// What both programs say of a draw: the reason of a refusal, or none.
pub fn judged(folder: &Path, draw: &Value) -> Result<(), String> {
    let file = folder.join("draw.json");
    std::fs::write(&file, draw.to_string()).unwrap();
    let ours =
        Command::new(exe()).args(["plan", "verify-draw", "--json"]).arg(&file).output().unwrap();
    if has_python() {
        let theirs = Command::new("python3").arg(PYTHON).arg(&file).output().unwrap();
        let said = String::from_utf8_lossy(&theirs.stderr);
        assert_eq!(ours.status.success(), theirs.status.success(), "{draw}: python says {said}");
    }
    if ours.status.success() {
        return Ok(());
    }
    let said: Value = serde_json::from_slice(&ours.stderr).unwrap();
    Err(said["error"]["reason"].as_str().unwrap_or_default().to_owned())
}

/// A draw of three cities: 40 sites, some heavier, eight drawn; and officers of one city.
fn made(nth: u8) -> Value {
    let plan = SubjectId::new([nth; 16]);
    let random = |city: u32| *Hash::of(&[&[nth], &city.to_be_bytes()]).as_bytes();
    let cities = [130_400, 371_500, 410_900].map(|code| CityCode::from_u32(code).unwrap());
    let reveals: BTreeMap<_, _> = cities.map(|city| (city, random(city.as_u32()))).into();
    let committed = reveals.iter().map(|(city, r)| (*city, commitment(plan, 2, *city, r)));
    let commitments: BTreeMap<_, _> = committed.collect();
    let seed = Seed::joint(plan, 2, &commitments, &reveals).unwrap();
    let site = |n: u32| Member { id: format!("91371522YYYY{n:06}"), weight: 1 + n % 3 * 7 };
    let officer = |n: u32| Member { id: format!("371500990{n:02}"), weight: 1 };
    let group = |name: &str, members: Vec<Member>, count| {
        let pool: Vec<_> = members
            .iter()
            .map(|one| match one.weight {
                1 => json!(one.id),
                weight => json!({ "id": one.id, "weight": weight }),
            })
            .collect();
        let drawn = Pool::new(members).unwrap();
        json!({ "name": name, "pool": pool, "drawn": drawn.draw(&seed, count).unwrap() })
    };
    let text = |(city, bytes): (&CityCode, String)| (city.to_string(), bytes);
    let commitments: BTreeMap<_, _> =
        commitments.iter().map(|(city, hash)| text((city, hash.to_string()))).collect();
    let reveals: BTreeMap<_, _> =
        reveals.iter().map(|(city, random)| text((city, hex(random)))).collect();
    json!({
        "schema": "liandong-draw/1",
        "plan_id": plan.to_string(),
        "revision": 2,
        "commitments": commitments,
        "reveals": reveals,
        "groups": [
            group("监管对象", (0..40).map(site).collect(), 8),
            group("聊城执法人员", (0..12).map(officer).collect(), 4),
        ],
    })
}

/// Officers as a file has them, by city.
fn in_file(officers: &BTreeMap<CityCode, Sent>) -> BTreeMap<String, Vec<Value>> {
    let officer = |sent: &Sent, one: &SentUnit| {
        let of = sent.recusals.iter().filter(|recusal| recusal.officer == one.unit);
        let site = |one: &Recusal| one.site.map_or("*".to_owned(), |site| site.to_string());
        let recused: Vec<String> = of.map(site).collect();
        match one.span {
            None => json!({ "id": one.unit.to_string(), "recused": recused }),
            Some(Span { first, last }) => {
                json!({ "id": one.unit.to_string(), "half_days": [first, last] })
            }
        }
    };
    let listed = |(city, sent): (&CityCode, &Sent)| {
        let all: Vec<_> = sent.units.iter().map(|one| officer(sent, one)).collect();
        (city.to_string(), all)
    };
    officers.iter().map(listed).collect()
}

/// Three sites by default and eight drawn, on two half days, of three cities with seven officers
/// each: some come on one half day only, some do not go to some sites.
fn teamed(nth: u8) -> Value {
    let seed = Seed::published(&hex(Hash::of(&[&[nth]]).as_bytes()));
    let cities = [130_400, 371_500, 410_900].map(|code| CityCode::from_u32(code).unwrap());
    let id = |what: &str, n: u8| {
        SubjectId::from_slice(&Hash::of(&[what.as_bytes(), &[n]]).as_bytes()[..16]).unwrap()
    };
    let all: Vec<SubjectId> = (0..24).map(|n| id("site", n)).collect();
    let mut named = all[..3].to_vec();
    named.sort_unstable();
    let members = all[3..].iter().map(|one| Member { id: one.to_string(), weight: 1 });
    let pool = Pool::new(members.collect()).unwrap();
    let drawn: Vec<String> = pool.draw(&seed, 8).unwrap().into_iter().map(str::to_owned).collect();
    let sites = named.into_iter().chain(drawn.iter().map(|id| SubjectId::parse(id).unwrap()));
    let host = |site: SubjectId| cities[usize::from(site.as_bytes()[0]) % 3];
    let mut before: BTreeMap<CityCode, usize> = BTreeMap::new();
    let visits: Vec<_> = sites
        .map(|site| {
            let nth = before.entry(host(site)).or_default();
            *nth += 1;
            (site, host(site), (*nth - 1) % 2)
        })
        .collect();
    let sent = |(place, city): (usize, &CityCode)| {
        let officer = |n: u8| id("officer", n + 10 * u8::try_from(place).unwrap());
        let unit = |n: u8| SentUnit {
            unit: officer(n),
            span: (n == 0).then_some(Span { first: 1, last: 1 }),
        };
        let recused = |n: usize| Recusal {
            officer: officer(1 + u8::try_from(n % 3).unwrap()),
            site: Some(all[n]),
        };
        let recusals = (0..24).map(recused).chain([Recusal { officer: officer(6), site: None }]);
        (*city, Sent { units: (0..7).map(unit).collect(), recusals: recusals.collect() })
    };
    let officers: BTreeMap<CityCode, Sent> = cities.iter().enumerate().map(sent).collect();
    let teams = teams(&seed, &visits, (2, 1), &officers);
    let ids = |all: &[SubjectId]| all.iter().map(SubjectId::to_string).collect::<Vec<_>>();
    let visit = |(at, team): (&(SubjectId, CityCode, usize), &(Vec<_>, Vec<_>))| {
        let (site, city, half_day) = (at.0.to_string(), at.1.to_string(), at.2);
        let (lead, guests) = (ids(&team.0), ids(&team.1));
        json!({ "site": site, "city": city, "half_day": half_day, "lead": lead, "guests": guests })
    };
    let members: Vec<_> = all[3..].iter().map(SubjectId::to_string).collect();
    json!({
        "schema": "liandong-draw/1",
        "seed": seed.as_str(),
        "groups": [{ "name": "检查对象", "pool": members, "drawn": drawn }],
        "teams": {
            "half_days": 2,
            "lead_officers": 2,
            "guest_officers": 1,
            "officers": in_file(&officers),
            "visits": visits.iter().zip(&teams).map(visit).collect::<Vec<_>>(),
        },
    })
}

#[test]
fn f19_officers_of_a_draw_are_worked_out_again_by_two_programs() {
    let folder = tempfile::tempdir().unwrap();
    for nth in 0..6 {
        let mut draw = teamed(nth);
        assert_eq!(judged(folder.path(), &draw), Ok(()), "{draw:#}");
        draw.as_object_mut().unwrap().remove("teams");
        assert_eq!(judged(folder.path(), &draw), Ok(()), "one of before has no officers");
    }
    type Change = fn(&mut Value);
    let changes: [(&str, Change); 9] = [
        ("DRAW_DIFFERS", |teams| teams["visits"][4]["lead"].as_array_mut().unwrap().swap(0, 1)),
        ("DRAW_DIFFERS", |teams| teams["visits"][0]["guests"] = json!([])),
        // Somebody's recusal is left out, and somebody is said to come who was not drawn.
        ("DRAW_DIFFERS", |teams| {
            let all = teams["officers"].as_object_mut().unwrap().values_mut();
            for one in all.flat_map(|of| of.as_array_mut().unwrap()) {
                one.as_object_mut().unwrap().remove("recused");
            }
        }),
        ("DRAW_DIFFERS", |teams| {
            let drawn = teams["visits"][3]["lead"][0].clone();
            for of in teams["officers"].as_object_mut().unwrap().values_mut() {
                of.as_array_mut().unwrap().retain(|one| one["id"] != drawn);
            }
        }),
        ("DRAW_DIFFERS", |teams| teams["lead_officers"] = json!(3)),
        ("DRAW_DIFFERS", |teams| {
            let half_day = teams["visits"][5]["half_day"].as_u64().unwrap();
            teams["visits"][5]["half_day"] = json!(1 - half_day);
        }),
        ("DRAW_DIFFERS", |teams| teams["visits"].as_array_mut().unwrap().swap(6, 7)),
        ("DRAW_DIFFERS", |teams| teams["visits"].as_array_mut().unwrap().swap(0, 1)),
        ("DRAW_DIFFERS", |teams| {
            teams["visits"].as_array_mut().unwrap().pop();
        }),
    ];
    for (place, (reason, change)) in changes.into_iter().enumerate() {
        let mut draw = teamed(9);
        change(&mut draw["teams"]);
        assert_eq!(judged(folder.path(), &draw), Err(reason.to_owned()), "change {place}");
    }
    for (field, unfit) in [("officers", json!({ "1": [] })), ("half_days", json!(0))] {
        let mut draw = teamed(9);
        draw["teams"][field] = unfit;
        let file = folder.path().join("unfit.json");
        std::fs::write(&file, draw.to_string()).unwrap();
        let mut command = Command::new(exe());
        let said = command.args(["plan", "verify-draw"]).arg(&file).output().unwrap();
        let shown = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(!said.status.success() && shown.contains(&format!("teams.{field}")), "{shown}");
    }
}

#[test]
fn f19_a_published_draw_is_worked_out_again_by_two_programs() {
    let folder = tempfile::tempdir().unwrap();
    for nth in 0..6 {
        assert_eq!(judged(folder.path(), &made(nth)), Ok(()));
    }
    // That its plan was cancelled is said, and changes nothing of what comes out.
    let mut cancelled = made(1);
    cancelled["cancelled_late"] = json!(true);
    assert_eq!(judged(folder.path(), &cancelled), Ok(()));
    let file = folder.path().join("draw.json");
    let said = Command::new(exe()).args(["plan", "verify-draw"]).arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("这个方案被取消"), "{said}");
    let example = DOCUMENT.split("```json").nth(1).unwrap().split("```").next().unwrap();
    let example: Value = serde_json::from_str(example).unwrap();
    assert_eq!(judged(folder.path(), &example), Ok(()), "the document's example");
    let file: Value = serde_json::from_str(FILE).unwrap();
    assert_eq!(file, example, "the file in the examples is the document's");
    let plans: Value = serde_json::from_str(PLANS).unwrap();
    let mut drawn = 0;
    for plan in plans["plans"].as_array().unwrap() {
        let draw = &plan["draw"];
        if draw.is_null() {
            continue;
        }
        let published = json!({
            "schema": "liandong-draw/1",
            "seed": draw["seed"],
            "groups": [{
                "name": plan["title_zh"], "pool": draw["pool"], "drawn": draw["selected_targets"],
            }],
        });
        assert_eq!(judged(folder.path(), &published), Ok(()), "{}", plan["plan_id"]);
        drawn += 1;
    }
    assert_eq!(drawn, 6);
}

#[test]
fn f19_a_draw_that_was_steered_is_refused_by_both() {
    let folder = tempfile::tempdir().unwrap();
    type Change = fn(&mut Value);
    let changes: [(&str, Change); 13] = [
        ("NOT_COMMITTED", |draw| draw["reveals"]["371500"] = json!("00".repeat(32))),
        ("NOT_COMMITTED", |draw| draw["revision"] = json!(3)),
        ("REVEAL_WITHHELD", |draw| {
            draw["reveals"].as_object_mut().unwrap().remove("410900");
        }),
        ("NOT_COMMITTED", |draw| {
            draw["commitments"].as_object_mut().unwrap().remove("410900");
        }),
        ("DRAW_DIFFERS", |draw| draw["groups"][0]["drawn"].as_array_mut().unwrap().swap(0, 7)),
        ("DRAW_DIFFERS", |draw| {
            let last = draw["groups"][0]["drawn"][7].clone();
            draw["groups"][0]["pool"]
                .as_array_mut()
                .unwrap()
                .retain(|one| *one != last && one["id"] != last);
        }),
        ("DRAW_DIFFERS", |draw| {
            let first = draw["groups"][1]["drawn"][0].clone();
            draw["groups"][1]["pool"].as_array_mut().unwrap().retain(|one| *one != first);
        }),
        ("TOO_FEW", |draw| draw["groups"][1]["pool"] = json!(["37150099000"])),
        ("TWICE", |draw| {
            let site = draw["groups"][0]["pool"][0].clone();
            draw["groups"][1]["pool"].as_array_mut().unwrap().push(site);
        }),
        ("BAD_ID", |draw| draw["groups"][1]["pool"][0] = json!("37150099000\u{200b}")),
        ("WEIGHT", |draw| {
            draw["groups"][1]["pool"][0] = json!({ "id": "37150099000", "weight": 101 });
        }),
        ("LOCAL", |draw| draw["groups"][1]["drawn"] = json!([])),
        ("NO_REVEALS", |draw| {
            draw["commitments"] = json!({});
            draw["reveals"] = json!({});
        }),
    ];
    for (reason, change) in changes {
        let mut draw = made(9);
        change(&mut draw);
        assert_eq!(judged(folder.path(), &draw), Err(reason.to_owned()), "{draw}");
    }
    // What is no draw at all is told before anything is compared.
    let mut unfit = made(9);
    unfit["schema"] = json!("liandong-draw/2");
    let file = folder.path().join("unfit.json");
    for (text, told) in [
        (unfit.to_string(), "liandong-draw/1"),
        ("{\"schema\":\"liandong-draw/1\"}".to_owned(), "groups"),
        ("".to_owned(), "docs/draw.md"),
    ] {
        std::fs::write(&file, text).unwrap();
        let mut command = Command::new(exe());
        let said = command.args(["plan", "verify-draw"]).arg(&file).output().unwrap();
        let shown = String::from_utf8_lossy(&said.stderr).into_owned();
        assert_eq!(said.status.code(), Some(5), "{shown}");
        assert!(shown.contains(told), "{shown}");
    }
}
