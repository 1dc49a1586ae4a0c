//! `liandong check [ADDR]`: network, encryption, certificates, role, clock, version, in this order.
//!
//! In scope: saying which step failed and what to do. Out of scope: mending it.

use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use serde_json::json;

use super::connect::{Client, Dialler};
use super::dial_error::{DialError, Step};
use super::failure::{Exit, Failure};
use super::profile::ProfileArgs;
use super::{Context, when};
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// Arguments.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// Which node to call.
    #[command(flatten)]
    pub profile: ProfileArgs,
    /// 节点接口地址（默认取自客户端设置） · address of the api port
    #[arg(value_name = "ADDR")]
    pub address: Option<String>,
}

/// Beyond this, certificates start to fail and recorded times mislead.
const CLOCK_SECONDS_MAX: u64 = 60;
/// Certificates are renewed in good time.
const EXPIRY_WARNING_DAYS: i64 = 14;

/// What one step found.
struct Finding {
    step: Step,
    /// `None` when it was not reached.
    good: Option<bool>,
    what: String,
    advice: String,
}

/// Walks the steps.
///
/// # Errors
/// [`Failure`] of the first step that failed; all steps are printed before.
pub async fn run(context: &Context, args: CheckArgs) -> Result<(), Failure> {
    let mut overrides = context.with(args.profile);
    overrides.profile.api = args.address.or(overrides.profile.api);
    let profile = overrides.profile()?;
    let dialler = Dialler::new(&profile, context.lang)?;
    let findings = walk(&dialler, profile.timeout_s, context.lang).await;
    print(context, &dialler.api, &findings);
    match findings.iter().find(|one| one.good == Some(false)) {
        None => Ok(()),
        Some(failed) => {
            let exit =
                if failed.step <= Step::Certificate { Exit::Unreachable } else { Exit::Refused };
            let reason = format!("CHECK_{}", failed.step.key().to_uppercase());
            Err(Failure::new(exit, &reason, failed.what.clone()).advise(failed.advice.clone()))
        }
    }
}

