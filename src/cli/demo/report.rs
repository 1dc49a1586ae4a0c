//! What the demo shows at its end: JSON for programs; tables and commands to paste for people.
//!
//! In scope: putting together what the nodes told. Out of scope: whether it is right
//! ([`super::agree`]).

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::agree::own_log;
use super::cities::Cities;
use super::feed::Walked;
use super::film::{self, Crossed, Way};
use super::picture::Picture;
use super::plans::Played;
use super::script::Count;
use crate::cli::fleet::{Agreement, City};
use crate::cli::names::Names;
use crate::cli::{json as shape, table, words};
use crate::ids::hex;
use crate::lang::Lang;

/// What happened, beside what the nodes hold.
pub struct Story {
    /// What the scripts hold.
    pub count: Count,
    /// What came of them.
    pub walked: Walked,
    /// The city that was killed.
    pub away: u32,
    /// The emergency that was issued meanwhile, and acknowledged by all.
    pub notice: String,
    /// The film that crossed from that city, cut in the middle.
    pub file: Crossed,
    /// Steps that the others made while it was away.
    pub meanwhile: usize,
    /// What came of the plans.
    pub plans: Vec<Played>,
    /// From the start of the program to agreement, in milliseconds.
    pub elapsed_ms: u128,
}

/// For programs. Logs, checkpoints and cosignatures are as that city's own node returned them.
#[must_use]
pub fn json(cities: &Cities, picture: &Picture, story: &Story) -> Value {
    let fleet = &cities.fleet;
    let node = |city: &City| {
        let held = picture.get(&city.code).cloned().unwrap_or_default();
        let folder = fleet.folder(city.code);
        json!({
            "city": shape::city(city.code),
            "name": city.name,
            "pid": held.status.pid,
            "earlier_pids": cities.earlier_pids(city.code),
            "api": held.status.api_address,
            "peer": held.status.peer_address,
            "profile": folder.join("client.toml"),
            "folder": folder,
            "cases": held.cases.values().flatten().map(Vec::len).sum::<usize>(),
            "logs": held.logs.iter().map(shape::log).collect::<Vec<_>>(),
        })
    };
    let agreement = |agreement: &Agreement| {
        json!({
            "name": agreement.name(),
            "short_name": agreement.short_name,
            "members": agreement.members.iter().map(|c| shape::city(*c)).collect::<Vec<_>>(),
        })
    };
    json!({
        "synced": true,
        "elapsed_ms": u64::try_from(story.elapsed_ms).unwrap_or(u64::MAX),
        "dir": fleet.dir(),
        "notice": { "name": story.notice, "acknowledged_by_all": true },
        "file": crossed(&story.file),
        "away": { "city": shape::city(story.away), "steps_meanwhile": story.meanwhile },
        "scripts": {
            "openings": story.count.openings,
            "moves": story.count.moves,
            "contributions": story.count.contributions,
            "notices": story.count.notices,
            "acknowledgements": story.count.acknowledgements,
            "plans": story.count.plans,
            "introductions": story.count.introductions,
            "entries": story.count.entries(),
        },
        "fed": {
            "new": story.walked.new,
            "replayed": story.walked.replayed,
            "left_alone": story.walked.left_alone,
        },
        "plans": story.plans.iter().map(played).collect::<Vec<_>>(),
        "agreements": fleet.agreements.iter().map(agreement).collect::<Vec<_>>(),
        "nodes": fleet.cities.iter().map(node).collect::<Vec<_>>(),
    })
}

/// A sample plan, and what its initiator's node says of it.
fn played(one: &Played) -> Value {
    json!({
        "sample": one.sample,
        "new": one.new,
        "answered_apart": one.apart.map(shape::city),
        "plan": crate::cli::plan::shape::plan(&one.plan),
    })
}

/// The film: where each way was cut and what went over it in all. Anybody can see from it that it
/// was gone on with and not begun anew.
fn crossed(file: &Crossed) -> Value {
    let way = |way: &Way| {
        json!({
            "cut_at": way.cut_at,
            "resumed_at": way.resumed_at,
            "bytes_in_all": way.bytes,
        })
    };
    json!({
        "case": file.case,
        "bytes": film::BYTES,
        "sha256": hex(&file.sha256),
        "from": shape::city(file.from),
        "to": shape::city(file.to),
        "upload": way(&file.upload),
        "fetch": way(&file.fetch),
        "digests_checked": file.digests_fit,
        "receipt": file.receipt,
    })
}

