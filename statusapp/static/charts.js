"use strict";

// Draws each chart from the table below it and folds the table. Without Chart.js the tables stay as they are.
(() => {
  if (!window.Chart) return;
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const charts = [];

  function color(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  }

  function read(table) {
    const heads = [...table.tHead.rows[0].cells].slice(1);
    const rows = [...table.tBodies[0].rows];
    return {
      labels: rows.map((row) => row.cells[0].textContent.trim()),
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
      pointRadius: 0,
      pointHitRadius: 8,
      tension: 0.2,
      spanGaps: false,
    };
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

  function draw(figure) {
    const { labels, lines } = read(figure.querySelector("table"));
    const area = figure.querySelector(".chart-area");
    area.hidden = false;
    figure.querySelector("details").open = false;
    return new window.Chart(area.querySelector("canvas"), {
      type: "line",
      data: { labels, datasets: lines.map(dataset) },
      options: {
        animation: still.matches ? false : { duration: 150 },
        responsive: true,
        maintainAspectRatio: false,
        interaction: { mode: "index", intersect: false },
        scales: {
          x: { border: { display: false }, grid: { display: false }, ticks: { color: color("muted"), maxTicksLimit: 6, maxRotation: 0 } },
          y: axis(figure.dataset.unit, lines),
        },
        plugins: {
          legend: { display: lines.length > 1, labels: { color: color("muted"), boxWidth: 12, boxHeight: 2 } },
          tooltip: { callbacks: { label: (item) => `${item.dataset.label}: ${item.dataset.words[item.dataIndex]}` } },
        },
      },
    });
  }

  function drawAll() {
    charts.splice(0).forEach((chart) => chart.destroy());
    for (const figure of document.querySelectorAll("[data-chart]")) {
      if (figure.querySelector("table")) charts.push(draw(figure));
    }
  }

  dark.addEventListener("change", drawAll);
  drawAll();
})();
