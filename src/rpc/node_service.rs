//! How the node is.

use std::sync::atomic::Ordering;

use tonic::{Request, Response, Status};

use super::audit_line;
use super::caller::{Called, called};
use super::desk::check_request_id;
use super::warnings::{audit_warning, missing_years};
use crate::api::order::OrderError;
use crate::api::status::{
    CertificateStatus, ContradictionStatus, DamageStatus, EvidenceCheckStatus, EvidenceStoreStatus,
    HookStatus, LogStatus, NodeStatus, RecoveryStatus, ScrubStatus, SuspensionStatus, TaskStatus,
};
use crate::audit::Audit;
use crate::domain::{InvalidReason, Language};
use crate::ids::{AgreementId, CityCode};
use crate::limits::{EVIDENCE_ROTTEN_SHOWN_MAX, SUSPENSION_TEXT_BYTES_MAX};
use crate::log::Head;
use crate::node::due::Due;
use crate::node::writer::NodeHandle;
use crate::view;
use crate::wire::case::{city, parent, text, timestamp, wrong};
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::node_service_server::NodeService;
use crate::wire::status::Refused;

/// The service.
pub struct NodeApi {
    /// The node.
    pub node: NodeHandle,
    /// Where deeds are noted.
    pub audit: Audit,
    /// Which years' workdays are known.
    pub due: Due,
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
    let contradiction = |c: &ContradictionStatus| pb::CosignatureContradiction {
        city: c.city.as_u32(),
        witness_log_id: c.witness.to_string(),
        witness_manifest_note: c.manifest.clone(),
        cosigned_note: c.proof.cosigned.clone(),
        contradicting_note: c.proof.against.clone(),
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
        alone_since_time: log.alone_since_ms.map(timestamp),
        contradicting_checkpoints: log
            .fork
            .iter()
            .flat_map(|proof| [proof.lower.clone(), proof.higher.clone()])
            .collect(),
        contradiction_path: log
            .fork
            .iter()
            .flat_map(|proof| proof.path.iter().map(|hash| hash.as_bytes().to_vec().into()))
            .collect(),
        cosignature_contradictions: log.contradictions.iter().map(contradiction).collect(),
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

fn suspension_out(suspension: &SuspensionStatus) -> pb::Suspension {
    pb::Suspension {
        city: suspension.city.as_u32(),
        log_id: suspension.log.map_or_else(String::new, |log| log.to_string()),
        suspend_time: Some(timestamp(suspension.at_ms)),
        reason: suspension.reason.clone(),
        suspended_by: suspension.by.clone(),
        resuming: suspension.resuming,
    }
}

pub(super) fn order_refused(error: &OrderError) -> Refused {
    match error {
        OrderError::NotFound => Refused::new("NOT_FOUND"),
        OrderError::OwnCity => Refused::new("SELF_NAMED").at("city"),
        OrderError::NotSuspended => Refused::new("CITY_NOT_SUSPENDED"),
        OrderError::AssignmentChanged { current } => {
            Refused::new("ASSIGNMENT_CHANGED").at("etag").with("current", current)
        }
        OrderError::DraftChanged { current } => {
            Refused::new("DRAFT_CHANGED").at("etag").with("current", current)
        }
        OrderError::TooManyDrafts { most } => {
            Refused::new("TOO_MANY_DRAFTS").with("limit", most).unless("drafts")
        }
        OrderError::DiskLow { free } => Refused::new("DISK_LOW")
            .with("free_bytes", free)
            .retry_after(std::time::Duration::from_secs(30)),
        OrderError::StorageFailed { .. } => Refused::new("STORAGE_FAILED"),
    }
}

/// A member city that was neither dialled nor heard of since the start.
fn unlinked(city: CityCode) -> pb::Link {
    pb::Link { city: city.as_u32(), state: pb::LinkState::Down.into(), ..pb::Link::default() }
}

fn task_out(task: &TaskStatus) -> pb::Task {
    pb::Task {
        name: task.name.clone(),
        done_time: task.done_ms.map(timestamp),
        age_ms: i64::try_from(task.age_ms).unwrap_or(i64::MAX),
        late_ms: i64::try_from(task.late_ms).unwrap_or(i64::MAX),
        late: task.is_late,
        restart_count: u32::try_from(task.restarts).unwrap_or(u32::MAX),
        error: task.failure.clone().unwrap_or_default(),
        kept: task.is_kept,
        restart_time: task.restarted.as_ref().map(|(at_ms, _)| timestamp(*at_ms)),
        restart_reason: task.restarted.clone().map_or_else(String::new, |(_, why)| why),
    }
}

fn scrub_out(scrub: &ScrubStatus) -> pb::Scrub {
    pb::Scrub {
        period_seconds: i64::try_from(scrub.period_s).unwrap_or(i64::MAX),
        begin_time: Some(timestamp(scrub.begun_ms)),
        bytes: scrub.bytes,
        last_end_time: scrub.last_end_ms.map(timestamp),
        last_bytes: scrub.last_bytes,
        last_damaged_count: scrub.last_damaged,
        bad_segments: scrub.bad_segments.clone(),
    }
}

fn hook_out(hook: &HookStatus) -> pb::Hook {
    pb::Hook {
        target: hook.target.clone(),
        waiting_count: hook.waiting,
        last_success_time: hook.last_ok_ms.map(timestamp),
        last_try_time: hook.last_try_ms.map(timestamp),
        error: hook.failure.clone().unwrap_or_default(),
        next_try_time: hook.next_ms.map(timestamp),
    }
}

fn check_out(check: &EvidenceCheckStatus) -> pb::EvidenceCheck {
    pb::EvidenceCheck {
        period_seconds: i64::try_from(check.period_s).unwrap_or(i64::MAX),
        begin_time: Some(timestamp(check.begun_ms)),
        last_end_time: check.last_end_ms.map(timestamp),
        last_file_count: check.last_files,
        last_bytes: check.last_bytes,
        last_rotten_count: check.last_rotten,
    }
}

fn evidence_out(store: &EvidenceStoreStatus) -> pb::EvidenceStore {
    let rotten = store.rotten.iter().take(EVIDENCE_ROTTEN_SHOWN_MAX);
    pb::EvidenceStore {
        place: store.place.clone(),
        counted: store.used.is_some(),
        used_bytes: store.used.unwrap_or(0),
        limit_bytes: store.limit,
        last_answer_time: store.last_ok_ms.map(timestamp),
        error: store.failure.clone().unwrap_or_default(),
        rotten_count: u32::try_from(store.rotten.len()).unwrap_or(u32::MAX),
        rotten_sha256: rotten.map(|hash| hash.as_bytes().to_vec().into()).collect(),
    }
}

fn damage_out(damage: &DamageStatus) -> pb::Damage {
    pb::Damage {
        log_id: damage.log.to_string(),
        from_index: damage.from,
        to_index: damage.to,
        only_here: damage.only_here,
    }
}

fn certificate_out(certificate: &CertificateStatus) -> pb::OwnCertificate {
    pb::OwnCertificate {
        name: certificate.name.clone(),
        expire_time: Some(timestamp(certificate.end_s.saturating_mul(1000))),
    }
}

fn links_out(node: &NodeHandle, status: &NodeStatus) -> Vec<pb::Link> {
    let link = |l: &crate::api::status::LinkStatus| pb::Link {
        city: l.city.as_u32(),
        state: i32::from(if l.up { pb::LinkState::Up } else { pb::LinkState::Down }),
        dialled_by_us: l.dialled_by_us,
        address: l.address.clone(),
        since_time: Some(timestamp(l.since_ms)),
        reason: l.reason.clone(),
        received_bytes: node.traffic(l.city).received.load(Ordering::Relaxed),
        sent_bytes: node.traffic(l.city).sent.load(Ordering::Relaxed),
        last_frame_time: Some(timestamp(l.heard_ms)),
        strike_count: l.strikes,
        duplicate_count: l.duplicates,
        ..pb::Link::default()
    };
    let mut links: Vec<pb::Link> = status.links.iter().map(link).collect();
    let partners = node.book().partners(node.city());
    let unknown = partners.into_iter().filter(|city| !status.links.iter().any(|l| l.city == *city));
    links.extend(unknown.map(unlinked));
    links.sort_by_key(|link| link.city);
    for link in &mut links {
        let city = CityCode::from_u32(link.city).ok();
        let end_s =
            city.map_or(0, |city| node.traffic(city).certificate_end_s.load(Ordering::Relaxed));
        link.certificate_expire_time = (end_s > 0).then(|| timestamp(end_s.saturating_mul(1000)));
        if status.suspensions.iter().any(|s| s.log.is_none() && s.city.as_u32() == link.city) {
            link.state = pb::LinkState::Refused.into();
        }
        if let Some(dial) = status.shell.dials.iter().find(|d| d.city.as_u32() == link.city) {
            link.dial_time = dial.last_ms.map(timestamp);
            link.dial_error = dial.failure.clone().unwrap_or_default();
            link.next_dial_time = dial.next_ms.map(timestamp);
        }
    }
    links
}

fn status_out(node: &NodeHandle, audit: &Audit, status: &NodeStatus) -> pb::Status {
    let trouble = audit.trouble();
    let audit = trouble.as_deref().map(audit_warning);
    pb::Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        city: status.city.as_u32(),
        node_id: status.node.to_string(),
        start_time: Some(timestamp(status.start_ms)),
        writable: status.not_writable.is_none(),
        not_writable_reason: status.not_writable.clone().unwrap_or_default(),
        links: links_out(node, status),
        logs: status.logs.iter().map(log_out).collect(),
        recoveries: status.recoveries.iter().map(recovery_out).collect(),
        journal_bytes: status.journal_bytes,
        disk_free_bytes: status.disk_free_bytes,
        warnings: status.warnings.iter().cloned().chain(audit).collect(),
        journal_id: crate::ids::hex(&status.journal_id),
        apply_number: status.apply_number,
        pid: std::process::id(),
        api_address: status.api_address.clone(),
        peer_address: status.peer_address.clone(),
        tasks: status.shell.tasks.iter().map(task_out).collect(),
        certificates: status.shell.certificates.iter().map(certificate_out).collect(),
        server_time: Some(timestamp(status.shell.now_ms)),
        scrub: status.shell.scrub.as_ref().map(scrub_out),
        damage: status.damage.iter().map(damage_out).collect(),
        damaged_note_count: status.damaged_notes,
        disk_low_bytes: status.shell.disk_low_bytes,
        views_error: status.shell.views_failure.clone().unwrap_or_default(),
        audit_error: trouble.unwrap_or_default(),
        clock: status.clock_off_ms.map(|offset_ms| pb::Clock { offset_ms }),
        alone_seconds_max: i64::try_from(status.shell.alone_s).unwrap_or(i64::MAX),
        suspensions: status.suspensions.iter().map(suspension_out).collect(),
        hook: status.shell.hook.as_ref().map(hook_out),
        evidence_store: status.shell.evidence.as_ref().map(evidence_out),
        evidence_check: status.shell.evidence_check.as_ref().map(check_out),
        // Added by whoever knows the calendar.
        missing_calendar_years: Vec::new(),
    }
}

impl NodeApi {
    /// What a caller passes first.
    fn door(&self) -> (&NodeHandle, &Audit) {
        (&self.node, &self.audit)
    }

