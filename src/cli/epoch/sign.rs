//! `liandong epoch sign`: the city key signs a request, on a machine of its own.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::new::shape;
use crate::cli::failure::Failure;
use crate::cli::table::Sheet;
use crate::cli::{Context, files};
use crate::lang::Lang;
use crate::log::manifest::{Manifest, SignedManifest};

/// Arguments.
#[derive(Args, Debug)]
pub struct SignArgs {
    /// 申请文件 · the request
    #[arg(value_name = "REQUEST")]
    pub request: PathBuf,
    /// 城市密钥 · city key
    #[arg(long, value_name = "FILE")]
    pub city_key: PathBuf,
    /// 签好的文件写到哪里（默认在申请名后加 .note） · where to write the signed note
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Signs.
///
/// # Errors
/// [`Failure`] when the request or key cannot be used.
pub fn run(context: &Context, args: &SignArgs) -> Result<(), Failure> {
    let lang = context.lang;
    let manifest = read_request(&args.request, lang)?;
    let key = files::city_key(&args.city_key, lang)?;
    let signed = SignedManifest::sign(manifest, &key).map_err(|e| Failure::local(e.to_string()))?;
    let mut beside = args.request.clone().into_os_string();
    beside.push(".note");
    let out = args.out.clone().unwrap_or_else(|| beside.into());
    files::write_new(&out, signed.note(), lang)?;
    let mut shape = shape(signed.manifest());
    if context.json {
        if let Some(object) = shape.as_object_mut() {
            object.insert("note".to_owned(), json!(out.display().to_string()));
            object.insert("city_key".to_owned(), json!(key.verifying_key().to_string()));
        }
        context.print_json(&shape);
    } else {
        print!("{}", text(signed.manifest(), lang));
        let shown = out.display();
        println!(
            "{}",
            lang.pick(
                format!(
                    "已签署：{shown}\n拿回节点：liandong agreement add {shown} --config 配置文件"
                ),
                format!(
                    "signed: {shown}\nback at the node: liandong agreement add {shown} \
                     --config FILE"
                ),
            )
        );
    }
    Ok(())
}

fn read_request(path: &std::path::Path, lang: Lang) -> Result<Manifest, Failure> {
    let bytes = files::read(path, lang)?;
    let text = String::from_utf8_lossy(&bytes);
    Manifest::parse(&text).map_err(|error| {
        Failure::local(lang.pick(
            format!("{}：不是申请文件（{error}）", path.display()),
            format!("{}: is not a request ({error})", path.display()),
        ))
        .advise(lang.pick(
            "申请由 liandong epoch new 写出，不得改动",
            "requests are written by liandong epoch new and may not be changed",
        ))
    })
}

fn text(manifest: &Manifest, lang: Lang) -> String {
    let mut sheet = Sheet::default();
    let before = manifest.prologue.map_or_else(
        || lang.pick("无（首期）", "none (the first)").to_owned(),
        |head| format!("{} {} {}", head.log, head.size, head.root),
    );
    sheet
        .row(lang.pick("协议", "agreement"), manifest.agreement.to_string())
        .row(lang.pick("城市", "city"), manifest.city.to_string())
        .row(lang.pick("节点", "node"), manifest.node.to_string())
        .row(lang.pick("第几期", "series"), manifest.epoch.to_string())
        .row(lang.pick("前一期止于", "after"), before);
    sheet.text()
}
