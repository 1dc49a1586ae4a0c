// The console in a real browser: the tour of each README step by step, then what must not happen.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  HANDAN, LIAOCHENG, PUYANG, becomes, chooseCertificates, enter, homeOf, openPage, pause, send,
  startBrowser, startDemo, text, violations,
} from "./world.mjs";
import { Tour, stepsOf } from "./tour.mjs";

let demo;
let browsers = {};
let pages = {};
const wrong = () => Object.values(pages).flatMap((page) => page.wrong);

after(async () => {
  for (const browser of Object.values(browsers)) await browser.close();
  await demo?.stop();
});

/** The address of a path on the console of a city. */
const at = (city, path) => new URL(path, demo.links[city]).href;
const go = (city, path) => pages[city].goto(at(city, path), { waitUntil: "load" });

/** Where a city's console is for who has a certificate. */
const secure = (city) => `https://localhost:${demo.api(city).split(":")[1]}`;

/** A browser with a person's certificate, and its page. */
async function known(city, role, lang) {
  chooseCertificates();
  const name = `${role}-${city}`;
  browsers[name] = await startBrowser(homeOf(demo, city, role));
  pages[name] = await openPage(browsers[name], lang);
  return pages[name];
}

/** A demo as README begins it, and a window for each city of the tour: its link opens it, or the
 *  certificate of a coordinator, as in earnest. */
async function open(lang, certified) {
  await close();
  demo = await startDemo(5);
  const windows = [];
  for (const city of [LIAOCHENG, HANDAN, PUYANG]) {
    if (certified) {
      windows.push(await known(city, "coordinator", lang));
      await windows.at(-1).goto(`${secure(city)}/`, { waitUntil: "load" });
      continue;
    }
    browsers[city] = await startBrowser();
    windows.push(pages[city] = await openPage(browsers[city], lang));
    await enter(pages[city], demo.links[city]);
  }
  return windows;
}

async function close() {
  if (!demo) return;
  assert.deepEqual(wrong(), []);
  for (const browser of Object.values(browsers)) await browser.close();
  browsers = {};
  pages = {};
  await demo.stop();
  demo = undefined;
}

/** The case that was handed over: its page and its number. */
let handed;

const TOURS = [
  ["../../README.md", "A tour in the browser", "en", ["Liaocheng", "Handan", "Puyang"]],
  ["../../README.zh-CN.md", "在浏览器中走一遍", "zh-CN", ["聊城", "邯郸", "濮阳"]],
];
for (const [file, heading, lang, names] of TOURS) {
  const steps = stepsOf(file, heading);
  let tour;
  let failed = true;
  test(`the tour of ${file} has its steps and begins`, { timeout: 240_000 }, async () => {
    assert.equal(steps.length, 6);
    // One of the two with certificates, over TLS and HTTP/2, as whoever uses it in earnest.
    const windows = await open(lang, lang === "en");
    tour = new Tour(Object.fromEntries(names.map((name, nth) => [name, windows[nth]])));
    failed = false;
  });
  steps.forEach((marks, nth) => {
    test(`${file}, step ${nth + 1}`, async () => {
      assert.ok(!failed, "the step before failed");
      failed = true;
      await tour.step(marks);
      failed = false;
    });
  });
  test(`the tour of ${file} is over`, async () => {
    assert.ok(!failed, "a step failed");
    if (lang === "en") return close();
    const [word, href] = Object.entries(tour.led).find(([word]) => word.startsWith("LD-"));
    handed = { path: new URL(href).pathname, number: tour.known[word] };
  });
}

test("a link works once, and nobody comes in without one", async () => {
  const again = await openPage(await browsers[HANDAN].createBrowserContext());
  const answer = await again.goto(demo.links[LIAOCHENG]);
  assert.equal(answer.status(), 403);
  assert.ok((await text(again, "body")).includes("只能用一次"));
  const without = await again.goto(at(LIAOCHENG, "/cases"));
  assert.equal(without.status(), 401);
  await again.close();
  assert.ok((await text(pages[HANDAN], "body")).includes("未使用证书"));
});

