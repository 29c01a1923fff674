// Random characters of a model with a mapping network: a row of seeds, or a row of mixes.

import { AWAY, get, make, sentence, withCode } from "/assets/base.js";

const COUNT = 6;

/** Prepare the section; a problem goes to `refuse` as a sentence. */
export function startCharacters(about, { style, refuse }) {
  get("no-characters").hidden = !about.noCharacters;
  get("characters").hidden = Boolean(about.noCharacters);
  if (about.noCharacters) {
    get("no-characters").append(...withCode(about.noCharacters));
    return;
  }
  let turn = 0; // counts rows, so that what comes late is thrown away

  /** What stands in the row: seeds one after another, or mixes from coarse to fine. */
  function cells() {
    const seed = Number(get("seed").value);
    if (!get("mixing").checked) {
      return Array.from({ length: COUNT }, (_, i) => ({ words: `Seed ${seed + i}`, query: { seed: seed + i } }));
    }
    const other = Number(get("other").value);
    const resolutions = [];
    for (let r = 4; r <= about.resolution; r *= 2) resolutions.push(r);
    return [
      ...resolutions.map((mix) => ({ words: mix === 4 ? `Seed ${other}` : `From ${mix} px`, query: { seed, other, mix } })),
      { words: `Seed ${seed}`, query: { seed } },
    ];
  }

  async function draw() {
    const mine = ++turn;
    get("other").disabled = !get("mixing").checked;
    get("next-row").disabled = get("mixing").checked;
    get("truncation-value").textContent = Number(get("truncation").value).toFixed(2);
    const images = cells().map(({ words, query }) => {
      const image = make("img", { alt: "", width: 256, height: 256 });
      return { image, words, query, item: make("li", {}, image, words) };
    });
    get("row").replaceChildren(...images.map(({ item }) => item));
    get("row-words").textContent = "Drawing…";
    for (const { image, words, query } of images) { // one by one: the first is seen as early as can be
      const all = new URLSearchParams({ ...query, style: style(), truncation: get("truncation").value });
      try {
        const answer = await fetch(`/character?${all}`);
        if (mine !== turn) return;
        if (!answer.ok) throw Object.assign(new Error("refused"), { words: await sentence(answer) });
        image.src = URL.createObjectURL(await answer.blob());
        await image.decode();
        image.alt = words;
        URL.revokeObjectURL(image.src);
      } catch (error) {
        if (mine !== turn) return;
        get("row-words").textContent = "";
        refuse(error.words ?? AWAY);
        return;
      }
    }
    get("row-words").textContent = get("mixing").checked
      ? "Pose and shape are the first seed's; from the resolution named on, all is the second's."
      : "";
  }

  for (const id of ["seed", "other", "truncation", "mixing"]) get(id).addEventListener("change", draw);
  get("styles").addEventListener("change", draw);
  get("next-row").addEventListener("click", () => {
    get("seed").value = Number(get("seed").value) + COUNT;
    draw();
  });
  draw();
}
