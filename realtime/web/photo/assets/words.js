// What the page says: a status, tips, refusals.

import { get, make, withCode } from "/assets/base.js";

const SIGN = {
  tip: "M12 3v2M5.6 5.6L7 7M3 12h2M19 12h2M17 7l1.4-1.4M9 17h6M10 20h4M12 7a5 5 0 0 1 3 9H9a5 5 0 0 1 3-9z",
  bad: "M12 8v5M12 16.5v.01M12 3l9.5 17h-19z",
};

/** A note with its sign; `kind` is tip or bad. */
export function note(kind, words) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", SIGN[kind]);
  const look = { viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": "1.8",
    "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" };
  for (const [name, value] of Object.entries(look)) svg.setAttribute(name, value);
  svg.append(path);
  return make("div", { className: `note ${kind}` }, svg, make("p", {}, ...withCode(words)));
}

/** Say what was found, with notes. */
export function tell(status, notes = []) {
  get("status").textContent = status;
  get("notes").replaceChildren(...notes);
}

/** Promise only what holds: over the network a photo leaves the machine that shows the page. */
export function promise() {
  if (/^(localhost|127\..*|\[::1\])$/.test(location.hostname)) return;
  get("promise").textContent =
    "The photo goes to the machine that runs this program, not encrypted; it stays there in memory and is not kept.";
}

/** Bring what is said into view: on a phone it stands below the picture. */
export function point() {
  get("notes").scrollIntoView({ block: "nearest" });
}

/** Say in one sentence why not. */
export function refuse(words) {
  tell("", [note("bad", words)]);
  point();
}
