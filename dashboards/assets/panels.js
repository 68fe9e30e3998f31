// The counts of the header and the panels beside the tiles; dashboards/overview.py draws the same.

import { duration, silentSince, stateNow } from "./face.js";
import { durationParts, number } from "./figures.js";
import { count, given, say } from "./given.js";
import { minute, moment } from "./plantzone.js";
import { called, glyph, slots } from "./slots.js";

const ABNORMAL = new Set(["stopped", "no_data"]);

export class Panels {
  #counts = [...document.querySelectorAll("[data-count]")];
  #needs = rowsOf(".needs li");
  #lives = rowsOf(".lives li");
  #sums = [...document.querySelectorAll("[data-today]")];
  #words = slots(document.querySelector(".side"));
  #nothing = document.querySelector(".needs .nothing");
  #calls = [...document.querySelectorAll(".calls b")];
  #waiting = document.querySelector(".top .new");
  #noLives = document.querySelector(".lives .nothing");

  /** Draw all of them for the presses of this page, by place, with what is new in the plant. */
  draw(presses, { today, news }, now) {
    const tiles = [...presses.values()];
    const states = tiles.map(stateNow);
    for (const element of this.#counts) {
      const n = states.filter((state) => state === element.dataset.count).length;
      element.classList.toggle("none", n === 0);
      write(element.querySelector("b"), String(n));
    }
    this.#drawNeeds(needsOf(presses, news, now), news, now);
    news.counts.forEach((n, index) => this.#calls[index] && write(this.#calls[index], String(n)));
    this.#drawWaiting(news.waiting);
    this.#drawLives(tiles);
    this.#drawToday(today);
  }

  #drawWaiting(n) {
    if (!this.#waiting) return;
    this.#waiting.hidden = n === 0;
    write(this.#waiting, String(n));
    this.#waiting.setAttribute("aria-label", count("site.new", n, number(n)));
  }

  #drawNeeds(needs, news, now) {
    fill(this.#needs, needs, (row, need) => {
      row.element.dataset.state = need.state;
      glyph(row.element, need.state);
      called(row.element, need);
      for (const name of ["title", "when", "text", "more"]) row.slots.write(name, need[name]);
    });
    const n = needs.length;
    const shown = this.#needs.length;
    const some = n ? count("needs.presses", n, number(n)) : "";
    let text = n > shown ? say("needs.newest", { shown, n: number(n) }) : some;
    const calls = needs.filter((need) => need.priority);
    const fresh = calls.filter((need) => !need.taken).length;
    if (calls.length) text = say("needs.new", { n: given.whole_plant ? news.waiting : fresh });
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

/** New alarms, then presses that stand or are silent, then what else is open. */
function needsOf(presses, news, now) {
  const here = ({ place }) => presses.has(place) || (place === null && given.whole_plant);
  const calls = news.calls.filter(here);
  const alarm = (call) => call.priority === 1 && !call.taken;
  const called = new Set(calls.map((call) => call.place));
  const age = (tile) => (sinceOf(tile) === null ? 0 : now - sinceOf(tile));
  const standing = [...presses]
    .filter(([place, tile]) => ABNORMAL.has(stateNow(tile)) && !called.has(place))
    .map(([, tile]) => tile)
    .sort((a, b) => age(a) - age(b));
  return [
    ...calls.filter(alarm).map((call) => callNeed(call, presses.get(call.place), now)),
    ...standing.map((tile) => pressNeed(tile, age(tile), now)),
    ...calls.filter((call) => !alarm(call)).map((call) => callNeed(call, presses.get(call.place), now)),
  ];
}

function callNeed(call, tile, now) {
  return {
    state: tile ? stateNow(tile) : "running",
    priority: call.priority,
    taken: Boolean(call.taken),
    title: tile ? say("needs.press", { label: tile.label }) : say("needs.mold", { mold: call.mold }),
    when: call.taken ? say("needs.taken", { who: call.taken }) : duration(now - call.at),
    text: call.text,
    more: call.likely,
  };
}

function pressNeed(tile, age, now) {
  const state = stateNow(tile);
  return {
    state,
    priority: null,
    taken: false,
    title: say("needs.press", { label: tile.label }),
    when: sinceOf(tile) === null ? "" : duration(age),
    text: needText(tile, state, now),
    more: needMore(tile, now),
  };
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