async fn walk(dialler: &Dialler, timeout_s: u64, lang: Lang) -> Vec<Finding> {
    let failed = |error: &DialError| {
        let (what, advice) = error.text(&dialler.api, lang);
        stopped(error.step(), what, advice.to_owned())
    };
    let tcp = match dialler.tcp().await {
        Ok(tcp) => tcp,
        Err(error) => return failed(&error),
    };
    let tls = match dialler.tls(tcp).await {
        Ok(tls) => tls,
        Err(error) => return failed(&error),
    };
    let group = tls.get_ref().1.negotiated_key_exchange_group();
    let group = group.map_or_else(String::new, |group| format!("{:?}", group.name()));
    drop(tls);
    let client = match Client::over(dialler, timeout_s, lang).await {
        Ok(client) => client,
        // The handshake went well just now, so it is our certificate or our role.
        Err(failure) => {
            let step =
                if failure.exit == Exit::Unreachable { Step::Certificate } else { Step::Role };
            return stopped(step, failure.what, failure.advice.join("\n"));
        }
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    vec![
        good(Step::Tcp, dialler.api.clone()),
        good(Step::Tls, group),
        certificate(&client.me, now, lang),
        role(&client.me, lang),
        clock(&client.me, now, lang),
        version(&client.me, lang),
    ]
}

fn good(step: Step, what: String) -> Finding {
    Finding { step, good: Some(true), what, advice: String::new() }
}

fn bad(step: Step, what: String, advice: &str) -> Finding {
    Finding { step, good: Some(false), what, advice: advice.to_owned() }
}

/// The steps before `step` went well, it failed, those after it were not reached.
fn stopped(step: Step, what: String, advice: String) -> Vec<Finding> {
    Step::ALL
        .into_iter()
        .map(|one| match one.cmp(&step) {
            std::cmp::Ordering::Less => good(one, String::new()),
            std::cmp::Ordering::Equal => {
                Finding { step, good: Some(false), what: what.clone(), advice: advice.clone() }
            }
            std::cmp::Ordering::Greater => {
                Finding { step: one, good: None, what: String::new(), advice: String::new() }
            }
        })
        .collect()
}

fn certificate(me: &pb::WhoAmIResponse, now: u64, lang: Lang) -> Finding {
    let until = when::time(me.expire_time.as_ref());
    let left = me.expire_time.as_ref().map(|at| at.seconds.saturating_sub_unsigned(now) / 86_400);
    let soon = left.filter(|days| *days < EXPIRY_WARNING_DAYS);
    let what = match soon {
        None => lang.pick(
            format!("序列号 {}，有效期至 {until}", me.serial),
            format!("serial {}, valid until {until}", me.serial),
        ),
        Some(days) => lang.pick(
            format!("序列号 {}，{days} 天后到期（{until}），请尽快换证", me.serial),
            format!("serial {}, expires in {days} days ({until}): renew it", me.serial),
        ),
    };
    good(Step::Certificate, what)
}

fn role(me: &pb::WhoAmIResponse, lang: Lang) -> Finding {
    if me.role.is_empty() {
        return bad(
            Step::Role,
            lang.pick("节点不认得本人证书", "the node does not know this certificate").to_owned(),
            lang.pick(
                "请本市管理员登记：liandong people add",
                "have it enrolled: liandong people add",
            ),
        );
    }
    good(Step::Role, format!("{:06} {} {}", me.city, me.role, me.id))
}

fn clock(me: &pb::WhoAmIResponse, now: u64, lang: Lang) -> Finding {
    let Some(theirs) = &me.server_time else {
        return good(Step::Clock, lang.pick("节点未告知", "not told").to_owned());
    };
    let theirs = u64::try_from(theirs.seconds).unwrap_or(0);
    let apart = theirs.abs_diff(now);
    let what =
        lang.pick(format!("与节点相差 {apart} 秒"), format!("{apart} s apart from the node"));
    if apart > CLOCK_SECONDS_MAX {
        return bad(
            Step::Clock,
            what,
            lang.pick(
                "校准两台机器的时间（NTP），以快慢正确的一方为准",
                "set both clocks by NTP; see which of the two is wrong",
            ),
        );
    }
    good(Step::Clock, what)
}

fn version(me: &pb::WhoAmIResponse, lang: Lang) -> Finding {
    let ours = env!("CARGO_PKG_VERSION");
    let what = lang.pick(
        format!("节点 {}，本机 {ours}", me.version),
        format!("node {}, here {ours}", me.version),
    );
    let major_minor = |text: &str| {
        let mut parts = text.split('.');
        (parts.next().map(str::to_owned), parts.next().map(str::to_owned))
    };
    if major_minor(&me.version) == major_minor(ours) {
        return good(Step::Version, what);
    }
    bad(Step::Version, what, lang.pick("升级较旧的一方", "upgrade the older one"))
}

fn print(context: &Context, api: &str, findings: &[Finding]) {
    let lang = context.lang;
    if context.json {
        let steps: Vec<_> = findings
            .iter()
            .map(|one| {
                json!({
                    "step": one.step.key(),
                    "good": one.good,
                    "what": one.what,
                    "advice": one.advice,
                })
            })
            .collect();
        context.print_json(&json!({ "api": api, "steps": steps }));
        return;
    }
    for one in findings {
        let mark = match one.good {
            Some(true) => lang.pick("通过", "ok"),
            Some(false) => lang.pick("失败", "FAILED"),
            None => lang.pick("未到", "not reached"),
        };
        println!("{mark}  {}  {}", one.step.word(lang), super::table::clean(&one.what));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn me() -> pb::WhoAmIResponse {
        let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        pb::WhoAmIResponse {
            city: 371_500,
            role: "inspector".to_owned(),
            id: "1".to_owned(),
            server_time: at(1_000_000),
            expire_time: at(1_000_000 + 20 * 86_400),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..pb::WhoAmIResponse::default()
        }
    }

    #[test]
    fn steps_after_the_failed_one_are_not_reached() {
        let findings = stopped(Step::Certificate, "x".to_owned(), "y".to_owned());
        let marks: Vec<_> = findings.iter().map(|one| one.good).collect();
        assert_eq!(marks, [Some(true), Some(true), Some(false), None, None, None]);
    }

    #[test]
    fn clock_role_and_version_are_judged() {
        assert_eq!(clock(&me(), 1_000_060, Lang::Zh).good, Some(true));
        assert_eq!(clock(&me(), 1_000_061, Lang::Zh).good, Some(false));
        assert_eq!(role(&me(), Lang::Zh).good, Some(true));
        assert_eq!(role(&pb::WhoAmIResponse::default(), Lang::Zh).good, Some(false));
        assert_eq!(version(&me(), Lang::Zh).good, Some(true));
        let old = pb::WhoAmIResponse { version: "9.1.0".to_owned(), ..me() };
        assert_eq!(version(&old, Lang::Zh).good, Some(false));
    }

    #[test]
    fn a_certificate_about_to_expire_is_pointed_out() {
        assert!(!certificate(&me(), 1_000_000, Lang::Zh).what.contains("换证"));
        assert!(certificate(&me(), 1_000_000 + 7 * 86_400, Lang::Zh).what.contains("13 天"));
    }
}
