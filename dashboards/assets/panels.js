// The counts of the header and the panels beside the tiles; dashboards/overview.py draws the same.

import { duration, silentSince, stateNow } from "./face.js";
import { durationParts, number } from "./figures.js";
import { count, given, say } from "./given.js";
import { minute, moment } from "./plantzone.js";
import { glyph, slots } from "./slots.js";

const ABNORMAL = new Set(["stopped", "no_data"]);

export class Panels {
  #counts = [...document.querySelectorAll("[data-count]")];
  #needs = rowsOf(".needs li");
  #lives = rowsOf(".lives li");
  #sums = [...document.querySelectorAll("[data-today]")];
  #words = slots(document.querySelector(".side"));
  #nothing = document.querySelector(".needs .nothing");
  #noLives = document.querySelector(".lives .nothing");

  /** Draw all of them for the presses of this page, and today's sums. */
  draw(tiles, today, now) {
    const states = tiles.map(stateNow);
    for (const element of this.#counts) {
      const n = states.filter((state) => state === element.dataset.count).length;
      element.classList.toggle("none", n === 0);
      write(element.querySelector("b"), String(n));
    }
    this.#drawNeeds(tiles.filter((_, index) => ABNORMAL.has(states[index])), now);
    this.#drawLives(tiles);
    this.#drawToday(today);
  }

  #drawNeeds(tiles, now) {
    const age = (tile) => (sinceOf(tile) === null ? 0 : now - sinceOf(tile));
    const needs = [...tiles].sort((a, b) => age(a) - age(b));
    fill(this.#needs, needs, (row, tile) => {
      const state = stateNow(tile);
      row.element.dataset.state = state;
      glyph(row.element, state);
      row.slots.write("title", say("needs.press", { label: tile.label }));
      row.slots.write("when", sinceOf(tile) === null ? "" : duration(age(tile)));
      row.slots.write("text", needText(tile, state, now));
      row.slots.write("more", needMore(tile, now));
    });
    const n = needs.length;
    const shown = this.#needs.length;
    const some = n ? count("needs.presses", n, number(n)) : "";
    const text = n > shown ? say("needs.newest", { shown, n: number(n) }) : some;
    this.#words.write("needs-count", text);
    this.#nothing.hidden = n > 0;
  }

  #drawLives(tiles) {
    const left = (tile) => tile.life_planned - tile.life_shots;
    const lives = tiles.filter((tile) => tile.mold && tile.life_planned);
    lives.sort((a, b) => left(a) - left(b));
    fill(this.#lives, lives, (row, tile) => {
      row.slots.write("mold", tile.mold);
      row.slots.write("press", say("life.press", { label: tile.label }));
      row.slots.write("left", number(left(tile)));
      row.slots.write("taken", taken(tile));
    });
    this.#noLives.hidden = lives.length > 0;
  }

  #drawToday(today) {
    const key = given.whole_plant ? "today.since" : "today.whole_plant";
    this.#words.write("today-since", say(key, { time: minute(today.since) }));
    const sums = {
      shots: number(today.shots),
      records: number(today.cycles),
      unobserved: number(today.unobserved),
      blind: say(...durationParts(today.blind_s)),
    };
    for (const element of this.#sums) write(element, sums[element.dataset.today]);
  }
}

function rowsOf(selector) {
  const elements = [...document.querySelectorAll(selector)];
  return elements.map((element) => ({ element, slots: slots(element) }));
}

function fill(rows, items, draw) {
  rows.forEach((row, index) => {
    row.element.hidden = index >= items.length;
    if (index < items.length) draw(row, items[index]);
  });
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const sinceOf = (tile) => (stateNow(tile) === "no_data" ? silentSince(tile) : tile.since);

function needText(tile, state, now) {
  const since = sinceOf(tile);
  let text = say("needs.stopped");
  if (state === "no_data") {
    text = say("needs.no_data_ever");
    if (since !== null) text = say("needs.no_data", { time: moment(since, now) });
  }
  const reason = state === tile.state ? tile.reason : "";
  return reason ? `${text} ${/[.!?…]$/.test(reason) ? reason : `${reason}.`}` : text;
}

function needMore(tile, now) {
  const mold = tile.mold ?? "";
  if (tile.last_cycle_at === null) return mold ? say("needs.mold", { mold }) : "";
  const time = moment(tile.last_cycle_at, now);
  return say(mold ? "needs.mold_last" : "needs.last", { mold, time });
}

function taken(tile) {
  if (tile.shots === tile.cycles) {
    const values = { shots: number(tile.life_shots), planned: number(tile.life_planned) };
    return say("life.taken", values);
  }
  return say("life.mismatch", {
    shots: number(tile.shots),
    records: number(tile.cycles),
    missing: number(tile.shots - tile.cycles),
  });
}
