"use strict";

// Runs before anything is drawn: what the reader chose between light and dark is kept in this browser alone.
(() => {
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  root.classList.add("js");

  function kept() {
    try {
      return window.localStorage.getItem("theme");
    } catch {
      return null; // A browser may forbid it; then a choice lasts as long as the page.
    }
  }

  function keep(theme) {
    try {
      window.localStorage.setItem("theme", theme);
    } catch {
      // As above.
    }
  }

  const chosen = kept();
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;

  function isDark() {
    return (root.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
  }

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("[data-theme-switch]");
    if (!button) return;
    button.hidden = false;
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      keep(root.dataset.theme);
      document.dispatchEvent(new CustomEvent("themechange"));
    });
  });
  dark.addEventListener("change", () => document.dispatchEvent(new CustomEvent("themechange")));
})();
