//! `liandong epoch new`: makes the keys and the manifest of a log, signed at once or later.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::known::{Known, OwnLog};
use crate::cli::failure::{Exit, Failure};
use crate::cli::profile::ProfileArgs;
use crate::cli::{Context, confirm, files};
use crate::config::Config;
use crate::lang::Lang;
use crate::log::manifest::{Manifest, SignedManifest};
use crate::trust::charter::{Charter, SignedCharter};
use crate::trust::new_log::NewLog;

/// Arguments.
#[derive(Args, Debug)]
pub struct NewArgs {
    /// 节点配置文件 · configuration of the node
    #[arg(long, default_value = "liandong.toml", value_name = "FILE")]
    pub config: PathBuf,
    /// 协议：编号或简称，如 聊邯 · agreement, by id or short name
    #[arg(long, value_name = "AGREEMENT")]
    pub agreement: String,
    /// 签署齐全的协议文件；节点已有时不必给 · complete charter, unless the node has it
    #[arg(long, value_name = "FILE")]
    pub charter: Option<PathBuf>,
    /// 城市密钥；不给则只写出申请，拿到别处签署 · city key; without it a request is written
    #[arg(long, value_name = "FILE")]
    pub city_key: Option<PathBuf>,
    /// 申请写到哪里 · where to write the request
    #[arg(long, value_name = "FILE", conflicts_with = "city_key")]
    pub out: Option<PathBuf>,
    /// 已知晓后果，不再询问 · do not ask
    #[arg(long)]
    pub yes: bool,
    /// Which node to ask while it runs.
    #[command(flatten)]
    pub profile: ProfileArgs,
}

/// Begins a log.
///
/// # Errors
/// [`Failure`] that says what is missing; keys already made stay and do no harm.
pub async fn run(context: &Context, args: NewArgs) -> Result<(), Failure> {
    let lang = context.lang;
    let config = files::config(&args.config, lang)?;
    let known = Known::of_node(&config, &args.profile, lang).await?;
    let charter = find_charter(&args, &config, &known, lang)?;
    let old = known.newest(charter.agreement);
    check_not_waiting(old, lang)?;
    let key = match &args.city_key {
        Some(path) => Some(own_city_key(path, &config, &charter, lang)?),
        None => None,
    };
    if let Some(old) = old {
        confirm::confirm(&explanation(&charter, old, lang), args.yes, lang)?;
    }
    let new = NewLog {
        agreement: charter.agreement,
        charter: charter.hash(),
        city: config.city,
        node: config.node,
        epoch: old.map_or(1, |o| o.manifest.epoch + 1),
        prologue: old.map(|o| o.head),
    };
    let manifest = make(&new, &config, lang)?;
    let Some(key) = key else {
        return write_request(context, &args, &charter, &manifest);
    };
    let signed = SignedManifest::sign(manifest, &key).map_err(|e| Failure::local(e.to_string()))?;
    let name = format!("manifest-{}-epoch{}.note", charter.agreement, new.epoch);
    let path = files::put_in_inbox(&config, &name, signed.note(), lang)?;
    let delivery = files::await_inbox(&path, known.running, lang).await?;
    if context.json {
        let mut shape = shape(signed.manifest());
        if let Some(object) = shape.as_object_mut() {
            object.insert("delivery".to_owned(), json!(delivery.name()));
        }
        context.print_json(&shape);
    } else {
        let epoch = new.epoch;
        println!(
            "{}",
            lang.pick(
                format!(
                    "「{}」第 {epoch} 期记录已签署：{}",
                    charter.short_name,
                    delivery.text(lang)
                ),
                format!(
                    "records of {}, series {epoch}: signed; {}",
                    charter.short_name,
                    delivery.text(lang)
                ),
            )
        );
    }
    Ok(())
}

/// The manifest for programs.
pub(super) fn shape(manifest: &Manifest) -> serde_json::Value {
    let prologue = manifest.prologue.map(|head| {
        json!({ "log_id": head.log.to_string(), "size": head.size, "root": head.root.to_string() })
    });
    json!({
        "log_id": manifest.log_id().to_string(),
        "agreement": manifest.agreement.to_string(),
        "city": manifest.city.to_string(),
        "epoch": manifest.epoch,
        "prologue": prologue,
    })
}

fn find_charter(
    args: &NewArgs,
    config: &Config,
    known: &Known,
    lang: Lang,
) -> Result<Charter, Failure> {
    let signed = match &args.charter {
        Some(path) => {
            let bytes = files::read(path, lang)?.into();
            Some(SignedCharter::parse(&bytes).map_err(|error| {
                Failure::local(lang.pick(
                    format!("{}：不是协议文件（{error}）", path.display()),
                    format!("{}: is not a charter ({error})", path.display()),
                ))
            })?)
        }
        None => known.charter(&args.agreement).cloned(),
    };
    let signed = signed.ok_or_else(|| unknown_agreement(&args.agreement, known, lang))?;
    signed.check_complete().map_err(|error| {
        Failure::new(
            Exit::Refused,
            "CHARTER_INCOMPLETE",
            lang.pick(
                format!("协议尚未签署齐全（{error}）"),
                format!("the charter is not complete ({error})"),
            ),
        )
        .advise(lang.pick(
            "请缺签的城市执行 liandong agreement sign",
            "let the missing cities run liandong agreement sign",
        ))
    })?;
    let charter = signed.charter().clone();
    if !charter.members.iter().any(|m| m.city == config.city) {
        return Err(Failure::local(lang.pick(
            format!("{} 不是该协议的成员市", config.city),
            format!("{} is no member of that agreement", config.city),
        )));
    }
    Ok(charter)
}

