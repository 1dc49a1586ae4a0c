//! Tests of the configuration.

use super::evidence::EvidenceReason;
use super::*;

const EXAMPLE: &str = include_str!("../../packaging/liandong.example.toml");

fn example() -> Result<Config, ConfigError> {
    Config::parse(EXAMPLE, Path::new("/etc/liandong/liandong.toml"))
}

fn changed(from: &str, to: &str) -> ConfigError {
    assert!(EXAMPLE.contains(from), "the example has no {from:?}");
    let text = EXAMPLE.replacen(from, to, 1);
    Config::parse(&text, Path::new("/etc/liandong/liandong.toml")).unwrap_err()
}

#[test]
fn the_example_is_understood_and_shows_the_defaults() {
    let config = example().unwrap();
    assert_eq!(config.city.to_string(), "371500");
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.log.filter, "liandong=info,warn");
    let start = EXAMPLE.find("# Everything below may be left out.").unwrap();
    let short = Config::parse(&EXAMPLE[..start], &config.file).unwrap();
    assert_eq!(short, config);
}

#[test]
fn paths_are_taken_from_the_files_folder() {
    let config = example().unwrap();
    assert_eq!(config.data_dir, Path::new("/etc/liandong/data"));
    assert_eq!(config.peer.ca, [Path::new("/etc/liandong/certs/ca.pem")]);
    let text = EXAMPLE.replacen("\"data\"", "\"/var/lib/liandong/./x/../data\"", 1);
    let config = Config::parse(&text, &config.file).unwrap();
    assert_eq!(config.data_dir, Path::new("/var/lib/liandong/data"));
}

#[test]
fn the_guard_may_not_lie_in_the_data_folder() {
    for guard in ["data/guard", "keys/../data/deep/guard", "./data/./guard"] {
        let error = changed("guard_file = \"guard\"", &format!("guard_file = {guard:?}"));
        assert!(
            matches!(&error, ConfigError::Setting { field, reason: Reason::GuardInData, .. }
                if field == "guard_file"),
            "{guard}: {error}"
        );
    }
}

#[test]
fn an_unknown_setting_is_refused() {
    let error = changed("[limits]", "[limits]\ndisk_low_byte = 1");
    assert!(matches!(error, ConfigError::Syntax { .. }));
    assert!(error.text(Lang::Zh).contains("disk_low_byte"), "{}", error.text(Lang::Zh));
}

#[test]
fn a_wrong_setting_is_named_with_reason_and_advice() {
    let rows = [
        ("city = \"371500\"", "city = \"371522\"", "city", "市级行政区划代码"),
        ("\"0198f3c2-6d1e-7a40-8f55-3b1c9a2e7d10\"", "\"a\"", "node", "UUID"),
        ("\"0.0.0.0:7443\"", "\"7443\"", "peer.listen", "地址:端口"),
        ("\"127.0.0.1:7444\"", "\"0.0.0.0:7443\"", "api.listen", "都监听"),
        ("keys_dir = \"keys\"", "keys_dir = \"data/keys\"", "keys_dir", "数据目录"),
        ("ca = [\"certs/ca.pem\"]", "ca = []", "peer.ca", "没有填写"),
        ("page_size_max = 200", "page_size_max = 0", "limits.page_size_max", "1 至 200"),
        ("disk_low_bytes = 536870912", "disk_low_bytes = 1", "limits.disk_low_bytes", "超出范围"),
    ];
    for (from, to, field, reason) in rows {
        let text = changed(from, to).text(Lang::Zh);
        let (first, second) = text.split_once('\n').unwrap();
        assert!(first.contains("liandong.toml") && first.contains(field), "{text}");
        assert!(first.contains(reason) && second.starts_with("怎么办："), "{text}");
    }
}

#[test]
fn a_missing_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("liandong.toml");
    assert!(matches!(Config::load(&path), Err(ConfigError::Unread { .. })));
    std::fs::write(&path, EXAMPLE).unwrap();
    let text = Config::load(&path).unwrap_err().text(Lang::En);
    assert!(text.contains("peer.cert") && text.contains("certs/node.pem"), "{text}");
}