test("a wrong field is refused at the field, and what was typed stays", async () => {
  const page = pages[HANDAN];
  await go(HANDAN, handed.path);
  const before = await text(page, ".timeline");
  await send(page, "note", { text: "" });
  assert.equal(await page.$$eval(".refused", (all) => all.length), 1);
  const ahead = "2199-01-01";
  const steps = await page.$$eval("#step-step option", (all) => all.map((one) => one.value));
  const chosen = steps.at(-1);
  await send(page, "step", { step: chosen, effective_on: ahead, text: "先写下的理由" });
  const refused = await text(page, "#act-step .refused");
  assert.ok(refused.includes("操作未执行") && refused.includes("怎么办"), refused);
  assert.ok(await page.$("#step-effective_on-wrong"), "the reason stands at the field");
  assert.equal(await page.$eval("#step-text", (one) => one.value), "先写下的理由");
  assert.equal(await page.$eval("#step-step", (one) => one.value), chosen);
  assert.equal(await page.$eval("#step-effective_on", (one) => one.value), ahead);
  assert.equal(await text(page, ".timeline"), before, "nothing was written");
  // What was typed stays when something else is recorded meanwhile.
  const other = await openPage(browsers[HANDAN]);
  await other.goto(at(HANDAN, handed.path));
  await send(other, "note", { text: "另一页的补充" });
  await page.bringToFront();
  await pause(1_000);
  assert.equal(await page.$eval("#step-text", (one) => one.value), "先写下的理由");
  assert.ok(await page.$("#act-step .refused"));
  await other.close();
});

test("cells pasted out of a spreadsheet are checked row by row and opened", async () => {
  const page = pages[LIAOCHENG];
  await go(LIAOCHENG, "/cases/import");
  const usual = "水\t超标排放水污染物\t2026/8/3 9:48";
  const sheet = "自有系统编号\t案由\t线索来源\t污染要素\t违法类型\t发现时间\n" +
    `粘-1\t示例化工粘贴案\t投诉举报\t${usual}\n粘-2\t示例\t<script>window.hit=1</script>\t${usual}\n`;
  await page.$eval("#import-text", (one, sheet) => { one.value = sheet; }, sheet);
  const agreement = await page.$$eval("#import-agreement option", (all) =>
    all.find((one) => one.textContent.includes("聊邯")).value);
  await page.select("#import-agreement", agreement);
  await Promise.all([page.waitForNavigation(), page.click("button[value=check]")]);
  const checked = await text(page, "[data-still]");
  assert.ok(checked.includes("可登记 1") && checked.includes("CODE_UNKNOWN"), checked);
  assert.equal(await page.evaluate(() => window.hit), undefined);
  assert.deepEqual(await violations(page), []);
  await Promise.all([page.waitForNavigation(), page.click("button[value=import]")]);
  const done = await text(page, "[data-still]");
  assert.ok(done.includes("新登记 1"), done);
  await Promise.all([page.waitForNavigation(), page.click("[data-still] td a")]);
  assert.ok((await text(page)).includes("示例化工粘贴案"));
});

test("a page that renews itself keeps the keyboard's place, and waits if it is told to", async () => {
  const page = pages[HANDAN];
  await go(HANDAN, handed.path);
  const other = await openPage(browsers[HANDAN]);
  await other.goto(at(HANDAN, handed.path));
  const place = () => page.evaluate(() => document.activeElement.textContent);
  await page.evaluate(() => [...document.querySelectorAll("#main summary")].at(-1).focus());
  const before = await place();
  assert.ok(before.length > 0);
  await send(other, "note", { text: "键盘停在原处" });
  await page.bringToFront();
  await becomes(page, "#main", "键盘停在原处");
  assert.equal(await place(), before);
  await page.click("button.pause");
  await send(other, "note", { text: "暂停时的补充" });
  await page.bringToFront();
  await becomes(page, "#live", "有新的变化");
  assert.ok(!(await text(page)).includes("暂停时的补充"));
  assert.deepEqual(await violations(page), []);
  await page.click("button.pause");
  await becomes(page, "#main", "暂停时的补充");
  await other.close();
});