    async fn suspend(&self, who: &Called, asked: &pb::SuspendCityRequest) -> Result<(), Refused> {
        check_request_id(&asked.request_id)?;
        let city = city("city", asked.city)?;
        let reason = text("reason", &asked.reason)?;
        let reason = reason.ok_or_else(|| wrong("reason", InvalidReason::Required))?;
        if reason.len() > SUSPENSION_TEXT_BYTES_MAX {
            return Err(wrong("reason", InvalidReason::TextTooLong));
        }
        let (node, by) = (self.node.clone(), who.caller.identity.clone());
        // In a task of its own: a caller who gives up does not stop an order half-way.
        let done = tokio::spawn(async move { node.suspend(city, reason, by).await }).await;
        done.map_err(|_| Refused::new("STOPPING"))?.map_err(|error| order_refused(&error))
    }

    async fn resume(&self, who: &Called, asked: &pb::ResumeCityRequest) -> Result<(), Refused> {
        check_request_id(&asked.request_id)?;
        let city = city("city", asked.city)?;
        let (node, by) = (self.node.clone(), who.caller.identity.clone());
        let done = tokio::spawn(async move { node.resume(city, by).await }).await;
        done.map_err(|_| Refused::new("STOPPING"))?.map_err(|error| order_refused(&error))
    }

