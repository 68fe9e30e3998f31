// What the page was served with: strings, zone, build, and which presses it shows.

export const given = JSON.parse(document.getElementById("given").textContent);

const plurals = new Intl.PluralRules(given.language);

/** A string of the catalogue with its {braces} filled in. */
export function say(key, values = {}) {
  const text = given.strings[key];
  if (text === undefined) throw new Error(`no string ${key}`);
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** The string that fits a number that is printed as `shown`. */
export function count(key, n, shown, values = {}) {
  const form = plurals.select(Math.abs(n)) === "one" ? "one" : "other";
  return say(`${key}_${form}`, { n: shown, ...values });
}

/** A string that may be missing. */
export const maybe = (key) => given.strings[key] ?? "";
