//! `liandong agreement sign` and `merge`: each city adds its line, copies come together.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::paper::Paper;
use crate::cli::failure::Failure;
use crate::cli::{Context, files};

/// Arguments of `sign`.
#[derive(Args, Debug)]
pub struct SignArgs {
    /// 协议草稿，或他市已签的副本 · the draft, or a copy others have signed
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// 城市密钥 · city key
    #[arg(long, default_value = "city.key", value_name = "FILE")]
    pub city_key: PathBuf,
    /// 写到哪里（默认在文件名后加本市代码） · where to write the copy
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Signs for the city whose key it is.
///
/// # Errors
/// [`Failure`] when the key is no member's.
pub fn run(context: &Context, args: &SignArgs) -> Result<(), Failure> {
    let lang = context.lang;
    let mut paper = Paper::read(&args.file, lang)?;
    let key = files::city_key(&args.city_key, lang)?;
    let public = key.verifying_key();
    let member = paper.charter.members.iter().find(|m| m.city_key == public);
    let city = member.map(|m| m.city).ok_or_else(|| {
        Failure::local(lang.pick(
            "这把城市密钥不属于协议中的任何成员市，未签署".to_owned(),
            "this city key is of no member of the agreement; nothing was signed".to_owned(),
        ))
        .detail(public.to_string())
        .advise(lang.pick(
            "核对密钥文件；若协议中的公钥写错，请起草方改正后重新起草",
            "check the key file; if the agreement names a wrong key, it must be drafted anew",
        ))
    })?;
    let line = paper.charter.sign(city, &key).map_err(|e| Failure::local(e.to_string()))?;
    let one = Paper { charter: paper.charter.clone(), lines: vec![line], signed: vec![city] };
    paper.join(one, lang)?;
    let out = args.out.clone().unwrap_or_else(|| beside(&args.file, &city.to_string()));
    write(context, &paper, &out)
}

/// Arguments of `merge`.
#[derive(Args, Debug)]
pub struct MergeArgs {
    /// 同一协议的各份副本 · copies of one agreement
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// 写到哪里 · where to write it
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// Puts copies together.
///
/// # Errors
/// [`Failure`] when they are not of one text.
pub fn merge(context: &Context, args: &MergeArgs) -> Result<(), Failure> {
    let mut all: Option<Paper> = None;
    for path in &args.files {
        let paper = Paper::read(path, context.lang)?;
        match &mut all {
            Some(all) => all.join(paper, context.lang)?,
            None => all = Some(paper),
        }
    }
    let all = all.ok_or_else(|| Failure::usage("FILE"))?;
    write(context, &all, &args.out)
}

/// `聊邯.agreement` signed by 371500 becomes `聊邯.371500.agreement`.
fn beside(path: &Path, city: &str) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let extension = path.extension().map_or_else(String::new, |e| e.to_string_lossy().into_owned());
    let name = if extension.is_empty() {
        format!("{stem}.{city}")
    } else {
        format!("{stem}.{city}.{extension}")
    };
    path.with_file_name(name)
}

fn write(context: &Context, paper: &Paper, out: &Path) -> Result<(), Failure> {
    let lang = context.lang;
    files::write_new(out, &paper.bytes()?, lang)?;
    if context.json {
        let mut shape = paper.json();
        if let Some(object) = shape.as_object_mut() {
            object.insert("file".to_owned(), json!(out.display().to_string()));
        }
        context.print_json(&shape);
    } else {
        print!("{}", paper.text(lang));
        println!("\n{} {}", lang.pick("已写入", "wrote"), out.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signed_copy_is_named_after_its_city() {
        assert_eq!(beside(Path::new("a/聊邯.agreement"), "1"), Path::new("a/聊邯.1.agreement"));
        assert_eq!(beside(Path::new("x"), "1"), Path::new("x.1"));
    }
}