#[test]
fn terms_are_read_and_have_a_range() {
    let with = |line: &str| {
        let text = EXAMPLE.replacen("[deadlines]\n", &format!("[deadlines]\n{line}\n"), 1);
        Config::parse(&text, Path::new("/etc/liandong/liandong.toml"))
    };
    assert_eq!(with("filing_days = 20").unwrap().deadlines.filing_days, Some(20));
    for (line, field) in
        [("suit_months = 0", "deadlines.suit_months"), ("filing_day = 1", "filing_day")]
    {
        let refused = with(line).unwrap_err();
        let said = format!("{refused} {:?}", std::error::Error::source(&refused));
        assert!(said.contains(field), "{said}");
    }
}

#[test]
fn a_calendar_feed_stays_on_this_machine_unless_somebody_says_so() {
    let with = |lines: &str| {
        let text = format!("{EXAMPLE}\n[calendar_feed]\n{lines}\n");
        let config = Config::parse(&text, Path::new("/etc/liandong/liandong.toml"));
        config.map(|config| config.calendar_feed.unwrap().listen.to_string())
    };
    assert_eq!(example().unwrap().calendar_feed, None, "off by default");
    assert_eq!(with("listen = \"127.0.0.1:8480\"").unwrap(), "127.0.0.1:8480");
    assert_eq!(with("listen = \"[::1]:8480\"").unwrap(), "[::1]:8480");
    let open = "listen = \"0.0.0.0:8480\"";
    assert_eq!(with(&format!("{open}\nallow_network = true")).unwrap(), "0.0.0.0:8480");
    let rows = [
        (open, Reason::FeedLeaves),
        ("listen = \"10.1.1.1:8480\"\nallow_network = false", Reason::FeedLeaves),
        ("listen = \"8480\"", Reason::Address("8480".to_owned())),
        ("listen = \"127.0.0.1:7444\"", Reason::SamePort("127.0.0.1:7444".parse().unwrap())),
    ];
    for (lines, want) in rows {
        let refused = with(lines).unwrap_err();
        let is = |field: &str, got: &Reason| field == "calendar_feed.listen" && *got == want;
        assert!(
            matches!(&refused, ConfigError::Setting { field, reason, .. } if is(field, reason)),
            "{lines}: {refused}"
        );
        assert!(refused.text(Lang::Zh).contains("calendar_feed.listen"));
    }
}

fn hooked(lines: &str) -> Result<Option<Hook>, ConfigError> {
    let text = format!("{EXAMPLE}\n[hook]\n{lines}\n");
    Config::parse(&text, Path::new("/etc/liandong/liandong.toml")).map(|config| config.hook)
}

