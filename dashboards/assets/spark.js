// The small line of the last cooling times; dashboards/spark.py draws the same.

export const CYCLES = 50;
const WIDTH = 100;
const HEIGHT = 24;
const STEP = (WIDTH - 4) / (CYCLES - 1);
const LEAST_SPAN = 0.03;

const rounded = (value) => Math.floor(value * 10 + 0.5) / 10;

/** Path data of the line and of its newest point; broken where a cycle has no value. */
export function spark(values) {
  const known = values.filter((value) => value !== null);
  if (!known.length) return { line: "", dot: "" };
  const low = Math.min(...known);
  const high = Math.max(...known);
  const middle = (low + high) / 2;
  const span = Math.max(high - low, LEAST_SPAN * Math.abs(middle), 0.01);
  const first = WIDTH - 2 - STEP * (values.length - 1);
  let line = "";
  let dot = "";
  values.forEach((value, index) => {
    if (value === null) {
      dot = "";
      return;
    }
    const x = rounded(first + STEP * index);
    const y = rounded(HEIGHT / 2 - ((value - middle) / span) * (HEIGHT - 4));
    const alone = !dot && (values[index + 1] ?? null) === null;
    line += `${dot ? "L" : "M"}${x} ${y}${alone ? "h0" : ""}`;
    dot = `M${x} ${y}h0`;
  });
  return { line, dot };
}
