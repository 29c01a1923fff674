// The overlay: toons with true transparency, ?mode=green for a chroma key, ?mode=whole for all.

import { get } from "/assets/base.js";
import { Link } from "/panel/link.js";

const mode = new URLSearchParams(location.search).get("mode") ?? "transparent";
document.body.dataset.mode = mode;
const canvas = get("toons");
const context = canvas.getContext("2d");
const work = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });

new Link(`/panel/overlay?mode=${encodeURIComponent(mode)}`, { picture: show, away: clear });

/** A picture that stays would be a lie: without the program there is nothing. */
function clear() {
  context.clearRect(0, 0, canvas.width, canvas.height);
}

async function show({ number, size, whole, boxes }, parts) {
  const pictures = await Promise.all(parts.map((part) => createImageBitmap(part)));
  const toons = whole ? [] : boxes.map((box, i) => joined(box, pictures[2 * i], pictures[2 * i + 1]));
  const [width, height] = size;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  clear();
  if (whole) context.drawImage(pictures[0], 0, 0, width, height);
  // Boxes may overlap where the toons in them do not touch, so each is laid over what is there.
  for (const { box, pixels } of toons) {
    work.canvas.width = box[2];
    work.canvas.height = box[3];
    work.putImageData(pixels, 0, 0);
    context.drawImage(work.canvas, box[0], box[1]);
  }
  for (const picture of pictures) picture.close();
  canvas.dataset.number = number;
}

/** Colour and alpha, put together. */
function joined(box, colour, alpha) {
  const [, , width, height] = box;
  const shape = pixelsOf(alpha, width, height).data;
  const pixels = pixelsOf(colour, width, height);
  const { data } = pixels;
  for (let i = 0; i < data.length; i += 4) data[i + 3] = shape[i];
  return { box, pixels };
}

function pixelsOf(picture, width, height) {
  work.canvas.width = width;
  work.canvas.height = height;
  work.drawImage(picture, 0, 0);
  return work.getImageData(0, 0, width, height);
}
