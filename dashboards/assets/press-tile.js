// One press as a tile, and as a dot where there are many.

import { face } from "./face.js";
import { called, glyph, put, slots } from "./slots.js";
import { spark } from "./spark.js";

const STRIP = ["fill", "hold", "cool", "open", "eject"];

/** Widths of the strip move only for a difference that can be seen. */
const SEEN = 0.03;

class Press extends HTMLElement {
  connectedCallback() {
    this.slots = slots(this);
    this.place = Number(this.dataset.place);
  }

  /** Words, glyph and label; the label is spoken, so it changes with the state only. */
  drawFace(said) {
    for (const [name, text] of Object.entries(said)) this.slots.write(name, text);
    if (this.dataset.state !== said.state) {
      this.dataset.state = said.state;
      glyph(this, said.state);
      this.dispatchEvent(new CustomEvent("press-state", { bubbles: true }));
    }
    if (called(this, said)) this.dispatchEvent(new CustomEvent("press-state", { bubbles: true }));
    put(this, "aria-label", said.name);
  }

  /** Say how old the values are, in the place of the state: nobody knows it any more. */
  age(text) {
    this.slots.write("word", text);
  }
}

export class PressTile extends Press {
  #deviation = this.querySelector("svg.deviation");
  #life = this.querySelector("svg.used");
  #spark = this.querySelector("svg.spark");
  #strip = this.querySelector(".phases");
  #seen = {};
  #drawn = { spark: null, phase: null, since: null, lengths: null };

  /** Draw the press as it is at one instant of the server's clock. */
  draw(tile, now) {
    const said = face(tile, now);
    this.drawFace(said);
    if (!this.#strip) return; // a compact tile
    bar(this.#deviation, said.pointer, ".pointer", "x");
    bar(this.#life, said.life_used, ".fill", "width");
    put(this.querySelector(".cooling div"), "title", said.cooling_note);
    this.#drawSpark(tile.cooling_spark);
    this.#drawPhase(tile, now);
  }

  #drawSpark(values) {
    if (this.#drawn.spark === values) return;
    this.#drawn.spark = values;
    const { line, dot } = spark(values);
    put(this.#spark.querySelector(".line"), "d", line);
    put(this.#spark.querySelector(".dot"), "d", dot);
  }

  /** The strip runs by itself: one animation per phase, as long as that phase took last time. */
  #drawPhase({ phase, phase_since: since, phase_lengths_s: lengths }, now) {
    const drawn = this.#drawn;
    if (drawn.phase && drawn.phase !== phase && since > drawn.since) {
      this.#seen[drawn.phase] = since - drawn.since;
    }
    if (drawn.lengths !== lengths) {
      drawn.lengths = lengths;
      widths(this.#strip, lengths);
    }
    if (drawn.phase === phase && drawn.since === since) return;
    Object.assign(drawn, { phase, since });
    this.#strip.hidden = phase === null;
    const at = phase === "pause" ? STRIP.length : STRIP.indexOf(phase);
    [...this.#strip.children].forEach((segment, index) => {
      const length = this.#seen[STRIP[index]] ?? lengths[index];
      segment.className = index < at ? "past" : index > at ? "" : length ? "now" : "now whole";
      if (index === at && length) {
        segment.firstChild.style.animationDuration = `${length}s`;
        segment.firstChild.style.animationDelay = `${Math.min(0, since - now)}s`;
      }
    });
  }
}

class PressDot extends Press {
  draw(tile, now) {
    this.drawFace(face(tile, now));
  }
}

function bar(svg, share, part, attribute) {
  svg.toggleAttribute("data-none", share === null);
  if (share !== null) put(svg.querySelector(part), attribute, `${share}%`);
}

function widths(strip, lengths) {
  const known = lengths.filter((length) => length);
  const usual = known.reduce((sum, length) => sum + length, 0) / known.length || 1;
  [...strip.children].forEach((segment, index) => {
    const grow = lengths[index] || usual;
    const drawn = Number(segment.style.flexGrow);
    if (!drawn || Math.abs(grow / drawn - 1) > SEEN) segment.style.flexGrow = String(grow);
  });
}

customElements.define("press-tile", PressTile);
customElements.define("press-dot", PressDot);
