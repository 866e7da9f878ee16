"use strict";

// Draws each chart from the table below it, which waits behind a button. Without Chart.js the tables are shown.
(() => {
  const PATIENCE_MS = 5000;
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  const source = document.currentScript.dataset;
  const seen = new Set();
  const drawn = new Map();
  let script = null;

  // What a variable of the theme amounts to here: light-dark() means nothing to a canvas.
  function color(name) {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  }

  function faded(value) {
    return value.replace(/^rgb\((.*)\)$/, "rgba($1, 0.16)");
  }

  function read(table) {
    const heads = [...table.tHead.rows[0].cells].slice(1);
    const rows = [...table.tBodies[0].rows];
    return {
      labels: rows.map((row) => row.cells[0].textContent.trim()),
      starts: rows.map((row) => Date.parse(row.querySelector("time").dateTime)),
      lines: heads.map((head, place) => ({
        label: head.textContent,
        color: head.dataset.color,
        words: rows.map((row) => row.cells[place + 1].textContent),
        data: rows.map((row) => ("value" in row.cells[place + 1].dataset ? Number(row.cells[place + 1].dataset.value) : null)),
      })),
    };
  }

  function dataset(line) {
    return {
      label: line.label,
      data: line.data,
      words: line.words,
      borderColor: color(line.color),
      backgroundColor: color(line.color),
      borderWidth: 1.5,
      // A point between two gaps has no line that would show it.
      pointRadius: line.data.map((value, place) => ((line.data[place - 1] ?? line.data[place + 1] ?? null) === null ? 2.5 : 0)),
      pointHitRadius: 8,
      tension: 0.2,
      spanGaps: false,
    };
  }

  // Within a day the hour says enough, over a longer span the day.
  function tick(labels, starts) {
    const isShort = starts.at(-1) - starts[0] <= 24 * 3600 * 1000;
    return (_value, place) => labels[place].split(", ")[isShort ? 1 : 0];
  }

  // The axis of a share shows what differs: all of it lies near 100 %, or near 0 %.
  function axis(unit, lines) {
    const values = lines.flatMap((line) => line.data).filter((value) => value !== null);
    const axis = {
      border: { display: false },
      grid: { color: color("line") },
      ticks: { color: color("muted"), maxTicksLimit: 5, callback: (value) => `${+value.toFixed(3)} ${unit}` },
    };
    if (unit !== "%") return { ...axis, beginAtZero: true };
    const isUptime = lines[0].label === "Uptime";
    return isUptime ? { ...axis, max: 100, suggestedMin: Math.min(99, ...values) } : { ...axis, min: 0, suggestedMax: Math.max(1, ...values) };
  }

  // Incidents and maintenance are shaded in behind the lines.
  function shading(starts) {
    const step = starts.length > 1 ? starts[1] - starts[0] : 1;
    const bands = [...document.querySelectorAll("[data-band-from]")].map((band) => ({
      from: (Date.parse(band.dataset.bandFrom) - starts[0]) / step,
      to: (Date.parse(band.dataset.bandTo) - starts[0]) / step,
      color: faded(color(band.dataset.bandColor)),
    }));
    return {
      id: "shading",
      beforeDatasetsDraw({ ctx, chartArea }) {
        const width = chartArea.right - chartArea.left;
        const at = (place) => chartArea.left + width * Math.min(Math.max(place / (starts.length - 1), 0), 1);
        for (const band of bands) {
          ctx.fillStyle = band.color;
          ctx.fillRect(at(band.from), chartArea.top, Math.max(at(band.to) - at(band.from), 2), chartArea.bottom - chartArea.top);
        }
      },
    };
  }

  function draw(figure) {
    const { labels, starts, lines } = read(figure.querySelector("table"));
    return new window.Chart(figure.querySelector("canvas"), {
      type: "line",
      data: { labels, datasets: lines.map(dataset) },
      options: {
        animation: still.matches ? false : { duration: 150 },
        responsive: true,
        maintainAspectRatio: false,
        interaction: { mode: "index", intersect: false },
        scales: {
          x: { border: { display: false }, grid: { display: false }, ticks: { color: color("muted"), maxTicksLimit: 6, maxRotation: 0, callback: tick(labels, starts) } },
          y: axis(figure.dataset.unit, lines),
        },
        plugins: {
          legend: { display: lines.length > 1, labels: { color: color("muted"), boxWidth: 12, boxHeight: 2 } },
          tooltip: { callbacks: { label: (item) => `${item.dataset.label}: ${item.dataset.words[item.dataIndex]}` } },
        },
      },
      plugins: [shading(starts)],
    });
  }

  function show(figure) {
    drawn.get(figure)?.destroy();
    drawn.set(figure, draw(figure));
  }

  // Chart.js is fetched when a chart is about to be seen: who came for the headline never waits for it.
  function fetchChartJs() {
    if (script) return;
    script = document.createElement("script");
    script.src = source.chartJs;
    script.integrity = source.integrity;
    if (source.foreign !== undefined) {
      script.crossOrigin = "anonymous";
      script.referrerPolicy = "no-referrer";
    }
    script.addEventListener("load", () => {
      document.documentElement.classList.remove("no-charts");
      seen.forEach(show);
    });
    script.addEventListener("error", showTables);
    document.head.append(script);
    window.setTimeout(showTables, PATIENCE_MS);
  }

  function showTables() {
    if (!window.Chart) document.documentElement.classList.add("no-charts");
  }

  function see(figure) {
    observer.unobserve(figure);
    seen.add(figure);
    if (window.Chart) show(figure);
    else fetchChartJs();
  }

  const observer = new IntersectionObserver(
    (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => see(entry.target)),
    { rootMargin: "300px" },
  );

  function watch() {
    for (const figure of document.querySelectorAll("[data-chart]")) {
      if (figure.querySelector("table")) observer.observe(figure);
    }
  }

  // Called by status-page.js when there are new tables.
  function renew() {
    drawn.forEach((chart) => chart.destroy());
    drawn.clear();
    seen.clear();
    watch();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest(".chart-switch");
    if (!button) return;
    const isShown = button.closest("[data-chart]").classList.toggle("table-shown");
    button.setAttribute("aria-expanded", isShown);
  });
  document.addEventListener("themechange", () => drawn.forEach((_chart, figure) => show(figure)));
  window.drawCharts = renew;
  watch();
})();
