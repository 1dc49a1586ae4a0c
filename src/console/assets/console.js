// Keeps an open page up to date. Pages work without it: then a reload shows what is new.
// Part of liandong, Apache-2.0.
"use strict";

(() => {
  const live = document.getElementById("live");
  const main = () => document.getElementById("main");
  if (!live || !window.EventSource) return;

  // Somebody who types or has a part of the page open keeps it as it is, and is told.
  let touched = false;
  document.addEventListener("input", (event) => {
    if (event.target.closest("main")) touched = true;
  });
  const busy = () => touched || main().contains(document.activeElement) &&
    document.activeElement.matches("input, textarea, select, form *");

  // A page that changes by itself can be told not to (WCAG 2.2, 2.2.2); kept for the tab.
  const PAUSED = "paused";
  let paused = sessionStorage.getItem(PAUSED) === "1";
  const pause = document.createElement("button");
  pause.type = "button";
  pause.className = "plain pause noprint";
  const say = () => { pause.textContent = paused ? live.dataset.go : live.dataset.pause; };
  pause.addEventListener("click", () => {
    paused = !paused;
    sessionStorage.setItem(PAUSED, paused ? "1" : "");
    say();
    if (!paused) renew();
  });
  say();
  document.body.append(pause);

  // The keyboard's place: what has no id is known by what it is, what it says and which it is of
  // those that say the same.
  const alike = (like) => [...main().querySelectorAll(like.tagName)].filter((one) =>
    one.textContent === like.textContent && one.getAttribute("href") === like.getAttribute("href"));
  function place() {
    const at = document.activeElement;
    if (!at || at === main() || !main().contains(at)) return () => {};
    const nth = alike(at).indexOf(at);
    return () => {
      const same = (at.id && document.getElementById(at.id)) || alike(at)[nth] || alike(at)[0];
      (same || main()).focus({ preventScroll: true });
    };
  }

  let fetching = false;
  let again = false;
  let waiting = false;
  async function renew() {
    // What somebody typed and sent stands on this page alone: it stays until they are done.
    if (live.dataset.typed) return;
    // Nobody looks at a page behind others: it is renewed when it comes to the front.
    if (document.hidden) { waiting = true; return; }
    // What has been offered is not looked at again.
    if (live.dataset.offered && main().querySelector("[data-still]")) return;
    if (fetching) { again = true; return; }
    fetching = true;
    let pause = 0;
    try {
      const begun = performance.now();
      const answer = await fetch(live.dataset.here || location.href, { headers: { "x-live": "1" } });
      // The node has too much to do: what is new now is asked for a little later.
      if (answer.status === 503) { again = true; pause = 1000; return; }
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      // A page that takes long to make, such as a map, is asked for half of the time at most.
      pause = performance.now() - begun;
      const fresh = page.getElementById("main");
      if (!fresh || unticked(fresh.innerHTML) === unticked(main().innerHTML)) return;
      // A map is read from many pages: it is made again when somebody asks for it.
      if (paused || busy() || main().querySelector("[data-still]")) { offer(); return; }
      const open = [...main().querySelectorAll("details[open][id]")].map((one) => one.id);
      const back = place();
      main().replaceChildren(...fresh.childNodes);
      for (const id of open) document.getElementById(id)?.setAttribute("open", "");
      back();
      document.getElementById("news").textContent = live.dataset.renewed + new Date().toLocaleTimeString();
      main().dataset.renewed = String(Number(main().dataset.renewed || 0) + 1);
    } catch {
      // The stream of events tells when the node is there again.
    } finally {
      setTimeout(() => {
        fetching = false;
        if (again) { again = false; renew(); }
      }, pause);
    }
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && waiting) { waiting = false; renew(); }
  });

  // Each page has request ids of its own; they are no news.
  function unticked(html) {
    return html.replace(/name="request_id" value="[^"]*"/g, "").replace(/ open=""/g, "");
  }

  function offer() {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "plain";
    button.textContent = live.dataset.show;
    button.addEventListener("click", () => { location.href = live.dataset.here || location.href.split("#")[0]; });
    live.replaceChildren(live.dataset.new, button);
    live.dataset.offered = "1";
  }

  // Not every browser unfolds what a link leads into.
  const wanted = location.hash.startsWith("#do-") && document.getElementById(location.hash.slice(1));
  if (wanted) {
    wanted.closest("details").open = true;
    wanted.scrollIntoView({ block: "nearest" });
  }

  let first = true;
  const events = new EventSource("/events");
  // A page that is left must not keep a connection: a browser has only six for one address.
  window.addEventListener("pagehide", () => events.close());
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  events.addEventListener("applied", () => {
    if (live.dataset.state === "lost") { live.dataset.state = ""; live.textContent = ""; }
    // The page that begins to listen was made a moment ago.
    if (first) { first = false; return; }
    renew();
  });
  events.addEventListener("error", () => {
    live.dataset.state = "lost";
    // A stream that was refused is not tried again: only a fresh page can tell why.
    const over = events.readyState === EventSource.CLOSED;
    if (over) { live.dataset.state = "over"; offer(); live.firstChild.data = live.dataset.over; }
    else live.textContent = live.dataset.lost;
    delete live.dataset.offered;
    first = false;
  });

  document.addEventListener("submit", (event) => {
    // Sent now, the form would be gone with all that was typed, and nobody would know what of it
    // has arrived.
    if (live.dataset.state === "lost" && event.target.method === "post") {
      event.preventDefault();
      live.textContent = live.dataset.keep;
      return;
    }
    // A second click sends nothing twice; the request id would make it harmless anyway.
    const button = event.submitter;
    if (button) setTimeout(() => { button.disabled = true; }, 0);
  });
})();
