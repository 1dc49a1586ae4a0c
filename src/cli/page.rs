//! Pages of a list: what is asked for, and how the next one is named.
//!
//! In scope: what all lists of the command line have in common. Out of scope: what a line shows.

use clap::Args;

use crate::lang::Lang;

/// Which page.
#[derive(Args, Debug)]
pub struct PageArgs {
    /// 每页条数 · lines a page
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i32).range(1..=200))]
    pub page_size: i32,
    /// 接着上一页 · token of the next page
    #[arg(long, default_value = "", hide_default_value = true)]
    pub page_token: String,
}

/// The line below a list that is not at its end; nothing below the last page.
pub(super) fn next_line(token: &str, lang: Lang) -> String {
    if token.is_empty() {
        return String::new();
    }
    lang.pick(
        format!("下一页：--page-token {token}\n"),
        format!("next page: --page-token {token}\n"),
    )
}
