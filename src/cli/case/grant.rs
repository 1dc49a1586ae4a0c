//! `liandong case grant`: content that not every member may have, for one more city (授权查看材料).

use clap::Args;

use super::Session;
use super::history;
use super::write::{AddArgs, Prepared, add_request, send};
use crate::cli::failure::{Exit, Failure};
use crate::ids::CityCode;
use crate::shown::grants::{self, Grantable};

/// Arguments.
#[derive(Args, Debug)]
pub struct GrantArgs {
    /// The case and what every addition has.
    #[command(flatten)]
    pub add: AddArgs,
    /// 授权给此市 · the city that may have it
    #[arg(long, value_name = "CODE", value_parser = CityCode::parse)]
    pub to: CityCode,
    /// 材料所在的记录；可授权的只有一份时可不填，有多份时逐一列出 · the entry; the only one if absent
    #[arg(long, value_name = "ENTRY")]
    pub entry: Option<String>,
    /// 该记录的第几份材料，从 0 数起 · which of its parts, from 0
    #[arg(long, value_name = "N", requires = "entry")]
    pub part: Option<u32>,
}

/// Opens a part to a city.
///
/// # Errors
/// [`Failure`] when the case is not found, it is not clear which part is meant, or the node
/// refuses.
pub async fn run(session: &Session, args: GrantArgs) -> Result<(), Failure> {
    let prepared = Prepared::addition(session, args.add).await?;
    let (entry, part) = match (args.entry, args.part) {
        // Nothing is looked up: the node says whether there is such a part.
        (Some(entry), Some(part)) => (entry, part),
        (entry, _) => {
            let one = only(session, &prepared.name, entry.as_deref()).await?;
            (one.entry, one.part)
        }
    };
    let to_city = args.to.as_u32();
    let request =
        add_request!(GrantPartRequest, prepared, entry: entry, part: part, to_city: to_city);
    send(session, &prepared, session.client.cases().grant_part(request)).await
}

/// The only part that may be opened, of one entry or of all.
async fn only(session: &Session, name: &str, entry: Option<&str>) -> Result<Grantable, Failure> {
    let (client, lang) = (&session.client, session.context.lang);
    let entries = history::entries(session, name).await?;
    let mut all = grants::grantable(&entries, client.me.node_city, lang);
    all.retain(|one| entry.is_none_or(|entry| entry == one.entry));
    match (all.pop(), all.as_slice()) {
        (Some(one), []) => Ok(one),
        (Some(last), others) => {
            let what = lang.pick("可授权的材料有多份，请指明", "say which: there are several");
            let line = |one: &Grantable| {
                format!("--entry {} --part {}  {}", one.entry, one.part, one.label)
            };
            let failure = Failure::usage(what);
            Err(others.iter().chain([&last]).map(line).fold(failure, Failure::advise))
        }
        (None, _) => {
            let none = lang.pick(
                "本案没有可由本市授权的材料：本市登记的材料各成员市都能看",
                "nothing to open: all members may have what your city recorded in this case",
            );
            Err(Failure::new(Exit::Refused, "PART_NOT_GRANTABLE", none))
        }
    }
}
