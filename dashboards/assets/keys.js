// Single keys, and the buttons that do the same. Off inside fields, and as a whole if one wants.

const root = document.documentElement;
const list = document.querySelector("dialog.keys");
const single = document.querySelector("[data-do=single]");

const kept = {
  get(name) {
    try {
      return localStorage.getItem(name);
    } catch {
      return null; // storage is switched off
    }
  },
  set(name, value) {
    try {
      localStorage.setItem(name, value);
    } catch {
      // Then it holds for this page only.
    }
  },
};

/** Put a value into the address, so that a copied link opens the same view. */
function address(name, value) {
  const url = new URL(location.href);
  if (value === null) url.searchParams.delete(name);
  else url.searchParams.set(name, value);
  history.replaceState(null, "", url);
}

function theme() {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const next = (root.dataset.theme ?? dark) === "dark" ? "light" : "dark";
  root.dataset.theme = next;
  kept.set("theme", next);
  if (root.dataset.mode === "wall" || new URLSearchParams(location.search).has("theme")) {
    address("theme", next);
  }
}

/** No navigation: during an outage the old values are better than an error page. */
function wall() {
  const on = root.dataset.mode !== "wall";
  const touch = matchMedia("(pointer: coarse)").matches;
  root.dataset.mode = on ? "wall" : touch ? "touch" : "desk";
  address("wall", on ? "1" : null);
  dispatchEvent(new Event("resize"));
}

/** To another page, where there is a way to it. */
function go(path) {
  const way = document.querySelector(`.top nav a[href="${path}"]`);
  if (way && location.pathname !== path) location.assign(path);
}

const DO = {
  t: theme,
  w: () => location.pathname === "/" && wall(),
  "?": () => list.showModal(),
  1: () => go("/"),
  2: () => go("/anomalies"),
  3: () => go("/molds"),
  4: () => go("/records"),
  5: () => go("/health"),
};

single.checked = kept.get("keys") !== "off";
single.addEventListener("change", () => kept.set("keys", single.checked ? "on" : "off"));
document.querySelector("[data-do=theme]").addEventListener("click", theme);
document.querySelector("[data-do=keys]").addEventListener("click", () => list.showModal());

addEventListener("keydown", (event) => {
  if (!single.checked || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (list.open || event.target.closest?.("input, textarea, select, [contenteditable]")) return;
  const action = DO[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});
