//! `liandong case campaign`: campaign tags (专项行动), and what campaigns are called.
//!
//! In scope: arguments, finding a campaign by its code, word or number. Out of scope: which there
//! are: the node's catalogue says it.

use clap::{Args, Subcommand};

use super::Session;
use super::write::{AddArgs, Prepared, send};
use crate::cli::catalog;
use crate::cli::connect::Client;
use crate::cli::failure::Failure;
use crate::lang::Lang;
use crate::shown::table::written;
use crate::wire::pb::v1 as pb;

/// What can be done with tags.
#[derive(Subcommand, Debug)]
pub enum CampaignCommand {
    /// 标记为某专项行动的案件 · put a tag on
    Tag(TagArgs),
    /// 取消标记 · take a tag off
    Untag(TagArgs),
}

/// Arguments.
#[derive(Args, Debug)]
pub struct TagArgs {
    /// Case, text, request id and officer; the text is the name of a campaign with OTHER.
    #[command(flatten)]
    pub add: AddArgs,
    /// 专项行动：代码、名称或数字，见 liandong catalog campaigns；没有的用 OTHER，名称写在 -m · which
    #[arg(long, value_name = "CAMPAIGN")]
    pub campaign: String,
}

/// Runs one command.
///
/// # Errors
/// [`Failure`] when the case or the campaign is not found, or the node refuses.
pub async fn run(session: &Session, command: CampaignCommand) -> Result<(), Failure> {
    let (args, remove) = match command {
        CampaignCommand::Tag(args) => (args, false),
        CampaignCommand::Untag(args) => (args, true),
    };
    let campaign = number(&session.client, &args.campaign, session.context.lang).await?;
    let prepared = Prepared::addition(session, args.add).await?;
    let request = pb::TagCampaignRequest {
        name: prepared.name.clone(),
        campaign,
        remove,
        text: prepared.text.clone(),
        request_id: prepared.request_id.clone(),
        acting_for: prepared.acting_for.clone(),
        validate_only: false,
    };
    send(session, &prepared, session.client.referrals().tag_campaign(request)).await
}

/// The campaigns that the node's catalogue has.
pub struct Known(Vec<pb::CatalogItem>);

impl Known {
    /// Asks the node.
    ///
    /// # Errors
    /// [`Failure`] when it does not answer.
    pub async fn ask(client: &Client) -> Result<Self, Failure> {
        catalog::all(client, "campaigns").await.map(|(items, _)| Self(items))
    }

    /// None is known.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// What one is called; its number where the node does not say.
    #[must_use]
    pub fn word(&self, number: u32, lang: Lang) -> String {
        written::campaign(&self.0, number, lang)
    }

    /// What several are called, in one line.
    #[must_use]
    pub fn words(&self, numbers: &[u32], lang: Lang) -> String {
        written::campaigns(&self.0, numbers, lang)
    }
}

/// The number of a campaign by its code, a part of its word, or the number itself.
///
/// # Errors
/// [`Failure`] when the node does not answer, or has no such campaign.
pub async fn number(client: &Client, text: &str, lang: Lang) -> Result<u32, Failure> {
    if let Ok(number) = text.trim().parse() {
        return Ok(number);
    }
    find(&Known::ask(client).await?.0, text).ok_or_else(|| {
        let none = lang.pick(format!("没有专项行动“{text}”"), format!("no campaign {text:?}"));
        let todo = lang.pick("见 liandong catalog campaigns", "see liandong catalog campaigns");
        Failure::usage(none).advise(todo)
    })
}

fn find(items: &[pb::CatalogItem], text: &str) -> Option<u32> {
    let text = text.trim();
    let code = text.to_ascii_uppercase().replace('-', "_");
    // 两打 is enough: a word may be as long as the document that calls the campaign.
    let named = |one: &&pb::CatalogItem| {
        one.code == code || one.word_zh.contains(text) || one.word_en.eq_ignore_ascii_case(text)
    };
    let mut found = items.iter().filter(|_| !text.is_empty()).filter(named);
    let first = found.next()?;
    match found.next() {
        Some(second) if first.code != code && second.code != code => None,
        Some(second) if second.code == code => u32::try_from(second.number).ok(),
        Some(_) | None => u32::try_from(first.number).ok(),
    }
}

/// What campaigns are called, in one line; nobody is asked of none.
pub async fn names(client: &Client, numbers: &[u32], lang: Lang) -> String {
    if numbers.is_empty() {
        return String::new();
    }
    let known = Known::ask(client).await.unwrap_or(Known::none());
    known.words(numbers, lang)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_campaign_is_found_by_code_or_part_of_its_word_and_never_guessed() {
        let item = |number, code: &str, zh: &str| pb::CatalogItem {
            number,
            code: code.into(),
            word_zh: zh.into(),
            word_en: code.to_lowercase(),
            ..Default::default()
        };
        let items =
            [item(1, "OTHER", "其他"), item(2, "A", "“两打”专项行动"), item(3, "B", "专项行动")];
        let found = ["other", "两打", "b", "专项行动", "清水", ""].map(|text| find(&items, text));
        assert_eq!(found, [Some(1), Some(2), Some(3), None, None, None]);
        let known = Known(items.to_vec());
        assert_eq!(known.words(&[2, 9], Lang::Zh), "“两打”专项行动；第 9 号");
    }
}
