// One press, kept live: its tile by the live channel, the rest of the page by asking anew.

import "./press-tile.js";
import { given } from "./given.js";
import { Plant } from "./plant.js";
import { hear, keys } from "./recordpage.js";

const plant = new Plant();
const tile = document.querySelector("press-tile");
const [place] = given.places;

hear((message, now) => {
  if (plant.take(message).has(place)) tile.draw(plant.tiles[place], now);
});

const way = (name) => document.querySelector(`[data-way=${name}]`).click();

keys({
  "[": () => way("before"),
  "]": () => way("after"),
  Escape: () => document.querySelector("main").focus(),
});
