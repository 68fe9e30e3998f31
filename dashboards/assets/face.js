// What one tile says, in words and figures; dashboards/face.py says the same.

import { NOTHING, brief, durationParts, number, percent, signed } from "./figures.js";
import { count, maybe, say } from "./given.js";
import { moment } from "./plantzone.js";

const POINTER_SPAN = 0.04;
const CERTAIN_S = 0.015;

/** The state to draw: a tile whose machine has been silent for too long is without data. */
export function stateNow(tile) {
  return tile.age_s === null || tile.age_s > tile.stale_after_s ? "no_data" : tile.state;
}

/** Since when a tile is without data; null where there never was any. */
export function silentSince(tile) {
  if (tile.state === "no_data" && tile.since !== null) return tile.since;
  return tile.seen_at;
}

/** A duration for a person, rounded down. */
export const duration = (seconds) => say(...durationParts(seconds));

/** Where the deviation bar's pointer stands, in per cent; null without a target. */
export function pointer(cycle, target) {
  if (cycle === null || !target) return null;
  const share = Math.max(-1, Math.min(1, (cycle / target - 1) / POINTER_SPAN));
  return Math.round((50 + 50 * share) * 10) / 10;
}

/** Every text of a tile at one instant, and where its bars stand. */
export function face(tile, now) {
  const state = stateNow(tile);
  const word = say(`state.${state}`);
  const mold = tile.mold ?? "";
  const words = { label: tile.label, state: word.toLowerCase(), mold };
  const priority = state === "no_data" ? null : tile.priority;
  let name = say(mold ? "tile.name_mold" : "tile.name", words);
  if (priority) name = say(tile.taken ? "tile.name_taken" : `tile.name_${priority}`, { name });
  return {
    state,
    word,
    name,
    label: tile.label,
    tonnage: tile.tonnage ? say("tile.tonnage", { tonnage: tile.tonnage }) : "",
    mold,
    part: mold ? (tile.part ?? "") : say("tile.no_mold"),
    cycle: tile.cycle_time_s === null ? NOTHING : number(tile.cycle_time_s, 2),
    deviation: deviation(tile),
    target: tile.target_s ? say("tile.target", { target: brief(tile.target_s) }) : "",
    target_bare: tile.target_s ? brief(tile.target_s) : "",
    pointer: pointer(tile.cycle_time_s, tile.target_s),
    ...cooling(tile),
    ...life(tile),
    flat: state === "running" ? "" : word,
    ...lines(tile, state, now),
    ...foot(tile, state),
    anomaly: priority ? tile.short : "",
    priority,
    taken: Boolean(priority && tile.taken),
  };
}

function deviation(tile) {
  if (tile.cycle_time_s === null || !tile.target_s) return "";
  return signed(tile.cycle_time_s - tile.target_s, 2);
}

function cooling(tile) {
  if (tile.cooling_time_s === null) {
    return { cooling: say("tile.cooling_none"), uncertainty: "", cooling_note: "" };
  }
  let uncertainty = "";
  if (tile.cooling_uncertainty_s !== null && tile.cooling_uncertainty_s >= CERTAIN_S) {
    uncertainty = `±${number(tile.cooling_uncertainty_s, 2)}`;
  } else if (tile.cooling_origin === "derived") {
    uncertainty = say("tile.cooling_derived");
  }
  const cooling_note = maybe(`tile.cooling_note_${tile.cooling_origin}`);
  return { cooling: `${number(tile.cooling_time_s, 2)} s`, uncertainty, cooling_note };
}

function life({ life_shots: shots, life_planned: planned }) {
  if (shots === null) return { life_number: "", life_word: "", life_used: null };
  if (!planned) {
    const life_word = count("tile.shots_taken", shots);
    return { life_number: number(shots), life_word, life_used: null };
  }
  const left = planned - shots;
  const life_word = count(left >= 0 ? "tile.shots_left" : "tile.shots_over", left);
  const life_used = Math.min(100, Math.round((1000 * shots) / planned) / 10);
  return { life_number: number(Math.abs(left)), life_word, life_used };
}

function lines(tile, state, now) {
  const said = { line_1: "", line_2: "", line_3: "" };
  if (state === "running") return said;
  if (state === "no_data") {
    const since = silentSince(tile);
    if (since !== null) said.line_1 = say("tile.since", { time: moment(since, now) });
    said.line_2 = lastCycle(tile, now);
    said.line_3 = tile.state === "no_data" ? tile.reason : "";
    return said;
  }
  if (tile.since === null) {
    said.line_1 = tile.reason;
    return said;
  }
  const lasting = duration(now - tile.since);
  const key = tile.reason ? "tile.reason_for" : "tile.for";
  said.line_1 = say(key, { reason: tile.reason, duration: lasting });
  return said;
}

function lastCycle(tile, now) {
  if (tile.last_cycle_at === null) return "";
  const time = moment(tile.last_cycle_at, now);
  if (tile.cycle_time_s === null) return say("tile.last_cycle_bare", { time });
  return say("tile.last_cycle", { time, cycle: number(tile.cycle_time_s, 2) });
}

function foot(tile, state) {
  const { parts_done: done, parts_planned: planned } = tile;
  const foot_left = tile.job ? say("tile.job", { job: tile.job }) : say("tile.no_job");
  const said = { foot_left, foot_right: "", foot_of: "" };
  if (done === null) return said;
  if (!planned) return { ...said, foot_right: count("tile.parts", done, number(done)) };
  const share = { percent: percent(done, planned) };
  if (state === "no_data") return { ...said, foot_right: say("tile.last_known", share) };
  const foot_of = say("tile.progress_of", { planned: number(planned) });
  return { ...said, foot_right: say("tile.progress", share), foot_of };
}