test("a page that is out of date says who was faster, and shows both versions", async () => {
  const page = pages[HANDAN];
  await go(HANDAN, handed.path);
  const other = await openPage(browsers[HANDAN]);
  await other.goto(at(HANDAN, handed.path));
  // Whoever types keeps the page as it is.
  await page.$eval("#act-step", (one) => { one.open = true; });
  await page.type("#step-text", "较早打开的页面");
  await send(other, "step", { text: "" });
  await page.bringToFront();
  await becomes(page, "#live", "有新的变化");
  await Promise.all([page.waitForNavigation(), page.click("#act-step button[name=go]")]);
  const shown = await text(page);
  for (const part of ["其间已有变化：", "您填写时：", "现在：", "邯郸"]) {
    assert.ok(shown.includes(part), `${part}\n${shown.slice(0, 800)}`);
  }
  assert.equal(await page.$eval("#step-text", (one) => one.value), "较早打开的页面");
  await other.close();
});

/** The form of a new joint action, in the agreement of all cities. */
async function chooseAgreement(page) {
  await go(LIAOCHENG, "/plans/new");
  const agreement = await page.$$eval(".matters li", (all) => all
    .find((one) => ["邯郸", "聊城", "濮阳"].every((city) => one.innerText.includes(city)))
    .querySelector("a").href);
  await page.goto(agreement);
}

test("a photograph is sent in, looked at, fetched by the other city and recognised", async () => {
  const [sender, other] = [pages[HANDAN], pages[LIAOCHENG]];
  const photo = join(demo.dir, "现场照片.png");
  await sender.bringToFront();
  await sender.screenshot({ path: photo });
  await go(HANDAN, `${handed.path}/evidence`);
  await sender.$eval("#act-add", (one) => { one.open = true; });
  await sender.type("#add-title", "排口现场照片（示例）");
  await sender.type("#add-id", "E77");
  await sender.select("#add-kind", "3");
  await sender.$eval("#add-collected_on", (one, day) => { one.value = day; },
    new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 10));
  await (await sender.$("#add-file")).uploadFile(photo);
  await Promise.all([sender.waitForNavigation(), sender.click("#act-add button[name=go]")]);
  assert.ok((await text(sender)).includes("E77 排口现场照片"), (await text(sender)).slice(0, 600));
  const drawn = (page) => page.waitForFunction(() =>
    [...document.querySelectorAll("img.photo")].some((one) => one.complete && one.naturalWidth > 9));
  await sender.$eval("img.photo", (one) => one.scrollIntoView());
  await drawn(sender);
  await go(LIAOCHENG, `${handed.path}/evidence`);
  await becomes(other, "#main", "E77 排口现场照片");
  const act = async (form) => {
    const id = await other.evaluate((form) => [...document.querySelectorAll(".visit")]
      .find((one) => one.innerText.includes("E77")).querySelector(`[id^=act-${form}-]`)?.id, form);
    assert.ok(id, `${form}: ${(await text(other)).slice(0, 900)}`);
    await send(other, id.slice(4), {});
  };
  await act("fetch");
  await other.$eval("img.photo", (one) => one.scrollIntoView());
  await drawn(other);
  await act("receive");
  await act("recognise");
  await go(HANDAN, handed.path);
  await becomes(sender, ".timeline", "认可证据");
});

/** Elements that stand out to the right of a page that would scroll sideways. */
async function tooWide(page) {
  // A phone's window grows with what is in it: what counts is the width of the screen.
  return page.evaluate((width) => {
    const { scrollWidth } = document.scrollingElement;
    if (scrollWidth <= Math.min(width, window.innerWidth)) return [];
    const out = [...document.querySelectorAll("body *")].filter((one) =>
      one.getBoundingClientRect().right > width && !one.closest(".scroll"));
    return [`${location.pathname}: ${scrollWidth} of ${width}`,
      ...out.slice(0, 5).map((one) => one.outerHTML.slice(0, 200))];
  }, page.viewport().width);
}