#[test]
fn nudge_settings_are_checked_and_an_address_keeps_its_secret() {
    assert_eq!(example().unwrap().hook, None, "off by default");
    let hook = hooked("url = \"https://robot.example/send?key=S3CRET\"\nca = \"ca.pem\"").unwrap();
    let hook = hook.unwrap();
    assert_eq!((hook.due_within_days, hook.again_s, hook.every_s), (3, 86_400, 300));
    let shown = format!("{hook:?} {}", hook.target.shown());
    assert!(!shown.contains("S3CRET") && shown.contains("https://robot.example:443/…"), "{shown}");
    let hook::HookTarget::Post { url, ca } = hook.target else { panic!() };
    assert_eq!((url.path.as_str(), url.port), ("/send?key=S3CRET", 443));
    assert_eq!(ca.as_deref(), Some(Path::new("/etc/liandong/ca.pem")));
    for fine in [
        "url = \"http://127.0.0.1:8080/a\"\ngather_s = 0\nevery_s = 1",
        "url = \"https://[::1]:1\"\nconsole = \"https://console.example/\"",
        "command = [\"/bin/true\"]",
    ] {
        hooked(fine).unwrap();
    }
    for (lines, field, reason) in [
        ("", "hook", Reason::HookTarget),
        ("url = \"https://a/\"\ncommand = [\"/a\"]", "hook", Reason::HookTarget),
        ("url = \"http://10.1.1.1/S3CRET\"", "hook.url", Reason::HookPlain),
        ("url = \"http://localhost/S3CRET\"", "hook.url", Reason::HookPlain),
        ("url = \"http://127.0.0.1.example/S3CRET\"", "hook.url", Reason::HookPlain),
        ("url = \"ftp://a/S3CRET\"", "hook.url", Reason::HookUrl),
        ("url = \"/S3CRET\"", "hook.url", Reason::HookUrl),
        ("url = \"https://u:S3CRET@a/\"", "hook.url", Reason::HookUrl),
        ("url = \"https://a/ S3CRET\"", "hook.url", Reason::HookUrl),
        ("command = []", "hook.command", Reason::HookCommand),
        ("command = [\"mail S3CRET\"]", "hook.command", Reason::HookCommand),
        ("command = [\"/a\"]\nca = \"a\"", "hook.ca", Reason::HookCa),
        ("url = \"http://127.0.0.1/\"\nca = \"a\"", "hook.ca", Reason::HookCa),
        ("url = \"https://a/\"\nconsole = \"a\"", "hook.console", Reason::HookUrl),
    ] {
        let refused = hooked(lines).unwrap_err();
        let fits = matches!(&refused, ConfigError::Setting { field: f, reason: r, .. }
            if f == field && *r == reason);
        assert!(fits, "{lines}: {refused}");
        for lang in [Lang::Zh, Lang::En] {
            let text = refused.text(lang);
            assert!(!text.contains("S3CRET") && text.lines().count() == 2, "{text}");
        }
    }
    for lines in ["urll = \"https://a/S3CRET\"", "url = \"https://a/S3CRET", "url = https://S3CRET"]
    {
        let refused = hooked(lines).unwrap_err();
        let text = format!("{refused} {}", refused.text(Lang::Zh));
        assert!(
            matches!(refused, ConfigError::Syntax { .. }) && !text.contains("S3CRET"),
            "{text}"
        );
    }
    let refused = hooked("command = [\"/a\"]\nevery_s = 0").unwrap_err().text(Lang::En);
    assert!(refused.contains("hook.every_s: 0 is outside 1 to 86400"), "{refused}");
}

#[test]
fn the_yearly_cap_has_a_default_and_a_range() {
    let text = |cap: &str| EXAMPLE.replacen("site_checks_a_year_max = 3", cap, 1);
    let cap = |line: &str| {
        let config = Config::parse(&text(line), Path::new("/etc/liandong/liandong.toml"));
        config.map(|config| config.joint.site_checks_a_year_max)
    };
    for (line, want) in
        [("", 3), ("site_checks_a_year_max = 0", 0), ("site_checks_a_year_max = 366", 366)]
    {
        assert_eq!(cap(line).unwrap(), want, "{line}");
    }
    let refused = cap("site_checks_a_year_max = 367").unwrap_err().to_string();
    assert!(refused.contains("joint.site_checks_a_year_max"), "{refused}");
    assert!(cap("site_checks = 1").is_err());
}

#[test]
fn the_reach_of_hints_has_a_range() {
    let with = |metres: &str| {
        let line = format!("same_act_metres_max = {metres}");
        let text = EXAMPLE.replacen("same_act_metres_max = 1000", &line, 1);
        Config::parse(&text, Path::new("/etc/liandong/liandong.toml"))
    };
    assert_eq!(with("50000").unwrap().limits.same_act_metres_max, 50_000);
    for metres in ["0", "50001"] {
        let said = format!("{:?}", with(metres).unwrap_err());
        assert!(said.contains("limits.same_act_metres_max"), "{said}");
    }
}

fn stored(lines: &str) -> Result<EvidencePlace, ConfigError> {
    let text = format!("{EXAMPLE}\n[evidence]\n{lines}\n");
    Config::parse(&text, Path::new("/etc/liandong/liandong.toml")).map(|config| config.evidence)
}

/// Whether a refusal says that this build has no such store, and nothing worse.
fn is_fine(got: Result<EvidencePlace, ConfigError>) -> bool {
    match got {
        Ok(EvidencePlace::S3(_)) => cfg!(feature = "s3"),
        Ok(EvidencePlace::Folder) => false,
        Err(error) => cfg!(not(feature = "s3")) && error.text(Lang::En).contains("built without"),
    }
}

