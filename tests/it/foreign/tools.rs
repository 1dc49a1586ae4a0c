//! Where the strangers' programs are, and how they are run.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// A program that has not ended by then hangs.
const WITHIN: Duration = Duration::from_secs(120);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// `target/ci`, where the steps of `.ci` put their tools.
fn tools() -> PathBuf {
    root().join("target/ci")
}

/// A tool, or the reason why the test is skipped.
fn tool(name: &str) -> Option<PathBuf> {
    let path = tools().join(name);
    if path.exists() {
        return Some(path);
    }
    let forbidden = std::env::var("LIANDONG_NO_SKIP").is_ok_and(|v| v == "1");
    assert!(!forbidden, "{} is missing: run .ci/steps/foreign-clients.sh", path.display());
    println!("skipped: no {}; .ci/steps/foreign-clients.sh makes it", path.display());
    None
}

/// `examples/python/client.py` in the venv of the tools.
pub fn python() -> Option<Command> {
    let python = tool("clients/bin/python")?;
    let stubs = tool("clients/stubs")?;
    let mut command = Command::new(python);
    command.arg(root().join("examples/python/client.py")).env("PYTHONPATH", stubs);
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("GRPC_VERBOSITY", "NONE");
    Some(command)
}

/// `buf`.
pub fn buf() -> Option<Command> {
    tool("clients/bin/buf").map(Command::new)
}

/// The Java example; the only one that may be missing from a full run.
pub fn java() -> Option<Command> {
    let run = tools().join("java/run");
    if run.exists() {
        return Some(Command::new(run));
    }
    println!("not built in this run: Java; .ci/steps/java.sh builds it or says why not");
    None
}

/// How a program ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ended {
    /// Standard output of a program that must have succeeded.
    #[track_caller]
    pub fn succeeded(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self.out
    }

    /// Standard error of a program that must have ended with this code.
    #[track_caller]
    pub fn failed(self, code: i32) -> String {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        self.err
    }
}

/// Runs a program to its end.
pub async fn run(mut command: Command) -> Ended {
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let output = tokio::time::timeout(WITHIN, output).await.expect("a program hangs").unwrap();
    Ended {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A program that prints line after line while the test goes on.
pub struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    pub fn start(mut command: Command) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next line; `None` at the end.
    pub async fn line(&mut self) -> Option<String> {
        let next = tokio::time::timeout(WITHIN, self.lines.next_line()).await;
        next.expect("a program says nothing").unwrap()
    }

    pub async fn ends_well(mut self) {
        assert_eq!(self.line().await, None, "nothing more was expected");
        assert!(self.child.wait().await.unwrap().success());
    }
}
