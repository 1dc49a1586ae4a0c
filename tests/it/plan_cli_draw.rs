//! Draws, revisions and cancellations by the command line, between two real nodes: `liandong plan
//! commit`, `reveal`, `redraw`, `revise`, `cancel` and `export-draw`.

use serde_json::Value;

use super::api::{HERE, THERE};
use super::draws::judged;
use super::nodes::{Nodes, plan};
use super::plan_cli::{Desk, filled_in, has, register, said};

/// The template as somebody fills it in who draws one site.
fn drawing(template: &str) -> String {
    let filled = filled_in(template);
    let (before, visits) = filled.rsplit_once("[[visits]]").unwrap();
    let record = visits.split_once("[record]").unwrap().1;
    let draw = "[draw]\nsites = 1\nhost_officers = 2\nguest_officers = 1\n\n[record]";
    let drawn = format!("{before}{draw}{record}")
        .replace("kind = \"联合检查\"", "kind = \"跨市双随机抽查\"");
    assert!(drawn.contains("双随机"), "{drawn}");
    drawn
}

async fn two() -> Nodes {
    let cities = [HERE, THERE];
    let nodes = Nodes::start_all(&plan(&cities, &[("聊邯", &cities)]));
    for city in cities {
        let client = nodes.client(city).await;
        super::api::ready(&client, &nodes.fleet.agreements[0].name()).await;
    }
    nodes
}

/// Both confirm what is proposed.
async fn confirmed(here: &Desk<'_>, there: &Desk<'_>, number: &str, revision: u64) {
    let answer = ["answer", number, "confirm"];
    let two = ["--unit", "37150099001", "--unit", "37150099002"];
    here.plan(&[answer.as_slice(), &two].concat());
    there.seen(number, "the revision is there", |plan| plan["revision"] == revision).await;
    there.plan(&[answer.as_slice(), &["--unit", "13040099001"]].concat());
    let all = |plan: &Value| {
        let answers = plan["answers"].as_array().unwrap();
        answers.iter().filter(|one| one["kind"] == "CONFIRM").count() == 2
    };
    here.seen(number, "both have confirmed", all).await;
}

