import { LitElement, css, html } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { unsafeHTML } from "lit/directives/unsafe-html.js";

class ShopBasket extends LitElement {
  static properties = { label: {}, items: { state: true } };
  static styles = css`:host { display: block; border: 1px solid } button { color: teal }`;
  constructor() {
    super();
    this.items = [];
  }
  async fill() {
    this.items = await (await fetch("/api/items")).json();
    this.dispatchEvent(new CustomEvent("filled", { bubbles: true, composed: true, detail: this.items.length }));
  }
  render() {
    return html`<h2>${this.label} (${this.items.length})</h2>
      <ul>${repeat(this.items, (item) => item.id, (item) => html`<li>${item.name}</li>`)}</ul>
      <button id="fill" @click=${this.fill}>Fill</button>${unsafeHTML("<i>raw</i>")}<slot name="end"></slot>`;
  }
}
customElements.define("shop-basket", ShopBasket);

customElements.define("shop-card", class extends HTMLElement {
  connectedCallback() {
    this.toggleAttribute("has-root", !!this.shadowRoot);
  }
});

customElements.define("shop-field", class extends HTMLElement {
  static formAssociated = true;
  connectedCallback() {
    this.internals = this.attachInternals();
    const root = this.attachShadow({ mode: "closed" });
    root.innerHTML = "<input value=M>";
    this.internals.setFormValue("M");
  }
});

document.getElementById("form").addEventListener("submit", (event) => {
  event.preventDefault();
  document.getElementById("sent").textContent = new URLSearchParams(new FormData(event.target)).toString();
});
addEventListener("filled", (event) => document.body.setAttribute("data-filled", event.detail));
