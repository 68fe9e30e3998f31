// What pages about the record have in common: they say what their link is worth, fetch themselves
// anew when the live channel says that something changed, and do not write while they can't reach
// the agent.

import "./keys.js";
import { LinkView } from "./link-view.js";
import { given, say } from "./given.js";
import { Link } from "./live.js";
import { clock } from "./plantzone.js";
import { changed, everySecond } from "./staying.js";

/** Without news: ages grow, and what no news tells of. A page that could not be renewed asks sooner. */
const EVERY_S = 30;
const AGAIN_S = 5;

/** At the most, while news comes and comes; shots alone, where a page counts them. */
const GAP_S = 2;
const SHOTS_S = { own: 1, all: 10 };

/** Parts that could not be renewed for longer than this are old. */
const OLD_S = 12;

const view = new LinkView();
let heard = null;
let version = given.news;
const shots = document.querySelector("[data-shots]")?.dataset.shots;
const follows = document.querySelector("[data-cycle=live]") ? given.places : [];
export const link = new Link((message) => {
  if (changed(message)) return;
  heard?.(message, link.now);
  if ("trouble" in message) view.trouble(message.trouble);
  const { news } = message;
  if (news) view.hear(news);
  if (news && news.version !== version) {
    version = news.version;
    due = Math.min(due, asked + GAP_S);
  }
  if (shots && message.t === "change" && message.cycle && (shots === "all" || own(message))) {
    due = Math.min(due, asked + SHOTS_S[shots]);
  }
}, follows.map((place) => `press:${place}`));
const own = ({ cycle }) => cycle.some(([place]) => given.places.includes(place));
// A list shows its first row's detail; that one stays, whatever becomes the first.
const clockS = () => performance.now() / 1000;
let asked = -GAP_S;
let due = clockS() + EVERY_S;
const source = document.querySelector("[data-source]")?.dataset.source ?? location.href;
const old = document.querySelector("[data-old]");
let renewed = link.now;
let busy = false;

everySecond(link, () => {
  const lost = view.draw(link) === "lost";
  for (const button of document.querySelectorAll("form[method=post] button")) button.disabled = lost;
  if (!lost && !document.hidden && clockS() >= due) refresh();
});

/** Fetch the page's parts anew now. */
export const renew = () => refresh();

/** Hear every message of the live channel, with the server's time; set before the first one comes. */
export function hear(call) {
  heard = call;
}

/** Replace each marked part whose new text differs; who is on a link or button in it stays there. */
async function refresh() {
  const parts = [...document.querySelectorAll("[data-refresh]")];
  if (busy || !parts.length) return;
  busy = true;
  asked = clockS();
  due = asked + EVERY_S;
  try {
    const answer = await fetch(source, { signal: AbortSignal.timeout(AGAIN_S * 1000) });
    if (!answer.ok) throw new Error(answer.statusText);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of parts) {
      const other = fresh.querySelector(`[data-refresh="${part.dataset.refresh}"]`);
      if (other && other.innerHTML !== part.innerHTML) replace(part, other);
    }
    renewed = link.now;
    old.hidden = true;
  } catch {
    // A live connection does not prove that these parts are: the record may not answer.
    due = Math.min(due, asked + AGAIN_S);
    old.hidden = link.now - renewed < OLD_S;
    const text = say("link.renewed_not", { time: clock(renewed) });
    if (old.textContent !== text) old.textContent = text; // else it would be spoken every time
  } finally {
    busy = false;
  }
}

function replace(part, other) {
  const at = part.contains(document.activeElement) ? same(document.activeElement) : "";
  const picked = [...part.querySelectorAll("input:checked")].map((input) => input.name);
  part.replaceChildren(...document.adoptNode(other).childNodes);
  for (const input of part.querySelectorAll("input[type=checkbox]")) {
    if (picked.includes(input.name) && input.value === "1") input.checked = true;
  }
  if (at) part.querySelector(at)?.focus();
}

/** A selector of the same link, field or button in a part that was fetched anew. */
function same(element) {
  const name = ["href", "value", "name"].find((name) => element.hasAttribute(name));
  return name ? `${element.localName}[${name}="${CSS.escape(element.getAttribute(name))}"]` : "";
}

/** Remember who signs, for this browser. */
for (const field of document.querySelectorAll("input[name=who]")) {
  try {
    field.value = localStorage.getItem("who") || field.value;
    field.addEventListener("change", () => localStorage.setItem("who", field.value));
  } catch {
    // Storage is switched off: the name stands as served.
  }
}

/** Single keys of one page: `{key: action}`; off where single keys are off, and inside fields. */
export function keys(actions) {
  addEventListener("keydown", (event) => {
    const single = document.querySelector("[data-do=single]");
    if (!single.checked || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    const inside = event.target.closest?.("input, textarea, select");
    if (inside) {
      if (event.key === "Escape") inside.blur();
      return;
    }
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}

/** Move the focus among the rows of a list, from the one that has it, or the one that is shown. */
export function move(rows, by) {
  const all = [...document.querySelectorAll(rows)];
  if (!all.length) return;
  const now = all.findIndex((row) => row === document.activeElement);
  const from = now >= 0 ? now : all.findIndex((row) => row.hasAttribute("aria-current"));
  all[Math.max(0, Math.min(all.length - 1, from + by))].focus();
}