    /// What is suspended of a city, as an order about it is answered.
    async fn suspensions_of(
        &self,
        city: u32,
        language: Language,
    ) -> Result<Vec<pb::Suspension>, Status> {
        let status = self.status(language).await?;
        let of_city = status.suspensions.iter().filter(|s| s.city.as_u32() == city);
        Ok(of_city.map(suspension_out).collect())
    }

    /// Cases and the heads they are folded from, read in one reading.
    async fn fold_hash(&self, agreement: AgreementId) -> Result<pb::GetFoldHashResponse, Refused> {
        if self.node.book().get(agreement).is_none() {
            return Err(Refused::new("NOT_FOUND"));
        }
        let status = self.node.status().await.ok_or(Refused::new("STOPPING"))?;
        let reader = self.node.reader();
        let hashed = tokio::task::spawn_blocking(move || {
            let rows = reader.view();
            let logs = status.logs.iter().filter(|log| log.agreement == agreement);
            let mut heads: Vec<Head> =
                logs.filter_map(|log| reader.applied_head(&rows, log.log)).collect();
            heads.sort_unstable();
            let head = |head: &Head| pb::AppliedHead {
                log_id: head.log.to_string(),
                size: head.size,
                root: head.root.to_string(),
            };
            pb::GetFoldHashResponse {
                fold_hash: view::fold_hash(&rows, agreement, &heads).to_string(),
                fold_version: view::FOLD_VERSION,
                heads: heads.iter().map(head).collect(),
                case_count: view::fold_count(&rows, agreement),
            }
        });
        hashed.await.map_err(|_| Refused::new("STOPPING"))
    }

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
        let who =
            called(self.door(), &request, "/liandong.v1.NodeService/GetStatus").map_err(|s| *s)?;
        let status = self.status(who.language).await?;
        let mut status = status_out(&self.node, &self.audit, &status);
        if let Some(today) = self.node.today() {
            status.missing_calendar_years = self.due.calendar().missing_years(today);
        }
        status.warnings.extend(missing_years(&status.missing_calendar_years));
        Ok(Response::new(pb::GetStatusResponse { status: Some(status) }))
    }

