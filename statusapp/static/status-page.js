"use strict";

// Keeps the status page fresh: asks for its data every so often, puts new values in place, and says when it cannot.
(() => {
  const main = document.querySelector("[data-page]");
  const find = (selector) => main.querySelector(selector);
  const refreshMs = Math.max(5, Number(main.dataset.refresh) || 30) * 1000;
  const timeoutMs = 10000;
  const toastMs = 8000;
  // Charts are of hours, so they need not be new each time.
  const chartsMs = 5 * 60 * 1000;
  // Nobody looks at a hidden tab but at its title and icon.
  const hiddenTimes = 5;
  // Relative times are told by the server's clock: the reader's may be wrong.
  let clockOffset = Date.parse(main.dataset.now) - Date.now();
  let etag = null;
  let timer = null;
  let lastAsked = Date.now();
  let partsShown = Date.now();

  const now = () => Date.now() + clockOffset;

  function setText(element, text) {
    if (element && element.textContent !== text) element.textContent = text;
  }

  function span(seconds) {
    for (const [size, unit] of [[86400, "day"], [3600, "hour"], [60, "minute"]]) {
      if (seconds >= size) return counted(Math.floor(seconds / size), unit);
    }
    return counted(seconds, "second");
  }

  function counted(count, unit) {
    return `${count} ${unit}${count === 1 ? "" : "s"}`;
  }

  function ago(moment) {
    const seconds = Math.floor((now() - moment) / 1000);
    return seconds < 1 ? "just now" : `${span(seconds)} ago`;
  }

  function exact(moment) {
    const date = new Intl.DateTimeFormat("en-GB", {
      day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
      timeZone: main.dataset.zone, timeZoneName: "short",
    });
    return date.format(moment).replace(" at ", ", ");
  }

  function tellTimes() {
    for (const element of main.querySelectorAll("time[data-relative]")) {
      setText(element, ago(Date.parse(element.dateTime)));
    }
  }

  function setIcon(element, status) {
    element.dataset.status = status;
    element.querySelector("use").setAttribute("href", `#icon-${status}`);
  }

  function setFavicon(status) {
    const link = document.querySelector('link[rel="icon"]');
    const path = new URL(link.href).pathname.replace(/[^/]+$/, `${status}.svg`);
    if (new URL(link.href).pathname !== path) link.href = path;
  }

  function valueAt(data, path) {
    return path.split(".").reduce((value, key) => value?.[key], data);
  }

  // Rows come and go seldom; then they are taken from the page instead of being built a second time here.
  function hasSameRows(data) {
    const shown = [...main.querySelectorAll("[data-service]")];
    return shown.length === data.services.length
      && data.services.every((service, place) => String(service.id) === shown[place].dataset.service)
      && data.services.every((service, place) => shown[place].querySelector(".service-name").textContent === service.name)
      && data.groups.map((group) => `${group.id}:${group.name}:${group.services}`).join() === main.dataset.groups
      && Boolean(data.updated_at) === Boolean(find('[data-time="updated_at"]'));
  }

  function showServices(services, lastDay) {
    const changes = [];
    for (const service of services) {
      const row = find(`[data-service="${service.id}"]`);
      if (row.dataset.status !== service.status) changes.push(`${service.name}: ${service.status_text}`);
      setIcon(row, service.status);
      for (const element of row.querySelectorAll("[data-field]")) {
        setText(element, service[element.dataset.field]);
        // The title of a dash explains it; a figure needs none.
        if (service[element.dataset.field] !== "–") element.removeAttribute("title");
      }
      const strip = row.querySelector("[data-strip]");
      if (strip) window.redrawStrip(strip, service.bars, service.bar_notes, lastDay);
    }
    return changes;
  }

  function showGroups(groups) {
    for (const group of groups) {
      const element = find(`[data-group="${group.id}"]`);
      if (element.dataset.status !== group.status && group.status !== "operational") element.open = true;
      setIcon(element, group.status);
      setText(element.querySelector("[data-group-text]"), group.status_text);
    }
  }

  function show(data) {
    if (data.page.settings_version !== main.dataset.settings) {
      window.location.reload();
      return;
    }
    if (!hasSameRows(data)) {
      showParts();
      return;
    }
    const before = find('[data-text="headline"]').textContent;
    main.toggleAttribute("data-stale", data.is_stale);
    for (const element of document.querySelectorAll("[data-text]")) {
      const value = valueAt(data, element.dataset.text);
      setText(element, value ?? "");
      if (value !== "–") element.removeAttribute("title");
    }
    for (const element of main.querySelectorAll('[data-time="updated_at"]')) {
      const moment = Date.parse(data.updated_at);
      element.dateTime = data.updated_at;
      if (element.hasAttribute("data-relative")) element.title = exact(moment);
      else setText(element, exact(moment));
    }
    const changes = showServices(data.services, data.days.at(-1));
    showGroups(data.groups);
    find("[data-notice]").hidden = !data.notice;
    const dash = find("[data-not-measured]");
    if (dash) dash.hidden = data.performance.cpu_percent !== null && data.performance.error_percent !== null;
    showHeadline(data.status, data.headline);
    if (data.events_version !== main.dataset.events || Date.now() - partsShown > chartsMs) showParts();
    if (data.headline !== before) announce(`${data.headline}. ${data.summary}.`);
    toast(changes);
  }

  // What are texts of any length, and rows that come and go, is taken from the page as it is now.
  async function showParts() {
    const response = await fetch(window.location.pathname, {
      headers: { Accept: "text/html" }, cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(timeoutMs),
    }).catch(() => null);
    if (!response?.ok) return; // The next refresh tries again.
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const part of main.querySelectorAll("[data-part]")) {
      const other = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
      if (other && other.innerHTML !== part.innerHTML) replacePart(part, document.importNode(other, true));
    }
    const now = fresh.querySelector("[data-page]").dataset;
    const hasNewEvents = main.dataset.events !== now.events;
    Object.assign(main.dataset, { events: now.events, groups: now.groups });
    partsShown = Date.now();
    tellTimes();
    const newest = find('[data-part="current"] .event');
    if (hasNewEvents && newest) announce(`${newest.querySelector(".event-title").textContent.trim()}. ${newest.querySelector(".prose")?.textContent.trim() ?? ""}`);
  }

  // What the reader has opened stays open, and the keyboard stays where it was.
  function replacePart(part, other) {
    const open = [...part.querySelectorAll("details[open][data-key]")].map((element) => element.dataset.key);
    const focused = part.contains(document.activeElement) ? pathOf(document.activeElement, part) : null;
    part.replaceWith(other);
    for (const element of other.querySelectorAll("details[data-key]")) {
      if (open.includes(element.dataset.key)) element.open = true;
    }
    if (other.dataset.part === "charts") window.drawCharts?.();
    if (other.dataset.part === "services") window.prepareStrips();
    if (focused) focused.reduce((element, place) => element?.children[place], other)?.focus({ preventScroll: true });
  }

  function pathOf(element, top) {
    const path = [];
    for (let at = element; at !== top; at = at.parentElement) path.unshift([...at.parentElement.children].indexOf(at));
    return path;
  }

  // Which services have another status, in a few words.
  function toast(changes) {
    if (!changes.length) return;
    const text = changes.length > 2 ? `${changes.length} services have another status` : changes.join(" · ");
    const box = document.createElement("p");
    box.className = "toast";
    box.textContent = text;
    document.querySelector(".toast")?.remove();
    document.body.append(box);
    window.setTimeout(() => box.remove(), toastMs);
    announce(`${text}. ${find('[data-text="headline"]').textContent}. ${find('[data-text="summary"]').textContent}.`);
  }

  function showHeadline(status, headline) {
    setText(find('[data-text="headline"]'), headline);
    setIcon(find("[data-band]"), status);
    setFavicon(status);
    document.title = `${document.querySelector('[data-text="page.title"]').textContent}: ${headline}`;
  }

  function announce(text) {
    setText(find("[data-announcer]"), text);
  }

  function showReachable(data) {
    const notice = find("[data-unreachable]");
    if (!notice.hidden) {
      notice.hidden = true;
      announce("Connected again.");
    }
    if (data) show(data);
  }

  function showUnreachable() {
    const notice = find("[data-unreachable]");
    const shown = find('[data-time="updated_at"][data-relative]');
    const known = shown ? `what was known ${ago(Date.parse(shown.dateTime))}` : "what was known before";
    const text = `This page cannot reach its server. It shows ${known}.`;
    setText(notice, text);
    // What is no longer confirmed must not look healthy, neither here nor on the tab.
    main.setAttribute("data-stale", "");
    showHeadline("unknown", "Connection Lost");
    if (notice.hidden) announce("This page cannot reach its server.");
    notice.hidden = false;
    etag = null;
  }

  async function ask() {
    const response = await fetch(main.dataset.source, {
      headers: etag ? { Accept: "application/json", "If-None-Match": etag } : { Accept: "application/json" },
      cache: "no-store",
      credentials: "omit",
      signal: AbortSignal.timeout(timeoutMs),
    });
    const date = Date.parse(response.headers.get("Date"));
    if (date) clockOffset = date - Date.now();
    if (response.status === 304) return null;
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    etag = response.headers.get("ETag");
    return response.json();
  }

  async function refresh() {
    lastAsked = Date.now();
    try {
      showReachable(await ask());
    } catch {
      showUnreachable();
    }
    tellTimes();
    plan(refreshMs);
  }

  function plan(pause) {
    window.clearTimeout(timer);
    timer = window.setTimeout(refresh, document.hidden ? pause * hiddenTimes : pause);
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) tellTimes();
    plan(Math.max(0, lastAsked + refreshMs - Date.now()));
  });
  window.setInterval(() => { if (!document.hidden) tellTimes(); }, 1000);
  plan(refreshMs);
})();
