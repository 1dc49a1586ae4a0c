//! Lists of codes, for forms to choose from.
//!
//! In scope: a list as the page's language has it. Out of scope: what the lists hold (the catalogue
//! of the node, the words of [`crate::wire::words`]), whether a code fits (the services).

use tonic::Status;

use super::layout::Desk;
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;
use crate::wire::words;

/// Items on a page of the API's lists.
const PAGE: i32 = 200;

/// The values of a list, such as `media`: what a message carries, and the word for it.
///
/// # Errors
/// The service's refusal.
pub async fn of(desk: &Desk, list: &str) -> Result<Vec<(String, String)>, Status> {
    let parent = format!("lists/{list}");
    let mut request = pb::ListRequest { parent, page_size: PAGE, page_token: String::new() };
    let mut all = Vec::new();
    loop {
        let page = desk.client.catalogs().list(request.clone()).await?.into_inner();
        all.extend(page.items.into_iter().map(|item| {
            let value = if item.number == 0 { item.code } else { item.number.to_string() };
            (value, desk.lang().pick(item.word_zh, item.word_en))
        }));
        if page.next_page_token.is_empty() {
            return Ok(all);
        }
        request.page_token = page.next_page_token;
    }
}

/// The same with nothing chosen at first.
#[must_use]
pub fn or_none(desk: &Desk, all: Vec<(String, String)>) -> Vec<(String, String)> {
    let none = (String::new(), desk.lang().pick("（请选择）", "(choose)").to_owned());
    std::iter::once(none).chain(all).collect()
}

/// The kinds of joint actions, and the one that is filled in if it is none of them.
#[must_use]
pub fn plan_kinds(chosen: &str, lang: Lang) -> Vec<(String, String)> {
    let known = (1..).map_while(|one| pb::PlanKind::try_from(one).ok());
    let mut kinds: Vec<_> = known
        .map(|one| (i32::from(one).to_string(), words::plan_kind(one, lang).to_owned()))
        .collect();
    if !chosen.is_empty() && kinds.iter().all(|(kind, _)| kind != chosen) {
        let word = match chosen {
            "0" => lang.pick("请选择", "choose one"),
            _ => words::plan_kind(pb::PlanKind::Unspecified, lang),
        };
        kinds.push((chosen.to_owned(), word.to_owned()));
    }
    kinds
}

/// Why a site may be visited in spite of the positive list, its yearly cap or its being closed.
#[must_use]
pub fn exceptions(lang: Lang) -> Vec<(String, String)> {
    let known = (1..).map_while(|one| pb::VisitException::try_from(one).ok());
    known
        .map(|one| (i32::from(one).to_string(), words::visit_exception(one, lang).to_owned()))
        .collect()
}

/// The departments that may take part in a joint action.
#[must_use]
pub fn departments(lang: Lang) -> Vec<(String, String)> {
    let known = (1..).map_while(|one| pb::Department::try_from(one).ok());
    known.map(|one| (i32::from(one).to_string(), words::department(one, lang).to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_stays_what_it_is() {
        let kinds = |kind: &str| plan_kinds(kind, Lang::Zh);
        assert!(kinds("4").iter().any(|(kind, word)| kind == "4" && word.contains("双随机")));
        assert_eq!((kinds("").len(), kinds("4").len(), kinds("9").len()), (6, 6, 7));
        assert_eq!(kinds("0").last().unwrap(), &("0".to_owned(), "请选择".to_owned()));
    }
}
