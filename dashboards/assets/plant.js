// What the page knows of the plant: one object a press, kept by the rows of the live channel.

import { stateNow } from "./face.js";
import { given } from "./given.js";
import { CYCLES } from "./spark.js";

const TOPICS = ["tiles", "cycle", "phase"];

/** A sign of life that moved by less has not moved: ages travel to a tenth of a second. */
const SAME_S = 0.3;

export class Plant {
  tiles = [];
  today = null;
  news = { version: given.news, waiting: 0, counts: [0, 0, 0], calls: [] };
  #columns = {};

  /** Take one message; returns the places of the presses that may look different now. */
  take(message) {
    if (message.t === "hello") this.#columns = message.columns;
    else if (message.t === "snapshot") return this.#snapshot(message);
    else if (message.t === "poll") return this.#poll(message);
    else if (message.t === "beat") return this.#beat(message);
    else if (message.t === "change") return this.#change(message);
    return new Set();
  }

  #snapshot(message) {
    this.tiles = [];
    for (const topic of TOPICS) this.#rows(topic, message[topic]);
    this.news = message.news;
    this.#beat(message);
    return new Set(this.tiles.keys());
  }

  #change(message) {
    if (message.news) this.news = message.news;
    const places = new Set();
    for (const topic of TOPICS) this.#rows(topic, message[topic] ?? [], places);
    return places;
  }

  #poll(message) {
    this.tiles = message.tiles.map((tile, place) => {
      return { ...tile, seen_at: this.tiles[place]?.seen_at ?? null };
    });
    this.news = message.news;
    this.#beat({ ...message, ages: message.tiles.map((tile) => tile.age_s) });
    return new Set(this.tiles.keys());
  }

  /** Ages say which presses fell silent, or are heard again. */
  #beat(message) {
    const places = new Set();
    this.today = message.today;
    message.ages.forEach((age, place) => {
      const tile = this.tiles[place];
      const was = stateNow(tile);
      const seen = age === null ? null : message.now - age;
      tile.age_s = age;
      if (tile.seen_at == null || seen === null || Math.abs(seen - tile.seen_at) > SAME_S) {
        tile.seen_at = seen;
      }
      if (stateNow(tile) !== was) places.add(place);
    });
    return places;
  }

  /** A row has the columns whose bit is set. */
  #rows(topic, rows, places = new Set()) {
    const columns = this.#columns[topic];
    for (const [place, mask, ...values] of rows) {
      const tile = (this.tiles[place] ??= { cooling_spark: [], age_s: null });
      let next = 0;
      columns.forEach((column, bit) => {
        if (!((mask >> bit) & 1)) return;
        const value = values[next++];
        if (column === "cooling_more") {
          tile.cooling_spark = [...tile.cooling_spark, ...value].slice(-CYCLES);
        } else tile[column] = value;
      });
      places.add(place);
    }
  }
}
