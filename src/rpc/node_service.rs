//! How the node is.

use tonic::{Request, Response, Status};

use super::caller::called;
use crate::api::request::{Command, Request as Asked};
use crate::api::status::{LogStatus, NodeStatus, RecoveryStatus};
use crate::domain::code::Language;
use crate::node::writer::NodeHandle;
use crate::wire::case::{city, parent, request_body, timestamp};
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::node_service_server::NodeService;
use crate::wire::status::{self, Refused, Told};

/// The service.
pub struct NodeApi {
    /// The node.
    pub node: NodeHandle,
}

fn seconds(s: u64) -> prost_types::Timestamp {
    timestamp(i64::try_from(s).unwrap_or(0).saturating_mul(1000))
}

fn log_out(log: &LogStatus) -> pb::Log {
    let cosignature = |c: &crate::api::status::CosignatureStatus| pb::Cosignature {
        city: c.city.as_u32(),
        size: c.size,
        sign_time: Some(seconds(c.time_s)),
        line: String::from_utf8_lossy(&c.line).into_owned(),
    };
    let waiting = log.waiting_for.map(|(log, size)| format!("{log}:{size}"));
    pb::Log {
        log_id: log.log.to_string(),
        agreement: format!("agreements/{}", log.agreement),
        city: log.city.as_u32(),
        epoch: u32::try_from(log.epoch).unwrap_or(u32::MAX),
        stored_size: log.stored,
        applied_size: log.applied,
        announced_size: log.announced,
        root: log.root.to_string(),
        checkpoint: log.checkpoint.clone(),
        cosignatures: log.cosignatures.iter().map(cosignature).collect(),
        last_source: log.last_source.map_or(0, crate::ids::CityCode::as_u32),
        waiting_for: waiting.unwrap_or_default(),
        misfit_count: log.misfits,
        standing: log.standing,
        manifest_note: log.manifest.clone(),
        own: log.own,
        lag_entries: log.announced.saturating_sub(log.stored),
        lag_seconds: i64::try_from(log.lag_s).unwrap_or(i64::MAX),
        contradicting_checkpoints: log
            .fork
            .iter()
            .flat_map(|proof| [proof.lower.clone(), proof.higher.clone()])
            .collect(),
    }
}

fn recovery_out(recovery: &RecoveryStatus) -> pb::Recovery {
    pb::Recovery {
        agreement: format!("agreements/{}", recovery.agreement),
        old_log_id: recovery.old_log.to_string(),
        waiting_for: recovery.waiting_for.iter().map(|c| c.as_u32()).collect(),
        epoch_needed: recovery.epoch_needed,
    }
}

fn status_out(status: &NodeStatus) -> pb::Status {
    let link = |l: &crate::api::status::LinkStatus| pb::Link {
        city: l.city.as_u32(),
        state: i32::from(if l.up { pb::LinkState::Up } else { pb::LinkState::Down }),
        dialled_by_us: l.dialled_by_us,
        address: l.address.clone(),
        since_time: Some(timestamp(l.since_ms)),
        reason: l.reason.clone(),
        received_bytes: 0,
        sent_bytes: 0,
        last_frame_time: Some(timestamp(l.heard_ms)),
        strike_count: l.strikes,
        duplicate_count: l.duplicates,
    };
    pb::Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        city: status.city.as_u32(),
        node_id: status.node.to_string(),
        start_time: Some(timestamp(status.start_ms)),
        writable: status.not_writable.is_none(),
        not_writable_reason: status.not_writable.clone().unwrap_or_default(),
        links: status.links.iter().map(link).collect(),
        logs: status.logs.iter().map(log_out).collect(),
        recoveries: status.recoveries.iter().map(recovery_out).collect(),
        journal_bytes: status.journal_bytes,
        disk_free_bytes: status.disk_free_bytes,
        warnings: status.warnings.clone(),
        journal_id: crate::ids::hex(&status.journal_id),
        apply_number: status.apply_number,
        pid: std::process::id(),
        api_address: status.api_address.clone(),
        peer_address: status.peer_address.clone(),
    }
}

impl NodeApi {
    async fn status(&self, language: Language) -> Result<NodeStatus, Status> {
        self.node.status().await.ok_or_else(|| Refused::new("STOPPING").status(language))
    }
}

#[tonic::async_trait]
impl NodeService for NodeApi {
    async fn get_status(
        &self,
        request: Request<pb::GetStatusRequest>,
    ) -> Result<Response<pb::GetStatusResponse>, Status> {
        let who = called(&request, "/liandong.v1.NodeService/GetStatus").map_err(|s| *s)?;
        let status = self.status(who.language).await?;
        Ok(Response::new(pb::GetStatusResponse { status: Some(status_out(&status)) }))
    }

    async fn who_am_i(
        &self,
        request: Request<pb::WhoAmIRequest>,
    ) -> Result<Response<pb::WhoAmIResponse>, Status> {
        let who = called(&request, "/liandong.v1.NodeService/WhoAmI").map_err(|s| *s)?;
        let identity = &who.peer.identity;
        Ok(Response::new(pb::WhoAmIResponse {
            city: identity.city.as_u32(),
            role: who.role.name().to_owned(),
            id: who.caller.certificate_number.clone(),
            serial: identity.serial.clone(),
            expire_time: Some(timestamp(identity.not_after_s.saturating_mul(1000))),
            server_time: Some(timestamp(self.node.now_ms())),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            node_city: self.node.city().as_u32(),
        }))
    }

    async fn list_logs(
        &self,
        request: Request<pb::ListLogsRequest>,
    ) -> Result<Response<pb::ListLogsResponse>, Status> {
        let who = called(&request, "/liandong.v1.NodeService/ListLogs").map_err(|s| *s)?;
        let only = parent(&request.get_ref().parent).map_err(|r| r.status(who.language))?;
        let status = self.status(who.language).await?;
        let wanted = |l: &&LogStatus| only.is_none_or(|id| id == l.agreement);
        let logs = status.logs.iter().filter(wanted).map(log_out).collect();
        Ok(Response::new(pb::ListLogsResponse { logs }))
    }

    async fn override_recovery(
        &self,
        request: Request<pb::OverrideRecoveryRequest>,
    ) -> Result<Response<pb::OverrideRecoveryResponse>, Status> {
        let who = called(&request, "/liandong.v1.NodeService/OverrideRecovery").map_err(|s| *s)?;
        let refuse = |refused: Refused| refused.status(who.language);
        let body = request_body(request.get_ref());
        let asked = request.into_inner();
        let agreement = parent(&asked.agreement).map_err(refuse)?;
        let agreement = agreement.ok_or_else(|| refuse(Refused::new("NOT_FOUND")))?;
        let cities: Result<Vec<_>, _> = asked.cities.iter().map(|c| city("cities", *c)).collect();
        let command = Command::OverrideRecovery {
            agreement,
            cities: cities.map_err(refuse)?,
            text: asked.text,
        };
        let request_id = asked.request_id;
        let asked =
            Asked { caller: who.caller.clone(), acting_for: None, request_id, body, command };
        let written = self.node.write(asked).await;
        written.map_err(|error| {
            let told = Told { language: who.language, city: &status::code_name, allowed: &[] };
            refuse(status::of_write(&error, &told))
        })?;
        let status = self.status(who.language).await?;
        let left = status.recoveries.iter().find(|r| r.agreement == agreement);
        Ok(Response::new(pb::OverrideRecoveryResponse { recovery: left.map(recovery_out) }))
    }
}
