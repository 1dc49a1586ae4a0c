//! `liandong case duplicates`: the own city's cases and the records that may be of the same act.

use std::collections::HashSet;

use clap::Args;
use serde_json::json;

use super::{Session, name};
use crate::cli::failure::Failure;
use crate::cli::names::Names;
use crate::cli::{json as shape, table, words};
use crate::ids::CityCode;
use crate::lang::Lang;
use crate::shown::same_act as say;
use crate::wire::pb::v1 as pb;

/// Cases asked for at a time.
const PAGE: i32 = 200;

/// Arguments.
#[derive(Args, Debug)]
pub struct DuplicatesArgs {
    /// 只看此联动协议中的本市案件 · only cases of this agreement
    #[arg(long, short = 'a', value_name = "AGREEMENT")]
    pub agreement: Option<String>,
    /// 看此市承办的案件（默认本市） · handled by; the own city when absent
    #[arg(long, value_name = "CODE", value_parser = CityCode::parse)]
    pub city: Option<CityCode>,
}

/// Lists all pairs.
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn run(session: &Session, args: DuplicatesArgs) -> Result<(), Failure> {
    let parent = name::parent(session, args.agreement.as_deref()).await?;
    let mut request = pb::ListCasesRequest {
        parent,
        page_size: PAGE,
        handling_city: args.city.map_or(session.client.me.node_city, CityCode::as_u32),
        has_same_act_hints: true,
        ..Default::default()
    };
    let (mut cases, mut acts) = (Vec::new(), Vec::new());
    loop {
        let answer = session.client.cases().list_cases(request.clone()).await;
        let mut page = answer.map_err(|status| session.client.failure(&status))?.into_inner();
        cases.append(&mut page.cases);
        acts.append(&mut page.same_acts);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    if session.context.json {
        let pairs = cases.iter().zip(&acts).map(|(case, acts)| {
            json!({"name": case.name, "number": case.number, "same_acts": shape::same_acts(acts)})
        });
        let pairs: Vec<_> = pairs.collect();
        session.context.print_json(&json!({ "cases": pairs }));
    } else {
        print!("{}", text(&cases, &acts, &session.names, session.context.lang));
    }
    Ok(())
}

fn text(cases: &[pb::Case], acts: &[pb::SameActs], names: &Names, lang: Lang) -> String {
    let headers = lang.pick(
        ["本件", "状态", "另一件", "承办市", "状态", "距离", "重合日期", "立案与决定"],
        ["case", "state", "other", "handled by", "state", "distance", "days", "filed, decided"],
    );
    let mut lines = table::table(&headers);
    let (mut pairs, mut left_out, mut seen) = (0, 0, HashSet::new());
    for (case, acts) in cases.iter().zip(acts) {
        for hint in &acts.hints {
            // Two cases of one city are one pair, which each of them shows.
            if seen.contains(&(&hint.name, &case.name)) {
                continue;
            }
            seen.insert((&case.name, &hint.name));
            pairs += 1;
            lines.add_row([
                table::clean(&case.number),
                words::state(case.state(), lang).to_owned(),
                table::clean(&hint.number),
                names.city(hint.handling_city),
                words::state(hint.state(), lang).to_owned(),
                say::apart(hint, lang),
                say::days(hint, lang),
                say::standing(hint, names, lang),
            ]);
        }
        left_out += (acts.total_size as usize).saturating_sub(acts.hints.len());
    }
    if pairs == 0 {
        return lang
            .pick("没有疑似同一违法行为的案件\n", "no cases that may be of one act\n")
            .to_owned();
    }
    let advice = say::advice(lang);
    let mut out = lang.pick(
        format!("{lines}\n共 {pairs} 对疑似同一违法行为\n{advice}\n"),
        format!("{lines}\n{pairs} pairs that may be of one act\n{advice}\n"),
    );
    if left_out > 0 {
        out.push_str(&lang.pick(
            format!("另有 {left_out} 条未显示，用 liandong case show 逐件查看\n"),
            format!("{left_out} more are not shown; see each case with liandong case show\n"),
        ));
    }
    if acts.iter().any(|one| one.incomplete) {
        out.push_str(say::incomplete(lang));
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_of_one_city_is_one_line() {
        let case = |name: &str| pb::Case {
            name: name.to_owned(),
            number: format!("LD-{name}"),
            ..Default::default()
        };
        let acts = |name: &str, other: &str| pb::SameActs {
            name: name.to_owned(),
            hints: vec![pb::SameActHint {
                name: other.to_owned(),
                number: format!("LD-{other}\u{1b}"),
                handling_city: 371_500,
                metres: Some(7),
                ..Default::default()
            }],
            total_size: 1,
            incomplete: false,
        };
        let names = Names::new(Lang::Zh);
        let cases = [case("a"), case("b")];
        let shown = text(&cases, &[acts("a", "b"), acts("b", "a")], &names, Lang::Zh);
        assert!(shown.contains("共 1 对") && shown.contains("第二十五条"), "{shown}");
        assert!(shown.contains("相距 7 米") && !shown.contains('\u{1b}'), "{shown}");
        assert!(text(&[], &[], &names, Lang::En).contains("no cases"));
    }
}