test("pages fit a phone, and results are filled in there", async () => {
  const page = pages[LIAOCHENG];
  await go(LIAOCHENG, "/plans/new");
  const of = await page.$$eval(".matters a", (all) => new URL(all.at(-1).href).search);
  const [running] = await listed("/plans?state=4", "tbody a");
  const [site] = await listed(SITES, SITE);
  const found = [];
  try {
    for (const [width, lang] of [[390, "en"], [320, "en"], [390, "zh-CN"], [320, "zh-CN"]]) {
      await page.setExtraHTTPHeaders({ "accept-language": lang });
      await page.setViewport({ width, height: 740, isMobile: true, hasTouch: true });
      for (const path of ["/", handed.path, `${handed.path}/evidence`, running, "/cases",
        "/cases?party=x", "/plans",
        "/plans/month", "/plans/week", `/cases/new${of}`, `/plans/new${of}`, `/notices/new${of}`,
        `${running}/print/plan`, "/map", "/links", site, `${running}/visits`]) {
        await go(LIAOCHENG, path);
        found.push(...await tooWide(page));
        await page.$$eval("details", (all) => all.forEach((one) => { one.open = true; }));
        found.push(...await tooWide(page), ...await violations(page));
      }
    }
    assert.deepEqual(found, []);
    // On the last page, which is 320 wide: a team arrives, and says what it found.
    const form = async (act, fill) => {
      const id = await page.$eval(`[id^=act-${act}-]`, (one) => { one.open = true; return one.id; });
      await fill(`#${id}`);
      await Promise.all([page.waitForNavigation(), page.tap(`#${id} button[name=go]`)]);
      assert.ok(await page.$(".done"), `${act}: ${(await text(page)).slice(0, 900)}`);
      assert.deepEqual(await tooWide(page), []);
    };
    if (await page.$("[id^=act-arrive-]")) {
      await form("arrive", async (id) => {
        // Those who were drawn.
        const drawn = await page.$eval(id, (one) =>
          one.closest(".visit").querySelector(".told").innerText);
        for (const box of await page.$$(`${id} [type=checkbox]`)) {
          const name = await box.evaluate((one) => one.parentElement.innerText.trim());
          // Where a team has arrived it is ticked already: that is corrected.
          const on = await box.evaluate((one) => one.checked);
          if (drawn.includes(name) && !on) await box.tap();
        }
      });
    }
    await form("report", async (id) => {
      // What was reported before stands there: it is replaced.
      for (const [name, value] of [["items-", "12"], ["problems-", "1"]]) {
        await page.$eval(`${id} [name^=${name}]`, (one, value) => { one.value = value; }, value);
      }
      await page.type(`${id} textarea`, "雨污分流口有油膜，已拍照（示例）");
    });
    assert.ok((await text(page)).includes("12"), await text(page));
  } finally {
    await page.setExtraHTTPHeaders({ "accept-language": "zh-CN" });
    await page.setViewport({ width: 1280, height: 900 });
  }
});

/** Pages of a PDF, as Chromium writes them. */
const sheets = (pdf) => Buffer.from(pdf).toString("latin1").match(/\/Type \/Page\b/g).length;

