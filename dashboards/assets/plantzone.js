// Times as the plant's clock shows them; dashboards/plantzone.py does the same.
// Instants are seconds since 1970. The browser's own zone is never used.

import { given, say } from "./given.js";

const months = say("time.months").split(" ");
const format = new Intl.DateTimeFormat("en-GB", {
  timeZone: given.zone,
  hourCycle: "h23",
  year: "numeric",
  month: "numeric",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});
const short = new Intl.DateTimeFormat("en-GB", { timeZone: given.zone, timeZoneName: "short" });

function local(at) {
  const parts = {};
  for (const { type, value } of format.formatToParts(at * 1000)) parts[type] = value;
  const { year, month, day, hour, minute, second } = parts;
  const wall = Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
  return { ...parts, date: `${year}-${month}-${day}`, offset: wall - Math.floor(at) };
}

/** Time of day with seconds. */
export function clock(at) {
  const { hour, minute, second } = local(at);
  return `${hour}:${minute}:${second}`;
}

/** Time of day without seconds. */
export const minute = (at) => clock(at).slice(0, 5);

/** How the zone is called at that time. The server's word holds until its clock changes. */
const offsetServed = local(given.now).offset;
export function abbreviation(at) {
  if (local(at).offset === offsetServed) return given.abbreviation;
  return short.formatToParts(at * 1000).find(({ type }) => type === "timeZoneName").value;
}

/** Time of day; with the date where it is another day, with the offset where that is another. */
export function moment(at, now) {
  const then = local(at);
  const today = local(now);
  let text = `${then.hour}:${then.minute}:${then.second}`;
  if (then.date !== today.date) {
    text = `${Number(then.day)} ${months[then.month - 1]} ${text}`;
    if (then.year !== today.year) text = `${then.year}, ${text}`;
  }
  return then.offset === today.offset ? text : `${text} ${written(then.offset)}`;
}

function written(offset) {
  const minutes = Math.abs(offset) / 60;
  const two = (n) => String(Math.floor(n)).padStart(2, "0");
  return `${offset < 0 ? "-" : "+"}${two(minutes / 60)}:${two(minutes % 60)}`;
}
