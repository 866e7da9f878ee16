"use strict";

// Keeps a page of the dashboard fresh: asks for it again every so often and puts what is new in place of what was.
(() => {
  const page = document.querySelector("[data-live]");
  const find = (selector) => page.querySelector(selector);
  const refreshMs = 15 * 1000;
  const timeoutMs = 10 * 1000;
  // Nobody looks at a hidden tab.
  const hiddenTimes = 8;
  let timer = null;
  let lastAsked = Date.now();
  let reachedAt = Date.now();

  function announce(text) {
    find("[data-announcer]").textContent = text;
  }

  // Tokens of forms are other ones each time, and say nothing of what is shown.
  function contentOf(part) {
    const copy = part.cloneNode(true);
    for (const token of copy.querySelectorAll('[name="csrf_token"]')) token.remove();
    for (const details of copy.querySelectorAll("details[open][data-key]")) details.removeAttribute("open");
    for (const chart of copy.querySelectorAll("[data-chart]")) chart.classList.remove("table-shown");
    for (const canvas of copy.querySelectorAll("canvas")) for (const name of ["style", "width", "height"]) canvas.removeAttribute(name);
    for (const button of copy.querySelectorAll(".chart-switch")) button.setAttribute("aria-expanded", "false");
    return copy.innerHTML;
  }

  // What somebody has typed is worth more than what is new.
  function isBeingFilledIn(part) {
    return [...part.querySelectorAll("input:not([type=hidden]), textarea")].some((input) => input.value !== input.defaultValue)
      || part.querySelector("select:focus") !== null;
  }

  function pathOf(element, top) {
    const path = [];
    for (let at = element; at !== top; at = at.parentElement) path.unshift([...at.parentElement.children].indexOf(at));
    return path;
  }

  // What the reader has opened stays open, and the keyboard stays where it was.
  function replacePart(part, other) {
    const open = [...part.querySelectorAll("details[open][data-key]")].map((element) => element.dataset.key);
    const tables = [...part.querySelectorAll("[data-chart]")].map((chart) => chart.classList.contains("table-shown"));
    const focused = part.contains(document.activeElement) ? pathOf(document.activeElement, part) : null;
    part.replaceWith(other);
    for (const element of other.querySelectorAll("details[data-key]")) {
      if (open.includes(element.dataset.key)) element.open = true;
    }
    other.querySelectorAll("[data-chart]").forEach((chart, place) => {
      if (!tables[place]) return;
      chart.classList.add("table-shown");
      chart.querySelector(".chart-switch")?.setAttribute("aria-expanded", "true");
    });
    if (focused) focused.reduce((element, place) => element?.children[place], other)?.focus({ preventScroll: true });
    return other.querySelector("[data-chart]") !== null;
  }

  function show(fresh) {
    const before = find('[data-part="now"]').dataset.count;
    const parts = [...page.querySelectorAll("[data-part]")];
    const others = [...fresh.querySelectorAll("[data-part]")];
    // Parts come and go seldom, as with the first request that is ever logged.
    if (parts.map((part) => part.dataset.part).join() !== others.map((part) => part.dataset.part).join()) {
      if (!parts.some(isBeingFilledIn)) window.location.reload();
      return;
    }
    let hasNewCharts = false;
    parts.forEach((part, place) => {
      if (isBeingFilledIn(part) || contentOf(part) === contentOf(others[place])) return;
      hasNewCharts = replacePart(part, document.importNode(others[place], true)) || hasNewCharts;
    });
    if (hasNewCharts) window.drawCharts?.();
    const now = find('[data-part="now"]');
    if (now.dataset.count !== before) announce(now.querySelector("h1")?.textContent ?? `Open alerts: ${now.dataset.count}.`);
  }

  function showReachable() {
    const notice = find("[data-unreachable]");
    page.removeAttribute("data-stale");
    reachedAt = Date.now();
    if (notice.hidden) return;
    notice.hidden = true;
    announce("Connected again.");
  }

  // What is no longer confirmed must not look healthy.
  function showUnreachable() {
    const notice = find("[data-unreachable]");
    const minutes = Math.floor((Date.now() - reachedAt) / 60000);
    const known = minutes < 1 ? "less than a minute" : `${minutes} minute${minutes === 1 ? "" : "s"}`;
    notice.textContent = `This page cannot reach its server. What it shows was known ${known} ago.`;
    page.setAttribute("data-stale", "");
    if (notice.hidden) announce("This page cannot reach its server.");
    notice.hidden = false;
  }

  function showSignedOut() {
    const notice = find("[data-unreachable]");
    const link = document.createElement("a");
    link.href = `${page.dataset.signIn}?next=${encodeURIComponent(window.location.pathname)}`;
    link.textContent = "Sign in again";
    notice.replaceChildren("You are signed out, and what is shown here is getting old. ", link, ".");
    page.setAttribute("data-stale", "");
    notice.hidden = false;
    announce("You are signed out.");
  }

  async function refresh() {
    lastAsked = Date.now();
    try {
      const response = await fetch(window.location.href, {
        headers: { Accept: "text/html" }, cache: "no-store", signal: AbortSignal.timeout(timeoutMs),
      });
      if (response.redirected) {
        showSignedOut();
        return;
      }
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      const fresh = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("[data-live]");
      showReachable();
      show(fresh);
    } catch {
      showUnreachable();
    }
    plan(refreshMs);
  }

  function plan(pause) {
    window.clearTimeout(timer);
    timer = window.setTimeout(refresh, document.hidden ? pause * hiddenTimes : pause);
  }

  document.addEventListener("visibilitychange", () => plan(Math.max(0, lastAsked + refreshMs - Date.now())));
  plan(refreshMs);
})();