test("papers print: their sheets, with number, date and room for the seal", async () => {
  const page = pages[LIAOCHENG];
  const [running] = await listed("/plans?state=4", "tbody a");
  const [summed] = await listed("/plans?state=6", "tbody a");
  const [notice] = await listed("/notices", ".matters a");
  const { path: at, number } = handed;
  // Path, what its number begins with, whose seals, and how many sheets at the most.
  const papers = [[`${at}/print/transfer`, number, 1, 2], [`${at}/print/receipt`, number, 1, 1],
    [`${notice}/print/letter`, "[0-9a-f]{8}", 1, 2], [`${running}/print/plan`, "JA-", 2, 4],
    [`${summed}/print/summary`, "JA-", 1, 4], [`${running}/print/field`, "JA-", 0, 0]];
  for (const [path, number, seals, most] of papers) {
    await go(LIAOCHENG, path);
    await page.emulateMediaType("print");
    const shown = await text(page);
    assert.match(shown, new RegExp(`系统编号：${number}\\S*`), path);
    assert.ok(shown.includes("文号（发文单位填写）"), path);
    const seen = (selector) => page.$$eval(selector, (all) =>
      all.filter((one) => one.checkVisibility() && one.getBoundingClientRect().width > 100).length);
    assert.equal(await seen(".seal"), seals, `${path}: room for seals`);
    assert.ok(await seen(".proof .code"), `${path}: its code`);
    const days = await page.$$eval(".signer", (all) => all.map((one) => one.innerText));
    // On a plan the day is filled in by hand.
    for (const day of days) assert.match(day, /(\d{4}|　+)年.+月.+日/, path);
    const kept = await page.$$eval("header, form, .noprint, .demo, #live", (all) =>
      all.filter((one) => one.checkVisibility()).map((one) => one.outerHTML.slice(0, 99)));
    assert.deepEqual(kept, [], `${path}: what is for the screen`);
    const fields = await page.$$eval(".paper", (all) => all.length);
    const count = sheets(await page.pdf({ preferCSSPageSize: true, printBackground: true }));
    // Each sheet for the field is one page.
    if (most === 0) assert.equal(count, fields, path);
    else assert.ok(count >= 1 && count <= most, `${path}: ${count} pages`);
    await page.emulateMediaType(null);
  }
});

test("a map prints with its legend, and says that it has no approval number", async () => {
  const page = pages[LIAOCHENG];
  await go(LIAOCHENG, "/map?shown=1&what=cases&what=sites");
  await page.emulateMediaType("print");
  const seen = await page.$$eval("svg.map, .legend li", (all) =>
    all.filter((one) => one.checkVisibility()).length);
  assert.ok(seen > 3, `${seen} of the map and its legend`);
  assert.ok((await text(page)).includes("审图号"));
  const pdf = await page.pdf({ format: "A4", landscape: true });
  assert.ok(sheets(pdf) >= 1);
  await page.emulateMediaType(null);
});

/** Pages of the records that a list of Liaocheng's console leads to. */
async function listed(path, selector) {
  const page = pages[LIAOCHENG];
  await go(LIAOCHENG, path);
  const paths = await page.$$eval(selector, (all) => all.map((one) => new URL(one.href).pathname));
  return paths.filter((one) => !one.startsWith("/plan-draft/"));
}

/** Where the map's list has sites, and which links there lead to their pages. */
const [SITES, SITE] = ["/map?shown=1&what=sites", "a[href^='/site/']:not(svg *)"];

/** Saves a draft of a joint action, and says where it is. */
async function saveDraft() {
  const page = pages[LIAOCHENG];
  await chooseAgreement(page);
  await page.type("#new-title", "草稿（示例）");
  await Promise.all([page.waitForNavigation(), page.click("button[formaction='/plans/new/draft']")]);
  return new URL(page.url()).pathname;
}

/** Sends a form of a page with something wrong in it; what comes says what, at a field. */
async function refuse(page, action, fields) {
  const sent = page.waitForNavigation({ waitUntil: "load" });
  await page.evaluate((action, fields) => {
    const to = (button) =>
      new URL(button.getAttribute("formaction") ?? button.form.action, location.href).pathname;
    const button = [...document.querySelectorAll("main form button")].find((one) =>
      one.name === "go" && to(one).endsWith(action));
    if (!button) throw new Error(`no form leads to ${action}`);
    button.form.noValidate = true;
    for (const [name, value] of Object.entries(fields)) button.form.elements[name].value = value;
    button.form.requestSubmit(button);
  }, action, fields);
  await sent;
  assert.ok(await page.$(".refused"), `${page.url()} ${action}: it was not refused`);
  return (await page.$("[aria-invalid], .wrong")) !== null;
}

