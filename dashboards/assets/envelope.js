// Where a running shot leaves its golden envelope. The golden curve is laid over a shot phase by
// phase, as agent/watch/envelope.py does: filling by its share, the others by time since they began.

const PHASES = { fill: "fill", hold: "hold", cool: "cooling" };

/** Near a step of the curve a sample that came late is no departure. */
const SLACK_S = 0.25;

/** Samples in a row that make one. */
const ROW = 4;

/** Seconds of the golden curve for a time of a shot; null where it has none. */
export function goldenTime(t, phases, golden) {
  let at = 0;
  for (const [phase, name] of Object.entries(PHASES)) {
    const index = phases.findIndex(([each]) => each === phase);
    if (index < 0) return null;
    const began = phases[index][1];
    const ends = phases[index + 1]?.[1] ?? Infinity;
    const length = golden.phases[name];
    if (t < began) return null;
    if (t < ends) {
      const since = phase === "fill" && ends < Infinity ? ((t - began) * length) / (ends - began) : t - began;
      return since > length ? null : at + since;
    }
    at += length;
  }
  return null;
}

/** Stretches outside, as indices of samples with the farthest distance: `[first, last, by]`. */
export function departures(times, values, phases, golden) {
  const found = [];
  let run = null;
  for (let index = 0; index < times.length; index += 1) {
    const at = goldenTime(times[index], phases, golden);
    const by = at === null ? 0 : outside(values[index], at, golden);
    if (!by) {
      run = null;
      continue;
    }
    run ??= [index, index, by];
    run[1] = index;
    if (Math.abs(by) > Math.abs(run[2])) run[2] = by;
    if (index - run[0] + 1 === ROW) found.push(run);
  }
  return found;
}

/** How far a value is outside of all that the golden curve shows around a time; 0 within. */
function outside(value, at, { t, mean, band }) {
  let low = Infinity;
  let high = -Infinity;
  for (let point = 0; point < t.length; point += 1) {
    const step = Math.max(SLACK_S, (t[point + 1] ?? t[point]) - t[point]);
    if (Math.abs(t[point] - at) > step) continue;
    low = Math.min(low, mean[point] - band[point]);
    high = Math.max(high, mean[point] + band[point]);
  }
  if (value > high && high > -Infinity) return value - high;
  return value < low && low < Infinity ? value - low : 0;
}
