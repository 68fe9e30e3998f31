// How the page says what its connection is worth: pill, band, clock, and one sentence spoken.

import { duration } from "./face.js";
import { say } from "./given.js";
import { POLL_S } from "./live.js";
import { abbreviation, clock } from "./plantzone.js";
import { slots } from "./slots.js";

/** At most one spoken message in this many seconds. */
const QUIET_S = 10;

export class LinkView {
  #root = document.documentElement;
  #pill = document.querySelector(".pill");
  #band = document.querySelector(".band");
  #words = slots(document.querySelector(".top"));
  #time = document.querySelector(".clock time");
  #zone = document.querySelector(".clock span");
  #spoken = document.querySelector(".said");
  #trouble = document.querySelector("[data-trouble]");
  #spokenAt = -Infinity;
  #toSay = "";
  #state = "";
  #known = null;

  /** Draw the state of the link; returns it. */
  draw(link) {
    const state = link.look();
    const seconds = Math.floor(link.age);
    if (state !== this.#state) this.#change(state);
    this.#words.write("link", PILL[state](seconds));
    if (state === "lost") {
      const age = duration(seconds);
      const since = { time: clock(link.heard), age };
      this.#words.write("what", say(link.out ? "link.out" : "link.band", since));
      const n = link.retryIn === null ? 0 : Math.ceil(link.retryIn);
      const next = n ? say("link.retry_in", { n }) : say("link.retry_now");
      this.#words.write("next", link.out ? say("link.out_next") : next);
    }
    this.#write(this.#time, clock(link.now));
    this.#write(this.#zone, abbreviation(link.now));
    this.#speak();
    return state;
  }

  /** Speak of new alarms and warnings, the newest of them; never of what was there before. */
  hear({ calls }) {
    const urgent = calls.filter((call) => call.priority <= 2 && !call.taken);
    const newest = urgent.reduce((a, b) => (b.number > (a?.number ?? -1) ? b : a), null);
    const known = this.#known;
    this.#known = Math.max(known ?? 0, ...calls.map((call) => call.number));
    if (known === null || !newest || newest.number <= known) return;
    this.#toSay = newest.text;
  }

  /** Say why the record takes nothing, as long as a beat says so. */
  trouble(why) {
    const text = why ? say(this.#trouble.dataset.trouble, { why }) : "";
    this.#write(this.#trouble, text); // before it shows, or an empty alert is spoken
    this.#trouble.hidden = !why;
  }

  #change(state) {
    const was = this.#state;
    this.#state = state;
    this.#root.dataset.link = state;
    this.#pill.dataset.link = state;
    this.#pill.title = state === "polling" ? say("link.polling_note", { n: POLL_S }) : "";
    this.#band.hidden = state !== "lost";
    if (state === "lost") this.#toSay = say("link.said_lost");
    else if (was === "lost") this.#toSay = say("link.said_back");
  }

  #speak() {
    const now = performance.now() / 1000;
    if (!this.#toSay || now - this.#spokenAt < QUIET_S) return;
    this.#spoken.textContent = this.#toSay;
    this.#spokenAt = now;
    this.#toSay = "";
  }

  #write(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }
}

const PILL = {
  connecting: () => say("link.connecting"),
  live: () => say("link.live"),
  polling: () => say("link.polling", { n: POLL_S }),
  late: (n) => say("link.late", { n }),
  lost: (n) => say("link.lost", { age: duration(n) }),
};
