//! `liandong suspend` and `liandong resume`: an operator stops exchanging with a city, on his own
//! node and at once, and goes on with it later.
//!
//! In scope: asking the node. Out of scope: what it then does (`node::core::suspension`).

use clap::Args;
use serde_json::json;

use super::failure::Failure;
use super::profile::ProfileArgs;
use super::{Context, json as shape};
use crate::ids::CityCode;
use crate::wire::pb::v1 as pb;

/// Arguments of `suspend`.
#[derive(Args, Debug)]
pub struct SuspendArgs {
    /// Which node to call.
    #[command(flatten)]
    pub profile: ProfileArgs,
    /// 行政区划代码 · code of the city
    #[arg(value_name = "CITY", value_parser = CityCode::parse)]
    pub city: CityCode,
    /// 原因，记入审计并显示在节点状态中 · why; kept in the audit and shown in the status
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// Arguments of `resume`.
#[derive(Args, Debug)]
pub struct ResumeArgs {
    /// Which node to call.
    #[command(flatten)]
    pub profile: ProfileArgs,
    /// 行政区划代码 · code of the city
    #[arg(value_name = "CITY", value_parser = CityCode::parse)]
    pub city: CityCode,
}

fn fresh() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// Suspends a city.
///
/// # Errors
/// [`Failure`] when the node cannot be reached or refuses.
pub async fn suspend(context: &Context, args: SuspendArgs) -> Result<(), Failure> {
    let (context, lang) = (context.with(args.profile), context.lang);
    let client = context.connect().await?;
    let (city, reason) = (args.city.as_u32(), args.reason);
    let asked = pb::SuspendCityRequest { city, reason, request_id: fresh() };
    let answer = client.nodes().suspend_city(asked).await;
    let done = answer.map_err(|status| client.failure(&status))?.into_inner();
    let name = client.names(lang).await.city(city);
    told(
        &context,
        &done.suspensions,
        &lang.pick(
            format!(
                "已在本机暂停{name}：连接已断开，其此后的记录在本机不生效，其他城市照常。\n\
                 以其此后记录为依据的案件恢复前不能办理：liandong case list --rests-on-suspended\n\
                 问题解决后：liandong resume {city}"
            ),
            format!(
                "{name} is suspended here: its link has ended, what it writes from now on has no \
                 effect here, all others go on.\nCases that rest on what it writes cannot go on \
                 before that: liandong case list --rests-on-suspended\nOnce it is settled: \
                 liandong resume {city}"
            ),
        ),
    );
    Ok(())
}

/// Goes on with a city.
///
/// # Errors
/// [`Failure`] when the node cannot be reached or refuses.
pub async fn resume(context: &Context, args: ResumeArgs) -> Result<(), Failure> {
    let (context, lang) = (context.with(args.profile), context.lang);
    let client = context.connect().await?;
    let city = args.city.as_u32();
    // Asked before: the node is about to stop.
    let name = client.names(lang).await.city(city);
    let asked = pb::ResumeCityRequest { city, request_id: fresh() };
    let answer = client.nodes().resume_city(asked).await;
    let done = answer.map_err(|status| client.failure(&status))?.into_inner();
    told(
        &context,
        &done.suspensions,
        &lang.pick(
            format!(
                "已恢复{name}。本市节点现在自动重启，并由日志重建视图，其间不能查询和办理；\n\
                 之后补齐该市的记录，进度见 liandong status。之前的续接位置作废，请重新查询列表。"
            ),
            format!(
                "{name} is resumed. The node now starts again by itself and folds all records \
                 anew; it answers nobody meanwhile.\nThen it fetches what that city has written: \
                 see liandong status. Cursors of before are gone: list again."
            ),
        ),
    );
    Ok(())
}

fn told(context: &Context, suspensions: &[pb::Suspension], text: &str) {
    if context.json {
        let all: Vec<_> = suspensions.iter().map(shape::suspension).collect();
        context.print_json(&json!({ "suspensions": all }));
    } else {
        println!("{text}");
    }
}
