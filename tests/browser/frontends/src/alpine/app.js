import Alpine from "alpinejs";

Alpine.data("todo", () => ({
  text: "",
  entries: [],
  shown: false,
  told: "",
  html: "<u>underlined</u>",
  title() {
    return this.entries.filter((entry) => !entry.done).length + " to do";
  },
  read() {
    this.entries = JSON.parse(localStorage.getItem("entries") ?? "[]");
    const stream = new EventSource("/api/stream");
    stream.onmessage = (event) => {
      this.told = event.data;
      stream.close();
    };
    this.$watch("entries", (entries) => (localStorage.entries = JSON.stringify(entries)));
  },
  add() {
    this.entries.push({ text: this.text, done: false });
    this.text = "";
  },
}));
Alpine.start();
