//! How the node is, for people and programs.

use crate::api::status::{
    AgreementStatus, ContradictionStatus, CosignatureStatus, DamageStatus, LinkStatus, LogStatus,
    MemberStatus, NodeStatus, ShellStatus,
};
use crate::domain::both;
use crate::journal::Disk;
use crate::node::core::logs::Log;
use crate::node::core::{Core, Now, contradictions};
use crate::store::Store;
use crate::trust::card::Card;

/// Why a link to a city that is suspended here is down.
const SUSPENDED: &str = "本机已暂停该市 · suspended here";

impl<D: Disk, S: Store> Core<D, S> {
    pub(super) fn status(&self, now: Now) -> NodeStatus {
        let free = self.journal.free_bytes().unwrap_or(0);
        NodeStatus {
            city: self.settings.city,
            node: self.settings.node,
            start_ms: self.start_ms,
            not_writable: self.not_writable(free),
            links: self.link_statuses(),
            logs: self.logs.iter().map(|l| self.log_status(now, l)).collect(),
            agreements: self.agreement_statuses(),
            recoveries: self.recovery_statuses(),
            suspensions: self.suspension_statuses(),
            clock_off_ms: self.clock_off_all_ms(now),
            damage: self.damage(),
            damaged_notes: self.mending.notes(),
            journal_bytes: self.journal.bytes(),
            disk_free_bytes: free,
            warnings: self.all_warnings(now),
            journal_id: self.journal.journal_id(),
            apply_number: self.apply_number,
            api_address: self.settings.api_address.clone(),
            peer_address: self.settings.peer_address.clone(),
            shell: ShellStatus::default(),
        }
    }

    /// The reason of a link that is not wanted here is that, whatever was said on it last.
    fn link_statuses(&self) -> Vec<LinkStatus> {
        let mut links = self.links.statuses();
        for link in links.iter_mut().filter(|l| self.book.is_suspended(l.city)) {
            link.reason = SUSPENDED.to_owned();
        }
        links
    }

    fn all_warnings(&self, now: Now) -> Vec<String> {
        let needed = self.recovery_statuses().into_iter().filter(|r| r.epoch_needed);
        let restored = needed.map(|r| {
            let agreement = r.agreement;
            both(
                &format!(
                    "本市节点由旧副本恢复：协议 {agreement} 须先运行 liandong epoch new 方可办理"
                ),
                &format!(
                    "this node was restored from an older copy: run liandong epoch new for \
                     agreement {agreement} before anything can be written in it"
                ),
            )
        });
        let damaged = self.damage().into_iter().map(|damage| {
            let DamageStatus { log, from, to, only_here } = damage;
            let zh = format!("签名记录 {log} 第 {from} 至 {to} 条（不含末条）在本机上损坏");
            let en =
                format!("records {from} to {to} (that one left out) of {log} are damaged here");
            if only_here {
                both(
                    &format!("{zh}，且未见其他城市存有：请检查磁盘，从备份中找回这部分数据"),
                    &format!(
                        "{en}, and no other city is known to hold them: check the disk, and bring \
                         them back from a backup"
                    ),
                )
            } else {
                both(
                    &format!("{zh}，正从其他城市取回"),
                    &format!("{en}, and are being fetched from other cities"),
                )
            }
        });
        let notes = Some(self.mending.notes()).filter(|n| *n > 0).map(|notes| {
            both(
                &format!(
                    "本机有 {notes} 条协议、名片等签署文件的记录损坏：请勿重建查询数据，\
                     先备份，再用 liandong agreement add 重新交给节点"
                ),
                &format!(
                    "{notes} records of agreements, cards and the like are damaged here: do not \
                     rebuild; make a backup, then hand them in with liandong agreement add"
                ),
            )
        });
        let known = self.warnings.iter().cloned();
        let suspended = self.suspension_warnings();
        let told = known.chain(suspended).chain(restored).chain(damaged).chain(notes);
        told.chain(self.clock_warnings(now)).collect()
    }

    fn damage(&self) -> Vec<DamageStatus> {
        let shown = |(log, from, to)| {
            let only_here = !self.is_held_elsewhere(log, to);
            DamageStatus { log, from, to, only_here }
        };
        self.mending.gaps().map(shown).collect()
    }

    fn not_writable(&self, free: u64) -> Option<String> {
        if let Some(why) = &self.poisoned {
            return Some(both(&format!("磁盘错误：{why}"), &format!("disk error: {why}")));
        }
        (free < self.settings.disk_low_bytes).then(|| {
            both(
                &format!("磁盘空间不足（剩余 {free} 字节），释放空间后自动恢复写入"),
                &format!("the disk is full ({free} bytes left); it goes on when there is room"),
            )
        })
    }

    fn log_status(&self, now: Now, log: &Log) -> LogStatus {
        let announced = self.exchange.announced(log.id).max(log.durable.size);
        let behind = announced > log.durable.size;
        let moved = self.exchange.waiting_ms(log.id).filter(|_| behind);
        let city_of = |id| self.logs.get(id).map(|l| l.manifest.city);
        let cosignatures = log.cosigned.iter().filter_map(|(witness, held)| {
            Some(CosignatureStatus {
                city: city_of(*witness)?,
                size: held.cosign.size,
                time_s: held.time_s,
                line: held.cosign.line.clone(),
            })
        });
        let contradictions = contradictions::shown(log).filter_map(|(witness, proof)| {
            let of = self.logs.get(*witness)?;
            let (city, manifest) = (of.manifest.city, of.note.clone());
            Some(ContradictionStatus { city, witness: *witness, manifest, proof: proof.clone() })
        });
        LogStatus {
            log: log.id,
            agreement: log.manifest.agreement,
            city: log.manifest.city,
            epoch: log.manifest.epoch,
            stored: log.durable.size,
            applied: log.applied().min(log.durable.size),
            announced,
            root: log.durable.root,
            checkpoint: log.durable_checkpoint.clone(),
            cosignatures: cosignatures.collect(),
            last_source: log.last_source,
            waiting_for: log.waiting_for,
            misfits: log.misfits,
            standing: log.fork.is_some() || log.shut,
            fork: log.fork.clone(),
            contradictions: contradictions.collect(),
            manifest: log.note.clone(),
            own: log.is_own(),
            lag_s: moved.map_or(0, |at| now.mono_ms.saturating_sub(at) / 1000),
            alone_since_ms: None,
        }
    }

    fn agreement_statuses(&self) -> Vec<AgreementStatus> {
        let member = |m: &crate::trust::charter::Member| {
            let card = self.book.card(m.city);
            let (phone, contact) = card.map(Card::duty).unwrap_or_default();
            MemberStatus {
                city: m.city,
                name: m.name.clone(),
                short_name: m.short_name.clone(),
                signed: true,
                card_known: card.is_some(),
                duty_phone: phone.to_owned(),
                duty_contact: contact.to_owned(),
            }
        };
        self.book
            .iter()
            .map(|(id, agreement)| {
                let charter = &agreement.charter;
                AgreementStatus {
                    agreement: *id,
                    title: charter.title.clone(),
                    short_name: charter.short_name.clone(),
                    version: charter.version,
                    charter: agreement.hash,
                    note: agreement.note.clone(),
                    members: charter.members.iter().map(member).collect(),
                    begin_on: charter.begin_on,
                    end_on: charter.end_on,
                    belt_metres: charter.belt_metres,
                    complete: true,
                    writable: self.logs.own(*id).is_some_and(Log::is_own),
                }
            })
            .collect()
    }
}
