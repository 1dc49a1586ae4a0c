//! Cities set up with nothing but the commands an operator types.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use liandong::cli::connect::Client;
use liandong::cli::profile::{Profile, ProfileArgs};
use liandong::lang::Lang;
use serde_json::Value;

use super::nodes::{exe, until};

/// Runs a command in a folder and reads its JSON: `Err` is what it printed on failing.
pub fn run(folder: &Path, args: &[&str]) -> Result<Value, Value> {
    let output = Command::new(exe()).args(args).arg("--json").current_dir(folder).output().unwrap();
    let read = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let from = text.find('{').unwrap_or(0); // An explanation may stand before it.
        serde_json::from_str(&text[from..]).unwrap_or_else(|e| panic!("{args:?}: {e}: {text}"))
    };
    if output.status.success() { Ok(read(&output.stdout)) } else { Err(read(&output.stderr)) }
}

/// One city in a folder of its own; its process ends with the test.
pub struct City {
    pub folder: PathBuf,
    pub code: u32,
    pub key: String,
    pub peer: SocketAddr,
    #[expect(dead_code, reason = "beside peer; tests reach it by profile")]
    pub api: SocketAddr,
    child: Option<Child>,
}

impl City {
    /// `liandong pki init`.
    pub fn init(top: &Path, code: u32) -> Self {
        let (peer, api) = two_ports();
        let borders = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/cities.geojson");
        let (code_text, peer_text) = (code.to_string(), peer.to_string());
        let init = [
            "pki",
            "init",
            "--city",
            &code_text,
            "--dir",
            &code_text,
            "--address",
            &peer_text,
            "--peer-listen",
            &peer_text,
            "--api-listen",
            &api.to_string(),
            "--boundaries",
            borders.to_str().unwrap(),
        ];
        let made = run(top, &init).unwrap();
        let key = made["city_key"].as_str().unwrap().to_owned();
        Self { folder: top.join(code_text), code, key, peer, api, child: None }
    }

    pub fn path(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }

    /// A command in the city's folder.
    pub fn run(&self, args: &[&str]) -> Result<Value, Value> {
        run(&self.folder, args)
    }

    pub fn start(&mut self) {
        let log = std::fs::File::options().create(true).append(true).open(self.path("serve.log"));
        let child = Command::new(exe())
            .args(["serve", "--config", "liandong.toml", "--die-with-parent"])
            .arg(std::process::id().to_string())
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.unwrap())
            .spawn();
        self.child = Some(child.unwrap());
    }

    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// How somebody of the city calls it: `client.toml`, `client-admin.toml`, ...
    pub fn profile(&self, file: &str) -> Profile {
        let args = ProfileArgs { profile: Some(self.folder.join(file)), ..Default::default() };
        Profile::load(&args, Lang::En).unwrap()
    }

    pub async fn client(&self, file: &str) -> Client {
        let profile = self.profile(file);
        let open = || async { Client::open(&profile, Lang::En).await.ok() };
        until(&format!("{} answers", self.code), open).await
    }

    /// Warnings of its status, as the administrator reads them.
    pub fn warnings(&self) -> String {
        let status = self.run(&["status", "--profile", "client-admin.toml"]).unwrap();
        status["warnings"].to_string()
    }
}

impl Drop for City {
    fn drop(&mut self) {
        self.stop();
    }
}

fn two_ports() -> (SocketAddr, SocketAddr) {
    let held = [0, 1].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    (held[0].local_addr().unwrap(), held[1].local_addr().unwrap())
}

/// Two cities with an agreement both have signed, its files added and logs begun; not started.
pub fn two_cities(top: &Path) -> (City, City) {
    let (a, b) = (City::init(top, 371_500), City::init(top, 130_400));
    let members = [format!("371500:聊:聊城市:{}", a.key), format!("130400:邯:邯郸市:{}", b.key)];
    let draft = [
        "agreement",
        "draft",
        "--short-name",
        "聊邯",
        "--title",
        "聊城市—邯郸市行政边界地区环境执法联动协议",
        "--begin-on",
        "2024-01-01",
        "--end-on",
        "2035-12-31",
        "--member",
        &members[0],
        "--member",
        &members[1],
        "--border",
        "371500:130400",
        "--out",
        "聊邯.agreement",
    ];
    run(top, &draft).unwrap();
    for city in [&a, &b] {
        let key = city.path("city.key");
        run(top, &["agreement", "sign", "聊邯.agreement", "--city-key", &key]).unwrap();
    }
    let copies = ["../聊邯.371500.agreement", "../聊邯.130400.agreement"];
    for city in [&a, &b] {
        let (own, other) = ("card-371500.note", "card-130400.note");
        let cards = [format!("../371500/{own}"), format!("../130400/{other}")];
        let add = ["agreement", "add", copies[0], copies[1], &cards[0], &cards[1]];
        city.run(&[&add[..], &["--config", "liandong.toml"]].concat()).unwrap();
        city.run(&["epoch", "new", "--agreement", "聊邯", "--city-key", "city.key"]).unwrap();
    }
    (a, b)
}