    async fn who_am_i(
        &self,
        request: Request<pb::WhoAmIRequest>,
    ) -> Result<Response<pb::WhoAmIResponse>, Status> {
        let who =
            called(self.door(), &request, "/liandong.v1.NodeService/WhoAmI").map_err(|s| *s)?;
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
        let who =
            called(self.door(), &request, "/liandong.v1.NodeService/ListLogs").map_err(|s| *s)?;
        let only = parent(&request.get_ref().parent).map_err(|r| r.status(who.language))?;
        if only.is_some_and(|id| self.node.book().get(id).is_none()) {
            return Err(Refused::new("NOT_FOUND").status(who.language));
        }
        let status = self.status(who.language).await?;
        let wanted = |l: &&LogStatus| only.is_none_or(|id| id == l.agreement);
        let logs = status.logs.iter().filter(wanted).map(log_out).collect();
        Ok(Response::new(pb::ListLogsResponse { logs }))
    }

    async fn get_fold_hash(
        &self,
        request: Request<pb::GetFoldHashRequest>,
    ) -> Result<Response<pb::GetFoldHashResponse>, Status> {
        let who = called(self.door(), &request, "/liandong.v1.NodeService/GetFoldHash")
            .map_err(|s| *s)?;
        let hashed = match parent(&request.get_ref().agreement) {
            Ok(Some(id)) => self.fold_hash(id).await,
            Ok(None) => Err(Refused::new("NOT_FOUND")),
            Err(refused) => Err(refused),
        };
        hashed.map(Response::new).map_err(|refused| refused.status(who.language))
    }

