// The page to try: a photo goes to the server as it is, and its toon comes back.

import { AWAY, fill, get, make, sentence } from "/assets/base.js";
import { startCamera } from "/photo/camera.js";
import { startCharacters } from "/photo/characters.js";
import { reveal } from "/photo/compare.js";
import { note, point, promise, refuse, tell } from "/photo/words.js";

const KEPT = 12; // toons of the photo in hand that are kept, so that going back is at once

const desk = get("desk");
const compare = get("compare");
const about = await (await fetch("/about")).json();

let photo = null; // { blob, name }
let toons = new Map(); // "style|swap|shapes" -> what `ask` gives
let shown = null; // the toon that is shown
let asking = null; // AbortController of the request under way

const stopCamera = startCamera({ look, take, refuse });

// ------------------------------------------------------------------ settings

const styles = Object.keys(about.styles);
const swaps = about.swaps ?? [null];
const SHAPES = ["eyes", "childlike"]; // sliders in percent with which a toon is drawn

function style() {
  return document.querySelector('input[name="style"]:checked')?.value;
}

function swap() {
  return swaps[get("swap").value];
}

function strength() {
  return get("strength").value / 100;
}

function shapes() {
  return Object.fromEntries(SHAPES.map((name) => [name, get(name).value / 100]));
}

function showSettings() {
  get("style-help").textContent = about.styles[style()] ?? "";
  get("strength-value").textContent = `${get("strength").value} %`;
  for (const name of SHAPES) get(`${name}-value`).textContent = `${get(name).value} %`;
  get("childlike").closest(".field").hidden = !about.reshaped?.includes(style());
  const own = about.own[style()];
  get("swap-value").textContent = swap() ? `at ${swap()} px` : own ? `at ${own} px, its own` : "off";
  get("swap").setAttribute("aria-valuetext", get("swap-value").textContent);
  get("after").style.opacity = strength();
}

/** Set the settings to those of a toon. */
function choose(toon) {
  for (const choice of document.querySelectorAll('input[name="style"]')) {
    choice.checked = choice.value === toon.style;
  }
  get("swap").value = swaps.indexOf(toon.swap);
  for (const name of SHAPES) get(name).value = Math.round(toon[name] * 100);
  [get("swap"), ...SHAPES.map(get)].forEach(fill);
  showSettings();
}

function prepareSettings() {
  get("engine").textContent = [about.model, about.engine].filter(Boolean).join(" on ");
  for (const name of styles) {
    const choice = make("input", { type: "radio", name: "style", value: name });
    choice.checked = name === (about.style ?? styles[0]);
    get("styles").append(make("label", { className: "ring" }, choice, name));
  }
  get("swap").max = swaps.length - 1;
  get("swap").value = Math.max(swaps.indexOf(about.swap ?? null), 0);
  get("swap").closest(".field").hidden = swaps.length < 2;
  get("strength").value = Math.round((about.strength ?? 1) * 100);
  [get("eyes").min, get("eyes").max] = (about.eyeSizes ?? [1, 1]).map((size) => Math.round(size * 100));
  get("eyes").value = Math.round((about.eyes ?? 1) * 100);
  get("childlike").value = Math.round((about.childlike ?? 0) * 100);
  get("eyes").closest(".field").hidden = (about.eyes ?? null) === null;
  [get("swap"), get("strength"), ...SHAPES.map(get)].forEach(fill);
  get("styles").addEventListener("change", draw);
  get("swap").addEventListener("change", draw);
  get("swap").addEventListener("input", showSettings);
  for (const slider of SHAPES.map(get)) {
    slider.addEventListener("change", draw);
    slider.addEventListener("input", showSettings);
  }
  get("strength").addEventListener("input", showSettings);
  showSettings();
}

// ------------------------------------------------------------------ the toon

/** Take a photo in place of the last one. */
function take(blob, name) {
  if (blob.size > about.mostBytes) {
    const size = Math.ceil(blob.size / 1e6);
    refuse(`The file has ${size} MB, more than the ${about.mostBytes / 1e6} MB that are taken; make it smaller first.`);
    return;
  }
  forget();
  photo = { blob, name };
  preview();
  draw();
}

function forget() {
  asking?.abort();
  stopCamera();
  for (const { url } of toons.values()) URL.revokeObjectURL(url);
  if (get("before").src) URL.revokeObjectURL(get("before").src);
  get("before").removeAttribute("src");
  get("after").removeAttribute("src");
  get("badges").replaceChildren();
  [photo, shown, toons] = [null, null, new Map()];
  look("empty");
  tell("");
}

/** Show the photo itself while its toon is drawn; what is no picture is left to the server's words. */
async function preview() {
  const before = get("before");
  before.src = URL.createObjectURL(photo.blob);
  const { src } = before;
  try {
    await before.decode();
  } catch {
    return;
  }
  if (before.src !== src || shown) return;
  compare.style.setProperty("--shape", before.naturalWidth / before.naturalHeight);
  look("photo");
}

function look(state) {
  desk.dataset.state = state;
  get("empty").hidden = state !== "empty";
  get("filming").hidden = state !== "filming";
  compare.hidden = !["photo", "toon"].includes(state);
  get("ends").hidden = state !== "toon";
}

