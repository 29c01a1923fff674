// The panel. The program has the one state; every control shows what it says, and asks for changes.

import { fill, get, make, sentence } from "/assets/base.js";
import { Link } from "/panel/link.js";
import { Person } from "/panel/person.js";

const KINDS = {
  toon: "Toon", hold: "Last toon repeated", blur: "Hidden: blurred", card: "Hidden: card",
  raw: "Your real picture goes out",
};
const GUARD_WORDS = {
  pass: "Your real picture goes out whenever there is no toon.",
  hold: "The last toon stays until there is one again.",
  blur: "Your picture goes out blurred beyond recognition.",
  card: "A card goes out.",
};
const LOW_WORDS = { toon: "Toon's shape, your look", face: "Your shape, toon's look" };
const SIZES = [[640, 480], [1280, 720], [1920, 1080]];

let state = null;
let asked = 0; // changes asked for since the connection came up
const held = new Set(); // sliders that a finger is on; the state does not move them
const link = new Link("/panel/live", { opened, text, picture: show, away });
const ask = (name, value) => {
  if (link.send({ do: name, value, ask: ++asked })) return;
  say("Nothing was changed: this page is not connected to the program.", false);
  if (state) update(state); // what was moved in vain goes back
};
const person = new Person(ask);

function opened() {
  asked = 0;
  get("live").dataset.connected = "true";
  get("away").hidden = true;
  look();
}

function away(words) {
  get("live").dataset.connected = "false";
  get("away").textContent = words;
  get("away").hidden = false;
  get("out").dataset.kind = "";
  get("out-words").textContent = "Not connected";
  get("out-heard").textContent = ""; // the alert says it
  for (const id of ["fps", "latency"]) get(id).textContent = "–";
  get("stages").replaceChildren();
  get("hints").hidden = true;
  person.meet([]);
}

function text(message) {
  // A state from before the last change would move a slider back under the next key; the state
  // from after it is on its way.
  if (message.switches && message.heard >= asked) update(message.switches);
  if (message.numbers) count(message.numbers);
  if (message.said) say(message.said, message.good);
}

let quiet;
function say(words, good) {
  const note = get("said");
  note.textContent = words;
  note.classList.toggle("bad", !good);
  note.hidden = false;
  clearTimeout(quiet);
  quiet = setTimeout(() => { note.hidden = true; }, 8000);
}

// ---------------------------------------------------------------- the picture

/** Tell the program how large the picture is shown. */
function look() {
  const before = get("show-before").checked;
  const width = Math.round(get("after").clientWidth * Math.min(devicePixelRatio, 2)) || 960;
  link.send({ view: { width, before } });
  get("before-view").hidden = !before;
  get("before-note").hidden = !before;
}
new ResizeObserver(look).observe(get("views"));
get("show-before").addEventListener("change", look);

async function show(header, parts) {
  const names = ["after", "before"];
  const pictures = await Promise.all(parts.map((part) => createImageBitmap(part)));
  pictures.forEach((picture, i) => {
    const canvas = get(names[i]);
    if (canvas.width !== picture.width || canvas.height !== picture.height) {
      canvas.width = picture.width;
      canvas.height = picture.height;
      get("views").style.setProperty("--shape", picture.width / picture.height);
    }
    canvas.getContext("2d").drawImage(picture, 0, 0);
    picture.close();
  });
  const bare = header.people.some((one) => one.bare);
  const kind = header.kind === "toon" && bare ? "raw" : header.kind;
  get("after").dataset.number = header.number;
  get("out").dataset.kind = kind;
  const words = bare && header.kind === "toon" ? "A real face goes out" : KINDS[header.kind];
  if (get("out-words").textContent !== words) get("out-words").textContent = words;
  // A toon that is held for a moment is no news to those who listen.
  const heard = kind === "hold" ? KINDS.toon : words;
  if (get("out-heard").textContent !== heard) get("out-heard").textContent = heard;
  person.meet(header.people);
}

// ---------------------------------------------------------------- numbers

