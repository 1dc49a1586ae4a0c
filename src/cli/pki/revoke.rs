//! `liandong pki revoke`: certificates of a trial CA that are to be worth nothing from now on.

use std::path::{Path, PathBuf};

use clap::Args;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate};

use super::{Folder, Report, failed};
use crate::cli::failure::Failure;
use crate::cli::{Context, files};
use crate::lang::Lang;
use crate::trust::pki;

/// Arguments.
#[derive(Args, Debug)]
pub struct RevokeArgs {
    /// 要吊销的证书（PEM） · certificates to revoke
    #[arg(required = true, value_name = "CERT")]
    pub certs: Vec<PathBuf>,
    /// 本市文件夹，其中有 certs/ca.pem 与 certs/ca.key · folder of the city
    #[arg(long, default_value = ".", value_name = "DIR")]
    pub dir: PathBuf,
    /// 吊销列表（默认 certs/ca.crl），原有内容保留 · the list; what it names already stays
    #[arg(long, value_name = "FILE")]
    pub crl: Option<PathBuf>,
}

/// Adds certificates to the list.
///
/// # Errors
/// [`Failure`]; the list is as it was.
pub fn run(context: &Context, args: &RevokeArgs) -> Result<(), Failure> {
    let lang = context.lang;
    let folder = Folder(args.dir.clone());
    let ca = folder.ca(lang)?;
    let path = args.crl.clone().unwrap_or_else(|| folder.certs("ca.crl"));
    let mut serials = if path.exists() { listed(&path, lang)? } else { Vec::new() };
    let mut report = Report::default();
    for cert in &args.certs {
        let (serial, shown) = serial(cert, lang)?;
        report.fact(
            "serial",
            lang.pick("已吊销", "revoked"),
            format!("{shown} {}", cert.display()),
        );
        if !serials.contains(&serial) {
            serials.push(serial);
        }
    }
    let list = pki::issue_crl(&ca, &serials).map_err(|e| failed(&e, lang))?;
    replace(&path, list.as_bytes(), lang)?;
    report.wrote(&path);
    report.line(lang.pick(
        "运行中的节点几秒内读到新列表（须在 liandong.toml 的 crl 中列出），持证者的连接随即断开。",
        "A running node reads the list within seconds (it must be named as crl in liandong.toml); \
         connections of these certificates end then.",
    ));
    report.print(context);
    Ok(())
}

/// Serial number without leading zeroes, and as people compare it.
fn serial(path: &Path, lang: Lang) -> Result<(Vec<u8>, String), Failure> {
    let bad = || bad_file(path, lang);
    let der = CertificateDer::from_pem_file(path).map_err(|_| bad())?;
    let (_, cert) = X509Certificate::from_der(&der).map_err(|_| bad())?;
    Ok((bare(cert.raw_serial()), crate::ids::hex(cert.raw_serial())))
}

fn listed(path: &Path, lang: Lang) -> Result<Vec<Vec<u8>>, Failure> {
    let bad = || bad_file(path, lang);
    let der = CertificateRevocationListDer::from_pem_file(path).map_err(|_| bad())?;
    let (_, list) = CertificateRevocationList::from_der(&der).map_err(|_| bad())?;
    Ok(list.iter_revoked_certificates().map(|r| bare(r.raw_serial())).collect())
}

fn bare(serial: &[u8]) -> Vec<u8> {
    serial.iter().copied().skip_while(|b| *b == 0).collect()
}

fn bad_file(path: &Path, lang: Lang) -> Failure {
    let shown = path.display();
    Failure::local(lang.pick(
        format!("{shown}：不是 PEM 证书或吊销列表"),
        format!("{shown}: is no certificate or revocation list in PEM"),
    ))
}

/// A node that reads meanwhile finds the old list or the new one, never half of it.
fn replace(path: &Path, bytes: &[u8], lang: Lang) -> Result<(), Failure> {
    let draft = path.with_extension(format!("crl.{}", std::process::id()));
    files::write_new(&draft, bytes, lang)?;
    std::fs::rename(&draft, path).map_err(|e| failed(&e, lang))
}