/** Show the toon of the photo with the settings of now; made by the server, or kept from before. */
async function draw() {
  showSettings();
  asking?.abort();
  if (!photo) return;
  const key = [style(), swap(), ...Object.values(shapes())].join("|");
  let toon = toons.get(key);
  if (!toon) {
    asking = new AbortController();
    const { signal } = asking;
    const busy = setTimeout(() => {
      get("busy").hidden = false;
      if (!shown) tell("Drawing…");
    }, 120);
    try {
      toon = await ask(photo, signal);
    } catch (error) {
      if (error.name !== "AbortError") {
        if (shown) choose(shown);
        else {
          forget();
          if (document.activeElement === document.body) get("choose").focus({ preventScroll: true });
        }
        refuse(error.words ?? AWAY);
      }
      return;
    } finally {
      clearTimeout(busy);
      if (!asking || asking.signal === signal) get("busy").hidden = true;
    }
    keep(key, toon);
  }
  await show(toon);
}

/** One request; `error.words` of what it throws is a sentence for the user. */
async function ask({ blob }, signal, share = 1) {
  const query = new URLSearchParams({ style: style(), strength: share, ...shapes() });
  if (swap() !== null) query.set("swap", swap());
  const answer = await fetch(`/toon?${query}`, { method: "POST", body: blob, signal });
  if (!answer.ok) throw Object.assign(new Error("refused"), { words: await sentence(answer) });
  const made = await answer.blob();
  return {
    blob: made,
    url: URL.createObjectURL(made),
    found: JSON.parse(answer.headers.get("Toonify-Found")),
    style: query.get("style"),
    ...Object.fromEntries(SHAPES.map((name) => [name, Number(query.get(name))])),
    swap: query.has("swap") ? Number(query.get("swap")) : null,
  };
}

function keep(key, toon) {
  toons.set(key, toon);
  for (const [old, { url }] of toons) {
    if (toons.size <= KEPT) break;
    URL.revokeObjectURL(url);
    toons.delete(old);
  }
}

async function show(toon) {
  const fresh = !shown;
  shown = toon;
  const after = get("after");
  after.src = toon.url;
  await after.decode().catch(() => {}); // replaced by the next one meanwhile
  if (shown !== toon) return;
  compare.style.setProperty("--shape", after.naturalWidth / after.naturalHeight);
  look("toon");
  const { words, faces } = toon.found;
  const tips = faces.flatMap(({ tips }, i) =>
    tips.map((tip) => note("tip", faces.length > 1 ? `Face ${i + 1}: ${tip[0].toLowerCase()}${tip.slice(1)}` : tip)));
  tell(faces.length ? words : "", faces.length ? tips : [note("tip", words)]);
  get("badges").replaceChildren(...(faces.length > 1 ? faces.map(badge) : []));
  desk.dataset.faces = faces.length; // without one there is no toon to compare with, or to save
  get("save").hidden = !faces.length;
  if (fresh && faces.length) {
    compare.scrollIntoView({ block: "nearest" }); // a refusal may have led away from it
    get("slider").focus({ preventScroll: true });
    reveal();
  } else if (fresh) {
    get("again").focus({ preventScroll: true });
    point();
  }
}

function badge({ box: [left, top] }, i) {
  const element = make("span", { className: "badge", textContent: i + 1 });
  element.style.left = `${Math.min(Math.max(left * 100, 3), 97)}%`;
  element.style.top = `${Math.min(Math.max(top * 100, 3), 97)}%`;
  return element;
}

// ------------------------------------------------------------------ saving

async function save(event) {
  event.preventDefault();
  if (!shown) return;
  let { blob } = shown;
  if (strength() < 1) {
    try {
      get("busy").hidden = false;
      const mixed = await ask(photo, undefined, strength());
      URL.revokeObjectURL(mixed.url);
      blob = mixed.blob;
    } catch (error) {
      refuse(error.words ?? AWAY);
      return;
    } finally {
      get("busy").hidden = true;
    }
  }
  const url = URL.createObjectURL(blob);
  const stem = photo.name.replace(/\.[^.]*$/, "") || "photo";
  const link = make("a", { href: url, download: `${stem}-toon.${blob.type === "image/png" ? "png" : "jpg"}` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

// ------------------------------------------------------------------ where photos come from

function prepareSources() {
  get("choose").addEventListener("click", () => get("file").click());
  for (const id of ["file", "selfie"]) {
    get(id).addEventListener("change", ({ target }) => {
      if (target.files[0]) take(target.files[0], target.files[0].name);
      target.value = "";
    });
  }
  get("again").addEventListener("click", () => {
    forget();
    get("choose").focus();
  });
  get("save").addEventListener("click", save);

  let depth = 0; // of elements that a dragged file is over
  const veil = (to) => { depth = to; get("veil").hidden = !depth; };
  addEventListener("dragenter", (event) => { event.preventDefault(); veil(depth + 1); });
  addEventListener("dragleave", () => veil(Math.max(depth - 1, 0)));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    veil(0);
    const [file] = event.dataTransfer.files;
    if (file) take(file, file.name);
    else refuse("That was no file; drop a photo from a folder, or choose one.");
  });
  addEventListener("paste", ({ clipboardData }) => {
    const [file] = clipboardData.files;
    if (file) take(file, file.name);
  });

  for (const [i, path] of about.people.entries()) {
    const image = make("img", { src: path, alt: `Person ${i + 1}`, width: 84, height: 84 });
    const button = make("button", { type: "button" }, image);
    button.addEventListener("click", async () => {
      const answer = await fetch(path).catch(() => null);
      if (answer?.ok) take(await answer.blob(), `person-${i + 1}.webp`);
      else refuse(answer ? await sentence(answer) : AWAY);
    });
    get("people").append(make("li", {}, button));
  }
}

promise();
prepareSettings();
prepareSources();
startCharacters(about, { style, refuse });
look("empty");
if (about.noPhotos) {
  refuse(about.noPhotos);
  get("stage").hidden = true;
}
document.body.dataset.ready = "yes";
