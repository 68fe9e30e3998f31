// Numbers as the pages print them; dashboards/figures.py does the same.

import { given } from "./given.js";

const DECIMAL = given.decimal ?? ".";
const THIN = "\u202f";
const MINUS = "−";
export const NOTHING = "–";

/** A number with thin spaces between thousands and a true minus. */
export function number(value, decimals = 0) {
  if (!Number.isFinite(value)) return NOTHING;
  const text = Math.abs(value).toFixed(decimals);
  const [whole, part] = text.split(".");
  const spaced = whole.replace(/\B(?=(\d{3})+$)/g, THIN) + (part ? DECIMAL + part : "");
  return value < 0 && Number(text) !== 0 ? MINUS + spaced : spaced;
}

/** A difference, with its sign. */
export function signed(value, decimals) {
  if (!Number.isFinite(value)) return NOTHING;
  const text = Math.abs(value).toFixed(decimals);
  const sign = Number(text) === 0 ? "±" : value < 0 ? MINUS : "+";
  return sign + text.replace(".", DECIMAL);
}

/** A planned number: one decimal, two where it needs them. */
export function brief(value) {
  const text = number(value, 2);
  return text.endsWith("0") ? text.slice(0, -1) : text;
}

/** Whole per cent of the way, rounded down. */
export const percent = (part, whole) => Math.floor((100 * part) / whole);

/** Which string of the catalogue tells a duration, and its numbers; rounded down. */
export function durationParts(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return ["time.s", { s }];
  if (s < 3600) return ["time.min", { min: Math.floor(s / 60) }];
  if (s < 86400) {
    return ["time.h_min", { h: Math.floor(s / 3600), min: Math.floor((s % 3600) / 60) }];
  }
  return ["time.d_h", { d: Math.floor(s / 86400), h: Math.floor((s % 86400) / 3600) }];
}