    async fn override_recovery(
        &self,
        request: Request<pb::OverrideRecoveryRequest>,
    ) -> Result<Response<pb::OverrideRecoveryResponse>, Status> {
        let method = "/liandong.v1.NodeService/OverrideRecovery";
        let who = called(self.door(), &request, method).map_err(|s| *s)?;
        let mut deed = audit_line::deed(&self.node, &who, method, &request.get_ref().agreement);
        let done = self.go_on_without(&who, request.get_ref(), &mut deed).await;
        deed.outcome = done.as_ref().err().map_or("OK", Refused::reason);
        self.audit.note(deed);
        let agreement = done.map_err(|refused| refused.status(who.language))?;
        let status = self.status(who.language).await?;
        let left = status.recoveries.iter().find(|r| r.agreement == agreement);
        Ok(Response::new(pb::OverrideRecoveryResponse { recovery: left.map(recovery_out) }))
    }

    async fn erase_part(
        &self,
        request: Request<pb::ErasePartRequest>,
    ) -> Result<Response<pb::ErasePartResponse>, Status> {
        let method = "/liandong.v1.NodeService/ErasePart";
        let who = called(self.door(), &request, method).map_err(|s| *s)?;
        let mut deed = audit_line::deed(&self.node, &who, method, &request.get_ref().entry);
        let done = self.erase(&who, request.get_ref(), &mut deed).await;
        deed.outcome = done.as_ref().err().map_or("OK", Refused::reason);
        self.audit.note(deed);
        let entry = done.map_err(|refused| refused.status(who.language))?.to_string();
        Ok(Response::new(pb::ErasePartResponse { entry }))
    }

    async fn suspend_city(
        &self,
        request: Request<pb::SuspendCityRequest>,
    ) -> Result<Response<pb::SuspendCityResponse>, Status> {
        let method = "/liandong.v1.NodeService/SuspendCity";
        let who = called(self.door(), &request, method).map_err(|s| *s)?;
        let asked = request.get_ref();
        let mut deed = audit_line::deed(&self.node, &who, method, &asked.city.to_string());
        let done = self.suspend(&who, asked).await;
        deed.outcome = done.as_ref().err().map_or("OK", Refused::reason);
        self.audit.note(deed);
        done.map_err(|refused| refused.status(who.language))?;
        let suspensions = self.suspensions_of(asked.city, who.language).await?;
        Ok(Response::new(pb::SuspendCityResponse { suspensions }))
    }

    async fn resume_city(
        &self,
        request: Request<pb::ResumeCityRequest>,
    ) -> Result<Response<pb::ResumeCityResponse>, Status> {
        let method = "/liandong.v1.NodeService/ResumeCity";
        let who = called(self.door(), &request, method).map_err(|s| *s)?;
        let asked = request.get_ref();
        let mut deed = audit_line::deed(&self.node, &who, method, &asked.city.to_string());
        let suspensions = self.suspensions_of(asked.city, who.language).await?;
        let done = self.resume(&who, asked).await;
        deed.outcome = done.as_ref().err().map_or("OK", Refused::reason);
        self.audit.note(deed);
        done.map_err(|refused| refused.status(who.language))?;
        Ok(Response::new(pb::ResumeCityResponse { suspensions }))
    }
}