function count(numbers) {
  get("fps").textContent = numbers.fps.toFixed(numbers.fps < 10 ? 1 : 0);
  get("latency").textContent = `${numbers.latency} ms`;
  const longest = Math.max(33, ...Object.values(numbers.stages));
  get("stages").replaceChildren(...Object.entries(numbers.stages).filter(([, ms]) => ms > 0).map(([name, ms]) => {
    const part = make("i");
    part.style.width = `${(100 * ms) / longest}%`;
    return make("li", {}, make("span", {}, name), make("span", { className: "bar-of" }, part), make("b", {}, `${ms.toFixed(1)} ms`));
  }));
  const reason = numbers.reason && state && !state.panic ? `Hidden: ${numbers.reason}.` : "";
  const hints = [numbers.lost, ...numbers.hints, reason].filter(Boolean).join(" ");
  const note = get("hints");
  note.hidden = !hints;
  if (note.textContent !== hints) note.textContent = hints;
}

// ---------------------------------------------------------------- settings

function update(now) {
  const first = !state;
  state = now;
  if (first) build(now);
  press("panic", now.panic);
  get("panic-words").textContent = now.panic ? "Hidden. Show the picture again" : "Panic: hide the picture";
  get("record").dataset.on = String(Boolean(now.recording));
  get("record").textContent = now.recording ? "Stop recording" : "Record";
  get("toon").checked = now.toon;
  get("mirror").checked = now.mirror;
  get("paint-room").checked = now.paint_room;
  slide("strength", now.strength, `${Math.round(now.strength * 100)} %`);
  const locked = now.guard !== "pass";
  get("strength-help").hidden = !locked;
  get("eyes-field").hidden = now.eyes === null;
  if (now.eyes !== null) slide("eyes", now.eyes, `${Math.round(now.eyes * 100)} %`);
  get("childlike-field").hidden = now.childlike === null;
  if (now.childlike !== null) slide("childlike", now.childlike, `${Math.round(now.childlike * 100)} %`);
  slide("swap", now.swaps.indexOf(now.swap), now.swap === null ? "off: all toon" : `at ${now.swap} px`);
  slide("faces", now.faces, String(now.faces));
  pick("styles", now.style);
  pick("lows", now.low);
  get("lows").hidden = now.swap === null;
  pick("regions", now.region);
  pick("guards", now.guard);
  get("guard-help").textContent = GUARD_WORDS[now.guard];
  const building = get("building");
  building.dataset.busy = String(Boolean(now.building));
  building.textContent = now.building ? `Building ${now.building}; the old one goes on.` : now.refused;
  get("kept").textContent =
    `${now.kept.count} ${now.kept.count === 1 ? "mix is" : "mixes are"} ready at once (${Math.ceil(now.kept.memory / 1e6)} MB); the last ${now.kept.most} are kept.`;
  const { name, device, precision } = now.engine;
  get("engine").textContent = `${now.model} on ${name}, ${precision}, ${device}`;
  get("faces-field").hidden = now.most_faces < 2;
  if (document.activeElement !== get("source") && !now.changing) get("source").value = now.source;
  if (!now.changing) get("size").value = now.size.join("x");
  get("change").disabled = !now.can_change || Boolean(now.changing);
  get("source-help").textContent = now.changing
    ? `Opening ${now.changing}; the old picture goes on.`
    : now.can_change ? `Pictures go out in ${now.output_size.join(" x ")} for the whole run.` : "This source ends by itself, so it stays.";
  get("sinks").replaceChildren(...now.sinks.map(({ target, failed }) => {
    const off = make("button", { type: "button", className: "button plain", ariaLabel: `Remove ${target}` }, "Remove");
    off.onclick = () => ask("remove-sink", target);
    return make("li", {}, make("span", {}, target, failed ? make("span", { className: "soft small" }, ` ${failed}`) : ""), off);
  }));
  person.update(now);
}

/** The controls that depend on the model. */
function build(now) {
  get("styles").append(...now.styles.map(({ name, about }) => {
    const image = make("img", { src: `/panel/styles/${name}`, alt: "", width: 96, height: 96 });
    return choice("style", name, name, (value) => ask("style", value), { title: about }, image);
  }));
  get("lows").append(...Object.entries(LOW_WORDS).map(([low, words]) => choice("low", low, words, (value) => ask("low", value))));
  get("regions").append(...now.regions.map((region) => choice("region", region, region, (value) => ask("region", value))));
  get("guards").append(...now.guards.map((mode) => choice("guard", mode, mode, (value) => ask("guard", value))));
  get("swap").max = now.swaps.length - 1;
  get("swap").disabled = now.swaps.length < 2;
  get("faces").max = now.most_faces;
  [get("eyes").min, get("eyes").max] = now.eye_sizes;
  const sizes = SIZES.some((size) => size.join() === now.size.join()) ? SIZES : [now.size, ...SIZES];
  get("size").append(...sizes.map((size) => make("option", { value: size.join("x") }, size.join(" x "))));
}

