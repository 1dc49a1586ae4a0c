//! Asking before something that cannot be taken back.

use std::io::{BufRead, IsTerminal};

use super::failure::Failure;
use crate::lang::Lang;

/// Explains on standard error and asks; `yes` answers for people who are not there.
///
/// # Errors
/// [`Failure`] when the answer is not yes, or nobody is there to ask.
pub fn confirm(explanation: &str, yes: bool, lang: Lang) -> Result<(), Failure> {
    eprintln!("{explanation}");
    if yes {
        return Ok(());
    }
    let refused =
        Failure::usage(lang.pick("没有确认，什么都没有做", "not confirmed, nothing was done"));
    if !std::io::stdin().is_terminal() {
        return Err(refused.advise(lang.pick(
            "读过以上说明后，加 --yes 再执行",
            "read the above, then run it again with --yes",
        )));
    }
    eprint!("{}", lang.pick("继续请输入 yes：", "type yes to go on: "));
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    match (read, line.trim()) {
        (Ok(_), "yes" | "是") => Ok(()),
        _ => Err(refused),
    }
}
