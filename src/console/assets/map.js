// Moves and enlarges the map. Without it the links above the map do.
// Part of liandong, Apache-2.0.
"use strict";

(() => {
  const picture = () => document.getElementById("map-picture");
  const box = (svg) => svg.viewBox.baseVal;
  const WIDE = 1000;
  const TALL = 640;
  let settling = 0;
  let round = 0;

  // The page has what is in the picture, as large as it is to be; so a moved picture is asked for.
  function settle(after) {
    clearTimeout(settling);
    settling = setTimeout(renew, after);
  }

  async function renew() {
    const svg = picture();
    if (!svg) return;
    const seen = box(svg);
    const data = svg.dataset;
    const lon = Number(data.lon) + (seen.x + seen.width / 2 - WIDE / 2) * Number(data.east);
    const lat = Number(data.lat) - (seen.y + seen.height / 2 - TALL / 2) * Number(data.north);
    const zoom = Math.min(64, Math.max(1, Number(data.zoom) * WIDE / seen.width));
    const here = new URL(location.href);
    here.searchParams.set("x", lon.toFixed(5));
    here.searchParams.set("y", lat.toFixed(5));
    here.searchParams.set("zoom", zoom.toFixed(2));
    await show(here);
  }

  async function show(address) {
    const mine = ++round;
    // What is ticked stays so.
    if (document.getElementById("picks")) {
      address.searchParams.delete("pick");
      for (const one of document.querySelectorAll("#picks [name=pick]:checked")) {
        address.searchParams.append("pick", one.value);
      }
    }
    try {
      const answer = await fetch(address, { headers: { "x-live": "1" } });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("map");
      if (!fresh || mine !== round) return;
      const focus = document.activeElement?.id;
      document.getElementById("map").replaceWith(fresh);
      history.replaceState(null, "", address);
      for (const name of ["x", "y", "zoom"]) {
        const field = document.querySelector(`#map-filter [name="${name}"]`);
        if (field) field.value = address.searchParams.get(name) || "";
      }
      if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
    } catch {
      // The picture stays as it is; the line at the top tells that the node is away.
    }
  }

  function shift(svg, right, down) {
    const seen = box(svg);
    seen.x += right;
    seen.y += down;
  }

  // Enlarges around a place of the picture, given as shares of its width and height.
  function enlarge(svg, by, across, down) {
    const seen = box(svg);
    const zoom = Number(svg.dataset.zoom) * WIDE / seen.width;
    const wanted = Math.min(64, Math.max(1, zoom * by));
    const wide = seen.width * zoom / wanted;
    const tall = seen.height * zoom / wanted;
    seen.x += (seen.width - wide) * across;
    seen.y += (seen.height - tall) * down;
    seen.width = wide;
    seen.height = tall;
  }

  let drag = null;
  let dragged = false;
  document.addEventListener("pointerdown", (event) => {
    const svg = event.target.closest?.("#map-picture");
    dragged = false;
    if (!svg || event.button !== 0 || event.pointerType === "touch") return;
    drag = { svg, x: event.clientX, y: event.clientY };
  });
  document.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const [right, down] = [drag.x - event.clientX, drag.y - event.clientY];
    if (!dragged && Math.hypot(right, down) < 5) return;
    dragged = true;
    clearTimeout(settling);
    const scale = box(drag.svg).width / drag.svg.clientWidth;
    shift(drag.svg, right * scale, down * scale);
    drag.x = event.clientX;
    drag.y = event.clientY;
  });
  document.addEventListener("pointerup", () => {
    if (drag && dragged) settle(50);
    drag = null;
  });
  document.addEventListener("dragstart", (event) => {
    if (event.target.closest?.("#map-picture")) event.preventDefault();
  });
  // What was dragged was not meant to be followed.
  document.addEventListener("click", (event) => {
    if (dragged && event.target.closest?.("#map-picture")) event.preventDefault();
    dragged = false;
    const link = event.target.closest?.(".controls a[id]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      clearTimeout(settling);
      show(new URL(link.href));
    }
  }, true);

  document.addEventListener("wheel", (event) => {
    const svg = event.target.closest?.("#map-picture");
    // A page is scrolled over a map that nobody has turned to.
    if (!svg || !svg.contains(document.activeElement) && !event.ctrlKey) return;
    event.preventDefault();
    const edge = svg.getBoundingClientRect();
    const across = (event.clientX - edge.left) / edge.width;
    enlarge(svg, Math.pow(1.0018, -event.deltaY), across, (event.clientY - edge.top) / edge.height);
    settle(300);
  }, { passive: false });

  const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  document.addEventListener("keydown", (event) => {
    const svg = picture();
    if (!svg || !svg.contains(document.activeElement)) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const way = KEYS[event.key];
    if (way) shift(svg, way[0] * box(svg).width / 8, way[1] * box(svg).height / 8);
    else if (event.key === "+" || event.key === "=") enlarge(svg, 1.5, 0.5, 0.5);
    else if (event.key === "-") enlarge(svg, 1 / 1.5, 0.5, 0.5);
    else if (event.key === "0") { document.getElementById("map-whole")?.click(); return; }
    else return;
    event.preventDefault();
    settle(250);
  });
  document.documentElement.classList.add("scripting");
})();
