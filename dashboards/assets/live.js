// The live channel, and what it is worth at this moment: live, late or lost.
//
// An open socket proves nothing; only the beat does, which the server sends every second. A socket
// that falls silent is given up, a new one is tried at once, then after 1, 2, 4, 5, 5, ... seconds.
// Where WebSockets don't get through but pages do, the snapshot is asked for every 2 seconds.

import { given } from "./given.js";

export const LATE_S = 3;
export const LOST_S = 10;
export const POLL_S = 2;
const CLOSED_S = 3;
const HELLO_S = 5;
const DELAYS_S = [0, 1, 2, 4, 5];

export class Link {
  #take;
  #subjects;
  #socket = null;
  #failures = 0;
  #timer = 0;
  #retryAt = null;
  #closedAt = performance.now();
  #beat = { server: given.now, here: performance.now(), wall: Date.now() };
  #seq = 0;
  #polling = false;
  #known = false;
  /** Whether the server is there, and does not know us any more. */
  out = false;

  /**
   * @param take Called with every message, with `{t: "samples", data}` for bytes, and with
   *   `{t: "poll", ...}` for a snapshot asked for.
   * @param subjects What to follow beside the plant: `press:6`, by its place.
   */
  constructor(take, subjects = []) {
    this.#take = take;
    this.#subjects = ["plant", ...subjects];
    this.#connect();
    addEventListener("online", () => this.#retryNow());
    document.addEventListener("visibilitychange", () => this.#retryNow());
  }

  /** Seconds since the newest beat. The wall clock has a say: it goes on while a laptop sleeps. */
  get age() {
    const here = performance.now() - this.#beat.here;
    return Math.max(0, here, Date.now() - this.#beat.wall) / 1000;
  }

  /** The server's time now, as far as this page knows: seconds since 1970. */
  get now() {
    return this.#beat.server + this.age;
  }

  /** The server's time at the newest beat. */
  get heard() {
    return this.#beat.server;
  }

  /** Seconds to the next attempt; null while one is under way. */
  get retryIn() {
    return this.#retryAt === null ? null : Math.max(0, (this.#retryAt - performance.now()) / 1000);
  }

  /** `connecting`, `live`, `polling`, `late` or `lost`. Call it every second: it gives up, too. */
  look() {
    const age = this.age;
    if (age > LOST_S && this.#socket?.readyState === WebSocket.OPEN) this.#lose();
    const closed = this.#closedAt !== null && performance.now() - this.#closedAt > CLOSED_S * 1000;
    if (age > LOST_S || (closed && !this.#polling)) return "lost";
    if (!this.#known) return "connecting";
    if (age >= LATE_S) return "late";
    return this.#polling ? "polling" : "live";
  }

  #connect() {
    clearTimeout(this.#timer);
    this.#retryAt = null;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/live`);
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    this.#timer = setTimeout(() => this.#lose(), HELLO_S * 1000);
    let opened = false;
    socket.addEventListener("open", () => {
      opened = true;
      socket.send(JSON.stringify({ sub: this.#subjects, seq: this.#seq }));
    });
    socket.addEventListener("message", ({ data }) => {
      if (socket !== this.#socket) return;
      if (typeof data === "string") this.#read(JSON.parse(data));
      else this.#take({ t: "samples", data });
    });
    socket.addEventListener("close", () => {
      if (socket === this.#socket) this.#lose(opened);
    });
  }

  #read(message) {
    if (message.t === "snapshot") {
      clearTimeout(this.#timer);
      this.#failures = 0;
      this.#closedAt = null;
      this.#polling = false;
      this.out = false;
    }
    if (message.t === "snapshot" || message.t === "beat") {
      this.#heard(message.now);
      this.#seq = message.seq;
    }
    if (message.t === "beat") this.#socket.send(JSON.stringify({ seq: message.seq }));
    this.#take(message);
  }

  #heard(server) {
    this.#beat = { server, here: performance.now(), wall: Date.now() };
    this.#known = true;
  }

  #lose(opened = false) {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#closedAt ??= performance.now();
    const delay = DELAYS_S[Math.min(this.#failures, DELAYS_S.length - 1)];
    this.#failures += 1;
    this.#retryAfter(delay * (0.8 + 0.4 * Math.random()));
    if (!opened && !this.#polling) this.#poll();
  }

  #retryAfter(delay) {
    clearTimeout(this.#timer);
    this.#retryAt = performance.now() + delay * 1000;
    this.#timer = setTimeout(() => this.#connect(), delay * 1000);
  }

  #retryNow() {
    if (!document.hidden && this.#retryAt !== null) this.#connect();
  }

  async #poll() {
    let message;
    try {
      const answer = await fetch("/api/snapshot", { signal: AbortSignal.timeout(POLL_S * 1000) });
      this.out = answer.status === 401;
      if (!answer.ok) throw new Error(answer.statusText);
      message = await answer.json();
    } catch {
      if (this.#polling) this.#closedAt = performance.now();
      this.#polling = false;
      return;
    }
    if (this.#closedAt === null) return; // the socket was quicker
    if (!this.#polling) this.#failures = 1; // the server is there: try the socket again soon
    this.#polling = true;
    this.#heard(message.now);
    this.#take({ t: "poll", ...message });
    setTimeout(() => this.#polling && this.#poll(), POLL_S * 1000);
  }
}