#[test]
fn evidence_settings_are_checked_one_by_one() {
    assert_eq!(example().unwrap().evidence, EvidencePlace::Folder, "the folder by default");
    assert_eq!(stored("store = \"folder\"").unwrap(), EvidencePlace::Folder);
    let s3 = |lines: &str| {
        let bucket = if lines.contains("bucket") { "" } else { "bucket = \"liandong\"\n" };
        stored(&format!("store = \"s3\"\n{bucket}{lines}"))
    };
    for fine in [
        "endpoint = \"https://oss.example:9000/\"\nca = \"ca.pem\"\nkey_file = \"s3.toml\"",
        "endpoint = \"http://127.0.0.1:9000\"\nprefix = \"a/371500\"\nregion = \"cn-1\"",
        "endpoint = \"http://[::1]:9000\"\nvirtual_hosted = true",
        "endpoint = \"http://10.1.1.1\"\nallow_http = true",
    ] {
        assert!(is_fine(s3(fine)), "{fine}");
    }
    use EvidenceReason as R;
    for (lines, field, reason) in [
        ("", "endpoint", R::Endpoint),
        ("endpoint = \"oss.example\"", "endpoint", R::Endpoint),
        ("endpoint = \"ftp://oss.example\"", "endpoint", R::Endpoint),
        ("endpoint = \"https://u:p@oss.example\"", "endpoint", R::Endpoint),
        ("endpoint = \"https://oss.example/bucket\"", "endpoint", R::Endpoint),
        ("endpoint = \"https://oss.example?a=b\"", "endpoint", R::Endpoint),
        ("endpoint = \"http://10.1.1.1\"", "endpoint", R::Plain),
        ("endpoint = \"http://127.0.0.1.example\"", "endpoint", R::Plain),
        ("endpoint = \"https://a\"\nbucket = \"A b\"", "bucket", R::Bucket),
        ("endpoint = \"https://a\"\nbucket = \"\"", "bucket", R::Bucket),
        ("endpoint = \"https://a\"\nprefix = \"/a\"", "prefix", R::Name),
        ("endpoint = \"https://a\"\nprefix = \"a/../b\"", "prefix", R::Name),
        ("endpoint = \"https://a\"\nregion = \"\"", "region", R::Name),
        ("endpoint = \"http://127.0.0.1\"\nca = \"ca.pem\"", "ca", R::Ca),
    ] {
        let ConfigError::Setting { field: named, reason: why, .. } = s3(lines).unwrap_err() else {
            panic!("{lines}");
        };
        assert_eq!(
            (named, why),
            (format!("evidence.{field}"), Reason::Evidence(reason)),
            "{lines}"
        );
    }
    let stray = stored("bucket = \"liandong\"").unwrap_err().text(Lang::En);
    assert!(stray.contains("evidence.bucket") && stray.contains("store = \"s3\""), "{stray}");
    // The secret has no place in this file, and is not repeated from it.
    let secret = stored("store = \"s3\"\nsecret = \"S3CRET\"").unwrap_err();
    assert!(matches!(secret, ConfigError::Syntax { .. }));
}

#[test]
fn a_store_that_was_not_built_in_is_refused() {
    let got = stored("store = \"s3\"\nendpoint = \"https://oss.example\"\nbucket = \"liandong\"");
    if cfg!(feature = "s3") {
        let EvidencePlace::S3(place) = got.unwrap() else { panic!() };
        assert_eq!((place.is_https(), place.region.as_str()), (true, "us-east-1"));
        return;
    }
    for lang in [Lang::Zh, Lang::En] {
        let said =
            stored("store = \"s3\"\nendpoint = \"https://oss.example\"\nbucket = \"liandong\"");
        let said = said.unwrap_err().text(lang);
        assert!(said.contains("cargo build --release --features s3"), "{said}");
    }
}

#[test]
fn a_map_approval_number_is_one_short_line() {
    let with = |text: &str| {
        let set = format!("map_approval = {}", toml::Value::String(text.to_owned()));
        let text = EXAMPLE.replacen("map_approval = \"\"", &set, 1);
        Config::parse(&text, Path::new("/etc/liandong/liandong.toml"))
    };
    assert_eq!(with("GS鲁(2026)0001号").unwrap().console.map_approval, "GS鲁(2026)0001号");
    for bad in ["a\nb".to_owned(), "号".repeat(33)] {
        let said = with(&bad).unwrap_err().text(Lang::Zh);
        assert!(said.contains("console.map_approval") && said.contains("怎么办"), "{said}");
    }
}
