"use strict";

// Strips of days: the pointer and the arrow keys go from day to day, and a tip says what a day was like.
(() => {
  const WORDS = { u: "unknown", o: "operational", d: "degraded", p: "partial_outage", m: "major_outage", w: "maintenance" };
  const SVG = "http://www.w3.org/2000/svg";
  const WIDTH = 6, GAP = 2, HEIGHT = 28;
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  document.body.append(tip);
  let shown = null;

  function dayOf(strip, place) {
    const last = new Date(`${strip.dataset.lastDay}T00:00:00Z`);
    last.setUTCDate(last.getUTCDate() - (strip.dataset.bars.length - 1 - place));
    return new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" }).format(last);
  }

  function noteOf(strip, place) {
    const notes = JSON.parse(strip.dataset.notes);
    const plain = strip.dataset.bars[place] === "u" ? "no data" : "100 % uptime";
    return `${dayOf(strip, place)}: ${notes[place] ?? plain}`;
  }

  // A phone shows the newest third of the bars.
  function firstOf(strip) {
    const svg = strip.querySelector("svg");
    const hidden = svg.getBoundingClientRect().width - strip.getBoundingClientRect().width;
    return hidden > 1 ? strip.dataset.bars.length - 30 : 0;
  }

  function show(strip, place) {
    const count = strip.dataset.bars.length;
    const chosen = Math.min(Math.max(place, firstOf(strip)), count - 1);
    const text = noteOf(strip, chosen);
    strip.setAttribute("aria-valuenow", chosen);
    strip.setAttribute("aria-valuetext", text);
    const bars = strip.querySelector("svg").getBoundingClientRect();
    const middle = bars.left + bars.width * (chosen * (WIDTH + GAP) + WIDTH / 2) / (count * (WIDTH + GAP) - GAP);
    tip.textContent = text;
    tip.dataset.status = WORDS[strip.dataset.bars[chosen]];
    tip.hidden = false;
    const size = tip.getBoundingClientRect();
    const left = Math.min(Math.max(middle - size.width / 2, 8), document.documentElement.clientWidth - size.width - 8);
    tip.style.left = `${left + window.scrollX}px`;
    tip.style.top = `${bars.top + window.scrollY - size.height - 8}px`;
    shown = { strip, place: chosen };
  }

  function hide() {
    tip.hidden = true;
    shown = null;
  }

  function pointed(strip, event) {
    const bars = strip.querySelector("svg").getBoundingClientRect();
    show(strip, Math.floor((event.clientX - bars.left) / bars.width * strip.dataset.bars.length));
  }

  function pressed(strip, event) {
    const place = shown?.strip === strip ? shown.place : strip.dataset.bars.length - 1;
    const moves = { ArrowLeft: place - 1, ArrowDown: place - 1, ArrowRight: place + 1, ArrowUp: place + 1, Home: 0, End: Infinity };
    if (event.key === "Escape") hide();
    if (!(event.key in moves)) return;
    event.preventDefault();
    show(strip, moves[event.key]);
  }

  function prepare(strip) {
    strip.setAttribute("role", "slider");
    strip.setAttribute("aria-valuemin", "0");
    strip.setAttribute("aria-valuemax", strip.dataset.bars.length - 1);
    strip.setAttribute("aria-valuenow", strip.dataset.bars.length - 1);
    strip.setAttribute("aria-valuetext", noteOf(strip, strip.dataset.bars.length - 1));
    strip.addEventListener("pointermove", (event) => pointed(strip, event));
    strip.addEventListener("pointerdown", (event) => pointed(strip, event));
    strip.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") hide(); });
    strip.addEventListener("focus", () => { if (strip.matches(":focus-visible")) show(strip, strip.dataset.bars.length - 1); });
    strip.addEventListener("blur", hide);
    strip.addEventListener("keydown", (event) => pressed(strip, event));
  }

  // Called by status-page.js when the data of a service is new.
  function redraw(strip, bars, notes, lastDay) {
    strip.dataset.notes = JSON.stringify(notes);
    strip.dataset.lastDay = lastDay;
    if (strip.dataset.bars !== bars) {
      strip.dataset.bars = bars;
      const outlines = {};
      [...bars].forEach((letter, place) => {
        outlines[letter] = `${outlines[letter] ?? ""}M${place * (WIDTH + GAP)} 0h${WIDTH}v${HEIGHT}h-${WIDTH}z`;
      });
      const svg = strip.querySelector("svg");
      svg.setAttribute("viewBox", `0 0 ${bars.length * (WIDTH + GAP) - GAP} ${HEIGHT}`);
      svg.replaceChildren(...Object.entries(outlines).map(([letter, outline]) => {
        const path = document.createElementNS(SVG, "path");
        path.setAttribute("class", `bar-${WORDS[letter]}`);
        path.setAttribute("d", outline);
        return path;
      }));
    }
    if (shown?.strip === strip) show(strip, shown.place);
  }

  function prepareAll() {
    document.querySelectorAll('[data-strip][role="img"]').forEach(prepare);
  }

  window.redrawStrip = redraw;
  // Called by status-page.js when there are new rows.
  window.prepareStrips = prepareAll;
  prepareAll();
  document.addEventListener("pointerdown", (event) => { if (!event.target.closest("[data-strip]")) hide(); });
})();
