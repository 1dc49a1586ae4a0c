// The tour of a README, taken as it is written: what is bold is clicked, `field: value` is filled
// in, `2 × word` ticks the first two boxes of that word, "…" stands for the last that begins so and
// for the same one afterwards, and what is in italics must then stand on the page. The bold name of
// a city turns to its window; several in a row are taken in turn.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { pause } from "./world.mjs";

const MARK = /\*\*([^*]+)\*\*|\*([^*]+)\*|`([^`]+)`/g;

/** The numbered steps of the tour that a file has: of each its marks, in their order. */
export function stepsOf(file, heading) {
  const text = readFileSync(file, "utf8");
  const section = text.split(/^## /m).find((one) => one.startsWith(heading));
  assert.ok(section, `${file} has no "${heading}"`);
  const steps = section.split(/^(?=\d+\. )/m).slice(1).map((one) => one.split("\n\n")[0]);
  return steps.map((step, nth) => {
    assert.ok(step.startsWith(`${nth + 1}. `), `${file}: ${step}`);
    return [...step.replace(/\s+/g, " ").matchAll(MARK)].map(([, click, sees, fill]) =>
      click ? { click } : sees ? { sees } : { fill });
  });
}

/** Marks by the windows that they are for. */
function turns(marks, windows) {
  const all = [];
  for (const mark of marks) {
    if (!windows[mark.click]) {
      assert.ok(all.length, `no window is named before ${JSON.stringify(mark)}`);
      all.at(-1).marks.push(mark);
    } else if (all.length && !all.at(-1).marks.length) all.at(-1).windows.push(mark.click);
    else all.push({ windows: [mark.click], marks: [] });
  }
  return all;
}

/** Marks what is meant with an attribute, and says of what kind it is; run in the page. */
function find(word, known, kind) {
  document.querySelectorAll("[data-tour]").forEach((one) => one.removeAttribute("data-tour"));
  const shows = (one) => one.checkVisibility({ contentVisibilityAuto: true }) &&
    !one.closest("details:not([open]) > :not(summary)");
  const said = (one) => (one.innerText ?? "").trim();
  const found = (one, what) => {
    one.setAttribute("data-tour", "");
    return { what, text: said(one), href: one.href ?? "" };
  };
  if (kind === "field") {
    const label = [...document.querySelectorAll("main label[for]")]
      .find((one) => shows(one) && said(one).startsWith(word));
    return label && found(document.getElementById(label.htmlFor), "field");
  }
  const [begin, end] = word.split("…");
  const wanted = known ?? begin;
  const fits = (text) => known || end !== undefined ? text.includes(wanted) && 2 :
    text === wanted ? 0 : text.startsWith(wanted) ? 1 : text.includes(wanted) && 2;
  const all = ["button", "summary", "a", "label"].flatMap((tag, order) =>
    [...document.querySelectorAll(tag)].filter(shows).map((one) =>
      ({ one, tag, order, rank: fits(said(one)) })));
  all.sort((a, b) => a.rank - b.rank || a.order - b.order);
  const able = all.filter((one) => one.rank !== false);
  // Of several that "…" leaves open it is the last.
  const [first] = able;
  const best = end === undefined || known ? first :
    able.findLast((one) => one.rank === first.rank && one.order === first.order);
  return best && found(best.one, best.tag);
}

export class Tour {
  /** `windows`: a page for each city, by what the README calls it. */
  constructor(windows) {
    this.windows = windows;
    /** What "LD-聊邯-…" came to, and where it leads. */
    this.known = {};
    this.led = {};
  }

  async step(marks) {
    for (const { windows, marks: own } of turns(marks, this.windows)) {
      for (const name of windows) {
        const page = this.windows[name];
        await page.bringToFront();
        for (const mark of own) {
          try {
            if (mark.sees) await this.see(page, mark.sees);
            else if (mark.fill) await this.fill(page, mark.fill);
            else await this.click(page, mark.click);
          } catch (error) {
            const shown = await page.$eval("body", (one) => one.innerText);
            throw new Error(`${name}: ${JSON.stringify(mark)}: ${error.message}\n${shown}`);
          }
        }
      }
    }
  }

  /** Waits for what is meant to be there, without reloading anything. */
  async find(page, word, kind) {
    for (let tries = 0; tries < 200; tries += 1) {
      const found = await page.evaluate(find, word, this.known[word], kind).catch(() => null);
      if (found) return found;
      await pause(100);
    }
    throw new Error("it is not there");
  }

  async click(page, word) {
    const { what, text, href } = await this.find(page, word, "click");
    if (word.includes("…") && !this.known[word]) {
      this.known[word] = text.split(" ")[0];
      this.led[word] = href;
    }
    const goes = what === "a" || what === "button";
    const gone = goes ? page.waitForNavigation({ waitUntil: "load" }) : null;
    await Promise.all([gone, page.click("[data-tour]")]);
  }

  async see(page, word) {
    const wanted = this.known[word] ?? word;
    assert.ok(!wanted.includes("…"), `${word} is not known yet`);
    // What may be chosen is not what is so.
    await page.waitForFunction((wanted) => [...document.querySelectorAll("main *")].some((one) =>
      !one.closest("select, label") && !one.querySelector("select") &&
        one.innerText?.includes(wanted)), { timeout: 20_000, polling: 100 }, wanted);
  }

  async fill(page, mark) {
    const many = mark.match(/^(\d+) × (.+)$/);
    if (many) {
      const [count, word] = [Number(many[1]), many[2]];
      const ticked = await page.$$eval("main details[open] label", (all, word, count) => {
        const own = all.filter((one) => one.innerText.trim().startsWith(word) && one.control);
        own.slice(0, count).forEach((one) => one.click());
        return own.filter((one) => one.control.checked).length;
      }, word, count);
      assert.equal(ticked, count, `${word} to tick`);
      return;
    }
    const [label, value] = mark.split(/: (.*)/);
    await this.find(page, label, "field");
    const options = await page.$eval("[data-tour]", (one) =>
      [...one.options ?? []].map((one) => [one.innerText.trim(), one.value]));
    if (!options.length) {
      await page.type("[data-tour]", value);
      return;
    }
    const chosen = options.find(([said]) => said === value);
    assert.ok(chosen, `${value} is none of ${options.map(([said]) => said)}`);
    await page.select("[data-tour]", chosen[1]);
  }
}
