// The curves of a shot, plots above each other with one time cursor: golden envelope behind, the
// shot before in grey, the running one over it. Scales are fixed, so that shapes stay comparable.

import { departures } from "./envelope.js";
import { number } from "./figures.js";
import { say } from "./given.js";

const LABEL_STEP = 14;

class CycleChart extends HTMLElement {
  #plots = [];
  #view = null;
  #shot = null;
  #wanted = false;
  #cursor = null;

  /** Draw `start`, what the page was served with; `live` says whether a shot will come. */
  begin(start, live) {
    this.start = start;
    this.live = live;
    this.#view = [0, start.span_s];
    this.#build();
    new MutationObserver(() => this.#build()).observe(document.documentElement, {
      attributeFilter: ["data-theme"],
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#build());
    new ResizeObserver(() => this.#resize()).observe(this);
    this.addEventListener("keydown", (event) => this.#key(event));
    this.addEventListener("dblclick", () => this.#zoom([0, this.start.span_s]));
    document.addEventListener("visibilitychange", () => this.draw(this.#shot));
  }

  /** Draw the running shot, once a frame of the screen at the most, and not while nobody looks. */
  draw(shot) {
    this.#shot = shot;
    if (this.#wanted || document.hidden) return;
    this.#wanted = true;
    requestAnimationFrame(() => {
      this.#wanted = false;
      for (const plot of this.#plots) plot.show(this.#shot, this.#cursor);
    });
  }

  /** Another shot began: what was drawn live is the grey line now. */
  renew(shot) {
    for (const plot of this.#plots) plot.keep(shot.before);
  }

  /** The first stretch outside of an envelope, in words; empty where there is none. */
  get outside() {
    return this.#plots.map((plot) => plot.outside).find((text) => text) ?? "";
  }

  #build() {
    const kept = this.#plots.map((plot) => plot.ghosts);
    for (const plot of this.#plots) plot.chart.destroy();
    this.#plots = this.start.plots.map((plot, index) => new Plot(this, plot, kept[index]));
    this.draw(this.#shot);
  }

  #resize() {
    for (const plot of this.#plots) plot.resize();
  }

  get view() {
    return this.#view;
  }

  #zoom(view) {
    this.#view = view;
    for (const { chart } of this.#plots) chart.setScale("x", { min: view[0], max: view[1] });
  }

  /** Called by a plot: a stretch was dragged, or the cursor moved. */
  dragged(from, to) {
    if (to - from > 0.05) this.#zoom([Math.max(0, from), Math.min(this.start.span_s, to)]);
  }

  moved(t) {
    if (t === this.#cursor) return;
    this.#cursor = t;
    this.draw(this.#shot);
  }

  /** By keys: one sample, 0.1 s with Shift, the edges of phases with Home and End. */
  #key(event) {
    const times = this.#plots[0]?.times() ?? [];
    if (!times.length) return;
    const at = this.#cursor ?? times[times.length - 1];
    let to = null;
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      const way = event.key === "ArrowRight" ? 1 : -1;
      const index = nearest(times, at);
      to = event.shiftKey ? at + way * 0.1 : times[Math.max(0, Math.min(times.length - 1, index + way))];
    } else if (event.key === "Home" || event.key === "End") {
      const edges = this.#edges();
      const before = edges.filter((edge) => edge < at - 0.005);
      const after = edges.filter((edge) => edge > at + 0.005);
      to = event.key === "Home" ? (before.at(-1) ?? 0) : (after[0] ?? times[times.length - 1]);
    } else if (event.key === "Escape") {
      this.#cursor = null;
      this.draw(this.#shot);
    }
    if (to === null) return;
    event.preventDefault();
    this.moved(Math.max(0, Math.min(this.start.span_s, to)));
    const words = this.#plots.flatMap((plot) => plot.read(this.#cursor));
    const spoken = this.parentElement.querySelector("[data-spoken]");
    spoken.textContent = [`${number(this.#cursor, 2)} s`, ...words].join(", ");
  }

  #edges() {
    if (this.#shot?.phases.length) return this.#shot.phases.map(([, t]) => t);
    let at = 0;
    return Object.values(this.start.phases).map((length) => (at += length));
  }
}

/** One plot: uPlot draws axes and the live lines, the rest is drawn behind them once a size. */
class Plot {
  outside = "";
  #lines = [];
  #halos = [];
  #cursor = null;

  constructor(owner, plot, ghosts) {
    this.owner = owner;
    this.plot = plot;
    this.box = owner.querySelector(`[data-plot="${plot.name}"] .canvas`);
    this.ghosts = ghosts ?? plot.signals.map(({ last }) => last);
    this.readouts = this.#readouts();
    this.color = colors(owner);
    this.#lines = plot.signals.map((_, index) => this.color(`d${index + 1}`));
    this.chart = new uPlot(this.#options(), this.#data(null), this.box);
    this.box.dataset.drawn = "yes";
  }

  resize() {
    const { width, height } = this.#size();
    if (width !== this.chart.width || height !== this.chart.height) this.chart.setSize({ width, height });
  }

  times() {
    const live = this.owner.live && this.chart.data[0].length > 1;
    return live ? this.chart.data[0] : (this.ghosts.find(([t]) => t.length)?.[0] ?? []);
  }

  keep(before) {
    if (!before) return;
    this.ghosts = this.plot.signals.map(({ name }, index) => {
      const at = before.names.indexOf(name);
      return at < 0 ? this.ghosts[index] : [before.columns[0], before.columns[at + 1]];
    });
  }

  show(shot, cursor) {
    this.#cursor = cursor;
    this.#halos = [];
    this.outside = "";
    if (shot) this.#judge(shot);
    const data = this.#data(shot);
    this.#makeRoom(data);
    this.chart.setData(data, false);
    this.chart.redraw(true, false);
    this.#write(shot, cursor);
  }

  /** Values at a time, in words. */
  read(t) {
    return this.plot.signals.map(({ label, unit, decimals }, index) => {
      const value = this.#valueAt(index, t);
      return value === null ? "" : `${label} ${number(value, decimals)} ${unit}`;
    }).filter(Boolean);
  }

  /** Scales stand still, but for a value that would not be seen at all. */
  #makeRoom(data) {
    const { low, high } = this.plot;
    let least = low;
    let most = high;
    for (const column of data.slice(1)) {
      for (const value of column) {
        if (value > most) most = value;
        else if (value < least) least = value;
      }
    }
    if (least === low && most === high) return;
    const step = (high - low) / 4;
    this.plot.low = Math.floor(least / step + 0.001) * step;
    this.plot.high = Math.ceil(most / step - 0.001) * step;
    this.chart.setScale("y", { min: this.plot.low, max: this.plot.high });
  }

  #judge(shot) {
    this.plot.signals.forEach(({ name, label, unit, decimals, golden }, index) => {
      if (!golden) return;
      for (const [first, last, by] of departures(shot.times, shot.of(name), shot.phases, golden)) {
        this.#halos.push([index, first, last]);
        const far = `${by > 0 ? "+" : "−"}${number(Math.abs(by), decimals)} ${unit}`;
        const t = number(shot.times[first], 1);
        this.outside ||= say("press.outside", { signal: label, t, by: far });
      }
    });
  }

  #data(shot) {
    if (this.owner.live) {
      const known = shot && shot.count > 0;
      const times = known ? shot.times : new Float64Array();
      return [times, ...this.plot.signals.map(({ name }) => {
        const of = known ? shot.of(name) : new Float64Array();
        return of.length ? of : new Float64Array(times.length).fill(NaN);
      })];
    }
    return [[0, this.owner.start.span_s], ...this.plot.signals.map(() => [null, null])];
  }

  #size() {
    return { width: Math.floor(this.box.clientWidth), height: Math.floor(this.box.clientHeight) };
  }

  #options() {
    const ink = this.color("ink-3");
    const grid = { stroke: this.color("line"), width: 1 };
    const font = "11px Inter, sans-serif";
    const axis = { stroke: ink, font, grid, ticks: { show: false } };
    const digits = () => (this.plot.high - this.plot.low < 4 ? 1 : 0);
    return {
      ...this.#size(),
      legend: { show: false },
      padding: [8, 10, 0, 0],
      scales: {
        x: { time: false, range: () => this.owner.view },
        y: { range: () => [this.plot.low, this.plot.high] },
      },
      axes: [
        { ...axis, size: 22, gap: 3 },
        { ...axis, size: 46, gap: 6, space: 34, values: (_, splits) => splits.map((v) => number(v, digits())) },
      ],
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: true, y: false, setScale: false },
        sync: { key: "shot" },
      },
      series: [
        {},
        ...this.plot.signals.map((_, index) => ({
          stroke: this.#lines[index],
          width: 2,
          points: { show: false },
          spanGaps: false,
        })),
      ],
      hooks: {
        drawAxes: [(chart) => this.#drawBehind(chart)],
        draw: [(chart) => this.#drawOver(chart)],
        setSelect: [(chart) => this.#selected(chart)],
        setCursor: [(chart) => this.#hovered(chart)],
      },
    };
  }

  #selected(chart) {
    const { left, width } = chart.select;
    if (!width) return;
    chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.owner.dragged(chart.posToVal(left, "x"), chart.posToVal(left + width, "x"));
  }

  #hovered(chart) {
    const { left } = chart.cursor;
    if (left === undefined || !chart.over.matches(":hover")) return;
    this.owner.moved(left >= 0 ? chart.posToVal(left, "x") : null);
  }

  #drawBehind(chart) {
    const { ctx } = chart;
    const at = (t, value) => [chart.valToPos(t, "x", true), chart.valToPos(value, "y", true)];
    ctx.save();
    clip(chart);
    for (const { golden } of this.plot.signals) {
      if (!golden) continue;
      ctx.beginPath();
      golden.t.forEach((t, n) => ctx.lineTo(...at(t, golden.mean[n] + golden.band[n])));
      for (let n = golden.t.length - 1; n >= 0; n -= 1) {
        ctx.lineTo(...at(golden.t[n], golden.mean[n] - golden.band[n]));
      }
      ctx.closePath();
      ctx.fillStyle = this.color("band");
      ctx.fill();
      ctx.lineWidth = devicePixelRatio * 0.7;
      ctx.strokeStyle = this.color("band-line");
      ctx.stroke();
    }
    this.ghosts.forEach(([times, values], index) => {
      ctx.strokeStyle = this.owner.live ? this.color("ghost") : this.#lines[index];
      ctx.lineWidth = devicePixelRatio * (this.owner.live ? 1.3 : 2);
      trace(ctx, times, values, at);
    });
    const [times] = chart.data;
    for (const [index, first, last] of this.#halos) {
      ctx.strokeStyle = this.color("p2");
      ctx.globalAlpha = 0.5;
      ctx.lineWidth = devicePixelRatio * 7;
      ctx.lineJoin = "round";
      trace(ctx, times.subarray(first, last + 1), chart.data[index + 1].subarray(first, last + 1), at);
      ctx.globalAlpha = 1;
    }
    ctx.restore();
  }

  #drawOver(chart) {
    const { ctx, bbox } = chart;
    ctx.save();
    this.#label(chart);
    const last = chart.data[0].at(-1);
    const t = this.#cursor ?? (this.owner.live ? last : null);
    if (t !== null && t !== undefined) {
      const x = Math.round(chart.valToPos(t, "x", true));
      if (x >= bbox.left && x <= bbox.left + bbox.width) {
        ctx.fillStyle = this.color("ink");
        ctx.fillRect(x, bbox.top, Math.max(1, devicePixelRatio), bbox.height);
      }
    }
    ctx.restore();
  }

  /** Names beside the lines, where each is highest: no legend to look up. */
  #label(chart) {
    const { ctx, bbox } = chart;
    ctx.font = `600 ${11 * devicePixelRatio}px Inter, sans-serif`;
    ctx.textBaseline = "middle";
    ctx.textAlign = "left";
    let above = -Infinity;
    this.plot.signals.forEach(({ label, golden }, index) => {
      const [times, values] = golden ? [golden.t, golden.mean] : this.ghosts[index];
      if (!times.length) return;
      let top = 0;
      values.forEach((value, n) => { if (value > values[top]) top = n; });
      const x = chart.valToPos(times[top], "x", true) + 10 * devicePixelRatio;
      let y = chart.valToPos(values[top], "y", true) - (index ? 10 : -2) * devicePixelRatio;
      y = Math.max(y, bbox.top + 8 * devicePixelRatio);
      if (Math.abs(y - above) < LABEL_STEP * devicePixelRatio) y = above + LABEL_STEP * devicePixelRatio;
      above = y;
      ctx.fillStyle = this.#lines[index];
      if (x < bbox.left + bbox.width) ctx.fillText(label, x, y);
    });
  }

  #readouts() {
    const box = this.box.parentElement.querySelector(".readouts");
    box.replaceChildren();
    return this.plot.signals.map(({ label, unit }, index) => {
      const row = document.createElement("p");
      const value = document.createElement("b");
      const words = document.createElement("span");
      words.textContent = label;
      value.className = `value-${index + 1}`;
      value.append("");
      row.append(words, value, ` ${unit}`);
      box.append(row);
      return value.firstChild ?? value.appendChild(document.createTextNode(""));
    });
  }

  #write(shot, cursor) {
    this.plot.signals.forEach(({ decimals }, index) => {
      const value = cursor === null ? this.#newest(index) : this.#valueAt(index, cursor);
      const text = value === null ? "–" : number(value, decimals);
      if (this.readouts[index].data !== text) this.readouts[index].data = text;
    });
  }

  #newest(index) {
    const values = this.owner.live ? this.chart.data[index + 1] : this.ghosts[index][1];
    const value = values.length ? values[values.length - 1] : null;
    return Number.isFinite(value) ? value : null;
  }

  #valueAt(index, t) {
    const live = this.owner.live && this.chart.data[0].length && t <= this.chart.data[0].at(-1);
    const [times, values] = live
      ? [this.chart.data[0], this.chart.data[index + 1]]
      : this.ghosts[index];
    if (!times.length) return null;
    const value = values[nearest(times, t)];
    return Number.isFinite(value) ? value : null;
  }
}

