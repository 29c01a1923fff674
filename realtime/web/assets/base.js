// What the scripts of all pages share.

/** The element with an id; a page without it is a fault. */
export function get(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element #${id}`);
  return found;
}

/** A new element with properties and children; text is never read as HTML. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** A sentence as nodes: what stands in `backticks` is code. */
export function withCode(words) {
  return words.split("`").map((part, i) => (i % 2 ? make("code", {}, part) : part));
}

/** Keep a slider's filled part beside its value. */
export function fill(slider) {
  const { min, max, value } = slider;
  const part = (value - min) / (max - min || 1);
  // The middle of the thumb, which is 24 px wide and stays inside the track.
  slider.style.setProperty("--part", `calc(12px + ${part} * (100% - 24px))`);
}

/** Make a refusal of the server, or of the network, one sentence. */
export async function sentence(response) {
  try {
    const { error } = await response.clone().json();
    if (error) return error;
  } catch {
    // Not ours: said below.
  }
  if (response.status === 403) return GONE;
  return `The program answered with ${response.status}; look at its terminal.`;
}

/** What is shown when the program was started again, or has ended. */
export const GONE =
  "The program was started again since this page was loaded; open the address that its terminal shows.";
export const AWAY = "The program does not answer; look at its terminal, and start it again if it has ended.";

document.addEventListener("input", ({ target }) => {
  if (target.matches?.('input[type="range"]')) fill(target);
});
document.querySelectorAll('input[type="range"]').forEach(fill);
