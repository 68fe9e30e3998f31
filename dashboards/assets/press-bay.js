// Where many presses are dots, those that need somebody have a tile in a bay of fixed size. A tile
// keeps its place until its press is well again; others never move to fill a gap.

import { count } from "./given.js";
import { number } from "./figures.js";

const GAP = 8;
const ABNORMAL = ':is([data-state="stopped"], [data-state="no_data"], [data-priority="1"], [data-priority="2"])';

class PressBay extends HTMLElement {
  #slots = [];

  connectedCallback() {
    this.addEventListener("press-state", () => this.#arrange());
    new ResizeObserver(() => this.#measure()).observe(this);
  }

  #measure() {
    const style = getComputedStyle(this);
    const columns = style.gridTemplateColumns.split(" ").length;
    const rowHeight = parseFloat(style.gridAutoRows) + GAP;
    const rows = Math.max(1, Math.floor((this.clientHeight + GAP) / rowHeight));
    if (columns * rows === this.#slots.length && this.columns === columns) return;
    this.columns = columns;
    this.#slots = new Array(columns * rows).fill(null);
    this.#arrange();
  }

  #arrange() {
    const tiles = [...this.querySelectorAll("press-tile")];
    const abnormal = tiles.filter((tile) => tile.matches(ABNORMAL));
    this.#slots = this.#slots.map((tile) => (abnormal.includes(tile) ? tile : null));
    let homeless = 0;
    for (const tile of abnormal) {
      let slot = this.#slots.indexOf(tile);
      if (slot < 0) slot = this.#slots.indexOf(null);
      tile.toggleAttribute("data-homeless", slot < 0);
      if (slot < 0) {
        homeless += 1;
        continue;
      }
      this.#slots[slot] = tile;
      tile.style.gridColumn = String((slot % this.columns) + 1);
      tile.style.gridRow = String(Math.floor(slot / this.columns) + 1);
    }
    this.querySelector(".calm").hidden = abnormal.length > 0;
    const more = this.querySelector(".more");
    more.hidden = homeless === 0;
    more.textContent = count("dots.more", homeless, number(homeless));
  }
}

customElements.define("press-bay", PressBay);