test("no violation of WCAG 2.2 A or AA on any page, in both languages", async () => {
  const page = pages[LIAOCHENG];
  await go(LIAOCHENG, "/plans/new");
  const agreements = await page.$$eval(".matters a", (all) => all.map((one) =>
    new URL(one.href).search));
  assert.equal(agreements.length, 5);
  const forms = agreements.slice(-1).flatMap((of) =>
    ["/cases/new", "/notices/new", "/plans/new"].map((one) => one + of));
  const plans = await listed("/plans", "tbody a");
  const notices = await listed("/notices", ".matters a");
  const draft = await saveDraft();
  const [own] = await listed(`/cases?turn=${LIAOCHENG}&state=2`, "tbody a");
  const [running] = await listed("/plans?state=4", "tbody a");
  const [open] = await listed("/plans?state=1", "tbody a");
  const [site] = await listed(SITES, SITE);
  assert.ok(own && running && open && site && notices.length, `${[own, running, open, notices]}`);
  const ofPlans = ["/draw", "/draw?verify=1", "/revise", "/visits", "/print/plan", "/print/field",
    "/print/summary"];
  const paths = ["/", "/due", "/cases", "/cases?state=99", "/cases?from=x", handed.path,
    `${own}/correct`,
    `${handed.path}/evidence`, `${handed.path}/print/transfer`, `${handed.path}/print/receipt`,
    "/notices", ...notices.slice(0, 2), ...notices.slice(0, 1).map((one) => `${one}/print/letter`),
    "/plans", "/plans?from=x", "/plans/month", "/plans/week", draft, ...plans,
    ...plans.slice(0, 3).concat(running).flatMap((one) => ofPlans.map((what) => one + what)),
    "/plans/new", "/cases/new", "/notices/new", ...forms, "/cases/import", "/links", "/nowhere",
    "/map", "/map?choose=1&shown=1&what=cases&what=sites",
    "/map?shown=1&what=sites&what=visits&zoom=2", site];
  const bad = { first: "2099-12-09", last: "2099-12-01" };
  const refused = [[forms[0], "/cases/new", {}], [forms[1], "/notices/new", {}],
    [forms[2], "/plans/new", bad], [draft, draft, bad], [own, "/step", { effective_on: "2199-01-01" }],
    [`${own}/correct`, "/correct", { "record.title": "" }],
    [`${own}/evidence`, "/add", {}], [open, "/answer", { kind: "5", periods: "x" }],
    [`${running}/visits`, "/report", { samples: "-3" }]];
  const found = [];
  for (const lang of ["zh-CN", "en"]) {
    await page.setExtraHTTPHeaders({ "accept-language": lang });
    const look = async () => {
      await page.$$eval("details", (all) => all.forEach((one) => { one.open = true; }));
      found.push(...await violations(page));
    };
    for (const path of paths) {
      await go(LIAOCHENG, path);
      await look();
    }
    assert.equal(await page.$eval("html", (one) => one.lang), lang);
    for (const [path, action, fields] of refused) {
      await go(LIAOCHENG, path);
      assert.ok(await refuse(page, action, fields), `${path} ${action}: not at a field`);
      await look();
    }
  }
  await page.setExtraHTTPHeaders({ "accept-language": "zh-CN" });
  assert.deepEqual(found, []);
});

