//! Lists of codes, for forms to choose from.
//!
//! In scope: reading a list as the page's language has it. Out of scope: what the lists hold (the
//! catalogue of the node), whether a code fits (the services).

use tonic::Status;

use super::layout::Desk;
use crate::wire::pb::v1 as pb;

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
