//! `liandong`: arguments in, exit code out.

use std::process::ExitCode;

use clap::Parser;
use liandong::cli::{self, Cli};
use mimalloc::MiMalloc;

/// Of what a list took, one eighth went to the system's allocator.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(cli::run(cli)).into(),
        Err(error) => {
            eprintln!("无法启动 · cannot start: {error}");
            cli::failure::Exit::Local.into()
        }
    }
}
