import { computed, createApp, defineAsyncComponent, reactive, ref, watch } from "vue/dist/vue.esm-bundler.js";

const Details = defineAsyncComponent(() => import("./details.js"));

createApp({
  components: { Details },
  setup() {
    const items = reactive([]);
    const name = ref(sessionStorage.getItem("name") ?? "");
    const open = ref(false);
    const total = computed(() => items.length);
    watch(name, (value) => sessionStorage.setItem("name", value));
    fetch(new Request("/api/items", { headers: { "X-Shop": "vue" } }))
      .then((answer) => answer.json())
      .then((list) => items.push(...list));
    const save = async () => {
      const answer = await fetch("/api/items", { method: "POST", body: JSON.stringify({ name: name.value }) });
      items.push(await answer.json());
    };
    const show = () => {
      open.value = !open.value;
      history.replaceState({ open: open.value }, "", open.value ? "?open" : "?");
    };
    return { items, name, open, total, save, show };
  },
  template: `
    <h1 :title="name">{{ total }} items</h1>
    <ul><li v-for="item in items" :key="item.id" :class="{ own: item.own }">{{ item.name }}</li></ul>
    <input id="name" v-model="name">
    <button id="save" @click="save">Save</button>
    <button id="show" @click="show">Show</button>
    <Transition><Details v-if="open" :name="name" /></Transition>
    <Teleport to="#elsewhere"><p>Teleported: {{ name }}</p></Teleport>
    <p v-html="'<i>' + total + '</i>'"></p>
  `,
}).mount("#app");
