// The people in the picture: click one to give them a style and strength of their own.

import { fill, get, make } from "/assets/base.js";

export class Person {
  constructor(ask) {
    this.ask = ask;
    this.chosen = null; // identity
    this.buttons = new Map();
    this.sure = false;
    get("person-close").onclick = () => {
      const back = this.buttons.get(this.chosen) ?? get("panic");
      this.choose(null);
      back.focus();
    };
    get("person-style").onchange = ({ target }) =>
      ask("person-style", { id: this.chosen, style: target.value || null });
    get("person-strength").oninput = ({ target }) =>
      ask("person-strength", { id: this.chosen, strength: Number(target.value) });
    get("person-reset").onclick = () => { this.doubt(); ask("person-reset", { id: this.chosen }); };
    get("person-leave").onclick = () => {
      ask("person-leave", { id: this.chosen });
      if (this.sure) this.doubt();
      else {
        this.sure = true;
        get("person-sure").hidden = false;
        get("person-leave").textContent = "Yes, show this real face";
        get("person-leave").classList.add("danger");
        this.timer = setTimeout(() => this.doubt(), 19_000);
      }
    };
  }

  doubt() {
    clearTimeout(this.timer);
    this.sure = false;
    get("person-sure").hidden = true;
    get("person-leave").textContent = "Leave as they are";
    get("person-leave").classList.remove("danger");
  }

  /** What the model can do. */
  update({ styles, strength, guard }) {
    const list = get("person-style");
    if (!list.options.length) {
      list.append(make("option", { value: "" }, "as everybody"), ...styles.map(({ name }) => make("option", { value: name }, name)));
    }
    this.everybody = strength;
    get("person-strength").disabled = guard !== "pass";
  }

  /** Put a button over every face of the picture. */
  meet(people) {
    const left = new Set(this.buttons.keys());
    people.forEach((one, i) => {
      left.delete(one.id);
      let button = this.buttons.get(one.id);
      if (!button) {
        button = make("button", { type: "button" });
        button.onclick = () => this.choose(one.id);
        this.buttons.set(one.id, button);
        get("people").append(button);
      }
      const [x, y, width, height] = one.box.map((share) => `${share * 100}%`);
      Object.assign(button.style, { left: x, top: y, width, height });
      const words = `Person ${i + 1}${one.bare ? ", real face shown" : ""}`;
      if (button.ariaLabel !== words) button.ariaLabel = words;
      button.classList.toggle("bare", one.bare);
      button.setAttribute("aria-pressed", String(one.id === this.chosen));
      if (one.id === this.chosen) this.show(one);
    });
    for (const id of left) {
      this.buttons.get(id).remove();
      this.buttons.delete(id);
    }
  }

  choose(id) {
    this.chosen = id;
    this.doubt();
    get("person").hidden = id === null;
    if (id !== null) get("person-style").focus();
  }

  show(one) {
    if (document.activeElement !== get("person-style")) get("person-style").value = one.style ?? "";
    const strength = one.strength ?? this.everybody;
    const slider = get("person-strength");
    if (document.activeElement !== slider) {
      slider.value = strength;
      fill(slider);
    }
    get("person-strength-out").textContent = `${Math.round(strength * 100)} %`;
    get("person-leave").disabled = one.bare;
    if (one.bare) get("person-leave").textContent = "Real face shown";
    else if (!this.sure) get("person-leave").textContent = "Leave as they are";
  }
}