function choice(group, value, words, act, properties = {}, ...before) {
  const input = make("input", { type: "radio", name: group, value });
  input.onchange = () => act(value);
  return make("label", { className: "ring", ...properties }, input, ...before, make("span", {}, words));
}

function pick(group, value) {
  for (const input of get(group).querySelectorAll("input")) input.checked = input.value === value;
}

function press(id, pressed) {
  get(id).setAttribute("aria-pressed", String(pressed));
}

function slide(id, value, words) {
  const slider = get(id);
  get(`${id}-out`).textContent = words;
  if (held.has(id)) return;
  slider.value = value;
  slider.setAttribute("aria-valuetext", words);
  fill(slider);
}

const SLIDERS = {
  strength: (value) => ask("strength", value),
  eyes: (value) => ask("eyes", value),
  childlike: (value) => ask("childlike", value),
  swap: (value) => ask("swap", state.swaps[value]),
  faces: (value) => ask("faces", value),
};
for (const [id, act] of Object.entries(SLIDERS)) {
  const slider = get(id);
  slider.addEventListener("input", () => act(Number(slider.value)));
  slider.addEventListener("pointerdown", () => held.add(id));
  for (const end of ["pointerup", "pointercancel"]) {
    slider.addEventListener(end, () => { held.delete(id); if (state) update(state); });
  }
}

const panic = () => ask("panic", !state?.panic);
get("panic").onclick = panic;
get("snapshot").onclick = () => ask("snapshot");
get("record").onclick = () => ask("record");
get("save").onclick = () => ask("save");
get("toon").onchange = ({ target }) => ask("toon", target.checked);
get("mirror").onchange = ({ target }) => ask("mirror", target.checked);
get("paint-room").onchange = ({ target }) => ask("paint-room", target.checked);
get("settings").onsubmit = (event) => event.preventDefault();
get("add-sink").onclick = () => { ask("add-sink", get("sink").value); get("sink").value = ""; };
get("change").onclick = () => {
  ask("source", { source: get("source").value, size: get("size").value.split("x").map(Number) });
};
get("copy-overlay").onclick = async () => {
  try {
    const answer = await fetch("/panel/overlay-address");
    if (!answer.ok) throw new Error(await sentence(answer));
    await navigator.clipboard.writeText((await answer.json()).address);
    say("Copied: paste it as the URL of a browser source.", true);
  } catch (error) {
    say(`The address was not copied: ${error.message} The terminal shows it too.`, false);
  }
};
get("places").addEventListener("toggle", async () => {
  if (!get("places").open) return;
  const found = await fetch("/panel/cameras").then((answer) => (answer.ok ? answer.json() : []), () => []);
  get("cameras").replaceChildren(
    ...found.map(({ source, name }) => make("option", { value: source }, name)),
    make("option", { value: "demo" }, "built-in demo"),
  );
});

// The space bar is panic wherever it does not type; a focused button or switch must not take it.
// Enter does what it would have done there, for switches too, of which browsers leave it out.
document.addEventListener("keydown", (event) => {
  const { key, repeat, target } = event;
  if (key === "Enter" && target.matches('input[type="checkbox"], #sink')) {
    event.preventDefault();
    if (!repeat) (target.id === "sink" ? get("add-sink") : target).click();
  }
  if (!isPanic(event)) return;
  event.preventDefault(); // held down too, or the page would scroll
  if (!repeat) panic();
}, true);
document.addEventListener("keyup", (event) => { if (isPanic(event)) event.preventDefault(); }, true);

function isPanic({ key, ctrlKey, altKey, metaKey, target }) {
  return key === " " && !ctrlKey && !altKey && !metaKey && !target.matches('input[type="text"], select');
}
