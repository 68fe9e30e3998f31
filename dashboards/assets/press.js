// One press, kept live: head, phase bar and curves by the live channel, the rest by asking anew.

import "./cycle-chart.js";
import "./phase-bar.js";
import { face } from "./face.js";
import { number } from "./figures.js";
import { given, say } from "./given.js";
import { Plant } from "./plant.js";
import { hear, keys, link } from "./recordpage.js";
import { Shot } from "./shot.js";
import { glyph, slots } from "./slots.js";

/** Ten times a second, as the samples come. */
const STEP_MS = 100;

const start = JSON.parse(document.getElementById("start").textContent);
const page = document.querySelector(".page.press");
const live = page.dataset.cycle === "live";
const words = slots(page);
const bar = document.querySelector("phase-bar");
const chart = document.querySelector("cycle-chart");
const outside = document.querySelector("[data-outside]");
const silent = document.querySelector(".silent");
const plant = new Plant();
const shot = new Shot();
const [place] = given.places;

bar.begin(start);
chart?.begin(start, live);

hear((message, now) => {
  if (message.t === "shot" && message.place === place) {
    if (shot.tell(message)) chart?.renew(shot);
  } else if (message.t === "samples") {
    if (live && shot.add(message.data)) chart?.draw(shot);
  } else if (plant.take(message).has(place)) {
    head(now);
  }
});

function head(now) {
  const tile = plant.tiles[place];
  const said = face(tile, now);
  for (const name of ["label", "part", "word", "life_number", "life_word"]) words.write(name, said[name]);
  if (page.dataset.state !== said.state) glyph(page.querySelector(".who .state"), said.state);
  page.dataset.state = said.state;
  silent.hidden = said.state !== "no_data";
  const time = said.line_1;
  words.write("silent", time ? say("press.silent", { time }) : said.line_3);
  if (live && tile.last_counter !== null) {
    words.write("number", say("press.running", { n: number(tile.last_counter + 1) }));
  }
}

function step() {
  const tile = plant.tiles[place];
  if (!live || !tile || document.hidden) return;
  const moves = document.documentElement.dataset.link === "live"; // late already: nobody knows
  const runs = moves && page.dataset.state !== "no_data" && shot.began !== null;
  const t = runs ? Math.max(0, link.now - shot.began) : null;
  bar.draw(shot, t);
  if (t !== null) words.write("now", number(t, 1));
  const text = chart?.outside ?? "";
  if (outside && outside.textContent !== text) outside.textContent = text;
}

setInterval(step, STEP_MS);

const enlarge = document.querySelector("[data-do=enlarge]");
if (enlarge) {
  enlarge.hidden = false;
  enlarge.addEventListener("click", () => {
    const large = page.toggleAttribute("data-large");
    enlarge.setAttribute("aria-pressed", String(large));
  });
}

const way = (name) => document.querySelector(`[data-way=${name}]`).click();

keys({
  "[": () => way("before"),
  "]": () => way("after"),
  a: () => {
    const button = document.querySelector(".act button[value=acknowledge]");
    if (button && !button.disabled) button.form.requestSubmit(button);
  },
  c: () => {
    const details = document.querySelector(".case[data-first] .act a");
    if (details) location.assign(`${details.href}#comment`);
  },
  Escape: () => document.querySelector("main").focus(),
});