fn draft(here: &Desk<'_>) -> String {
    here.plan(&["template", "--out", "draft.toml"]);
    let template = std::fs::read_to_string(here.file("draft.toml")).unwrap();
    std::fs::write(here.file("draft.toml"), drawing(&template)).unwrap();
    let made = here.json(&["new", "draft.toml"]);
    made["plan"]["number"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draw_by_command_line() {
    let nodes = two().await;
    let (here, there) = (Desk { nodes: &nodes, city: HERE }, Desk { nodes: &nodes, city: THERE });
    register(&here, &there);
    let number = draft(&here);
    let number = number.as_str();

    // Whoever takes no part, and what is not this plan's turn, is told so.
    let early = here.refused(&["reveal", number]);
    has(&early, &["REVEAL_STAGE", "操作未执行"]);
    confirmed(&here, &there, number, 1).await;
    has(&here.refused(&["schedule", number]), &["DRAW_NOT_COMMITTED"]);
    has(&here.refused(&["redraw", number]), &["PLAN_STAGE"]);
    has(&here.plan(&["commit", number]), &["已提交承诺：聊城"]);
    has(&there.plan(&["commit", number, "--lang", "en"]), &["committed"]);
    let both = |plan: &Value| plan["draw"]["committed"].as_array().unwrap().len() == 2;
    let bound = here.seen(number, "both are bound", both).await;
    assert!(bound["draw"]["seed"].is_null() && bound["visits"].as_array().unwrap().is_empty());
    has(&here.refused(&["export-draw", number]), &["NOT_DRAWN"]);
    here.plan(&["schedule", number]);
    let settled = |plan: &Value| plan["state"] == "SCHEDULED";
    there.seen(number, "it is settled", settled).await;

    // One shows its part; the other is named as withholding, and draws once more when it has shown.
    has(&here.plan(&["reveal", number]), &["已公开随机数：聊城"]);
    has(&here.refused(&["reveal", number]), &["DRAW_REVEALED"]);
    has(&here.refused(&["begin", number]), &["REVEAL_MISSING"]);
    // There is no other attempt before all are bound to it.
    has(&here.refused(&["redraw", number]), &["COMMITMENT_MISSING"]);
    has(&there.refused(&["redraw", number]), &["NOT_INITIATOR"]);
    here.plan(&["commit", number]);
    has(&there.refused(&["commit", number]), &["REVEAL_FIRST"]);
    there.plan(&["reveal", number]);
    let shown = |plan: &Value| !plan["draw"]["seed"].is_null();
    let drawn = here.seen(number, "it is drawn", shown).await;
    assert_eq!(drawn["visits"].as_array().unwrap().len(), 1);
    has(&here.refused(&["redraw", number]), &["NOBODY_WITHHOLDS"]);

    // The file that anybody may work out again, with officers by their ids only.
    has(&here.plan(&["export-draw", number, "--out", "draw.json"]), &["不出本市"]);
    let again = here.run("plan", &["export-draw", number, "--out", "draw.json"]);
    assert_eq!(again.status.code(), Some(5), "nothing is overwritten: {}", said(&again));
    let file = std::fs::read_to_string(here.file("draw.json")).unwrap();
    assert!(!file.contains("37150099001"), "{file}");
    let mut file: Value = serde_json::from_str(&file).unwrap();
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(judged(folder.path(), &file), Ok(()), "{file:#}");
    let team = &file["teams"]["visits"][0];
    let count = |side: &str| team[side].as_array().unwrap().len();
    assert_eq!((count("lead"), count("guests")), (2, 1), "{file:#}");
    file["teams"]["visits"][0]["lead"].as_array_mut().unwrap().reverse();
    assert_eq!(judged(folder.path(), &file), Err("DRAW_DIFFERS".to_owned()));
    file.as_object_mut().unwrap().remove("teams");
    assert_eq!(judged(folder.path(), &file), Ok(()), "one of before has no officers");
    has(&here.plan(&["begin", number]), &["执行中"]);
}

/// Bound by both, and settled.
async fn settled(here: &Desk<'_>, there: &Desk<'_>, number: &str, revision: u64) {
    confirmed(here, there, number, revision).await;
    here.plan(&["commit", number]);
    there.plan(&["commit", number]);
    let both = |plan: &Value| plan["draw"]["committed"].as_array().unwrap().len() == 2;
    here.seen(number, "both are bound", both).await;
    here.plan(&["schedule", number]);
    there.seen(number, "it is settled", |plan| plan["state"] == "SCHEDULED").await;
}

/// The same, and shown by the one.
async fn half_shown(here: &Desk<'_>, there: &Desk<'_>) -> String {
    register(here, there);
    let number = draft(here);
    settled(here, there, &number, 1).await;
    here.plan(&["reveal", &number]);
    number
}

/// Who has not shown its part when the plan is revised is named in all that follows; an initiator
/// that has seen another city's part shows its own first, and withholds it if it cannot.
#[tokio::test(flavor = "multi_thread")]
async fn f19_an_initiator_does_not_revise_away_a_draw_that_it_alone_can_work_out() {
    let mut nodes = two().await;
    let number = {
        let (here, there) =
            (Desk { nodes: &nodes, city: HERE }, Desk { nodes: &nodes, city: THERE });
        let number = half_shown(&here, &there).await;
        here.plan(&["revise", &number, "draft.toml", "--yes"]);
        let second = |plan: &Value| plan["revision"] == 2;
        let named = there.seen(&number, "the revision is there", second).await;
        let draw = &named["draw"];
        assert_eq!(draw["withheld"], serde_json::json!([]), "{draw}");
        assert!(draw["silent"].to_string().contains("130400"), "{draw}");
        let shown = there.plan(&["show", &number]);
        has(&shown, &["修订时尚未公开的市：邯郸", "方案修订，当时邯郸市尚未公开"]);

        settled(&here, &there, &number, 2).await;
        there.plan(&["reveal", &number]);
        let theirs = |plan: &Value| plan["draw"]["reveals"].as_array().unwrap().len() == 1;
        here.seen(&number, "the part of the other city is there", theirs).await;
        let refused = here.refused(&["revise", &number, "draft.toml", "--yes"]);
        has(&refused, &["REVEAL_FIRST", "请先公开，再提交下一次承诺或修订方案"]);
        assert_eq!(here.json(&["show", &number])["plan"]["revision"], 2);
        number
    };
    nodes.kill(HERE);
    std::fs::remove_file(nodes.fleet.folder(HERE).join("keys/node.hmac")).unwrap();
    nodes.start(HERE);
    super::api::ready(&nodes.client(HERE).await, &nodes.fleet.agreements[0].name()).await;
    let (here, there) = (Desk { nodes: &nodes, city: HERE }, Desk { nodes: &nodes, city: THERE });
    here.plan(&["revise", &number, "draft.toml", "--yes"]);
    let third = |plan: &Value| plan["revision"] == 3;
    let named = there.seen(&number, "the revision is there", third).await;
    let draw = &named["draw"];
    assert!(draw["withheld"].to_string().contains("371500"), "{draw}");
    assert!(draw["silent"].to_string().contains("130400"), "{draw}");
    has(&there.plan(&["show", &number]), &["聊城市此前未按承诺公开随机数"]);
}

/// A plan that is cancelled when only some have shown their parts says so, and who had not; whoever
/// works it out later hears it too.
#[tokio::test(flavor = "multi_thread")]
async fn f19_who_cancels_after_reveals_is_told_with_whoever_was_silent() {
    let nodes = two().await;
    let (here, there) = (Desk { nodes: &nodes, city: HERE }, Desk { nodes: &nodes, city: THERE });
    register(&here, &there);
    let number = draft(&here);
    settled(&here, &there, &number, 1).await;
    there.plan(&["reveal", &number]);
    let theirs = |plan: &Value| plan["draw"]["reveals"].as_array().unwrap().len() == 1;
    here.seen(&number, "the part of the other city is there", theirs).await;
    here.plan(&["cancel", &number, "-m", "暴雨", "--yes"]);
    let gone = |plan: &Value| plan["state"] == "CANCELLED";
    let told = there.seen(&number, "it is cancelled", gone).await;
    let draw = &told["draw"];
    assert_eq!((&draw["cancelled_late"], &draw["withheld"]), (&true.into(), &Value::Array(vec![])));
    let silent = draw["silent"].to_string();
    assert!(silent.contains("371500") && !silent.contains("130400"), "{draw}");
    let words = ["修订或取消时尚未公开的市：聊城", "公开随机数后取消", "取消，当时聊城市尚未公开"];
    has(&there.plan(&["show", &number]), &words);
}

/// A city whose node has lost its key cannot show its part: both are bound anew, and draw again.
#[tokio::test(flavor = "multi_thread")]
async fn f19_a_draw_is_made_again_by_command_line() {
    let mut nodes = two().await;
    let number = {
        let here = Desk { nodes: &nodes, city: HERE };
        half_shown(&here, &Desk { nodes: &nodes, city: THERE }).await
    };
    let number = number.as_str();
    nodes.kill(THERE);
    std::fs::remove_file(nodes.fleet.folder(THERE).join("keys/node.hmac")).unwrap();
    nodes.start(THERE);
    super::api::ready(&nodes.client(THERE).await, &nodes.fleet.agreements[0].name()).await;
    let (here, there) = (Desk { nodes: &nodes, city: HERE }, Desk { nodes: &nodes, city: THERE });
    has(&there.refused(&["reveal", number]), &["REVEAL_MISMATCH"]);
    // Its own people are told, and nobody else can be.
    let changed = "本市节点密钥已更换";
    has(&there.plan(&["show", number]), &[changed]);
    assert!(!here.plan(&["show", number]).contains(changed));
    has(&here.refused(&["redraw", number]), &["COMMITMENT_MISSING"]);
    here.plan(&["commit", number]);
    there.plan(&["commit", number]);
    assert!(!there.plan(&["show", number]).contains(changed));
    super::nodes::until("both are bound anew, and it is drawn again", || async {
        here.run("plan", &["redraw", number]).status.success().then_some(())
    })
    .await;
    let again = |plan: &Value| plan["draw"]["attempt"] == 2;
    let anew = there.seen(number, "the second attempt is there", again).await;
    assert!(anew["draw"]["seed"].is_null() && anew["draw"]["reveals"] == serde_json::json!([]));
    assert!(anew["draw"]["withheld"].to_string().contains("130400"), "{}", anew["draw"]);
    has(&here.refused(&["redraw", number]), &["COMMITMENT_MISSING"]);
    here.plan(&["reveal", number]);
    there.plan(&["reveal", number]);
    let shown = |plan: &Value| !plan["draw"]["seed"].is_null();
    here.seen(number, "it is drawn", shown).await;
    has(&here.plan(&["show", number]), &["邯郸市此前未按承诺公开随机数"]);
    here.plan(&["export-draw", number, "--out", "draw.json"]);
    let file = std::fs::read_to_string(here.file("draw.json")).unwrap();
    let file: Value = serde_json::from_str(&file).unwrap();
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(judged(folder.path(), &file), Ok(()), "{file:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_revised_and_cancelled_by_command_line() {
    let nodes = two().await;
    let (here, there) = (Desk { nodes: &nodes, city: HERE }, Desk { nodes: &nodes, city: THERE });
    register(&here, &there);
    let number = draft(&here);
    let number = number.as_str();
    confirmed(&here, &there, number, 1).await;

    // What was confirmed is voided only by somebody who says so; a check voids nothing.
    has(&here.plan(&["revise", number, "draft.toml", "--check"]), &["核对通过"]);
    let asked = here.run("plan", &["revise", number, "draft.toml"]);
    assert_eq!(asked.status.code(), Some(2), "nobody has said yes: {}", said(&asked));
    let old = here.json(&["show", number])["plan"]["etag"].as_str().unwrap().to_owned();
    let revised = here.plan(&["revise", number, "draft.toml", "--yes"]);
    has(&revised, &["征求意见"]);
    let second = here.json(&["show", number])["plan"].clone();
    assert_eq!((&second["revision"], &second["answers"]), (&2.into(), &Value::Array(Vec::new())));
    let stale = here.run("plan", &["revise", number, "draft.toml", "--yes", "--etag", &old]);
    has(&said(&stale), &["STALE_ETAG"]);
    assert!(!stale.status.success());
    there.seen(number, "the revision is there", |plan| plan["revision"] == 2).await;
    let file = here.file("draft.toml");
    let theirs = there.refused(&["revise", number, file.to_str().unwrap(), "--yes"]);
    has(&theirs, &["NOT_INITIATOR"]);

    // It is cancelled by its initiator, with a reason, and once.
    let silent = here.run("plan", &["cancel", number]);
    assert_eq!(silent.status.code(), Some(2), "a reason is asked for: {}", said(&silent));
    let asked = here.run("plan", &["cancel", number, "-m", "突发暴雨"]);
    assert_eq!(asked.status.code(), Some(2), "nobody has said yes: {}", said(&asked));
    has(&said(&asked), &["取消后不能恢复", number]);
    has(&there.refused(&["cancel", number, "-m", "突发暴雨", "--yes"]), &["NOT_INITIATOR"]);
    has(&here.plan(&["cancel", number, "-m", "突发暴雨", "--yes"]), &["已取消"]);
    has(&here.refused(&["cancel", number, "-m", "再次", "--yes"]), &["PLAN_STAGE"]);
    let gone = |plan: &Value| plan["state"] == "CANCELLED" && plan["closing_text"] == "突发暴雨";
    there.seen(number, "it is cancelled", gone).await;
    has(&there.refused(&["answer", number, "comment", "--text", "请改期"]), &["ANSWER_TOO_LATE"]);
}

/// A city commits again as one that has lost its key, finds the key, and shows its part after all,
/// while the initiator is away and names it: what it has shown is told beside.
#[tokio::test(flavor = "multi_thread")]
async fn f19_a_city_that_showed_its_part_late_is_named_and_it_is_said() {
    let mut nodes = two().await;
    let number = {
        let here = Desk { nodes: &nodes, city: HERE };
        half_shown(&here, &Desk { nodes: &nodes, city: THERE }).await
    };
    let number = number.as_str();
    let agreement = nodes.fleet.agreements[0].name();
    let key = nodes.fleet.folder(THERE).join("keys/node.hmac");
    let kept = std::fs::read(&key).unwrap();
    nodes.kill(THERE);
    std::fs::remove_file(&key).unwrap();
    nodes.start(THERE);
    super::api::ready(&nodes.client(THERE).await, &agreement).await;
    {
        let (here, there) =
            (Desk { nodes: &nodes, city: HERE }, Desk { nodes: &nodes, city: THERE });
        here.plan(&["commit", number]);
        there.plan(&["commit", number]);
        there.plan(&["answer", number, "comment", "--text", "密钥遗失，已重新承诺"]);
        super::nodes::until("what was said behind the commitment is there", || async {
            here.plan(&["show", number]).contains("已重新承诺").then_some(())
        })
        .await;
    }
    // The initiator is away; the key is found.
    nodes.kill(HERE);
    nodes.kill(THERE);
    std::fs::write(&key, kept).unwrap();
    nodes.start(THERE);
    super::api::ready(&nodes.client(THERE).await, &agreement).await;
    has(
        &Desk { nodes: &nodes, city: THERE }.plan(&["reveal", number]),
        &["已公开随机数：邯郸、聊城"],
    );
    nodes.kill(THERE);
    nodes.start(HERE);
    super::api::ready(&nodes.client(HERE).await, &agreement).await;
    super::nodes::until("it is drawn again", || async {
        let here = Desk { nodes: &nodes, city: HERE };
        here.run("plan", &["redraw", number]).status.success().then_some(())
    })
    .await;
    nodes.start(THERE);
    super::api::ready(&nodes.client(THERE).await, &agreement).await;
    for city in [HERE, THERE] {
        let desk = Desk { nodes: &nodes, city };
        super::nodes::until("it is told that it was shown all the same", || async {
            let shown = desk.plan(&["show", number]);
            let named = shown.contains("邯郸市此前未按承诺公开随机数");
            (named && shown.contains("但当次随机数其实已公开")).then_some(())
        })
        .await;
    }
}
