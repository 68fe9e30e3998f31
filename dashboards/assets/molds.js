// The keys of the molds page, and of a mold's own page.

import { keys, move } from "./recordpage.js";

const focus = (selector) => document.querySelector(selector)?.focus();

keys({
  j: () => move(".row", 1),
  k: () => move(".row", -1),
  "/": () => focus("input[type=search]"),
  l: () => focus("textarea[name=what]"),
  Escape: () => document.querySelector("main").focus(),
});
