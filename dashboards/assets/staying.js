// What every open page does while it stays open: says what its link is worth, and gets out of date.

import { given } from "./given.js";

/** A page of another build, or for other machines, loads itself anew: the server has answered. */
export function changed({ build, layout }) {
  if (!build || (build === given.build && layout === given.layout)) return false;
  const other = `${build} ${layout}`;
  try {
    if (sessionStorage.getItem("loaded-for") === other) return false; // it did not help
    sessionStorage.setItem("loaded-for", other);
  } catch {
    return false; // without a memory it might load itself for ever
  }
  location.reload();
  return true;
}

/** Call once a second of the server's clock, just after it has moved on. */
export function everySecond(link, call) {
  call();
  setTimeout(() => everySecond(link, call), 1005 - ((link.now * 1000) % 1000));
}