test("script in any field of any form is shown as text", async () => {
  const evil = `"><img src=x onerror="window.hit=1"><script>window.hit=1</script>'`;
  const page = pages[HANDAN];
  await go(HANDAN, handed.path);
  const forms = await page.$$eval("details.act", (all) => all.map((one) => one.id.slice(4)));
  assert.ok(forms.length >= 3, forms.join());
  for (const form of forms) {
    await go(HANDAN, handed.path);
    if (!await page.$(`#act-${form}`)) continue; // A step before has changed what may be done.
    await page.$$eval(`#act-${form} textarea, #act-${form} input[type=text]`, (all, evil) =>
      all.forEach((one) => { one.value = evil; }), evil);
    await Promise.all([
      page.waitForNavigation(),
      page.$eval(`#act-${form} form`, (one) => one.requestSubmit()),
    ]);
    assert.equal(await page.evaluate(() => window.hit), undefined, form);
  }
  const looked = [[HANDAN, handed.path], [LIAOCHENG, handed.path], [HANDAN, "/"], [HANDAN, "/cases"],
    [LIAOCHENG, `/cases?party=${encodeURIComponent(evil)}`],
    [LIAOCHENG, `/plans/new?agreement=${encodeURIComponent(evil)}`],
    [LIAOCHENG, `/${encodeURIComponent(evil)}`]];
  for (const [city, path] of looked) {
    await go(city, path);
    await pause(200);
    assert.equal(await pages[city].evaluate(() => window.hit), undefined, path);
  }
  await go(LIAOCHENG, handed.path);
  await becomes(pages[LIAOCHENG], ".timeline", "<script>window.hit=1</script>");
  const plan = pages[LIAOCHENG];
  await chooseAgreement(plan);
  await plan.$$eval("#new input[type=text], #new textarea", (all, evil) =>
    all.forEach((one) => { one.value = evil; }), evil);
  await plan.select("#new-kind", "5");
  await Promise.all([plan.waitForNavigation(), plan.click("button[name=look]")]);
  await Promise.all([plan.waitForNavigation(), plan.click(".done li button")]);
  await Promise.all([plan.waitForNavigation(), plan.click("button[value=new]")]);
  const path = new URL(plan.url()).pathname;
  assert.ok(path.startsWith("/plan/"), (await text(plan)).slice(0, 500));
  for (const where of [path, "/plans", "/plans/month", "/"]) {
    await go(LIAOCHENG, where);
    assert.equal(await plan.evaluate(() => window.hit), undefined, where);
  }
});

test("a write from another site is refused", async () => {
  const page = pages[HANDAN];
  await go(HANDAN, "/");
  const cookies = (await browsers[HANDAN].cookies()).map((one) => `${one.name}=${one.value}`);
  const ask = (headers) => fetch(at(HANDAN, `${handed.path}/note`), {
    method: "POST", redirect: "manual", body: new URLSearchParams({ text: "x", request_id: "evil" }),
    headers: { cookie: cookies.join("; "), ...headers },
  });
  for (const headers of [{}, { origin: "https://evil.example" }, { "sec-fetch-site": "cross-site" }]) {
    assert.equal((await ask(headers)).status, 403, JSON.stringify(headers));
  }
  const own = await ask({ origin: new URL(demo.links[HANDAN]).origin });
  assert.equal(own.status, 303, "the same from a page of its own is taken");
});

