// The slider between photo and toon.

import { get } from "/assets/base.js";

const compare = get("compare");

function cut() {
  compare.style.setProperty("--cut", `${get("slider").value}%`);
  get("slider").setAttribute("aria-valuetext", `${get("slider").value} % photo`);
}

/** Sweep once from the photo to the middle, so that the slider explains itself. */
export function reveal() {
  get("slider").value = 50;
  cut();
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  compare.animate([{ "--cut": "100%" }, { "--cut": "50%" }], { duration: 700, easing: "ease-out" });
}

/** A slider's own thumb stays inside; here the line is exactly where the pointer is. */
function point({ clientX, buttons }) {
  if (!buttons) return;
  const { left, width } = compare.getBoundingClientRect();
  get("slider").value = Math.round(((clientX - left) / width) * 100);
  cut();
}

get("slider").addEventListener("input", cut);
get("slider").addEventListener("pointerdown", point);
get("slider").addEventListener("pointermove", point);
