// A photo from the browser's own camera.

import { get } from "/assets/base.js";

/** Connect the camera's buttons; a photo goes to `take`, a problem to `refuse` as a sentence.
    Returns a function that lets the camera go. */
export function startCamera({ look, take, refuse }) {
  let stream = null;

  function stop() {
    stream?.getTracks().forEach((track) => track.stop());
    stream = get("video").srcObject = null;
  }

  get("camera").addEventListener("click", async () => {
    if (!navigator.mediaDevices && matchMedia("(pointer: coarse)").matches) {
      get("selfie").click(); // a phone on the network: its own camera program takes the photo
      return;
    }
    if (!navigator.mediaDevices) {
      refuse("Browsers give the camera to encrypted or local pages only; open this one on the machine that runs it, or choose a photo.");
      return;
    }
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        video: { width: { ideal: 1920 }, height: { ideal: 1080 }, facingMode: "user" },
      });
    } catch (error) {
      refuse({
        NotAllowedError: "The browser may not use the camera; allow it beside the page's address, and try again.",
        NotFoundError: "The browser found no camera; plug one in, or choose a photo.",
        NotReadableError: "The camera is used by another program; end that, or choose a photo.",
      }[error.name] ?? `The camera cannot be used (${error.name}); choose a photo.`);
      return;
    }
    get("video").srcObject = stream;
    look("filming");
    get("shoot").focus();
  });

  get("stop-camera").addEventListener("click", () => {
    stop();
    look("empty");
    get("camera").focus();
  });

  get("shoot").addEventListener("click", () => {
    const video = get("video");
    if (!video.videoWidth) return; // no picture yet
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    const pen = canvas.getContext("2d");
    pen.translate(canvas.width, 0); // as in a mirror, which is what was seen
    pen.scale(-1, 1);
    pen.drawImage(video, 0, 0);
    stop();
    canvas.toBlob((blob) => take(blob, "camera.jpg"), "image/jpeg", 0.95);
  });
  return stop;
}