test("with certificates: a case is handed over between two cities' consoles", async () => {
  const people = {};
  for (const city of [LIAOCHENG, HANDAN]) {
    people[city] = await known(city, "coordinator");
    await people[city].goto(`${secure(city)}/`, { waitUntil: "load" });
    assert.ok((await text(people[city], "header")).includes("联络员"));
    assert.ok(!(await text(people[city], "body")).includes("未使用证书"));
    const spoken = await people[city].evaluate(() =>
      performance.getEntriesByType("navigation")[0].nextHopProtocol);
    assert.equal(spoken, "h2", "over TLS a browser speaks HTTP/2");
  }
  const { [LIAOCHENG]: giver, [HANDAN]: taker } = people;
  // A case that Liaocheng may hand over to Handan.
  await giver.goto(`${secure(LIAOCHENG)}/cases`, { waitUntil: "load" });
  const all = await giver.$$eval("tbody a[href^='/case/']", (all) => all.map((one) => one.href));
  let number;
  for (const href of new Set(all)) {
    await giver.goto(href, { waitUntil: "load" });
    if (!await giver.$("#offer-to_city option[value='130400']")) continue;
    number = (await text(giver, "h1")).match(/LD-\S+/)?.[0];
    break;
  }
  assert.ok(number, `none of ${all.length} cases may be handed over`);
  const { pathname } = new URL(giver.url());

  // Nobody touches the other window: it comes there by itself.
  await taker.bringToFront();
  await send(giver, "offer", { to_city: "130400", text: "凭证书移送（示例）" });
  assert.ok((await text(giver)).includes("已移送待接收"));
  await becomes(taker, "main", number);
  await giver.goto(`${secure(LIAOCHENG)}${pathname}`, { waitUntil: "load" });
  await taker.goto(`${secure(HANDAN)}${pathname}`, { waitUntil: "load" });
  // A wrong date is refused at its field, and nothing is written.
  await send(taker, "accept", { effective_on: "2199-01-01", text: "先写下的理由" });
  assert.ok(await taker.$("#accept-effective_on-wrong"), "the reason stands at the field");
  assert.equal(await taker.$eval("#accept-text", (one) => one.value), "先写下的理由");
  await taker.goto(`${secure(HANDAN)}${pathname}`, { waitUntil: "load" });
  await send(taker, "accept", { text: "凭证书接收（示例）" });
  assert.ok((await text(taker)).includes("现由 邯郸 处理"));
  await giver.bringToFront();
  await becomes(giver, "main", "现由 邯郸 处理");

  // Its letter prints.
  await giver.goto(`${secure(LIAOCHENG)}${pathname}/print/transfer`, { waitUntil: "load" });
  assert.ok((await text(giver, "body")).includes(number));
  assert.ok(sheets(await giver.pdf({ preferCSSPageSize: true })) >= 1);
  for (const page of Object.values(people)) assert.deepEqual(page.wrong, []);
});

test("with a certificate: who may do what, a lost connection, and no way in without", async () => {
  const page = await known(LIAOCHENG, "auditor");
  await page.goto(`${secure(LIAOCHENG)}${handed.path}`, { waitUntil: "load" });
  assert.ok((await text(page, "header")).includes("审计"));
  assert.ok((await text(page)).includes("您的身份只能查看"));
  assert.equal(await page.$("details.act"), null, "no button");
  const refused = await page.evaluate(async (path) => {
    const body = new URLSearchParams({ text: "x", request_id: "auditor" });
    const answer = await fetch(`${path}/note`, { method: "POST", body });
    return [answer.status, await answer.text()];
  }, handed.path);
  assert.equal(refused[0], 422);
  assert.ok(refused[1].includes("ROLE_NOT_ALLOWED"), refused[1].slice(0, 500));

  // The node is killed and comes back.
  const status = JSON.parse(demo.cli(LIAOCHENG, "--json", "status"));
  process.kill(status.pid, "SIGKILL");
  await becomes(page, "#live", "连接中断");
  // Nothing is sent meanwhile, and the page stays with all that is on it.
  await page.click("header form button.plain");
  await becomes(page, "#live", "尚未提交");
  const config = join(demo.folder(LIAOCHENG), "liandong.toml");
  const again = spawn(demo.exe, ["serve", "--config", config], { stdio: "ignore" });
  try {
    await page.waitForFunction(() => document.querySelector("#live").innerText === "",
      { timeout: 30_000 });
    // What the demo alone may do.
    const lone = spawn(demo.exe, ["serve", "--config", config, "--newcomers", "127.0.0.1:0",
      "--newcomers-as", join(demo.folder(LIAOCHENG), "certs/coordinator.pem")], { stdio: "pipe" });
    const code = await new Promise((done) => lone.on("exit", done));
    assert.equal(code, 2, "serve opens no door for newcomers");
  } finally {
    again.kill("SIGTERM");
    await new Promise((done) => again.on("exit", done));
  }
});

test("nothing went wrong on any page meanwhile", () => {
  assert.deepEqual(wrong(), []);
});
