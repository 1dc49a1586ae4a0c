//! How a command ends when it does not succeed: an exit code, what happened, what to do.
//!
//! In scope: exit codes and the shape of an error on the screen and in JSON.
//! Out of scope: why; whoever knows that fills in the texts, already in the reader's language.

use std::process::ExitCode;

use crate::lang::Lang;

/// Exit codes; `--help` prints the same list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Done.
    Ok,
    /// The node or the rules said no; nothing was changed.
    Refused,
    /// The command line is wrong (clap uses the same code).
    Usage,
    /// The node cannot be reached or does not let us in.
    Unreachable,
    /// Not all cities agreed in time.
    NotSynced,
    /// A file or setting on this machine is missing or wrong.
    Local,
    /// The answer was lost: it may have been done. Ask again with the same request id.
    Unknown,
    /// `doctor` found something yellow.
    Attention,
    /// `doctor` found something red.
    Trouble,
}

impl Exit {
    /// The number a shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Refused | Self::Attention => 1,
            Self::Usage | Self::Trouble => 2,
            Self::Unreachable => 3,
            Self::NotSynced => 4,
            Self::Local => 5,
            Self::Unknown => 6,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The list of exit codes as `--help` shows it.
pub const EXIT_CODES: &str = "\
退出码 / exit codes:
  0  完成 / done
  1  操作未执行：被拒绝或不符合流程 / refused, nothing was changed
  2  命令写法有误 / wrong usage
  3  无法连接节点或未被准入 / cannot connect, or not let in
  4  在限定时间内各市未达成一致 / cities did not agree in time
  5  本机文件或设置有误 / a file or setting on this machine is wrong
  6  答复丢失，可能已执行：用同一 --request-id 重试 / answer lost, it may have been done: \
retry with the same --request-id
  doctor: 1 有需留意的 / something is yellow, 2 有需处理的 / something is red";

/// Why a command did not succeed, in the reader's language.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// A stable reason for programs, such as `STALE_ETAG`; empty when there is none.
    pub reason: String,
    /// What happened, one line.
    pub what: String,
    /// Details, one line each.
    pub details: Vec<String>,
    /// What to do, one line each.
    pub advice: Vec<String>,
}

impl Failure {
    /// A failure with no details yet.
    #[must_use]
    pub fn new(exit: Exit, reason: &str, what: impl Into<String>) -> Self {
        Self {
            exit,
            reason: reason.to_owned(),
            what: what.into(),
            details: Vec::new(),
            advice: Vec::new(),
        }
    }

    /// Something on this machine is missing or wrong.
    #[must_use]
    pub fn local(what: impl Into<String>) -> Self {
        Self::new(Exit::Local, "LOCAL", what)
    }

    /// The command line is wrong in a way the parser could not see.
    #[must_use]
    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "USAGE", what)
    }

    /// Adds a line on what to do.
    #[must_use]
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice.push(advice.into());
        self
    }

    /// Adds a line of detail.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.details.push(detail.into());
        self
    }

    /// What people read, without a final line break.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        let head = match self.exit {
            Exit::Ok | Exit::Attention | Exit::Trouble => "",
            Exit::Refused => lang.pick("操作未执行：", "not done: "),
            Exit::Usage => lang.pick("命令写法有误：", "usage: "),
            Exit::Unreachable => lang.pick("无法连接：", "cannot connect: "),
            Exit::NotSynced => lang.pick("尚未一致：", "not in agreement: "),
            Exit::Local => lang.pick("本机有误：", "on this machine: "),
            Exit::Unknown => lang.pick("结果未知：", "outcome unknown: "),
        };
        let mut out = format!("{head}{}", self.what);
        for detail in &self.details {
            out.push_str("\n  ");
            out.push_str(detail);
        }
        for advice in &self.advice {
            out.push('\n');
            out.push_str(lang.pick("怎么办：", "what to do: "));
            out.push_str(advice);
        }
        if !self.reason.is_empty() {
            out.push_str(lang.pick("\n原因代码：", "\nreason: "));
            out.push_str(&self.reason);
        }
        out
    }

    /// What programs read.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({ "error": {
            "exit": self.exit.code(),
            "reason": self.reason,
            "message": self.what,
            "details": self.details,
            "advice": self.advice,
        }})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_lists_every_code() {
        let all = [
            Exit::Ok,
            Exit::Refused,
            Exit::Usage,
            Exit::Unreachable,
            Exit::NotSynced,
            Exit::Local,
            Exit::Unknown,
        ];
        for exit in all {
            assert!(EXIT_CODES.contains(&format!("\n  {}  ", exit.code())), "{exit:?}");
        }
    }

    #[test]
    fn a_refusal_says_what_why_and_what_to_do() {
        let failure = Failure::new(Exit::Refused, "STALE_ETAG", "案件已有新的办理")
            .detail("etag：已过期")
            .advise("先 liandong case show 再重试");
        assert_eq!(
            failure.text(Lang::Zh),
            "操作未执行：案件已有新的办理\n  etag：已过期\n怎么办：先 liandong case show 再重试\n\
             原因代码：STALE_ETAG"
        );
        assert_eq!(failure.json()["error"]["exit"], 1);
    }
}
