//! The emergency of the demo: issued while one city is away, acknowledged by everybody else at once
//! and by that city when it is back.
//!
//! In scope: what is said and asked. Out of scope: when ([`super`]).

use std::collections::BTreeMap;
use std::time::Duration;

use tonic::{Code, Response, Status};

use super::cities::Door;
use crate::cli::failure::{Exit, Failure};
use crate::cli::fleet::{Agreement, FIVE};
use crate::cli::names::Names;
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// A city that is back is rung within this time, on a machine under load too.
const WITHIN: Duration = Duration::from_secs(60);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// Who tells whom, under which agreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Resource name of the agreement.
    pub agreement: String,
    /// Its members, ascending.
    pub members: Vec<u32>,
    /// Who issues it.
    pub issuer: u32,
    /// Everybody else.
    pub told: Vec<u32>,
}

impl Alarm {
    /// In the widest agreement of a city that will be away; `None` when it has none.
    #[must_use]
    pub fn of(agreements: &[Agreement], away: u32) -> Option<Self> {
        let with = agreements.iter().filter(|agreement| agreement.members.contains(&away));
        let agreement = with.max_by_key(|agreement| agreement.members.len())?;
        let mut members = agreement.members.clone();
        members.sort_unstable();
        let mut five = FIVE.iter().map(|(code, ..)| *code);
        let issuer = five.find(|city| *city != away && members.contains(city))?;
        let told = members.iter().copied().filter(|city| *city != issuer).collect();
        Some(Self { agreement: agreement.name(), members, issuer, told })
    }

    /// Issues it.
    ///
    /// # Errors
    /// [`Failure`] with the node's refusal.
    pub async fn issue(&self, doors: &BTreeMap<u32, Door>, lang: Lang) -> Result<String, Failure> {
        let request = pb::CreateNoticeRequest {
            parent: self.agreement.clone(),
            kind: pb::NoticeKind::Emergency.into(),
            level: pb::NoticeLevel::Three.into(),
            cities: Vec::new(),
            record: Some(pb::NoticeRecord {
                title: "示例：马颊河上游油罐车侧翻".to_owned(),
                text: "示例：少量柴油入河，已设两道拦油索。请下游关闭取水口，并回复水位。"
                    .to_owned(),
                address: "示例：某县某桥".to_owned(),
                contact: "示例：值班室".to_owned(),
                phone: "000-00000000".to_owned(),
            }),
            request_id: "demo-emergency".to_owned(),
            acting_for: None,
        };
        let client = &door(doors, self.issuer)?.coordinator;
        let answer = client.notices().create_notice(request).await;
        let answer = answer.map_err(|status| client.failure(&status))?.into_inner();
        let missing = || Failure::local(lang.pick("节点没有返回通报", "the node gave no notice"));
        Ok(answer.notice.ok_or_else(missing)?.name)
    }

    /// A person in a city acknowledges it, once it is there, and its issuer is told.
    ///
    /// # Errors
    /// [`Failure`] with the refusal, or when it does not come in time.
    pub async fn acknowledge(
        &self,
        doors: &BTreeMap<u32, Door>,
        (name, city): (&str, u32),
        lang: Lang,
    ) -> Result<(), Failure> {
        let client = &door(doors, city)?.coordinator;
        let request = pb::AcknowledgeNoticeRequest {
            name: name.to_owned(),
            text: "示例：已关闭取水口".to_owned(),
            request_id: format!("demo-acknowledged-{city}"),
            acting_for: None,
        };
        let until = tokio::time::Instant::now() + WITHIN;
        let late = |what: String| Failure::new(Exit::NotSynced, "NOT_SYNCED", what);
        loop {
            match client.notices().acknowledge_notice(request.clone()).await {
                Ok(_) => break,
                Err(status) if is_on_its_way(&status) && tokio::time::Instant::now() < until => {}
                Err(status) => return Err(client.failure(&status)),
            }
            tokio::time::sleep(PAUSE).await;
        }
        let issuer = &door(doors, self.issuer)?.coordinator;
        let who = Names::new(lang).city(city);
        loop {
            let request = pb::GetNoticeRequest { name: name.to_owned() };
            let answer = issuer.notices().get_notice(request).await.map(Response::into_inner);
            let notice = answer.map_err(|status| issuer.failure(&status))?.notice;
            let mut recipients = notice.unwrap_or_default().recipients.into_iter();
            if recipients.any(|one| one.city == city && one.acknowledge_time.is_some()) {
                return Ok(());
            }
            if tokio::time::Instant::now() >= until {
                return Err(late(lang.pick(
                    format!("{who}已签收，发出市仍未收到"),
                    format!("{who} has acknowledged, the issuer does not know"),
                )));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

fn door(doors: &BTreeMap<u32, Door>, city: u32) -> Result<&Door, Failure> {
    doors.get(&city).ok_or_else(|| Failure::local(format!("no door to {city}")))
}

/// The notice is not there yet, or the node has just been started.
fn is_on_its_way(status: &Status) -> bool {
    matches!(status.code(), Code::NotFound | Code::Unavailable | Code::DeadlineExceeded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_agreement_of_the_city_is_taken() {
        let of = |short: &str, members: &[u32]| Agreement {
            id: format!("{:032x}", members.len()),
            short_name: short.to_owned(),
            members: members.to_vec(),
        };
        let all = [of("聊德", &[371_500, 371_400]), of("三市", &[371_500, 130_400, 371_400])];
        let alarm = Alarm::of(&all, 371_400).unwrap();
        assert_eq!(alarm.agreement, all[1].name());
        assert_eq!((alarm.issuer, alarm.told), (371_500, vec![130_400, 371_400]));
        assert_eq!(Alarm::of(&all, 370_900), None);
    }
}
