// The overview, kept live.

import "./press-bay.js";
import "./press-tile.js";
import "./keys.js";
import { duration } from "./face.js";
import { given, say } from "./given.js";
import { LinkView } from "./link-view.js";
import { Link } from "./live.js";
import { Panels } from "./panels.js";
import { Plant } from "./plant.js";
import { changed, everySecond } from "./staying.js";

const plant = new Plant();
const panels = new Panels();
const view = new LinkView();

const presses = new Map(given.places.map((place) => [place, []]));
for (const element of document.querySelectorAll("press-tile, press-dot")) {
  presses.get(Number(element.dataset.place)).push(element);
}

const link = new Link(take);
everySecond(link, tick);

function take(message) {
  if (changed(message)) return;
  draw(plant.take(message));
  if (message.news) {
    drawPanels(link.now);
    view.hear(message.news);
  }
  if ("trouble" in message) view.trouble(message.trouble);
  if (message.t !== "change") view.draw(link);
}

function draw(places) {
  const now = link.now;
  for (const place of places) {
    for (const element of presses.get(place) ?? []) element.draw(plant.tiles[place], now);
  }
  if (places.size) {
    drawPanels(now);
  }
}

function drawPanels(now) {
  panels.draw(new Map(given.places.map((place) => [place, plant.tiles[place]])), plant, now);
}

function age(text) {
  for (const element of [...presses.values()].flat()) element.age(text);
}

/** Once a second of the server's clock: the clock, the ages, and durations, unless all is lost. */
function tick() {
  if (view.draw(link) === "lost") age(say("tile.old", { age: duration(link.age) }));
  else if (plant.today) draw(new Set(given.places));
}