fn unknown_agreement(wanted: &str, known: &Known, lang: Lang) -> Failure {
    let mut failure = Failure::local(lang.pick(
        format!("节点不知道协议“{wanted}”"),
        format!("the node does not know an agreement {wanted:?}"),
    ));
    for charter in &known.charters {
        let charter = charter.charter();
        failure = failure.detail(format!("{}  {}", charter.short_name, charter.agreement));
    }
    failure.advise(lang.pick(
        "先执行 liandong agreement add 协议文件 --config liandong.toml，或用 --charter 给出文件",
        "first run liandong agreement add FILE --config liandong.toml, or name it with --charter",
    ))
}

fn check_not_waiting(old: Option<&OwnLog>, lang: Lang) -> Result<(), Failure> {
    match old.filter(|o| o.in_inbox) {
        None => Ok(()),
        Some(waiting) => Err(Failure::new(
            Exit::Refused,
            "EPOCH_WAITING",
            lang.pick(
                format!("第 {} 期已签署，正等节点采用", waiting.manifest.epoch),
                format!("series {} is signed and waits for the node", waiting.manifest.epoch),
            ),
        )
        .advise(lang.pick("启动节点即可：liandong serve", "start the node: liandong serve"))),
    }
}

pub(super) fn own_city_key(
    path: &std::path::Path,
    config: &Config,
    charter: &Charter,
    lang: Lang,
) -> Result<crate::log::SigningKey, Failure> {
    let key = files::city_key(path, lang)?;
    let member = charter.members.iter().find(|m| m.city == config.city);
    if member.is_some_and(|m| m.city_key == key.verifying_key()) {
        return Ok(key);
    }
    Err(Failure::local(lang.pick(
        format!("{}：不是协议中本市（{}）的城市密钥", path.display(), config.city),
        format!("{}: is not the city key of {} in this agreement", path.display(), config.city),
    ))
    .detail(format!("{}", key.verifying_key()))
    .advise(lang.pick("核对密钥文件", "check which key file it is")))
}

fn make(new: &NewLog, config: &Config, lang: Lang) -> Result<Manifest, Failure> {
    std::fs::create_dir_all(&config.keys_dir)
        .map_err(|e| Failure::local(format!("{}: {e}", config.keys_dir.display())))?;
    new.request(&config.keys_dir).map_err(|error| {
        Failure::local(lang.pick(
            format!("无法生成第 {} 期的密钥（{error}）", new.epoch),
            format!("the keys of series {} could not be made ({error})", new.epoch),
        ))
        .advise(lang.pick(
            "若文件已存在：已有一份申请，签署那一份；确实作废时先移走这两个密钥文件",
            "if the files are there: sign the earlier request, or move both away if it is void",
        ))
    })
}

fn explanation(charter: &Charter, old: &OwnLog, lang: Lang) -> String {
    let (short, last, size) = (&charter.short_name, old.manifest.epoch, old.head.size);
    let next = last + 1;
    let mut text = lang.pick(
        format!(
            "本市在「{short}」中的记录将转入第 {next} 期：\n\
             · 第 {last} 期到 {size} 条为止，永不再续写；已有记录全部保留。\n\
             · 只在这些时候做：数据由旧备份恢复、更换节点、记录密钥泄露。\n\
             · 之后新登记和补充材料立即可用；已有案件的办理，要等每个成员市都出示过它所存的\n  \
             第 {last} 期记录（或由管理员点名放弃等待）。"
        ),
        format!(
            "the records of this city in {short} go on in series {next}:\n\
             - series {last} ends at {size} entries and is never written again; nothing is lost.\n\
             - do this only after a restore from an older copy, a change of node, or when the\n  \
             record keys are no longer secret.\n\
             - new cases and additions are possible at once; cases that exist are moved only\n  \
             after every member has shown what it holds of series {last} (or you name those\n  \
             that are not to be waited for)."
        ),
    );
    if old.announced > size {
        text.push_str(&lang.pick(
            format!(
                "\n· 他市持有第 {last} 期 {} 条，本节点尚缺 {} 条：最好等补齐后再做。",
                old.announced,
                old.announced - size
            ),
            format!(
                "\n- another city holds {} entries of series {last}, {} are not here yet: better \
                 wait until they are.",
                old.announced,
                old.announced - size
            ),
        ));
    }
    text
}

fn write_request(
    context: &Context,
    args: &NewArgs,
    charter: &Charter,
    manifest: &Manifest,
) -> Result<(), Failure> {
    let lang = context.lang;
    let name = format!("{}-{}-epoch{}.request", charter.short_name, manifest.city, manifest.epoch);
    let path = args.out.clone().unwrap_or_else(|| PathBuf::from(name));
    files::write_new(&path, manifest.text().as_bytes(), lang)?;
    if context.json {
        let mut shape = shape(manifest);
        if let Some(object) = shape.as_object_mut() {
            object.insert("request".to_owned(), json!(path.display().to_string()));
        }
        context.print_json(&shape);
        return Ok(());
    }
    let shown = path.display();
    println!(
        "{}",
        lang.pick(
            format!(
                "申请已写入 {shown}\n下一步，在保管城市密钥的机器上：\n  \
                 liandong epoch sign {shown} --city-key city.key\n再把签好的 .note 拿回来：\n  \
                 liandong agreement add {shown}.note --config {}",
                args.config.display()
            ),
            format!(
                "the request is in {shown}\nnext, where the city key is kept:\n  \
                 liandong epoch sign {shown} --city-key city.key\nand back here with the .note:\n  \
                 liandong agreement add {shown}.note --config {}",
                args.config.display()
            ),
        )
    );
    Ok(())
}
