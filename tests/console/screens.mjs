// Takes the pictures of the README: node screens.mjs, in this folder, after a release build.
import { mkdirSync } from "node:fs";
import { LIAOCHENG, enter, openPage, startBrowser, startDemo } from "./world.mjs";

const out = "../../docs/screens";
mkdirSync(out, { recursive: true });
const demo = await startDemo(5);
const browser = await startBrowser();
try {
  const page = await openPage(browser);
  await page.setViewport({ width: 1200, height: 760 });
  await enter(page, demo.links[LIAOCHENG]);
  const take = (name) => page.screenshot({ path: `${out}/${name}.png` });
  await take("inbox");
  const first = async (path, of) => {
    await page.goto(new URL(path, demo.links[LIAOCHENG]).href, { waitUntil: "load" });
    const href = await page.$$eval("tbody tr", (rows, of) => (rows.find((row) =>
      row.innerText.includes(of)) ?? rows[0]).querySelector("a").href, of);
    await page.goto(href, { waitUntil: "load" });
  };
  await first("/cases", "已接收");
  await take("case");
  await first("/plans", "确认中");
  await take("plan");
} finally {
  await browser.close();
  await demo.stop();
}