function trace(ctx, times, values, at) {
  ctx.beginPath();
  let joined = false;
  for (let n = 0; n < times.length; n += 1) {
    const hole = n > 0 && times[n] - times[n - 1] > 6 * usual(times);
    if (values[n] === null || Number.isNaN(values[n])) joined = false;
    else if (joined && !hole) ctx.lineTo(...at(times[n], values[n]));
    else ctx.moveTo(...at(times[n], values[n]));
    if (values[n] !== null && !Number.isNaN(values[n])) joined = true;
  }
  ctx.stroke();
}

/** The usual step of samples: a hole in them stays a hole in the line. */
const steps = new WeakMap();
function usual(times) {
  if (!steps.has(times)) {
    const found = [];
    for (let n = 1; n < times.length; n += 1) found.push(times[n] - times[n - 1]);
    found.sort((a, b) => a - b);
    steps.set(times, found[found.length >> 1] || Infinity);
  }
  return steps.get(times);
}

function clip({ ctx, bbox }) {
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
}

function nearest(times, t) {
  let low = 0;
  let high = times.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < t) low = middle + 1;
    else high = middle;
  }
  return low > 0 && t - times[low - 1] < times[low] - t ? low - 1 : low;
}

/** Colors of the style sheet as a canvas takes them: resolved for light or dark, once each. */
function colors(owner) {
  const known = new Map();
  return (name) => {
    if (!known.has(name)) {
      owner.style.color = `var(--${name})`;
      known.set(name, getComputedStyle(owner).color);
      owner.style.color = "";
    }
    return known.get(name);
  };
}

customElements.define("cycle-chart", CycleChart);
