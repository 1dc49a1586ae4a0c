// The cities of a demo and browsers to look at them with. Real processes, real TLS, a real browser.
import { spawn, execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import puppeteer from "puppeteer-core";

const require = createRequire(import.meta.url);
export const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
export const LIAOCHENG = "371500";
export const HANDAN = "130400";
export const PUYANG = "410900";

const exe = resolve(process.env.LIANDONG ?? "../../target/release/liandong");
const chromium = process.env.CHROMIUM ?? "/usr/bin/chromium";
for (const [file, what] of [
  [exe, "build it first: cargo build --release"],
  [chromium, "install Debian's chromium, or name one in CHROMIUM"],
]) {
  if (!existsSync(file)) throw new Error(`${file} is missing: ${what}`);
}

/** A demo that goes on until it is stopped, with the links it printed. */
export async function startDemo(cities = 3) {
  const dir = mkdtempSync(join(tmpdir(), "liandong-console-"));
  const args = ["--lang", "en", "demo", "--cities", String(cities), "--dir", join(dir, "demo")];
  const child = spawn(exe, args, { stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let said = "";
  child.stdout.on("data", (data) => { out += data; });
  child.stderr.on("data", (data) => { said += data; });
  const begun = Date.now();
  while (!/status --profile .*\n/.test(out)) {
    if (child.exitCode !== null) throw new Error(`the demo ended: ${said.slice(-2000)}`);
    if (Date.now() - begun > 180_000) throw new Error(`the demo is not ready: ${said.slice(-2000)}`);
    await pause(100);
  }
  const links = {};
  const names = { Liaocheng: LIAOCHENG, Handan: HANDAN, Puyang: PUYANG };
  for (const [, name, link] of out.matchAll(/^ +(\S+) +(http:\S+)$/gm)) {
    if (names[name]) links[names[name]] = link;
  }
  const folder = (city) => join(dir, "demo", city);
  const api = (city) =>
    readFileSync(join(folder(city), "client.toml"), "utf8").match(/api = "([^"]+)"/)[1];
  const cli = (city, ...words) =>
    execFileSync(exe, [...words, "--profile", join(folder(city), "client.toml")],
      { encoding: "utf8" });
  const stop = async () => {
    child.kill("SIGTERM");
    while (child.exitCode === null && child.signalCode === null) await pause(50);
    rmSync(dir, { recursive: true, force: true });
  };
  return { dir, links, folder, api, cli, stop, exe };
}

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** A browser with a profile of its own; nothing is ignored that a person would be warned of. */
export async function startBrowser(home) {
  return puppeteer.launch({
    executablePath: chromium,
    headless: true,
    env: { ...process.env, HOME: home ?? mkdtempSync(join(tmpdir(), "liandong-home-")) },
    args: ["--no-sandbox", "--lang=zh-CN"],
  });
}

/** A page in Chinese that fails the test on any error of its own or of the policy of contents. */
export async function openPage(browser, lang = "zh-CN") {
  const page = await browser.newPage();
  await page.setViewport({ width: 1280, height: 900 });
  await page.setExtraHTTPHeaders({ "accept-language": lang });
  page.wrong = [];
  page.on("pageerror", (error) => page.wrong.push(error.message));
  page.on("console", (line) => {
    if (/Content Security Policy|Refused to/i.test(line.text())) page.wrong.push(line.text());
  });
  page.on("dialog", async (dialog) => {
    page.wrong.push(`a dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  return page;
}

/** Comes in by the one-time link. */
export async function enter(page, link) {
  await page.goto(link, { waitUntil: "domcontentloaded" });
  await page.waitForSelector("main h1");
}

export const text = (page, selector = "main") =>
  page.$eval(selector, (one) => one.innerText);

/** Opens a folded form, fills it in and sends it; comes back with the page that follows. */
export async function send(page, form, fields) {
  // A page behind another one is not drawn, and cannot be clicked.
  await page.bringToFront();
  await page.waitForSelector(`#act-${form}`);
  await page.$eval(`#act-${form}`, (one) => { one.open = true; });
  for (const [name, value] of Object.entries(fields)) {
    const field = `#${form}-${name}`;
    const kind = await page.$eval(field, (one) => one.tagName + (one.type ?? ""));
    if (kind.startsWith("SELECT")) await page.select(field, value);
    else if (kind.endsWith("date")) {
      await page.$eval(field, (one, value) => { one.value = value; }, value);
    } else await page.type(field, value);
  }
  await Promise.all([
    page.waitForNavigation({ waitUntil: "load" }),
    page.click(`#act-${form} button[name=go]`),
  ]);
}

/** Waits until a part of a page holds a text, without ever reloading it. */
export async function becomes(page, selector, wanted, within = 20_000) {
  await page.waitForFunction(
    (selector, wanted) => document.querySelector(selector)?.innerText.includes(wanted),
    { timeout: within, polling: 20 }, selector, wanted);
}

/** What axe finds wrong of WCAG 2 A and AA. */
export async function violations(page) {
  await page.evaluate(AXE);
  const found = await page.evaluate(() => window.axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
  }));
  return found.violations.map((one) =>
    `${page.url()} ${one.id}: ${one.nodes.map((node) => node.html).slice(0, 3).join(" | ")}`);
}

/** A home folder whose browser has a person's certificate and trusts the city's CA. */
export function homeOf(demo, city, role) {
  const home = mkdtempSync(join(demo.dir, `home-${role}-`));
  const store = join(home, ".pki/nssdb");
  mkdirSync(store, { recursive: true });
  const certs = join(demo.folder(city), "certs");
  const run = (...words) => execFileSync(words[0], words.slice(1), { stdio: "pipe" });
  run("certutil", "-d", `sql:${store}`, "-N", "--empty-password");
  run("certutil", "-d", `sql:${store}`, "-A", "-t", "C,,", "-n", "ca", "-i", join(certs, "ca.pem"));
  const p12 = join(home, "person.p12");
  run("openssl", "pkcs12", "-export", "-inkey", join(certs, `${role}.key`), "-in",
    join(certs, `${role}.pem`), "-name", role, "-passout", "pass:x", "-out", p12);
  run("pk12util", "-d", `sql:${store}`, "-i", p12, "-W", "x");
  return home;
}

/** Lets the browser choose a certificate without asking; Chromium reads that from here only. */
export function chooseCertificates() {
  const folder = "/etc/chromium/policies/managed";
  const policy = JSON.stringify({
    AutoSelectCertificateForUrls: ['{"pattern":"https://localhost","filter":{}}'],
  });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "liandong-tests.json"), policy);
}
