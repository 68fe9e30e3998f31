// The bar of a running cycle: phases that were, the one that is, what is expected, and where we are.

import { number } from "./figures.js";
import { say } from "./given.js";

const NS = "http://www.w3.org/2000/svg";
const ORDER = ["fill", "hold", "cool", "open", "eject", "close"];

/** Per cent of the bar; a shorter phase has no room for its name. */
const NARROW = 6;

class PhaseBar extends HTMLElement {
  #cycle = this.querySelector(".cycle");
  #rest = this.querySelector(".rest");
  #pointer = this.querySelector(".pointer");
  #drawn = "";

  begin(start) {
    this.start = start;
  }

  /** Draw the shot as it is, `t` seconds after it began; without one the last cycle stays. */
  draw(shot, t) {
    if (shot.began === null || t === null) {
      this.#pointer.classList.add("off");
      return;
    }
    this.#pointer.classList.remove("off");
    this.#pointer.setAttribute("x", `${this.#percent(Math.min(t, this.start.bar_s))}%`);
    const phases = shot.phases.filter(([name]) => ORDER.includes(name));
    const key = `${shot.number} ${phases.length} ${Math.floor(t)}`;
    if (!phases.length) {
      if (this.#drawn !== key) this.#cycle.replaceChildren();
      this.#drawn = key;
      return;
    }
    const [name, began] = phases.at(-1);
    if (this.#drawn !== key) this.#rebuild(phases, name, began);
    this.#drawn = key;
    this.#grow(phases.length - 1, began, t);
  }

  #rebuild(phases, name, began) {
    const rows = phases.map(([each, at], n) => this.#stretch(each, at, phases[n + 1]?.[1] ?? at));
    this.#cycle.replaceChildren(...rows);
    this.#rest.replaceChildren(...this.#expected(name, began));
  }

  #stretch(name, from, to) {
    const group = element("g", { "data-phase": name });
    const width = this.#percent(to - from);
    group.append(
      element("rect", { x: `${this.#percent(from)}%`, width: `${width}%`, y: 15, height: 21, rx: 1.5 }),
      element("text", { x: `${this.#percent(from)}%`, dx: 7, y: 30 }),
    );
    if (width >= NARROW) group.lastChild.textContent = words(name, to - from);
    return group;
  }

  #grow(index, began, t) {
    const group = this.#cycle.children[index];
    const width = Math.max(0, this.#percent(Math.min(t, this.start.bar_s) - began));
    group.firstChild.setAttribute("width", `${width}%`);
    const text = width >= NARROW ? words(group.dataset.phase, t - began) : "";
    if (group.lastChild.textContent !== text) group.lastChild.textContent = text;
  }

  /** What is left of this phase, and the ones after it, dashed. */
  #expected(name, began) {
    const lengths = this.start.phases;
    const found = [];
    let at = began;
    for (const each of ORDER.slice(ORDER.indexOf(name))) {
      const length = lengths[each];
      if (!length) continue;
      const group = element("g", {});
      const width = this.#percent(length);
      group.append(
        element("rect", { x: `${this.#percent(at)}%`, width: `${width}%`, y: 15.5, height: 20, rx: 1.5 }),
      );
      if (each !== name && width >= NARROW) {
        const label = element("text", { x: `${this.#percent(at)}%`, dx: 7, y: 30 });
        label.textContent = say(`phase.${each}`);
        group.append(label);
      }
      found.push(group);
      at += length;
    }
    return found;
  }

  #percent(seconds) {
    return Math.round((10000 * seconds) / this.start.bar_s) / 100;
  }
}

const words = (name, length) => `${say(`phase.${name}`)} ${number(length, 1)} s`;

function element(name, attributes) {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

customElements.define("phase-bar", PhaseBar);