/// For people: a table per city and one per agreement.
#[must_use]
pub fn text(cities: &Cities, picture: &Picture, plans: &[Played], lang: Lang) -> String {
    let names = Names::new(lang);
    let headers = lang.pick(
        ["城市", "进程号", "接口地址", "协议", "案件", "本市记录", "收自他市"],
        ["city", "pid", "api", "agreements", "cases", "own records", "from others"],
    );
    let mut all = table::table(&headers);
    for city in &cities.fleet.cities {
        let Some(held) = picture.get(&city.code) else { continue };
        let sum = |own: bool| -> u64 {
            held.logs.iter().filter(|log| log.own == own).map(|log| log.stored_size).sum()
        };
        all.add_row([
            names.city(city.code),
            held.status.pid.to_string(),
            table::clean(&held.status.api_address),
            held.agreements.len().to_string(),
            held.cases.values().flatten().map(Vec::len).sum::<usize>().to_string(),
            sum(true).to_string(),
            sum(false).to_string(),
        ]);
    }
    let held = held_by(cities, picture, &names, lang);
    format!("{all}\n\n{held}\n\n{}\n", actions(plans, &names, lang))
}

/// The joint actions.
fn actions(plans: &[Played], names: &Names, lang: Lang) -> comfy_table::Table {
    let headers = lang.pick(
        ["样例方案", "方案号", "类型", "发起市", "参加市", "状态", "等待办理"],
        ["sample", "number", "kind", "initiator", "cities", "state", "awaited"],
    );
    let mut all = table::table(&headers);
    for one in plans {
        let plan = &one.plan;
        all.add_row([
            one.sample.clone(),
            table::clean(&plan.number),
            words::plan_kind(plan.kind(), lang).to_owned(),
            names.city(plan.initiator),
            names.list(plan.cities.iter().map(|needs| needs.city)),
            words::plan_state(plan.state(), lang).to_owned(),
            crate::shown::plan::parts::awaited(&plan.awaited, names, lang),
        ]);
    }
    all
}

/// Which city holds what.
fn held_by(cities: &Cities, picture: &Picture, names: &Names, lang: Lang) -> comfy_table::Table {
    let headers = lang.pick(
        ["协议", "案件", "哪市记录", "条数", "根", "持有城市", "系统送达"],
        ["agreement", "cases", "records of", "entries", "root", "held in", "receipts from"],
    );
    let mut all = table::table(&headers);
    for agreement in &cities.fleet.agreements {
        let name = agreement.name();
        for (nth, author) in agreement.members.iter().enumerate() {
            let Some(city) = picture.get(author) else { continue };
            let Some(own) = own_log(city, &name) else { continue };
            let holders = picture.iter().filter(|(_, city)| {
                city.logs.iter().any(|log| log.log_id == own.log_id && log.root == own.root)
            });
            let cases = city.cases.get(&name).and_then(Option::as_ref).map_or(0, Vec::len);
            let full = own.cosignatures.iter().filter(|c| c.size >= own.stored_size);
            let first = nth == 0;
            all.add_row([
                if first { agreement.short_name.clone() } else { String::new() },
                if first { cases.to_string() } else { String::new() },
                names.city(*author),
                own.stored_size.to_string(),
                own.root.chars().take(16).collect(),
                names.list(holders.map(|(code, _)| *code)),
                names.list(full.map(|cosignature| cosignature.city)),
            ]);
        }
    }
    all
}

/// Where each city's console is opened.
#[must_use]
pub fn consoles(cities: &Cities, lang: Lang) -> String {
    let names = Names::new(lang);
    let line = |(code, welcome): (&u32, &super::cities::Welcome)| {
        let name = names.city(*code);
        let gap = " ".repeat(12_usize.saturating_sub(table::width(&name)));
        format!("  {name}{gap}{}\n", welcome.link())
    };
    cities.welcomes.iter().map(line).collect()
}

/// Commands to paste.
#[must_use]
pub fn commands(cities: &Cities, lang: Lang) -> String {
    let exe = cities.exe().display();
    let mut out = String::new();
    let profile = |code: u32| {
        let path = cities.fleet.folder(code).join("client.toml");
        format!("--profile {}", path.display())
    };
    let codes = cities.codes();
    let (Some(here), Some(there)) = (codes.first(), codes.get(1)) else { return out };
    let lines = [
        (lang.pick("案件", "cases"), format!("case list {}", profile(*here))),
        (lang.pick("待办", "to do"), format!("case list --mine {}", profile(*there))),
        (lang.pick("联合行动", "joint actions"), format!("plan list {}", profile(*here))),
        (lang.pick("持续接收", "follow"), format!("watch {}", profile(*there))),
        (lang.pick("节点", "the node"), format!("status {}", profile(*here))),
    ];
    for (label, line) in lines {
        let gap = " ".repeat(12_usize.saturating_sub(table::width(label)));
        let _ = writeln!(out, "  {label}{gap}{exe} {line}");
    }
    out
}
