//! Compiles `proto/` with protox (no protoc) and does nothing else.

use std::error::Error;
use std::path::PathBuf;

use prost::Message;

const FILES: [&str; 13] = [
    "proto/liandong/v1/case_service.proto",
    "proto/liandong/v1/agreement_service.proto",
    "proto/liandong/v1/catalog_service.proto",
    "proto/liandong/v1/evidence_service.proto",
    "proto/liandong/v1/referral_service.proto",
    "proto/liandong/v1/node_service.proto",
    "proto/liandong/v1/evidence_file_service.proto",
    "proto/liandong/v1/meeting_service.proto",
    "proto/liandong/v1/notice_service.proto",
    "proto/liandong/v1/site_service.proto",
    "proto/liandong/v1/unit_service.proto",
    "proto/liandong/v1/plan_service.proto",
    "proto/liandong/peer/v1/peer_service.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    println!("cargo:rerun-if-changed=build.rs");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let descriptors = protox::compile(FILES, ["proto"])?;
    std::fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    let mut config = tonic_prost_build::Config::new();
    // Type names let the codec find a message's descriptor and count its elements first.
    config.enable_type_names();
    tonic_prost_build::configure()
        .bytes(".")
        .codec_path("crate::wire::codec::CountingCodec")
        .compile_fds_with_config(descriptors, config)?;
    Ok(())
}
