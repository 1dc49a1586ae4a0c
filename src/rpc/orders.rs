//! What an operator orders and the log records: going on without members after a restore, and
//! erasing a part (依法删除).
//!
//! In scope: reading the order, writing it. Out of scope: whether it may be done
//! ([`crate::node::core`]); orders that concern this node alone ([`super::node_service`]).

use super::caller::Called;
use super::desk::check_request_id;
use super::node_service::NodeApi;
use super::words;
use crate::api::request::{Command, Request as Asked};
use crate::audit::Deed;
use crate::domain::{ErasureReason, InvalidReason};
use crate::ids::{AgreementId, Position};
use crate::wire::case::{city, parent, position, request_body, text, wrong};
use crate::wire::pb::v1 as pb;
use crate::wire::status::Refused;

impl NodeApi {
    pub(super) async fn go_on_without(
        &self,
        who: &Called,
        asked: &pb::OverrideRecoveryRequest,
        deed: &mut Deed,
    ) -> Result<AgreementId, Refused> {
        check_request_id(&asked.request_id)?;
        let agreement = parent(&asked.agreement)?.ok_or(Refused::new("NOT_FOUND"))?;
        let cities: Result<Vec<_>, _> = asked.cities.iter().map(|c| city("cities", *c)).collect();
        let said = text("text", &asked.text)?;
        let said = said.ok_or_else(|| wrong("text", InvalidReason::Required))?;
        let command = Command::OverrideRecovery { agreement, cities: cities?, text: said };
        let order = (asked.request_id.clone(), request_body(asked));
        self.order(who, command, order, deed).await?;
        Ok(agreement)
    }

    pub(super) async fn erase(
        &self,
        who: &Called,
        asked: &pb::ErasePartRequest,
        deed: &mut Deed,
    ) -> Result<Position, Refused> {
        check_request_id(&asked.request_id)?;
        let agreement = parent(&asked.agreement)?.ok_or(Refused::new("NOT_FOUND"))?;
        let entry = position("entry", &asked.entry)?;
        let reason = match asked.reason() {
            pb::ErasureReason::Law => ErasureReason::Law,
            pb::ErasureReason::Mistake => ErasureReason::Mistake,
            pb::ErasureReason::Lost => ErasureReason::Lost,
            pb::ErasureReason::Unspecified => {
                return Err(wrong("reason", InvalidReason::Required));
            }
        };
        let command = Command::ErasePart { agreement, entry, part: asked.part, reason };
        let order = (asked.request_id.clone(), request_body(asked));
        self.order(who, command, order, deed).await
    }

    async fn order(
        &self,
        who: &Called,
        command: Command,
        (request_id, body): (String, Vec<u8>),
        deed: &mut Deed,
    ) -> Result<Position, Refused> {
        let asked = Asked {
            caller: who.caller.clone(),
            acting_for: None,
            request_id,
            body,
            validate_only: false,
            command,
        };
        let about = (asked.command.agreement(), None);
        let node = self.node.clone();
        // In a task of its own: a caller who gives up does not stop a write half-way.
        let written = tokio::spawn(async move { node.write(asked).await }).await;
        let written = written.map_err(|_| Refused::new("STOPPING"))?;
        let written =
            written.map_err(|error| words::refusal(&self.node, who.language, about, &error))?;
        deed.entry = Some(written.position.to_string());
        Ok(written.position)
    }
}
